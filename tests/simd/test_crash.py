"""The service is killed again and again, at random moments of a busy life, and started anew; the machine goes on. At the end every
process stands in the accounts exactly once, and subscribers have had every event exactly once.

    JOBPOOL_SEED=4711 JOBPOOL_SIM_CRASHES=100000 ./dev test simd -- -k test_crash

It is killed at once, or at one of the next writes to the disk: in the midst of a commit, of a checkpoint, of its own start or stop. Some
of these are power cuts: what was written and not synchronised is gone, block by block, while the processes go on. So what the service
has answered, or told a subscriber, must have been synchronised by then.

What the service can know is defined as in random_truth.py, and more strictly: what it saw counts only from when a query made sure that it
was written; what it answered to an assignment or a launch counts at once."""
import collections
import os
import sqlite3

import pytest

from harness.simulated import OrderRefused
from random_checks import EXITS
from random_run import SEED, play
from random_truth import Pool, Process
from test_random_policy import PolicyRun

pytestmark = pytest.mark.threads

CRASHES = int(os.environ.get("JOBPOOL_SIM_CRASHES", "1000"))
CHECK_EVERY = max(50, CRASHES // 10)
WRITES = (1, 3, 8, 20, 60)  # it dies within so many
PATIENCE = 12               # operations: then it is killed at once

NAMES_DIE = not os.environ.get("JOBPOOL_NAMES_STAY")  # as on Windows, where the keeper must hold them
FREEZES_SURELY = True  # nobody is suspended before it is written that the pool is frozen, and that it is a member

# What a client meets when the service dies. A time-out is no death.
DEAD = (ConnectionError, FileNotFoundError)


class Subscriber:
    """Reads all events, over all its connections."""

    def __init__(self):
        self.last = 0
        self.client = None

    def connect(self, machine):
        self.client = machine.client()
        self.client.call("events.subscribe", fromSeq=self.last + 1)

    def take(self):
        for event in self.client.events:
            assert event["seq"] == self.last + 1, f"after event {self.last} a subscriber got {event}"
            self.last = event["seq"]
        self.client.events.clear()

    def catch_up(self, seq):
        self.take()
        while self.last < seq:
            self.client.take()
            self.take()

    def drain(self):
        """What was on its way when the service died."""
        try:
            while self.client:
                self.client.take()
        except DEAD:
            self.take()
        self.client = None


class CrashRun(PolicyRun):
    EPHEMERAL = 0  # when one of them goes cannot be asked of a service that is dead; test_ephemeral.py has their restarts
    thaws_at_random = True  # a crash may have come between freezing, or letting go, and writing that down

    def prepare(self):
        super().prepare()
        self.stuck = set()      # suspended, and whether for good nobody can know
        if NAMES_DIE:
            self.machine.order("names_die")
        self.subscribers = [Subscriber(), Subscriber()]
        self.crashes = collections.Counter()  # by kind
        self.armed = None       # how it is about to die
        self.patience = 0
        self.shapes = {}        # pools that were being made or deleted: whether they are there is known after the next start
        self.maybe_frozen = set()  # pools of which only the next start says whether they are
        self.loose = set()      # pools whose freezing nobody has answered
        self.proven = set()     # processes that the service has seen, and has on the disk
        self.homes = collections.defaultdict(set)  # where a process may stand, after what no query has confirmed
        self.told = collections.Counter()
        self.checked_seq = 0
        self.fate_count = 0

    def more_spec(self):
        return {}

    def more_acts(self):
        return [(self.freeze, 3), (self.thaw, 3), (self.teach, 1), (self.flush, 8), (self.follow, 4), (self.kill_keeper, 1)]

    # ------------------------------------------------------------------------------------- what is answered, what is written

    def call(self, method, **params):
        if method == "pool.create":
            parent = self.pools.get(params.get("parent"))
            self.shapes[params["name"]] = Pool(params["name"], parent, params["persist"] and (not parent or parent.survives), params)
        elif method == "pool.delete":
            self.shapes[params["pool"]] = self.pools[params["pool"]]
            self.loose.add(params["pool"])
        elif method in ("pool.freeze", "pool.thaw"):
            self.loose.add(params["pool"])
        try:
            answer = super().call(method, **params)
        except DEAD:
            if method == "pool.assign":
                self.living[params["pid"]].unsure = True  # it may have got so far
            raise
        self.shapes.pop(params.get("name") or params.get("pool"), None)  # what is answered is on the disk
        self.loose.discard(params.get("pool"))
        return answer

    def flush(self):
        """Now all that was seen is on the disk."""
        self.call("events.query", limit=1)
        self.proven = {key for key, process in self.processes.items() if process.seen}
        for process in self.living.values():
            self.homes.pop((process.pid, process.start), None)
        self.shapes.clear()
        self.loose.clear()

    def kill_keeper(self):
        """Keeper and service do not die at one moment: then names are gone, where they go with the last handle."""
        if not self.armed:
            super().kill_keeper()

    def follow(self):
        """Subscribers get what is committed by now."""
        seq = self.call("service.status")["database"]["committedSeq"]
        for subscriber in self.subscribers:
            subscriber.catch_up(seq)

    def learn(self):
        before = {(process.pid, process.start): process.home for process in self.living.values()}
        super().learn()
        self.note_homes(before)

    def learn_of_all(self):
        """Of those, too, who came and went while a call that nobody answered was on its way."""
        self.learn()
        fates = self.machine.order("fates", **{"from": self.fate_count})["fates"]
        self.fate_count += len(fates)
        for fate in fates:
            key = (fate["pid"], fate["startTime"])
            if key not in self.processes:
                process = self.processes[key] = Process(*key, api=False, round_=self.round)
                process.alive, process.unsure, process.missed_ends = False, True, 1

    # ----------------------------------------------------------------------------------------------------------- dying

    def arm(self, kind, most=WRITES):
        power_cut = self.random.random() < 0.4
        self.armed = kind + (", power cut" if power_cut else "")
        self.patience = PATIENCE
        self.order("die_at_write", writes=self.random.randint(1, self.random.choice(most)), powerCut=power_cut, seed=self.random.getrandbits(60))

    def end_somehow(self):
        chance = self.random.random()
        if chance < 0.6:
            self.arm("at a write")
        elif chance < 0.85:
            self.bury("at once")
        else:
            self.stop_in_order()

    def stop_in_order(self):
        """Or nearly."""
        if self.random.random() < 0.6:
            self.arm("while it stopped", (1, 4, 16))
        self.say("stop")
        killed = self.machine.order("stop").get("killed", False)
        if killed:
            self.crashes[self.armed] += 1
        else:
            self.proven = {key for key, process in self.processes.items() if process.seen}
        self.armed = None
        self.revive(killed)

    def bury(self, kind):
        """It is dead, or dies now."""
        self.crashes[kind] += 1
        self.say(f"died: {kind}")
        self.machine.order("crash")
        self.armed = None
        self.revive()

    def has_died(self, end):
        return self.armed and (isinstance(end, DEAD) or "killed" in end.answer or "has ended" in end.answer["error"])

    def revive(self, crash=True):
        """The machine goes on without the service, which is started until it stays."""
        while True:
            self.go_on_without(crash)
            try:
                return self.come_up()
            except DEAD + (OrderRefused,) as end:
                if not self.has_died(end):
                    raise
                self.crashes[self.armed] += 1
                self.say(f"died: {self.armed}")
                if isinstance(end, DEAD) or "killed" not in end.answer:
                    self.machine.order("crash")
                self.armed, crash = None, True

    def go_on_without(self, crash):
        for subscriber in self.subscribers:
            subscriber.drain()
        self.machine.drop_clients()
        for key, process in self.processes.items():
            process.seen &= process.api or key in self.proven
        self.learn_of_all()
        homes = {(process.pid, process.start): process.home for process in self.living.values()}
        if not FREEZES_SURELY:
            for process in self.living.values():
                above, key = self.names_above(process), (process.pid, process.start)
                if self.loose & above or (set(self.frozen) & above and (key not in self.proven or key in self.homes)):
                    self.stuck.add(process)
        # Killed at its start or stop, it may have left in order by what the database says.
        self.maybe_frozen |= {name for name, keep in self.frozen.items() if not keep}
        left = {process for process in self.living.values() if process.abandoned}
        self.went_down(crash)
        self.note_homes(homes)
        for process in {process for process in self.living.values() if process.abandoned} - left:
            if self.waits_to_begin(process):  # launched into a pool that is gone now, and not on record yet: nobody knows of it, to let it run
                self.stuck.add(process)
        for _ in range(self.random.randrange(5)):
            self.random.choice([self.exit, self.spawn_child, self.burn])()
        for process in self.processes.values():
            process.missed_ends += not process.alive and process.ended is None

    def come_up(self):
        if self.random.random() < 0.25:
            self.arm("while it started", (1, 4, 16, 60))
        self.say("start")
        self.world.start()
        self.learn()
        self.resolve({row["name"]: row for row in self.call("pool.list")["pools"]})
        for process in self.living.values():
            process.seen |= bool(process.pools)  # the lists are read at start
        self.maybe_frozen.clear()
        for subscriber in self.subscribers:
            subscriber.connect(self.machine)

    def resolve(self, listed):
        """What no query had confirmed is so, or is not."""
        for name, shape in self.shapes.items():
            if name in listed:
                self.pools.setdefault(name, shape)
            else:
                self.pools.pop(name, None)
        assert set(listed) == set(self.pools), "pools after a start"
        homes = {}
        for key, process in self.processes.items():
            if process.alive and process.home is not None and process.home not in self.pools:
                homes[key] = process.home
                process.pools &= set(self.pools)
                process.home = self.deepest(process.pools) if process.pools else None
                process.abandoned |= not process.pools
        self.note_homes(homes)
        for name in (self.loose | self.maybe_frozen) & set(self.pools):
            self.frozen.pop(name, None)
            told = self.call("pool.get", pool=name)
            if told["frozen"] and told["frozenBy"] is None:
                self.frozen[name] = told["keepFrozen"]

    def names_above(self, process):
        return {pool.name for pool in self.pools[process.home].chain()} if process.home in self.pools else set()

    def note_homes(self, before):
        for key, home in before.items():
            if self.processes[key].home != home:
                self.homes[key] |= {home, self.processes[key].home}

    # --------------------------------------------------------------------------------------------------------- the checks

    def check(self):
        self.flush()
        super().check()
        self.flush()
        self.follow()
        self.check_running()

    def check_row(self, process, fate, row):
        super().check_row(process, fate, row)
        if fate["end"] != "alive" and not (process.unsure or process.abandoned or process.faulty):
            allowed = {process.home} | self.homes[process.pid, process.start]
            assert row["pool"] in allowed or row["pool"] in process.pools and self.entangled(process), f"{process} of {allowed} has the row {row}"

    def check_events(self):
        while True:
            answer = self.world.rpc.call("events.query", fromSeq=self.checked_seq + 1, limit=1000)
            for event in answer["events"]:
                assert event["seq"] == self.checked_seq + 1, f"after event {self.checked_seq} the database has {event}"
                self.checked_seq = event["seq"]
                if "startTime" in event and (event["message"] == "JOB_OBJECT_MSG_NEW_PROCESS" or event["message"] in EXITS):
                    self.told[event["pid"], event["startTime"], event["pool"], event["message"] in EXITS] += 1
            if not answer["more"]:
                break
        for (pid, start, pool, is_end), count in self.told.items():
            process = self.processes.get((pid, start))
            most = 1 + (process.missed_ends if process else 0)
            assert count <= most, f"{process}: its {'end' if is_end else 'beginning'} in pool {pool} was told {count} times"

    def check_running(self):
        """A launch that a crash cut off is let run, or ended."""
        for process in self.living.values():
            if process.pools and process not in self.stuck:
                assert not self.waits_to_begin(process), f"{process} was launched and never let run"

    def waits_to_begin(self, process):
        state = self.machine.order("process", pid=process.pid)
        return state["suspended"] and not state["frozen"]

    def check_file(self):
        """As another program finds it, when the service has stopped in order."""
        database = sqlite3.connect(self.machine.folder / "accounting.db")
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        count, first, last = database.execute("SELECT count(*), min(seq), max(seq) FROM events").fetchone()
        assert (first, last) == (1, count), "the events' numbers have no gap"
        database.close()

    # ------------------------------------------------------------------------------------------------------------ the run

    def run(self, crashes):
        chances = [(self.create_pool, 4), (self.update_pool, 2), (self.delete_pool, 3), (self.spawn_free, 5), (self.spawn_child, 14),
                   (self.launch, 14), (self.assign, 12), (self.exit, 14), (self.terminate_process, 3), (self.terminate_pool, 1),
                   (self.burn, 4), (self.use_disk, 2), (self.deliver, 16), (self.advance, 6), (self.pids, 1), *self.more_acts()]
        acts, weights = zip(*chances)
        checked = 0
        for subscriber in self.subscribers:
            subscriber.connect(self.machine)
        while self.crashes.total() < crashes:
            self.number += 1
            try:
                if self.armed and self.patience == 0:
                    self.bury("at once")
                elif not self.armed and self.crashes.total() >= checked + CHECK_EVERY:
                    checked = self.crashes.total()
                    self.check()
                elif not self.armed and self.random.random() < 0.1:
                    self.end_somehow()
                else:
                    self.patience -= bool(self.armed)
                    self.random.choices(acts, weights)[0]()
            except DEAD + (OrderRefused,) as end:
                if not self.has_died(end):
                    raise
                self.bury(self.armed)
        while self.armed:
            self.bury("at once")
        self.check()

    def end(self):
        self.machine.drop_clients()
        self.world.stop()
        self.check_file()
        print(f"{self.crashes.total()} times killed: " + ", ".join(f"{count} {kind}" for kind, count in sorted(self.crashes.items())) +
              f"; {len(self.processes)} processes, {self.checked_seq} events; {self.done['lost']} messages lost, {self.done['doubled']} doubled")
        self.machine.close()


def test_crash():
    play(CrashRun(SEED), CRASHES)
