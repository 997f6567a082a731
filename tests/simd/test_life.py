"""The service's life on a machine that goes on without it: reload, stop, crash, sessions."""
import pytest

from harness.bridge import RpcError
from harness.simulated import OrderRefused

pytestmark = pytest.mark.threads


def test_members_outlive_the_service(world):
    w = world({"a": {}, "b": {"parent": "a"}})
    pid, gone = w.launch("b"), w.launch("a")
    w.machine.deliver()
    ids = {row["pid"]: row["id"] for row in w.rows()}
    w.stop()
    w.machine.exit(gone, 5, deliver=False)
    child = w.machine.spawn(pid)
    w.start()
    assert w.members("b") == sorted([pid, child])
    assert {row["pid"]: row["id"] for row in w.rows()} | ids == {row["pid"]: row["id"] for row in w.rows()}, "the same rows go on"
    assert (w.row(gone)["ending"], w.row(gone)["exitCode"]) == ("unknown", None)
    assert w.row(child)["joinedBy"] == "reconciler"
    w.machine.exit(pid, 7)
    assert (w.row(pid)["ending"], w.row(pid)["exitCode"]) == ("exited", 7)


def test_a_crash_loses_nothing_that_was_told(world):
    w = world({"a": {}})
    pids = [w.launch("a") for _ in range(20)]
    w.restart(crash=True)
    assert w.members("a") == sorted(pids)
    assert len(w.rows()) == 20
    for pid in pids:
        w.machine.exit(pid, 1)
    assert {row["ending"] for row in w.rows()} == {"exited"}


def test_a_crash_at_any_instant(world):
    """What was answered is on disk, whatever the writer was doing when the end came."""
    w = world({"a": {}})
    known = set()
    for _ in range(10):
        for _ in range(5):
            known.add(w.launch("a"))
        w.rpc.begin("pool.launch", pool="a", argv=["unanswered.exe"])
        w.crash(settled=False)
        w.start()
        members = set(w.members("a"))
        assert known <= members
        known = members
    assert len({row["pid"] for row in w.rows()}) == len(w.rows()) == len(known)


def test_event_numbers_go_on(world):
    w = world({"a": {}})
    last = w.rpc.call("service.status")["seq"]
    w.restart(crash=True)
    events = w.rpc.call("events.query", fromSeq=last + 1)["events"]
    assert [event["seq"] for event in events] == list(range(last + 1, last + 1 + len(events)))
    assert events[0]["message"] == "SERVICE_STARTED"


def test_pools_made_with_persist_come_back(world):
    w = world({"a": {}})
    w.rpc.call("pool.create", name="kept", parent="a", persist=True, limits={"active_processes": 3})
    w.rpc.call("pool.create", name="lost")
    pid = w.launch("kept")
    w.restart(crash=True)
    names = [pool["name"] for pool in w.rpc.call("pool.list")["pools"]]
    assert names == ["a", "kept"]
    assert w.rpc.call("pool.get", pool="kept")["limits"] == {"active_processes": 3}
    assert w.members("kept") == [pid]


def test_pools_made_with_persist_come_back_below_each_other(world):
    w = world({"a": {}})
    for name, parent in (("z", "a"), ("b", "z"), ("y", "b"), ("c", "y")):
        w.rpc.call("pool.create", name=name, parent=parent, persist=True)
    pid = w.launch("c")
    w.restart()
    assert [pool["name"] for pool in w.rpc.call("pool.list")["pools"]] == ["a", "b", "c", "y", "z"]
    assert w.members("c") == w.members("z") == [pid]


def test_a_pool_that_does_not_come_back_leaves_its_processes_to_its_parent(world):
    w = world({"a": {}})
    w.rpc.call("pool.create", name="passing", parent="a")
    pid = w.launch("passing")
    w.restart(crash=True)
    assert w.members("a") == [pid]
    assert len(w.rows(pid=pid)) == 1, "one process, one row"
    w.machine.exit(pid, 4)
    assert w.row(pid)["exitCode"] == 4


def test_a_start_that_is_killed_forgets_nothing_of_a_frozen_pool(world):
    """Whatever the database knows after that: who is suspended, is frozen once, and can be let go on."""
    w = world({"a": {}})
    pid = w.launch("a")
    w.rpc.call("pool.freeze", pool="a", keep=True)
    for write in range(1, 40):
        w.crash()
        w.machine.order("die_at_write", writes=write)
        try:
            w.start()
            w.flush()
        except (OrderRefused, ConnectionError, FileNotFoundError, RpcError):  # as a dying service answers
            pass
        try:
            w.machine.crash()
        except OrderRefused as refusal:
            assert "not run" in str(refusal)
        w.start()
        assert w.rpc.call("pool.get", pool="a")["keepFrozen"], f"killed at write {write}"
        assert w.machine.order("process", pid=pid)["frozen"] == 1, f"killed at write {write}"
    w.rpc.call("pool.thaw", pool="a")
    assert w.machine.order("process", pid=pid)["frozen"] == 0


@pytest.mark.parametrize("write", range(1, 12))
def test_a_power_cut_takes_nothing_that_was_answered(world, write):
    w = world({"a": {}})
    w.machine.order("die_at_write", writes=write, powerCut=True, seed=write)
    known = set()
    with pytest.raises((ConnectionError, RpcError)):
        while True:
            known.add(w.launch("a"))
    w.machine.crash()
    for pid in known:
        w.machine.exit(pid, deliver=False)
    w.start()
    assert known <= {row["pid"] for row in w.rows(pool="a", ending="unknown")}


def test_reload_changes_living_jobs(world):
    w = world({"a": {"limits": {"active_processes": 3}}, "gone": {}, "busy": {}})
    pid, busy = w.launch("a"), w.launch("busy")
    w.machine.write_config({"pools": {"a": {"limits": {"active_processes": 1}}, "new": {"parent": "a"}}})
    assert w.rpc.call("service.reload") == {"added": ["new"], "changed": ["a"], "removed": ["gone"], "orphaned": ["busy"]}
    assert w.alive(pid) and w.alive(busy)
    assert w.machine.job("a")["limits"]["activeProcesses"] == 1
    assert w.rpc.error("pool.launch", pool="new", argv=["x.exe"]).name == "pool_full"
    w.machine.exit(busy)
    w.machine.advance(3000)
    assert [pool["name"] for pool in w.rpc.call("pool.list")["pools"]] == ["a", "new"]


def test_a_bad_reload_changes_nothing(world):
    w = world({"a": {"limits": {"active_processes": 3}}, "b": {}})
    before = w.rpc.call("pool.get", pool="a")
    for pools in ({"a": {"limits": {"active_processes": 0}}}, {"a": {"parent": "nowhere"}}, {"a": {"parent": "b"}, "b": {}}):
        w.machine.write_config({"pools": pools})
        assert w.rpc.error("service.reload").name == "invalid_config"
    assert w.rpc.call("pool.get", pool="a") == before


def test_a_reload_that_the_kernel_refuses_changes_nothing(world):
    w = world({"a": {"limits": {"active_processes": 3}}, "b": {"limits": {"active_processes": 3}}})
    pools = {name: {"limits": {"active_processes": 5}} for name in ("a", "b")}
    w.machine.write_config({"pools": pools})
    truth = [w.machine.job(name)["limits"] for name in ("a", "b")]
    w.machine.order("fail_next", operation="SetInformationJobObject", win32=5)
    assert w.rpc.error("service.reload").data["win32"] == 5
    assert [w.machine.job(name)["limits"] for name in ("a", "b")] == truth
    assert w.rpc.call("pool.get", pool="a")["limits"] == {"active_processes": 3}
    assert sorted(w.rpc.call("service.reload")["changed"]) == ["a", "b"]


def test_a_full_disk_is_said_and_survived(world):
    w = world({"a": {}})
    w.machine.order("disk", full=True)
    pid = w.launch("a")
    assert w.rpc.call("service.status")["database"]["degraded"]
    w.machine.exit(pid, 6)
    w.machine.order("disk", full=False)
    while w.rpc.call("service.status")["database"]["degraded"]:  # it tries again by itself, by real time
        pass
    assert w.row(pid)["exitCode"] == 6


def test_who_cannot_be_identified_gets_nothing(world):
    w = world({"a": {}})
    nobody = w.machine.client(nobody=True)
    assert nobody.error("pool.launch", pool="a", argv=["x.exe"]).name == "access_denied"


# --------------------------------------------------------------------------------------------------------------- sessions


def test_a_pool_has_one_job_for_each_session(world):
    w = world({"a": {"limits": {"active_processes": 1}}, "b": {"parent": "a"}})
    pids = [w.assigned("b", token={"session": session}) for session in (1, 2, 3)]
    assert w.members("b") == sorted(pids)
    pool = w.rpc.call("pool.get", pool="b")
    assert sorted(job["session"] for job in pool["sessions"]) == [1, 2, 3]
    assert [job["members"] for job in pool["sessions"]] == [1, 1, 1]
    assert "active_processes" in w.rpc.call("pool.get", pool="a")["limitsPerSession"]
    assert pool["jobCounters"]["totalProcesses"] == 3 and pool["jobCounters"]["activeProcesses"] == 3
    w.rpc.call("pool.terminate", pool="a", exitCode=9)
    w.machine.advance(3000)
    assert w.members("b") == [] and {w.row(pid)["exitCode"] for pid in pids} == {9}


def test_a_pool_of_one_session_refuses_others(world):
    w = world({"a": {"sessions": "single"}})
    w.assigned("a", token={"session": 2})
    other = w.machine.spawn(token={"session": 3})
    error = w.rpc.error("pool.assign", pool="a", pid=other)
    assert error.name == "other_session" and "session 2" in error.message and w.alive(other)


def test_sessions_outlive_the_service(world):
    w = world({"a": {}})
    pids = [w.assigned("a", token={"session": session}) for session in (1, 2)]
    w.restart(crash=True)
    assert w.members("a") == sorted(pids)
    for pid in pids:
        w.machine.exit(pid, 3)
    assert [w.row(pid)["exitCode"] for pid in pids] == [3, 3]


def test_a_launch_is_in_the_session_of_its_caller(world):
    w = world({"a": {"access": {"launch": ["Everyone"]}}})
    caller = w.machine.client(user="SIM\\remote", session=4)
    pid = caller.call("pool.launch", pool="a", argv=["x.exe"])["pid"]
    row = w.row(pid)
    assert (row["session"], row["user"]) == (4, "SIM\\remote")


# ------------------------------------------------------------------------------------------------------- what nobody saw

def unobserved(w, pool):
    rows = [row for row in w.rpc.call("accounting.summary")["pools"] if row["pool"] == pool]
    return (rows[0]["unobserved"], rows[0]["userTime100ns"]) if rows else (0, 0)


def short_child(w, parent, user100ns):
    child = w.machine.spawn(parent)
    w.machine.order("burn", pid=child, user100ns=user100ns)
    w.machine.order("exit", pid=child, code=0)


def test_who_began_and_ended_without_a_service_is_counted(world):
    w = world({"outer": {}, "inner": {"parent": "outer"}})
    parent = w.launch("inner")
    w.machine.deliver()
    for time, crash in ((0, True), (1, False)):
        w.flush()
        w.crash() if crash else w.stop()
        short_child(w, parent, 10_000_000)
        w.start()
        w.machine.advance(5000)
        assert unobserved(w, "inner") == (1 + time, 10_000_000 * (1 + time))
        assert unobserved(w, "outer")[0] == 0, "who is in the inner pool is counted there"
        assert w.rpc.call("pool.get", pool="inner")["counters"]["unobserved"] == 1 + time
        assert len(w.events("PROCESSES_UNOBSERVED", "inner")) == 1 + time
    w.machine.advance(130_000)
    assert unobserved(w, "inner")[0] == 2 and w.members("inner") == [parent]


def test_a_child_whose_messages_were_lost_is_counted(world):
    w = world({"p": {}})
    parent = w.launch("p")
    w.machine.deliver()
    short_child(w, parent, 20_000_000)
    w.machine.order("queue_set", items=[])
    w.machine.advance(130_000)
    assert unobserved(w, "p") == (1, 20_000_000)
    assert w.machine.job("p")["accounting"]["total"] == 2


def test_who_was_counted_after_the_clock_was_set_back_is_not_counted_again(world):
    """Its row is of a time before the job was made, and so is not among those that the next run takes for the job's."""
    w = world({"outer": {}, "inner": {"parent": "outer"}})
    parent = w.launch("inner")
    w.machine.deliver()
    w.machine.order("shift_clock", ms=-86_400_000)
    short_child(w, parent, 20_000_000)
    w.machine.order("queue_set", items=[])
    w.machine.advance(130_000)
    assert unobserved(w, "inner") == (1, 20_000_000)
    for _ in range(2):
        w.flush()
        w.stop()
        w.start()
        w.machine.advance(130_000)
        assert (unobserved(w, "inner"), unobserved(w, "outer")[0]) == ((1, 20_000_000), 0)


def test_a_job_has_no_row_of_before_it_was_made_though_the_clock_was_set_back(world):
    """By their times they would be its own: then as many others could come and go unseen, and nobody would count them."""
    w = world({})
    w.rpc.call("pool.create", name="p", persist=True)
    w.machine.exit(w.launch("p"))
    w.machine.advance(3000)
    w.rpc.call("pool.delete", pool="p")
    w.machine.order("shift_clock", ms=-86_400_000)
    w.rpc.call("pool.create", name="p", persist=True)
    parent = w.launch("p")
    w.machine.deliver()
    w.flush()
    w.stop()
    short_child(w, parent, 20_000_000)
    w.start()
    w.machine.advance(130_000)
    assert unobserved(w, "p") == (1, 20_000_000)
