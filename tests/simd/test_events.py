"""Subscribers of the whole daemon: slow ones, many, ones that come late, ones that come back after a crash. Each gets every event
once, in order, or is told what it does not get."""
import threading

import pytest

from harness.host import wait_until

JOB_MEMORY_LIMIT = 10  # a message that is an event and nothing else


@pytest.fixture
def stormy(world):
    """A world where `storm(count)` makes so many events of the pool "a"."""
    def make(**config):
        w = world({"a": {}, "b": {}}, **config)

        def storm(count):
            while count:
                chunk = min(count, 5000)
                w.machine.order("queue_set", items=[{"key": w.key, "message": JOB_MEMORY_LIMIT, "pid": 7}] * chunk)
                w.machine.deliver()
                count -= chunk

        def find_key():
            """The key of the pool's messages, which is another in each run."""
            w.launch("a")
            w.key = w.machine.order("queue")["items"][0]["key"]
            w.machine.deliver()
            w.flush()

        w.storm, w.find_key = storm, find_key
        find_key()
        return w

    return make


def last_seq(w):
    w.flush()
    return w.rpc.call("service.status")["database"]["committedSeq"]


def read_to(client, last):
    """What it is sent, up to the event `last`."""
    seen = []
    while not seen or seen[-1].get("seq", 0) < last:
        seen.append(client.event(lambda event: True))
    return seen


def seqs(seen):
    return [event["seq"] for event in seen if "seq" in event]


def gaps(seen):
    return [event["gap"] for event in seen if "gap" in event]


def test_a_slow_reader_among_others(stormy):
    """50,000 events: it is told once, gets all of them, and a fast one beside it never waits for it."""
    w = stormy()
    slow, fast = w.machine.client(), w.machine.client()
    first = slow.call("events.subscribe")["seq"] + 1
    assert fast.call("events.subscribe")["seq"] + 1 == first
    read = []
    w.storm(2000)
    for _ in range(24):
        w.storm(2000)
        read += read_to(fast, last_seq(w) - 1000)  # it keeps up; the other reads nothing at all
    last = last_seq(w)
    read += read_to(fast, last)
    assert seqs(read) == list(range(first, last + 1)) and last - first + 1 == 50_000
    late = read_to(slow, last)
    assert seqs(late) == list(range(first, last + 1))
    told = gaps(late)
    assert [gap["reason"] for gap in told] == ["slow"] * len(told) and told
    at = next(i for i, event in enumerate(late) if "gap" in event)
    assert told[0]["from"] == late[at - 1]["seq"] + 1 == late[at + 1]["seq"] and told[0]["to"] == last
    assert len(told) == 1, "once"


@pytest.mark.threads
def test_from_the_past_while_a_storm_goes_on(stormy):
    w = stormy()
    w.storm(3000)
    w.flush()
    clients = [w.machine.client() for _ in range(4)]
    wanted = ({"fromSeq": 1}, {"fromSeq": 1, "durable": False}, {"fromSeq": 1000, "pools": ["a"]}, {"fromSeq": 1, "messages": ["NEW_PROCESS"]})
    for client, what in zip(clients, wanted):
        client.begin("events.subscribe", **what)
    storm = threading.Thread(target=w.storm, args=(12_000,))
    storm.start()
    seen = [read_to(client, 9000) for client in clients[:3]]
    storm.join()
    w.launch("b")
    w.machine.deliver()
    last = last_seq(w)
    new = w.events("JOB_OBJECT_MSG_NEW_PROCESS")
    everything = []
    while not everything or everything[-1]["seq"] < last:
        everything += w.rpc.call("events.query", limit=5000, fromSeq=everything[-1]["seq"] + 1 if everything else 1)["events"]
    of_a = [event["seq"] for event in everything if event["seq"] >= 1000 and event["pool"] == "a"]
    seen[0] += read_to(clients[0], last)
    seen[1] += read_to(clients[1], last)
    seen[2] += read_to(clients[2], of_a[-1])
    assert seqs(seen[0]) == seqs(seen[1]) == list(range(1, last + 1))
    assert seqs(seen[2]) == of_a
    assert seqs(read_to(clients[3], new[-1]["seq"])) == [event["seq"] for event in new]
    assert {gap["reason"] for one in seen for gap in gaps(one)} <= {"slow"}
    assert not any("durable" in event for event in seen[0] + seen[2])
    assert not any("durable" in event for event in seen[1][:3000]), "it was on the disk for long"


def test_at_once(stormy):
    """Before it is on the disk; one that waits for the disk gets it when that can be written again."""
    w = stormy()
    now, later = w.machine.client(), w.machine.client()
    now.call("events.subscribe", durable=False)
    later.call("events.subscribe")
    w.machine.order("disk", full=True)
    w.storm(3)
    early = [now.event(lambda event: True) for _ in range(3)]
    assert [event["durable"] for event in early] == [False] * 3
    wait_until(lambda: w.rpc.call("service.status")["database"]["degraded"], "the database to be found full")
    later.call("service.status")
    assert not later.events
    w.machine.order("disk", full=False)
    w.storm(1)
    seen = read_to(later, early[-1]["seq"] + 1)
    assert [{**event, "durable": False} for event in seen[:3]] == [{**event, "subscription": 1} for event in early]
    assert now.event(lambda event: True)["seq"] == early[-1]["seq"] + 1


def test_a_full_backlog_is_told(stormy):
    """The database cannot be written for longer than memory lasts: what is gone is told, exactly."""
    w = stormy(database={"max_backlog": 1000})
    listener, of_b = w.machine.client(), w.machine.client()
    listener.call("events.subscribe")
    of_b.call("events.subscribe", pools=["b"])
    w.flush()
    w.machine.order("disk", full=True)
    w.storm(4000)
    w.machine.order("disk", full=False)
    wait_until(lambda: not w.rpc.call("service.status")["database"]["degraded"], "the database to be written again")
    w.launch("b")
    w.machine.deliver()
    last = last_seq(w)
    seen = read_to(listener, last)
    there = [event["seq"] for event in w.events() if event["seq"] >= seqs(seen)[0]]
    assert seqs(seen) == there, "what is in the database, and nothing else"
    lost = [seq for gap in gaps(seen) for seq in range(gap["from"], gap["to"] + 1)]
    assert sorted(there + lost) == list(range(there[0], last + 1)) and lost
    assert {gap["reason"] for gap in gaps(seen)} <= {"dropped", "missing"}
    status = w.rpc.call("service.status")["database"]
    assert len(lost) == status["droppedEvents"]


@pytest.mark.parametrize("durable", [True, False])
def test_resumed_after_crashes(stormy, durable):
    """A client that comes back with the last seq it has, plus one, has each event of the database once, in order. One that wanted them at
    once has them too, but for those that never came to be there."""
    w = stormy()
    seen = {}
    client = w.machine.client()
    client.call("events.subscribe", fromSeq=1, durable=durable)
    for round_ in range(5):
        w.storm(700)
        for event in read_to(client, max(seen, default=0) + 300):
            assert "gap" in event or event["seq"] not in seen or not durable
            seen |= {event["seq"]: event} if "seq" in event else {}
        w.crash(settled=False)
        w.start()
        w.find_key()
        if not durable:  # what it has beyond the database, it must not count
            seen = {seq: event for seq, event in seen.items() if "durable" not in event}
        client = w.machine.client()
        client.call("events.subscribe", fromSeq=max(seen, default=0) + 1, durable=durable)
    last = last_seq(w)
    for event in read_to(client, last):
        assert event.get("seq") not in seen
        seen |= {event["seq"]: event} if "seq" in event else {}
    everything = []
    while not everything or everything[-1]["seq"] < last:
        everything += w.rpc.call("events.query", limit=5000, fromSeq=everything[-1]["seq"] + 1 if everything else 1)["events"]
    drop = ("subscription", "durable")
    if durable:
        assert list(seen) == sorted(seen)
        assert [{k: v for k, v in event.items() if k not in drop} for event in seen.values()] == everything
    else:
        assert sorted(seen) == [event["seq"] for event in everything]
