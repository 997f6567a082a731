"""pool.list, get, create, update, delete."""
import pytest

from harness.bridge import RpcError


def test_list_has_the_pools_of_the_configuration(rpc):
    pools = {row["name"]: row for row in rpc.call("pool.list")["pools"]}
    assert {"parent", "child", "other", "single"} <= set(pools)
    assert pools["parent"] == {"name": "parent", "state": "active", "source": "config", "parent": None, "description": "has children",
                               "members": 0, "totalMembers": 0, "ephemeral": False, "frozen": False,
                               "rights": ["view", "assign", "launch", "control", "admin"]}
    assert pools["child"]["parent"] == "parent"


def test_get_tells_everything(rpc):
    pool = rpc.call("pool.get", pool="other")
    assert pool["objectName"] == "Global\\JobPool.other"
    assert pool["limits"] == {"active_processes": 2}
    assert pool["enforcedBy"] == {"active_processes": rpc.call("service.capabilities")["limits"]["active_processes"]}
    assert pool["listening"] is True and pool["state"] == "active" and pool["source"] == "config"
    assert pool["on_service_stop"] in ("keep", "terminate") and pool["created"].endswith("Z")
    assert pool["jobCounters"]["activeProcesses"] == 0
    assert sorted(rpc.call("pool.get", pool="parent")["children"]) == ["child", "other"]


def test_unknown_pool_with_a_suggestion(rpc):
    for method, more in [("pool.get", {}), ("pool.update", {}), ("pool.delete", {}), ("pool.assign", {"pid": 4}), ("pool.processes", {}),
                         ("pool.launch", {"argv": ["cmd"]}), ("pool.terminate", {}), ("pool.wait", {})]:
        error = rpc.error(method, pool="paremt", **more)
        assert (error.code, error.name) == (-32001, "unknown_pool"), method
        assert "paremt" in error.message and '"parent"' in error.message


def test_create_with_the_words_of_the_configuration(rpc):
    made = rpc.call("pool.create", name="made", description="by a client", on_service_stop="terminate",
                    limits={"active_processes": 3, "job_memory": "512MiB", "process_time": "90s", "cpu_rate": "50%", "affinity": "0",
                            "priority_class": "below_normal", "kill_on_close": True})
    assert made["source"] == "transient" and made["state"] == "active" and made["on_service_stop"] == "terminate"
    limits = made["limits"]
    assert limits["active_processes"] == 3 and limits["priority_class"] == "below_normal" and limits["kill_on_close"] is True
    assert limits["job_memory"] in ("512MiB", 512 << 20) and limits["process_time"] == "90s" or limits["process_time"] == "1m30s"
    assert set(made["enforcedBy"]) == set(limits)
    assert set(made["enforcedBy"].values()) <= {"kernel", "service", "none"}
    # What it tells is what it takes.
    again = rpc.call("pool.create", name="made-again", limits=limits)
    assert again["limits"] == limits
    for name in ("made", "made-again"):
        assert rpc.call("pool.delete", pool=name) == {"pool": name, "terminated": 0}
    assert rpc.error("pool.get", pool="made").name == "unknown_pool"


@pytest.mark.parametrize("name, more, code", [
    ("child", {}, "pool_exists"),
    ("orphan", {"parent": "nowhere"}, "unknown_pool"),
    ("both", {"on_service_stop": "keep", "limits": {"kill_on_close": True}}, "invalid_params"),
    ("range", {"limits": {"working_set": {"min": "2MiB", "max": "1MiB"}}}, "invalid_params"),
    ("unit", {"limits": {"job_memory": "5 apples"}}, "invalid_params"),
    ("rate", {"limits": {"cpu_rate": "101%"}}, "invalid_params"),
    ("taken", {"object_name": "Global\\JobPool.child"}, "pool_exists"),
    ("path", {"object_name": "a\\b"}, "invalid_params"),
    (".hidden", {}, "invalid_params"),
    ("x" * 65, {}, "invalid_params"),
])
def test_create_refuses(rpc, name, more, code):
    before = rpc.call("pool.list")
    assert rpc.error("pool.create", name=name, **more).name == code
    assert rpc.call("pool.list") == before


def test_create_under_a_parent(rpc, pool, jobber):
    rpc.call("pool.create", name=pool + ".below", parent=pool)
    process = rpc.call("pool.launch", pool=pool + ".below", argv=jobber("sleep", 60000))
    rows = {row["name"]: row for row in rpc.call("pool.list")["pools"]}
    assert (rows[pool]["members"], rows[pool]["totalMembers"]) == (0, 1)
    assert rows[pool + ".below"]["members"] == 1
    assert [row["pid"] for row in rpc.call("pool.processes", pool=pool)["processes"]] == [process["pid"]]
    assert rpc.call("pool.processes", pool=pool, recursive=False)["processes"] == []
    assert rpc.error("pool.delete", pool=pool).name == "pool_busy", "it has a child pool"
    assert rpc.call("pool.delete", pool=pool + ".below", terminate=True)["terminated"] == 1


def test_update_changes_and_lifts(rpc, pool):
    updated = rpc.call("pool.update", pool=pool, description="new", limits={"active_processes": 5, "scheduling_class": 3})
    assert updated["description"] == "new" and updated["limits"] == {"active_processes": 5, "scheduling_class": 3}
    updated = rpc.call("pool.update", pool=pool, limits={"active_processes": None})
    assert updated["limits"] == {"scheduling_class": 3} and updated["description"] == "new"
    assert rpc.call("pool.get", pool=pool) == updated


def test_update_refuses_and_leaves_all_as_it_was(rpc, pool):
    before = rpc.call("pool.update", pool=pool, limits={"active_processes": 5})
    for change in ({"parent": "parent"}, {"object_name": "Global\\Other"}, {"limits": {"active_processes": 0}}, {"name": "other"},
                   {"limits": {"kill_on_close": True}, "on_service_stop": "keep"}):
        assert rpc.error("pool.update", pool=pool, **change).name == "invalid_params", change
    assert rpc.call("pool.get", pool=pool) == before


def test_update_holds_for_the_next_process(rpc, pool, jobber):
    rpc.call("pool.update", pool=pool, limits={"active_processes": 1})
    rpc.call("pool.launch", pool=pool, argv=jobber("sleep", 60000))
    assert rpc.error("pool.launch", pool=pool, argv=jobber("exit", 0)).name == "pool_full"
    rpc.call("pool.update", pool=pool, limits={"active_processes": None})
    rpc.call("pool.launch", pool=pool, argv=jobber("exit", 0))


def test_delete_refuses_what_is_not_the_clients_to_delete(rpc, pool, jobber):
    assert rpc.error("pool.delete", pool="child").code == -32602, "it is in the configuration"
    rpc.call("pool.launch", pool=pool, argv=jobber("sleep", 60000))
    assert rpc.error("pool.delete", pool=pool).name == "pool_busy"
    assert rpc.call("pool.get", pool=pool)["members"] == 1


def test_a_deleted_pool_keeps_its_history(rpc, pool, jobber, accounted):
    process = rpc.call("pool.launch", pool=pool, argv=jobber("exit", 4))
    rpc.call("pool.wait", pool=pool)
    rpc.call("pool.delete", pool=pool)
    assert accounted(pool, 1)[0]["pid"] == process["pid"]
    assert any(row["pool"] == pool for row in rpc.call("accounting.summary")["pools"])
    messages = [event["message"] for event in rpc.call("events.query", pools=[pool])["events"]]
    assert messages[0] == "POOL_CREATED" and messages[-1] == "POOL_DELETED"


def test_many_pools(rpc):
    names = [f"many-{i}" for i in range(60)]
    for name in names:
        rpc.call("pool.create", name=name)
    assert set(names) <= {row["name"] for row in rpc.call("pool.list")["pools"]}
    for name in names:
        rpc.call("pool.delete", pool=name)
    assert not set(names) & {row["name"] for row in rpc.call("pool.list")["pools"]}


def test_nesting_has_a_bound(rpc):
    made = []
    try:
        for depth in range(40):
            rpc.call("pool.create", name=f"deep-{depth}", **({"parent": made[-1]} if made else {}))
            made.append(f"deep-{depth}")
        raise AssertionError("40 levels were taken")
    except RpcError as error:
        assert error.name == "quota_exceeded"
    finally:
        for name in reversed(made):
            rpc.call("pool.delete", pool=name)
