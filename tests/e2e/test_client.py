"""The client library against the real service: the program of the C guide, with either library, and events over crashes of the service."""
import json
import re
import subprocess

import pytest

from harness.host import BUILD, ROOT

PROGRAMS = ["client_example", "client_example_dll"]
CRASHES = 3


class Example:
    """The program of docs/c-api.md, which runs until its input ends."""

    def __init__(self, host, name, pipe, pool):
        self.process = host.start(BUILD / "docs" / f"{name}.exe", pipe, pool, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.lines = []

    def until(self, wanted):
        """Reads lines until one begins with `wanted`; returns the rest of that."""
        for line in self.process.stdout:
            line = line.decode().rstrip("\r\n")
            self.lines.append(line)
            if line.startswith(wanted):
                return line[len(wanted):].strip()
        raise AssertionError(f"no {wanted!r} in {self.lines}")

    def end(self):
        self.process.stdin.close()
        self.lines += self.process.stdout.read().decode().splitlines()
        return self.process.wait(60)

    def seqs(self):
        return [json.loads(line.removeprefix("event: "))["seq"] for line in self.lines if line.startswith("event: ")]


@pytest.fixture
def example(host):
    made = []

    def make(*arguments):
        made.append(Example(host, *arguments))
        return made[-1]

    yield make
    for one in made:
        one.process.kill()
        one.process.wait(60)


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_program_of_the_c_guide(service, rpc, pool, jobber, example, program):
    process = rpc.call("pool.launch", pool=pool, argv=jobber("sleep", 120000))
    running = example(program, service.pipe, pool)
    assert json.loads(running.until("status: "))["program"] == "jobpoold"
    assert json.loads(running.until(f"{pool} so far: ")), "the service tells how far it is"
    rpc.call("pool.update", pool=pool, description="again")
    while (event := json.loads(running.until("event: ")))["message"] != "POOL_UPDATED":
        pass
    assert event["pool"] == pool and "subscription" not in event
    assert running.end() == 0
    waited = [line for line in running.lines if line.startswith(f"waiting for {pool}: ")]
    assert len(waited) == 1 and "empty" not in waited[0], "the call was taken back, and ended once"
    assert rpc.call("process.get", pid=process["pid"])["ending"] == "running"
    rpc.call("pool.terminate", pool=pool)


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_program_of_the_c_guide_without_a_service(host, program):
    result = host.run(BUILD / "docs" / f"{program}.exe", "jobpool-nobody", "build")
    assert result.returncode == 1 and "jobpool-nobody" in result.stderr


def make_events(service, count):
    for number in range(count):
        assert service.jobpool("update", "p", json.dumps({"description": str(number)})).returncode == 0


def test_every_event_once_over_crashes(console, example):
    service = console({"pools": {"p": {}}}).start()
    listener = example("client_example", service.pipe, "p")
    first = int(listener.until("subscribed: "))
    for _ in range(CRASHES):
        make_events(service, 2)
        listener.until("event: ")
        service.crash()
        listener.until("interrupted: ")
        service.start()
        make_events(service, 1)
        listener.until("subscribed: ")
    make_events(service, 2)
    last = service.json("status")["database"]["committedSeq"]
    while not listener.seqs() or listener.seqs()[-1] < last:
        listener.until("event: ")
    assert listener.seqs() == list(range(first, listener.seqs()[-1] + 1)), "none is missing, none comes twice"
    recorded = service.json("rpc", "events.query", json.dumps({"fromSeq": first, "limit": 1000}))["events"]
    assert [event["seq"] for event in recorded][:len(listener.seqs())] == listener.seqs()
    assert len(listener.seqs()) > CRASHES * 3 and listener.end() == 0


def test_following_over_a_crash(console, host):
    service = console({"pools": {"p": {}}}).start()
    following = host.start("jobpool", "--pipe", service.pipe, "--json", "events", "--follow", "--reconnect", "--from-seq", 1, "--limit", 12,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    seqs = [json.loads(following.stdout.readline())["seq"]]
    service.crash()
    assert b"trying again" in following.stderr.readline()
    service.start()
    make_events(service, 12)
    seqs += [json.loads(line)["seq"] for line in following.stdout]
    assert seqs == list(range(1, 13)) and following.wait(60) == 0
    assert following.stderr.read().decode().splitlines() == ["jobpool: connected again"]


def test_reconnect_goes_with_follow(service):
    assert service.jobpool("events", "--reconnect").returncode == 2


def test_the_dll_has_what_the_header_says():
    header = (ROOT / "include" / "jobpool" / "client.h").read_text(encoding="utf-8")
    declared = set(re.findall(r"^JOBPOOL_API [^(]*?(jp_client_\w+)\(", header, re.MULTILINE))
    exported = set((ROOT / "src" / "client" / "libjobpool.def").read_text(encoding="utf-8").split()[1:])
    assert declared == exported and len(declared) > 8
