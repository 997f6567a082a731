"""pool.usage: one picture of all pools, from one look at the machine's processes for all who ask."""
import pytest

from harness.simulated import ALICE, BOB

ALICES = ALICE["user"]
NOBODY_AT_ALL = {"view": []}
MIB = 1 << 20
SECOND = 10_000_000


def rows(client, **params):
    return {row["name"]: row for row in client.call("pool.usage", **params)["pools"]}


def looks(w):
    """When the machine was last looked at."""
    return w.rpc.call("service.status")["sampling"]["last"]


def test_what_it_says(world):
    w = world({"top": {"limits": {"job_memory": "64MiB", "active_processes": 9}}, "low": {"parent": "top", "limits": {"job_memory": "128MiB", "active_processes": 4}},
               "alone": {"timeouts": {"idle": "1h"}}})
    one, other = w.assigned("top"), w.assigned("low")
    w.burn(one, 2)
    w.burn(other, 3)
    w.commit(one, 5 * MIB)
    w.commit(other, 7 * MIB)
    picture = w.rpc.call("pool.usage")
    assert picture["processors"] >= 1 and picture["lastSeq"] == w.rpc.call("service.status")["seq"] and "processes" not in picture
    assert [row["name"] for row in picture["pools"]] == ["alone", "low", "top"]
    alone, low, top = picture["pools"]
    assert (top["parent"], top["members"], top["totalMembers"], top["cpuTime100ns"]) == (None, 1, 2, 5 * SECOND)
    assert (low["parent"], low["members"], low["totalMembers"], low["cpuTime100ns"]) == ("top", 1, 1, 3 * SECOND)
    assert top["commitBytes"] - low["commitBytes"] >= 5 * MIB and low["commitBytes"] >= 7 * MIB
    assert (top["memoryLimitBytes"], low["memoryLimitBytes"], alone["memoryLimitBytes"]) == (64 * MIB, 64 * MIB, None), "the tightest that holds"
    assert (top["processLimit"], low["processLimit"], alone["processLimit"]) == (9, 4, None)
    assert (top["memoryLimitBy"], top["enforcedBy"], alone["memoryLimitBy"], alone["enforcedBy"]) == ("kernel", "kernel", None, "service")
    assert (top["state"], top["source"], top["frozen"]) == ("active", "config", False)
