"""Messages are hints: lost, doubled, late, in another order, and the picture is the same."""
import itertools

import pytest

NEW, EXIT = "JOB_OBJECT_MSG_NEW_PROCESS", "JOB_OBJECT_MSG_EXIT_PROCESS"


def waiting(w):
    return w.machine.order("queue")["items"]


def test_a_lost_end_is_told_by_the_handle(world):
    w = world({"a": {}})
    pid = w.launch("a")
    w.machine.deliver()
    w.machine.exit(pid, 3, deliver=False)
    w.machine.order("lose", message=7)
    w.machine.deliver()
    assert w.events(EXIT, "a") == []
    w.machine.advance(300)
    event = w.events(EXIT, "a")[0]
    assert (event["origin"], event["exitCode"]) == ("reconciler", 3)
    assert (w.row(pid)["ending"], w.row(pid)["exitCode"]) == ("exited", 3)


def test_a_lost_beginning_is_found_in_the_list(world):
    w = world({"a": {}})
    parent = w.launch("a")
    w.machine.deliver()
    child = w.machine.spawn(parent)
    w.machine.order("lose", message=6)
    w.machine.deliver()
    assert w.members("a") == [parent]
    w.machine.advance(61_000)
    assert w.members("a") == sorted([parent, child])
    assert [event["origin"] for event in w.events(NEW, "a", child)] == ["reconciler"]
    assert w.row(child)["joinedBy"] == "reconciler"


def test_all_twice_is_told_once(world):
    w = world({"a": {}, "b": {"parent": "a"}})
    pid = w.launch("b")
    w.machine.exit(pid, 3, deliver=False)
    items = waiting(w)
    w.machine.order("queue_set", items=[item for item in items for _ in range(2 if item["message"] in (6, 7) else 1)])
    w.machine.advance(5000)
    for pool in ("a", "b"):
        assert len(w.events(NEW, pool)) == len(w.events(EXIT, pool)) == 1
    assert len(w.rows(pid=pid)) == 1


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_any_order_gives_the_same_accounts(world, order):
    """Of a child: NEW and EXIT of both pools, and the end told by the handle of who is known by then."""
    w = world({"a": {}, "b": {"parent": "a"}})
    parent = w.launch("b")
    w.machine.deliver()
    child = w.machine.spawn(parent, held=True)
    w.machine.exit(child, 3, deliver=False)
    items = [item for item in waiting(w) if item["pid"] == child]
    assert len(items) == 4
    w.machine.order("queue_set", items=[items[i] for i in order])
    w.machine.advance(5000)
    rows = w.rows(pid=child)
    assert [(row["pool"], row["ending"], row["exitCode"]) for row in rows] == [("b", "exited", 3)]
    for pool in ("a", "b"):
        assert len(w.events(NEW, pool, child)) == len(w.events(EXIT, pool, child)) == 1


def test_a_late_message_finds_whom_it_means(world):
    w = world({"a": {}})
    pid = w.launch("a")
    w.machine.deliver()
    w.machine.exit(pid, 3, deliver=False)
    late = [item | {"dueMs": 1000 + w.machine.order("now")["ms"]} for item in waiting(w) if item["message"] == 7]
    w.machine.order("queue_set", items=late + [item for item in waiting(w) if item["message"] != 7])
    w.machine.advance(5000)
    assert [event["origin"] for event in w.events(EXIT, "a")] == ["reconciler"], "it had its time"
    assert len(w.rows(pid=pid)) == 1


def test_a_child_that_was_too_quick_counts_all_the_same(world):
    w = world({"a": {}})
    parent = w.launch("a")
    w.machine.deliver()
    child = w.machine.spawn(parent)
    w.machine.exit(child, 3)
    row = w.row(child)
    assert row["startTimeExact"] is False and row["ending"] == "exited"


def test_a_pid_that_is_used_again_at_once(world):
    w = world({"a": {}})
    w.machine.order("reuse_pids", atOnce=True)
    parent = w.launch("a")
    w.machine.deliver()
    child = w.machine.spawn(parent)
    w.machine.exit(child, 3, deliver=False)
    stranger = w.machine.spawn()
    assert stranger == child
    w.machine.deliver()
    w.machine.advance(5000)
    assert w.members("a") == [parent], "the stranger is not taken for the child"
    rows = w.rows(pid=child)
    assert len(rows) == 1 and rows[0]["ended"] and rows[0]["startTimeExact"] is False


def test_a_late_message_of_the_one_before_moves_nobody(world):
    """Its pid is the next one's at once: that one is in the pool above, whatever is said of the pid there."""
    w = world({"top": {}, "low": {"parent": "top"}})
    w.machine.order("reuse_pids", atOnce=True)
    parent = w.assigned("low")
    w.machine.deliver()
    short = w.machine.spawn(parent)
    w.machine.exit(short, 3, deliver=False)
    launched = w.rpc.call("pool.launch", pool="top", argv=["next.exe"])
    assert launched["pid"] == short, "the test is about that"
    w.machine.deliver()
    w.machine.advance(130_000)
    [row] = w.rpc.call("pool.processes", pool="top", recursive=False)["processes"]
    assert (row["pid"], row["startTime"]) == (launched["pid"], launched["startTime"])
    assert [row["pid"] for row in w.rpc.call("pool.processes", pool="low")["processes"]] == [parent]


def test_many_messages_overflow_nothing_that_counts(world):
    w = world({"a": {}})
    parent = w.launch("a")
    children = [w.machine.spawn(parent) for _ in range(300)]
    w.machine.deliver()
    assert w.members("a") == sorted([parent] + children)
    w.rpc.call("pool.terminate", pool="a", exitCode=2)
    w.machine.advance(3000)
    assert {row["ending"] for row in w.rows()} == {"terminated"}


def test_a_host_that_does_not_let_us_listen_again(world):
    w = world({"a": {}})
    parent = w.launch("a")
    w.machine.deliver()
    w.stop()
    w.machine.order("deaf", deaf=True)
    w.start()
    assert w.rpc.call("pool.get", pool="a")["listening"] is False
    child = w.machine.spawn(parent)
    w.machine.advance(1000)
    assert w.members("a") == sorted([parent, child])
    w.machine.exit(child, 3)
    w.machine.advance(1000)
    assert w.row(child)["exitCode"] == 3
