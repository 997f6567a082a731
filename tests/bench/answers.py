"""Long answers, beside a program that prints the same JSON from memory and writes it to the same kind of socket: the whole daemon on the
simulated kernel, natively."""
import contextlib
import json
import pathlib
import subprocess
import tempfile

from harness.host import PATIENCE_S
from harness.simulated import Machine
from measure import NATIVE, Failed, Figure, Pair, Section, native, run_native

POOLS, TEAMS = 1000, 50
MEMBERS, FARMS = 10000, 10
RECORDS = 1000

TOOLS = [("cl.exe", r"C:\Program Files\Microsoft Visual Studio\2022\BuildTools\VC\Tools\MSVC\14.44\bin\Hostx64\x64",
          r'"{folder}\cl.exe" /nologo /O2 /W4 /DNAME="unit {number}" /c src\unit{number}.cpp /Foobj\unit{number}.obj'),
         ("python.exe", r"C:\Python312", r'python.exe -m pytest tests\test_{number}.py --basetemp "D:\tmp\run {number}"'),
         ("node.exe", r"C:\Program Files\nodejs", r"node.exe build.js --target worker-{number}"),
         ("link.exe", r"C:\BuildTools\bin", r"link.exe @D:\build\unit{number}.rsp")]


def pools():
    """Teams with limits, and what belongs to each of them."""
    config = {}
    for team in range(TEAMS):
        config[f"team-{team:02}"] = {"description": f"Everything of team {team}: builds, tests and what runs at night",
                                     "limits": {"active_processes": 2000, "job_memory": "64GiB"}}
    for number in range(POOLS - TEAMS - FARMS - 1):
        team = number % TEAMS
        config[f"team-{team:02}.{('build', 'test', 'night')[number % 3]}-{number // TEAMS:02}"] = {
            "parent": f"team-{team:02}", "limits": {"process_memory": "4GiB", "priority_class": "below_normal"},
            **({"description": "Rebuilt for each branch \"main\""} if number % 4 == 0 else {})}
    config["farm"] = {"description": "Compilers"}
    for number in range(FARMS):
        config[f"farm.{number}"] = {"parent": "farm"}
    return config


def fill(machine, client):
    """Members come as the children of one in each pool, with names and command lines as tools have them."""
    made = FARMS
    for farm in range(FARMS):
        parent = client.call("pool.launch", pool=f"farm.{farm}", argv=["agent.exe", str(farm)])["pid"]
        for first in range(0, MEMBERS // FARMS - 1, 100):
            orders = []
            for number in range(first, min(first + 100, MEMBERS // FARMS - 1)):
                image, folder, command = TOOLS[number % len(TOOLS)]
                orders.append({"do": "spawn", "parent": parent, "image": image, "folder": folder,
                               "commandLine": command.format(folder=folder, number=made)})
                made += 1
            pids = [answer["pid"] for answer in machine.orders(orders)]
            machine.orders([{"do": "burn", "pid": pid, "user100ns": 150000 + 37 * pid, "kernel100ns": 30000 + 11 * pid} for pid in pids] +
                           [{"do": "commit", "pid": pid, "bytes": (pid % 90 + 10) << 20} for pid in pids] +
                           [{"do": "io", "pid": pid, "read": 4096 * pid, "write": 512 * pid} for pid in pids])
            machine.deliver()
    count = client.call("service.status")["members"]
    if count != MEMBERS:
        raise Failed(f"{count} members are there, not {MEMBERS}")


@contextlib.contextmanager
def machine_with(config):
    machine = Machine({"pools": config}, program=NATIVE / "tests" / "sim" / "jobpoold-sim")
    try:
        machine.start()
        yield machine
        machine.close()
    finally:
        machine.kill()


@contextlib.contextmanager
def bare_server(folder, number, answer):
    """Prints the rows that are in the file `answer`."""
    address = folder / f"bare-{number}"
    server = subprocess.Popen([native("answers_bench"), "server", address, answer], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    try:
        if server.stdout.readline().strip() != b"ready":
            raise Failed("the server that answers from memory does not start")
        yield address
    finally:
        server.kill()
        server.wait(PATIENCE_S)
        server.stdout.close()


def ask(address, method, params, count, answer):
    return run_native("answers_bench", "client", address, method, json.dumps(params), count, answer, timeout=PATIENCE_S + count)


class Asked:
    """A question to both, whose answers are the same."""

    def __init__(self, stack, machine, folder, question, count):
        self.ours, (self.method, self.params), self.count = machine.address, question, count
        self.first, self.answer = (folder / f"{self.method}-{when}" for when in ("first", "now"))
        ask(self.ours, self.method, self.params, 1, self.first)
        self.bare = stack.enter_context(bare_server(folder, self.method, self.first))

    def time(self, address):
        figures = ask(address, self.method, self.params, self.count, self.answer)
        if self.answer.read_bytes() != self.first.read_bytes():
            raise Failed(f"{self.method}: the two sides answer differently, see {self.first} and {self.answer}")
        return figures

    def pair(self, name, reach):
        return Pair(name, [Figure("us", "", "us", "lower", reach)], lambda: self.time(self.ours), lambda: self.time(self.bare))


@contextlib.contextmanager
def pairs(lab):
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="answers-")))  # its sockets' names are short
        machine = stack.enter_context(machine_with(pools()))
        with machine.client() as client:
            fill(machine, client)

        def asked(name, method, params, count, reach=None):
            return Asked(stack, machine, folder, (method, params), lab.of(count)).pair(name, reach)
        yield [asked(f"pool.list, {POOLS:,} pools", "pool.list", {}, 400, 2),
               asked(f"pool.processes, {MEMBERS:,} members", "pool.processes", {"pool": "farm"}, 40, 2),
               asked(f"events.query, {RECORDS:,} events", "events.query", {"limit": RECORDS}, 100),
               asked(f"accounting.processes, {RECORDS:,} rows", "accounting.processes", {"limit": RECORDS}, 100)]


SECTION = Section("answers", pairs)
