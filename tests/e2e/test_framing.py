"""Both framings over the real pipe, and every way of writing them that real clients have: what goes in and comes out is compared
byte by byte. (The clients themselves are in tests/clients.)"""
import json
import queue
import subprocess
import threading

import pytest

from harness.host import PATIENCE_S

BOM = b"\xef\xbb\xbf"
MEBIBYTE = 1 << 20


class RawPipe:
    """A connection that gives what comes as it came, without looking for messages in it."""

    def __init__(self, host, pipe):
        self.process = host.start("jobpool", "rpc", "--stdio", "--pipe", pipe, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL)
        self._pieces = queue.Queue()
        self._came = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        while piece := self.process.stdout.read1(1 << 16):
            self._pieces.put(piece)
        self._pieces.put(None)

    def send(self, *pieces):
        """Each piece is a write of its own."""
        for piece in pieces:
            self.process.stdin.write(piece)
            self.process.stdin.flush()

    def receive(self, enough):
        """Takes what comes until enough(it), and returns that; an end of the connection is enough, too."""
        while not enough(self._came):
            piece = self._pieces.get(timeout=PATIENCE_S)
            if piece is None:
                self._pieces.put(None)
                break
            self._came += piece
        came, self._came = self._came, b""
        return came

    def exactly(self, wanted):
        """The next bytes must be these."""
        came = self.receive(lambda so_far: len(so_far) >= len(wanted))
        assert came[:len(wanted)] == wanted
        self._came = came[len(wanted):]

    def message(self):
        """The next message by length, whatever it is."""
        came = self.receive(lambda so_far: b"\r\n\r\n" in so_far)
        header, rest = came.split(b"\r\n\r\n", 1)
        assert header.startswith(b"Content-Length: ") and b"\r\n" not in header, came
        length = int(header.split(b": ")[1])
        self._came = rest
        came = self.receive(lambda so_far: len(so_far) >= length)
        self._came = came[length:]
        return json.loads(came[:length])

    def rest(self):
        """All that comes until the service ends the connection."""
        return self.receive(lambda _: False)

    def close(self):
        self.process.kill()
        self.process.wait(PATIENCE_S)
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass  # bytes that nobody will read


@pytest.fixture
def raw(host, service):
    made = RawPipe(host, service.pipe)
    yield made
    made.close()


def body(request_id=0, method="no.such"):
    return json.dumps({"jsonrpc": "2.0", "id": request_id, "method": method}, ensure_ascii=False).encode()


def answer(request_id=0):
    """What the service says to body(request_id), as it says it."""
    identity = json.dumps(request_id, ensure_ascii=False)
    return (f'{{"jsonrpc":"2.0","id":{identity},"error":{{"code":-32601,"message":"there is no method \\"no.such\\"",'
            f'"data":{{"name":"method_not_found"}}}}}}').encode()


def by_length(text, before="", after=""):
    return f"{before}Content-Length: {len(text)}\r\n{after}\r\n".encode() + text


def framed_like(how, text):
    return text + b"\n" if how == "line" else f"Content-Length: {len(text)}\r\n\r\n".encode() + text


HEAD = f"Content-Length: {len(body())}\r\n\r\n".encode()

LINES = {
    "LF": [body() + b"\n"],
    "CRLF": [body() + b"\r\n"],
    "CRLF, the end in a write of its own (.NET's StreamWriter)": [body(), b"\r\n"],
    "CR and LF apart": [body() + b"\r", b"\n"],
    "blank lines before": [b"\n\r\n  \r\n", body() + b"\n"],
    "a byte order mark before": [BOM + body() + b"\r\n"],
    "a byte order mark in a write of its own (.NET's Encoding.UTF8, PowerShell)": [BOM, body() + b"\r\n"],
    "a byte order mark in three writes": [BOM[:1], BOM[1:2], BOM[2:], body() + b"\n"],
    "spaces around": [b"  \t" + body() + b" \t \r\n"],
    "byte by byte": [bytes([byte]) for byte in body() + b"\r\n"],
}

LENGTHS = {
    "one write (sourcegraph/jsonrpc2)": [by_length(body())],
    "header and body apart (vscode-jsonrpc)": [HEAD, body()],
    "the body in pieces": [HEAD, body()[:1], body()[1:20], body()[20:]],
    "the header in pieces": [HEAD[:1], HEAD[1:9], HEAD[9:-3], HEAD[-3:-1], HEAD[-1:], body()],
    "byte by byte": [bytes([byte]) for byte in by_length(body())],
    "Content-Type after (python-lsp-jsonrpc, pygls)": [by_length(body(), after="Content-Type: application/vscode-jsonrpc; charset=utf8\r\n")],
    "Content-Type before (creachadair/jrpc2)": [by_length(body(), before="Content-Type: application/vscode-jsonrpc; charset=utf-8\r\n")],
    "Content-Type with a quoted charset": [by_length(body(), before='Content-Type: application/json; charset="UTF-8"\r\n')],
    "fields that nobody knows": [by_length(body(), before="X-Request: 7\r\nAccept: */*\r\n", after="Date: today\r\nEmpty:\r\n")],
    "a field that is called like half of one": [by_length(body(), before="Content-Length-Hint: 7\r\n", after="Content: 9\r\n")],
    "small letters": [HEAD.lower() + body()],
    "capital letters": [HEAD.upper() + body()],
    "no space": [HEAD.replace(b": ", b":") + body()],
    "many spaces": [HEAD.replace(b": ", b": \t ").replace(b"\r\n\r\n", b"  \r\n\r\n") + body()],
    "line ends without CR": [HEAD.replace(b"\r\n", b"\n") + body()],
    "a byte order mark before": [BOM, by_length(body())],
    "blank lines between messages": [b"\r\n\n", by_length(body())],
    "the same length twice": [HEAD[:-2] + HEAD + body()],
    "zeros before the number": [HEAD.replace(b": ", b": 000") + body()],
    "white space around the JSON": [by_length(b" \r\n" + body() + b"\r\n\t ")],
}


@pytest.mark.parametrize("how", LINES)
def test_a_line(raw, how):
    raw.send(*LINES[how])
    raw.exactly(framed_like("line", answer()))
    raw.send(body(1) + b"\n")
    raw.exactly(framed_like("line", answer(1)))


@pytest.mark.parametrize("how", LENGTHS)
def test_by_length(raw, how):
    raw.send(*LENGTHS[how])
    raw.exactly(framed_like("length", answer()))
    raw.send(by_length(body(1)))
    raw.exactly(framed_like("length", answer(1)))


@pytest.mark.parametrize("how", ["line", "length"])
@pytest.mark.parametrize("request_id", [0, -1, 2**53 - 1, "", "0", "7e4c1f9a-59f6-4c9e-8a3b-3f1f2d1d7c55", "é😀"])
def test_the_id(raw, how, request_id):
    raw.send(framed_like(how, body(request_id)))
    raw.exactly(framed_like(how, answer(request_id)))


def test_each_answer_is_framed_as_its_question(raw):
    """Whoever mixes them: as many as there are, in one write."""
    order = ["line", "length", "length", "line", "length", "line", "line"]
    raw.send(b"".join(framed_like(how, body(number)) for number, how in enumerate(order)))
    for number, how in enumerate(order):
        raw.exactly(framed_like(how, answer(number)))


@pytest.mark.parametrize("how", ["line", "length"])
def test_a_batch_is_one_message(raw, how):
    raw.send(framed_like(how, b"[" + body(0) + b"," + body("b") + b"]"))
    raw.exactly(framed_like(how, b"[" + answer(0) + b"," + answer("b") + b"]"))


def test_lengths_are_of_bytes(raw, pool):
    """Not of characters: neither those that are asked with, nor those that are answered."""
    described = {"jsonrpc": "2.0", "id": "é", "method": "pool.update", "params": {"pool": pool, "description": "é😀\u2028\ufeff"}}
    raw.send(by_length(json.dumps(described, ensure_ascii=False).encode()))
    told = raw.message()
    assert told["id"] == "é" and told["result"]["description"] == "é😀\u2028\ufeff"


@pytest.mark.parametrize("how", ["line", "length"])
def test_events_are_framed_as_their_subscription(raw, rpc, pool, how):
    subscribe = {"jsonrpc": "2.0", "id": 0, "method": "events.subscribe", "params": {"pools": [pool], "messages": ["POOL_UPDATED"]}}
    raw.send(framed_like(how, json.dumps(subscribe).encode()))
    if how == "length":
        assert raw.message()["id"] == 0
    else:
        assert raw.receive(lambda came: came.endswith(b"\n")).startswith(b'{"jsonrpc":"2.0","id":0,')
    # What is asked in the other framing in between is answered in that one.
    other = "line" if how == "length" else "length"
    raw.send(framed_like(other, body(1)))
    raw.exactly(framed_like(other, answer(1)))
    rpc.call("pool.update", pool=pool, description="told")
    if how == "length":
        event = raw.message()
    else:
        event = json.loads(raw.receive(lambda came: came.endswith(b"\n")))
    assert event["method"] == "event" and event["params"]["pool"] == pool


@pytest.mark.parametrize("text", [b"{", b"nonsense", b"", BOM + body(), b'{"jsonrpc":"2.0"}{}', b"\xff\xfe"])
def test_a_body_that_is_no_json_costs_no_connection(raw, text):
    """Its length says where the next message begins. A byte order mark within a body is none of JSON's either."""
    raw.send(by_length(text))
    told = raw.message()
    assert told["id"] is None and told["error"]["code"] == -32700
    raw.send(by_length(body(1)))
    raw.exactly(framed_like("length", answer(1)))


@pytest.mark.parametrize("length", [MEBIBYTE + 1, 3 * MEBIBYTE])
def test_a_body_that_is_too_long_is_passed_over(raw, length):
    raw.send(f"Content-Length: {length}\r\n\r\n".encode())
    told = raw.message()
    assert told["id"] is None and told["error"]["data"]["name"] == "quota_exceeded"
    raw.send(b"x" * length, by_length(body(1)))
    raw.exactly(framed_like("length", answer(1)))


def test_the_longest_body(raw):
    raw.send(by_length(body() + b" " * (MEBIBYTE - len(body()))))
    raw.exactly(framed_like("length", answer()))


@pytest.mark.parametrize("header, words", [
    ("Content-Type: application/json\r\n\r\n", "no Content-Length"),
    ("Content-Length: many\r\n\r\n", "not a number"),
    ("Content-Length: -1\r\n\r\n", "not a number"),
    ("Content-Length: 0x10\r\n\r\n", "not a number"),
    ("Content-Length: 99999999999999999999\r\n\r\n", "not a number"),
    ("Content-Length:\r\n\r\n", "not a number"),
    ("Content-Length: 5\r\nContent-Length: 6\r\n\r\n", "twice"),
    ("Content-Length: 5\r\nand more\r\n\r\n", "Name: value"),
    ("Content-Type: application/json; charset=utf-16\r\nContent-Length: 5\r\n\r\n", "UTF-8"),
    ("X: " + "y" * 5000, "too long"),
])
def test_header_fields_that_say_nothing_end_the_connection(raw, header, words):
    """After them nobody can tell where a message begins; the client is told before it is cut off."""
    raw.send(header.encode())
    told = raw.message()
    assert told["id"] is None and told["error"]["code"] == -32700 and words in told["error"]["message"]
    assert raw.rest() == b""
    assert raw.process.wait(PATIENCE_S) != 0


@pytest.mark.parametrize("how", ["line", "length"])
def test_a_connection_for_each_call(host, service, how):
    """As jayson has it; here one after the other, each gone as soon as it was answered."""
    for number in range(5):
        connection = RawPipe(host, service.pipe)
        connection.send(framed_like(how, body(number)))
        connection.exactly(framed_like(how, answer(number)))
        connection.close()
