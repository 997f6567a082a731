"""when_full: refuse, wait, kill. Security limits."""
import pytest

from harness.host import wait_until


@pytest.fixture
def full(world):
    def make(when_full, **more):
        w = world({"a": {"limits": {"active_processes": 1}, "when_full": when_full} | more})
        w.first = w.launch("a")
        w.machine.deliver()
        return w

    return make


def test_refuse(full):
    w = full("refuse")
    stranger = w.machine.spawn()
    assert w.rpc.error("pool.assign", pool="a", pid=stranger).name == "pool_full"
    assert w.alive(stranger)


def test_kill(full):
    w = full("kill")
    stranger = w.machine.spawn()
    assert w.rpc.error("pool.assign", pool="a", pid=stranger)
    w.machine.deliver()
    assert w.machine.fate(stranger)["end"] == "refused"
    assert w.members("a") == [w.first]


def test_wait_first_come_first_served(full):
    w = full("wait")
    strangers = [w.machine.spawn(), w.machine.spawn()]
    requests = [w.rpc.begin("pool.assign", pool="a", pid=pid) for pid in strangers]
    requests.append(w.rpc.begin("pool.launch", pool="a", argv=["third.exe"]))
    w.rpc.call("service.status")  # comes after them
    w.machine.advance(1000)
    assert w.members("a") == [w.first]
    leaving = w.first
    for request in requests:
        w.machine.exit(leaving)
        w.machine.advance(1000)
        leaving = w.rpc.finish(request)["pid"]
        assert w.members("a") == [leaving]
    assert [w.row(pid)["ending"] for pid in strangers] == ["exited", "exited"]


def test_wait_has_an_end(full):
    w = full("wait", wait_timeout="30s")
    stranger = w.machine.spawn()
    request = w.rpc.begin("pool.assign", pool="a", pid=stranger)
    sooner = w.rpc.begin("pool.launch", pool="a", argv=["x.exe"], timeout="5s")
    w.rpc.call("service.status")
    w.machine.advance(6_000)
    with pytest.raises(Exception, match="third|full|wait|time") as caught:
        w.rpc.finish(sooner)
    assert caught.value.name == "timed_out"
    w.machine.advance(30_000)
    with pytest.raises(Exception) as caught:
        w.rpc.finish(request)
    assert caught.value.name == "timed_out" and w.alive(stranger)
    w.machine.exit(w.first)
    assert w.members("a") == []


def test_who_waits_and_goes_is_forgotten(full):
    w = full("wait")
    stranger = w.machine.spawn()
    other = w.machine.client()
    other.begin("pool.assign", pool="a", pid=stranger)
    other.call("service.status")
    other.close()
    w.rpc.call("service.status")
    w.machine.advance(1000)
    w.machine.exit(w.first)
    w.machine.advance(2000)
    assert w.members("a") == [] and w.alive(stranger)


def test_who_is_held_ends_with_his_holder(full):
    """What nobody else would ever let run. Whoever is not held, or has a holder who is there to decide, lives."""
    w = full("wait")
    held, free, cancelled, late = [w.machine.spawn() for _ in range(4)]
    stays, goes = w.machine.client(), w.machine.client()
    taken_back = stays.begin("pool.assign", pool="a", pid=cancelled, held=True)
    in_vain = stays.begin("pool.assign", pool="a", pid=late, held=True, timeout="5s")
    for pid, more in ((held, {"held": True}), (free, {})):
        goes.begin("pool.assign", pool="a", pid=pid, **more)
    goes.call("service.status")
    assert stays.call("$/cancelRequest", id=taken_back)["cancelled"]
    w.machine.advance(6_000)
    for request in (taken_back, in_vain):
        with pytest.raises(Exception):
            stays.finish(request)
    goes.close()
    wait_until(lambda: not w.alive(held), "who was held to end")
    assert [w.alive(pid) for pid in (free, cancelled, late)] == [True] * 3
    w.machine.exit(w.first)
    w.machine.advance(2000)
    assert w.members("a") == []


def test_who_may_not_end_it_cannot_have_it_ended(full):
    w = full("wait", access={"assign": ["SIM\\bob"]})
    others = w.machine.spawn(token={"user": "SIM\\alice"})
    bob = w.machine.client(user="SIM\\bob")
    assert bob.error("pool.assign", pool="a", pid=others, held=True).name == "access_denied"
    bob.close()
    wait_until(lambda: w.rpc.call("service.status")["connections"] == 1, "the connection to be seen closed")
    assert w.alive(others)


# --------------------------------------------------------------------------------------------------------------- security


@pytest.mark.shows("JobObjectSecurityLimitInformation", "JOB_OBJECT_SECURITY_NO_ADMIN")
def test_no_admin(world):
    w = world({"a": {"security": ["no_admin"], "access": {"launch": ["SIM\\user"]}}})
    admin, user = w.machine.spawn(token={"admin": True}), w.machine.spawn()
    assert w.rpc.error("pool.assign", pool="a", pid=admin).name == "access_denied"
    w.rpc.call("pool.assign", pool="a", pid=user)
    assert w.rpc.error("pool.launch", pool="a", argv=["x.exe"]).name == "access_denied"
    caller = w.machine.client(user="SIM\\user")
    pid = caller.call("pool.launch", pool="a", argv=["x.exe"])["pid"]
    w.machine.advance(3000)
    assert w.members("a") == sorted([user, pid]) and w.alive(admin)


@pytest.mark.shows("JOB_OBJECT_SECURITY_RESTRICTED_TOKEN")
def test_restricted_token(world):
    w = world({"a": {"security": ["restricted_token"]}})
    free, bound = w.machine.spawn(), w.machine.spawn(token={"restricted": True})
    assert w.rpc.error("pool.assign", pool="a", pid=free).name == "access_denied"
    w.rpc.call("pool.assign", pool="a", pid=bound)


@pytest.mark.shows("JOB_OBJECT_SECURITY_ONLY_TOKEN")
def test_only_token(world):
    w = world({"a": {"security": {"limits": ["only_token"], "account": "local_service"}}})
    running = w.machine.spawn()
    assert w.rpc.error("pool.assign", pool="a", pid=running).name == "access_denied"
    pid = w.launch("a")
    assert "LOCAL SERVICE" in w.machine.order("process", pid=pid)["token"]["user"].upper()


@pytest.mark.shows("JOB_OBJECT_SECURITY_FILTER_TOKENS")
def test_filter_tokens(world):
    w = world({"a": {"security": {"limits": ["filter_tokens"], "filter": {"sids_to_disable": ["S-1-5-32-544"],
                                                                       "privileges_to_delete": ["SeDebugPrivilege"], "restricted_sids": ["S-1-5-12"]}}}})
    running = w.machine.spawn()
    assert w.rpc.error("pool.assign", pool="a", pid=running).name == "access_denied"
    token = w.machine.order("process", pid=w.launch("a"))["token"]
    assert (token["disabledSids"], token["deletedPrivileges"], token["restrictedSids"], token["restricted"]) == (1, 1, 1, True)
