"""Clients that mean harm, against a service with the quotas of the default but for its patience. During each assault a client that behaves asks all
the time, and is answered; afterwards the service has what it had before: connections, handles, threads, memory."""
import contextlib
import json
import os
import subprocess

import pytest

from harness.bridge import RpcError
from harness.host import WINDOWS, wait_until
from harness.service import ConsoleService

EVENTS = int(os.environ.get("JOBPOOL_HOSTILE_EVENTS") or 100_000)
P99_MS = 2000  # an answer takes a millisecond or two; a machine that runs other tests beside this one has worse moments
PATIENCE = 180
MIB = 1 << 20
LEVEL = {"handles": 12, "threads": 2, "files": 12, "resident": 12 * MIB}

# Nothing of this may end a pool or a process, or make one.
POOLS = {"p": {"description": "asked for"}, "flood": {}, "target": {"limits": {"active_processes": 5}}}


class Hostile:
    """A scenario of programs/hostile.c, at work."""

    def __init__(self, host, scenario, service, *arguments):
        self.process = host.start("hostile", scenario, service.pipe, *arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def line(self):
        """What it says next."""
        text = self.process.stdout.readline()
        assert text, f"it ended with {self.process.wait(PATIENCE)}"
        return json.loads(text)

    def tell(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def finish(self):
        """Its last word."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        last = self.line()
        assert self.process.wait(PATIENCE) == 0
        return last


class Assaulted:
    def __init__(self, host, service):
        self.host, self.service = host, service
        self.let_loose = []

    def hostile(self, scenario, *arguments):
        self.let_loose.append(Hostile(self.host, scenario, self.service, *arguments))
        return self.let_loose[-1]

    def call_off(self):
        """Ends what a test that failed has left."""
        for one in self.let_loose:
            if one.process.poll() is None:
                one.process.kill()
                one.process.wait(PATIENCE)
        self.let_loose = []

    def used(self, rpc):
        """When nobody is there but this one."""
        wait_until(lambda: rpc.call("service.status")["connections"] == 1, "all others to be gone", 30)
        handles, threads = map(int, self.host.run("jobber", "handles", rpc.call("service.status")["pid"]).stdout.split())
        figures = {"threads": threads}
        if WINDOWS:
            figures["handles"] = handles
        else:  # Wine tells how large its table of handles is, which has had room for 256 clients
            folder = f"/proc/{self.service.process.pid}"
            with open(f"{folder}/status", encoding="ascii", errors="replace") as file:
                status = dict(line.split(":", 1) for line in file)
            figures |= {"files": len(os.listdir(f"{folder}/fd")), "resident": int(status["VmRSS"].split()[0]) * 1024}
        return figures

    @contextlib.contextmanager
    def bystander(self, what):
        with self.service.bridge() as rpc:
            before = self.used(rpc)
            try:
                polite = self.hostile("polite")
                assert "result" in polite.line()
                yield rpc
                served = polite.finish()
            finally:
                self.call_off()
            after = self.used(rpc)
            assert self.service.process.poll() is None
            assert {pool["name"]: pool["members"] for pool in rpc.call("pool.list")["pools"]} == {name: 0 for name in POOLS}
        print(f"\n{what}: {served['calls']} calls of others, p50 {served['p50Ms']} ms, p99 {served['p99Ms']} ms, at most {served['maxMs']} ms; " +
              ", ".join(f"{key} {before[key]} to {after[key]}" for key in after))
        assert served["failed"] == 0 and served["calls"] > 5, served
        assert served["p99Ms"] < P99_MS, served
        assert all(after[key] <= before[key] + LEVEL[key] for key in after), (before, after)


@pytest.fixture(scope="module")
def assaulted(host, tmp_path_factory):
    config = {"pools": POOLS, "quotas": {"first_byte": "4s", "stall": "6s"}}
    service = ConsoleService(host, tmp_path_factory.mktemp("hostile"), config, "jobpool-hostile")
    service.start()
    assaulted = Assaulted(host, service)
    with service.bridge() as rpc:  # what is made once, at the first of its kind, is made now
        rpc.call("service.status")  # who says nothing for four seconds is gone
        assaulted.hostile("vanish", 21).finish()
        assaulted.hostile("flood", 6000).finish()
        wait_until(lambda: rpc.call("service.status")["connections"] == 1, "those to be gone")
    yield assaulted
    code = service.stop()
    assert code == 0, service.stderr()


def test_five_hundred_that_say_nothing(assaulted):
    with assaulted.bystander("500 silent connections") as rpc:
        silent = assaulted.hostile("silent", 500)
        assert silent.line() == {"connected": 500}
        assert rpc.call("service.status")["connections"] <= 256
        with assaulted.service.bridge() as late:
            assert late.call("pool.get", pool="p")["name"] == "p", "a newcomer takes the place of one that is silent"
        assert silent.finish() == {"closed": 500}


def test_messages_that_do_not_end(assaulted):
    with assaulted.bystander("half messages, endless bodies, a byte a second"):
        halves = [assaulted.hostile("half", text) for text in
                  ("Content-Le", "Content-Length: 100", "Content-Length: 100\r\n\r\n{", '{"jsonrpc"', "[" * 1000, "\ufeff")]
        slow = [assaulted.hostile("drip") for _ in range(3)]
        endless = [assaulted.hostile("body") for _ in range(3)]
        for half in halves:
            answer = half.finish()
            assert answer["sent"] and answer["closed"] and answer["afterMs"] < 20_000, answer
        for one in slow:
            answer = one.finish()
            assert answer["cutOff"] and answer["bytes"] < 15, answer
        for one in endless:
            answer = one.finish()
            assert answer["cutOff"], answer


def test_clients_that_vanish_at_every_moment(assaulted):
    with assaulted.bystander("350 clients that vanish"):
        vanishing = [assaulted.hostile("vanish", 175) for _ in range(2)]
        assert [one.finish()["vanished"] for one in vanishing] == [175, 175]


def test_a_reader_that_never_reads(assaulted):
    with assaulted.bystander(f"{EVENTS} events that somebody does not read") as rpc:
        deaf = assaulted.hostile("deaf")
        assert "result" in deaf.line()
        first = rpc.call("service.status")["seq"]
        flood = assaulted.hostile("flood", EVENTS).finish()
        assert flood["done"] >= EVENTS
        last = rpc.call("service.status")["seq"]
        deaf.tell(f"{last}\n")
        heard = deaf.finish()
        assert heard["doubled"] == 0 and heard["last"] == last and heard["events"] == last - first, (heard, first, last)
        print(f"\n{flood['done']} events in {flood['ms'] / 1000:.1f} s; then read in order: {heard}")


# ------------------------------------------------------------------------------------------------- what may not be touched


@pytest.fixture
def rpc(assaulted):
    with assaulted.service.bridge() as bridge:
        bridge.call("service.status")
        yield bridge


def test_processes_that_are_not_the_clients(assaulted, rpc):
    """Whoever asks, the service itself and the system's own are not to be had; and a number is no process."""
    status = rpc.call("service.status")
    for method, more in (("pool.assign", {"pool": "target"}), ("process.terminate", {})):
        assert rpc.error(method, pid=status["pid"], **more).name in ("access_denied", "no_such_process"), method
        for pid in (0, 1, 4, 2**31, 2**32 - 1, 2**32 - 4):
            assert rpc.error(method, pid=pid, **more).name in ("access_denied", "no_such_process", "invalid_params", "system_error"), (method, pid)
        for pid in (-1, 2**32, 2**53, 1.5, "x", None, [], {}, True, "4294967296"):
            assert rpc.error(method, pid=pid, **more).name == "invalid_params", (method, pid)
    assert rpc.call("pool.processes", pool="target")["processes"] == []


def test_a_pid_that_is_somebody_elses_by_now(rpc, held):
    """The start says who is meant; a pid alone that is nobody's says so."""
    process = held()
    for other in (1, int(process.start_time) - 10_000_000, int(process.start_time) + 1, 2**63 - 1):
        assert rpc.error("pool.assign", pool="target", pid=process.pid, startTime=str(other)).name == "other_process"
    process.let_go()
    wait_until(lambda: rpc.error("pool.assign", pool="target", pid=process.pid).name == "no_such_process", "its pid to be free")
    assert rpc.error("pool.assign", pool="target", pid=process.pid, startTime=process.start_time).name in ("no_such_process", "other_process")


HOSTILE_NAMES = ["", ".", "..", "../p", "..\\p", "\\\\.\\pipe\\jobpool", "Global\\JobPool.p", "a\\b", "a/b", "a b", " p", "p ", "p\t", "p\n", "C:", "CON ",
                 "x" * 65, "x" * 32767, "x" * 100_000, "\U0001f600", "é", "p\u202e", "%TEMP%", "%s%n", "{0}", "'; DROP TABLE pools; --", "<b>", "-p", "_p"]


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=lambda name: ascii(name)[:24])
def test_names(rpc, name):
    assert rpc.error("pool.create", name=name).name == "invalid_params"
    assert rpc.error("pool.create", name="fine", parent=name).name in ("invalid_params", "unknown_pool")
    assert rpc.error("pool.get", pool=name).name in ("unknown_pool", "invalid_params")
    assert rpc.error("pool.terminate", pool=name).name in ("unknown_pool", "invalid_params")
    assert rpc.error("job.open", name="Global\\" + name).name in ("unknown_job", "invalid_params", "access_denied", "system_error", "quota_exceeded")


def test_a_nul_in_a_text_ends_nothing(rpc):
    """`p` and then a NUL is not `p`."""
    for line in ('"pool.get", "params": {"pool": "p\\u0000x"}', '"pool.get\\u0000x", "params": {"pool": "p"}', '"pool.get", "params": {"pool\\u0000x": "p"}'):
        assert "error" in rpc.ask('{"jsonrpc": "2.0", "id": 1, "method": %s}' % line), line
    assert rpc.call("pool.get", pool="p")["name"] == "p"


@pytest.mark.parametrize("value", [0, -1, 1.5, 1e308, True, None, [], ["p"], {}, {"pool": "p"}, "9" * 5000, [[[[[[[[[[]]]]]]]]]]], ids=lambda value: str(value)[:20])
def test_parameters_that_are_something_else(rpc, value):
    assert rpc.error("pool.get", pool=value).name in ("invalid_params", "unknown_pool")
    assert rpc.error("pool.launch", pool="p", argv=value if value != ["p"] else [1]).name in ("invalid_params", "unknown_pool")
    assert rpc.error("pool.create", name="odd", limits=value if value != {} else {"x": 1}).name == "invalid_params"
    assert rpc.error("job.setInformation", job="p", **{"class": 2, "info": value}).name == "invalid_params"
    assert rpc.error("events.subscribe", pools=value if value != [] else [1], fromSeq=value).name in ("invalid_params", "unknown_pool")
    answer = rpc.ask(json.dumps({"jsonrpc": "2.0", "id": 1, "method": value, "params": {}}))
    assert answer["error"]["data"]["name"] in ("invalid_request", "method_not_found")
    answer = rpc.ask(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "pool.get", "params": value}))
    if value == {"pool": "p"}:
        assert answer["result"]["name"] == "p"
    else:
        assert answer["error"]["data"]["name"] in ("invalid_request", "invalid_params")


def test_parameters_that_are_huge(assaulted):
    with assaulted.bystander("huge and deep parameters") as rpc:
        for params in ({"pool": "p", "argv": ["x" * 32767, "y"]}, {"pool": "p", "argv": ["x"] * 50_000}, {"pool": "p", "command": "x" * 500_000},
                       {"pool": "p", "argv": ["no-such"], "env": {f"V{i}": "v" * 100 for i in range(5000)}},
                       {f"key{i}": i for i in range(30_000)}):
            with pytest.raises(RpcError):
                rpc.call("pool.launch", **params)
        deep = "[" * 100_000 + "]" * 100_000
        assert "deep" in rpc.ask('{"jsonrpc": "2.0", "id": 1, "method": "pool.get", "params": {"pool": %s}}' % deep)["error"]["message"]
        assert rpc.ask('{"jsonrpc": "2.0", "id": %s, "method": "pool.get", "params": {"pool": "p"}}' % ("1" * 100_000))["error"]
        assert rpc.ask(b'\xff\xfe{}\n')["error"]["data"]["name"] == "parse_error"
        assert rpc.ask(b'{"jsonrpc": "2.0", "id": 1, "method": "\xed\xa0\x80"}\n')["error"]["data"]["name"] == "parse_error"
