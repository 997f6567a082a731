"""accounting.series on a simulated machine: samples of pools over time, and what becomes of them over restarts, deletions and faults."""
import sqlite3

import pytest

from harness.host import wait_until
from harness.simulated import ALICE

pytestmark = pytest.mark.threads

MINUTE = 60_000
SECOND = 10_000_000  # in 100 ns
NEVER = {"view": []}


def points(w, pool, **more):
    """From the world's beginning on."""
    asked = {"pools": [pool], "from": w.events()[0]["time"]} | more
    found = {one["pool"]: one["points"] for one in w.rpc.call("accounting.series", **asked)["series"]}
    return found.get(pool, [])


def total(w, pool, key="cpuTime100ns", **more):
    return sum(point[key] or 0 for point in points(w, pool, **more))


def used(w, pool):
    sums = w.rpc.call("accounting.report", pools=[pool])["total"]
    return (sums["userTime100ns"] or 0) + (sums["kernelTime100ns"] or 0)


def rows(w):
    """Of the table itself."""
    w.flush()
    with sqlite3.connect(w.machine.folder / "accounting.db") as db:
        return db.execute("SELECT pool, time_100ns, processes, cpu_100ns FROM samples ORDER BY day, pool, time_100ns").fetchall()


def looks(w):
    return w.rpc.call("service.status")["sampling"]["last"]


@pytest.mark.parametrize("kernel", [True, False])
def test_steps_add_up_to_the_report(world, kernel):
    """Also for what came and went between two looks, and whoever tells what a process that has ended used."""
    w = world({"p": {}})
    if not kernel:
        w.machine.order("like_wine")
        w.restart()
    for seconds in (1, 7, 3):
        short = w.launch("p")
        w.burn(short, seconds)
        w.machine.advance(7_000)
        w.machine.exit(short, seconds % 2)
    long = w.launch("p")
    for _ in range(10):
        w.burn(long, 30)
        w.machine.advance(MINUTE)
    w.burn(long, 2.5)
    w.machine.advance(7_000)
    w.machine.exit(long)
    w.machine.advance(2 * MINUTE)
    assert used(w, "p") == 313.5 * SECOND
    assert total(w, "p") == used(w, "p")
    assert (total(w, "p", "started"), total(w, "p", "ended"), total(w, "p", "failures")) == (4, 4, 3)
    assert total(w, "p", points=1) == used(w, "p"), "in one step"
    full = [point for point in points(w, "p") if point["processes"] == 1]
    assert 9 <= len(full) <= 12
    assert 8 <= len([point for point in points(w, "p") if point["cpuTime100ns"] == 30 * SECOND]), "a minute each"


def test_values_have_those_below_and_counts_do_not(world):
    w = world({"top": {}, "low": {"parent": "top"}})
    first, second = w.launch("top"), w.launch("low")
    w.burn(first, 1)
    w.burn(second, 5)
    w.commit(first, 1 << 20)
    w.commit(second, 3 << 20)
    w.machine.advance(MINUTE)
    top, low = points(w, "top"), points(w, "low")
    assert max(point["processes"] for point in top) == 2 and max(point["processes"] for point in low) == 1
    assert max(point["commitBytes"] or 0 for point in top) == 4 << 20 and max(point["commitBytes"] or 0 for point in low) == 3 << 20
    assert (total(w, "top"), total(w, "low")) == (6 * SECOND, 5 * SECOND)
    assert total(w, "top", "started") == total(w, "low", "started") == 1


def test_what_was_used_before_there_were_samples_is_of_no_time(world):
    """An older version's accounts: the migration knows what a pool has used, and of no moment when."""
    w = world({"p": {}, "idle": {}})
    for pool in ("p", "idle"):
        pid = w.launch(pool)
        w.burn(pid, 100)
        w.machine.exit(pid)
    w.machine.advance(3_000)
    w.stop()
    with sqlite3.connect(w.machine.folder / "accounting.db") as db:
        db.execute("DELETE FROM samples")
        db.execute("DELETE FROM sampled")
        db.execute("INSERT INTO sampled SELECT pool, 0, 0, 0, 0, user_100ns + kernel_100ns, read_bytes, write_bytes FROM pool_totals")
    w.start()
    pid = w.launch("p")
    w.burn(pid, 3)
    w.machine.advance(2 * MINUTE)
    assert rows(w)[-1][3] == 3 * SECOND
    assert (total(w, "p"), total(w, "idle")) == (3 * SECOND, 0)


def test_what_a_pool_that_is_deleted_has_used_stays_with_its_parent(world):
    w = world({"top": {}})
    for _ in range(3):
        w.rpc.call("pool.create", name="low", parent="top")
        pid = w.launch("low")
        w.burn(pid, 2)
        w.machine.advance(20_000)
        w.machine.exit(pid)
        w.machine.advance(3_000)
        w.rpc.call("pool.delete", pool="low")
    w.machine.advance(2 * MINUTE)
    assert total(w, "low") == total(w, "top") == 6 * SECOND


def test_limits_in_force_are_shown(world):
    w = world({"top": {"limits": {"job_memory": "64MiB"}},
               "low": {"parent": "top", "limits": {"job_memory": "128MiB", "active_processes": 7, "cpu_rate": {"hard_cap": "25%"}}}})
    w.launch("low")
    w.machine.advance(MINUTE)
    low, top = points(w, "low")[-1], points(w, "top")[-1]
    assert (low["memoryLimitBytes"], low["processLimit"], low["cpuRateLimit"]) == (64 << 20, 7, 2500)
    assert (top["memoryLimitBytes"], top["processLimit"], top["cpuRateLimit"]) == (64 << 20, None, None)
    w.rpc.call("pool.update", pool="low", limits={"active_processes": 9, "cpu_rate": None})
    w.machine.advance(2 * MINUTE)
    low = points(w, "low")[-1]
    assert (low["processLimit"], low["cpuRateLimit"]) == (9, None)


@pytest.mark.parametrize("crash", [False, True])
def test_a_restart_neither_loses_nor_repeats(world, crash):
    w = world({"top": {}, "low": {"parent": "top", "on_service_stop": "keep"}})
    stays, ends = w.launch("low"), w.launch("low")
    w.burn(stays, 10)
    w.burn(ends, 4)
    w.machine.advance(MINUTE + 5_000)
    w.burn(stays, 20)
    w.machine.exit(ends)
    (w.crash if crash else w.stop)()
    w.machine.order("burn", pid=stays, user100ns=100 * SECOND)  # nobody is there
    w.machine.advance(10 * MINUTE)
    w.start()
    w.machine.advance(MINUTE)
    w.burn(stays, 1)
    w.machine.exit(stays)
    w.machine.advance(2 * MINUTE)
    assert total(w, "low") == total(w, "top") == used(w, "low") == 135 * SECOND


@pytest.mark.parametrize("crash", [False, True])
def test_what_a_pool_that_does_not_come_back_has_used_is_that_of_the_one_above(world, crash):
    w = world({"top": {}})
    w.rpc.call("pool.create", name="low", parent="top")  # until the service ends
    early, late = w.launch("low"), w.launch("low")
    w.burn(early, 1)
    w.machine.exit(early)
    w.machine.advance(MINUTE)
    w.burn(late, 5)
    w.machine.exit(late)
    w.machine.advance(3_000)
    w.restart(crash)
    w.machine.advance(2 * MINUTE)
    assert "low" not in [row["name"] for row in w.rpc.call("pool.list")["pools"]]
    assert total(w, "top") == used(w, "low") == 6 * SECOND


def test_a_crash_before_the_first_look_loses_nothing(world):
    w = world({"p": {}})
    pid = w.launch("p")
    w.burn(pid, 3)
    w.machine.exit(pid)
    w.machine.advance(3_000)
    w.restart(crash=True)
    w.machine.exit(w.launch("p"))
    w.machine.advance(2 * MINUTE)
    assert total(w, "p") == used(w, "p") == 3 * SECOND


def test_nothing_is_recorded_of_empty_pools(world):
    w = world({"p": {}, "q": {}})
    w.machine.advance(10 * MINUTE)
    assert rows(w) == [] and looks(w) is None, "nothing ticks"
    pid = w.launch("p")
    w.machine.advance(MINUTE)
    w.machine.exit(pid)
    w.machine.advance(MINUTE)
    count, last = len(rows(w)), looks(w)
    assert [row[2] for row in rows(w)] == [1, 1, 0] and {row[0] for row in rows(w)} == {"p"}, "the beginning, a look, the end"
    w.machine.advance(60 * MINUTE)
    assert (len(rows(w)), looks(w)) == (count, last)


def test_off_is_off_and_a_reload_turns_it_on(world):
    w = world({"p": {}}, sampling={"record": "0s"})
    pid = w.launch("p")
    w.burn(pid, 3)
    w.machine.advance(10 * MINUTE)
    assert rows(w) == [] and looks(w) is None
    series = w.rpc.call("accounting.series", pools=["p"])
    assert series["step100ns"] == 600 * SECOND and series["complete"]
    [point] = series["series"][0]["points"]
    assert (point["started"], point["processes"], point["commitBytes"], point["cpuTime100ns"]) == (1, None, None, 0), "rows tell of it"
    w.machine.write_config({"pools": {"p": {}}, "sampling": {"record": "10s"}})
    w.rpc.call("service.reload")
    w.machine.advance(MINUTE)
    assert 6 <= len(rows(w)) <= 8
    w.machine.write_config({"pools": {"p": {}}, "sampling": {"record": "0s"}})
    w.rpc.call("service.reload")
    count = len(rows(w))
    w.machine.advance(10 * MINUTE)
    assert len(rows(w)) == count


def test_a_look_that_fails_loses_nothing(world):
    w = world({"p": {}})
    pid = w.launch("p")
    w.machine.advance(MINUTE)
    w.burn(pid, 5)
    before = len(rows(w))
    w.machine.order("fail_next", operation="NtQuerySystemInformation")
    w.machine.advance(MINUTE)
    assert len(rows(w)) == before and w.events("SAMPLING_FAILED")
    w.burn(pid, 5)
    w.machine.advance(MINUTE)
    assert len(rows(w)) == before + 1 and total(w, "p") == 10 * SECOND


def test_old_samples_go(world):
    w = world({"p": {}})
    w.machine.exit(w.launch("p"))
    w.machine.advance(MINUTE)
    assert w.rpc.call("accounting.series")["complete"]
    w.machine.write_config({"pools": {"p": {}}, "retention": {"samples": "1d"}})  # what is simulated is always old
    w.rpc.call("service.reload")
    wait_until(lambda: not rows(w), "the samples to go")  # by a thread that does it beside others
    series = w.rpc.call("accounting.series")
    assert not series["complete"] and series["completeFrom"] and not series["more"]
    assert w.rpc.call("service.status")["database"]["retention"]["samples"] == "1d"


def test_steps_are_round_and_few_enough(world):
    w = world({"p": {}})
    for span, most, step in (("1h", 60, 60), ("1h", 59, 120), ("1d", 200, 600), ("30d", 200, 21600), ("400d", 10, 50 * 86400), ("10m", 2000, 60)):
        number, unit = int(span[:-1]), {"m": 60, "h": 3600, "d": 86400}[span[-1]]
        begin = 1_700_000_000 // 86400 * 86400 * 10_000_000 + 116444736000000000
        answer = w.rpc.call("accounting.series", **{"from": iso(begin), "to": iso(begin + number * unit * SECOND), "points": most})
        assert answer["step100ns"] == step * SECOND or (span == "400d" and answer["step100ns"] >= 40 * 86400 * SECOND), (span, most, answer["step100ns"])
    for wrong in ({"from": iso(0), "to": iso(0)}, {"points": 2001}, {"points": 0}, {"from": "yesterday"}, {"pools": ["p"] * 101}):
        assert w.rpc.error("accounting.series", **wrong).name == "invalid_params", wrong


def iso(time_100ns):
    import datetime
    return (datetime.datetime(1601, 1, 1) + datetime.timedelta(microseconds=time_100ns // 10)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_an_answer_that_would_be_too_long_says_so(world):
    names = [f"pool-{i:02}" for i in range(20)]
    w = world({name: {} for name in names}, sampling={"record": "1s"})
    for name in names:
        w.launch(name)
    w.machine.advance(10 * MINUTE)
    answer = w.rpc.call("accounting.series", points=2000, **{"from": w.events()[0]["time"]})
    shown = [one["pool"] for one in answer["series"]]
    assert answer["more"] and not answer["complete"] and shown == names[:len(shown)] and 5 < len(shown) < 20
    rest = w.rpc.call("accounting.series", pools=names[len(shown):][:5], points=2000, **{"from": w.events()[0]["time"]})
    assert not rest["more"] and len(rest["series"]) == 5


def test_hidden_pools_are_not_there(world):
    w = world({"seen": {}, "hidden": {"access": NEVER}})
    for pool in ("seen", "hidden"):
        w.launch(pool)
    w.machine.advance(MINUTE)
    alice = w.machine.client(**ALICE)
    assert [one["pool"] for one in alice.call("accounting.series")["series"]] == ["seen"]
    assert [one["pool"] for one in w.rpc.call("accounting.series")["series"]] == ["hidden", "seen"]
    assert alice.error("accounting.series", pools=["hidden"]).name == "unknown_pool"
