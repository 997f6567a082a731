"""Who may do what: every method, by everybody, against what its row in rpc.discover promises; and what nobody is told who may not view."""
import json

import pytest

from harness.simulated import ALICE, BOB

ALICES = ALICE["user"]
RIGHTS = ["view", "assign", "launch", "control", "admin"]
NOBODY_AT_ALL = {"view": []}
ADMIN_SDDL = "O:SYG:SYD:P(A;;0x1f;;;SY)(A;;0x1f;;;BA)"


def implied(right):
    return set() if right is None else set(RIGHTS) if right == "admin" else {"view", right}


class Case:
    """How a method is called about a pool and a process in it. `where` the right is needed: "pool", "service", or None: nowhere. `hidden` is the
    error of one to whom the pool does not exist; `fails`: with the right it fails all the same, for another reason."""

    def __init__(self, where, params=lambda w, pool, pid: {}, hidden="unknown_pool", fails=None):
        self.where, self.params, self.hidden, self.fails = where, params, hidden, fails


def pool_only(w, pool, pid):
    return {"pool": pool}


def of_pools(w, pool, pid):
    return {"pools": [pool]}


def own_process(w, pool, pid):
    return {"pool": pool, "pid": w.machine.spawn(token={"user": ALICES})}


def job(**more):
    return lambda w, pool, pid: {"job": pool} | {key: pid if value == "pid" else value for key, value in more.items()}


def unchanged_ui(w, pool, pid):
    info = w.rpc.call("job.queryInformation", job=pool, **{"class": 4})["info"]
    return {"job": pool, "class": 4, "info": info}


CASES = {
    "rpc.discover": Case(None),
    "rpc.cancel": Case(None, lambda w, pool, pid: {"id": 4711}),
    "$/cancelRequest": Case(None, lambda w, pool, pid: {"id": 4711}),
    "service.ping": Case(None),
    "service.status": Case("service"),
    "service.capabilities": Case("service"),
    "service.reload": Case("service"),
    "pool.list": Case(None),
    "pool.get": Case("pool", pool_only),
    "pool.create": Case("pool", lambda w, pool, pid: {"name": "child", "parent": pool}),
    "pool.update": Case("pool", lambda w, pool, pid: {"pool": pool, "description": "changed"}),
    "pool.delete": Case("pool", pool_only, fails="invalid_params"),
    "pool.assign": Case("pool", own_process),
    "pool.launch": Case("pool", lambda w, pool, pid: {"pool": pool, "argv": ["tool.exe"]}),
    "pool.processes": Case("pool", pool_only),
    "pool.terminate": Case("pool", pool_only),
    "pool.wait": Case("pool", lambda w, pool, pid: {"pool": pool, "timeout": "0s"}, fails="timed_out"),
    "pool.freeze": Case("pool", pool_only),
    "pool.thaw": Case("pool", pool_only, fails="invalid_params"),
    "pool.match": Case("service"),
    "pool.usage": Case("pool", pool_only),
    "process.get": Case("pool", lambda w, pool, pid: {"pid": pid}, hidden="no_such_process"),
    "process.terminate": Case("pool", lambda w, pool, pid: {"pid": pid}, hidden="no_such_process"),
    "events.subscribe": Case("pool", of_pools),
    "events.unsubscribe": Case(None, lambda w, pool, pid: {"subscription": 99}, fails="unknown_subscription"),
    "events.query": Case("pool", of_pools),
    "accounting.summary": Case("pool", pool_only),
    "accounting.processes": Case("pool", pool_only),
    "accounting.report": Case("pool", of_pools),
    "accounting.series": Case("pool", of_pools),
    "accounting.purge": Case("service", lambda w, pool, pid: {"olderThan": "1d"}),
    "accounting.reset": Case("pool", pool_only),
    "accounting.audit": Case("service"),
    "job.create": Case("service"),
    "job.open": Case("pool", lambda w, pool, pid: {"name": pool, "desiredAccess": 4}, hidden="unknown_job"),
    "job.close": Case(None, lambda w, pool, pid: {"job": "#77"}, fails="unknown_job"),
    "job.assignProcess": Case("pool", lambda w, pool, pid: {"job": pool, "pid": w.machine.spawn(token={"user": ALICES})}, hidden="unknown_job"),
    "job.isProcessInJob": Case("pool", job(pid="pid"), hidden="unknown_job"),
    "job.queryInformation": Case("pool", job(**{"class": 1}), hidden="unknown_job"),
    "job.setInformation": Case("pool", unchanged_ui, hidden="unknown_job"),
    "job.terminate": Case("pool", job(exitCode=1), hidden="unknown_job"),
    "job.grantUserHandle": Case("pool", job(handle=1, grant=True), hidden="unknown_job"),
}


def answer(client, method, params):
    """("", None), or an error's name and the error."""
    number = client.begin(method, **params)
    try:
        client.finish(number)
    except Exception as error:  # noqa: BLE001 - RpcError has a name, anything else fails below
        return error.name, error
    return "", None


def member(w, pool):
    pid = w.machine.spawn(token={"user": ALICES})
    w.rpc.call("pool.assign", pool=pool, pid=pid)
    w.machine.deliver()
    return pid


@pytest.fixture
def promised(world):
    w = world({})
    return {method["name"]: method.get("x-right") for method in w.rpc.call("rpc.discover")["methods"]}


def test_every_method_has_a_case(promised):
    assert set(CASES) == set(promised), "a method without a case is one whose right nobody tests"
    assert {name for name, right in promised.items() if not right} == {name for name, case in CASES.items() if not case.where}


@pytest.mark.parametrize("right", [None] + RIGHTS)
@pytest.mark.parametrize("at", ["pool", "service"])
def test_every_method(world, promised, at, right):
    given = {right: [ALICES]} if right else NOBODY_AT_ALL
    at_pool, at_service = (given, NOBODY_AT_ALL) if at == "pool" else (NOBODY_AT_ALL, given)
    for method, case in CASES.items():
        needed = promised[method]
        has = implied(right) if at == case.where else set()
        w = world({"p": {"access": at_pool}}, access=at_service)
        pid = member(w, "p")
        alice = w.machine.client(**ALICE)
        name, error = answer(alice, method, case.params(w, "p", pid))
        if not case.where or needed in has:
            assert name == (case.fails or ""), (method, str(error))
            assert not error or "right" not in error.data, method
        elif case.where == "service":
            assert (name, error.data["right"], "pool" in error.data) == ("access_denied", needed, False), method
        elif "view" in has:
            assert (name, error.data["right"], error.data["pool"]) == ("access_denied", needed, "p"), method
        else:
            assert name == case.hidden and "right" not in error.data, (method, name)
        w.machine.close()


def test_a_pool_that_may_not_be_viewed_is_as_one_that_is_not_there(world):
    """In every word of the answer, what it suggests included."""
    w = world({"pool-1": {"access": NOBODY_AT_ALL}, "pool-3": {}, "far": {"access": NOBODY_AT_ALL}},
              templates={"there": {"pool": "pool-1", "argv": ["a.exe"]}})
    pid = member(w, "pool-1")
    alice = w.machine.client(**ALICE)
    for method, case in CASES.items():
        if case.where != "pool" or method.startswith("process."):
            continue
        params = case.params(w, "pool-1", pid)
        missing = json.loads(json.dumps(params).replace("pool-1", "pool-2"))
        (name, one), (other_name, other) = answer(alice, method, params), answer(alice, method, missing)
        assert name == other_name == case.hidden, method
        assert (one.message.replace("pool-1", "pool-2"), one.data) == (other.message, other.data), method
        if case.hidden == "unknown_pool":
            assert 'did you mean "pool-3"?' in one.message, method
    assert '"pool-1"' not in alice.error("pool.get", pool="pool-11").message
    there, nowhere = alice.error("pool.launch", template="there"), alice.error("pool.launch", template="nowhere")
    assert there.message.replace("there", "nowhere") == nowhere.message and there.data == nowhere.data
    free = w.machine.spawn()
    for method in ("process.get", "process.terminate"):
        for more in ({}, {"startTime": "1"}):
            one, other = alice.error(method, pid=pid, **more), alice.error(method, pid=free, **more)
            assert one.message.replace(str(pid), str(free)) == other.message and one.data == other.data, (method, more)
    one, other = alice.error("pool.wait", pool="pool-3", pid=pid), alice.error("pool.wait", pool="pool-3", pid=free)
    assert one.message.replace(str(pid), str(free)) == other.message and one.data == other.data
    seen = json.dumps([alice.call("events.query"), alice.call("accounting.processes"), alice.call("accounting.summary"), alice.call("accounting.report"),
                       alice.call("accounting.series"),
                       alice.call("pool.list"), alice.call("pool.get", pool="pool-3")])
    assert "pool-1" not in seen and "far" not in seen, "also what was noted of these attempts"


# --------------------------------------------------------------------------------------------------------- who has them


def rights(client, pool):
    """As the pool's methods show them: none of these changes anything where it is refused or succeeds."""
    found = set()
    if answer(client, "pool.get", {"pool": pool})[0] == "":
        found.add("view")
    for right, method, params in (("assign", "pool.assign", {"pid": 4_000_000}), ("launch", "pool.launch", {"argv": ["a.exe"], "command": "b"}),
                                  ("control", "pool.thaw", {}), ("admin", "pool.update", {"strict": False})):
        name, error = answer(client, method, {"pool": pool} | params)
        if right == "launch" and name == "invalid_params" or right != "launch" and name not in ("access_denied", "unknown_pool"):
            found.add(right)
    return found


ALL = set(RIGHTS)


def test_rights_are_inherited(world):
    w = world({"top": {"access": {"control": [ALICES]}}, "middle": {"parent": "top"}, "low": {"parent": "middle"},
               "own": {"parent": "top", "access": {"launch": [ALICES]}}, "closed": {"parent": "top", "access": NOBODY_AT_ALL}, "alone": {}},
              access={"assign": [ALICES]})
    alice = w.machine.client(**ALICE)
    for pool, has in {"top": {"view", "control"}, "middle": {"view", "control"}, "low": {"view", "control"}, "own": {"view", "launch"}, "closed": set(),
                      "alone": {"view", "assign"}}.items():
        assert rights(alice, pool) == has, pool
        assert rights(w.rpc, pool) == ALL, "administrators, whatever the lists say"


@pytest.mark.parametrize("access, alice, bob", [
    ({"launch": ["SIM\\builders"]}, set(), {"view", "launch"}),
    ({"control": ["Interactive"]}, {"view", "control"}, {"view", "control"}),
    ({"admin": ["everyone"]}, ALL, ALL),
    ({"assign": ["BUILTIN\\Users"], "launch": ["SIM\\ALICE"]}, {"view", "assign", "launch"}, {"view", "assign"}),
    ({"view": ["S-1-5-32-545"]}, {"view"}, {"view"}),
    ({"view": ["Service"], "admin": ["Batch"]}, set(), set()),
    ({"admin": ["NOWHERE\\nobody"], "view": [ALICES]}, {"view"}, set()),
    ({"sddl": "D:(A;;0x8;;;IU)"}, {"view", "control"}, {"view", "control"}),
    ({"sddl": "D:(A;;GX;;;IU)"}, {"view", "assign", "launch"}, {"view", "assign", "launch"}),
    ({"sddl": "D:(A;;GA;;;WD)"}, ALL, ALL),
    ({"sddl": "D:"}, set(), set()),
])
def test_who_is_named(world, access, alice, bob):
    w = world({"p": {"access": access}})
    assert rights(w.machine.client(**ALICE), "p") == alice
    assert rights(w.machine.client(**BOB), "p") == bob


def test_entries_that_deny(world):
    w = world({"p": {"access": {"sddl": ADMIN_SDDL}}})
    alice, bob = w.machine.client(**ALICE), w.machine.client(**BOB)
    alice.error("pool.update", pool="p")
    alices_sid = w.rpc.call("accounting.audit", newest=True, limit=1)["records"][0]["sid"]
    w.rpc.call("pool.update", pool="p", access={"sddl": f"D:(D;;0x8;;;{alices_sid})(A;;0xd;;;IU)(A;;0x1f;;;BA)"})
    assert (rights(alice, "p"), rights(bob, "p")) == ({"view", "launch"}, {"view", "launch", "control"})
    w.rpc.call("pool.update", pool="p", access={"sddl": f"D:(A;;0xd;;;IU)(D;;0x1f;;;{alices_sid})(A;;0x1f;;;BA)"})
    assert rights(alice, "p") == {"view", "launch", "control"}, "entries count in their order"


def test_an_administrator_reads_nothing_of_a_pool_that_shuts_him_out(world):
    w = world({"p": {}, "q": {}})
    for pool in ("p", "q"):
        w.rpc.call("pool.assign", pool=pool, pid=w.machine.spawn())
    w.machine.deliver()

    def told():
        return {event["pool"] for event in w.rpc.call("events.query", messages=["JOB_OBJECT_MSG_NEW_PROCESS"])["events"]}
    assert told() == {"p", "q"}
    w.rpc.call("pool.update", pool="p", access={"sddl": "D:(A;;0x1;;;S-1-5-32-546)"})
    assert told() == {"q"}
    w.rpc.call("pool.update", pool="q", access={"view": [ALICES]})
    assert told() == {"q"}, "lists are beside what administrators have"


def test_living_connections_have_new_rights_at_once(world):
    w = world({"p": {"access": NOBODY_AT_ALL}, "q": {}})
    alice = w.machine.client(**ALICE)
    assert (rights(alice, "p"), rights(alice, "q")) == (set(), {"view"})
    w.machine.write_config({"pools": {"p": {"access": {"control": [ALICES]}}, "q": {}}, "access": NOBODY_AT_ALL})
    w.rpc.call("service.reload")
    assert (rights(alice, "p"), rights(alice, "q")) == ({"view", "control"}, set())
    w.rpc.call("pool.update", pool="q", access={"launch": [ALICES]})
    assert rights(alice, "q") == {"view", "launch"}
    w.rpc.call("pool.update", pool="q", access={"launch": None})
    assert rights(alice, "q") == set(), "the service's again"
    assert alice.error("service.status").name == "access_denied"


def test_a_pool_made_again_does_not_have_the_old_ones_rights(world):
    w = world({}, access=NOBODY_AT_ALL)
    alice = w.machine.client(**ALICE)
    for access, has in (({"admin": [ALICES]}, ALL), (None, set()), ({"view": [ALICES]}, {"view"})):
        w.rpc.call("pool.create", name="p", **({"access": access} if access else {}))
        assert rights(alice, "p") == has
        w.rpc.call("pool.delete", pool="p")
        assert rights(alice, "p") == set()


# ---------------------------------------------------------------------------------------------------- what an admin reaches


REACHING = [{"match": [{"image": "x.exe"}]}, {"exclude": [{"image": "x.exe"}]}, {"default": True}, {"security": ["no_admin"]},
            {"object_name": "Global\\Other"}, {"match": None}, {"default": False}, {"limits": {"priority_class": "realtime"}}, {"limits": {"scheduling_class": 6}},
            {"limits": {"working_set": {"min": "1MiB", "max": "8MiB"}}}]


def test_a_pools_admin_makes_pools_below_it_and_nowhere_else(world):
    w = world({"p": {"access": {"admin": [ALICES]}}, "q": {}, "hidden": {"access": NOBODY_AT_ALL}})
    alice = w.machine.client(**ALICE)
    assert alice.call("pool.create", name="below", parent="p", limits={"active_processes": 3})["parent"] == "p"
    alice.call("pool.create", name="lower", parent="below", access={"launch": ["SIM\\bob"]})
    assert rights(alice, "below") == ALL and rights(alice, "lower") == set()
    error = alice.error("pool.create", name="top")
    assert (error.name, error.data["right"], "pool" in error.data) == ("access_denied", "admin", False)
    error = alice.error("pool.create", name="beside", parent="q")
    assert (error.name, error.data["right"], error.data["pool"]) == ("access_denied", "admin", "q")
    assert alice.error("pool.create", name="beside", parent="hidden").name == "unknown_pool"
    assert rights(w.machine.client(**BOB), "lower") == {"view", "launch"}


@pytest.mark.parametrize("keys", REACHING, ids=json.dumps)
def test_what_reaches_beyond_the_pool_is_for_the_services_admins(world, keys):
    w = world({"p": {"access": {"admin": [ALICES]}}})
    alice = w.machine.client(**ALICE)
    for method, params in (("pool.update", {"pool": "p"}), ("pool.create", {"name": "below", "parent": "p"})):
        error = alice.error(method, **params, **keys)
        assert (error.name, error.data["right"], "pool" in error.data) == ("access_denied", "admin", False), method
    assert w.rpc.error("pool.get", pool="below").name == "unknown_pool"


@pytest.mark.parametrize("limit, good", [({"LimitFlags": ["SCHEDULING_CLASS"], "SchedulingClass": 5}, True),
                                         ({"LimitFlags": ["SCHEDULING_CLASS"], "SchedulingClass": 6}, False),
                                         ({"LimitFlags": ["PRIORITY_CLASS"], "PriorityClass": "HIGH_PRIORITY_CLASS"}, True),
                                         ({"LimitFlags": ["PRIORITY_CLASS"], "PriorityClass": "REALTIME_PRIORITY_CLASS"}, False)])
def test_privileged_limits_of_the_job_likewise(world, limit, good):
    w = world({"p": {"access": {"admin": [ALICES]}}})
    alice = w.machine.client(**ALICE)
    limit = limit | {"LimitFlags": ["JOB_OBJECT_LIMIT_" + flag for flag in limit["LimitFlags"]]}
    info = alice.call("job.queryInformation", job="p", **{"class": 2})["info"] | limit
    name, error = answer(alice, "job.setInformation", {"job": "p", "class": 2, "info": info})
    assert name == ("" if good else "access_denied"), str(error)
    w.rpc.call("job.setInformation", job="p", **{"class": 2}, info=info)
    info = alice.call("job.queryInformation", job="p", **{"class": 2})["info"]
    alice.call("job.setInformation", job="p", **{"class": 2}, info=info)  # as it is


def test_the_jobs_security_limits_are_for_the_services_admins(world):
    w = world({"p": {"access": {"admin": [ALICES]}}})
    alice = w.machine.client(**ALICE)
    for name in ("p", "Global\\JobPool.p"):
        info = alice.call("job.queryInformation", job=name, **{"class": 5})["info"]
        error = alice.error("job.setInformation", job=name, **{"class": 5}, info=info)
        assert (error.name, error.data["right"], "pool" in error.data) == ("access_denied", "admin", False)
    assert w.rpc.call("job.setInformation", job="p", **{"class": 5}, info=info)["class"] == 5


@pytest.mark.parametrize("name", ["p", "Global\\JobPool.p"])
def test_a_handle_of_a_pools_job_is_windows_to_give(world, name):
    """Its descriptor lets nobody but administrators do anything to it, whatever the pool's access is."""
    w = world({"p": {"access": {"admin": [ALICES]}}})
    alice = w.machine.client(**ALICE)
    for access in (1, 2, 8, 0x1F003F, 0x40000):
        error = alice.error("job.open", name=name, desiredAccess=access)
        assert error.name == "access_denied" and "right" not in error.data, access


@pytest.mark.parametrize("right", RIGHTS)
def test_jobs_by_their_kernel_names_are_no_way_round(world, promised, right):
    w = world({"p": {"access": {right: [ALICES]}}})
    alice = w.machine.client(**ALICE)
    for method in ("job.assignProcess", "job.queryInformation", "job.setInformation", "job.terminate", "job.grantUserHandle"):
        name, error = answer(alice, method, CASES[method].params(w, "Global\\JobPool.p", 0))
        if promised[method] in implied(right):
            assert name == (CASES[method].fails or ""), (method, str(error))
        else:
            assert (name, error.data["right"], error.data["pool"]) == ("access_denied", promised[method], "p"), method


# ------------------------------------------------------------------------------------------------------------- what is shown


def test_only_pools_that_may_be_viewed_are_shown(world):
    w = world({"top": {"access": NOBODY_AT_ALL, "limits": {"process_memory": "64MiB"}}, "mine": {"parent": "top", "access": {"admin": [ALICES]}},
               "below": {"parent": "mine", "access": NOBODY_AT_ALL}, "open": {"parent": "mine"}})
    hidden, seen = member(w, "below"), member(w, "open")
    alice = w.machine.client(**ALICE)
    assert [(row["name"], row["parent"]) for row in alice.call("pool.list")["pools"]] == [("mine", None), ("open", "mine")]
    mine = alice.call("pool.get", pool="mine")
    assert (mine["children"], mine["parent"]) == (["open"], None)
    assert mine["effective"]["process_memory"]["from"] is None
    assert [row["pid"] for row in alice.call("pool.processes", pool="mine")["processes"]] == [seen]
    w.rpc.call("pool.freeze", pool="top")
    assert (alice.call("pool.get", pool="mine")["frozen"], alice.call("pool.get", pool="mine")["frozenBy"]) == (True, None)
    assert alice.error("process.get", pid=hidden).name == "no_such_process"
    assert sorted(row["pid"] for row in w.rpc.call("pool.processes", pool="mine")["processes"]) == sorted([hidden, seen])
    assert w.rpc.call("pool.get", pool="mine")["frozenBy"] == "top"


def test_a_pid_that_two_pools_have_had(world):
    """Who may not view the newer one is told of the older."""
    w = world({"mine": {}, "hidden": {"access": NOBODY_AT_ALL}})
    w.machine.order("reuse_pids", atOnce=True)
    pid = member(w, "mine")
    w.machine.exit(pid)
    w.machine.advance(3000)
    assert member(w, "hidden") == pid
    assert w.machine.client(**ALICE).call("process.get", pid=pid)["pool"] == "mine"
    assert w.rpc.call("process.get", pid=pid)["pool"] == "hidden"


def test_records_are_of_viewable_pools_only(world):
    w = world({"mine": {}, "hidden": {"access": NOBODY_AT_ALL}})
    w.rpc.call("pool.create", name="gone")
    pids = {pool: member(w, pool) for pool in ("mine", "hidden", "gone")}
    w.machine.exit(pids["gone"])
    w.rpc.call("pool.delete", pool="gone")
    w.machine.advance(1)  # what is of this moment is not before it
    alice, admin = w.machine.client(**ALICE), w.rpc

    def pools(client):
        return ({event["pool"] for event in client.call("events.query", limit=10000)["events"]},
                {row["pool"] for row in client.call("accounting.processes")["processes"]},
                {row["pool"] for row in client.call("accounting.summary")["pools"]},
                {row["pool"] for row in client.call("accounting.report")["rows"]},
                {one["pool"] for one in client.call("accounting.series")["series"]})

    everything = {"mine", "hidden", "gone"}
    assert pools(alice) == ({"", "mine"}, {"mine"}, {"mine"}, {"mine"}, {"mine"})
    assert pools(admin) == (everything | {""}, everything, everything, everything, everything)
    for pool in ("hidden", "gone"):
        for method, params in (("events.query", {"pools": [pool]}), ("events.subscribe", {"pools": ["mine", pool]}), ("accounting.summary", {"pool": pool}),
                               ("accounting.processes", {"pool": pool}), ("accounting.report", {"pools": [pool]}),
                               ("accounting.series", {"pools": [pool]})):
            assert alice.error(method, **params).name == "unknown_pool", (method, pool)
            admin.call(method, **params)


def test_who_may_view_nothing_has_no_records(world):
    w = world({"p": {}}, access=NOBODY_AT_ALL)
    alice = w.machine.client(**ALICE)
    for method in ("events.query", "events.subscribe", "accounting.summary", "accounting.processes", "accounting.report", "accounting.series"):
        error = alice.error(method)
        assert (error.name, error.data["right"], "pool" in error.data) == ("access_denied", "view", False), method
    assert alice.call("pool.list")["pools"] == []


@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize("replayed", [True, False])
def test_events_are_of_viewable_pools_only(world, durable, replayed):
    w = world({"mine": {}, "hidden": {"access": NOBODY_AT_ALL}})
    alice = w.machine.client(**ALICE)
    if not replayed:
        alice.call("events.subscribe", durable=durable)
    w.rpc.call("pool.create", name="gone", access=NOBODY_AT_ALL)
    for pool in ("hidden", "gone", "mine"):
        w.machine.exit(member(w, pool))
    w.rpc.call("pool.delete", pool="gone")
    w.machine.exit(last := member(w, "mine"))
    w.flush()
    if replayed:
        alice.call("events.subscribe", durable=durable, fromSeq=1)
    seen = []
    while not seen or not (seen[-1].get("pid") == last and "EXIT" in seen[-1]["message"]):
        seen.append(alice.event(lambda event: True))
    assert {event["pool"] for event in seen} <= {"", "mine"} and "mine" in {event["pool"] for event in seen}


def test_a_subscription_sees_what_may_be_viewed_now(world):
    w = world({"p": {}, "q": {}})
    alice = w.machine.client(**ALICE)
    alice.call("events.subscribe")
    first = member(w, "p")
    assert alice.event(lambda event: event.get("pid") == first)["pool"] == "p"
    w.rpc.call("pool.update", pool="p", access=NOBODY_AT_ALL)
    second, third = member(w, "p"), member(w, "q")
    assert alice.event(lambda event: event.get("pid") == third)["pool"] == "q"
    assert not [event for event in alice.events if event.get("pid") == second]


# ---------------------------------------------------------------------------------------------------------- command lines


def test_command_lines_and_folders_are_their_users_and_the_admins(world):
    """In every answer that has processes."""
    w = world({"p": {"access": {"view": ["SIM\\bob"], "control": ["SIM\\carol"], "admin": ["SIM\\dora"]}}}, access={"view": ["Everyone"]})
    pid = w.machine.spawn(token={"user": ALICES}, image="tool.exe", folder="C:\\secret", commandLine="tool.exe --password=x")
    w.rpc.call("pool.assign", pool="p", pid=pid)
    w.machine.deliver()
    w.rpc.call("pool.update", pool="p", access={"view": ["SIM\\bob", ALICES], "control": ["SIM\\carol"], "admin": ["SIM\\dora"]})
    people = {name: w.machine.client(user=f"SIM\\{name}") for name in ("alice", "bob", "carol", "dora")}

    def shown(client):
        return [client.call("process.get", pid=pid), *client.call("pool.processes", pool="p")["processes"],
                *client.call("accounting.processes", pool="p")["processes"]]

    def check(rows, whole):
        for row in rows:
            assert row["commandLine"] == ("tool.exe --password=x" if whole else None)
            assert row["image"].endswith("tool.exe") and ("secret" in row["image"]) == whole

    for name, client in people.items():
        check(shown(client), name in ("alice", "dora"))
        events = json.dumps(client.call("events.query", pools=["p"]))
        assert "password" not in events and "secret" not in events
    waiting = {name: client.begin("pool.wait", pool="p", pid=pid) for name, client in people.items()}
    for client in people.values():
        client.call("pool.list")
    w.machine.exit(pid)
    w.machine.advance(3000)
    for name, client in people.items():
        check([client.finish(waiting[name]), client.call("process.get", pid=pid)], name in ("alice", "dora"))
        check([client.call("pool.wait", pool="p", pid=pid)], name in ("alice", "dora"))


# --------------------------------------------------------------------------------------------------------------- templates


def test_templates_want_the_right_to_launch_in_their_pool(world):
    w = world({"p": {"access": {"launch": [ALICES], "view": ["SIM\\bob"]}}, "hidden": {"access": NOBODY_AT_ALL}},
              templates={"t": {"pool": "p", "argv": ["a.exe"]}, "h": {"pool": "hidden", "argv": ["b.exe"]}})
    alice, bob = w.machine.client(**ALICE), w.machine.client(**BOB)
    assert alice.call("pool.launch", template="t")["pool"] == "p"
    error = bob.error("pool.launch", template="t")
    assert (error.name, error.data["right"], error.data["pool"]) == ("access_denied", "launch", "p")
    assert "hidden" not in alice.error("pool.launch", template="h").message + alice.error("pool.launch", template="h", pool="p").message
    assert w.rpc.call("pool.launch", template="h")["pool"] == "hidden"
