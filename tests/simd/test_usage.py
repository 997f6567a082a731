"""pool.usage: one picture of all pools, from one look at the machine's processes for all who ask."""
from harness.simulated import ALICE, BOB

ALICES = ALICE["user"]
NOBODY_AT_ALL = {"view": []}
MIB = 1 << 20
SECOND = 10_000_000


def rows(client, **params):
    return {row["name"]: row for row in client.call("pool.usage", **params)["pools"]}


def looks(w):
    """When the machine was last looked at."""
    return w.rpc.call("service.status")["sampling"]["last"]


def test_what_it_says(world):
    w = world({"top": {"limits": {"job_memory": "64MiB", "active_processes": 9}}, "low": {"parent": "top", "limits": {"job_memory": "128MiB", "active_processes": 4}},
               "alone": {"timeouts": {"idle": "1h"}}})
    one, other = w.assigned("top"), w.assigned("low")
    w.burn(one, 2)
    w.burn(other, 3)
    w.commit(one, 5 * MIB)
    w.commit(other, 7 * MIB)
    picture = w.rpc.call("pool.usage")
    assert picture["processors"] >= 1 and picture["lastSeq"] == w.rpc.call("service.status")["seq"] and "processes" not in picture
    assert [row["name"] for row in picture["pools"]] == ["alone", "low", "top"]
    alone, low, top = picture["pools"]
    assert (top["parent"], top["members"], top["totalMembers"], top["cpuTime100ns"]) == (None, 1, 2, 5 * SECOND)
    assert (low["parent"], low["members"], low["totalMembers"], low["cpuTime100ns"]) == ("top", 1, 1, 3 * SECOND)
    assert top["commitBytes"] - low["commitBytes"] >= 5 * MIB and low["commitBytes"] >= 7 * MIB
    assert (top["memoryLimitBytes"], low["memoryLimitBytes"], alone["memoryLimitBytes"]) == (64 * MIB, 64 * MIB, None), "the tightest that holds"
    assert (top["processLimit"], low["processLimit"], alone["processLimit"]) == (9, 4, None)
    assert (top["memoryLimitBy"], top["enforcedBy"], alone["memoryLimitBy"], alone["enforcedBy"]) == ("kernel", "kernel", None, "service")
    assert (top["state"], top["source"], top["frozen"]) == ("active", "config", False)


def test_one_look_serves_all_who_ask(world):
    """A system call each half second at most, whoever asks, however often; and none when nobody does."""
    w = world({"p": {}}, sampling={"record": "0s"})
    pid = w.assigned("p")
    w.machine.advance(10_000)
    assert looks(w) is None, "nobody has asked"
    alice = w.machine.client(**ALICE)
    w.burn(pid, 1)
    first = w.rpc.call("pool.usage")
    seen = looks(w)
    assert first["time"] == seen and first["pools"][0]["cpuTime100ns"] == SECOND
    w.burn(pid, 1)
    for client in (w.rpc, alice, w.rpc, alice):
        w.machine.advance(120)
        again = client.call("pool.usage")
        assert (again["time"], again["clock100ns"], looks(w)) == (first["time"], first["clock100ns"], seen), "who asks in between gets the last one"
    w.machine.advance(20)
    numbers = [client.begin("pool.usage") for client in (w.rpc, alice) for _ in range(8)]
    fresh = [client.finish(number) for client, number in zip([w.rpc] * 8 + [alice] * 8, numbers)]
    assert {(answer["time"], answer["pools"][0]["cpuTime100ns"]) for answer in fresh} == {(looks(w), 2 * SECOND)}
    assert fresh[0]["clock100ns"] - first["clock100ns"] == 5_000_000
    seen = looks(w)
    w.machine.advance(60_000)
    assert looks(w) == seen, "they ask no more"


def test_a_look_that_fails_is_answered_with_the_last_one(world):
    w = world({"p": {}})
    pid = w.assigned("p")
    first = w.rpc.call("pool.usage")
    w.burn(pid, 1)
    w.machine.advance(1000)
    w.machine.order("fail_next", operation="NtQuerySystemInformation", win32=1450, times=1)
    again = w.rpc.call("pool.usage")
    assert again["time"] == first["time"] and w.rpc.call("service.status")["sampling"]["degraded"]
    w.machine.advance(1000)
    assert w.rpc.call("pool.usage")["pools"][0]["cpuTime100ns"] == SECOND


def test_who_leaves_while_it_waits(world):
    w = world({"p": {}})
    w.assigned("p")
    alice = w.machine.client(**ALICE)
    for _ in range(20):
        alice.begin("pool.usage")
    alice.close()
    w.machine.advance(1000)
    assert w.rpc.call("pool.usage")["pools"][0]["members"] == 1


def test_the_sums_never_fall(world):
    """Whatever ends, moves, is made or goes; and whoever has asked the handles meanwhile."""
    w = world({"top": {}, "middle": {"parent": "top"}})
    w.rpc.call("pool.create", name="low", parent="middle")
    last = {}

    def check(*used):  # in a pool that is made anew they begin anew
        w.machine.advance(600)
        now = rows(w.rpc)
        for pool, row in now.items():
            for key in ("cpuTime100ns", "readBytes", "writeBytes", "events"):
                assert (row[key] or 0) >= last.get((pool, key), 0), (pool, key)
                last[pool, key] = row[key] or 0
        assert [now[pool]["cpuTime100ns"] // SECOND for pool in ("top", "middle", "low") if pool in now] == list(used)
        return now

    pids = {pool: w.assigned(pool) for pool in ("top", "middle", "low")}
    for seconds, pid in enumerate(pids.values(), 1):
        w.burn(pid, seconds)
    check(6, 5, 3)
    w.burn(pids["low"], 1)
    assert w.rpc.call("pool.processes", pool="top")["processes"]
    check(7, 6, 4)
    w.machine.exit(pids["low"])
    check(7, 6, 4)
    w.machine.advance(3000)
    w.rpc.call("pool.delete", pool="low")
    check(7, 6)
    w.rpc.call("accounting.reset", pool="top")
    w.rpc.call("pool.terminate", pool="top")
    w.machine.deliver()
    now = check(7, 6)
    assert (now["top"]["totalMembers"], now["top"]["commitBytes"], now["top"]["workingSetBytes"]) == (0, 0, 0)
    w.rpc.call("pool.create", name="low", parent="middle")
    last = {key: value for key, value in last.items() if key[0] != "low"}
    again = w.assigned("low")
    w.burn(again, 2)
    check(9, 8, 2)


def test_it_begins_with_the_service(world):
    """Whose processes go on, go on with what they have used."""
    w = world({"p": {"limits": {"job_time": "1h"}}})
    gone, kept = w.assigned("p"), w.assigned("p")
    w.burn(gone, 3)
    w.burn(kept, 2)
    w.machine.exit(gone)
    w.restart()
    assert rows(w.rpc)["p"]["cpuTime100ns"] == 2 * SECOND


def test_events_are_counted_with_those_of_the_pools_below(world):
    w = world({"top": {}, "low": {"parent": "top"}, "other": {}})
    before = rows(w.rpc)
    w.machine.exit(w.assigned("low"))
    w.machine.advance(3000)
    after, told = rows(w.rpc), {pool: len(w.events(pool=pool)) for pool in ("top", "low", "other")}
    assert after["low"]["events"] == told["low"] > before["low"]["events"]
    assert after["top"]["events"] == told["top"] + told["low"]
    assert after["other"]["events"] == told["other"] == before["other"]["events"]


def test_only_what_is_asked_for(world):
    w = world({"top": {"limits": {"job_memory": "64MiB"}}, "low": {"parent": "top"}, "alone": {}})
    one, other = w.assigned("top"), w.assigned("low")
    w.commit(other, 4 * MIB)
    answer = w.rpc.call("pool.usage", pool="low", processesOf="top")
    assert [(row["name"], row["memoryLimitBytes"]) for row in answer["pools"]] == [("low", 64 * MIB)]
    assert {row["pid"] for row in answer["processes"]} == {one, other}
    row = [row for row in answer["processes"] if row["pid"] == other][0]
    assert row["commitBytes"] == answer["pools"][0]["commitBytes"] >= 4 * MIB and row["workingSetBytes"] is not None and row["pool"] == "low"
    assert w.rpc.error("pool.usage", pool="lowe").name == w.rpc.error("pool.usage", processesOf="lowe").name == "unknown_pool"
    late = w.assigned("alone")
    row, = w.rpc.call("pool.usage", processesOf="alone")["processes"]
    assert (row["pid"], row["commitBytes"], row["workingSetBytes"]) == (late, None, None), "no look has seen it yet"


def test_frozen_and_enforced(world):
    w = world({"top": {"limits": {"active_processes": 3}, "timeouts": {"idle": "1h"}}, "low": {"parent": "top", "timeouts": {"idle": "1h"}}, "bare": {}})
    w.rpc.call("pool.freeze", pool="top")
    found = rows(w.rpc)
    assert [found[pool]["frozen"] for pool in ("top", "low", "bare")] == [True, True, False]
    assert [found[pool]["enforcedBy"] for pool in ("top", "low", "bare")] == ["mixed", "service", None]


def test_hidden_pools_are_left_out(world):
    """They count where they stand: what a pool uses is with those below it, as pool.get has it."""
    w = world({"top": {"access": NOBODY_AT_ALL}, "mine": {"parent": "top", "access": {"view": [ALICES]}}, "below": {"parent": "mine", "access": NOBODY_AT_ALL}})
    mine, hidden = w.assigned("mine"), w.assigned("below")
    w.burn(hidden, 1)
    alice, bob = w.machine.client(**ALICE), w.machine.client(**BOB)
    answer = alice.call("pool.usage", processesOf="mine")
    assert [(row["name"], row["parent"], row["totalMembers"]) for row in answer["pools"]] == [("mine", None, 2)]
    assert [row["pid"] for row in answer["processes"]] == [mine]
    assert bob.call("pool.usage")["pools"] == []
    for params in ({"pool": "below"}, {"processesOf": "below"}, {"pool": "mine", "processesOf": "top"}):
        assert alice.error("pool.usage", **params).name == "unknown_pool"


def test_a_pool_that_goes_while_it_is_looked_for(world):
    w = world({"p": {}})
    w.assigned("p")
    w.rpc.call("pool.create", name="gone")
    w.rpc.call("pool.usage")
    w.machine.advance(1000)
    number, deleted = w.rpc.begin("pool.usage", pool="gone"), w.rpc.begin("pool.delete", pool="gone")
    try:
        assert w.rpc.finish(number)["pools"][0]["name"] == "gone"
    except Exception as error:  # noqa: BLE001 - RpcError has a name, anything else fails here
        assert error.name == "unknown_pool"
    w.rpc.finish(deleted)


def test_a_pool_that_is_hidden_while_it_is_looked_for(world):
    """By its own admin, who needs no more for that: what he asked for is refused as if it had never been there, and the service goes on."""
    w = world({"p": {"access": {"admin": [ALICES]}}})
    w.assigned("p")
    w.machine.advance(1000)
    alice = w.machine.client(**ALICE)
    alice.send({"jsonrpc": "2.0", "id": 1, "method": "pool.usage", "params": {"pool": "p"}},
               {"jsonrpc": "2.0", "id": 2, "method": "pool.update", "params": {"pool": "p", "access": {"admin": [BOB["user"]]}}})
    answers = {answer["id"]: answer for answer in (alice.receive(), alice.receive())}
    assert answers[1]["error"]["data"]["name"] == "unknown_pool" and "result" in answers[2]
    audit, = [row for row in w.rpc.call("accounting.audit", denied=True)["records"] if row["method"] == "pool.usage"]
    assert (audit["user"], audit["pool"], audit["error"]) == (ALICES, "p", "unknown_pool")


def test_a_thousand_pools_are_one_walk(world):
    w = world({"root": {}} | {f"p{number}": {"parent": "root" if number < 10 else f"p{number // 2}"} for number in range(1000)})
    for pool in ("p999", "p500", "p7"):
        w.burn(w.assigned(pool), 1)
    w.machine.advance(1000)
    answer = w.rpc.call("pool.usage")
    assert len(answer["pools"]) == 1001
    found = {row["name"]: row for row in answer["pools"]}
    assert found["root"]["cpuTime100ns"] == 3 * SECOND and found["root"]["totalMembers"] == 3
    below = [name for name in found if found[name]["totalMembers"]]
    for name in below:
        children = sum(row["totalMembers"] for row in found.values() if row["parent"] == name)
        assert found[name]["totalMembers"] == found[name]["members"] + children


def test_who_asks_is_told_who_he_is_and_what_he_may(world):
    w = world({"p": {"access": {"launch": [ALICES]}}, "q": {"access": {"view": []}}}, access={"control": ["Interactive"]})
    alice = w.machine.client(**ALICE)
    caller = alice.call("service.status")["caller"]
    assert (caller["user"], caller["rights"]) == (ALICES, ["view", "control"]) and caller["sid"].startswith("S-1-")
    assert {row["name"]: row["rights"] for row in alice.call("pool.list")["pools"]} == {"p": ["view", "launch"]}
    everything = ["view", "assign", "launch", "control", "admin"]
    assert w.rpc.call("service.status")["caller"]["rights"] == everything
    assert {row["name"]: row["rights"] for row in w.rpc.call("pool.list")["pools"]} == {"p": everything, "q": everything}


# ---------------------------------------------------------------------------------------------- what pool.get says: to the moment, and nobody is asked

def used(w, pool, part="usage"):
    """In milliseconds, and bytes."""
    found = w.rpc.call("pool.get", pool=pool)[part]
    return found["userTime100ns"] // 10_000, found["readBytes"], found["writeBytes"]


def works(w, pid, ms, read, write):
    w.machine.order("burn", pid=pid, user100ns=ms * 10_000)
    w.machine.order("io", pid=pid, read=read, write=write)


def test_a_pool_tells_what_it_has_used_though_nobody_has_looked(world):
    """From its jobs, beyond what members have told: whoever ends, and whoever is asked, changes nothing of it."""
    w = world({"top": {}, "low": {"parent": "top"}}, sampling={"record": "0s"})
    one, other = w.assigned("top"), w.assigned("low")
    works(w, one, 20, 300, 40)
    works(w, other, 3, 7, 11)

    def expect(top, low, own):
        assert (used(w, "top"), used(w, "low")) == (top, low)
        assert (used(w, "top", "counters"), used(w, "low", "counters")) == (own, low), "those below it not included"

    expect((23, 307, 51), (3, 7, 11), (20, 300, 40))
    assert looks(w) is None
    assert len(w.members("top")) == 2, "each is asked"
    expect((23, 307, 51), (3, 7, 11), (20, 300, 40))
    works(w, other, 1, 1, 1)
    w.machine.exit(other)
    expect((24, 308, 52), (4, 8, 12), (20, 300, 40))
    w.machine.advance(3000)
    works(w, one, 1, 1, 1)
    expect((25, 309, 53), (4, 8, 12), (21, 301, 41))
    late = w.machine.spawn()
    works(w, late, 100, 100, 100)
    w.rpc.call("pool.assign", pool="low", pid=late)
    expect((125, 409, 153), (104, 108, 112), (21, 301, 41))
    w.rpc.call("accounting.reset", pool="low")
    works(w, late, 2, 2, 2)
    assert (used(w, "low"), used(w, "low", "counters")) == ((106, 110, 114), (2, 2, 2))
    assert looks(w) is None


def test_what_nobody_saw_is_in_it_before_it_is_claimed(world):
    w = world({"top": {}, "low": {"parent": "top"}})
    parent = w.assigned("low")
    works(w, parent, 1, 1, 1)
    child = w.machine.spawn(parent)
    works(w, child, 5, 5, 5)
    w.machine.exit(child, deliver=False)
    w.machine.order("queue_set", items=[])
    for _ in range(2):
        assert used(w, "top") == used(w, "low") == used(w, "low", "counters") == (6, 6, 6)
        assert used(w, "top", "counters") == (0, 0, 0)
        w.machine.advance(130_000)
    assert w.rpc.call("pool.get", pool="low")["counters"]["unobserved"] == 1


def test_it_begins_with_the_service_and_goes_on_with_what_runs(world):
    """What was used meanwhile, or before by those who have ended, is no part of it; in the counters is what the record has."""
    w = world({"top": {}, "low": {"parent": "top"}})
    kept, ended, left = w.assigned("low"), w.assigned("low"), w.assigned("low")
    for pid, ms in ((kept, 1), (ended, 20), (left, 300)):
        works(w, pid, ms, ms, ms)
    w.machine.exit(ended)
    w.machine.advance(3000)
    w.stop()
    works(w, kept, 2, 2, 2)
    works(w, left, 4000, 4000, 4000)
    w.machine.exit(left, deliver=False)
    w.start()
    assert used(w, "low") == used(w, "top") == (3, 3, 3)
    assert used(w, "low", "counters") == (23, 23, 23)
    works(w, kept, 5, 5, 5)
    assert (used(w, "low"), used(w, "top"), used(w, "low", "counters")) == ((8, 8, 8), (8, 8, 8), (28, 28, 28))


def test_where_jobs_do_not_count_it_is_as_of_the_last_look(world):
    w = world({"top": {}, "low": {"parent": "top"}}, start=False, sampling={"interval": "1s"})
    w.machine.order("like_wine")
    w.start()
    pid = w.assigned("low")
    w.machine.advance(1000)
    w.machine.order("burn", pid=pid, user100ns=70_000)
    before = [w.rpc.call("pool.get", pool=pool)["usage"]["userTime100ns"] for pool in ("top", "low")]
    w.machine.advance(1000)
    after = [w.rpc.call("pool.get", pool=pool)["usage"]["userTime100ns"] for pool in ("top", "low")]
    assert (before, after) == ([0, 0], [70_000, 70_000])
    assert w.rpc.call("pool.get", pool="low")["counters"]["userTime100ns"] == 70_000


def test_memory_is_as_of_the_last_look(world):
    w = world({"p": {}}, sampling={"record": "0s"})
    pid = w.assigned("p")
    w.commit(pid, 9 * MIB)
    w.rpc.call("pool.usage")
    seen = w.rpc.call("pool.get", pool="p")
    assert seen["usage"]["commitBytes"] >= 9 * MIB and seen["counters"]["peakCommitBytes"] >= 9 * MIB and seen["usage"]["workingSetBytes"] > 0
    w.commit(pid, 9 * MIB)
    assert w.rpc.call("pool.get", pool="p")["usage"]["commitBytes"] == seen["usage"]["commitBytes"]
    w.machine.exit(pid)
    gone = w.rpc.call("pool.get", pool="p")
    assert (gone["usage"]["commitBytes"], gone["usage"]["workingSetBytes"]) == (0, 0) and gone["counters"]["peakCommitBytes"] >= 18 * MIB


def test_a_job_that_was_there_before_its_pool(world):
    """Those who are in it bring what they have used along, those who have ended do not."""
    w = world({})
    job = w.rpc.call("job.create", name="Global\\theirs")["job"]
    stays, gone = w.machine.spawn(), w.machine.spawn()
    for pid in (stays, gone):
        w.rpc.call("job.assignProcess", job=job, pid=pid)
    works(w, stays, 2, 2, 2)
    works(w, gone, 30, 30, 30)
    w.machine.exit(gone)
    w.rpc.call("pool.create", name="p", object_name="Global\\theirs")
    w.machine.deliver()
    assert w.members("p") == [stays]
    assert used(w, "p") == (2, 2, 2)
    works(w, stays, 1, 1, 1)
    assert used(w, "p") == used(w, "p", "counters") == (3, 3, 3)
