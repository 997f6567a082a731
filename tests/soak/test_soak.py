"""The service under a moderate, steady workload for a long time: what it uses stays level, and no event and no process is missing.

    ./dev soak 3600             (or JOBPOOL_SOAK_S=3600 ./dev test soak)

It takes little of a processor and asserts no rate, because it runs beside other suites. What is looked at: handles and threads of the
service as the kernel lists them; under Wine also its open files (each of the wineserver's objects that it waits for is one) and its
resident memory, from /proc; the WAL and the backlog. The database grows with its rows, and may. Level means: the median of the last
quarter, after the first fifth as a warm-up, is not above that of the first quarter by more than a small allowance."""
import collections
import os
import random
import statistics
import threading
import time

import pytest

from harness.host import BUILD, WINDOWS, Host, wait_until
from harness.service import ConsoleService

SOAK_S = int(os.environ.get("JOBPOOL_SOAK_S") or 600)
SAMPLE_S = max(0.5, min(5, SOAK_S / 60))
PATIENCE = 180
MIB = 1 << 20

# Of each figure: the share and the amount by which it may be higher in the end.
LEVEL = {"handles": (0.05, 12), "threads": (0, 2), "files": (0.05, 12), "resident": (0.08, 4 * MIB), "wal": (0.25, 4 * MIB), "backlog": (0, 50)}

POOLS = {"steady": {"limits": {"active_processes": 200}}, "below": {"parent": "steady"}, "other": {"on_service_stop": "terminate"}}


class Subscriber(threading.Thread):
    """Reads all events for the whole time, on one connection, or on a new one again and again."""

    def __init__(self, service, connection_s):
        super().__init__(daemon=True)
        self.service, self.connection_s = service, connection_s
        self.last, self.fault, self.enough = 0, None, False
        self.starts = collections.Counter()  # of processes, by the events
        self.start()

    def run(self):
        try:
            while not self.enough:
                with self.service.bridge() as rpc:
                    self.read(rpc, time.monotonic() + self.connection_s)
        except BaseException as fault:
            self.fault = fault

    def read(self, rpc, until):
        rpc.call("events.subscribe", fromSeq=self.last + 1)
        while not self.enough and time.monotonic() < until:
            try:
                rpc.events.append(rpc.receive(1)["params"])
            except TimeoutError:
                pass
            for event in rpc.events:
                assert event["seq"] == self.last + 1, f"after event {self.last} came {event}"
                self.last = event["seq"]
            rpc.events.clear()


class Soak:
    def __init__(self, host, service):
        self.host, self.service = host, service
        self.random = random.Random(20261122)
        self.launched = {}  # (pid, start) -> (pool, code)
        self.unmade = 0  # launches that Wine failed at
        self.counts = collections.Counter()
        self.samples = []
        self.terminal = open("/dev/tty", "w", encoding="utf-8") if os.environ.get("JOBPOOL_PROGRESS") else None  # pytest has the streams

    def jobber(self, *arguments):
        return [self.host.program("jobber"), *map(str, arguments)]

    # ------------------------------------------------------------------------------------------------------ the workload

    def launch(self, rpc, pool, code, *arguments):
        made = rpc.call("pool.launch", pool=pool, argv=self.jobber(*arguments))
        self.launched[made["pid"], made["startTime"]] = (pool, code)
        return made

    def short(self, rpc):
        code = self.random.randrange(250)
        self.launch(rpc, self.random.choice(["steady", "below", "other"]), code, "exit", code)

    def long(self, rpc):
        self.launch(rpc, "below", 0, "sleep", self.random.randrange(2000, 20000))

    def tree(self, rpc):
        self.launch(rpc, "steady", 0, "tree", 2, 2, 200)

    def terminate(self, rpc):
        made = self.launch(rpc, "other", None, "sleep", 60000)
        rpc.call("process.terminate", pid=made["pid"], startTime=made["startTime"], exitCode=9)
        self.launched[made["pid"], made["startTime"]] = ("other", 9)

    def query(self, rpc):
        rpc.call("accounting.summary")
        rpc.call("events.query", limit=200, newest=True)
        rpc.call("accounting.processes", limit=100)
        rpc.call("pool.get", pool="steady")

    def reload(self, rpc):
        pools = POOLS | {"below": {"parent": "steady", "limits": {"active_processes": self.random.randrange(50, 100)}}}
        if self.random.random() < 0.5:
            pools["passing"] = {}
        self.service.write_config({"pools": pools})
        rpc.call("service.reload")

    def visit(self, rpc):
        """A client that comes, makes something of its own, and goes."""
        with self.service.bridge() as visitor:
            visitor.call("job.create")
            visitor.call("service.status")

    def work(self):
        acts = [(self.short, 20), (self.long, 3), (self.tree, 1), (self.terminate, 2), (self.query, 3), (self.reload, 1), (self.visit, 1)]
        chosen, weights = zip(*acts)
        end, next_sample = time.monotonic() + SOAK_S, 0
        with self.service.bridge() as rpc:
            while time.monotonic() < end:
                act = self.random.choices(chosen, weights)[0]
                act(rpc)
                self.counts[act.__name__] += 1
                if time.monotonic() >= next_sample:
                    self.sample(rpc)
                    self.tell(end - time.monotonic())
                    next_sample = time.monotonic() + SAMPLE_S
                time.sleep(0.4)  # the pace: this is not to be fast
            self.tell(None)
            self.settle(rpc)
            self.unmade = rpc.unmade

    def tell(self, left_s):
        """Who waits at a terminal sees how far it is; None takes the line away."""
        if self.terminal:
            now = self.samples[-1]
            text = "" if left_s is None else f"soak: {max(0, left_s):.0f} s to go, {len(self.launched)} launched, {now['handles']} handles, {now['threads']} threads"
            print(f"\r{text:<79}\r", end="", file=self.terminal, flush=True)

    # ------------------------------------------------------------------------------------------------------- the figures

    def sample(self, rpc):
        status = rpc.call("service.status")
        handles, threads = map(int, self.host.run("jobber", "handles", status["pid"], timeout=PATIENCE).stdout.split())
        figures = {"handles": handles, "threads": threads, "backlog": status["database"]["backlog"], "database": self.size("")}
        figures["wal"] = self.size("-wal")
        if not WINDOWS:
            figures |= self.of_linux(self.service.process.pid)
        self.samples.append(figures)

    def size(self, part):
        try:
            return os.path.getsize(str(self.service.database_file) + part)
        except FileNotFoundError:
            return 0

    def of_linux(self, pid):
        status = dict(line.split(":", 1) for line in open(f"/proc/{pid}/status", encoding="ascii", errors="replace"))
        return {"files": len(os.listdir(f"/proc/{pid}/fd")), "resident": int(status["VmRSS"].split()[0]) * 1024}

    def quarters(self, what):
        values = [sample[what] for sample in self.samples if what in sample]
        values = values[len(values) // 5:]
        quarter = max(1, len(values) // 4)
        return statistics.median(values[:quarter]), statistics.median(values[-quarter:]), max(values)

    def check_level(self):
        said, faults = [], []
        for what, (share, amount) in LEVEL.items():
            if what not in self.samples[0]:
                continue
            first, last, most = self.quarters(what)
            unit = MIB if what in ("resident", "wal") else 1
            said.append(f"{what} {first / unit:.4g} to {last / unit:.4g}, at most {most / unit:.4g}" + (" MiB" if unit == MIB else ""))
            if last > first * (1 + share) + amount:
                faults.append(f"{what}: {[sample[what] for sample in self.samples]}")
        said.append(f"database {self.samples[0]['database'] / MIB:.2g} to {self.samples[-1]['database'] / MIB:.2g} MiB")
        assert not faults, faults
        return said

    # --------------------------------------------------------------------------------------------------- nothing missing

    def settle(self, rpc):
        rpc.call("pool.terminate", pool="other")
        wait_until(lambda: not rpc.call("accounting.processes", ending="running")["processes"], "the processes to end", PATIENCE, 0.5)

    def rows(self, rpc):
        rows, after = [], 0
        while True:
            answer = rpc.call("accounting.processes", afterId=after, limit=1000)
            rows += answer["processes"]
            if not answer["more"]:
                return rows
            after = rows[-1]["id"]

    def check_rows(self, rpc):
        """Everything, because the service was there all the time: the trees have seven processes each. Where Wine failed to make a process
        there may have been one in the job for a moment, which the port told of and the accounts have."""
        listed = self.rows(rpc)
        rows = {(row["pid"], row["startTime"]): row for row in listed}
        assert len(rows) == len(listed), "a process stands in the accounts twice"
        for key, (pool, code) in self.launched.items():
            assert (rows[key]["pool"], rows[key]["exitCode"]) == (pool, code), rows[key]
        surplus = len(rows) - len(self.launched) - 6 * self.counts["tree"]
        assert 0 <= surplus <= self.unmade, f"{len(rows)} rows, {len(self.launched)} launched, {self.counts['tree']} trees, {self.unmade} not made"
        return len(rows)

    def check_events(self, rpc):
        seq, last = rpc.call("service.status")["database"]["committedSeq"], 0
        while last < seq:
            for event in rpc.call("events.query", fromSeq=last + 1, limit=1000)["events"]:
                assert event["seq"] == last + 1, f"after event {last} the database has {event}"
                last = event["seq"]
        return seq


@pytest.fixture
def host():
    host = Host(BUILD.parent / f"wine-soak-{os.getpid()}")
    yield host
    host.close()


def test_soak(host, tmp_path, capsys):
    service = ConsoleService(host, tmp_path / "service", {"pools": POOLS}, "jobpool-soak")
    service.start()
    soak = Soak(host, service)
    subscribers = [Subscriber(service, float("inf")), Subscriber(service, 15)]
    try:
        soak.work()
        with service.bridge() as rpc:
            processes = soak.check_rows(rpc)
            seq = soak.check_events(rpc)
        wait_until(lambda: all(one.fault or one.last >= seq for one in subscribers), "the subscribers to have read all", PATIENCE)
        for one in subscribers:
            one.enough = True
            one.join(PATIENCE)
            assert one.fault is None, one.fault
        said = soak.check_level()
        assert service.stop() == 0, service.stderr()
        with capsys.disabled():
            print(f"\nsoak of {SOAK_S} s: {processes} processes, {seq} events, {len(soak.samples)} samples", *said, sep="\n  ")
    finally:
        for one in subscribers:
            one.enough = True
        service.end()
        if not service.process or service.process.returncode:
            print("the log's end:", *service.log().splitlines()[-30:], sep="\n  ")
