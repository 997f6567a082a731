"""jobpool.exe: every command, for people and with --json, and its exit codes."""
import contextlib
import json
import sqlite3
import subprocess

import pytest

from harness.host import wait_until


def ok(result):
    assert result.returncode == 0, result.stderr
    return result.stdout


def lines(result):
    return ok(result).splitlines()


# ------------------------------------------------------------------------------------------------------- usage and reach

@pytest.mark.parametrize("arguments, words", [
    ([], "command"), (["staus"], '"status"'), (["status", "extra"], "extra"), (["show"], "POOL"), (["--jsn", "status"], "--json"),
    (["events", "--limit", "x"], "limit"), (["events", "--limit"], "--limit"), (["events", "--folow"], "--follow"),
    (["wait", "child", "--timeout", "30"], "30"), (["accounting", "everything"], "everything"), (["accounting", "--from", "noon"], "noon"),
    (["accounting", "--limit", "3"], "limit"), (["kill"], "pool"), (["kill", "child", "--pid", "4"], "pool"), (["assign", "x", "--pool", "p"], "x"),
    (["assign", "7"], "--pool"), (["launch", "cmd"], "--pool"), (["create", "x", "{"], "JSON"), (["create", "x", "[]"], "object"),
    (["update", "x"], "change"), (["rpc"], "method"), (["rpc", "pool.list", "{"], "JSON"), (["rpc", "--stdio", "pool.list"], "--stdio"),
    (["help", "evnts"], '"events"'), (["--pipe", "a\\b", "status"], "a\\b"), (["launch", "--pool", "p", "--env", "=x", "cmd"], "=x"),
    (["show", ""], "an argument is empty: POOL"), (["accounting", "--by", ""], '--by: "" is no value'), (["events", "--pool", ""], '--pool: "" is no value'),
    (["events", "-f", "--exec", ""], '--exec: "" is no value'), (["report", "-o", ""], '--output: "" is no value'), (["list", "--json=yes"], "--json takes no value"),
    (["run", "--pool", "child", "--timeout", "0", "cmd"], '--timeout: "0" is not from 1ms on'), (["run", "--pool", "child", "--report=yes", "cmd"], "--report takes no value"),
    (["run", "--pool", "child", "--limit", "job_memroy=1GiB", "cmd"], 'no limit "job_memroy"; did you mean "job_memory"?'),
    (["run", "--pool", "child", "--limits", '{"colour": 1}', "cmd"], '"jobpool capabilities" has them'),
])
def test_wrong_usage(service, arguments, words):
    result = service.jobpool(*arguments)
    assert result.returncode == 2 and words in result.stderr and result.stdout == ""


@pytest.mark.parametrize("arguments", [["status"], ["list"], ["ps"], ["events"], ["events", "--follow"], ["accounting"], ["rpc", "pool.list"], ["rpc", "--stdio"]])
def test_no_service(host, arguments):
    result = host.run("jobpool", "--pipe", "jobpool-nobody", *arguments)
    assert result.returncode == 3 and "jobpool-nobody" in result.stderr and "sc start JobPool" in result.stderr


def test_the_pipe_from_the_environment(host, service):
    assert host.run("jobpool", "status", environment={"JOBPOOL_PIPE": "jobpool-nobody"}).returncode == 3
    assert host.run("jobpool", "--pipe", service.pipe, "status", environment={"JOBPOOL_PIPE": "jobpool-nobody"}).returncode == 0
    assert host.run("jobpool", "status", environment={"JOBPOOL_PIPE": "\\\\.\\pipe\\" + service.pipe}).returncode == 0


def test_refusals_are_exit_code_1_with_the_reason(service):
    result = service.jobpool("show", "paremt")
    assert result.returncode == 1 and '"parent"' in result.stderr and result.stdout == ""
    result = service.jobpool("--json", "show", "paremt")
    assert result.returncode == 1 and json.loads(result.stderr)["data"]["name"] == "unknown_pool"


# ------------------------------------------------------------------------------------------------------------- the service

def test_status(service):
    rows = {line.split("  ")[0]: line.split("  ")[-1].strip() for line in lines(service.jobpool("status"))}
    assert rows["program"] == "jobpoold" and int(rows["process"]) > 0
    assert service.json("status")["program"] == "jobpoold"


def test_capabilities(service):
    text = ok(service.jobpool("capabilities"))
    assert any(line.split() == ["kill_on_close", "kernel"] for line in text.splitlines())
    assert service.json("capabilities")["limits"]["kill_on_close"] == "kernel"


def test_reload(service):
    assert "nothing changed" in ok(service.jobpool("reload"))
    assert service.json("reload") == {"added": [], "changed": [], "removed": [], "orphaned": []}


def test_reload_of_a_faulty_file_shows_its_places(console):
    service = console({"pools": {"p": {}}}).start()
    service.write_config('{"pools": {"p": {"limts": {}}}}')
    result = service.jobpool("reload")
    assert result.returncode == 1 and "1:18" in result.stderr and "limits" in result.stderr
    assert service.stop() == 0


# --------------------------------------------------------------------------------------------------------------- the pools

def test_list_is_a_table_whose_columns_line_up(service):
    rows = lines(service.jobpool("list"))
    assert rows[0].split()[:3] == ["POOL", "STATE", "SOURCE"]
    column = rows[0].index("STATE")
    assert all(row[column - 2:column] == "  " and row[column:].startswith(("STATE", "active")) for row in rows)
    assert {"parent", "child"} <= {row.split()[0] for row in rows}
    assert {"parent", "child"} <= {row["name"] for row in service.json("list")["pools"]}


def test_wide_and_harmful_characters_in_a_table(service):
    ok(service.jobpool("create", "wide", json.dumps({"description": "世界 \u202e evil"})))
    ok(service.jobpool("create", "slim", json.dumps({"description": "é"})))
    try:
        text = ok(service.jobpool("list"))
        assert "世界" in text and "\u202e" not in text and "\\xE2\\x80\\xAE" in text
    finally:
        for name in ("wide", "slim"):
            ok(service.jobpool("delete", name))


def test_show(service):
    text = ok(service.jobpool("show", "other"))
    assert "active_processes 2" in text and "Global\\JobPool.other" in text
    assert service.json("show", "other")["limits"] == {"active_processes": 2}


def test_create_update_delete(service, tmp_path, host):
    assert service.json("create", "cli", '{"limits": {"active_processes": 3}}', "--persist")["source"] == "persistent"
    file = tmp_path / "änderung.json"
    file.write_text('{ /* more */ "limits": {"active_processes": 4} } // end', encoding="utf-8")
    assert service.json("update", "cli", "--file", host.path(file))["limits"] == {"active_processes": 4}
    assert "cli" in ok(service.jobpool("update", "cli", '{"description": "x"}'))
    again = service.jobpool("create", "cli")
    assert again.returncode == 1 and "jobpool update" in again.stderr
    assert service.json("delete", "cli") == {"pool": "cli", "terminated": 0}
    assert service.jobpool("delete", "cli").returncode == 1
    missing = service.jobpool("create", "cli", "--file", "C:\\no\\such.json")
    assert missing.returncode == 1 and "such.json" in missing.stderr


# ----------------------------------------------------------------------------------------------------------- the processes

def test_launch_ps_kill_wait(service, pool, jobber):
    launched = service.json("launch", "--pool", pool, "--", *jobber("sleep", 60000))
    table = lines(service.jobpool("ps", pool))
    assert len(table) == 2 and table[1].split()[0] == str(launched["pid"]) and "sleep 60000" in table[1]
    assert launched["pid"] in [row["pid"] for row in service.json("ps")["processes"]]
    timed_out = service.jobpool("wait", pool, "--timeout", "100ms")
    assert timed_out.returncode == 1 and "time" in timed_out.stderr
    assert "ended" in ok(service.jobpool("kill", "--pid", launched["pid"], "--start-time", launched["startTime"], "--exit-code", "9"))
    assert service.json("wait", pool, "--pid", launched["pid"])["exitCode"] == 9
    assert "empty" in ok(service.jobpool("wait", pool))


def test_launch_with_folder_environment_and_wait(service, pool, jobber):
    assert "code 0" in ok(service.jobpool("launch", "--pool", pool, "--wait", "--cwd", "C:\\windows", "--env", "JP_A=1", "--", *jobber("env", "JP_A")))
    gone = service.json("launch", "--pool", pool, "--wait", "--env", "OS", "--", *jobber("env", "OS"))
    assert gone["exitCode"] == 1


def test_kill_a_pool(service, pool, jobber):
    ok(service.jobpool("launch", "--pool", pool, *jobber("sleep", 60000)))
    assert service.json("kill", pool) == {"pool": pool, "terminated": 1}
    assert service.json("wait", pool) == {"pool": pool, "empty": True}


def test_assign(service, pool, held):
    process = held()
    assert service.json("assign", "--pool", pool, process.pid, "--start-time", process.start_time)["pid"] == process.pid
    result = service.jobpool("assign", "--pool", "child", process.pid)
    assert result.returncode == 1 and pool in result.stderr


# ------------------------------------------------------------------------------------------------- events and accounting

def test_events(service, rpc, pool, jobber):
    rpc.call("pool.launch", pool=pool, argv=jobber("exit", 3))
    rpc.call("pool.wait", pool=pool)
    recorded = service.json("events", "--pool", pool)["events"]
    assert recorded[0]["message"] == "POOL_CREATED"
    text = lines(service.jobpool("events", "--pool", pool, "--message", "EXIT_PROCESS"))
    assert len(text) == 1 and f"  {pool}  EXIT_PROCESS  pid " in text[0] and "exit code 3" in text[0]
    assert service.json("events", "--pool", pool, "--limit", "1")["events"] == recorded[-1:], "the last ones"
    assert service.json("events", "--pool", pool, "--limit", "1", "--from-seq", "1")["events"] == recorded[:1], "the first ones"


def test_events_as_they_come(service, rpc, pool, host):
    first = rpc.call("events.query", pools=[pool])["events"][0]["seq"]
    following = host.start("jobpool", "--pipe", service.pipe, "--json", "events", "--follow", "--pool", pool, "--from-seq", first, "--limit", 3,
                           stdout=subprocess.PIPE)
    assert json.loads(following.stdout.readline())["message"] == "POOL_CREATED"
    for _ in range(2):
        rpc.call("pool.update", pool=pool, description="again")
        assert json.loads(following.stdout.readline())["message"] == "POOL_UPDATED"
    assert following.wait(60) == 0


def test_events_at_once(service, rpc, pool, host):
    first = rpc.call("events.query", pools=[pool])["events"][0]["seq"]
    following = host.start("jobpool", "--pipe", service.pipe, "events", "--follow", "--at-once", "--pool", pool, "--from-seq", first, "--limit", 2,
                           stdout=subprocess.PIPE)
    assert b"database" not in following.stdout.readline(), "it is there for long"
    rpc.call("pool.update", pool=pool, description="again")
    assert b"POOL_UPDATED" in (line := following.stdout.readline()) and b"(not in the database yet)" in line
    assert following.wait(60) == 0
    assert service.jobpool("events", "--at-once").returncode == 2


def test_events_that_are_gone_are_told(console):
    service = console({"pools": {"a": {}}}).start()
    service.jobpool("create", "b")
    assert service.stop() == 0
    with contextlib.closing(sqlite3.connect(service.database_file)) as database, database:
        assert database.execute("DELETE FROM events WHERE seq IN (2, 3)").rowcount == 2
    service.start()
    result = service.jobpool("events", "--follow", "--from-seq", "1", "--limit", "2")
    assert [line.split()[0] for line in lines(result)] == ["1", "4"]
    assert result.stderr == "jobpool: events 2 to 3: the database does not have them\n"
    result = service.jobpool("--json", "events", "--follow", "--from-seq", "1", "--limit", "2")
    assert [json.loads(line).get("gap") for line in lines(result)] == [None, {"from": 2, "to": 3, "reason": "missing"}, None]
    assert result.stderr == ""


def test_following_ends_with_the_service(console, host):
    service = console().start()
    following = host.start("jobpool", "--pipe", service.pipe, "events", "--follow", "--from-seq", 1, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert following.stdout.readline()
    service.stop()
    assert following.wait(60) == 3 and b"closed" in following.stderr.read()


def test_accounting(service, rpc, pool, jobber, accounted):
    for code in (0, 3):
        rpc.call("pool.launch", pool=pool, argv=jobber("exit", code))
    rows = accounted(pool, 2)
    assert service.json("accounting", "processes", "--pool", pool) == {"processes": rows, "more": False}
    assert service.json("accounting", "processes", "--pool", pool, "--limit", "1") == {"processes": rows[:1], "more": True}
    assert service.json("accounting", "processes", "--pool", pool, "--ending", "crashed")["processes"] == []
    table = lines(service.jobpool("accounting", "processes", "--pool", pool))
    assert len(table) == 3 and table[0].split()[:3] == ["ID", "POOL", "PID"]
    summary = lines(service.jobpool("accounting", "--pool", pool))
    assert len(summary) == 3 and summary[1].split()[:2] == [pool, "2"] and summary[2].split()[:2] == ["TOTAL", "2"]
    assert service.json("accounting", "summary", "--pool", pool)["pools"][0]["failures"] == 1
    assert service.json("accounting", "--pool", pool, "--from", "2100-01-01")["pools"] in ([], [{}])


# -------------------------------------------------------------------------------------------------------------------- rpc

def test_rpc(service):
    assert "parent" in [row["name"] for row in json.loads(ok(service.jobpool("rpc", "pool.list")))["pools"]]
    assert json.loads(ok(service.jobpool("rpc", "pool.get", '{"pool": "child"}')))["name"] == "child"
    refused = service.jobpool("rpc", "pool.get", '{"pool": "nobody"}')
    assert refused.returncode == 1 and json.loads(refused.stderr)["code"] == -32001 and refused.stdout == ""


def test_output_that_nobody_reads(service, host):
    process = host.start("jobpool", "--pipe", service.pipe, "events", "--follow", "--from-seq", 1, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL)
    process.stdout.close()
    wait_until(lambda: process.poll() is not None or service.jobpool("reload").returncode != 0, "the end of a command without a reader", timeout=30)
    assert process.returncode == 1
