"""What things cost, in counts that are the same on a busy machine and on an idle one: instructions, allocations, writes, bytes. They guard the
figures of ./dev bench between its runs. The bounds are in bounds.txt."""
import json
import pathlib
import re
import subprocess
import sys

import pytest

from harness.host import ROOT

SMALL, CROWDED, LARGER, BELOW_ONE = (10, 10), (1000, 10), (1000, 1000), (1000, 1000, "below-one")  # members, pools, which are in trees of ten
PHASES = {
    "messages": "message",
    "ping": "service.ping",
    "status": "service.status",
    "process.get": "process.get",
    "pool.get": "pool.get",
    "pool.assign": "pool.assign",
    "no pool": "unknown pool",
    "query": "events.query",
    "runs": "run",
    "ticks": "tick and member",
    "turns": "turn of the loop",
}
PER_ROW = {"pool.list": "pool.list and pool", "pool.processes": "pool.processes and process", "load": "start and pool"}
FLAT = 1.3


@pytest.mark.parametrize("kind", ["instructions", "allocations", "calls"])
@pytest.mark.parametrize("phase", PHASES)
def test_one_costs_no_more_than_it_may(flat, bounds, phase, kind):
    bounds.check(f"{kind} per {PHASES[phase]}", flat(*SMALL)[phase][kind])


@pytest.mark.parametrize("kind", ["instructions", "allocations", "calls"])
@pytest.mark.parametrize("phase", PER_ROW)
def test_a_row_costs_no_more_than_it_may(flat, bounds, phase, kind):
    bounds.check(f"{kind} per {PER_ROW[phase]}", flat(*LARGER)[phase][kind])


@pytest.mark.parametrize("size", [CROWDED, LARGER, BELOW_ONE], ids=lambda size: "-".join(map(str, size)))
@pytest.mark.parametrize("phase", [*PHASES, *PER_ROW])
def test_it_costs_the_same_with_a_thousand_members(flat, phase, size):
    for kind in ("instructions", "calls"):
        few, many = flat(*SMALL)[phase][kind], flat(*size)[phase][kind]
        assert many <= few * FLAT, (f"{phase}: {few:,.1f} {kind} with {SMALL[0]} members in {SMALL[1]} pools, {many:,.1f} with {size[0]} in {size[1]}: "
                                    "something walks over all of them. To find it: callgrind_annotate of the dump")


@pytest.mark.parametrize("kind", ["events", "processes"])
@pytest.mark.parametrize("what", ["instructions", "allocations", "bytes"])
def test_a_row_of_the_accounts_costs_no_more_than_it_may(rows, bounds, kind, what):
    bounds.check(f"{what} per row of {kind}", rows(kind)[what])


@pytest.mark.parametrize("kind", ["events", "processes"])
def test_a_commit_writes_no_oftener_than_it_may(rows, bounds, kind):
    """Of a hundred rows: pages of the write-ahead log."""
    bounds.check(f"writes per commit of {kind}", rows(kind)["writes"])


def writes_of(pid):
    return int(re.search(r"syscw: (\d+)", pathlib.Path(f"/proc/{pid}/io").read_text(encoding="utf-8"))[1])


def least_written_for(machine, prepare, act):
    """How often the daemon's process writes while that is done; the least of some times, because what else it writes meanwhile only adds."""
    written = []
    for _ in range(5):
        prepare()
        before = writes_of(machine.process.pid)
        act()
        written.append(writes_of(machine.process.pid) - before)
    return min(written)


def ask_at_once(client, count):
    client.socket.sendall(b"".join(json.dumps({"jsonrpc": "2.0", "id": number, "method": "service.ping"}).encode() + b"\n" for number in range(count)))
    for _ in range(count):
        assert "result" in client.receive()


def test_a_burst_of_answers_is_written_at_once(daemon, bounds):
    machine = daemon({"pools": {"a": {}}, "log": {"level": "error"}})
    client = machine.client()
    bounds.check("writes per 64 answers", least_written_for(machine, lambda: ask_at_once(client, 1), lambda: ask_at_once(client, 64)))


def test_a_burst_of_events_is_written_at_once(daemon, bounds):
    """As they happen: what the accounts write comes later. With them is the answer to the order that delivers them."""
    machine = daemon({"pools": {"a": {}}, "log": {"level": "error"}, "database": {"flush_interval": "10s"}})
    client = machine.client()
    client.call("events.subscribe", messages=["JOB_OBJECT_MSG_NEW_PROCESS"], durable=False)
    parent = machine.spawn()
    client.call("pool.assign", pool="a", pid=parent)

    def prepare():
        machine.deliver()
        client.events.clear()
        machine.orders([{"do": "spawn", "parent": parent} for _ in range(64)])

    def deliver():
        machine.deliver()
        while len(client.events) < 64:
            client.take()

    bounds.check("writes per 64 events", least_written_for(machine, prepare, deliver))


# What docs/performance.md allows for one more pool, and for one more member.
@pytest.mark.parametrize("what, pools, members, most", [("pool_bytes", 1000, 1, 2048), ("member_bytes", 10, 1000, 512)])
def test_a_pool_and_a_member_take_no_more_memory_than_they_may(what, pools, members, most):
    found = json.loads(subprocess.run([ROOT / "build" / "bench" / "tests" / "bench" / "memory_bench", str(pools), str(members)], stdout=subprocess.PIPE, check=True).stdout)
    assert found[what] <= most, f"{found[what]} bytes: look at struct jp_pool, jp_member (src/pool/pools_internal.h) and what is allocated beside them"


def test_the_benchmarks_print_their_results_and_nothing_else():
    """The shortest section, as short as it can be: the figures say nothing."""
    ran = subprocess.run([sys.executable, ROOT / "tests" / "bench" / "run", "--json", "--rounds", "1", "--scale", "0.01", "records"], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120, check=True)
    results = json.loads(ran.stdout)["results"]
    assert len(results) == 3
    for one in results:
        assert {"name", "value", "baseline", "ratio", "reach", "pass"} <= one.keys()
        assert one["value"] > 0 and one["baseline"] > 0 and one["pass"] is (None if one["reach"] is None else one["ratio"] >= one["reach"])
