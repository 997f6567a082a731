"""accounting.report on a simulated machine: running processes, progress, and a service that crashes in between."""
import pytest

pytestmark = pytest.mark.threads


def groups(report, *keys):
    return {tuple(row[key] for key in keys): row for row in report["rows"]}


def test_groups_are_what_the_processes_have_used(world):
    w = world({"a": {}, "b": {"parent": "a"}})
    ran = [w.launch("a", image) for image in ("tool.exe", "tool.exe", "make.exe")]
    stays = w.launch("b", "make.exe")
    for seconds, pid in enumerate(ran, 1):
        w.burn(pid, seconds)
        w.machine.exit(pid, seconds % 2)
    report = w.rpc.call("accounting.report", by=["pool", "image", "ending"])
    found = groups(report, "pool", "image", "ending")
    used = {key: (row["processes"], row["userTime100ns"]) for key, row in found.items()}
    assert used[("a", "tool.exe", "exited")] == (2, 30_000_000) and used[("a", "make.exe", "exited")] == (1, 30_000_000)
    assert found[("b", "make.exe", "running")]["running"] == 1 and len(found) == report["groups"] == 3
    assert [row["image"] for row in report["rows"]][:2] == ["make.exe", "tool.exe"], "equal ones by their names"
    assert report["total"]["processes"] == 4 and report["total"]["failures"] == 2 and report["complete"]
    w.restart(crash=True)
    assert groups(w.rpc.call("accounting.report", by=["pool", "image", "ending"]), "pool", "image", "ending").keys() == found.keys()
    w.machine.exit(stays, 0)
    assert w.rpc.call("accounting.report", by=[])["rows"][0]["exited"] == 4


def test_a_purge_makes_it_incomplete(world):
    w = world({"a": {}, "b": {}})
    for pool in ("a", "b"):
        w.machine.exit(w.launch(pool), 0)
    w.machine.advance(1000)
    assert w.rpc.call("accounting.purge", olderThan="0s", pool="a")["processes"] == 1
    report = w.rpc.call("accounting.report")
    assert [row["pool"] for row in report["rows"]] == ["b"] and not report["complete"] and report["completeFrom"]
    assert w.rpc.call("accounting.report", pools=["b"])["complete"], "of that pool nothing was purged"
