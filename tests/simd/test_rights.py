"""Who may do what: each method with each right, and with none; what is not shown; and what is written down about it."""
import json

import pytest

from harness.simulated import ALICE, BOB

RIGHTS = ["view", "assign", "launch", "control", "admin"]
CLASS_2 = {"class": 2}

# Each method that is about a pool: what it is asked here; MEMBER and STRANGER stand for processes of the caller's. What ends the pool comes last.
ABOUT_A_POOL = {
    "pool.get": {"pool": "p"},
    "pool.processes": {"pool": "p"},
    "pool.wait": {"pool": "p", "timeout": "1ms"},
    "events.subscribe": {"pools": ["p"]},
    "events.query": {"pools": ["p"]},
    "accounting.summary": {"pool": "p"},
    "accounting.processes": {"pool": "p"},
    "accounting.report": {"pools": ["p"]},
    "process.get": {"pid": "MEMBER"},
    "job.queryInformation": {"job": "p"} | CLASS_2,
    "job.isProcessInJob": {"job": "p", "pid": "MEMBER"},
    "pool.assign": {"pool": "p", "pid": "STRANGER"},
    "job.assignProcess": {"job": "p", "pid": "STRANGER"},
    "pool.launch": {"pool": "p", "argv": ["tool.exe"]},
    "pool.freeze": {"pool": "p"},
    "pool.thaw": {"pool": "p"},
    "process.terminate": {"pid": "MEMBER"},
    "pool.terminate": {"pool": "p"},
    "job.terminate": {"job": "p", "exitCode": 1},
    "pool.update": {"pool": "p", "description": "x"},
    "job.setInformation": {"job": "p", "info": {}} | CLASS_2,
    "accounting.reset": {"pool": "p"},
    "pool.create": {"name": "below", "parent": "p"},
    "pool.delete": {"pool": "p", "terminate": True},
}
# And about the service.
ABOUT_THE_SERVICE = {
    "service.status": {},
    "service.capabilities": {},
    "job.create": {},
    "service.reload": {},
    "pool.create": {"name": "new"},
    "pool.match": {},
    "accounting.audit": {},
    "accounting.purge": {"processes": True, "olderThan": "1d"},
}
# Those that are nobody's secret, or the connection's own; and the two that need a handle, or a window.
FREE = {"rpc.discover", "rpc.cancel", "$/cancelRequest", "pool.list", "events.unsubscribe", "job.close", "job.open", "job.grantUserHandle"}


def implied(right):
    return set(RIGHTS) if right == "admin" else {right, "view"} if right else set()


def rights_of_methods(w):
    return {method["name"]: method.get("x-right") for method in w.rpc.call("rpc.discover")["methods"]}


def ask(client, method, params):
    """The error, or None."""
    number = client.begin(method, **params)
    while number not in client._answers:
        client.take()
    return client._answers.pop(number).get("error")


def lacks(error, right):
    return bool(error) and error["data"]["name"] == "access_denied" and error["data"].get("right") == right


@pytest.fixture
def alice(world):
    """alice(access of p, access of the service): a world, and a client who is nobody special."""

    def make(pool=None, service=None):
        w = world({"p": {"access": pool or {"admin": ["Administrators"]}}}, access=service or {"admin": ["Administrators"]})
        w.alice = w.machine.client(**ALICE)
        return w

    return make


def filled_in(w, params):
    def process(member):
        pid = w.machine.spawn(token=ALICE)
        if member:
            w.rpc.call("pool.assign", pool="p", pid=pid)
        return pid

    return {key: process(value == "MEMBER") if value in ("MEMBER", "STRANGER") else value for key, value in params.items()}


def test_every_method_is_here(world):
    assert set(rights_of_methods(world())) == FREE | set(ABOUT_A_POOL) | set(ABOUT_THE_SERVICE)


@pytest.mark.parametrize("given", RIGHTS)
def test_each_method_wants_its_right_to_the_pool(alice, given):
    w = alice({given: ["SIM\\alice"]})
    needed = rights_of_methods(w)
    for method, params in ABOUT_A_POOL.items():
        error = ask(w.alice, method, filled_in(w, params))
        if needed[method] in implied(given):
            assert not error or "right" not in error["data"], (method, error)
        else:
            assert lacks(error, needed[method]) and error["data"]["pool"] == "p", (method, error)
            assert "SIM\\alice" in error["message"]


@pytest.mark.parametrize("given", RIGHTS)
def test_each_method_wants_its_right_to_the_service(alice, given):
    w = alice(service={given: ["SIM\\alice"]})
    needed = rights_of_methods(w)
    for method, params in ABOUT_THE_SERVICE.items():
        error = ask(w.alice, method, params)
        if needed[method] in implied(given):
            assert not error or "right" not in error["data"], (method, error)
        else:
            assert lacks(error, needed[method]), (method, error)


def test_what_one_may_not_view_is_not_there(alice):
    """The answers about a pool that is hidden, and about one that there is not, are the same but for its name."""
    w = alice(service={"view": ["SIM\\alice"]})
    member = w.machine.spawn(token=BOB)
    w.rpc.call("pool.assign", pool="p", pid=member)
    for method in ("process.get", "process.terminate"):
        assert w.alice.error(method, pid=member, startTime="5").name == "no_such_process", "not even that it began at another time"
    for method, params in ABOUT_A_POOL.items():
        params = {key: {"MEMBER": member, "STRANGER": w.machine.spawn(token=ALICE)}.get(value, value) if isinstance(value, str) else value
                  for key, value in params.items()}
        hidden = ask(w.alice, method, params)
        missing = ask(w.alice, method, json.loads(json.dumps(params).replace('"p"', '"q"').replace(str(member), "999999")))
        assert hidden and missing, method
        assert json.dumps(hidden).replace('\\"p\\"', '\\"q\\"').replace(str(member), "999999") == json.dumps(missing), (method, hidden, missing)
    assert w.alice.call("pool.list")["pools"] == []
    assert w.alive(member)


def test_lists_have_only_what_may_be_viewed(world):
    w = world({"open": {"access": {"view": ["SIM\\alice"]}}, "shut": {"access": {"view": ["SIM\\bob"]}}}, access={"admin": ["Administrators"]})
    pids = {pool: w.launch(pool) for pool in ("open", "shut")}
    alice = w.machine.client(**ALICE)
    assert [pool["name"] for pool in alice.call("pool.list")["pools"]] == ["open"]
    assert {row["pid"] for row in alice.call("accounting.processes")["processes"]} == {pids["open"]}
    assert {event["pool"] for event in alice.call("events.query")["events"]} == {"open"}
    alice.call("events.subscribe")
    for pool in ("shut", "open"):
        w.rpc.call("pool.update", pool=pool, description="seen or not")
    assert alice.event(lambda event: True)["pool"] == "open"


def test_command_lines_of_others_are_for_the_pools_admins(world):
    everyone = {"view": ["Everyone"], "launch": ["Everyone"], "admin": ["SIM\\carol"]}
    w = world({"p": {"access": everyone}})
    alice, bob, carol = w.machine.client(**ALICE), w.machine.client(**BOB), w.machine.client(user="SIM\\carol")
    pid = w.machine.spawn(image="tool.exe", commandLine="tool.exe --password=hunter2", token=ALICE)
    w.rpc.call("pool.assign", pool="p", pid=pid)
    for client, told in ((alice, True), (bob, False), (carol, True), (w.rpc, True)):
        shown = [client.call("process.get", pid=pid), *client.call("pool.processes", pool="p")["processes"],
                 *client.call("accounting.processes", pid=pid)["processes"]]
        assert len(shown) == 3
        for row in shown:
            assert ("hunter2" in json.dumps(row)) is told, row
            assert ("\\" in (row["image"] or "")) is told or not told, row
            assert told or "\\" not in row["image"]


def test_a_refusal_is_written_down(alice):
    w = alice({"view": ["SIM\\alice"]})
    assert w.alice.error("pool.terminate", pool="p").name == "access_denied"
    row = w.rpc.call("accounting.audit", denied=True)["records"][-1]
    assert (row["user"], row["method"], row["pool"]) == ("SIM\\alice", "pool.terminate", "p")
    assert "SIM\\alice" in w.events("REQUEST_DENIED")[-1]["detail"]


def test_a_pool_of_ones_own_gives_nothing_beyond_it(alice):
    """An admin of a pool may not have the service reach for others' processes, nor take a name in the kernel, nor lend a token."""
    w = alice({"admin": ["SIM\\alice"]})
    for more in ({"match": [{"image": "*"}]}, {"default": True}, {"object_name": "Global\\Other"}, {"security": ["no_admin"]}):
        assert lacks(ask(w.alice, "pool.update", {"pool": "p"} | more), "admin"), more
        assert lacks(ask(w.alice, "pool.create", {"name": "below", "parent": "p"} | more), "admin"), more
    assert lacks(ask(w.alice, "pool.create", {"name": "beside"}), "admin")


def test_a_reload_takes_rights_at_once(alice):
    w = alice({"view": ["SIM\\alice"], "control": ["SIM\\alice"]})
    w.alice.call("pool.terminate", pool="p")
    w.machine.write_config({"pools": {"p": {"access": {"view": ["SIM\\alice"]}}}})
    w.rpc.call("service.reload")
    assert w.alice.error("pool.terminate", pool="p").data["right"] == "control"


def test_a_descriptor_that_is_none_is_refused(world):
    w = world({"p": {}})
    for sddl in ("nonsense", "O:SY", "D:P(A;;GA;;;NOBODY)"):
        assert w.rpc.error("pool.create", name="new", access=sddl).name == "invalid_params", sddl
        assert w.rpc.error("pool.update", pool="p", access={"sddl": sddl}).name == "invalid_params", sddl
