"""Every example that the service gives of itself (rpc.discover, and so docs/rpc.md) is run against it.

The examples play in one world: a pool "build" in which process 4711 runs and 4710 has ended with 7, process 4712 outside every pool, and where
an example is about one, a pool "nightly" and a job handle "#1". Here that world is made, with other numbers: what stands for something that
is different each time (ids, times, names of accounts and files) is put in on the way there, and only compared in kind on the way back."""
import json
import re
import subprocess

import pytest

from harness.answers import document
from harness.bridge import RpcError
from harness.host import wait_until

# Values of these are measured, or are names that a machine gives.
MEASURED = {"version", "host", "pools", "members", "connections", "backlog", "seq", "id", "joinedBy", "sid", "clientPid", "image", "user", "commandLine",
            "process", "description", "rights", "processors", "existed", "ui", "nestedJobs", "active_processes", "pid", "startTime"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z")
DOCUMENT = document() or {"methods": []}
EXAMPLES = [(method["name"], index) for method in DOCUMENT["methods"] for index in range(len(method["examples"]))]


class World:
    """One connection, and what is the example's 4711 here."""

    def __init__(self, rpc, held, jobber):
        self.rpc = rpc
        self.jobber = jobber
        ended = rpc.call("pool.launch", pool="build", argv=jobber("exit", 7))
        assert rpc.call("pool.wait", pool="build", pid=ended["pid"], timeout="60s")["exitCode"] == 7
        inside, outside = held(), held()
        rpc.call("pool.assign", pool="build", pid=inside.pid)
        wait_until(lambda: rpc.call("pool.get", pool="build")["members"] == 1, "the pool to have one process")
        self.pids = {4710: ended["pid"], 4711: inside.pid, 4712: outside.pid}
        self.start_times = {"134082333400000000": ended["startTime"], "134082333410000000": inside.start_time, "134082333420000000": outside.start_time}

    def there(self, value, key=None):
        """An example's parameters, as they are here."""
        if isinstance(value, dict):
            return {name: self.there(one, name) for name, one in value.items()}
        if key == "pid":
            return self.pids[value]
        if key == "startTime":
            return self.start_times[value]
        if key == "argv":
            return self.jobber("exit", 0)
        if key == "command":
            return subprocess.list2cmdline(self.jobber("exit", 0))
        if key == "cwd":
            return "C:\\"
        if key == "name" and "\\" in value:
            return f"{value}-{self.pids[4711]}"
        return value

    def same(self, example, answer, key, path):
        """Whether the answer is what the example shows of it."""
        if isinstance(example, dict):
            assert isinstance(answer, dict), path
            for name, value in example.items():
                assert name in answer, f"{path}.{name} is in the example and not in the answer: {answer}"
                self.same(value, answer[name], name, f"{path}.{name}")
        elif isinstance(example, list) and example and isinstance(example[0], dict):
            assert answer, f"{path}: the example shows some"
            for one, other in zip(example, answer):
                self.same(one, other, key, f"{path}[]")
        elif key == "pid" and example in self.pids:
            assert answer == self.pids[example], path
        elif key == "startTime" and example in self.start_times:
            assert answer == self.start_times[example], path
        elif key == "info" and isinstance(example, list):
            assert answer == [self.pids[pid] for pid in example], path
        elif isinstance(example, str) and TIME.fullmatch(example):
            assert TIME.fullmatch(answer), path
        elif key == "name" and isinstance(example, str) and example.startswith("Local\\"):
            assert answer == self.there(example, "name"), path
        elif key in MEASURED:
            assert answer is None or isinstance(answer, type(example)) or isinstance(example, type(None)), f"{path}: {answer} is of another type than {example}"
        else:
            assert answer == example, f"{path}: {answer} is not {example}"


# What an example finds that its world does not have by itself.
def nightly(world):
    world.rpc.call("pool.create", name="nightly")


def nightly_with_a_process(world):
    nightly(world)
    world.rpc.call("pool.assign", pool="nightly", pid=world.pids[4712])


BEFORE = {
    "pool.delete": nightly_with_a_process,
    "pool.thaw": lambda world: world.rpc.call("pool.freeze", pool="build"),
    "events.unsubscribe": lambda world: world.rpc.call("events.subscribe", messages=["SERVICE_STOPPING"]),
    "job.close": lambda world: world.rpc.call("job.create"),
    "job.assignProcess": lambda world: world.rpc.call("job.create"),
    "job.queryInformation": lambda world: world.rpc.call("job.create"),
    "job.setInformation": lambda world: world.rpc.call("job.create"),
    "accounting.audit": lambda world: world.rpc.call("pool.update", pool="build", description="compilers"),
}
# Windows lets the service do this only on a desktop that it shares with the client, and with a handle that is one.
MAY_BE_REFUSED = {"job.grantUserHandle": ("other_session", "system_error")}


POOLS = {"build": {"description": "compilers", "limits": {"active_processes": 8, "job_memory": "512MiB"}}}


@pytest.fixture
def example_world(console, held, jobber):
    """A service for each example: it may say how many there are of something."""
    service = console({"pools": POOLS}).start()
    with service.bridge() as rpc:
        yield World(rpc, held, jobber)


@pytest.mark.parametrize("name, index", EXAMPLES, ids=[f"{name}-{index}" for name, index in EXAMPLES])
def test_an_example(example_world, name, index):
    world = example_world
    method = next(method for method in DOCUMENT["methods"] if method["name"] == name)
    example = method["examples"][index]
    params = {param["name"]: param["value"] for param in example["params"]}
    if params.get("pool") == "nightly" and name != "pool.delete":
        nightly(world)
    BEFORE.get(name, lambda world: None)(world)
    request = world.there(params)
    try:
        answer = world.rpc.call(name, **request)
    except RpcError as error:
        if error.name not in MAY_BE_REFUSED.get(name, ()):
            raise
        return
    world.same(example["result"]["value"], answer, None, name)


def test_every_method_has_an_example():
    without = [method["name"] for method in DOCUMENT["methods"] if not method["examples"]]
    assert not without, json.dumps(without)
