"""Ephemeral pools and pool.usage, with real processes."""
import uuid

from harness.bridge import RpcError
from harness.host import wait_until


def test_a_pool_for_one_run(rpc, pool, jobber):
    name = f"run-{uuid.uuid4().hex}"
    made = rpc.call("pool.create", name=name, parent=pool, ephemeral=True, limits={"active_processes": 2})
    assert (made["ephemeral"], made["parent"], made["objectName"]) == (True, pool, f"Global\\JobPool.~{name}")
    pid = rpc.call("pool.launch", pool=name, argv=jobber("exit", 7))["pid"]
    assert rpc.call("pool.wait", pool=name, timeout="60s")["empty"]
    wait_until(lambda: name not in [row["name"] for row in rpc.call("pool.list")["pools"]], "the pool to go")
    row, = rpc.call("accounting.processes", pool=name)["processes"]
    assert (row["pid"], row["exitCode"], row["ending"]) == (pid, 7, "exited")
    told = [(event["message"], event.get("detail")) for event in rpc.call("events.query", pools=[name])["events"]]
    assert told[0] == ("POOL_CREATED", "ephemeral") and told[-1] == ("POOL_DELETED", "ephemeral: its last process has ended")


def test_it_stays_as_long_as_a_child(rpc, pool, jobber):
    """Whoever was started in it has ended; what that has started has not."""
    name = f"run-{uuid.uuid4().hex}"
    rpc.call("pool.create", name=name, parent=pool, ephemeral=True)
    pid = rpc.call("pool.launch", pool=name, argv=jobber("spawn-and-exit", 2000))["pid"]
    assert rpc.call("pool.wait", pool=name, pid=pid, timeout="60s")["ending"] == "exited"
    assert rpc.call("pool.wait", pool=name, timeout="60s")["empty"]
    wait_until(lambda: name not in [row["name"] for row in rpc.call("pool.list")["pools"]], "the pool to go")
    assert len(rpc.call("accounting.processes", pool=name)["processes"]) == 2


def test_one_without_a_process_goes_with_its_connection(service, rpc, pool):
    name = f"run-{uuid.uuid4().hex}"
    with service.bridge() as other:
        other.call("pool.create", name=name, parent=pool, ephemeral=True)
        assert rpc.call("pool.get", pool=name)["members"] == 0

    def gone():
        try:
            return not rpc.call("pool.get", pool=name)
        except RpcError as error:
            return error.name == "unknown_pool"

    wait_until(gone, "the pool to go with who made it")


def test_usage_of_what_runs(rpc, jobber):
    name = f"usage-{uuid.uuid4().hex}"
    rpc.call("pool.create", name=name, limits={"job_memory": "256MiB"})
    try:
        pid = rpc.call("pool.launch", pool=name, argv=jobber("sleep", 60_000))["pid"]

        def seen():
            answer = rpc.call("pool.usage", pool=name, processesOf=name)
            row, = answer["pools"]
            return answer if row["commitBytes"] and answer["processes"][0]["workingSetBytes"] else None

        answer = wait_until(seen, "a look that has the process")
        row, = answer["pools"]
        assert (row["members"], row["memoryLimitBytes"], answer["processes"][0]["pid"]) == (1, 256 << 20, pid) and answer["processors"] >= 1
        later = rpc.call("pool.usage", pool=name)
        assert later["clock100ns"] >= answer["clock100ns"] and later["pools"][0]["cpuTime100ns"] >= row["cpuTime100ns"]
    finally:
        rpc.call("pool.delete", pool=name, terminate=True)
