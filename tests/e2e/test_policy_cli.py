"""jobpool freeze, thaw and match; show and status with what the service enforces itself."""
import json

import pytest

from harness.host import wait_until


def ok(result):
    assert result.returncode == 0, result.stderr
    return result.stdout


def table(text, heading):
    """The rows of the table that begins with `heading`, split at two blanks or more, by their first column."""
    lines = text.splitlines()
    first = next(i for i, line in enumerate(lines) if line.split()[:1] == [heading])
    rows = {}
    for line in lines[first + 1:]:
        if not line.strip():
            break
        cells = [cell.strip() for cell in line.split("  ") if cell.strip()]
        rows[cells[0]] = cells[1:]
    return rows


def fields(text):
    """{title: value} of the lines before the first table."""
    return {line.split("  ")[0]: line.split("  ")[-1].strip() for line in text.split("\n\n")[0].splitlines()}


def burnt(service, pool):
    """CPU time that the pool has used, user and kernel, in 100 ns."""
    usage = service.json("show", pool)["usage"]
    return (usage["userTime100ns"] or 0) + (usage["kernelTime100ns"] or 0)


# ------------------------------------------------------------------------------------------------------------ wrong usage

@pytest.mark.parametrize("arguments, words", [
    (["freeze"], "POOL"), (["freeze", "p", "q"], "q"), (["freeze", "p", "--kep"], "--keep"), (["thaw"], "POOL"), (["thaw", "p", "--keep"], "--keep"),
    (["match", "p"], "p"), (["match", "--dry-run", "--apply"], "--apply"), (["match", "--pid", "x"], "--pid"), (["match", "--pid"], "--pid"),
])
def test_wrong_usage(service, arguments, words):
    result = service.jobpool(*arguments)
    assert result.returncode == 2 and words in result.stderr and result.stdout == "", result.stderr


@pytest.mark.parametrize("command", [["freeze", "nobody"], ["thaw", "nobody"]])
def test_no_such_pool(service, command):
    result = service.jobpool("--json", *command)
    assert result.returncode == 1 and json.loads(result.stderr)["data"]["name"] == "unknown_pool"


def test_no_service(host):
    for command in (["freeze", "p"], ["thaw", "p"], ["match"]):
        assert host.run("jobpool", "--pipe", "jobpool-nobody", *command).returncode == 3


# -------------------------------------------------------------------------------------------------------- freeze and thaw

def test_freeze_and_thaw(service, rpc, pool, jobber):
    ok(service.jobpool("launch", "--pool", pool, "--", *jobber("burn", 60000)))
    wait_until(lambda: burnt(service, pool) > 0, "the process to use CPU time")
    assert ok(service.jobpool("freeze", pool)) == f"pool {pool} is frozen; processes: 1\n"
    shown = ok(service.jobpool("show", pool))
    assert fields(shown)["frozen"] == "true" and fields(shown)["also over a crash"] == "false"
    frozen = service.json("show", pool)
    assert (frozen["frozen"], frozen["frozenBy"], frozen["keepFrozen"]) == (True, None, False)
    again = service.jobpool("freeze", pool)
    assert again.returncode == 1 and "already" in again.stderr
    ok(service.jobpool("launch", "--pool", pool, "--", *jobber("exit", 3)))
    assert service.jobpool("wait", pool, "--timeout", "1s").returncode == 1
    assert service.json("show", pool)["members"] == 2, "who joins a frozen pool freezes too"
    assert ok(service.jobpool("thaw", pool)) == f"pool {pool} goes on; processes: 2\n"
    wait_until(lambda: service.json("show", pool)["members"] == 1, "the second process to end")
    before = burnt(service, pool)
    wait_until(lambda: burnt(service, pool) > before, "the first to go on")
    assert "frozen" not in fields(ok(service.jobpool("show", pool)))
    messages = [event["message"] for event in service.json("events", "--pool", pool)["events"]]
    assert messages.count("POOL_FROZEN") == 1 and messages.count("POOL_THAWED") == 1


def test_a_frozen_process_uses_no_time(service, pool, jobber):
    ok(service.jobpool("launch", "--pool", pool, "--", *jobber("burn", 60000)))
    wait_until(lambda: burnt(service, pool) > 0, "the process to use CPU time")
    ok(service.jobpool("freeze", pool))
    assert service.jobpool("wait", pool, "--timeout", "1s").returncode == 1  # for the sample that was under way
    before = burnt(service, pool)
    assert service.jobpool("wait", pool, "--timeout", "2s").returncode == 1
    assert burnt(service, pool) == before
    ok(service.jobpool("thaw", pool))


def test_frozen_time_is_not_idle_time(service, pool, jobber):
    service.json("update", pool, '{"timeouts": {"idle": "5s"}}')
    ok(service.jobpool("launch", "--pool", pool, "--", *jobber("sleep", 600000)))
    ok(service.jobpool("freeze", pool))
    assert service.jobpool("wait", pool, "--timeout", "6s").returncode == 1
    ok(service.jobpool("thaw", pool))
    assert service.jobpool("wait", pool, "--timeout", "2s").returncode == 1, "ended for what it did not do while it was frozen"
    ok(service.jobpool("wait", pool, "--timeout", "30s"))
    assert "IDLE_LIMIT" in [event["message"] for event in service.json("events", "--pool", pool)["events"]]


def test_keep(service, pool):
    assert service.json("freeze", pool)["keepFrozen"] is False
    assert "also over a crash" in ok(service.jobpool("freeze", pool, "--keep"))
    assert service.json("show", pool)["keepFrozen"] is True
    assert fields(ok(service.jobpool("show", pool)))["also over a crash"] == "true"
    assert service.json("thaw", pool)["keepFrozen"] is False


def test_a_child_of_a_frozen_pool(service, rpc, pool):
    child = f"{pool}.child"
    rpc.call("pool.create", name=child, parent=pool)
    try:
        ok(service.jobpool("freeze", pool))
        assert fields(ok(service.jobpool("show", child)))["frozen with pool"] == pool
        refused = service.jobpool("thaw", child)
        assert refused.returncode == 1 and f'"{pool}"' in refused.stderr
        ok(service.jobpool("thaw", pool))
        assert service.json("show", child)["frozenBy"] is None
    finally:
        rpc.call("pool.delete", pool=child)


# ------------------------------------------------------------------------------------------------------------------ match

MATCHING = {"pools": {"other": {"match": [{"image": "nobody.exe"}]},
                      "strays": {"match": [{"image": "JOBBER.exe", "command_line": "*hold*"}], "exclude": [{"command_line": "*sleep*"}]}}}


def test_match_shows_and_does_nothing_until_asked_to(console, held):
    process = held()  # was there before the service: new ones are taken by themselves
    service = console(MATCHING).start()
    arguments = ["--pid", process.pid]
    for dry in (["match"], ["match", "--dry-run"]):
        found = service.json(*dry, *arguments)["processes"]
        assert [(row["pid"], row["pool"], row["why"]) for row in found] == [(process.pid, "strays", None)]
    text = ok(service.jobpool("match"))
    assert table(text, "PID")[str(process.pid)][0].lower().endswith("\\jobber.exe") and "strays" in text and "taken by a rule: 1" in text
    assert service.json("ps", "strays")["processes"] == []
    everything = service.json("match")["processes"]
    assert len(everything) > 1 and all(set(row) >= {"pid", "image", "user", "pool", "rule", "why"} for row in everything)
    assert process.pid in [row["pid"] for row in service.json("match", "--apply", *arguments)["processes"]]
    assert [row["pid"] for row in service.json("ps", "strays")["processes"]] == [process.pid]
    assert process.let_go() == 0
    service.stop()


def test_new_processes_come_by_themselves(console, held):
    service = console(MATCHING).start()
    wait_until(lambda: service.json("status")["sampling"]["last"], "the first sample, with which later ones are compared")
    process = held()
    wait_until(lambda: [row["pid"] for row in service.json("ps", "strays")["processes"]] == [process.pid], "the process to be taken")
    event, = service.json("events", "--pool", "strays", "--message", "PROCESS_MATCHED")["events"]
    assert event["pid"] == process.pid and event["origin"] == "service"
    assert process.let_go() == 0
    service.stop()


def test_the_service_is_never_taken(console):
    service = console({"pools": {"greedy": {"match": [{"image": "*"}], "exclude": [{"image": "jobpool.exe"}]}}}).start()
    rows = {row["pid"]: row for row in service.json("match")["processes"]}
    own = rows[service.json("status")["pid"]]
    assert own["why"], "a reason"
    assert own["pid"] not in [row["pid"] for row in service.json("ps", "greedy")["processes"]]
    service.stop()


# -------------------------------------------------------------------------------------------------------- show and status

def test_show_has_the_enforcer_beside_each_limit(service, pool):
    service.json("update", pool, json.dumps({"limits": {"active_processes": 7, "process_memory": "1GiB", "cpu_rate": {"weight": 3}},
                                             "timeouts": {"wall_clock": "1h", "idle": "30m"}, "stop": {"grace": "10s"},
                                             "memory_policy": {"soft": "1GiB", "hard": "2GiB"}, "match": [{"image": "no-such.exe"}]}))
    shown = service.json("show", pool)
    rows = table(ok(service.jobpool("show", pool)), "LIMIT")
    assert set(rows) == {"active_processes", "process_memory", "cpu_rate", "timeouts", "memory_policy", "match"} == set(shown["enforcedBy"])
    for limit, by in shown["enforcedBy"].items():
        assert rows[limit][-1] == by, limit
    assert {shown["enforcedBy"][key] for key in ("timeouts", "memory_policy", "match")} == {"service"}
    assert shown["enforcedBy"]["active_processes"] in ("kernel", "service")
    assert rows["timeouts"][0] == "wall_clock 1h, idle 30m" and rows["timeouts"][1] == pool


def test_show_what_a_pool_uses(service, pool, jobber):
    ok(service.jobpool("launch", "--pool", pool, "--wait", "--", *jobber("burn", 1500)))
    ok(service.jobpool("launch", "--pool", pool, "--", *jobber("allocate", 64, 60000)))
    usage = wait_until(lambda: (found := service.json("show", pool)["usage"])["commitBytes"] >= 64 << 20 and found, "the memory to be seen")
    assert usage["members"] == 1 and usage["userTime100ns"] + usage["kernelTime100ns"] > 0, "with what ended members used"
    shown = fields(ok(service.jobpool("show", pool)))
    assert shown["memory committed"].endswith("iB") and "CPU time, user" in shown


def test_status_tells_of_sampling(service, pool, jobber):
    service.json("update", pool, '{"timeouts": {"wall_clock": "10m"}}')
    ok(service.jobpool("launch", "--pool", pool, "--", *jobber("sleep", 60000)))
    sampling = wait_until(lambda: (found := service.json("status")["sampling"])["processes"] and found, "a sample")
    assert sampling["degraded"] is False and sampling["reason"] is None and sampling["interval"] and sampling["last"]
    shown = fields(ok(service.jobpool("status")))
    assert shown["sampling degraded"] == "false" and int(shown["processes seen"]) > 0
