"""pool.assign, launch, processes, terminate, wait; process.get and terminate."""
import subprocess

import pytest

from harness.host import wait_until

CRASH = 0xC0000005


def members(rpc, pool):
    return {row["pid"]: row for row in rpc.call("pool.processes", pool=pool)["processes"]}


# ------------------------------------------------------------------------------------------------------------- assign

def test_assign_a_process_that_somebody_else_started(rpc, pool, held):
    process = held()
    assigned = rpc.call("pool.assign", pool=pool, pid=process.pid)
    assert assigned["pool"] == pool and assigned["pid"] == process.pid and assigned["startTime"] == process.start_time
    assert assigned["id"] > 0 and assigned["seq"] > 0
    row = members(rpc, pool)[process.pid]
    assert row["id"] == assigned["id"] and row["ending"] == "running" and row["joinedBy"] == "service"
    assert row["startTimeExact"] is True and row["ended"] is None and row["exitCode"] is None
    assert row["image"].lower().endswith("\\jobber.exe") and "hold" in row["commandLine"] and row["user"]
    waiting = rpc.begin("pool.wait", pool=pool, pid=process.pid, startTime=process.start_time)
    assert process.let_go() == 0
    ended = rpc.finish(waiting)
    assert (ended["pid"], ended["exitCode"], ended["ending"]) == (process.pid, 0, "exited")


def test_assign_checks_the_start_time(rpc, pool, held):
    process = held()
    error = rpc.error("pool.assign", pool=pool, pid=process.pid, startTime=str(int(process.start_time) + 1))
    assert (error.code, error.name) == (-32005, "other_process")
    assert not members(rpc, pool)


def test_assign_a_pid_that_is_gone(rpc, pool, held):
    process = held()
    process.let_go()
    error = wait_until(lambda: rpc.error("pool.assign", pool=pool, pid=process.pid, startTime=process.start_time), "the error")
    assert error.name in ("no_such_process", "other_process") and str(process.pid) in error.message


def test_assign_a_pid_that_never_was(rpc, pool):
    for pid in (0xFFFFFFF0, 3):
        assert rpc.error("pool.assign", pool=pool, pid=pid).name == "no_such_process"


def test_assign_moves_down_and_not_aside(rpc, pool, held):
    process = held()
    rpc.call("pool.assign", pool="parent", pid=process.pid)
    rpc.call("pool.assign", pool="child", pid=process.pid)
    assert members(rpc, "child")[process.pid]["pool"] == "child"
    assert rpc.error("pool.assign", pool=pool, pid=process.pid).code == -32602
    assert rpc.error("pool.assign", pool="parent", pid=process.pid).code == -32602
    process.let_go()
    rpc.call("pool.wait", pool="child")


def test_assign_to_a_full_pool(rpc, held, jobber):
    rpc.call("pool.launch", pool="single", argv=jobber("sleep", 60000))
    process = held()
    error = rpc.error("pool.assign", pool="single", pid=process.pid)
    assert (error.code, error.name) == (-32006, "pool_full") and "single" in error.message
    rpc.call("pool.terminate", pool="single")
    rpc.call("pool.wait", pool="single")


# ------------------------------------------------------------------------------------------------------------- launch

def test_launch_and_wait(rpc, pool, jobber, accounted):
    process = rpc.call("pool.launch", pool=pool, argv=jobber("exit", 3))
    ended = rpc.call("pool.wait", pool=pool, pid=process["pid"], startTime=process["startTime"])
    assert (ended["exitCode"], ended["ending"], ended["pool"]) == (3, "exited", pool)
    row = accounted(pool, 1)[0]
    assert (row["id"], row["exitCode"], row["ending"], row["exitCodeName"]) == (process["id"], 3, "exited", None)


def test_launch_takes_a_command_line_too(rpc, pool, host):
    process = rpc.call("pool.launch", pool=pool, command=f'"{host.program("jobber")}" exit 9')
    assert rpc.call("pool.wait", pool=pool, pid=process["pid"])["exitCode"] == 9


def test_launch_needs_one_of_argv_and_command(rpc, pool):
    assert rpc.error("pool.launch", pool=pool).name == "invalid_params"
    assert rpc.error("pool.launch", pool=pool, argv=["cmd"], command="cmd").name == "invalid_params"


def test_launch_in_a_folder_with_an_environment(rpc, pool, host, tmp_path):
    folder, variable = tmp_path / "folder.txt", tmp_path / "variable.txt"
    for command in (f"cmd.exe /c cd > {host.path(folder)}", f"cmd.exe /c echo [%JP_NEW%] > {host.path(variable)}"):
        rpc.call("pool.launch", pool=pool, command=command, cwd="C:\\windows", env={"JP_NEW": "one = two"})
    rpc.call("pool.wait", pool=pool)
    assert folder.read_text().strip().lower() == "c:\\windows"
    assert variable.read_text().strip() == "[one = two]"


def test_launch_removes_a_variable(rpc, pool, host):
    env = [host.program("jobber"), "env", "JP_PROBE"]
    given = rpc.call("pool.launch", pool=pool, argv=env, env={"JP_PROBE": "1"})
    assert rpc.call("pool.wait", pool=pool, pid=given["pid"])["exitCode"] == 0
    removed = rpc.call("pool.launch", pool=pool, argv=[host.program("jobber"), "env", "OS"], env={"OS": None})
    assert rpc.call("pool.wait", pool=pool, pid=removed["pid"])["exitCode"] == 1


def test_a_change_of_the_users_environment_counts_at_once(rpc, pool, host, tmp_path):
    """Environments are remembered from one launch to the next, as long as nobody has written what they are made of."""
    key = ("HKCU\\Environment", "/v", "JP_LATE")

    def seen():
        out = tmp_path / "out.txt"
        pid = rpc.call("pool.launch", pool=pool, argv=["cmd", "/c", "set", "JP_"], cwd=host.path(tmp_path), stdout=host.path(out))["pid"]
        rpc.call("pool.wait", pool=pool, pid=pid)
        return out.read_text().strip()

    try:
        assert seen() == seen() == ""
        for value in ("one", "two"):
            assert host.run("reg", "add", *key, "/d", value, "/f").returncode == 0
            assert seen() == seen() == f"JP_LATE={value}"
    finally:
        host.run("reg", "delete", *key, "/f")
    assert seen() == ""


def test_launch_quotes_arguments(rpc, pool, host, tmp_path):
    names = ["plain", "with space", "é世界", "tail\\"]
    files = [tmp_path / name.replace("\\", "_") for name in names]
    for file in files:
        process = rpc.call("pool.launch", pool=pool, argv=[host.program("jobber"), "touch", host.path(file)])
        assert rpc.call("pool.wait", pool=pool, pid=process["pid"])["exitCode"] == 0
        assert file.exists()


def test_launch_what_cannot_be_found(rpc, pool):
    error = rpc.error("pool.launch", pool=pool, argv=["C:\\no\\such\\program.exe"])
    assert (error.code, error.name) == (-32010, "system_error")
    assert error.data["win32"] in (2, 3) and error.data["operation"].startswith("CreateProcess")
    assert "program.exe" in error.message or pool in error.message
    assert not members(rpc, pool)


def test_launch_into_a_full_pool_starts_nothing(rpc, jobber, host, tmp_path):
    rpc.call("pool.launch", pool="single", argv=jobber("sleep", 60000))
    trace = tmp_path / "ran"
    assert rpc.error("pool.launch", pool="single", argv=jobber("touch", host.path(trace))).name == "pool_full"
    assert rpc.call("pool.terminate", pool="single")["terminated"] == 1
    rpc.call("pool.wait", pool="single")
    assert not trace.exists()


def test_a_crash_is_told_as_one(rpc, pool, jobber, accounted):
    rpc.call("events.subscribe", pools=[pool])
    process = rpc.call("pool.launch", pool=pool, argv=jobber("crash"))
    ended = rpc.call("pool.wait", pool=pool, pid=process["pid"])
    assert (ended["ending"], ended["exitCode"], ended["exitCodeName"]) == ("crashed", CRASH, "STATUS_ACCESS_VIOLATION")
    event = rpc.event(lambda event: event.get("exitCode") is not None)
    assert event["message"] == "JOB_OBJECT_MSG_ABNORMAL_EXIT_PROCESS" and event["exitCode"] == CRASH
    assert accounted(pool, 1)[0]["ending"] == "crashed"
    summary = rpc.call("accounting.summary", pool=pool)["pools"][0]
    assert (summary["processes"], summary["crashed"], summary["failures"]) == (1, 1, 1)


def test_children_are_members_and_outlive_their_parent(rpc, pool, jobber, accounted):
    parent = rpc.call("pool.launch", pool=pool, argv=jobber("spawn-and-exit", 60000))
    rpc.call("pool.wait", pool=pool, pid=parent["pid"])
    child = wait_until(lambda: [row for pid, row in members(rpc, pool).items() if pid != parent["pid"]], "the child")[0]
    assert child["parentPid"] == parent["pid"] and child["joinedBy"] in ("kernel", "reconciler")
    assert rpc.call("pool.terminate", pool=pool)["terminated"] == 1
    rpc.call("pool.wait", pool=pool)
    assert {row["pid"]: row["ending"] for row in accounted(pool, 2)} == {parent["pid"]: "exited", child["pid"]: "terminated"}


def test_a_tree_is_counted_whole(rpc, pool, jobber, accounted):
    rpc.call("pool.launch", pool=pool, argv=jobber("tree", 2, 3, 300))
    rpc.call("pool.wait", pool=pool)
    rows = accounted(pool, 1 + 3 + 9)
    seen = [row for row in rows if row["startTimeExact"]]  # on a busy machine one can be over before the service gets to it: that counts all the same
    assert {row["exitCode"] for row in seen} == {0} and len({row["id"] for row in rows}) == 13
    assert len({(row["pid"], row["startTime"]) for row in seen}) == len(seen)


def test_children_are_described_as_fully_as_their_parent(rpc, pool, jobber, accounted, host, tmp_path):
    """A process may be told of before it is complete; what could not be read then must be read while it lives."""
    def complete():
        rows = members(rpc, pool).values()
        return len(rows) == 13 and all(row["startTimeExact"] and row["commandLine"] and row["userTime100ns"] is not None and row["peakCommitBytes"] for row in rows)

    end = tmp_path / "end"
    rpc.call("pool.launch", pool=pool, argv=jobber("tree", 2, 3, host.path(end)))
    wait_until(complete, "all of them to be seen, and all of them to be told")
    end.touch()
    rpc.call("pool.wait", pool=pool)
    rows = accounted(pool, 13)
    assert sorted(row["commandLine"].split()[-3:-1] for row in rows) == [["0", "3"]] * 9 + [["1", "3"]] * 3 + [["2", "3"]]
    assert {row["exitCode"] for row in rows} == {0} and len({(row["pid"], row["startTime"]) for row in rows}) == 13
    assert all(row["startTimeExact"] and row["image"] and row["user"] for row in rows)
    assert all(row["userTime100ns"] is not None and row["peakCommitBytes"] for row in rows)


# ----------------------------------------------------------------------------------------------------------- terminate

def test_terminating_a_tree_is_told_by_the_reconciler(rpc, pool, jobber, accounted):
    rpc.call("events.subscribe", pools=[pool])
    rpc.call("pool.launch", pool=pool, argv=jobber("tree", 1, 3, 60000))
    wait_until(lambda: len(members(rpc, pool)) == 4, "the whole tree")
    assert rpc.call("pool.terminate", pool=pool, exitCode=77) == {"pool": pool, "terminated": 4}
    assert rpc.call("pool.wait", pool=pool) == {"pool": pool, "empty": True}
    exits = [rpc.event(lambda event: event["message"] == "JOB_OBJECT_MSG_EXIT_PROCESS") for _ in range(4)]
    assert {event["origin"] for event in exits} == {"reconciler"} and {event["exitCode"] for event in exits} == {77}
    assert len({event["pid"] for event in exits}) == 4
    asked = rpc.event(lambda event: event["message"] == "POOL_TERMINATED")
    assert asked["origin"] == "service"
    rows = accounted(pool, 4)
    assert {row["ending"] for row in rows} == {"terminated"} and {row["exitCode"] for row in rows} == {77}


def test_terminate_ends_child_pools_too(rpc, jobber):
    rpc.call("pool.launch", pool="child", argv=jobber("sleep", 60000))
    rpc.call("pool.launch", pool="parent", argv=jobber("sleep", 60000))
    assert rpc.call("pool.terminate", pool="parent")["terminated"] == 2
    assert rpc.call("pool.wait", pool="parent") == {"pool": "parent", "empty": True}


def test_terminate_an_empty_pool(rpc, pool):
    assert rpc.call("pool.terminate", pool=pool) == {"pool": pool, "terminated": 0}


def test_terminate_one_process(rpc, pool, jobber, accounted):
    one, other = (rpc.call("pool.launch", pool=pool, argv=jobber("sleep", 60000)) for _ in range(2))
    result = rpc.call("process.terminate", pid=one["pid"], startTime=one["startTime"], exitCode=5)
    assert result == {"pool": pool, "pid": one["pid"], "startTime": one["startTime"], "exitCode": 5}
    ended = rpc.call("pool.wait", pool=pool, pid=one["pid"], startTime=one["startTime"])
    assert (ended["ending"], ended["exitCode"]) == ("terminated", 5)
    assert set(members(rpc, pool)) == {other["pid"]}
    rpc.call("process.terminate", pid=other["pid"])
    rpc.call("pool.wait", pool=pool)
    assert {row["pid"]: row["exitCode"] for row in accounted(pool, 2)} == {one["pid"]: 5, other["pid"]: 1}


def test_terminate_a_process_that_is_not_ours(rpc, held):
    process = held()
    error = rpc.error("process.terminate", pid=process.pid)
    assert error.name == "no_such_process" and process.process.poll() is None


def test_terminate_checks_the_start_time(rpc, pool, jobber):
    process = rpc.call("pool.launch", pool=pool, argv=jobber("sleep", 60000))
    error = rpc.error("process.terminate", pid=process["pid"], startTime=str(int(process["startTime"]) - 1))
    assert error.name == "other_process" and process["pid"] in members(rpc, pool)


# ------------------------------------------------------------------------------------------------------- wait and get

def test_wait_for_an_empty_pool_is_over_at_once(rpc, pool):
    assert rpc.call("pool.wait", pool=pool) == {"pool": pool, "empty": True}


def test_wait_has_a_time_out(rpc, pool, jobber):
    process = rpc.call("pool.launch", pool=pool, argv=jobber("sleep", 60000))
    for more in ({}, {"pid": process["pid"]}):
        error = rpc.error("pool.wait", pool=pool, timeout="200ms", **more)
        assert (error.code, error.name) == (-32009, "timed_out")
    assert process["pid"] in members(rpc, pool)


def test_wait_for_one_that_has_ended_already(rpc, pool, jobber, accounted):
    process = rpc.call("pool.launch", pool=pool, argv=jobber("exit", 6))
    accounted(pool, 1)
    assert rpc.call("pool.wait", pool=pool, pid=process["pid"], startTime=process["startTime"])["exitCode"] == 6


def test_wait_for_one_that_was_never_there(rpc, pool):
    assert rpc.error("pool.wait", pool=pool, pid=0xFFFFFFF0).name == "no_such_process"


def test_everyone_who_waits_is_told(rpc, service, pool, jobber):
    process = rpc.call("pool.launch", pool=pool, argv=jobber("sleep", 60000))
    with service.bridge() as other:
        waits = [(client, client.begin("pool.wait", pool=pool, **more)) for client in (rpc, other) for more in ({}, {"pid": process["pid"]})]
        assert other.call("pool.get", pool=pool)["members"] == 1
        rpc.call("pool.terminate", pool=pool)
        results = [client.finish(wait) for client, wait in waits]
    assert [result.get("empty", result.get("exitCode")) for result in results] == [True, 1, True, 1]


def test_get_a_process_running_and_ended(rpc, pool, jobber, accounted):
    process = rpc.call("pool.launch", pool=pool, argv=jobber("sleep", 60000))
    running = rpc.call("process.get", pid=process["pid"])
    assert (running["id"], running["pool"], running["ending"]) == (process["id"], pool, "running")
    assert running["session"] is not None and running["startTime"] == process["startTime"]
    rpc.call("pool.terminate", pool=pool, exitCode=8)
    accounted(pool, 1)
    ended = rpc.call("process.get", pid=process["pid"], startTime=process["startTime"])
    assert (ended["id"], ended["ending"], ended["exitCode"]) == (process["id"], "terminated", 8)
    error = rpc.error("process.get", pid=0xFFFFFFF0)
    assert error.name == "no_such_process"


def test_cpu_time_is_told_of_the_one_who_used_it(rpc, pool, jobber, accounted):
    busy = rpc.call("pool.launch", pool=pool, argv=jobber("burn", 120000))
    idle = rpc.call("pool.launch", pool=pool, argv=jobber("sleep", 120000))

    def seen(process, least_100ns):
        row = rpc.call("process.get", pid=process["pid"])
        return row["userTime100ns"] is not None and row["userTime100ns"] + row["kernelTime100ns"] > least_100ns

    # A loaded machine may give the busy one next to nothing for long; a host without the final times, what a look at it last told.
    wait_until(lambda: seen(idle, -1) and seen(busy, 10_000_000), "the busy one to have used a second")
    rpc.call("pool.terminate", pool=pool)
    used = {row["pid"]: row["userTime100ns"] + row["kernelTime100ns"] for row in accounted(pool, 2)}
    assert used[busy["pid"]] > 10_000_000 and used[idle["pid"]] < 5_000_000
    summary = rpc.call("accounting.summary", pool=pool)["pools"][0]
    assert summary["withCpu"] == 2 and summary["userTime100ns"] + summary["kernelTime100ns"] == sum(used.values())


def test_numbers_that_the_host_does_not_give_are_null(rpc, pool, jobber, accounted):
    rpc.call("pool.launch", pool=pool, argv=jobber("exit", 0))
    row = accounted(pool, 1)[0]
    if not rpc.call("service.capabilities")["processIo"]:
        assert [row[key] for key in ("readOperations", "writeOperations", "otherOperations", "readBytes", "writeBytes", "otherBytes")] == [None] * 6


def test_fifty_short_processes_and_none_is_missing(rpc, pool, jobber, accounted):
    begun = [rpc.begin("pool.launch", pool=pool, argv=jobber("exit", i)) for i in range(50)]
    launched = [rpc.finish(request) for request in begun]
    rpc.call("pool.wait", pool=pool)
    rows = accounted(pool, 50)
    assert {row["id"]: row["exitCode"] for row in rows} == {process["id"]: i for i, process in enumerate(launched)}


def test_standard_handles_of_a_launch_are_nobodys(rpc, pool, jobber, service):
    """A launched program that reads its standard input must not read the service's, nor wait for ever."""
    process = rpc.call("pool.launch", pool=pool, argv=jobber("copy"))
    assert rpc.call("pool.wait", pool=pool, pid=process["pid"], timeout="20s")["ending"] == "exited"


def test_processes_from_outside_and_from_inside_at_once(rpc, pool, jobber, host, accounted):
    outside = host.start("jobber", "hold", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    pid = int(outside.stdout.readline().split()[0])
    rpc.call("pool.assign", pool=pool, pid=pid)
    rpc.call("pool.launch", pool=pool, argv=jobber("exit", 2))
    outside.stdin.close()
    outside.wait(30)
    rpc.call("pool.wait", pool=pool)
    assert sorted(row["exitCode"] for row in accounted(pool, 2)) == [0, 2]
