"""What the service enforces itself, seen from the pipe: on a kernel that forgets what it is told, and what no kernel has."""
import pytest

MIB = 1 << 20
MESSAGE = "JOB_OBJECT_MSG_"
QUOTA, TIMEOUT, MEMORY, STATUS_QUOTA = 1816, 1460, 1455, 0xC0000044


def one(events):
    assert len(events) == 1, events
    return events[0]


@pytest.fixture
def forgetful(world):
    """A world on a kernel that keeps no limit of jobs."""

    def make(pools, wine=False, **config):
        w = world(pools, start=False, **config)
        w.machine.order("like_wine" if wine else "forget_limits")
        return w.start()

    return make


def ended(w, pid, pool, message, code, of=None):
    """By the service, once, and for that reason."""
    fate, row = w.machine.fate(pid), w.row(pid)
    assert (fate["end"], fate["exitCode"]) in (("terminated", code), ("job_ended", code))
    assert (row["pool"], row["ending"], row["exitCode"]) == (pool, "terminated", code)
    event = one(w.events(message, of or pool))
    assert event["origin"] == "service" and event["detail"]
    assert event.get("pid") in (pid, None)


# ----------------------------------------------------------------------------------------------------- limits of Windows


@pytest.mark.parametrize("wine", [False, True], ids=["forgetful", "wine"])
@pytest.mark.parametrize("limits, doing, message, code", [
    ({"process_time": "2s"}, {"do": "burn", "user100ns": 30_000_000}, "END_OF_PROCESS_TIME", STATUS_QUOTA),
    ({"job_time": "2s"}, {"do": "burn", "user100ns": 30_000_000}, "END_OF_JOB_TIME", QUOTA),
    ({"process_memory": "10MiB"}, {"do": "commit", "bytes": 11 * MIB}, "PROCESS_MEMORY_LIMIT", STATUS_QUOTA),
    ({"job_memory": "10MiB"}, {"do": "commit", "bytes": 11 * MIB}, "JOB_MEMORY_LIMIT", STATUS_QUOTA),
], ids=lambda value: next(iter(value)) if isinstance(value, dict) else None)
def test_what_the_kernel_forgets_the_service_keeps(forgetful, wine, limits, doing, message, code):
    w = forgetful({"a": {"limits": limits}, "b": {}}, wine)
    assert w.rpc.call("pool.get", pool="a")["enforcedBy"][next(iter(limits))] == "service"
    assert w.rpc.call("service.capabilities")["limits"][next(iter(limits))] == "service"
    pid, other = w.launch("a", "greedy.exe"), w.launch("b")
    w.machine.deliver()
    for each in (pid, other):
        w.machine.orders([doing | {"pid": each}])
    w.machine.advance(1000)
    w.machine.advance(3000)
    ended(w, pid, "a", MESSAGE + message, code)
    assert w.alive(other)


def test_who_has_ended_takes_no_place(forgetful):
    """A process begins in the place of one whose end has not been told yet."""
    w = forgetful({"a": {"limits": {"active_processes": 2}}})
    parent = w.launch("a")
    child = w.spawn(parent)
    w.machine.exit(child, deliver=False)
    fresh = w.machine.spawn(parent)
    items = w.machine.order("queue")["items"]
    w.machine.order("queue_set", items=sorted(items, key=lambda item: item["pid"] != fresh))
    w.machine.deliver()
    assert w.alive(fresh) and w.members("a") == sorted([parent, fresh])


def test_who_ended_without_a_service_takes_no_place(forgetful):
    w = forgetful({"a": {"limits": {"active_processes": 2}}})
    parent = w.launch("a")
    held = w.spawn(parent, held=True)
    w.crash()
    w.machine.exit(held, deliver=False)
    fresh = w.machine.spawn(parent)
    w.start()
    w.machine.advance(5000)
    assert w.alive(fresh) and w.members("a") == sorted([parent, fresh])


@pytest.mark.parametrize("wine", [False, True], ids=["forgetful", "wine"])
def test_the_newest_over_the_limit_is_ended(forgetful, wine):
    w = forgetful({"a": {"limits": {"active_processes": 2}}}, wine)
    first = w.launch("a")
    w.machine.deliver()
    second, third = w.spawn(first), w.spawn(first)
    w.machine.advance(2000)
    assert w.alive(first) and w.alive(second)
    ended(w, third, "a", MESSAGE + "ACTIVE_PROCESS_LIMIT", QUOTA)
    assert w.rpc.error("pool.launch", pool="a", argv=["x.exe"]).name == "pool_full"


def test_members_get_what_a_job_would_give_them(forgetful):
    w = forgetful({"a": {"limits": {"priority_class": "idle", "affinity": "0-1", "working_set": {"min": "1MiB", "max": "2MiB"},
                                    "die_on_unhandled_exception": True}}})
    launched, assigned = w.launch("a"), w.assigned("a")
    w.machine.deliver()
    for pid in (launched, assigned, w.spawn(assigned)):
        process = w.machine.order("process", pid=pid)
        assert (process["priority"], process["affinity"], process["workingSetMax"]) == (0x40, 3, 2 * MIB)
    assert w.machine.order("process", pid=launched)["errorMode"] is True
    w.rpc.call("pool.update", pool="a", limits={"priority_class": "below_normal"})
    assert w.machine.order("process", pid=launched)["priority"] == 0x4000


def test_a_parents_limits_hold_below(forgetful):
    w = forgetful({"a": {"limits": {"job_memory": "100MiB", "process_time": "5s"}}, "b": {"parent": "a", "limits": {"process_time": "60s"}}, "c": {"parent": "a"}})
    one_, other, third = w.launch("b"), w.launch("c"), w.launch("c")
    w.machine.deliver()
    w.burn(one_, 6)
    w.machine.advance(2000)
    ended(w, one_, "b", MESSAGE + "END_OF_PROCESS_TIME", STATUS_QUOTA, of="a")
    w.commit(other, 60 * MIB)
    w.commit(third, 70 * MIB)
    w.machine.advance(2000)
    gone = one([pid for pid in (other, third) if not w.alive(pid)])
    ended(w, gone, "c", MESSAGE + "JOB_MEMORY_LIMIT", STATUS_QUOTA, of="a")


def test_where_the_kernel_enforces_nobody_looks(world):
    w = world({"a": {"limits": {"process_time": "2s", "active_processes": 3}}})
    assert set(w.rpc.call("pool.get", pool="a")["enforcedBy"].values()) == {"kernel"}
    pid = w.launch("a")
    w.machine.deliver()
    w.burn(pid, 3)
    w.machine.advance(10_000)
    assert one(w.events(MESSAGE + "END_OF_PROCESS_TIME"))["origin"] == "kernel"
    assert w.machine.order("now")["samples"] == 0
    assert w.rpc.call("service.status")["sampling"]["interval"] is None


def test_a_strict_pool_is_refused(forgetful):
    w = forgetful({"a": {}})
    error = w.rpc.error("pool.create", name="s", strict=True, limits={"scheduling_class": 3})
    assert "scheduling_class" in error.message
    w.rpc.call("pool.create", name="s", strict=True, limits={"process_time": "3s"})
    assert w.rpc.call("pool.get", pool="s")["enforcedBy"] == {"process_time": "service"}
    w.machine.stop()
    w.machine.write_config({"pools": {"a": {"strict": True, "limits": {"scheduling_class": 3}}}})
    with pytest.raises(Exception, match="scheduling_class"):
        w.machine.start()
    w.machine.write_config({"pools": {"a": {}}})
    w.start()


# ------------------------------------------------------------------------------------------------------------- timeouts


def test_wall_clock_idle_and_sleep(world):
    w = world({"a": {"timeouts": {"wall_clock": "10s"}}, "b": {"timeouts": {"idle": "5s"}}, "c": {"timeouts": {"wall_clock": "10s", "asleep": True}}})
    wall, idle, busy, asleep = w.launch("a"), w.launch("b"), w.launch("b"), w.launch("c")
    w.machine.deliver()
    for _ in range(4):
        w.machine.advance(1000)
        w.burn(busy, 0.1)
    w.machine.order("sleep", ms=3_600_000)
    w.machine.order("shift_clock", ms=-86_400_000)
    w.machine.advance(900)
    assert w.alive(idle) and w.alive(wall)
    w.machine.advance(700)
    ended(w, asleep, "c", "WALL_CLOCK_LIMIT", TIMEOUT)
    ended(w, idle, "b", "IDLE_LIMIT", TIMEOUT)
    assert w.alive(busy) and w.alive(wall)
    w.machine.advance(5000)
    ended(w, wall, "a", "WALL_CLOCK_LIMIT", TIMEOUT)


def test_a_pool_runs_so_long(world):
    w = world({"a": {"timeouts": {"pool_wall_clock": "10s"}}, "b": {"parent": "a"}})
    first, second = w.launch("b"), w.launch("a")
    w.machine.advance(8000)
    third = w.launch("b")
    w.machine.advance(3000)
    for pid, pool in ((first, "b"), (second, "a"), (third, "b")):
        ended(w, pid, pool, "POOL_WALL_CLOCK_LIMIT", TIMEOUT, of="a")


@pytest.mark.parametrize("obeys, end, code", [({"afterMs": 1000, "code": 5}, "exited", 5), ({}, "terminated", TIMEOUT), (None, "terminated", TIMEOUT)],
                         ids=["obeys", "ignores", "nobody"])
def test_who_is_asked_first(world, obeys, end, code):
    w = world({"a": {"timeouts": {"wall_clock": "2s"}, "stop": {"grace": "3s"}}})
    pid = w.launch("a")
    w.machine.deliver()
    child = w.spawn(pid)
    if obeys is not None:
        w.machine.order("obeys", pid=pid, **obeys)
        w.machine.order("obeys", pid=child)
    w.machine.advance(2600)
    assert w.alive(pid) == (obeys is not None)
    assert len(w.events("STOP_REQUESTED", "a", pid)) == (1 if obeys is not None else 0)
    w.machine.advance(4000)
    fate = w.machine.fate(pid)
    assert (fate["end"], fate["exitCode"]) == (end, code)
    assert not w.alive(child)
    row = w.row(pid)
    assert row["exitCode"] == code and row["ending"] == end
    one(w.events("WALL_CLOCK_LIMIT", "a", pid))


# -------------------------------------------------------------------------------------------------------- memory policy


@pytest.mark.parametrize("action, gone", [("notify", []), ("terminate_newest", [2]), ("terminate_largest", [1]), ("terminate_pool", [0, 1, 2]), ("freeze", [])])
def test_memory_policy(world, action, gone):
    w = world({"a": {"memory_policy": {"soft": "50MiB", "hard": "100MiB", "action": action, "hold": "2s"}}, "b": {"parent": "a"}})
    pids = [w.launch("a"), w.launch("b"), w.launch("a")]
    w.machine.deliver()
    for pid, size in zip(pids, (30, 50, 25)):
        w.commit(pid, size * MIB)
    w.machine.advance(1000)
    assert all(map(w.alive, pids)) and not w.events("MEMORY_POLICY_HARD")
    w.machine.advance(4000)
    assert [i for i, pid in enumerate(pids) if not w.alive(pid)] == gone
    event = one(w.events("MEMORY_POLICY_HARD", "a"))
    assert event["origin"] == "service" and "MiB" in event["detail"]
    one(w.events("MEMORY_POLICY_SOFT", "a"))
    for i in gone:
        row = w.row(pids[i])
        assert (row["ending"], row["exitCode"]) == ("terminated", MEMORY)
    assert w.rpc.call("pool.get", pool="b")["frozenBy"] == ("a" if action == "freeze" else None)
    assert {w.machine.order("process", pid=pid)["frozen"] for pid in pids if w.alive(pid)} <= ({1} if action == "freeze" else {0})


# ---------------------------------------------------------------------------------------------------------------- freeze


def frozen(w, pid):
    process = w.machine.order("process", pid=pid)
    assert process["frozen"] in (0, 1)
    assert w.machine.order("burn", pid=pid, user100ns=1)["burnt"] == (process["frozen"] == 0)
    return process["frozen"] == 1


@pytest.mark.parametrize("crash, keep, stays", [(False, False, True), (False, True, True), (True, False, False), (True, True, True)])
def test_freeze_over_a_restart(world, crash, keep, stays):
    w = world({"a": {}, "b": {"parent": "a"}})
    pid = w.launch("b")
    w.machine.deliver()
    answer = w.rpc.call("pool.freeze", pool="a", keep=keep)
    assert (answer["frozen"], answer["frozenBy"], answer["keepFrozen"]) == (True, None, keep)
    late = w.launch("b")
    w.machine.deliver()
    assert frozen(w, pid) and frozen(w, late)
    assert w.rpc.error("pool.freeze", pool="a", keep=keep).name == "invalid_params"
    assert w.rpc.error("pool.thaw", pool="b").name == "invalid_params"
    w.restart(crash)
    w.machine.advance(1000)
    assert (frozen(w, pid), frozen(w, late)) == (stays, stays)
    pool = w.rpc.call("pool.get", pool="b")
    assert (pool["frozen"], pool["frozenBy"]) == ((True, "a") if stays else (False, None))
    if stays:
        w.rpc.call("pool.thaw", pool="a")
    assert not frozen(w, pid) and not frozen(w, late)
    assert len(w.events("POOL_THAWED", "a")) == 1
    w.restart(crash=True)
    assert not frozen(w, pid) and w.machine.order("now")["idleThaws"] == 0


def test_a_pool_that_was_made_by_a_call_stays_frozen(world):
    w = world()
    w.rpc.call("pool.create", name="p", persist=True)
    pid = w.launch("p")
    w.rpc.call("pool.freeze", pool="p")
    w.restart()
    assert frozen(w, pid)
    w.rpc.call("pool.delete", pool="p", terminate=True)
    w.machine.deliver()
    w.rpc.call("pool.create", name="p", persist=True)
    w.restart()
    assert not frozen(w, w.launch("p"))


# ----------------------------------------------------------------------------------------------------------------- rules


def test_rules_take_who_is_new(world):
    w = world({"ci": {"match": [{"image": "cl.exe"}, {"path": "C:\\ci\\**"}], "exclude": [{"command_line": "*--interactive*"}]}, "rest": {"default": True}})
    old = w.spawn(image="cl.exe")
    w.machine.advance(1000)
    pids = {name: w.spawn(**child) for name, child in {
        "cl": {"image": "CL.EXE"}, "path": {"image": "x.exe", "folder": "c:\\ci\\bin"}, "not": {"image": "cl.exe", "commandLine": "cl.exe --interactive"},
        "other": {"image": "calc.exe"}, "critical": {"image": "cl.exe"}}.items()}
    w.machine.order("critical", pid=pids["critical"])
    w.machine.advance(600)
    w.machine.advance(2000)
    assert w.members("ci") == sorted([pids["cl"], pids["path"]])
    assert w.members("rest") == sorted([pids["not"], pids["other"]])
    w.flush()  # they are told when they are on the disk
    assert {event["detail"] for event in w.events("PROCESS_MATCHED", "ci")} == {"match[0]", "match[1]"}
    assert one(w.events("MATCH_REFUSED"))["pid"] == pids["critical"]
    rows = {row["pid"]: row for row in w.rpc.call("pool.match")["processes"]}
    assert (rows[old]["pool"], rows[old]["rule"], rows[old]["why"]) == ("ci", 0, None)
    assert rows[pids["critical"]]["why"]
    assert old not in w.members("ci")
    w.rpc.call("pool.match", apply=True, pid=old)
    w.machine.deliver()
    assert old in w.members("ci") and pids["critical"] not in w.members("ci")


def test_rules_of_a_pool_that_comes_back_take_who_is_new(world):
    """Nobody else is there for whom the processes would be looked at."""
    w = world({})
    w.rpc.call("pool.create", name="kept", persist=True, match=[{"image": "cl.exe"}])
    w.restart()
    w.machine.advance(1000)
    pid = w.spawn(image="cl.exe")
    w.machine.advance(2000)
    assert w.members("kept") == [pid]


# ------------------------------------------------------------------------------------------------------- what goes wrong


def test_sampling_that_fails(forgetful):
    w = forgetful({"a": {"limits": {"process_time": "2s"}}}, sampling={"interval": "200ms"})
    pid = w.launch("a")
    w.machine.advance(1000)
    sampling = w.rpc.call("service.status")["sampling"]
    assert (sampling["interval"], sampling["degraded"]) == ("200ms", False) and sampling["last"] and sampling["processes"] >= 1
    w.machine.order("fail_often", operation="NtQuerySystemInformation", win32=1450, perMille=1000)
    w.burn(pid, 3)
    w.machine.advance(10_000)
    sampling = w.rpc.call("service.status")["sampling"]
    assert sampling["degraded"] is True and sampling["reason"]
    assert w.alive(pid)
    one(w.events("SAMPLING_FAILED"))
    w.machine.order("fail_often", operation="NtQuerySystemInformation", perMille=0)
    w.machine.advance(1000)
    assert w.rpc.call("service.status")["sampling"]["degraded"] is False
    ended(w, pid, "a", MESSAGE + "END_OF_PROCESS_TIME", STATUS_QUOTA)


def test_a_member_that_cannot_be_touched_marks_its_pool(forgetful):
    w = forgetful({"a": {"limits": {"process_time": "2s", "priority_class": "idle"}}})
    parent = w.launch("a")
    w.machine.deliver()
    guard = w.machine.spawn(parent, image="guard.exe")
    w.machine.order("protect", pid=guard)
    w.machine.deliver()
    w.machine.order("burn", pid=guard, user100ns=50_000_000)
    w.machine.advance(10_000)
    assert w.alive(guard) and w.alive(parent)
    assert one(w.events("ENFORCEMENT_FAILED", "a"))["pid"] == guard
    assert str(guard) in one(w.rpc.call("pool.get", pool="a")["troubles"])


def test_a_limit_below_what_is_used_is_reported(forgetful):
    w = forgetful({"a": {}})
    pid = w.launch("a", "big.exe")
    w.machine.deliver()
    w.commit(pid, 50 * MIB)
    w.rpc.call("pool.update", pool="a", limits={"process_memory": "20MiB"})
    w.machine.advance(2000)
    ended(w, pid, "a", MESSAGE + "PROCESS_MEMORY_LIMIT", STATUS_QUOTA)


def test_what_pools_are_told_to_be_comes_back(world):
    spec = {"limits": {"cpu_rate": {"hard_cap": "10%"}}, "timeouts": {"wall_clock": "2h", "idle": "30m"}, "stop": {"grace": "10s"}, "cpu_rate_fallback": True,
            "memory_policy": {"soft": "6GiB", "hard": "8GiB", "action": "terminate_largest", "hold": "5s"}, "match": [{"image": "cl.exe"}], "exclude": [{"user": "X\\y"}]}
    w = world({"a": spec})
    pool = w.rpc.call("pool.get", pool="a")
    for key in ("timeouts", "stop", "cpu_rate_fallback", "match", "exclude"):
        assert pool[key] == spec[key], key
    assert {key: pool["memory_policy"][key] for key in spec["memory_policy"]} == spec["memory_policy"]
    w.rpc.call("pool.create", name="p", persist=True, **spec)
    w.restart()
    assert w.rpc.call("pool.get", pool="p")["match"] == spec["match"]
