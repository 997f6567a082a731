"""The service is killed with SIGKILL at random moments of a busy workload and started anew, again and again.

    JOBPOOL_CRASHES=1000 JOBPOOL_SEED=4711 ./dev test e2e -- -k test_crash

Every process of the workload keeps a log of its own (`jobber work`): who it is, in which pool it was started, with what code it will end,
when it began and ended. The accounts are held against these logs, and the service is believed in nothing.

What the service can know, strictly: a process that it launched and that ran, and one whose assignment it answered, has one row, always.
A member's child has one row if it was there at a time when it had to be seen: born while the service listened to its pool's messages, and
LATE seconds before a kill; or alive, while a service was there, for LIST_S seconds, in which a list is read. (Under Wine a job can be given
a port once: a service that finds the job again reads its list every half second.) The exit code is that of the log; it may be missing for
who ended while no service was there, or LATE seconds before a kill, when the message was on its way.

The moments are random, the decisions are of the seed: a failure prints it, and what happened around the process that it is about."""
import collections
import datetime
import os
import random
import sqlite3
import subprocess
import threading
import time

import pytest

from harness.bridge import RpcError
from harness.host import WINDOWS, wait_until

CRASHES = int(os.environ.get("JOBPOOL_CRASHES", "100"))
SEED = int(os.environ.get("JOBPOOL_SEED") or 20261122)
UP_S = (0.1, 3.0)  # so long it may live
LATE = 1.0
LIST_S = 1.2
TOLD_S = 10  # a message about a process comes so late at most, and its pid is not another's by then
PATIENCE = 120
HANGS_S = 20
MOST_HANGING = 3  # seen: one in about seven runs of a hundred kills

POOLS = {"keep": {}, "deep": {"parent": "keep"}, "side": {}, "reaped": {}}
REAPED = 77  # the code with which the workload ends processes of the pool "reaped"
SHAPES = [(0, 0, 0), (20, 0, 0), (150, 0, 0), (400, 0, 0), (1500, 0, 0), (4000, 0, 0), (30, 1, 2), (100, 2, 2), (1000, 2, 1), (2500, 1, 2)]  # ms, depth, width
LASTING = [(1000, 0, 0), (3000, 0, 0)]  # without children, who would not be members if they were born before the assignment
RESUMES = True  # a launch that a crash left suspended is ended, or let run
GONE = (ConnectionError, BrokenPipeError)
UNIX_100NS = 116444736000000000


def seconds(filetime):
    return (int(filetime) - UNIX_100NS) / 1e7


class Worker:
    """What a process wrote of itself."""

    def __init__(self, path):
        self.pid, self.start = map(int, path.stem.split("-"))
        self.key = (self.pid, str(self.start))
        self.born = seconds(self.start)
        words = path.read_text().split()
        self.complete = len(words) >= 8
        if self.complete:
            self.pool, self.code, self.parent = words[3], int(words[5]), int(words[7])
        self.ended = seconds(words[9]) if len(words) >= 10 else None

    def __repr__(self):
        ended = f"ended {self.ended:.3f}" if self.ended else "did not come to its end"
        return f"process {self.pid} {self.start} (pool {self.pool}, code {self.code}, child of {self.parent or 'nobody'}, born {self.born:.3f}, {ended})"


class Subscriber:
    """Reads every event, over all its connections."""

    def __init__(self):
        self.last = 0
        self.faults = []

    def read(self, bridge):
        bridge.call("events.subscribe", fromSeq=self.last + 1)
        while True:
            for event in bridge.events:
                if event["seq"] != self.last + 1:
                    self.faults.append(f"after event {self.last} came {event}")
                self.last = event["seq"]
            bridge.events.clear()
            message = bridge.receive()
            if message is None:
                return
            bridge.events.append(message["params"])


class Workload:
    def __init__(self, service, folder, seed):
        self.service, self.host, self.folder = service, service.host, folder
        self.random = random.Random(seed)
        self.assigned = {}            # (pid, start) -> pool, answered
        self.asked = set()            # to be assigned
        self.outside = []             # those that were started outside of all pools
        self.counts = collections.Counter()
        self.subscribers = [Subscriber(), Subscriber()]
        self.faults = []
        self.ups = []                 # (from, to, the pools that are listened to)
        self.downs = []               # (from, to), by the wall clock

    # ---------------------------------------------------------------------------------------------------- what is done

    def argv(self, pool, random_, shapes):
        lifetime, depth, width = random_.choice(shapes)
        return [self.host.program("jobber"), "work", self.host.path(self.folder), pool, str(random_.randrange(250)), str(lifetime), str(depth), str(width), "0"]

    def launch(self, rpc, random_):
        pool = random_.choice(["keep", "deep", "deep", "side", "reaped"])
        rpc.call("pool.launch", pool=pool, argv=self.argv(pool, random_, SHAPES))

    def assign(self, rpc, random_):
        pool = random_.choice(["keep", "deep", "side"])
        argv = self.argv(pool, random_, LASTING)
        process = self.host.start("jobber", *argv[1:], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.outside.append(process)
        line = process.stdout.readline().decode().split()
        if not line:  # Wine could not start it: nothing of ours
            self.counts["not started by Wine"] += 1
            return
        pid, start = line
        self.asked.add((int(pid), start))
        rpc.call("pool.assign", pool=pool, pid=int(pid), startTime=start)
        self.assigned[int(pid), start] = pool

    def reap(self, rpc, random_):
        members = rpc.call("pool.processes", pool="reaped")["processes"]
        if members and random_.random() < 0.7:
            row = random_.choice(members)
            rpc.call("process.terminate", pid=row["pid"], startTime=row["startTime"], exitCode=REAPED)
        else:
            rpc.call("pool.terminate", pool="reaped", exitCode=REAPED)

    def look(self, rpc, random_):
        method, params = random_.choice([("pool.processes", {"pool": "keep"}), ("accounting.summary", {}), ("events.query", {"limit": 100, "newest": True}), ("service.status", {})])
        rpc.call(method, **params)

    def work(self, seed):
        """One connection's life: until the service dies."""
        random_ = random.Random(seed)
        acts = random_.choices([self.launch, self.assign, self.reap, self.look], [10, 2, 2, 3], k=10000)
        try:
            with self.service.bridge() as rpc:
                for act in acts:
                    try:
                        act(rpc, random_)
                        self.counts[act.__name__] += 1
                    except RpcError as error:
                        self.refused(error)
        except GONE:
            pass
        except BaseException as fault:  # in a thread: told at the end
            self.faults.append(fault)

    def refused(self, error):
        """It has ended meanwhile; or Wine failed to make a process."""
        if error.name not in ("no_such_process", "unknown_process", "other_process", "pool_full") and error.data.get("win32") not in (5, 31, 87, 1359):
            raise error
        self.counts["refused"] += 1

    def read(self, subscriber):
        try:
            with self.service.bridge() as rpc:
                subscriber.read(rpc)
        except GONE:
            pass
        except BaseException as fault:
            self.faults.append(fault)

    # ---------------------------------------------------------------------------------------------------------- the run

    def threads(self):
        chosen = [threading.Thread(target=self.work, args=(self.random.getrandbits(32),), daemon=True) for _ in range(3)]
        chosen += [threading.Thread(target=self.read, args=(subscriber,), daemon=True) for subscriber in self.subscribers]
        for thread in chosen:
            thread.start()
        return chosen

    def listened_to(self):
        with self.service.bridge() as rpc:
            return {pool for pool in POOLS if rpc.call("pool.get", pool=pool)["listening"]}

    def live_once(self):
        up, listening = time.time(), self.listened_to()
        threads = self.threads()
        time.sleep(self.random.uniform(*UP_S))  # not to wait for something: the moment is to be any
        down = time.time()
        self.ups.append((up, down, listening))
        self.service.crash()
        for thread in threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a client waits for a service that is gone"
        assert not self.faults, self.faults
        self.come_up(down)

    def come_up(self, down):
        """Sometimes it is killed while it starts."""
        while self.random.random() < 0.15:
            self.service.launch()
            time.sleep(self.random.uniform(0, 0.8))
            self.service.crash()
            self.counts["killed at its start"] += 1
        self.service.start()
        self.downs.append((down, time.time()))

    def run(self, crashes):
        self.service.start()
        while len(self.downs) + self.counts["killed at its start"] < crashes:
            self.live_once()

    # -------------------------------------------------------------------------------------------------------- the checks

    def rows(self, rpc, **filters):
        rows, after = [], 0
        while True:
            answer = rpc.call("accounting.processes", afterId=after, limit=1000, **filters)
            rows += answer["processes"]
            if not answer["more"]:
                return rows
            after = rows[-1]["id"]

    def settle(self, rpc):
        self.ups.append((time.time(), time.time() + PATIENCE, self.listened_to()))
        for process in self.outside:
            process.wait(PATIENCE)
            process.stdout.close()
        wait_until(lambda: all(worker.ended or worker.pool == "reaped" for worker in self.workers()), "the processes to end", PATIENCE, 0.5)
        rpc.call("pool.terminate", pool="reaped", exitCode=REAPED)

        self.wait_for_ends(rpc)
        seq = rpc.call("service.status")["database"]["committedSeq"]
        subscribers = [threading.Thread(target=self.read, args=(subscriber,), daemon=True) for subscriber in self.subscribers]
        for thread in subscribers:
            thread.start()
        wait_until(lambda: all(subscriber.last >= seq for subscriber in self.subscribers), "the subscribers to have read all", PATIENCE)

    def wait_for_ends(self, rpc):
        """Of all but those that hang in their start (below), for whom it is waited long enough to tell that they do."""
        def running():
            return self.rows(rpc, ending="running")
        try:
            wait_until(lambda: not running(), "the ends to be accounted", HANGS_S, 0.5)
        except TimeoutError:
            wait_until(lambda: all(map(hangs, running())), "the ends to be accounted", PATIENCE, 0.5)
            self.counts["hang in their start"] = len(running())
            assert self.counts["hang in their start"] <= MOST_HANGING, running()

    def workers(self):
        """Of one that was ended before it had written who it is, nothing can be said."""
        return [worker for worker in map(Worker, self.folder.glob("*.log")) if worker.complete]

    def was_down(self, moment, late=LATE):
        """Whether there was no service, or there was none `late` seconds after."""
        return any(down - late <= moment <= up for down, up in self.downs)

    def had_to_be_seen(self, worker):
        if not worker.parent:
            return True  # launched, and it ran; or assigned
        for up, down, listening in self.ups:
            if worker.pool in listening and up <= worker.born <= down - LATE:
                return True
            if min(worker.ended or worker.born, down - LATE) - max(worker.born, up) >= LIST_S:
                return True
        return False

    def check(self, rows):
        exact, vague = collections.defaultdict(list), collections.defaultdict(list)
        for row in rows:
            if hangs(row):
                continue
            if row["startTimeExact"]:
                exact[row["pid"], row["startTime"]].append(row)
            else:
                vague[row["pid"]].append(row)
        for worker in self.workers():
            found = exact.pop(worker.key, []) or self.take_vague(worker, vague[worker.pid])
            assert len(found) <= 1, self.around(worker, f"stands in the accounts {len(found)} times: {found}")
            if worker.key in self.asked - set(self.assigned) and not found:
                continue
            self.counts["children that had to be seen"] += bool(worker.parent) and self.had_to_be_seen(worker)
            if found:
                self.check_row(worker, found[0])
            else:
                assert not self.had_to_be_seen(worker), self.around(worker, "is not in the accounts")
                self.counts["children that nobody can have seen"] += 1
        for row in [row for rows in [*exact.values(), *vague.values()] for row in rows]:
            self.check_silent(row)

    def take_vague(self, worker, rows):
        """It was gone before it could be opened: its row has the time at which the service heard of it. The pid may have been another's soon
        after."""
        near = [row for row in rows if row["pool"] == worker.pool and
                worker.born <= seconds_of(row["started"]) <= (worker.ended or worker.born) + TOLD_S]
        if not near:
            return []
        row = min(near, key=lambda row: row["started"])
        rows.remove(row)
        return [row]

    def check_silent(self, row):
        """A row of one who wrote nothing: a launch that was written down, and not let run before the service was killed; or it was ended
        before it could write."""
        assert row["pool"] == "reaped" or self.was_down(seconds_of(row["started"]), TOLD_S), f"seed {SEED}: a row of nobody: {row}"
        self.counts["never let run"] += 1
        assert row["ending"] != "running" or not RESUMES, f"seed {SEED}: was launched and never let run: {row}"

    def check_row(self, worker, row):
        reaped = worker.pool == "reaped"
        assert row["pool"] == worker.pool, self.around(worker, f"has the row {row}")
        assert row["ending"] != "running" and row["ended"], self.around(worker, f"has ended, and its row is open: {row}")
        assert worker.ended or reaped, self.around(worker, f"was harmed: {row}")
        if row["exitCode"] is None:
            ended = worker.ended or seconds_of(row["ended"])
            assert row["ending"] == "unknown" and (reaped or self.was_down(ended)), self.around(worker, f"ended before a service, and has the row {row}")
            self.counts["ended unseen"] += 1
            return
        assert row["exitCode"] in ((worker.code, REAPED) if reaped else (worker.code,)), self.around(worker, f"has the row {row}")
        self.counts["accounted with their code"] += 1

    def around(self, worker, what):
        near = [f"killed {down - worker.born:+.3f} s, up again {up - worker.born:+.3f} s after its birth" for down, up in self.downs if abs(down - worker.born) < 20]
        return f"{worker} {what}\n  seed {SEED}; " + "\n  ".join(near)


def hangs(row):
    """Wine: a process whose maker was killed in the midst of it may wait in its start for ever. It is in the job, no thread of it runs, and nobody can
    tell who it is; the accounts say that it is there, which is so."""
    return row["ending"] == "running" and not row["startTimeExact"] and row["image"] is None


def seconds_of(iso):
    return datetime.datetime.fromisoformat(iso[:26] + "+00:00").timestamp()


@pytest.mark.skipif(WINDOWS, reason="a process is killed by a signal")
def test_crash(console, tmp_path, capsys):
    folder = tmp_path / "logs"
    folder.mkdir()
    service = console({"pools": POOLS, "log": {"level": "debug"}})
    load = Workload(service, folder, SEED)
    try:
        load.run(CRASHES)
        with service.bridge() as rpc:
            load.settle(rpc)
            rows = load.rows(rpc)
            load.check(rows)
            assert not [subscriber.faults for subscriber in load.subscribers if subscriber.faults]
            for pool in POOLS:
                rpc.call("pool.terminate", pool=pool)
        assert service.stop() == 0, service.stderr()
        check_database(service, load.subscribers)
        said = ", ".join(f"{count} {what}" for what, count in sorted(load.counts.items()))
        with capsys.disabled():
            print(f"\n{CRASHES} times killed; {len(load.workers())} processes: {said}; {min(s.last for s in load.subscribers)} events")
        assert load.counts["accounted with their code"] > len(load.workers()) / 2 and load.counts["children that had to be seen"], "the workload was too short to show anything"
    except BaseException:
        print(f"seed {SEED}, {len(load.downs)} times down; {dict(load.counts)}")
        print("the log's end:", *service.log().splitlines()[-30:], sep="\n  ")
        raise


def check_database(service, subscribers):
    """As another program finds it."""
    database = sqlite3.connect(service.database_file)
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    count, first, last = database.execute("SELECT count(*), min(seq), max(seq) FROM events").fetchone()
    assert (first, last) == (1, count), "the events' numbers have no gap"
    assert all(subscriber.last <= last for subscriber in subscribers)
    assert database.execute("SELECT count(*) FROM processes GROUP BY pid, start_100ns ORDER BY 1 DESC LIMIT 1").fetchone() == (1,)
    # Of one that hangs in its start nobody has a handle: that it was ended with its pool, lists tell, after the time that there was until the stop.
    still = "SELECT pid, pool, image FROM processes WHERE ended_100ns IS NULL AND (start_exact OR image IS NOT NULL)"
    assert database.execute(still).fetchall() == []
    database.close()
