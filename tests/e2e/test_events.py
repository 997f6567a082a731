"""events.subscribe, unsubscribe and query: every event once, in order, across clients and restarts."""
import pytest

from harness.host import wait_until


def make_events(rpc, jobber, pool, count):
    """Some processes that come and go: at least three events each."""
    for code in range(count):
        process = rpc.call("pool.launch", pool=pool, argv=jobber("exit", code))
        rpc.call("pool.wait", pool=pool, pid=process["pid"], startTime=process["startTime"])


def settled(rpc, pool):
    """All events of a pool, when no more are to be expected: the last process is gone, and the pool is reported empty."""
    def last_is_zero():
        events = rpc.call("events.query", pools=[pool])["events"]
        return events if events and events[-1]["message"] == "JOB_OBJECT_MSG_ACTIVE_PROCESS_ZERO" else None

    return wait_until(last_is_zero, f"pool {pool} to be reported empty")


def test_what_a_process_leaves_behind(rpc, pool, jobber):
    process = rpc.call("pool.launch", pool=pool, argv=jobber("exit", 3))
    events = settled(rpc, pool)
    messages = [event["message"] for event in events]
    assert set(messages) == {"POOL_CREATED", "PROCESS_LAUNCHED", "JOB_OBJECT_MSG_NEW_PROCESS", "JOB_OBJECT_MSG_EXIT_PROCESS",
                             "JOB_OBJECT_MSG_ACTIVE_PROCESS_ZERO"}
    assert len(messages) == 5, "each once"
    by_message = {event["message"]: event for event in events}
    came, left = by_message["JOB_OBJECT_MSG_NEW_PROCESS"], by_message["JOB_OBJECT_MSG_EXIT_PROCESS"]
    assert came["pid"] == left["pid"] == process["pid"] and came["startTime"] == process["startTime"]
    assert came["process"].lower() == "jobber.exe" and left["exitCode"] == 3 and "exitCode" not in came
    assert by_message["PROCESS_LAUNCHED"]["origin"] == "service" and by_message["PROCESS_LAUNCHED"]["seq"] == process["seq"]
    assert came["origin"] in ("kernel", "reconciler") and all(event["time"].endswith("Z") for event in events)
    assert came["seq"] < left["seq"]


def test_seq_rises_by_one(rpc, pool, jobber):
    first = rpc.call("service.status")["database"]["committedSeq"] + 1  # of what came before, other tests have purged some
    make_events(rpc, jobber, pool, 6)
    settled(rpc, pool)
    seqs = [event["seq"] for event in rpc.call("events.query", fromSeq=first, limit=400)["events"]]
    assert len(seqs) > 10 and seqs == list(range(first, first + len(seqs)))


def test_live_events_are_those_of_the_record(rpc, pool, jobber):
    subscribed = rpc.call("events.subscribe")
    make_events(rpc, jobber, pool, 3)
    wanted = [event for event in settled(rpc, pool) if event["seq"] > subscribed["seq"]]
    for event in wanted:
        live = rpc.event(lambda candidate: candidate["seq"] == event["seq"])
        assert live.pop("subscription") == subscribed["subscription"]
        assert live == event


def test_from_the_past_into_the_present_without_gap_or_double(service, rpc, pool, jobber):
    first = rpc.call("service.status")["database"]["committedSeq"] + 1  # of what came before, other tests have purged some
    make_events(rpc, jobber, pool, 5)
    with service.bridge() as listener:
        listener.call("events.subscribe", fromSeq=first)
        make_events(rpc, jobber, pool, 5)
        last = settled(rpc, pool)[-1]["seq"]
        seen = []
        while not seen or seen[-1] < last:
            seen.append(listener.event(lambda event: True)["seq"])
    assert seen == list(range(first, seen[-1] + 1))


def test_a_subscription_that_begins_in_the_future(rpc, pool, jobber):
    make_events(rpc, jobber, pool, 1)
    last = settled(rpc, pool)[-1]["seq"]
    rpc.call("events.subscribe", pools=[pool], fromSeq=last + 3)
    make_events(rpc, jobber, pool, 2)
    settled(rpc, pool)
    assert rpc.event(lambda event: True)["seq"] >= last + 3


def test_filters(rpc, pool, jobber):
    by_pool = rpc.call("events.subscribe", pools=[pool])["subscription"]
    by_message = rpc.call("events.subscribe", messages=["EXIT_PROCESS", "POOL_DELETED"], pools=[pool])["subscription"]
    make_events(rpc, jobber, pool, 2)
    recorded = settled(rpc, pool)
    rpc.event(lambda event: event["subscription"] == by_pool and event["seq"] == recorded[-1]["seq"])
    rest = [event for event in rpc.events if event["subscription"] == by_message]
    assert [event["message"] for event in rest] == ["JOB_OBJECT_MSG_EXIT_PROCESS"] * 2
    assert {event["pool"] for event in rpc.events} == {pool}


def test_unsubscribe(rpc, pool, jobber):
    subscription = rpc.call("events.subscribe", pools=[pool])["subscription"]
    assert rpc.call("events.unsubscribe", subscription=subscription) == {"subscription": subscription}
    rpc.events.clear()
    make_events(rpc, jobber, pool, 1)
    settled(rpc, pool)
    assert not [event for event in rpc.events if event["subscription"] == subscription]
    error = rpc.error("events.unsubscribe", subscription=subscription)
    assert (error.code, error.name) == (-32015, "unknown_subscription")


def test_subscriptions_are_a_connections_own(service, rpc):
    subscription = rpc.call("events.subscribe")["subscription"]
    with service.bridge() as other:
        assert other.error("events.unsubscribe", subscription=subscription).name == "unknown_subscription"


def test_subscriptions_have_a_bound(rpc):
    for _ in range(16):
        rpc.call("events.subscribe", pools=["nobody"])
    assert rpc.error("events.subscribe").name == "quota_exceeded"


def test_query_by_number_process_time_and_place(rpc, pool, jobber):
    make_events(rpc, jobber, pool, 3)
    events = settled(rpc, pool)
    middle = events[len(events) // 2]
    assert rpc.call("events.query", pools=[pool], fromSeq=middle["seq"])["events"] == events[len(events) // 2:]
    assert rpc.call("events.query", pools=[pool], limit=2)["events"] == events[:2]
    assert rpc.call("events.query", pools=[pool], limit=2, newest=True)["events"] == events[-2:]
    pid = next(event["pid"] for event in events if event.get("pid"))
    assert {event["pid"] for event in rpc.call("events.query", pools=[pool], pid=pid)["events"]} == {pid}
    during = rpc.call("events.query", pools=[pool], **{"from": events[1]["time"], "to": events[-2]["time"]})["events"]
    assert [event for event in events if events[1]["time"] <= event["time"] < events[-2]["time"]] == during
    assert rpc.call("events.query", pools=[pool], messages=["JOB_OBJECT_MSG_NEW_PROCESS"])["events"] == \
        rpc.call("events.query", pools=[pool], messages=["NEW_PROCESS"])["events"] != []
    assert rpc.call("events.query", pools=["nobody"])["events"] == []


@pytest.mark.parametrize("clients", [5])
def test_every_client_hears_everything(service, rpc, pool, jobber, clients):
    listeners = [service.bridge() for _ in range(clients)]
    try:
        for listener in listeners:
            listener.call("events.subscribe", pools=[pool])
        make_events(rpc, jobber, pool, 2)
        recorded = [event["seq"] for event in settled(rpc, pool) if event["message"] != "POOL_CREATED"]
        for listener in listeners:
            assert [listener.event(lambda event: True)["seq"] for _ in recorded] == recorded
    finally:
        for listener in listeners:
            listener.kill()
