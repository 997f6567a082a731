"""Every limit: what the kernel does of it, and what is told through the pipe and stands in the accounts."""
import pytest

MIB = 1 << 20
MESSAGE = "JOB_OBJECT_MSG_"


def one(events):
    assert len(events) == 1, events
    return events[0]


# ------------------------------------------------------------------------------------------------------- coming and going


@pytest.mark.shows("JOB_OBJECT_MSG_NEW_PROCESS", "JOB_OBJECT_MSG_EXIT_PROCESS", "JOB_OBJECT_MSG_ACTIVE_PROCESS_ZERO")
def test_a_process_comes_and_goes(world):
    w = world({"outer": {}, "inner": {"parent": "outer"}})
    pid = w.launch("inner", "cc.exe")
    w.machine.deliver()
    assert w.members("outer") == w.members("inner") == [pid]
    for pool in ("outer", "inner"):
        event = one(w.events(MESSAGE + "NEW_PROCESS", pool))
        assert (event["pid"], event["origin"], event["process"]) == (pid, "kernel", "cc.exe")
    w.machine.exit(pid, 3)
    for pool in ("outer", "inner"):
        event = one(w.events(MESSAGE + "EXIT_PROCESS", pool))
        assert (event["pid"], event["origin"], event["exitCode"]) == (pid, "kernel", 3)
        assert one(w.events(MESSAGE + "ACTIVE_PROCESS_ZERO", pool))["origin"] == "kernel"
    row = w.row(pid)
    assert (row["pool"], row["ending"], row["exitCode"], row["joinedBy"]) == ("inner", "exited", 3, "service")


@pytest.mark.shows("JOB_OBJECT_MSG_ABNORMAL_EXIT_PROCESS")
@pytest.mark.parametrize("code, message, ending", [(0xC0000005, "ABNORMAL_EXIT_PROCESS", "crashed"), (0xC000013A, "ABNORMAL_EXIT_PROCESS", "exited"),
                                                   (0xC0000409, "EXIT_PROCESS", "crashed"), (0xFFFFFFFF, "EXIT_PROCESS", "exited")])
def test_a_crash_is_told_apart(world, code, message, ending):
    w = world({"a": {}})
    pid = w.launch("a")
    w.machine.exit(pid, code)
    assert one(w.events(MESSAGE + message, "a"))["exitCode"] == code
    assert w.row(pid)["ending"] == ending


def test_children_join_with_their_parent(world):
    w = world({"a": {}, "b": {"parent": "a"}})
    parent = w.assigned("b")
    child = w.spawn(parent)
    grandchild = w.spawn(child)
    assert w.members("b") == sorted([parent, child, grandchild])
    assert w.row(grandchild)["joinedBy"] == "kernel" and w.row(grandchild)["parentPid"] == child


# ------------------------------------------------------------------------------------------------------------ how many


@pytest.mark.shows("JOB_OBJECT_LIMIT_ACTIVE_PROCESS", "JOB_OBJECT_MSG_ACTIVE_PROCESS_LIMIT")
def test_active_processes(world):
    w = world({"a": {"limits": {"active_processes": 2}}})
    first, stranger = w.launch("a"), w.machine.spawn()
    w.launch("a")
    for error in (w.rpc.error("pool.launch", pool="a", argv=["x.exe"]), w.rpc.error("pool.assign", pool="a", pid=stranger)):
        assert error.name == "pool_full" and "2 of 2" in error.message
    assert w.alive(stranger), "Windows would have ended it"
    with pytest.raises(Exception, match="1816"):
        w.machine.spawn(first)
    w.machine.deliver()
    assert w.events(MESSAGE + "ACTIVE_PROCESS_LIMIT", "a")
    w.machine.exit(first)
    w.rpc.call("pool.assign", pool="a", pid=stranger)


@pytest.mark.shows("JOB_OBJECT_LIMIT_ACTIVE_PROCESS")
def test_active_processes_of_a_parent_hold_for_all_its_pools(world):
    w = world({"a": {"limits": {"active_processes": 2}}, "b": {"parent": "a"}, "c": {"parent": "a"}})
    w.launch("b")
    w.launch("c")
    assert '"a" is full' in w.rpc.error("pool.launch", pool="b", argv=["x.exe"]).message


# ------------------------------------------------------------------------------------------------------------------ time


@pytest.mark.shows("JOB_OBJECT_LIMIT_PROCESS_TIME", "JOB_OBJECT_MSG_END_OF_PROCESS_TIME")
def test_process_time(world):
    w = world({"a": {"limits": {"process_time": "2s"}}})
    pid, other = w.launch("a"), w.launch("a")
    w.burn(pid, 1.5)
    assert w.alive(pid)
    w.burn(pid, 1)
    assert w.machine.fate(pid)["end"] == "process_time_up" and w.alive(other)
    assert one(w.events(MESSAGE + "END_OF_PROCESS_TIME", "a"))["pid"] == pid
    w.machine.advance(3000)
    row = w.row(pid)
    assert row["ended"] and row["exitCode"] == w.machine.fate(pid)["exitCode"] and row["userTime100ns"] == 25_000_000
    assert w.members("a") == [other]


@pytest.mark.shows("JOB_OBJECT_LIMIT_JOB_TIME", "JOB_OBJECT_TERMINATE_AT_END_OF_JOB", "JobObjectEndOfJobTimeInformation")
def test_job_time_ends_all(world):
    w = world({"a": {"limits": {"job_time": "3s"}, "end_of_job_time": "terminate"}})
    pids = [w.launch("a"), w.launch("a")]
    w.burn(pids[0], 2)
    assert all(map(w.alive, pids)), "the time is counted together, and there is some left"
    w.burn(pids[1], 2)
    w.machine.advance(3000)
    assert [w.machine.fate(pid)["end"] for pid in pids] == ["job_time_up"] * 2
    assert [bool(w.row(pid)["ended"]) for pid in pids] == [True, True] and w.members("a") == []
    stranger = w.machine.spawn()
    error = w.rpc.error("pool.assign", pool="a", pid=stranger)
    assert error.name == "job_time_used_up" and w.alive(stranger)


@pytest.mark.shows("JOB_OBJECT_POST_AT_END_OF_JOB", "JOB_OBJECT_MSG_END_OF_JOB_TIME")
def test_job_time_is_only_told(world):
    w = world({"a": {"limits": {"job_time": "3s"}, "end_of_job_time": "post"}})
    pid = w.launch("a")
    w.burn(pid, 4)
    assert one(w.events(MESSAGE + "END_OF_JOB_TIME", "a"))["origin"] == "kernel"
    w.burn(pid, 40)
    assert w.alive(pid) and len(w.events(MESSAGE + "END_OF_JOB_TIME", "a")) == 1, "the limit is cancelled when it was told"


@pytest.mark.shows("JOB_OBJECT_LIMIT_PRESERVE_JOB_TIME")
def test_other_limits_do_not_restart_the_job_time(world):
    w = world({"a": {"limits": {"job_time": "10s"}}})
    pid = w.launch("a")
    w.burn(pid, 6)
    w.rpc.call("pool.update", pool="a", limits={"active_processes": 5})
    w.burn(pid, 6)
    assert w.machine.fate(pid)["end"] == "job_time_up"


@pytest.mark.shows("JOB_OBJECT_LIMIT_JOB_TIME")
def test_a_job_time_given_anew_begins_anew(world):
    w = world({"a": {"limits": {"job_time": "10s"}}})
    pid = w.launch("a")
    w.burn(pid, 6)
    w.rpc.call("pool.update", pool="a", limits={"job_time": "10s"})
    w.burn(pid, 6)
    assert w.alive(pid)
    w.burn(pid, 6)
    assert not w.alive(pid)


# ---------------------------------------------------------------------------------------------------------------- memory


@pytest.mark.shows("JOB_OBJECT_LIMIT_PROCESS_MEMORY", "JOB_OBJECT_MSG_PROCESS_MEMORY_LIMIT")
def test_process_memory(world):
    w = world({"a": {"limits": {"process_memory": "10MiB"}}})
    pid, other = w.launch("a"), w.launch("a")
    assert w.commit(pid, 8 * MIB) and w.commit(other, 8 * MIB)
    assert not w.commit(pid, 4 * MIB), "the allocation fails"
    assert w.alive(pid), "and the process lives"
    assert one(w.events(MESSAGE + "PROCESS_MEMORY_LIMIT", "a"))["pid"] == pid
    w.machine.exit(pid)
    assert w.row(pid)["peakCommitBytes"] == 8 * MIB


@pytest.mark.shows("JOB_OBJECT_LIMIT_JOB_MEMORY", "JOB_OBJECT_MSG_JOB_MEMORY_LIMIT")
def test_job_memory(world):
    w = world({"a": {"limits": {"job_memory": "10MiB"}}, "b": {"parent": "a"}})
    pid, other = w.launch("b"), w.launch("a")
    assert w.commit(pid, 8 * MIB)
    assert not w.commit(other, 4 * MIB), "all together, those of child pools too"
    assert one(w.events(MESSAGE + "JOB_MEMORY_LIMIT", "a"))["pid"] == other
    w.rpc.call("pool.update", pool="a", limits={"job_memory": None})
    assert w.commit(other, 40 * MIB)


# ---------------------------------------------------------------------------------------------------------- notifications


@pytest.mark.shows("JobObjectNotificationLimitInformation", "JobObjectNotificationLimitInformation2", "JOB_OBJECT_MSG_NOTIFICATION_LIMIT",
                   "JOB_OBJECT_LIMIT_JOB_READ_BYTES", "JOB_OBJECT_LIMIT_JOB_WRITE_BYTES", "JOB_OBJECT_LIMIT_JOB_MEMORY_HIGH",
                   "JOB_OBJECT_LIMIT_JOB_MEMORY_LOW")
@pytest.mark.parametrize("notify, doing", [
    ({"job_memory": "1MiB"}, {"do": "commit", "bytes": 2 * MIB}),
    ({"cpu_time": "1s"}, {"do": "burn", "user100ns": 20_000_000}),
    ({"io_read": "1MiB"}, {"do": "io", "read": 2 * MIB}),
    ({"io_write": "1MiB"}, {"do": "io", "write": 2 * MIB}),
], ids=lambda value: next(iter(value)))
def test_what_is_told_and_not_enforced(world, notify, doing):
    w = world({"a": {"notify": notify}})
    pid = w.launch("a")
    w.machine.deliver()
    w.machine.order(doing.pop("do"), pid=pid, **doing)
    w.machine.deliver()
    event = one(w.events(MESSAGE + "NOTIFICATION_LIMIT", "a"))
    assert event["origin"] == "kernel" and event["detail"]
    assert w.alive(pid)


@pytest.mark.shows("JOB_OBJECT_LIMIT_CPU_RATE_CONTROL", "ToleranceLow", "ToleranceIntervalShort", "JOB_OBJECT_CPU_RATE_CONTROL_NOTIFY")
def test_a_cpu_rate_that_is_exceeded_is_told(world):
    w = world({"a": {"limits": {"cpu_rate": {"hard_cap": "20%", "notify": True}}, "notify": {"cpu_rate": {"tolerance": "low", "interval": "short"}}}})
    pid = w.launch("a")
    w.machine.order("overrun", pid=pid, flag=0x40000, tolerance=3, interval=1)
    w.machine.deliver()
    assert one(w.events(MESSAGE + "NOTIFICATION_LIMIT", "a"))["origin"] == "kernel"


# ------------------------------------------------------------------------------------------------------------ the others


@pytest.mark.shows("JOB_OBJECT_LIMIT_PRIORITY_CLASS", "JOB_OBJECT_LIMIT_AFFINITY", "JOB_OBJECT_LIMIT_SCHEDULING_CLASS", "JOB_OBJECT_LIMIT_WORKINGSET",
                   "JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION")
def test_settings_reach_the_processes(world):
    w = world({"a": {"limits": {"priority_class": "below_normal", "affinity": "0-1", "scheduling_class": 3,
                                "working_set": {"min": "1MiB", "max": "64MiB"}, "die_on_unhandled_exception": True}}})
    pid = w.launch("a")
    truth = w.machine.order("process", pid=pid)
    assert (truth["priority"], truth["affinity"]) == (0x4000, 3)
    assert (truth["workingSetMin"], truth["workingSetMax"]) == (MIB, 64 * MIB)
    assert truth["effective"]["schedulingClass"] == 3
    assert w.machine.job("a")["limits"]["flags"] & 0x4B1 == 0x4B1
    w.machine.order("ask", pid=pid, priority=0x80, affinity=0xFF)
    truth = w.machine.order("process", pid=pid)
    assert (truth["priority"], truth["affinity"]) == (0x4000, 3), "a process does not get itself out of it"


@pytest.mark.shows("JOB_OBJECT_LIMIT_BREAKAWAY_OK", "JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK")
@pytest.mark.parametrize("breakaway, asks, inside", [("none", False, True), ("allow", False, True), ("allow", True, False), ("silent", False, False)])
def test_breakaway(world, breakaway, asks, inside):
    w = world({"a": {"limits": {"breakaway": breakaway}}})
    parent = w.launch("a")
    child = w.spawn(parent, breakaway=asks)
    assert w.members("a") == sorted([parent] + [child] * inside)


def test_breakaway_that_is_not_allowed_fails(world):
    w = world({"a": {}})
    with pytest.raises(Exception, match="5"):
        w.machine.spawn(w.launch("a"), breakaway=True)


@pytest.mark.shows("JOB_OBJECT_LIMIT_BREAKAWAY_OK")
def test_breakaway_ends_at_the_first_job_that_does_not_allow_it(world):
    w = world({"a": {}, "b": {"parent": "a", "limits": {"breakaway": "allow"}}})
    child = w.spawn(w.launch("b"), breakaway=True)
    assert child in w.members("a") and w.row(child)["pool"] == "a"


@pytest.mark.shows("JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE")
@pytest.mark.threads
@pytest.mark.parametrize("crash", [False, True])
def test_kill_on_close(world, crash):
    w = world({"a": {"limits": {"kill_on_close": True}}, "b": {}})
    pids = [w.launch("a"), w.launch("a")]
    kept = w.launch("b")
    w.machine.deliver()
    w.restart(crash)
    assert not any(map(w.alive, pids)) and w.alive(kept)
    assert w.members("a") == [] and w.members("b") == [kept]
    assert {w.row(pid)["ending"] for pid in pids} == {"unknown" if crash else "terminated"}


@pytest.mark.shows("JobObjectBasicUIRestrictions", "JOB_OBJECT_UILIMIT_DESKTOP", "JOB_OBJECT_UILIMIT_EXITWINDOWS")
def test_ui_restrictions(world):
    w = world({"a": {"ui": ["desktop", "exit_windows"]}})
    assert w.machine.job("a")["ui"] == 0xC0
    w.rpc.call("pool.update", pool="a", ui=[])
    assert w.machine.job("a")["ui"] == 0


@pytest.mark.shows("JobObjectCpuRateControlInformation", "JobObjectNetRateControlInformation")
def test_rates(world):
    w = world({"a": {"limits": {"cpu_rate": "50%", "network_rate": "1MiB"}}})
    ask = lambda number: w.rpc.call("job.queryInformation", job="a", **{"class": number})["info"]  # noqa: E731
    assert ask(15) == {"ControlFlags": 5, "CpuRate": 5000}
    assert ask(32) == {"MaxBandwidth": MIB, "ControlFlags": 3, "DscpTag": 0}


@pytest.mark.shows("JobObjectGroupInformation", "JobObjectGroupInformationEx")
def test_processor_groups(world):
    w = world({}, start=False)
    w.machine.order("groups", masks=[0xF, 0xF])
    w.machine.write_config({"pools": {"a": {"limits": {"processor_groups": ["1:0-1"]}}}})
    w.start()
    ask = lambda number: w.rpc.call("job.queryInformation", job="a", **{"class": number})["info"]  # noqa: E731
    assert ask(14) == [{"Mask": 3, "Group": 1}] and ask(11) == [1]


# ------------------------------------------------------------------------------------------------------ effective limits


@pytest.mark.shows("JobObjectExtendedLimitInformation")
def test_effective_limits_are_the_kernels(world):
    w = world({"a": {"limits": {"process_time": "10s", "priority_class": "normal", "affinity": "0-3", "process_memory": "1GiB"}},
               "b": {"parent": "a", "limits": {"process_time": "20s", "priority_class": "below_normal", "affinity": "2-3"}},
               "c": {"parent": "b", "limits": {"process_memory": "2GiB"}}})
    pid = w.launch("c")
    told = w.rpc.call("pool.get", pool="c")["effective"]
    truth = w.machine.order("process", pid=pid)["effective"]
    assert told["process_time"] == {"value": "10s", "from": "a"} and truth["processTime"] == 100_000_000
    assert told["priority_class"] == {"value": "below_normal", "from": "b"} and truth["priorityClass"] == 0x4000
    assert told["process_memory"]["from"] == "a" and truth["processMemory"] == 1 << 30
    assert told["affinity"]["value"] in ("2-3", "0xC") and truth["affinity"] == 0xC
