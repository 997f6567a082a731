"""What a client may take of the service: each bound, one over it, and far over it. Whatever happens to one connection, the administrator's own is
served; what is over a bound gets a clear error or a closed connection."""
import json

import pytest

from harness.host import wait_until
from harness.simulated import ALICE

DEFAULTS = {"message": "1MiB", "depth": 64, "batch": 100, "connections": 256, "connections_per_user": 32, "in_flight": 64, "subscriptions": 16,
            "jobs": 64, "unread": "4MiB", "stall": "1m", "first_byte": "10s", "idle": "0s", "ephemeral_pools": 100}
USER = {"user": "SIM\\user"}


def request(number=1, method="service.status", **params):
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def padded(size, number=1):
    """A request of so many bytes."""
    text = json.dumps(request(number)).encode()
    return text[:-1] + b" " * (size - len(text)) + b"}"


def refused(answer, request_id=None):
    return answer["id"] == request_id and answer["error"]["data"]["name"] == "quota_exceeded"


def is_turned_away(client, method, **params):
    """Whatever it asks first, that is told and no more."""
    asked = client.begin(method, **params)
    return refused(client.receive(), asked) and client.receive() is None


def is_closed(client):
    """Reads up what is there; True at the end, an error where none comes."""
    while client.receive() is not None:
        pass
    return True


def connections(w):
    return w.rpc.call("service.status")["connections"]


@pytest.fixture
def limited(world):
    """limited(batch=5, ...): a world with these quotas, and one client more than the administrator's."""

    def make(**quotas):
        w = world({"a": {}}, quotas=quotas, access={"view": ["Everyone"]})
        w.client = w.machine.client()
        return w

    yield make


def test_all_are_told(world):
    """The simulator gives everybody a day to begin, because its time flies."""
    assert world({"a": {}}).rpc.call("service.status")["quotas"] == DEFAULTS | {"first_byte": "1d"}
    chosen = {"message": "64KiB", "depth": 32, "batch": 7, "connections": 9, "connections_per_user": 3, "in_flight": 5, "subscriptions": 2, "jobs": 4,
              "unread": "128KiB", "stall": "5s", "first_byte": "2s", "idle": "1h", "ephemeral_pools": 3}
    assert world({"a": {}}, quotas=chosen).rpc.call("service.status")["quotas"] == chosen


# ---------------------------------------------------------------------------------------------------------------- messages


@pytest.mark.parametrize("size, good", [(4096, True), (4097, False), (40960, False), (1 << 24, False)])
def test_a_message_by_line(limited, size, good):
    w = limited(message="4KiB")
    w.client.socket.sendall(padded(size) + b"\n")
    answer = w.client.receive()
    assert "result" in answer if good else refused(answer)
    assert w.client.call("pool.list")["pools"], "the connection goes on with the next message"


def receive_by_length(client):
    """One message in the other framing."""
    while b"\r\n\r\n" not in client._buffer:
        more = client.socket.recv(1 << 16)
        assert more, "closed"
        client._buffer += more
    head, rest = client._buffer.split(b"\r\n\r\n", 1)
    length = int(head.split(b":")[1])
    while len(rest) < length:
        more = client.socket.recv(1 << 16)
        assert more, "closed"
        rest += more
    client._buffer = rest[length:]
    return json.loads(rest[:length])


@pytest.mark.parametrize("size, good", [(4096, True), (4097, False), (1 << 24, False)])
def test_a_message_by_length(limited, size, good):
    w = limited(message="4KiB")
    next_one = padded(100, number=2)
    w.client.socket.sendall(b"Content-Length: %d\r\n\r\n%sContent-Length: 100\r\n\r\n%s" % (size, padded(size), next_one))
    answer = receive_by_length(w.client)
    assert "result" in answer if good else refused(answer)
    assert receive_by_length(w.client)["id"] == 2, "the connection goes on with the next message"


def test_a_body_that_cannot_be(limited):
    """It is told at once; who then sends it all the same has the time for one message."""
    w = limited(message="4KiB", stall="5s")
    w.client.socket.sendall(b"Content-Length: %d\r\n\r\n{" % 10**17)
    assert refused(receive_by_length(w.client))
    w.machine.advance(5001)
    assert is_closed(w.client)
    assert connections(w) == 1


@pytest.mark.parametrize("depth, good", [(16, True), (17, False), (5000, False)])
def test_depth(limited, depth, good):
    w = limited(depth=16)
    inner = "[" * (depth - 2) + "]" * (depth - 2)
    w.client.socket.sendall(b'{"jsonrpc": "2.0", "id": 1, "method": "no.such", "params": {"a": %s}}\n' % inner.encode())
    answer = w.client.receive()
    assert answer["error"]["data"]["name"] == "method_not_found" if good else answer["id"] is None and "deep" in answer["error"]["message"]
    assert w.client.call("pool.list")["pools"]


@pytest.mark.parametrize("count", [5, 6, 2000])
def test_batch(limited, count):
    w = limited(batch=5)
    w.client.send([request(number, "pool.list") for number in range(count)])
    answer = w.client.receive()
    if count <= 5:
        assert [one["id"] for one in answer] == list(range(count)) and all("result" in one for one in answer)
    else:
        assert refused(answer), "one answer, to none of them"
    assert w.client.call("pool.list")["pools"]


# ------------------------------------------------------------------------------------------------------------- connections


def test_who_is_silent_makes_room(limited):
    w = limited(connections=6, connections_per_user=100)
    w.client.call("pool.list")
    silent = [w.machine.client() for _ in range(4)]
    wait_until(lambda: connections(w) == 6, "the silent ones to be counted")
    late = [w.machine.client() for _ in range(2)]
    for client in late:
        assert client.call("pool.list")["pools"]
    assert is_closed(silent[0]) and is_closed(silent[1]), "those that had waited longest"
    assert silent[2].call("pool.list")["pools"] and silent[3].call("pool.list")["pools"]
    assert w.client.call("pool.list")["pools"], "who has spoken stays"
    assert connections(w) == 6


@pytest.mark.parametrize("beginning", [b"\n", b" \xef\xbb\xbf\r\n", b"{", b"Content-Length: 100\r\n\r\n{"])
def test_who_only_begins_makes_room_too(limited, beginning):
    """Until its first message is whole nobody knows whose connection it is, so it is not counted for him: it may not be in others' way."""
    w = limited(connections=20)
    w.rpc.call("pool.list")
    for client in [w.machine.client() for _ in range(40)]:
        try:
            client.socket.sendall(beginning)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has made room already
    for client in [w.machine.client() for _ in range(10)]:
        assert client.call("pool.list")["pools"]
    assert w.rpc.call("pool.list")["pools"]


@pytest.mark.parametrize("blank", [b"\n", b"\r\n \t", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n\n"])
def test_blanks_are_silence(limited, blank):
    w = limited(first_byte="2s")
    w.client.socket.sendall(blank)
    wait_until(lambda: connections(w) == 2, "it to be counted")
    w.machine.advance(2100)
    assert is_closed(w.client)


@pytest.mark.parametrize("more", [1, 40])
def test_more_connections_than_there_may_be(limited, more):
    w = limited(connections=4, connections_per_user=100)
    there = [w.rpc, w.client, w.machine.client(), w.machine.client()]
    for client in there:
        assert client.call("pool.list")["pools"]
    for client in [w.machine.client() for _ in range(more)]:
        assert refused(client.receive())
        assert is_closed(client)
    for client in there:
        assert client.call("pool.list")["pools"], "who was there first is served"
    there.pop().close()
    wait_until(lambda: connections(w) == 3, "one to be gone")
    assert w.machine.client().call("pool.list")["pools"]


@pytest.mark.parametrize("more", [1, 20])
def test_more_connections_than_an_account_may_have(limited, more):
    w = limited(connections_per_user=3)
    mine = [w.machine.client(**USER) for _ in range(3)]
    for client in mine:
        assert client.call("pool.list")["pools"]
    for client in [w.machine.client(**USER) for _ in range(more)]:
        assert is_turned_away(client, "pool.list")
    for client in mine:
        assert client.call("pool.list")["pools"]
    assert w.machine.client(user="SIM\\other").call("pool.list")["pools"], "it is nobody else's bound"
    mine.pop().close()
    wait_until(lambda: connections(w) == 5, "one to be gone")
    assert w.machine.client(**USER).call("pool.list")["pools"]


def test_the_first_request_of_one_too_many_does_nothing(limited):
    w = limited(connections_per_user=2)
    for client in (w.rpc, w.client):
        assert client.call("pool.list")["pools"]
    assert is_turned_away(w.machine.client(), "pool.create", name="sneaked")
    assert w.rpc.error("pool.get", pool="sneaked").name == "unknown_pool"


# ---------------------------------------------------------------------------------------------- what one connection may have


@pytest.mark.parametrize("more", [1, 50])
def test_requests_in_flight(limited, more):
    w = limited(in_flight=4)
    pid = w.launch("a")
    w.machine.deliver()
    waiting = [w.client.begin("pool.wait", pool="a") for _ in range(4)]
    for number in [w.client.begin("pool.wait", pool="a") for _ in range(more)]:
        with pytest.raises(Exception, match="not answered yet") as caught:
            w.client.finish(number)
        assert caught.value.name == "quota_exceeded"
    assert w.machine.client().call("pool.list")["pools"], "it is nobody else's bound"
    w.machine.exit(pid)
    w.machine.advance(3000)
    assert [w.client.finish(number)["empty"] for number in waiting] == [True] * 4
    assert w.client.call("pool.list")["pools"]


def notification(method, **params):
    return {"jsonrpc": "2.0", "method": method, "params": params}


@pytest.mark.parametrize("more", [1, 500])
@pytest.mark.parametrize("batch", [False, True])
def test_notifications_in_flight(limited, batch, more):
    """Nobody answers them, but they are work as requests are."""
    w = limited(in_flight=4, batch=1000)
    pid = w.launch("a")
    w.machine.deliver()
    waiting = [notification("pool.wait", pool="a") for _ in range(4)]
    over = [notification("pool.wait", pool="a"), *(notification("pool.create", name=f"sneaked{number}") for number in range(more))]
    w.client.send(*([waiting, over] if batch else waiting + over))
    assert w.client.error("pool.list").name == "quota_exceeded", "they count for requests, too"
    w.client.send(notification("rpc.cancel", id=1))  # is not over the bound, because it makes room
    status = w.rpc.call("service.status")
    assert status["droppedNotifications"] == more + 1
    assert w.rpc.error("pool.get", pool="sneaked0").name == "unknown_pool"
    told = [line for line in w.machine.log().splitlines() if "quotas.in_flight" in line]
    assert len(told) == 1 and "pool.wait" in told[0], told
    assert w.machine.client().call("pool.list")["pools"], "it is nobody else's bound"
    w.machine.exit(pid)
    w.machine.advance(60_001)
    assert w.client.call("pool.list")["pools"], "there is room again"
    records = [record for record in w.rpc.call("accounting.audit")["records"] if record["method"] == "pool.create"]
    assert {record["error"] for record in records} == {"quota_exceeded"} and sum(record["count"] for record in records) == more
    assert len(records) == min(more, 2), "repeated ones together"
    w.client.close()
    wait_until(lambda: connections(w) == 2, "it to be gone")
    told = [line for line in w.machine.log().splitlines() if "quotas.in_flight" in line]
    assert len(told) == 2 and f"{more + 1} of this connection" in told[1], told


def test_the_other_bounds_hold_for_notifications(limited):
    w = limited(subscriptions=2, jobs=2, ephemeral_pools=2)
    everything = [notification(*one) for one in (("events.subscribe",),) * 5]
    everything += [notification("job.create", name=f"Local\\j{number}") for number in range(5)]
    everything += [notification("pool.create", name=f"e{number}", parent="a", ephemeral=True) for number in range(5)]
    w.client.send(*everything)
    assert w.client.error("events.subscribe").name == "quota_exceeded"
    assert w.client.error("job.create", name="Local\\more").name == "quota_exceeded"
    assert w.client.error("pool.create", name="more", parent="a", ephemeral=True).name == "quota_exceeded"
    assert [pool["name"] for pool in w.client.call("pool.list")["pools"]] == ["a", "e0", "e1"]


@pytest.mark.parametrize("more", [1, 100])
def test_subscriptions(limited, more):
    w = limited(subscriptions=3)
    first = w.client.call("events.subscribe")["subscription"]
    for _ in range(2):
        w.client.call("events.subscribe")
    for _ in range(more):
        assert w.client.error("events.subscribe").name == "quota_exceeded"
    w.client.call("events.unsubscribe", subscription=first)
    w.client.call("events.subscribe")
    assert w.machine.client().call("events.subscribe")["subscription"]


@pytest.mark.parametrize("more", [1, 100])
def test_job_handles(limited, more):
    w = limited(jobs=3)
    jobs = [w.client.call("job.create", name=f"Local\\j{number}")["job"] for number in range(3)]
    for number in range(more):
        assert w.client.error("job.create", name=f"Local\\more{number}").name == "quota_exceeded"
    w.client.call("job.close", job=jobs[0])
    w.client.call("job.create", name="Local\\again")
    assert w.machine.client().call("job.create", name="Local\\other")["job"]


# ------------------------------------------------------------------------------------------------------------ who is slow


def send_until_full(w, client):
    """Requests until the service takes no more: it has been round its loop, and there was still no room."""
    client.call("pool.list")  # it has been let in
    line = json.dumps(request(1, "service.capabilities")).encode() + b"\n"
    sent = 0
    client.socket.setblocking(False)
    rest = line
    full = False
    while not full:
        try:
            while True:
                rest = rest[client.socket.send(rest):]
                if not rest:
                    sent += 1
                    rest = line
        except BlockingIOError:
            pass
        w.rpc.call("service.status")
        try:
            rest = rest[client.socket.send(rest):]
            if not rest:
                sent += 1
                rest = line
        except BlockingIOError:
            full = True
    client.socket.setblocking(True)
    return sent, rest if rest != line else b""


def test_unread_answers_wait_and_are_not_lost(limited):
    w = limited(unread="64KiB", stall="5s")
    sent, rest = send_until_full(w, w.client)
    w.machine.advance(4900)
    answers = 0
    while answers < sent:
        assert "result" in w.client.receive()
        answers += 1
    w.client.socket.sendall(rest)
    if rest:
        assert "result" in w.client.receive()
    w.machine.advance(60_000)
    assert w.client.call("pool.list")["pools"], "it has read up, so it has time again"


def test_who_does_not_read_is_cut_off(limited):
    w = limited(unread="64KiB", stall="5s")
    send_until_full(w, w.client)
    assert connections(w) == 2
    w.machine.advance(5100)
    wait_until(lambda: connections(w) == 1, "it to be cut off")
    assert "unread" in w.machine.log()


def test_a_batch_is_not_answered_without_end(limited):
    w = limited(unread="64KiB")
    w.client.send([request(number, "rpc.discover") for number in range(50)])
    answers = w.client.receive()
    assert [one["id"] for one in answers] == list(range(50))
    assert "result" in answers[0], "which alone is longer than that"
    assert all(refused(one, number) for number, one in enumerate(answers) if number)
    assert w.client.call("pool.list")["pools"], "it has read what there was"


def test_who_is_told_why_and_does_not_read_counts_until_he_is_closed(limited):
    """Else a broken message would give his place back, and leave what he has not read in memory, as often as he likes."""
    w = limited(unread="1MiB", stall="5s", connections_per_user=4)
    for _ in range(4):
        client = w.machine.client(**ALICE)
        client.call("service.ping")
        client.send(*[request(number, "rpc.discover") for number in range(3)])
        client.socket.sendall(b"Content-Length: many\r\n\r\n")
    for _ in range(3):
        w.rpc.call("service.ping")
    assert is_turned_away(w.machine.client(**ALICE), "pool.list")
    w.machine.advance(5100)
    wait_until(lambda: connections(w) == 2, "them to be cut off")
    assert w.machine.client(**ALICE).call("pool.list")["pools"]


@pytest.mark.parametrize("half", [b'{"jsonrpc"', b"Content-Le", b"Content-Length: 20\r\n\r\n{", b"Content-Length: 20\r\n"])
def test_half_a_message(limited, half):
    w = limited(stall="5s")
    w.client.call("pool.list")
    w.client.socket.sendall(half)
    w.rpc.call("service.status")
    w.machine.advance(4900)
    assert connections(w) == 2
    w.machine.advance(200)
    assert is_closed(w.client)
    assert connections(w) == 1


def test_a_byte_a_second(limited):
    """The time is that of the message: each byte does not begin it anew."""
    w = limited(stall="5s")
    text = b" " * 3 + json.dumps(request()).encode()
    taken = 0
    for byte in text:
        try:
            w.client.socket.sendall(bytes([byte]))
        except (BrokenPipeError, ConnectionResetError):
            break
        taken += 1
        w.rpc.call("service.status")
        w.machine.advance(1000)
    assert 5 < taken < 12, taken
    assert is_closed(w.client) and connections(w) == 1


def test_a_byte_a_second_within_the_time(limited):
    w = limited(stall="60s")
    text = json.dumps(request(method="rpc.x")).encode()
    for byte in text[:50]:
        w.client.socket.sendall(bytes([byte]))
        w.rpc.call("service.status")
        w.machine.advance(1000)
    w.client.socket.sendall(text[50:] + b"\n")
    assert w.client.receive()["error"]["data"]["name"] == "method_not_found"


# ----------------------------------------------------------------------------------------------------------- who is silent


def test_the_first_byte(limited):
    w = limited(first_byte="2s")
    silent = w.machine.client()
    wait_until(lambda: connections(w) == 3, "both to be counted")
    w.machine.advance(1900)
    assert w.client.call("pool.list")["pools"], "in time"
    w.machine.advance(200)
    assert is_closed(silent)
    assert w.client.call("pool.list")["pools"]
    assert connections(w) == 2


def test_many_that_say_nothing(limited):
    w = limited(first_byte="2s", connections=50)
    silent = [w.machine.client() for _ in range(47)]
    wait_until(lambda: connections(w) == 49, "all to be counted")
    w.machine.advance(2100)
    assert all(is_closed(client) for client in silent)
    assert connections(w) == 1


def test_idle(limited):
    w = limited(idle="30s")
    pid = w.launch("a")
    subscriber, waiter = w.machine.client(), w.machine.client()
    subscriber.call("events.subscribe")
    waiting = waiter.begin("pool.wait", pool="a")
    w.client.call("pool.list")
    wait_until(lambda: connections(w) == 4, "all to be counted")
    w.machine.advance(29_000)
    assert w.rpc.call("pool.list")["pools"], "it has begun anew"
    w.machine.advance(1_100)
    assert is_closed(w.client)
    w.machine.advance(20_000)
    assert connections(w) == 3, "who waits for something is not idle"
    w.machine.exit(pid)
    w.machine.advance(3_000)
    assert waiter.finish(waiting)["empty"] is True
    assert subscriber.call("pool.list")["pools"]


@pytest.mark.parametrize("batch", [False, True])
def test_who_notified_is_not_idle_before_it_is_done(limited, batch):
    w = limited(idle="30s")
    pid = w.launch("a")
    waiting = {"jsonrpc": "2.0", "method": "pool.wait", "params": {"pool": "a"}}
    w.client.send([waiting] if batch else waiting)
    wait_until(lambda: connections(w) == 2, "it to be counted")
    w.rpc.call("events.subscribe")  # the administrator stays
    w.machine.advance(40_000)
    assert connections(w) == 2, "it is being waited for"
    w.machine.advance(20_000)
    w.machine.exit(pid)
    w.machine.advance(20_000)  # in which idle ones are looked for, because the administrator has asked something
    assert connections(w) == 2, "its time begins when that is over, though nobody is told"
    w.machine.advance(15_000)
    assert is_closed(w.client)


def test_idle_is_no_matter_by_default(limited):
    w = limited()
    for client in (w.rpc, w.client):
        client.call("pool.list")
    w.machine.advance(86_400_000)
    assert w.client.call("pool.list")["pools"] and connections(w) == 2
