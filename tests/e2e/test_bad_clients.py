"""Clients that do what no client should: each gets a clear answer or is cut off, everyone else is served, nothing is lost."""
import json

import pytest

from harness.host import wait_until


def pipes(host, scenario, service, *arguments, timeout=120):
    result = host.run("pipes", scenario, service.pipe, *arguments, timeout=timeout)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def connections(rpc):
    return rpc.call("service.status")["connections"]


@pytest.fixture
def bystander(service, jobber):
    """A client with a subscription, a process that runs and a call that waits; all of that must go on undisturbed."""
    with service.bridge() as rpc:
        rpc.call("pool.create", name="bystander")
        rpc.call("events.subscribe", pools=["bystander"])
        process = rpc.call("pool.launch", pool="bystander", argv=jobber("sleep", 120000))
        waiting = rpc.begin("pool.wait", pool="bystander")
        yield rpc
        assert rpc.call("process.get", pid=process["pid"])["ending"] == "running"
        rpc.call("pool.terminate", pool="bystander")
        assert rpc.finish(waiting)["empty"] is True
        assert rpc.event(lambda event: event.get("pid") == process["pid"] and "exitCode" in event)
        rpc.call("pool.delete", pool="bystander")


def test_two_hundred_clients_at_once(host, console):
    service = console({"pipe": {"name": "jobpool-many"}, "quotas": {"connections_per_user": 250}, "pools": {"p": {}}})
    service.pipe = "jobpool-many"
    service.start()
    with service.bridge() as rpc:
        assert pipes(host, "many", service, 200) == {"connected": 200, "sent": 200, "answered": 200}
        assert rpc.call("pool.list")["pools"]
    assert service.stop() == 0


def test_more_clients_than_there_may_be(host, console):
    service = console({"pipe": {"name": "jobpool-few"}, "quotas": {"connections": 8, "connections_per_user": 100}, "pools": {"p": {}}})
    service.pipe = "jobpool-few"
    service.start()
    with service.bridge() as rpc:
        assert rpc.call("service.status")["connections"] == 1
        result = pipes(host, "many", service, 30)
        assert 0 < result["answered"] < 30, "so many as there was room for"
        assert rpc.call("pool.list")["pools"], "who was there first is still served"
        wait_until(lambda: connections(rpc) == 1, "the others to be gone")
        assert pipes(host, "many", service, 5)["answered"] == 5
    assert service.stop() == 0


def test_a_line_that_never_ends(host, service, bystander):
    result = pipes(host, "endless", service, 64)
    assert result["answer"]["id"] is None and result["answer"]["error"]["data"]["name"] == "quota_exceeded"
    assert "longer" in result["answer"]["error"]["message"]
    assert result["servedAfter"] is True


def test_an_over_long_line(rpc, bystander):
    answer = rpc.ask('{"jsonrpc": "2.0", "id": 1, "method": "pool.get", "params": {"pool": "' + "x" * (2 << 20) + '"}}')
    assert answer["id"] is None and answer["error"]["data"]["name"] == "quota_exceeded"
    assert rpc.call("pool.list")["pools"]


def test_a_line_of_just_the_bound(rpc):
    request = '{"jsonrpc": "2.0", "id": 1, "method": "pool.list"}'
    assert "result" in rpc.ask(request + " " * ((1 << 20) - len(request)))
    assert rpc.ask(request + " " * ((1 << 20) - len(request) + 1))["error"]["data"]["name"] == "quota_exceeded"


def test_clients_that_vanish(host, service, bystander):
    before = connections(bystander)
    assert pipes(host, "vanish", service, 100)["vanished"] == 100
    wait_until(lambda: connections(bystander) == before, "their connections to be closed")


def test_a_client_that_vanishes_while_it_waits(service, bystander, pool, rpc, jobber):
    rpc.call("pool.launch", pool=pool, argv=jobber("sleep", 60000))
    with service.bridge() as waiting:
        waiting.begin("pool.wait", pool=pool)
        waiting.call("events.subscribe")
        before = connections(rpc)
        waiting.kill()
    wait_until(lambda: connections(rpc) == before - 1, "its connection to be closed")
    rpc.call("pool.terminate", pool=pool)
    assert rpc.call("pool.wait", pool=pool) == {"pool": pool, "empty": True}


def test_what_a_vanished_client_asked_for_is_done_and_written_down(host, service, rpc, pool, jobber, accounted):
    request = {"jsonrpc": "2.0", "id": 1, "method": "pool.launch", "params": {"pool": pool, "argv": jobber("exit", 11)}}
    assert pipes(host, "hit-and-run", service, json.dumps(request))["sent"] is True
    assert accounted(pool, 1)[0]["exitCode"] == 11


def test_a_client_that_never_reads(host, service, bystander):
    before = connections(bystander)
    result = pipes(host, "deaf", service, 100000, 1000)
    assert result["sent"] < 100000, "at some point no more was taken from it, or it was cut off"
    wait_until(lambda: connections(bystander) == before, "its connection to be closed")


def test_a_slow_subscriber_misses_nothing(service, rpc, pool, jobber):
    with service.bridge() as slow:
        slow.call("events.subscribe", pools=[pool], fromSeq=1)
        for _ in range(20):
            rpc.call("pool.update", pool=pool, description="x" * 1000)
        recorded = [event["seq"] for event in rpc.call("events.query", pools=[pool])["events"]]
        assert [slow.event(lambda event: True)["seq"] for _ in recorded] == recorded


def test_the_service_closes_and_the_bridge_says_so(console):
    service = console().start()
    with service.bridge() as rpc:
        rpc.call("service.status")
        service.crash()
        assert rpc.receive() is None
        code, _, stderr = rpc.close()
        assert code == 3 and "closed" in stderr


def test_a_request_that_is_not_finished_when_the_service_stops(console, jobber):
    service = console({"pools": {"p": {"on_service_stop": "terminate"}}}).start()
    with service.bridge() as rpc:
        rpc.call("pool.launch", pool="p", argv=jobber("sleep", 60000))
        waiting = rpc.begin("pool.wait", pool="p")
        rpc.call("service.status")
        assert service.stop() == 0
        answer = rpc.receive()
        assert answer is None or answer["id"] == waiting
