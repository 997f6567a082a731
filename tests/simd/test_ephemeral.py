"""Ephemeral pools: made for one run by whoever may put processes into a pool, bounded in everything, and gone by themselves."""
import json
import sqlite3

import pytest

from harness.bridge import RpcError
from harness.host import wait_until
from harness.simulated import ALICE, BOB

ALICES = ALICE["user"]
NOBODY_AT_ALL = {"view": []}
MIB = 1 << 20
LAUNCHES = {"p": {"access": {"launch": [ALICES]}}}
MOMENT_MS = 300  # for which an empty one stays
REMEMBERED_MS = 10 * 60 * 1000


def make(client, name="e", parent="p", **more):
    return client.call("pool.create", name=name, parent=parent, ephemeral=True, **more)


def there(w, name="e"):
    return name in [row["name"] for row in w.rpc.call("pool.list")["pools"]]


def run(client, pool="e"):
    return client.call("pool.launch", pool=pool, argv=["tool.exe"])["pid"]


def end(w, pid):
    w.machine.exit(pid)
    w.machine.advance(MOMENT_MS)


@pytest.fixture
def alices(world):
    """A pool in which Alice may launch, and her connection."""
    w = world(LAUNCHES)
    w.alice = w.machine.client(**ALICE)
    return w


# ---------------------------------------------------------------------------------------------------------------- its life


def test_it_goes_with_its_last_process(alices):
    w = alices
    made = make(w.alice, limits={"active_processes": 5}, description="one run")
    assert (made["ephemeral"], made["source"], made["parent"], made["rights"]) == (True, "transient", "p", ["view", "launch", "control"])
    assert [row["ephemeral"] for row in w.alice.call("pool.list")["pools"]] == [True, False]
    w.machine.advance(60_000)
    assert there(w), "while who made it is there"
    first, second = run(w.alice), run(w.alice)
    child = w.spawn(first)
    for pid in (first, second):
        end(w, pid)
        assert there(w)
    end(w, child)
    assert not there(w)
    assert {row["pid"] for row in w.rows(pool="e")} == {first, second, child}, "what was recorded stays"
    told = [(event["message"], event.get("detail")) for event in w.events(pool="e") if event["message"].startswith("POOL_")]
    assert told == [("POOL_CREATED", "ephemeral"), ("POOL_DELETED", "ephemeral: its last process has ended")]
    assert [event["message"] for event in w.events(pool="e")].count("JOB_OBJECT_MSG_ACTIVE_PROCESS_ZERO") == 1


def test_it_goes_with_its_makers_connection_if_it_never_had_a_process(alices):
    w = alices
    other = w.machine.client(**ALICE)
    make(w.alice, "empty"), make(w.alice, "used"), make(other, "others")
    pid = run(w.alice, "used")
    w.alice.close()
    wait_until(lambda: w.rpc.call("service.status")["connections"] == 2, "the connection to be seen closed")
    w.machine.advance(MOMENT_MS)
    assert (there(w, "empty"), there(w, "used"), there(w, "others")) == (False, True, True)
    assert w.events("POOL_DELETED", pool="empty")[-1]["detail"] == "ephemeral: whoever made it is gone"
    end(w, pid)
    assert (there(w, "used"), there(w, "others")) == (False, True)


def test_a_moment_in_which_another_comes_keeps_it(alices):
    w = alices
    make(w.alice)
    w.machine.exit(run(w.alice))
    again = run(w.alice)
    w.machine.advance(5000)
    assert there(w)
    end(w, again)
    assert not there(w)


def test_terminating_it_is_its_end(alices):
    w = alices
    make(w.alice), make(w.alice, "empty")
    pid = run(w.alice)
    assert w.alice.call("pool.terminate", pool="e")["terminated"] == 1
    assert w.alice.call("pool.terminate", pool="empty")["terminated"] == 0
    w.machine.deliver()
    w.machine.advance(MOMENT_MS)
    assert not w.alive(pid) and not there(w) and not there(w, "empty")


def test_one_below_another(alices):
    """Each goes with what is in it; the upper one not before the lower."""
    w = alices
    make(w.alice, "upper"), make(w.alice, "lower", "upper")
    upper, lower = run(w.alice, "upper"), run(w.alice, "lower")
    end(w, upper)
    assert there(w, "upper") and there(w, "lower")
    end(w, lower)
    w.machine.advance(MOMENT_MS)
    assert not there(w, "lower") and not there(w, "upper")


def test_who_waits_for_room_keeps_it(alices):
    w = alices
    make(w.alice, limits={"active_processes": 1}, when_full="wait", wait_timeout="10s")
    first = run(w.alice)
    waiting = w.alice.begin("pool.launch", pool="e", argv=["tool.exe"])
    w.alice.call("pool.list")
    w.machine.exit(first)
    second = w.alice.finish(waiting)["pid"]
    w.machine.advance(5000)
    assert there(w)
    end(w, second)
    assert not there(w)


def test_a_process_that_nobody_has_heard_of_keeps_it(alices):
    """Its messages were lost: the kernel's count has it."""
    w = alices
    make(w.alice)
    pid = run(w.alice)
    w.machine.deliver()
    w.machine.order("weather", lose=1000)
    child = w.machine.spawn(pid)
    w.machine.exit(pid)
    w.machine.order("weather")
    w.machine.advance(2000)
    assert there(w) and w.members("e") == [child]
    end(w, child)
    w.machine.advance(2000)
    assert not there(w)


def test_waiting_for_it_and_reading_its_accounts(alices):
    """What `jobpool run --limits` does."""
    w = alices
    make(w.alice)
    pid = run(w.alice)
    w.burn(pid, 3)
    waiting = w.alice.begin("pool.wait", pool="e")
    w.alice.call("pool.list")
    end(w, pid)
    assert not there(w)
    assert w.alice.finish(waiting) == {"pool": "e", "empty": True}
    assert [row["pid"] for row in w.alice.call("accounting.processes", pool="e")["processes"]] == [pid]
    assert w.alice.call("accounting.summary", pool="e")["pools"][0]["userTime100ns"] == 30_000_000


def test_waiting_for_what_is_over(alices):
    """Its maker may be slower than what it has started."""
    w = alices
    make(w.alice)
    pid = run(w.alice)
    w.machine.exit(pid, code=7)
    w.machine.advance(3000)
    assert not there(w)
    assert w.alice.call("pool.wait", pool="e") == {"pool": "e", "empty": True}
    assert w.alice.call("pool.wait", pool="e", pid=pid)["exitCode"] == 7
    assert w.alice.error("pool.wait", pool="e", pid=4).name == "no_such_process"
    assert w.machine.client(**BOB).error("pool.wait", pool="e").name == w.rpc.error("pool.wait", pool="e").name == "unknown_pool"


# ------------------------------------------------------------------------------------------------------------- over a restart


@pytest.mark.parametrize("crash", [False, True])
def test_it_outlives_the_service_with_its_processes(alices, crash):
    w = alices
    make(w.alice, limits={"active_processes": 7}), make(w.alice, "empty")
    pid = run(w.alice)
    w.machine.deliver()
    w.restart(crash=crash)
    w.machine.advance(MOMENT_MS)
    assert there(w) and not there(w, "empty")
    seen = w.rpc.call("pool.get", pool="e")
    assert (seen["ephemeral"], seen["parent"], seen["limits"], w.members("e")) == (True, "p", {"active_processes": 7}, [pid])
    alice = w.machine.client(**ALICE)
    assert alice.call("pool.get", pool="e")["rights"] == ["view", "launch", "control"], "it is still hers"
    end(w, pid)
    assert not there(w)
    w.restart()
    assert not there(w)


def test_one_whose_last_process_ended_meanwhile_goes_at_the_start(alices):
    w = alices
    make(w.alice)
    pid = run(w.alice)
    w.stop()
    w.machine.exit(pid, deliver=False)
    w.start()
    w.machine.advance(MOMENT_MS)
    assert not there(w) and w.row(pid)["pool"] == "e" and w.row(pid)["ended"]


def test_one_whose_name_the_config_has_taken_gives_it_no_processes(alices):
    """A name is no way into a pool."""
    w = alices
    make(w.alice, "taken")
    pid = run(w.alice, "taken")
    w.machine.deliver()
    w.stop()
    w.machine.write_config({"pools": LAUNCHES | {"taken": {"access": NOBODY_AT_ALL}}})
    w.start()
    w.machine.advance(MOMENT_MS)
    assert (w.members("taken"), w.members("p")) == ([], [pid])
    assert w.rpc.call("pool.get", pool="taken")["ephemeral"] is False


# -------------------------------------------------------------------------------------------------------- who may make one


@pytest.mark.parametrize("right", [None, "view", "assign", "launch", "control", "admin"])
@pytest.mark.parametrize("at", ["pool", "service"])
def test_who_may_put_processes_into_a_pool_may_make_one_below_it(world, at, right):
    given = {right: [ALICES]} if right else NOBODY_AT_ALL
    w = world({"p": {"access": given if at == "pool" else NOBODY_AT_ALL}}, access=given if at == "service" else NOBODY_AT_ALL)
    alice = w.machine.client(**ALICE)
    may = at == "pool" and right in ("assign", "launch", "admin")
    if may:
        assert set(make(alice)["rights"]) == {"view", "control"} | ({"assign", "launch", "admin"} if right == "admin" else {right})
        assert make(alice, "below", "e")["parent"] == "e"
    elif at == "pool" and right:
        error = alice.error("pool.create", name="e", parent="p", ephemeral=True)
        assert (error.name, error.data["right"], error.data["pool"]) == ("access_denied", "launch", "p")
    else:
        assert alice.error("pool.create", name="e", parent="p", ephemeral=True).name == "unknown_pool"
    top = alice.begin("pool.create", name="top", ephemeral=True)
    if at == "service" and right == "admin":
        assert alice.finish(top)["parent"] is None
    else:
        with pytest.raises(Exception) as refused:
            alice.finish(top)
        assert (refused.value.name, refused.value.data["right"], "pool" in refused.value.data) == ("access_denied", "admin", False)


REACHING = [{"access": {"admin": [ALICES]}}, {"access": {"sddl": "D:(A;;GA;;;WD)"}}, {"match": [{"image": "x.exe"}]}, {"exclude": [{"image": "x.exe"}]},
            {"default": True}, {"security": ["no_admin"]}, {"object_name": "Global\\Other"}, {"on_remove": "terminate"}, {"match": None}, {"access": None},
            {"limits": {"cpu_rate": {"weight": 9}}}, {"limits": {"cpu_rate": {"min": "10%", "max": "20%"}}},
            {"limits": {"network_rate": {"max_bandwidth": "1MiB", "dscp": 46}}}, {"limits": {"working_set": {"min": "1MiB", "max": "8MiB"}}}, {"persist": True}]


@pytest.mark.parametrize("keys", REACHING, ids=json.dumps)
def test_it_only_narrows(alices, keys):
    """Nor is that a matter of rights: of an administrator's neither."""
    w = alices
    for client in (w.alice, w.rpc):
        error = client.error("pool.create", name="e", parent="p", ephemeral=True, **keys)
        assert error.name in ("invalid_params", "access_denied"), error
    assert not there(w)
    assert w.alice.error("pool.update", pool=make(w.alice)["name"], description="x").data["right"] == "admin"


@pytest.mark.parametrize("limits", [{"priority_class": "realtime"}, {"scheduling_class": 9}], ids=json.dumps)
def test_limits_that_take_the_services_admin_take_it_here(alices, limits):
    assert alices.alice.error("pool.create", name="e", parent="p", ephemeral=True, limits=limits).data["right"] == "admin"


def test_what_it_sets_is_never_more_than_the_pool_above_allows(world):
    w = world({"p": {"access": {"launch": [ALICES]}, "limits": {"active_processes": 2, "job_memory": "64MiB", "process_time": "10s"}}})
    alice = w.machine.client(**ALICE)
    make(alice, limits={"active_processes": 1000, "job_memory": "1GiB", "process_time": "1h"})
    effective = alice.call("pool.get", pool="e")["effective"]
    assert {key: effective[key]["from"] for key in ("job_memory", "process_time")} == {"job_memory": "p", "process_time": "p"}
    row = {row["name"]: row for row in alice.call("pool.usage")["pools"]}["e"]
    assert (row["memoryLimitBytes"], row["processLimit"]) == (64 * MIB, 2)
    run(alice), run(alice)
    assert alice.error("pool.launch", pool="e", argv=["tool.exe"]).name == "pool_full"


# --------------------------------------------------------------------------------------------------------------- whose it is


def test_it_is_its_makers_and_the_pool_aboves(world):
    w = world({"p": {"access": {"assign": [ALICES], "launch": ["SIM\\bob"], "view": ["SIM\\carol"]}}})
    alice, bob, carol = (w.machine.client(**who) for who in (ALICE, BOB, {"user": "SIM\\carol"}))
    make(alice)
    assert [client.call("pool.get", pool="e")["rights"] for client in (alice, bob, carol)] == [["view", "assign", "control"], ["view", "launch"], ["view"]]
    pid = run(bob)
    assert bob.error("process.terminate", pid=pid).data["right"] == "control"
    assert alice.error("pool.freeze", pool="p").data["right"] == "control", "hers is the small one"
    assert alice.call("pool.freeze", pool="e")["frozen"]
    w.rpc.call("pool.update", pool="p", access={"assign": [], "launch": [], "view": []})
    assert alice.call("pool.get", pool="e")["rights"] == ["view", "control"], "what she has made she may end, whatever becomes of the rest"
    assert bob.error("pool.get", pool="e").name == "unknown_pool"


def test_what_is_recorded_is_its_makers_for_a_while(world):
    w = world({"p": {"access": {"launch": [ALICES, "SIM\\bob"]}}}, access=NOBODY_AT_ALL)
    alice, bob = w.machine.client(**ALICE), w.machine.client(**BOB)
    make(alice)
    pid = run(alice)
    end(w, pid)
    asked = (("accounting.summary", {"pool": "e"}), ("accounting.processes", {"pool": "e"}), ("events.query", {"pools": ["e"]}),
             ("accounting.report", {"pools": ["e"]}))
    for method, params in asked:
        assert json.dumps(alice.call(method, **params)) == json.dumps(w.rpc.call(method, **params)), method
        assert bob.error(method, **params).name == "unknown_pool", method
    assert {row["pool"] for row in alice.call("accounting.processes")["processes"]} == {"e"}
    assert bob.call("accounting.processes")["processes"] == []
    assert alice.call("process.get", pid=pid)["commandLine"] and bob.error("process.get", pid=pid).name == "no_such_process"
    w.machine.advance(REMEMBERED_MS)
    for method, params in asked:
        assert alice.error(method, **params).name == "unknown_pool", method


def test_its_events_come_to_its_maker_to_the_end(alices):
    w = alices
    w.alice.call("events.subscribe")
    make(w.alice)
    end(w, run(w.alice))
    w.flush()
    assert w.alice.event(lambda event: event["message"] == "POOL_DELETED")["pool"] == "e"


def test_a_name_is_never_anothers(world):
    """Who may view a pool reads what is recorded under its name: so a name that is, or was, is not to be had; nor does the answer tell which."""
    w = world(LAUNCHES | {"hidden": {"access": NOBODY_AT_ALL}})
    alice = w.machine.client(**ALICE)
    w.rpc.call("pool.create", name="gone", access=NOBODY_AT_ALL), w.rpc.call("pool.create", name="unused", access=NOBODY_AT_ALL)
    w.machine.exit(w.assigned("gone"))
    w.machine.advance(3000)
    w.rpc.call("pool.delete", pool="gone"), w.rpc.call("pool.delete", pool="unused")
    make(alice)
    end(w, run(alice))

    def refused():
        names = ("p", "hidden", "gone", "unused", "e")
        errors = [alice.error("pool.create", name=name, parent="p", ephemeral=True) for name in names]
        assert {error.name for error in errors} == {"pool_exists"}
        assert len({error.message.replace(f'"{name}"', "") for name, error in zip(names, errors)}) == 1

    refused()
    w.restart()
    alice = w.machine.client(**ALICE)
    refused()
    assert alice.error("accounting.processes", pool="gone").name == "unknown_pool"


def test_its_job_object_is_no_other_pools(alices):
    w = alices
    assert make(w.alice)["objectName"] == "Global\\JobPool.~e"
    pid = run(w.alice)
    end(w, pid)
    w.rpc.call("pool.create", name="e")
    assert w.rpc.call("pool.get", pool="e")["objectName"] == "Global\\JobPool.e"


# ----------------------------------------------------------------------------------------------------------------- how many


def test_each_account_has_so_many(world):
    w = world({"p": {"access": {"launch": ["Interactive"]}}}, quotas={"ephemeral_pools": 3})
    alice, again, bob = w.machine.client(**ALICE), w.machine.client(**ALICE), w.machine.client(**BOB)
    for number in range(3):
        make(alice if number % 2 else again, f"a{number}")
    for client in (alice, again):
        assert client.error("pool.create", name="more", parent="p", ephemeral=True).name == "quota_exceeded"
    make(bob, "b0")
    end(w, run(alice, "a0"))
    make(alice, "a3")
    assert alice.error("pool.create", name="more", parent="p", ephemeral=True).name == "quota_exceeded"


def test_none_where_the_quota_says_so(world):
    w = world(LAUNCHES, quotas={"ephemeral_pools": 0})
    assert w.machine.client(**ALICE).error("pool.create", name="e", parent="p", ephemeral=True).name == "quota_exceeded"


def test_many_of_earlier_runs_push_no_other_pools_counters_out(alices):
    """What their names cost is bounded after a restart too: of all but the last ones only that they were used is known."""
    w = alices
    w.rpc.call("pool.create", name="a")
    w.machine.exit(w.assigned("a"))
    make(w.alice)
    end(w, run(w.alice))
    w.machine.advance(3000)
    w.rpc.call("pool.delete", pool="a")
    w.stop()
    with sqlite3.connect(w.machine.folder / "accounting.db") as database:
        assert database.execute("SELECT name, ephemeral FROM pools WHERE deleted_100ns IS NOT NULL ORDER BY name").fetchall() == [("a", 0), ("e", 1)]
        names = [(f"e{number}",) for number in range(30_000)]
        database.executemany("INSERT INTO pools(name, parent, created_100ns, deleted_100ns, ephemeral) VALUES(?, 'p', 1, 200000000000000000, 1)", names)  # just now
        database.executemany("INSERT INTO pool_totals(pool, processes) VALUES(?, 1)", names)
    w.start()
    alice = w.machine.client(**ALICE)
    for used in ("e", "e0", "e29999", "a"):
        assert alice.error("pool.create", name=used, parent="p", ephemeral=True).name == "pool_exists"
    make(alice, "e30000")
    w.rpc.call("pool.create", name="a")
    assert w.rpc.call("pool.get", pool="a")["counters"]["processes"] == 1, "it goes on where it stood"


def test_a_thousand_one_after_the_other_leave_nothing_but_records(alices):
    """What is remembered of them is bounded, and pushes out nobody else's."""
    w = alices
    bob = w.machine.client(user="SIM\\bob")
    w.rpc.call("pool.update", pool="p", access={"launch": [ALICES, "SIM\\bob"]})
    make(bob, "bobs")
    end(w, run(bob, "bobs"))
    w.rpc.call("pool.create", name="counted")
    w.machine.exit(w.assigned("counted"))
    w.machine.advance(3000)
    w.rpc.call("pool.delete", pool="counted")
    for batch in range(20):
        for number in range(50):
            make(w.alice, f"e{batch}-{number}")
            w.machine.exit(run(w.alice, f"e{batch}-{number}"))
        w.machine.advance(MOMENT_MS)
    assert [row["name"] for row in w.rpc.call("pool.list")["pools"]] == ["p"]
    assert bob.call("accounting.processes", pool="bobs")["processes"]
    assert w.alice.call("accounting.processes", pool="e19-49")["processes"]
    assert w.alice.error("accounting.processes", pool="e0-0").name == "unknown_pool"
    assert w.alice.error("pool.create", name="e0-0", parent="p", ephemeral=True).name == "pool_exists", "its name was used all the same"
    w.rpc.call("pool.create", name="counted")
    assert w.rpc.call("pool.get", pool="counted")["counters"]["processes"] == 1


# ------------------------------------------------------------------------------------------------------------- the accounts

SUMS = ("processes", "running", "exited", "failures", "unobserved", "userTime100ns", "kernelTime100ns", "wallTime100ns", "readBytes", "writeBytes", "withCpu", "withIo")
NOTHING_IS_KEPT = {"processes": "1d", "events": "1d", "samples": "1d", "hours": "400d"}  # what is simulated is always old


def lines(client, method="accounting.summary", **asked):
    answer = client.call(method, **asked)
    return {row["pool"]: row for row in answer["rows" if method == "accounting.report" else "pools"]}


def totals(rows):
    """null: nobody knows. The time that running ones have run goes on."""
    rows = list(rows.values())
    running = any(row["running"] for row in rows)
    sums = {key: sum(row[key] or 0 for row in rows) for key in SUMS if key in rows[0] and not (running and key == "wallTime100ns")}
    return sums | {"peakCommitBytes": max(row["peakCommitBytes"] or 0 for row in rows)}


def recorded(w, *tables):
    with sqlite3.connect(w.machine.folder / "accounting.db") as database:
        return sum(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables)


def make_if_free(client, name):
    try:
        return make(client, name)
    except RpcError as error:
        assert error.name == "pool_exists"
        return None


def test_in_the_accounts_it_is_a_part_of_the_pool_above(alices):
    w = alices
    make(w.alice, "upper"), make(w.alice, "lower", "upper")
    own, upper, lower = run(w.alice, "p"), run(w.alice, "upper"), run(w.alice, "lower")
    for seconds, pid in enumerate((own, upper, lower), 1):
        w.burn(pid, seconds)
    for gone in (False, True):
        for method, several in (("accounting.summary", "pools"), ("accounting.report", "pools")):
            for client in (w.rpc, w.alice):
                each, folded = lines(client, method, each=True), lines(client, method)
                assert (set(each), set(folded)) == ({"p", "upper", "lower"}, {"p"}), (method, gone)
                assert totals(folded) == totals(each)
            assert totals(lines(w.alice, method, pools=["p"])) == totals(lines(w.alice, method))
            named = lines(w.alice, method, pools=["p", "upper"])
            assert {pool: row["processes"] for pool, row in named.items()} == {"p": 1, "upper": 2}, "who is named stands for itself, with those below it"
            assert lines(w.alice, method, pools=["upper"], each=True)["upper"]["processes"] == 1
        for pid in (lower, upper, own):
            if not gone:
                end(w, pid)
        w.machine.advance(3000)
    assert not there(w, "upper")
    bob = w.machine.client(**BOB)
    w.rpc.call("pool.update", pool="p", access={"view": [BOB["user"]]})
    assert lines(bob)["p"]["processes"] == 3, "who may view a pool sees what ran for it, also when its ephemeral pools are gone"
    assert bob.error("accounting.summary", pool="lower").name == "unknown_pool"
    assert w.rpc.error("accounting.summary", pool="p", pools=["p"]).name == "invalid_params"


def test_one_without_a_pool_above_has_a_line_without_a_name(world):
    w = world()
    w.rpc.call("pool.create", name="e", ephemeral=True)
    end(w, run(w.rpc))
    assert set(lines(w.rpc)) == set(lines(w.rpc, "accounting.report")) == {""}
    assert lines(w.rpc, pool="e")["e"]["processes"] == lines(w.rpc, each=True)["e"]["processes"] == lines(w.rpc, pools=[""])[""]["processes"] == 1


def test_over_time_it_is_a_part_of_the_pool_above(alices):
    w = alices
    make(w.alice)
    pid = run(w.alice)
    w.machine.advance(180_000)
    end(w, pid)
    def listed(**asked):
        answer = w.rpc.call("accounting.series", **asked, **{"from": "2000-01-01", "to": "2100-01-01"})
        return {series["pool"]: sum(point["started"] for point in series["points"]) for series in answer["series"]}
    assert listed() == listed(pools=["p"]) == {"p": 1}
    assert listed(each=True) == {"e": 1, "p": 0}
    assert listed(pools=["e"]) == {"e": 1}


@pytest.mark.parametrize("crash", [False, True])
def test_a_thousand_runs_are_as_many_rows_as_one(alices, crash):
    """Their sums become those of the pool above when their rows are purged: neither tables nor listings, nor what a start reads, grow with their number."""
    w = alices
    for hour in range(25):
        for number in range(40):
            make(w.alice, f"e{hour}-{number}")
            pid = run(w.alice, f"e{hour}-{number}")
            w.burn(pid, 1)
            w.machine.exit(pid, number % 2)
        for _ in range(12):
            w.machine.advance(300_000)
            w.rpc.call("pool.list")  # who says nothing for long is closed
    w.flush()
    before, each = lines(w.rpc), lines(w.rpc, each=True)
    assert (len(before), len(each)) == (1, 1000) and totals(before) == totals(each)
    assert before["p"]["processes"] == 1000 and before["p"]["failures"] == 500
    assert recorded(w, "usage_hours", "usage_days") == 1000 and recorded(w, "pools", "pool_totals") == 2001
    w.stop()
    w.machine.write_config({"pools": LAUNCHES, "retention": NOTHING_IS_KEPT})
    with sqlite3.connect(w.machine.folder / "accounting.db") as database:  # when a pool was deleted is told by the real clock
        database.execute("UPDATE pools SET deleted_100ns = (SELECT max(ended_100ns) + 1 FROM processes WHERE pool = name) WHERE ephemeral")
    w.start()
    if crash:
        w.machine.crash()
        w.start()
    wait_until(lambda: recorded(w, "pools", "pool_totals") <= 2, "all of them to be forgotten")
    assert recorded(w, "usage_hours", "usage_days") <= 26
    assert lines(w.rpc) == lines(w.rpc, each=True) == before
    alice = w.machine.client(**ALICE)
    for name in ("e0-0", "e24-39"):  # of the one only a hash was kept
        wait_until(lambda: make_if_free(alice, name), f"the name {name} to be free again: nothing is recorded under it")
    assert alice.error("pool.create", name="e0-0", parent="p", ephemeral=True).name == "pool_exists"
    w.restart()
    assert lines(w.rpc, each=True) == before


# ------------------------------------------------------------------------------------------------------------ beside others


def test_it_stands_in_the_audit_trail(alices):
    w = alices
    make(w.alice)
    w.alice.error("pool.create", name="x", parent="p", ephemeral=True, default=True)
    w.flush()
    records = [row for row in w.rpc.call("accounting.audit")["records"] if row["method"] == "pool.create"]
    assert [(row["user"], row["allowed"], bool(row["error"])) for row in records] == [(ALICES, True, False), (ALICES, True, True)]


def test_an_administrator_deletes_it_and_what_it_stands_below(alices):
    w = alices
    make(w.alice)
    pid = run(w.alice)
    w.machine.write_config({"pools": {}})
    assert w.rpc.call("service.reload")["removed"] == ["p"]
    assert w.rpc.call("pool.get", pool="p")["state"] == "orphan"
    assert w.rpc.call("pool.delete", pool="e", terminate=True)["terminated"] == 1
    w.machine.deliver()
    w.machine.advance(MOMENT_MS)
    assert not w.alive(pid) and w.rpc.call("pool.list")["pools"] == []


def test_a_name_that_the_config_wants_is_told(alices):
    w = alices
    make(w.alice, "wanted")
    w.machine.write_config({"pools": LAUNCHES | {"wanted": {}}})
    error = w.rpc.error("service.reload")
    assert error.name == "pool_exists" and "delete that first" in error.message
    w.rpc.call("pool.delete", pool="wanted")
    assert w.rpc.call("service.reload")["added"] == ["wanted"]
