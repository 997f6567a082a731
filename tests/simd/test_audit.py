"""The audit trail: who changed, assigned, launched and ended what, what was refused, and what became of it."""
import json

import pytest

from harness.host import wait_until
from harness.simulated import ALICE

ALICES = ALICE["user"]
ADMIN = "SIM\\admin"
NOBODY_AT_ALL = {"view": []}
MINUTE_MS = 60_000


def trail(w, **filters):
    w.rpc.send({"jsonrpc": "2.0", "id": "trail", "method": "accounting.audit", "params": filters})  # one of them is called `method`
    return w.rpc.finish("trail")["records"]


def last(w, **filters):
    return trail(w, newest=True, limit=1, **filters)[0]


def brief(record):
    return (record["user"], record["method"], record["pool"], record["allowed"], record["error"], record["count"])


@pytest.fixture
def audited(world):
    w = world({"p": {"access": {"view": [ALICES]}}, "hidden": {"access": NOBODY_AT_ALL}, "mine": {"access": {"admin": [ALICES]}}})
    w.alice = w.machine.client(**ALICE, pid=4321)
    return w


# ------------------------------------------------------------------------------------------------------------ what is in it


def test_everything_that_changes_something(audited):
    w = audited
    done = []

    def do(method, of, about=None, **params):
        w.rpc.call(method, **params)
        record = last(w)
        assert brief(record) == (ADMIN, method, of, True, None, 1)
        assert record["pid"] == about and record["sid"].startswith("S-1-5-21-") and record["time"].endswith("Z")
        done.append(method)

    runs, ends = w.machine.spawn(), w.machine.spawn()
    do("pool.create", "new", name="new", parent="p")
    do("pool.update", "new", pool="new", description="x")
    do("pool.assign", "new", runs, pool="new", pid=runs)
    do("job.assignProcess", "new", ends, job="new", pid=ends)
    w.machine.deliver()
    do("process.terminate", "new", ends, pid=ends)
    do("pool.freeze", "new", pool="new")
    do("pool.thaw", "new", pool="new")
    do("accounting.reset", "new", pool="new")
    info = w.rpc.call("job.queryInformation", job="new", **{"class": 4})["info"]
    do("job.setInformation", "new", job="new", **{"class": 4}, info=info)
    do("job.grantUserHandle", "new", job="new", handle=1, grant=True)
    do("job.terminate", "new", job="new", exitCode=1)
    do("pool.terminate", "new", pool="new")
    w.machine.advance(3000)
    do("pool.delete", "new", pool="new")
    do("accounting.purge", "p", pool="p", olderThan="1d")
    do("service.reload", None)
    do("pool.match", None, apply=True)
    do("job.create", None, name="Local\\x")
    launched = w.rpc.call("pool.launch", pool="p", argv=["a.exe"])["pid"]
    assert (brief(last(w)), last(w)["pid"]) == ((ADMIN, "pool.launch", "p", True, None, 1), launched)
    done.append("pool.launch")
    assert [record["method"] for record in trail(w)] == done
    assert len({record["id"] for record in trail(w)}) == len(done)


def test_what_only_asks_is_not_in_it(audited):
    w = audited
    for method, params in (("pool.list", {}), ("pool.get", {"pool": "p"}), ("events.query", {}), ("pool.match", {}), ("accounting.audit", {}),
                           ("job.queryInformation", {"job": "p", "class": 1}), ("rpc.discover", {}), ("service.status", {})):
        w.rpc.call(method, **params)
    assert w.rpc.error("pool.get", pool="none").name == "unknown_pool"
    assert trail(w) == []


def test_what_is_refused_for_want_of_a_right(audited):
    """Also where it only asks, and where its asker is told that there is no such pool."""
    w = audited
    for method, params, pool, error in (("pool.update", {"pool": "p", "description": "x"}, "p", "access_denied"),
                                        ("pool.launch", {"pool": "p", "argv": ["a.exe"]}, "p", "access_denied"),
                                        ("job.terminate", {"job": "p", "exitCode": 1}, "p", "access_denied"),
                                        ("pool.create", {"name": "top"}, "top", "access_denied"),
                                        ("accounting.audit", {}, None, "access_denied"),
                                        ("pool.get", {"pool": "hidden"}, "hidden", "unknown_pool"),
                                        ("pool.terminate", {"pool": "hidden"}, "hidden", "unknown_pool"),
                                        ("accounting.summary", {"pool": "hidden"}, "hidden", "unknown_pool"),
                                        ("events.query", {"pools": ["hidden"]}, "hidden", "unknown_pool")):
        assert w.alice.error(method, **params).name == error
        record = last(w)
        assert brief(record) == (ALICES, method, pool, False, error, 1)
        assert record["clientPid"] == 4321 and record["detail"]
    assert len(trail(w, denied=True)) == len(trail(w)) == 9


def test_a_process_of_a_hidden_pool(audited):
    w = audited
    pid = w.launch("hidden")
    assert w.alice.error("process.terminate", pid=pid).name == "no_such_process"
    assert brief(last(w)) == (ALICES, "process.terminate", "hidden", False, "no_such_process", 1)
    assert last(w)["pid"] == pid and w.alive(pid)


def test_what_fails_is_allowed_all_the_same(audited):
    w = audited
    assert w.rpc.error("pool.assign", pool="p", pid=3_999_996).name == "no_such_process"
    record = last(w)
    assert brief(record) == (ADMIN, "pool.assign", "p", True, "no_such_process", 1) and record["pid"] == 3_999_996
    assert trail(w, denied=True) == []


def test_refusals_are_events_of_their_pool(audited):
    """So that who may not view the pool does not hear of it by that."""
    w = audited
    w.alice.error("pool.terminate", pool="p")
    w.alice.error("pool.terminate", pool="hidden")
    w.alice.error("service.reload")
    told = {event["pool"]: event["detail"] for event in w.events("REQUEST_DENIED")}
    assert set(told) == {"p", "hidden", ""}
    assert told["p"] == 'SIM\\alice (process 4321) asked for pool.terminate of p without the right "control"'
    assert told["hidden"].endswith('asked for pool.terminate of hidden without the right "view"')
    assert told[""].endswith('asked for service.reload without the right "admin"')
    seen = w.alice.call("events.query", messages=["REQUEST_DENIED"])["events"]
    assert {event["pool"] for event in seen} == {"p", ""} and "hidden" not in json.dumps(seen)


# ------------------------------------------------------------------------------------------------------------ what is repeated


def test_what_is_repeated_is_put_together(audited):
    w = audited
    for _ in range(50):
        assert w.alice.error("pool.terminate", pool="p").name == "access_denied"
    assert [brief(record) for record in trail(w)] == [(ALICES, "pool.terminate", "p", False, "access_denied", 1)]
    assert len(w.events("REQUEST_DENIED")) == 1
    w.machine.advance(MINUTE_MS + 1000)
    first, others = trail(w)
    assert brief(others) == (ALICES, "pool.terminate", "p", False, "access_denied", 49)
    assert others["detail"] == first["detail"] and others["sid"] == first["sid"] and others["id"] > first["id"]
    w.alice.error("pool.terminate", pool="p")
    assert [record["count"] for record in trail(w)] == [1, 49, 1], "a new minute begins with a record at once"
    w.machine.advance(MINUTE_MS + 1000)
    assert len(trail(w)) == 3, "there was nothing more"


def test_what_is_different_is_not(audited):
    w = audited
    bob = w.machine.client(user="SIM\\bob")
    for _ in range(3):
        w.alice.error("pool.terminate", pool="p")
        w.alice.error("pool.freeze", pool="p")
        bob.error("service.reload")
        w.alice.error("service.reload")
    w.machine.advance(MINUTE_MS + 1000)
    records = trail(w)
    assert [record["count"] for record in records] == [1] * 4 + [2] * 4
    assert {brief(record)[:3] for record in records[4:]} == {(ALICES, "pool.terminate", "p"), (ALICES, "pool.freeze", "p"), (ALICES, "service.reload", None),
                                                            ("SIM\\bob", "service.reload", None)}


def test_what_is_done_is_a_record_each(audited):
    w = audited
    for number in range(20):
        w.rpc.call("pool.update", pool="p", description=f"{number}")
    assert [record["count"] for record in trail(w)] == [1] * 20


@pytest.mark.parametrize("method, params", [("pool.terminate", lambda name: {"pool": name}), ("pool.create", lambda name: {"name": name}),
                                            ("job.terminate", lambda name: {"job": name, "exitCode": 1})])
def test_another_pool_each_time_does_not_fill_the_trail(audited, method, params):
    w = audited
    for number in range(300):
        w.alice.error(method, **params(f"x{number}"))
    assert len(trail(w)) <= 8 and len(w.events("REQUEST_DENIED")) <= 8
    w.rpc.error("pool.terminate", pool="nowhere")
    assert brief(last(w)) == (ADMIN, "pool.terminate", "nowhere", True, "unknown_pool", 1), "others have their records"
    w.machine.advance(MINUTE_MS + 1000)
    alices = trail(w, user=ALICES)
    assert len(alices) <= 16 and sum(record["count"] for record in alices) == 300, "every one is counted"
    assert alices[-1]["pool"] is None or alices[-1]["count"] == 1 or "several" in alices[-1]["detail"]


def test_a_long_name_is_cut(audited):
    w = audited
    assert w.alice.error("pool.terminate", pool="\u00fc" * 1000).name == "unknown_pool"
    assert last(w)["pool"] == "\u00fc" * 128
    assert w.alice.error("pool.freeze", pool="a" + "\u20ac" * 1000).name == "unknown_pool"
    assert last(w)["pool"] == "a" + "\u20ac" * 85, "not in the middle of a character"


# ------------------------------------------------------------------------------------------------------------------- its life


def test_what_is_held_back_is_written_when_the_service_stops(audited):
    w = audited
    for _ in range(7):
        w.alice.error("pool.terminate", pool="p")
    w.rpc.call("pool.update", pool="p", description="x")
    before = trail(w)
    w.restart()
    records = trail(w)
    assert records[:2] == before and brief(records[2]) == (ALICES, "pool.terminate", "p", False, "access_denied", 6)
    w.rpc.call("pool.update", pool="p", description="y")
    ids = [record["id"] for record in trail(w)]
    assert ids == sorted(set(ids)) and len(ids) == 4


def test_it_survives_a_crash(audited):
    w = audited
    w.rpc.call("pool.update", pool="p", description="x")
    w.alice.error("pool.terminate", pool="p")
    before = trail(w)
    w.restart(crash=True)
    assert trail(w) == before and len(before) == 2


def test_filters_and_pages(audited):
    w = audited
    for number in range(10):
        w.rpc.call("pool.update", pool="p" if number % 2 else "mine", description=f"{number}")
        w.machine.advance(1000)
    w.alice.call("pool.update", pool="mine", description="hers")
    w.alice.error("pool.update", pool="p", description="not hers")
    everything = trail(w)
    assert len(everything) == 12
    assert trail(w, user="sim\\ALICE") == everything[10:] and trail(w, denied=True) == everything[11:]
    assert trail(w, pool="mine") == [record for record in everything if record["pool"] == "mine"] and len(trail(w, pool="mine")) == 6
    assert trail(w, method="pool.update") == everything and trail(w, method="pool.delete") == []
    assert trail(w, **{"from": everything[4]["time"], "to": everything[7]["time"]}) == everything[4:7]
    assert trail(w, newest=True, limit=3) == everything[9:]
    paged, after = [], 0
    while True:
        page = w.rpc.call("accounting.audit", afterId=after, limit=5)
        paged += page["records"]
        if not page["more"]:
            break
        assert len(page["records"]) == 5
        after = paged[-1]["id"]
    assert paged == everything
    assert w.rpc.error("accounting.audit", **{"from": "yesterday"}).name == "invalid_params"


# ------------------------------------------------------------------------------------------------------- whom nobody answers


def test_notifications_are_in_it(audited):
    w = audited
    w.alice.send({"jsonrpc": "2.0", "method": "pool.update", "params": {"pool": "mine", "description": "quiet"}},
                 {"jsonrpc": "2.0", "method": "pool.terminate", "params": {"pool": "p"}},
                 [{"jsonrpc": "2.0", "method": "pool.terminate", "params": {"pool": "hidden"}}])
    w.alice.call("pool.list")
    assert [brief(record) for record in trail(w)] == [(ALICES, "pool.update", "mine", True, None, 1),
                                                      (ALICES, "pool.terminate", "p", False, "access_denied", 1),
                                                      (ALICES, "pool.terminate", "hidden", False, "unknown_pool", 1)]
    assert w.rpc.call("pool.get", pool="mine")["description"] == "quiet"


def test_who_leaves_before_the_answer(audited):
    w = audited
    w.alice.send({"jsonrpc": "2.0", "id": 1, "method": "pool.launch", "params": {"pool": "mine", "argv": ["a.exe"]}},
                 {"jsonrpc": "2.0", "id": 2, "method": "pool.update", "params": {"pool": "mine", "description": "left"}},
                 {"jsonrpc": "2.0", "id": 3, "method": "pool.update", "params": {"pool": "p", "description": "left"}})
    w.alice.close()
    wait_until(lambda: len(trail(w)) == 3, "all three to be carried out, the launch when its row is on the disk")
    wait_until(lambda: w.rpc.call("service.status")["connections"] == 1, "the connection to be gone")
    records = {record["method"] + str(record["allowed"]): record for record in trail(w)}
    assert {key: brief(record) for key, record in records.items()} == {
        "pool.launchTrue": (ALICES, "pool.launch", "mine", True, None, 1), "pool.updateTrue": (ALICES, "pool.update", "mine", True, None, 1),
        "pool.updateFalse": (ALICES, "pool.update", "p", False, "access_denied", 1)}
    assert records["pool.launchTrue"]["pid"] in w.members("mine")
