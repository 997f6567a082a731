"""The keeper: the process that holds the jobs of pools whose processes outlive the service, so that the next start finds the same jobs."""
import pytest

from harness.bridge import RpcError
from harness.host import wait_until

KEEP = {"pools": {"p": {"on_service_stop": "keep", "limits": {"active_processes": 9}}, "ends": {"on_service_stop": "terminate"}}}


def keeper_of(rpc):
    """Its pid; 0: there is none."""
    return rpc.call("service.status").get("keeper", 0)


def kept(rpc, jobber, pool="p"):
    """Starts a process in the pool; returns that, and the keeper's pid."""
    process = rpc.call("pool.launch", pool=pool, argv=jobber("sleep", 120000))
    return process, wait_until(lambda: keeper_of(rpc), "a keeper")


def alive(host, pid):
    result = host.run("jobber", "alive", pid)
    assert result.returncode in (0, 1), result.stderr
    return result.returncode == 0


def kill(host, pid, code=1):
    result = host.run("jobber", "kill", pid, code)
    assert result.returncode == 0, result.stderr


def members(rpc, pool="p"):
    return [row["pid"] for row in rpc.call("pool.processes", pool=pool)["processes"]]


def test_nothing_to_keep_no_keeper(console, jobber):
    service = console(KEEP).start()
    with service.bridge() as rpc:
        rpc.call("pool.launch", pool="ends", argv=jobber("sleep", 120000))
        rpc.call("pool.update", pool="p", limits={"active_processes": 8})
        assert keeper_of(rpc) == 0, "neither for a pool that ends with the service, nor for one that nobody has ever joined"
    assert service.stop() == 0


@pytest.mark.parametrize("way", ["killed", "stopped"])
def test_a_keeper_outlives_its_service_and_the_next_start_has_another(host, console, jobber, way):
    service = console(KEEP).start()
    with service.bridge() as rpc:
        process, keeper = kept(rpc, jobber)
        passing = rpc.call("pool.launch", pool="ends", argv=jobber("sleep", 120000))
    if way == "killed":
        service.crash()
    else:
        assert service.stop() == 0
    wait_until(lambda: not alive(host, passing["pid"]), "the process of the other pool to end")
    assert alive(host, process["pid"]) and alive(host, keeper)
    service.start()
    with service.bridge() as rpc:
        assert members(rpc) == [process["pid"]], "it is a member again"
        assert keeper_of(rpc) not in (0, keeper)
        wait_until(lambda: not alive(host, keeper), "the last run's keeper to end")
        assert alive(host, keeper_of(rpc)) and alive(host, process["pid"])
        waiting = rpc.begin("pool.wait", pool="p", pid=process["pid"])
        rpc.call("process.terminate", pid=process["pid"], exitCode=12)
        assert rpc.finish(waiting)["exitCode"] == 12
    assert service.stop() == 0


def test_a_keeper_without_a_service_ends_with_the_last_member(host, console, jobber):
    service = console(KEEP).start()
    with service.bridge() as rpc:
        process, keeper = kept(rpc, jobber)
    service.crash()
    assert alive(host, keeper)
    kill(host, process["pid"])
    wait_until(lambda: not alive(host, keeper), "the keeper to end")
    service.start()
    with service.bridge() as rpc:
        assert members(rpc) == [] and keeper_of(rpc) != keeper
        assert rpc.call("accounting.processes", pool="p")["processes"][0]["ended"]
    assert service.stop() == 0


def test_a_keeper_that_is_killed_has_a_successor(host, console, jobber):
    service = console(KEEP).start()
    with service.bridge() as rpc:
        process, keeper = kept(rpc, jobber)
        kill(host, keeper)
        successor = wait_until(lambda: (pid := keeper_of(rpc)) not in (0, keeper) and pid, "another keeper")
        assert [event["message"] for event in rpc.call("events.query", messages=["KEEPER_ENDED"])["events"]] == ["KEEPER_ENDED"]
        assert members(rpc) == [process["pid"]]
    service.crash()
    assert alive(host, successor) and alive(host, process["pid"]), "it holds what the first one held"
    kill(host, process["pid"])
    wait_until(lambda: not alive(host, successor), "it to end")


def test_a_keeper_ends_when_the_pools_are_gone(host, console, jobber):
    service = console({"pools": {}}).start()
    with service.bridge() as rpc:
        for name in ("one", "two"):
            rpc.call("pool.create", name=name, on_service_stop="keep")
        first, keeper = kept(rpc, jobber, "one")
        second = rpc.call("pool.launch", pool="two", argv=jobber("sleep", 120000))
        for name, process in (("one", first), ("two", second)):
            assert keeper_of(rpc) == keeper, "one keeper for all"
            rpc.call("process.terminate", pid=process["pid"])
            rpc.call("pool.wait", pool=name)
            rpc.call("pool.delete", pool=name)
        assert wait_until(lambda: keeper_of(rpc) == 0, "no keeper to be needed")
        wait_until(lambda: not alive(host, keeper), "it to end")
    assert service.stop() == 0


def test_nobody_gets_the_keeper_into_a_pool(console, jobber, held):
    service = console({"sampling": {"interval": "100ms"}, "pools": {
        "p": {"on_service_stop": "keep"}, "strays": {"match": [{"image": "jobpoold.exe"}, {"image": "jobber.exe", "command_line": "*hold*"}]}}}).start()
    with service.bridge() as rpc:
        wait_until(lambda: rpc.call("service.status")["sampling"]["last"], "the first sample, which knows who was there before")
        _, keeper = kept(rpc, jobber)
        error = rpc.error("pool.assign", pool="p", pid=keeper)
        assert error.name == "access_denied" and "keeper" in error.message
        taken = held()
        wait_until(lambda: taken.pid in members(rpc, "strays"), "the rule to take a process")
        assert members(rpc, "strays") == [taken.pid], "and not the keeper, which is older"
        rpc.call("pool.terminate", pool="p")
    assert service.stop() == 0


def can_open(rpc, name):
    """Whether another service finds the job by its name."""
    try:
        rpc.call("job.close", job=rpc.call("job.open", name=name, desiredAccess="JOB_OBJECT_QUERY")["job"])
    except RpcError as error:
        assert error.name == "unknown_job", error
        return False
    return True


def test_the_jobs_name_lives_on_without_a_service(host, console, jobber):
    service, observer = console({"pools": {"p": {"on_service_stop": "keep", "object_name": "Global\\jp-keeper-e2e"}}}).start(), console().start()
    with service.bridge() as rpc:
        process, keeper = kept(rpc, jobber)
    service.crash()
    with observer.bridge() as other:
        assert can_open(other, "Global\\jp-keeper-e2e")
        kill(host, process["pid"])
        wait_until(lambda: not alive(host, keeper), "the keeper to end")
        wait_until(lambda: not can_open(other, "Global\\jp-keeper-e2e"), "the name to go with it")
    assert observer.stop() == 0


@pytest.mark.windows_only("Wine keeps a job's name while it has members, also without a handle")
def test_without_a_keeper_the_name_is_gone(host, console, jobber):
    service, observer = console({"pools": {"p": {"on_service_stop": "keep", "object_name": "Global\\jp-keeper-gone"}}}).start(), console().start()
    with service.bridge() as rpc:
        process, keeper = kept(rpc, jobber)
    service.crash()
    with observer.bridge() as other:
        kill(host, keeper)
        assert not can_open(other, "Global\\jp-keeper-gone") and alive(host, process["pid"])
    kill(host, process["pid"])
    assert observer.stop() == 0
