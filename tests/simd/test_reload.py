"""The configuration read again: by itself when its file changes, and what becomes of who is removed."""
import json
import os

import pytest

from harness.host import wait_until

EXIT_BY_US = {"ending": "terminated", "exitCode": 1}


@pytest.fixture
def watched(world):
    """A world whose service watches its configuration. `put(pools)` gives it another one, as editors do: by renaming."""
    def make(pools, **config):
        w = world(pools, **{"watch_config": True} | config)
        config_file = w.machine.config_file
        first = json.loads(config_file.read_text())

        def put(pools=None, text=None, **more):
            seen = changes(w)
            new = config_file.with_suffix(".new")
            new.write_text(text or json.dumps(first | {"pools": pools} | more))
            os.replace(new, config_file)
            return seen

        w.put = put
        return w

    return make


def changes(w):
    """How often the folder has told the service of its file."""
    return w.machine.log().count("jobpool.json changes")


def noticed(w, seen):
    wait_until(lambda: changes(w) > seen, "the folder to tell of the change")


def pools(w):
    return [pool["name"] for pool in w.rpc.call("pool.list")["pools"]]


def test_a_changed_file_is_taken_when_it_has_been_quiet(watched):
    w = watched({"a": {}})
    pid = w.launch("a")
    noticed(w, w.put({"a": {}, "b": {}}))
    w.machine.advance(600)
    assert pools(w) == ["a"]
    noticed(w, w.put({"a": {}, "c": {}}))
    w.machine.advance(600)
    assert pools(w) == ["a"], "it is not left alone"
    w.machine.advance(200)
    assert pools(w) == ["a", "c"]
    assert len(w.events("CONFIG_RELOADED")) == 1 and w.members("a") == [pid]
    w.machine.advance(60_000)
    assert len(w.events("CONFIG_RELOADED")) == 1


def test_a_faulty_file_changes_nothing_and_is_told(watched):
    w = watched({"a": {}})
    noticed(w, w.put(text='{"pools": {"b": {}, "a": {"limitz": 1}}}'))
    w.machine.advance(1000)
    refused = w.events("CONFIG_REFUSED")
    assert len(refused) == 1 and "limitz" in refused[0]["detail"] and refused[0]["origin"] == "service"
    assert "reload refused" in w.machine.log() and pools(w) == ["a"]
    w.machine.advance(60_000)
    assert len(w.events("CONFIG_REFUSED")) == 1, "once for each writing"
    noticed(w, w.put({"b": {}}))
    w.machine.advance(1000)
    assert pools(w) == ["b"] and len(w.events("CONFIG_RELOADED")) == 1


def test_a_file_that_vanishes_is_no_reload(watched):
    w = watched({"a": {}})
    seen = changes(w)
    w.machine.config_file.unlink()
    noticed(w, seen)
    w.machine.advance(5000)
    assert not w.events("CONFIG_RELOADED") and not w.events("CONFIG_REFUSED") and pools(w) == ["a"]
    assert "stays in force" in w.machine.log()
    noticed(w, w.put({"b": {}}))
    w.machine.advance(1000)
    assert pools(w) == ["b"]


def test_what_was_read_by_request_is_not_read_again(watched):
    w = watched({"a": {}})
    noticed(w, w.put({"b": {}}))
    assert w.rpc.call("service.reload")["added"] == ["b"]
    w.machine.advance(5000)
    assert len(w.events("CONFIG_RELOADED")) == 1


def test_other_files_of_the_folder_do_not_matter(watched):
    w = watched({"a": {}})
    seen = changes(w)
    (w.machine.folder / "other.json").write_text("{}")
    w.put({"b": {}})
    noticed(w, seen)
    assert changes(w) == seen + 1


def test_watching_begins_and_ends_by_a_reload(watched):
    w = watched({"a": {}}, watch_config=False)
    w.put({"b": {}}, watch_config=True)
    w.machine.advance(5000)
    assert pools(w) == ["a"]
    w.rpc.call("service.reload")
    noticed(w, w.put({"c": {}}, watch_config=False))
    w.machine.advance(1000)
    assert pools(w) == ["c"]
    w.put({"d": {}}, watch_config=True)
    w.machine.advance(5000)
    assert pools(w) == ["c"]
    w.rpc.call("service.reload")
    noticed(w, w.put({"e": {}}, watch_config=True))
    w.machine.advance(1000)
    assert pools(w) == ["e"]


def test_it_watches_again_after_a_restart(watched):
    w = watched({"a": {}})
    w.restart(crash=True)
    noticed(w, w.put({"b": {}}))
    w.machine.advance(1000)
    assert pools(w) == ["b"]


def test_who_is_removed_goes_or_stays(watched):
    w = watched({"keep": {}, "end": {"on_remove": "terminate"}, "below": {"parent": "end"}, "other": {}})
    kept, ended, below, other = (w.launch(pool) for pool in ("keep", "end", "below", "other"))
    w.machine.deliver()
    noticed(w, w.put({"other": {}}))
    w.machine.advance(3000)
    assert pools(w) == ["keep", "other"] and w.rpc.call("pool.get", pool="keep")["state"] == "orphan"
    assert w.alive(kept) and w.alive(other)
    for pid in (ended, below):
        assert {key: w.row(pid)[key] for key in EXIT_BY_US} == EXIT_BY_US
    assert [event["pool"] for event in w.events("POOL_REMOVED")] == ["below", "end"]
    w.machine.exit(kept)
    w.machine.advance(1000)
    assert pools(w) == ["other"]
