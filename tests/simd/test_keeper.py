"""The keeper above the simulated kernel, on a machine where a job's name goes with its last handle, as on Windows."""
import pytest

POOLS = {"a": {"limits": {"active_processes": 5}}, "b": {"parent": "a"}, "ends": {"on_service_stop": "terminate"}}


@pytest.fixture
def keeping(world):
    """A service with a member in pool b, and so with a keeper: (world, the member's pid, the keeper's row)."""
    w = world(POOLS, start=False)
    w.machine.order("names_die")
    w.start()
    assert keepers(w) == [] and "keeper" not in w.rpc.call("service.status")
    pid = w.launch("b")
    w.machine.deliver()
    (keeper,) = keepers(w)
    assert w.rpc.call("service.status")["keeper"] == keeper["pid"]
    return w, pid, keeper


def keepers(w):
    return w.machine.order("keepers")["keepers"]


def names(keeper):
    return sorted(keeper["jobs"])


@pytest.mark.parametrize("crash", [True, False])
def test_the_next_start_finds_the_same_jobs(keeping, crash):
    w, pid, keeper = keeping
    held = names(keeper)
    assert any("JobPool.b" in name for name in held)
    w.launch("ends")
    (w.crash if crash else w.stop)()
    child = w.machine.spawn(pid)
    (alone,) = keepers(w)
    assert alone["pid"] == keeper["pid"] and names(alone) == held
    w.start()
    assert w.members("b") == sorted([pid, child])
    (successor,) = keepers(w)
    assert successor["pid"] != keeper["pid"] and names(successor) == held
    assert sorted(w.machine.job("b")["pids"]) == sorted([pid, child]), "in the job that there was, which has the name yet"
    assert w.machine.order("fate", pid=keeper["pid"], startTime=keeper["startTime"])["fate"]["end"] == "terminated"


def test_a_keeper_alone_ends_with_the_last_member(keeping):
    w, pid, keeper = keeping
    w.crash()
    w.machine.advance(5000, deliver=False)
    assert [row["pid"] for row in keepers(w)] == [keeper["pid"]]
    w.machine.exit(pid, deliver=False)
    w.machine.advance(2000, deliver=False)
    assert keepers(w) == [] and not w.machine.order("job", name="Global\\JobPool.b")["exists"]
    w.start()
    assert w.row(pid)["ending"] == "unknown"


def test_a_keeper_that_is_killed_has_a_successor(keeping):
    w, pid, keeper = keeping
    w.machine.advance(10000)
    w.machine.exit(keeper["pid"], 9)
    (successor,) = keepers(w)
    assert successor["pid"] != keeper["pid"] and names(successor) == names(keeper)
    assert w.rpc.call("events.query", messages=["KEEPER_ENDED"])["events"]
    w.restart(crash=True)
    assert w.members("b") == [pid]


@pytest.mark.parametrize("operation", ["CreateKeeper", "DuplicateHandle"])
def test_a_keeper_that_cannot_be_had_is_tried_again(world, operation):
    w = world(POOLS)
    w.machine.order("fail_often", operation=operation, perMille=1000)
    pid = w.assigned("a")
    assert not any(keeper["jobs"] for keeper in keepers(w))
    assert w.rpc.call("events.query", messages=["KEEPER_FAILED"])["events"]
    w.machine.order("fail_often", operation=operation, perMille=0)
    w.machine.advance(6000)
    assert w.members("a") == [pid], "the pool does not suffer"
    (keeper,) = keepers(w)
    assert any("JobPool.a" in name for name in names(keeper))


def test_a_keeper_goes_with_the_pools_that_want_it(keeping):
    w, pid, keeper = keeping
    w.machine.write_config({"pools": {name: spec | {"on_service_stop": "terminate"} for name, spec in POOLS.items()}})
    w.rpc.call("service.reload")
    w.machine.deliver()
    assert keepers(w) == [] and "keeper" not in w.rpc.call("service.status")
    assert w.members("b") == [pid]
