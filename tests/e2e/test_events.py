"""events.subscribe, unsubscribe and query: every event once, in order, across clients and restarts."""
import json
import re
import signal
import subprocess

import pytest

from harness.host import ROOT, WINDOWS, wait_until


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


# --------------------------------------------------------------------------------------------------------- the command

def seqs(result):
    assert result.returncode == 0, result.stderr
    return [int(line.split()[0]) for line in result.stdout.splitlines()]


def follow(service, host, *arguments, **options):
    return host.start("jobpool", "--pipe", service.pipe, "events", "--follow", *map(str, arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def test_filters_by_process_and_origin(rpc, pool, jobber):
    process = rpc.call("pool.launch", pool=pool, argv=jobber("exit", 0))
    events = settled(rpc, pool)
    for origins in (["service"], ["kernel", "reconciler"]):
        wanted = [event for event in events if event["origin"] in origins]
        assert wanted and rpc.call("events.query", pools=[pool], origins=origins)["events"] == wanted
        subscription = rpc.call("events.subscribe", pools=[pool], origins=origins, pid=process["pid"], fromSeq=events[0]["seq"])["subscription"]
        wanted = [event["seq"] for event in wanted if event.get("pid") == process["pid"]]
        assert [rpc.event(lambda event: event["subscription"] == subscription)["seq"] for _ in wanted] == wanted
        rpc.call("events.unsubscribe", subscription=subscription)


def test_the_command_filters_likewise(service, rpc, pool, jobber):
    process = rpc.call("pool.launch", pool=pool, argv=jobber("exit", 0))
    events = settled(rpc, pool)
    base = ("events", "--pool", pool)
    assert seqs(service.jobpool(*base, "--origin", "service")) == [event["seq"] for event in events if event["origin"] == "service"]
    assert seqs(service.jobpool(*base, "--pid", process["pid"])) == [event["seq"] for event in events if event.get("pid") == process["pid"]]
    assert seqs(service.jobpool(*base, "-f", "--from-seq", events[0]["seq"], "--pid", process["pid"], "-n", "2")) == \
        [event["seq"] for event in events if event.get("pid") == process["pid"]][:2]
    assert service.jobpool(*base, "--origin", "nobody").returncode == 2


def test_since_a_time(service, rpc, pool, jobber):
    make_events(rpc, jobber, pool, 2)
    events = settled(rpc, pool)
    numbers = [event["seq"] for event in events]
    middle = events[len(events) // 2]
    later = [event["seq"] for event in events if event["time"] >= middle["time"]]
    assert seqs(service.jobpool("events", "--pool", pool, "--since", "1h")) == numbers
    assert seqs(service.jobpool("events", "--pool", pool, "--since", middle["time"])) == later
    assert seqs(service.jobpool("events", "--pool", pool, "--since", events[0]["time"], "--until", middle["time"])) == \
        [event["seq"] for event in events if event["time"] < middle["time"]]
    assert seqs(service.jobpool("events", "-f", "--pool", pool, "--since", middle["time"], "--limit", len(later))) == later
    assert seqs(service.jobpool("events", "-f", "--pool", pool, "--since", "1h", "--from-seq", numbers[1], "--limit", 1)) == numbers[1:2]
    assert service.jobpool("events", "-f", "--until", "1h").returncode == 2


def test_since_a_time_after_which_nothing_happened_yet(service, rpc, pool, host):
    following = follow(service, host, "--pool", pool, "--since", "2100-01-01", "--limit", 1)
    first = rpc.call("events.query", pools=[pool])["events"][-1]["seq"]

    def told():  # whenever it has subscribed: nothing says so
        rpc.call("pool.update", pool=pool, description="again")
        return following.poll() is not None

    wait_until(told, "an event to be told", interval=0.2)
    assert int(following.stdout.read().split()[0]) > first


def test_all_there_is_from_a_place_on(service, rpc, pool):
    """More than a page of them, each once and in order."""
    first = rpc.call("pool.update", pool=pool, description="0") and rpc.call("events.query", pools=[pool], newest=True, limit=1)["events"][0]["seq"]
    for number in range(1100):
        rpc.call("pool.update", pool=pool, description=str(number))
    result = service.jobpool("events", "--format", "csv", "--columns", "seq,message", "--pool", pool, "--from-seq", first)
    rows = result.stdout.splitlines()
    assert rows[0] == "seq,message" and len(rows) == 1102 and {row.split(",")[1] for row in rows[1:]} == {"POOL_UPDATED"}
    numbers = [int(row.split(",")[0]) for row in rows[1:]]
    assert numbers[0] == first and numbers == sorted(set(numbers))
    assert len(seqs(service.jobpool("events", "--pool", pool))) == 1000, "without a place the last ones"


def test_formats_while_following(service, rpc, pool):
    first = rpc.call("pool.update", pool=pool, description="a") and rpc.call("events.query", pools=[pool])["events"][0]["seq"]
    follow = ("events", "-f", "--pool", pool, "--from-seq", first, "--limit", 2)
    assert service.jobpool(*follow, "--format", "csv", "--columns", "pool,message").stdout.splitlines() == \
        ["pool,message", f"{pool},POOL_CREATED", f"{pool},POOL_UPDATED"]
    lines = service.jobpool(*follow, "--format", "ndjson").stdout.splitlines()
    assert [json.loads(line)["message"] for line in lines] == ["POOL_CREATED", "POOL_UPDATED"]
    assert service.jobpool(*follow, "--sort", "seq").returncode == 2


def test_rows_stand_below_each_other_while_following(service, rpc, pool):
    first = rpc.call("pool.update", pool=pool, description="a") and rpc.call("events.query", pools=[pool])["events"][0]["seq"]
    follow = ("events", "-f", "--pool", pool, "--from-seq", first, "--limit", 2, "--columns", "exitCode,message")
    assert service.jobpool(*follow).stdout.splitlines() == ["EXIT CODE  MESSAGE", "        -  POOL_CREATED", "        -  POOL_UPDATED"]
    assert service.jobpool(*follow, "--no-header").stdout.splitlines() == ["        -  POOL_CREATED", "        -  POOL_UPDATED"]


def test_messages_by_name(service, rpc, pool):
    """In any case, with and without Windows' prefix; what is none is said, instead of showing nothing for ever. All that docs/rpc.md has are known."""
    table = re.search(r"^## Events\n.*?^(\| message .*?)\n\n", (ROOT / "docs" / "rpc.md").read_text(encoding="utf-8"), re.M | re.S).group(1)
    told = [name for line in table.splitlines() for name in re.findall(r"`([A-Z]+_[A-Z_]+)`", line.split("|")[1])]
    assert len(told) > 30
    everything = [word for name in (*told, "job_object_msg_new_process") for word in ("-m", name)]
    assert service.jobpool("events", "-n", "1", *everything).returncode == 0
    assert service.jobpool("events", "--pool", pool, "-m", "pool_created").stdout.split()[3:4] == ["POOL_CREATED"]
    result = service.jobpool("events", "-f", "-m", "EXIT_PROCES")
    assert result.returncode == 2 and 'no message "EXIT_PROCES"; did you mean "EXIT_PROCESS"?' in result.stderr


@pytest.mark.parametrize("command", [["events"], ["accounting"], ["accounting", "summary"], ["accounting", "report"], ["accounting", "processes"], ["accounting", "purge", "--older-than", "90d"], ["report", "-o", "-"]])
def test_a_pool_that_never_was_is_said(service, rpc, pool, command):
    result = service.jobpool(*command, "--pool", f"{pool}x")
    assert result.returncode == 1 and result.stdout == "" and f'no pool "{pool}x"; did you mean "' in result.stderr, result.stderr
    rpc.call("pool.delete", pool=pool)
    assert service.jobpool(*command, "--pool", pool).returncode == 0, "it was there, and left an event"
    rpc.call("pool.create", name=pool)


def test_who_follows_a_pool_that_is_not_there_yet_is_told(service, rpc, pool, host):
    following = follow(service, host, "--pool", f"{pool}x", "--limit", 1, text=True)
    assert f'no pool "{pool}x"' in following.stderr.readline()
    while "as soon as somebody makes it" not in following.stderr.readline():
        pass
    rpc.call("pool.create", name=f"{pool}x")
    wait_until(lambda: rpc.call("pool.update", pool=f"{pool}x", description="again") and following.poll() is not None, "an event to be told", interval=0.2)
    assert following.stdout.read().split()[2] == f"{pool}x"
    rpc.call("pool.delete", pool=f"{pool}x")


def test_colours_by_kind(service, rpc, pool, jobber):
    rpc.call("pool.launch", pool=pool, argv=jobber("exit", 3))
    settled(rpc, pool)
    coloured = service.jobpool("events", "--pool", pool, environment={"JOBPOOL_COLOR": "always"}).stdout
    for text in ("\033[32mNEW_PROCESS\033[0m", "\033[31mEXIT_PROCESS\033[0m", "\033[36mPOOL_CREATED\033[0m"):
        assert text in coloured
    assert "\033" not in service.jobpool("events", "--pool", pool).stdout, "no terminal, no colours"


def test_a_program_for_each_event(service, rpc, pool, jobber, host, tmp_path):
    notes = tmp_path / "notes & %PATH%.txt"
    rpc.call("pool.update", pool=pool, description='" & echo harm')
    process = rpc.call("pool.launch", pool=pool, argv=jobber("exit", 3))
    events = settled(rpc, pool)
    command = f'"{host.program("jobber")}" event "{host.path(notes)}" 0'
    result = service.jobpool("events", "-f", "--pool", pool, "--from-seq", events[0]["seq"], "--limit", len(events), "--exec", command)
    assert result.returncode == 0 and seqs(result) == [event["seq"] for event in events], "standard output has the events alone"
    got = [line.split(" ", 1) for line in notes.read_text(encoding="utf-8").splitlines()]
    assert [message for message, _ in got] == [event["message"] for event in events], "one at a time, in order"
    told = [json.loads(text) for _, text in got]
    assert [event["seq"] for event in told] == [event["seq"] for event in events] and told[-1]["message"] == "JOB_OBJECT_MSG_ACTIVE_PROCESS_ZERO"
    assert process["pid"] in [event.get("pid") for event in told]


def test_a_program_that_fails(service, rpc, pool, host, tmp_path):
    first = rpc.call("pool.update", pool=pool, description="a") and rpc.call("events.query", pools=[pool])["events"][0]["seq"]
    follow = ("events", "-f", "--pool", pool, "--from-seq", first, "--limit", 2, "--exec")
    result = service.jobpool(*follow, f'"{host.program("jobber")}" event "{host.path(tmp_path / "x")}" 5')
    assert result.returncode == 1 and result.stderr.count("ended with exit code 5") == 2 and f"event {first}:" in result.stderr
    assert len(result.stdout.splitlines()) == 2, "it goes on with the next one"
    result = service.jobpool(*follow, "no-such-program.exe")
    assert result.returncode == 1 and "no-such-program.exe" in result.stderr and f"go on with --from-seq {first}" in result.stderr
    assert len(result.stdout.splitlines()) == 1
    assert service.jobpool("events", "--exec", "x").returncode == 2


@pytest.mark.skipif(WINDOWS, reason="Ctrl-Break to the group would end the program that runs as well")
def test_ctrl_c_lets_the_program_that_runs_end(service, rpc, pool, host, tmp_path):
    notes = tmp_path / "notes.txt"
    first = rpc.call("pool.update", pool=pool, description="a") and rpc.call("events.query", pools=[pool])["events"][0]["seq"]
    following = follow(service, host, "--pool", pool, "--from-seq", first, "--exec", f'"{host.program("jobber")}" event "{host.path(notes)}" 0')
    wait_until(lambda: notes.exists() and len(notes.read_text().splitlines()) == 2, "both events")
    following.send_signal(signal.SIGINT)
    assert following.wait(60) == 0x3A, "STATUS_CONTROL_C_EXIT, of which Unix has the last byte"
    told = following.stderr.read().decode()
    last = rpc.call("events.query", pools=[pool])["events"][-1]["seq"]
    assert f"go on with --from-seq {last + 1}" in told or f"go on with --from-seq {last}" in told
    assert len(notes.read_text().splitlines()) == 2
