"""jobpool run: a command in a pool, as if it had been started directly."""
import json
import signal
import subprocess
import time

import pytest

from harness.host import WINDOWS, wait_until


def run(service, pool, *command, **options):
    return service.jobpool("run", "--pool", pool, "--", *command, **options)


@pytest.mark.parametrize("code", [0, 1, 2, 3, 77])
def test_the_exit_code_is_the_commands(service, pool, jobber, code):
    assert run(service, pool, *jobber("exit", code)).returncode == code


def test_large_exit_codes_are_in_the_accounts(service, pool, jobber, accounted):
    run(service, pool, *jobber("exit", 0x12345678))
    run(service, pool, *jobber("crash"))
    assert [(row["exitCode"], row["ending"]) for row in accounted(pool, 2)] == [(0x12345678, "exited"), (0xC0000005, "crashed")]


def test_standard_streams_are_the_callers(service, pool, jobber):
    result = run(service, pool, *jobber("copy"), input="é one\ntwo\n")
    assert (result.returncode, result.stdout, result.stderr) == (0, "é one\ntwo\n", "é one\ntwo\n")


@pytest.mark.parametrize("arguments", [
    ["plain"], ["two words"], [""], ["a", "", "b"], ['say "hi"'], ["\\"], ["tail\\"], ["tail space\\"], ['\\"'], ['a\\\\"b'], ["\t"],
    ["é世界😀"], ["*", "?", "*.*"], ["--json", "--pipe", "x"], ["--"], ["-"], ["%PATH%", "^", "&", "|", "<", ">"], ["'single'"],
    ["a" * 20000],
])
def test_arguments_arrive_as_they_were_given(service, pool, jobber, arguments):
    result = run(service, pool, *jobber("args", *arguments))
    assert result.returncode == 0 and result.stdout == "".join(argument + "\n" for argument in arguments)


def test_options_end_at_the_command(service, pool, host):
    result = service.jobpool("run", "--pool", pool, host.program("jobber"), "args", "--pool", "x")
    assert result.stdout == "--pool\nx\n"


def test_environment_and_folder_are_the_callers(service, pool, jobber, host, tmp_path):
    assert run(service, pool, *jobber("env", "JP_MINE"), environment={"JP_MINE": "ä"}).stdout == "ä\n"
    assert run(service, pool, *jobber("cwd"), cwd=tmp_path).stdout.strip().lower() == host.path(tmp_path).lower()


def test_it_is_accounted_like_any_other(service, rpc, pool, jobber, accounted):
    run(service, pool, *jobber("exit", 5))
    row = accounted(pool, 1)[0]
    assert (row["exitCode"], row["ending"], row["joinedBy"]) == (5, "exited", "service") and "exit 5" in row["commandLine"]


def test_children_are_in_the_pool_from_the_first_instruction_on(service, pool, jobber, accounted):
    run(service, pool, *jobber("tree", 1, 2, 50))
    accounted(pool, 3)


def test_nothing_runs_when_the_pool_is_unknown(service, host, jobber, tmp_path):
    trace = tmp_path / "ran"
    result = run(service, "no-such-pool", *jobber("touch", host.path(trace)))
    assert result.returncode == 1 and "no-such-pool" in result.stderr and "nothing was run" in result.stderr
    assert not trace.exists()


def test_nothing_runs_when_the_pool_is_full(service, rpc, host, jobber, tmp_path):
    rpc.call("pool.launch", pool="single", argv=jobber("sleep", 60000))
    trace = tmp_path / "ran"
    result = run(service, "single", *jobber("touch", host.path(trace)))
    assert result.returncode == 1 and "full" in result.stderr
    rpc.call("pool.terminate", pool="single")
    rpc.call("pool.wait", pool="single")
    assert not trace.exists()


def test_nothing_runs_without_a_service(host, jobber, tmp_path):
    trace = tmp_path / "ran"
    result = host.run("jobpool", "--pipe", "jobpool-nobody", "run", "--pool", "p", "--", *jobber("touch", host.path(trace)))
    assert result.returncode == 3 and "sc start JobPool" in result.stderr
    assert not trace.exists()


def test_a_command_that_does_not_exist(service, rpc, pool):
    result = run(service, pool, "no-such-program.exe", "x")
    assert result.returncode == 1 and "no-such-program.exe" in result.stderr
    assert rpc.call("accounting.processes", pool=pool)["processes"] == []


def test_usage(service):
    assert service.jobpool("run", "cmd").returncode == 2
    assert service.jobpool("run", "--pool", "child").returncode == 2


def test_a_pool_that_is_terminated_ends_the_run(service, rpc, pool, jobber, host):
    running = host.start("jobpool", "--pipe", service.pipe, "run", "--pool", pool, "--", *jobber("sleep", 60000),
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: rpc.call("pool.get", pool=pool)["members"] == 1, "the process")
    rpc.call("pool.terminate", pool=pool, exitCode=42)
    assert running.wait(60) == 42


def test_ctrl_c_is_the_commands(service, rpc, pool, jobber, host):
    """The command ignores it (it does not even know); we go on waiting, and pass its exit code on."""
    options = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if WINDOWS else {}
    running = host.start("jobpool", "--pipe", service.pipe, "run", "--pool", pool, "--", *jobber("hold"), stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **options)
    assert running.stdout.readline(), "the command runs"
    if WINDOWS:
        pytest.skip("Ctrl-Break to the group would reach the command as well, as it should")
    running.send_signal(signal.SIGINT)
    time.sleep(0.3)  # nothing is to happen, and nothing tells when it has not
    assert running.poll() is None and rpc.call("pool.get", pool=pool)["members"] == 1
    running.stdin.close()
    assert running.wait(60) == 0


# ------------------------------------------------------------------------------------------------------ how it is started

def test_a_folder_and_an_environment_of_its_own(service, pool, jobber, host, tmp_path):
    (tmp_path / "with space").mkdir()
    folder = host.path(tmp_path / "with space")
    result = service.jobpool("run", "-p", pool, "-C", folder, "--", *jobber("cwd"))
    assert result.stdout.strip().lower() == folder.lower()
    environment = {"JP_GONE": "x", "JP_OTHER": "old"}
    for name, expected in (("JP_MINE", (0, "a=b c\n")), ("JP_GONE", (1, "")), ("JP_OTHER", (0, "new\n"))):
        result = service.jobpool("run", "-p", pool, "-e", "JP_MINE=a=b c", "--env", "JP_OTHER=new", "-e", "JP_GONE", "-e", "JP_NEVER", "--",
                                 *jobber("env", name), environment=environment)
        assert (result.returncode, result.stdout) == expected
    result = service.jobpool("run", "-p", pool, "-C", folder + "\\nothing", "--", *jobber("exit", 0))
    assert result.returncode == 1 and "there is no such folder" in result.stderr


def printed(service, host, *arguments):
    """Standard output of a command that leaves something running. Under Wine that keeps a standard error which is a pipe, whatever it was given."""
    running = host.start("jobpool", "--pipe", service.pipe, *arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    text = running.stdout.read()
    assert running.wait(60) == 0
    return text.decode()


def test_detached(service, rpc, pool, jobber, host):
    """It lives on when the prompt has come back, and holds nobody up who reads from us."""
    result = printed(service, host, "run", "-p", pool, "-d", "--", *jobber("sleep", 600000))
    assert [row["pid"] for row in rpc.call("pool.processes", pool=pool)["processes"]] == [int(result)]
    rpc.call("pool.terminate", pool=pool)
    joined = json.loads(printed(service, host, "--json", "run", "-p", pool, "--detach", "--", *jobber("exit", 7)))
    ended = rpc.call("pool.wait", pool=pool, pid=joined["pid"], startTime=joined["startTime"])
    assert ended["exitCode"] == 7 and joined["pool"] == pool
    for option in ("--report", "--end-tree"):
        assert service.jobpool("run", "-p", pool, "--detach", option, "--", *jobber("exit", 0)).returncode == 2


def test_detached_keeps_files(service, rpc, host, pool, jobber, tmp_path):
    with open(tmp_path / "err.txt", "wb") as error:
        running = host.start("jobpool", "--pipe", service.pipe, "run", "-p", pool, "-d", "--", *jobber("hold"), stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=error)
        pid = running.stdout.read()  # ends with us: the command has neither pipe, so its input has ended as well
        assert running.wait(60) == 0
    rpc.call("pool.wait", pool=pool)
    assert pid.strip().isdigit() and (tmp_path / "err.txt").read_bytes() == b"", "its output went to NUL"
    with open(tmp_path / "out.txt", "wb") as output:
        host.start("jobpool", "--pipe", service.pipe, "run", "-p", pool, "-d", "--", *jobber("copy"), stdin=open(tmp_path / "err.txt", "rb"),
                   stdout=output, stderr=output).wait(60)
        host.start("jobpool", "--pipe", service.pipe, "run", "-p", pool, "-d", "--", *jobber("args", "said"), stdout=output, stderr=output).wait(60)
    rpc.call("pool.wait", pool=pool)
    assert b"said\n" in (tmp_path / "out.txt").read_bytes()


# ---------------------------------------------------------------------------------------------------------- how it ends

def started(service, host, rpc, pool, *arguments):
    """A run whose command lives: the Popen, and the pid of jobpool.exe as Windows counts."""
    running = host.start("jobpool", "--pipe", service.pipe, "run", "--pool", pool, *arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    row = wait_until(lambda: rpc.call("pool.processes", pool=pool)["processes"], "the command")[0]
    return running, row


def test_what_it_leaves_behind_lives_on(service, rpc, host, pool, jobber):
    running = host.start("jobpool", "--pipe", service.pipe, "run", "--pool", pool, "--", *jobber("spawn-and-exit", 600000), stderr=subprocess.DEVNULL)
    assert running.wait(60) == 0
    assert rpc.call("pool.get", pool=pool)["members"] == 1
    rpc.call("pool.terminate", pool=pool)


def test_what_it_leaves_behind_ends_if_so_asked(service, rpc, pool, jobber, accounted):
    assert service.jobpool("run", "--pool", pool, "--end-tree", "--", *jobber("spawn-and-exit", 600000)).returncode == 0
    rpc.call("pool.wait", pool=pool, timeout="30s")
    assert sorted(row["exitCode"] for row in accounted(pool, 2)) == [0, 1]


def test_the_command_outlives_a_wrapper_that_is_killed(service, rpc, host, pool, jobber):
    running, row = started(service, host, rpc, pool, "--", *jobber("sleep", 600000))
    host.run("jobber", "kill", row["parentPid"], 9)
    running.wait(60)
    assert rpc.call("pool.get", pool=pool)["members"] == 1, "it goes on in its pool"
    rpc.call("pool.terminate", pool=pool)


def test_the_tree_ends_with_a_wrapper_that_is_killed(service, rpc, host, pool, jobber, accounted):
    running, row = started(service, host, rpc, pool, "--end-tree", "--", *jobber("tree", 1, 2, 600000))
    wait_until(lambda: rpc.call("pool.get", pool=pool)["members"] == 3, "the tree")
    host.run("jobber", "kill", row["parentPid"], 9)
    running.wait(60)
    rpc.call("pool.wait", pool=pool, timeout="30s")
    assert len(accounted(pool, 3)) == 3


def test_who_waits_for_room_ends_with_a_wrapper_that_is_killed(service, rpc, host, pool, jobber):
    """It is suspended: nobody else would ever let it run, nor end it."""
    def outside(image):
        return {found["pid"] for found in rpc.call("pool.match")["processes"] if (found["image"] or "").endswith(image) and not found["pool"]}

    rpc.call("pool.update", pool=pool, limits={"active_processes": 1}, when_full="wait")
    first, row = started(service, host, rpc, pool, "--", *jobber("sleep", 600000))
    wrappers, commands = outside("jobpool.exe"), outside("jobber.exe") - {row["pid"]}
    waiting = host.start("jobpool", "--pipe", service.pipe, "run", "--pool", pool, "--", *jobber("sleep", 599999),
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: rpc.call("pool.get", pool=pool)["waiting"] == 1, "the second to wait")
    [wrapper], [held] = outside("jobpool.exe") - wrappers, outside("jobber.exe") - commands - {row["pid"]}
    host.run("jobber", "kill", wrapper, 9)
    waiting.wait(60)
    wait_until(lambda: held not in outside("jobber.exe"), "the one that was held to end")
    assert rpc.call("pool.get", pool=pool)["waiting"] == 0
    rpc.call("pool.terminate", pool=pool)
    first.wait(60)


# ------------------------------------------------------------------------------------------------ a pool for one run

def test_limits_for_one_run(service, rpc, host, pool, jobber):
    running = host.start("jobpool", "--pipe", service.pipe, "run", "--pool", pool, "--limits", '{"job_memory": "1GiB", "active_processes": 9}',
                         "--limit", "active_processes=4", "--limit", "cpu_rate=50%", "--", *jobber("hold"), stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert running.stdout.readline(), "it runs"
    made = [row for row in rpc.call("pool.list")["pools"] if row.get("parent") == pool]
    assert len(made) == 1 and made[0]["name"].startswith(f"{pool}.run-") and made[0]["ephemeral"] is True
    limits = rpc.call("pool.get", pool=made[0]["name"])["limits"]
    assert limits["active_processes"] == 4 and limits["job_memory"] == "1GiB"
    running.stdin.close()
    assert running.wait(60) == 0
    wait_until(lambda: made[0]["name"] not in [row["name"] for row in rpc.call("pool.list")["pools"]], "the pool to go with its last process")


@pytest.mark.parametrize("options, text", [
    (["--limits", "[]"], "write an object"), (["--limits", "{"], "--limits:1:"), (["--limit", "job_memory"], "job_memory=VALUE"),
    (["--limit", "job_memory=many"], "many"), (["--limit", "job_memori=1GiB"], "job_memory"), (["--timeout", "soon"], "soon"),
])
def test_limits_that_cannot_be(service, rpc, pool, jobber, host, tmp_path, options, text):
    trace = tmp_path / "ran"
    result = service.jobpool("run", "--pool", pool, *options, "--", *jobber("touch", host.path(trace)))
    assert result.returncode in (1, 2) and text in result.stderr and not trace.exists()
    assert not [row for row in rpc.call("pool.list")["pools"] if row.get("parent") == pool]


def test_a_time_for_all_of_it(service, rpc, pool, jobber):
    result = service.jobpool("run", "--pool", pool, "--timeout", "500ms", "--", *jobber("tree", 1, 2, 600000))
    assert result.returncode & 0xFF == 1460 & 0xFF and "longer than --timeout" in result.stderr
    assert rpc.call("pool.get", pool=pool)["totalMembers"] == 0


def test_the_time_holds_though_the_wrapper_is_gone(service, rpc, host, pool, jobber):
    running, row = started(service, host, rpc, pool, "--timeout", "10m", "--", *jobber("sleep", 600000))
    host.run("jobber", "kill", row["parentPid"], 9)
    running.wait(60)
    assert rpc.call("pool.get", pool=row["pool"])["timeouts"] == {"pool_wall_clock": "10m"}, "it is the service's to keep"
    rpc.call("pool.update", pool=row["pool"], timeouts={"pool_wall_clock": "1s"})  # or the wrapper might not be gone by then
    ended = rpc.call("pool.wait", pool=row["pool"], pid=row["pid"], startTime=row["startTime"])
    assert (ended["exitCode"], ended["ending"]) == (1460, "terminated")


def test_a_report(service, pool, jobber):
    result = service.jobpool("run", "--pool", pool, "--report", "--", *jobber("tree", 1, 2, 50))
    assert result.returncode == 0 and result.stdout == ""
    fields = dict(line.split(None, 1) if not line.startswith("peak") else ("peak", line) for line in result.stderr.splitlines())
    assert fields["processes"] == "3" and {"real", "exit"} <= set(fields) and fields["pool"].startswith(f"{pool}.run-")
    assert "still running" not in result.stderr


def test_runs_are_one_line_of_the_accounts_unless_each_is_asked_for(service, pool, jobber):
    runs = []
    for code in (0, 3):
        result = service.jobpool("--json", "run", "--pool", pool, "--report", "--", *jobber("exit", code))
        runs.append(json.loads(result.stderr)["report"]["pool"])
    for verb, rows in (("summary", "pools"), ("report", "rows")):
        together = service.json("accounting", verb, "--pool", pool)[rows]
        assert [(row["pool"], row["processes"], row["failures"]) for row in together] == [(pool, 2, 1)]
        each = [row["pool"] for row in service.json("accounting", verb, "--each")[rows]]
        assert set(runs) <= set(each) and pool not in each
        assert not set(runs) & {row["pool"] for row in service.json("accounting", verb)[rows]}
        assert [row["pool"] for row in service.json("accounting", verb, "--pool", runs[1])[rows]] == runs[1:]
    table = service.jobpool("accounting", "--pool", pool).stdout.splitlines()
    assert [line.split()[:2] for line in table[1:]] == [[pool, "2"], ["TOTAL", "2"]]


def test_a_report_for_programs(service, rpc, pool, jobber):
    result = service.jobpool("--json", "run", "--pool", pool, "--report", "--end-tree", "--", *jobber("spawn-and-exit", 600000))
    report = json.loads(result.stderr)["report"]
    assert (result.stdout, report["exitCode"], report["processes"], report["running"]) == ("", 0, 2, 0)
    rows = rpc.call("accounting.processes", pool=report["pool"])["processes"]
    assert len(rows) == 2 and sum(row["userTime100ns"] or 0 for row in rows) == (report["userTime100ns"] or 0)  # Wine does not know it of all
    result = service.jobpool("--json", "run", "--pool", pool, "--report", "--", *jobber("exit", 3))
    report = json.loads(result.stderr)["report"]
    assert result.returncode == report["exitCode"] == 3 and report["processes"] == 1


def test_a_report_while_something_lives_on(service, rpc, host, pool, jobber, tmp_path):
    with open(tmp_path / "report.txt", "wb") as report:
        running = host.start("jobpool", "--pipe", service.pipe, "run", "--pool", pool, "--report", "--", *jobber("spawn-and-exit", 600000), stderr=report)
        assert running.wait(60) == 0
    assert "still running  1" in (tmp_path / "report.txt").read_text().splitlines()
    rpc.call("pool.terminate", pool=pool)
