"""accounting.summary and processes, and what a restart leaves of them."""
import pytest

from harness.host import wait_until


@pytest.fixture
def three(rpc, pool, jobber, accounted):
    """A pool with three ended processes: exited 0, exited 4, terminated."""
    for code in (0, 4):
        rpc.call("pool.launch", pool=pool, argv=jobber("exit", code))
    rpc.call("pool.wait", pool=pool)
    rpc.call("pool.launch", pool=pool, argv=jobber("sleep", 60000))
    rpc.call("pool.terminate", pool=pool, exitCode=9)
    rpc.call("pool.wait", pool=pool)
    return accounted(pool, 3)


def test_rows_are_complete(three, pool):
    for row in three:
        assert row["pool"] == pool and row["image"].lower().endswith("\\jobber.exe") and "jobber.exe" in row["commandLine"]
        assert row["user"] and row["session"] is not None and row["parentPid"]
        assert row["started"] <= row["joined"] <= row["ended"] and row["startTime"].isdigit()
    assert sorted((row["ending"], row["exitCode"]) for row in three) == [("exited", 0), ("exited", 4), ("terminated", 9)]


def test_summary(rpc, three, pool):
    summary = rpc.call("accounting.summary", pool=pool)["pools"]
    assert len(summary) == 1
    counts = {key: summary[0][key] for key in ("pool", "processes", "running", "exited", "crashed", "terminated", "unknown", "failures")}
    assert counts == {"pool": pool, "processes": 3, "running": 0, "exited": 2, "crashed": 0, "terminated": 1, "unknown": 0, "failures": 2}
    assert summary[0]["wallTime100ns"] > 0
    assert pool in [row["pool"] for row in rpc.call("accounting.summary")["pools"]]


def test_summary_of_running_processes(rpc, pool, jobber):
    rpc.call("pool.launch", pool=pool, argv=jobber("sleep", 60000))
    summary = rpc.call("accounting.summary", pool=pool)["pools"][0]
    assert (summary["processes"], summary["running"], summary["failures"]) == (1, 1, 0)


def test_filters(rpc, three, pool):
    def query(**filters):
        return [row["id"] for row in rpc.call("accounting.processes", pool=pool, **filters)["processes"]]

    ids = [row["id"] for row in three]
    assert query() == ids == sorted(ids)
    assert query(ending="terminated") == [row["id"] for row in three if row["ending"] == "terminated"]
    assert query(ending="crashed") == []
    assert query(pid=three[0]["pid"], startTime=three[0]["startTime"]) == ids[:1]
    assert query(**{"to": three[0]["started"][:4] + "-01-01"}) == []
    assert query(**{"from": three[-1]["started"]})[-1] == ids[-1]
    assert rpc.call("accounting.processes", pool="nobody") == {"processes": [], "more": False}


def test_pages(rpc, three, pool):
    first = rpc.call("accounting.processes", pool=pool, limit=2)
    assert [row["id"] for row in first["processes"]] == [row["id"] for row in three[:2]] and first["more"] is True
    second = rpc.call("accounting.processes", pool=pool, limit=2, afterId=first["processes"][-1]["id"])
    assert [row["id"] for row in second["processes"]] == [three[2]["id"]] and second["more"] is False


def test_the_numbers_are_there_after_a_restart(service, rpc, three, pool):
    before = rpc.call("accounting.summary", pool=pool)
    last = rpc.call("service.status")["seq"]
    history = rpc.call("events.query", pools=[pool])["events"]
    service.restart()
    with service.bridge() as after:
        assert after.call("accounting.summary", pool=pool) == before
        assert after.call("accounting.processes", pool=pool)["processes"] == three
        assert after.call("events.query", pools=[pool])["events"] == history
        assert after.error("pool.get", pool=pool).name == "unknown_pool", "transient pools end with the service"
        since = after.call("events.query", fromSeq=last + 1)["events"]
        assert [event["seq"] for event in since] == list(range(last + 1, last + 1 + len(since))) and since


def test_a_killed_service_loses_nothing_that_it_confirmed(console, jobber, host):
    service = console({"pools": {"p": {"on_service_stop": "keep"}}}).start()
    with service.bridge() as rpc:
        process = rpc.call("pool.launch", pool="p", argv=jobber("exit", 3))
        rpc.call("pool.wait", pool="p", pid=process["pid"])
        wait_until(lambda: rpc.call("accounting.processes", pool="p")["processes"][0]["ended"], "the end to be on disk")
        running = rpc.call("pool.launch", pool="p", argv=jobber("sleep", 60000))
    service.crash()
    service.start()
    with service.bridge() as rpc:
        rows = {row["id"]: row for row in rpc.call("accounting.processes", pool="p")["processes"]}
        assert rows[process["id"]]["exitCode"] == 3
        assert rows[running["id"]]["ending"] in ("running", "unknown")
        assert len(rows) == 2
        rpc.call("pool.terminate", pool="p")
    assert service.stop() == 0
