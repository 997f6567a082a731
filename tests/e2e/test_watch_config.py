"""The configuration read again by itself, where files are Windows' own: by rename, in place, and not when it is gone or faulty."""
import json
import os

import pytest

from harness.host import wait_until


@pytest.fixture
def watched(console):
    service = console({"watch_config": True, "log": {"level": "debug"}, "pools": {"a": {}}})
    first = json.loads(service.config_file.read_text(encoding="utf-8"))
    service.start()

    def put(pools, in_place=False, **more):
        new = service.config_file if in_place else service.config_file.with_suffix(".new")
        new.write_text(json.dumps(first | {"pools": pools} | more), encoding="utf-8")
        new.chmod(0o644)
        os.replace(new, service.config_file)

    service.put = put
    return service


def names(rpc):
    return [pool["name"] for pool in rpc.call("pool.list")["pools"]]


def told(rpc, message):
    return rpc.call("events.query", messages=[message])["events"]


def test_a_changed_file_is_read_again(watched, jobber):
    with watched.bridge() as rpc:
        kept = rpc.call("pool.launch", pool="a", argv=jobber("sleep", 60000))
        watched.put({"a": {}, "b": {}})
        wait_until(lambda: names(rpc) == ["a", "b"], "the new file to be taken")
        watched.put({"a": {}, "c": {"description": "written in place"}}, in_place=True)
        wait_until(lambda: names(rpc) == ["a", "c"], "the file that was written in place to be taken")
        assert [row["pid"] for row in rpc.call("pool.processes", pool="a")["processes"]] == [kept["pid"]]

        watched.put({"a": {"limits": {"active_proceses": 1}}, "d": {}})
        refused = wait_until(lambda: told(rpc, "CONFIG_REFUSED"), "the faulty file to be refused")
        assert "active_proceses" in refused[0]["detail"] and names(rpc) == ["a", "c"]

        reloads = len(told(rpc, "CONFIG_RELOADED"))
        watched.config_file.unlink()
        wait_until(lambda: "stays in force" in watched.log() + watched.stderr(), "the service to notice that its file is gone")
        assert names(rpc) == ["a", "c"] and len(told(rpc, "CONFIG_RELOADED")) == reloads

        watched.put({"b": {}, "a": {"on_remove": "terminate"}})
        wait_until(lambda: names(rpc) == ["a", "b"], "the file that is there again to be taken")
        watched.put({"b": {}})
        wait_until(lambda: names(rpc) == ["b"], "the pool to go with its process")
        row = rpc.call("accounting.processes", pid=kept["pid"], startTime=kept["startTime"])["processes"][0]
        assert (row["ending"], row["exitCode"]) == ("terminated", 1)
