"""What a random run knows: the pools and processes of its machine, and what has become of them, by what it did itself and by what the
kernel says.

What the daemon can know is defined here, strictly: a process that joined through the pipe, or that was alive when its messages
came or a list was read, has exactly one row, with the right pool, end and exit code. Only a child that was born and ended before
anybody could look (its messages lost, the service dead) may be missing."""
import collections
import random

from conftest import World
from harness.bridge import RpcError
from harness.simulated import OrderRefused


class Process:
    def __init__(self, pid, start, api, round_):
        self.pid, self.start = pid, start
        self.round = round_       # of deliveries, at its birth
        self.api = api            # joined through the pipe: nobody can have missed it
        self.pools = set()        # names of the pools whose jobs it is in
        self.home = None          # the deepest of them
        self.seen = api           # was alive when the daemon could look
        self.missed_ends = 0      # how often it had ended while no service was there, or before what it knew was on disk
        self.abandoned = False    # its pool did not outlive the service
        self.unsure = False       # was ended on its way in, by a limit of a pool that it had got to
        self.faulty = False       # calls failed while it lived
        self.user = 0             # 100 ns burnt
        self.committed = 0        # bytes
        self.ended = None         # how, by our own doing
        self.alive = True

    def __repr__(self):
        return f"<{self.pid} {self.start} in {sorted(self.pools)}{'' if self.alive else ' ended'}>"


class Pool:
    def __init__(self, name, parent, survives, spec, ephemeral=False):
        self.name, self.parent, self.survives, self.spec, self.ephemeral = name, parent, survives, spec, ephemeral
        self.used = False         # a process was in it
        self.depth = parent.depth + 1 if parent else 0

    def chain(self):
        return ([*self.parent.chain()] if self.parent else []) + [self]


class Truth:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.pools = {name: Pool(name, None, True, {}) for name in ("one", "two")}
        self.world = World({"pools": {"one": {}, "two": {"limits": {"breakaway": "allow"}}}}, seed & 0xFFFFFFFF, start=False)
        self.machine = self.world.machine
        self.machine.order("in_step")  # a seed is one run, on a busy machine too
        self.prepare()
        self.world.start()
        self.processes = {}        # (pid, start) -> Process
        self.living = {}           # pid -> Process
        self.keepers = set()
        self.counter = 0
        self.done = collections.Counter()  # to messages, and of deaths
        self.said = []
        self.number = 0
        self.storm = False
        self.calm = True           # nothing has failed since the service started
        self.jobs = {}             # connection-scoped handle -> pids assigned
        self.up = True             # the service
        self.round = 0             # of deliveries
        self.waited = 0            # ms since the last one

    def prepare(self):
        """The machine, before the service starts. As the next two: for runs that do more, see test_random_policy.py."""

    def more_spec(self):
        return {}

    def more_acts(self):
        return []

    # ------------------------------------------------------------------------------------------------------------- helpers

    def say(self, text):
        self.said.append(f"{self.number}: {text}")

    def call(self, method, **params):
        """The result, or None for a refusal (which is as good an answer as another, but never an internal error)."""
        self.said.append(f"{self.number}: {method} {params}")
        try:
            return self.world.rpc.call(method, **params)
        except RpcError as error:
            self.said.append(f"{self.number}:   {error}")
            assert error.name != "internal_error", error
            return None

    def order(self, what, **arguments):
        self.said.append(f"{self.number}: {what} {arguments}")
        try:
            return self.machine.order(what, **arguments)
        except OrderRefused as refusal:
            self.said.append(f"{self.number}:   {refusal}")
            return None

    def any_pool(self):
        return self.random.choice(list(self.pools.values())) if self.pools else None

    def any_process(self, member=None):
        keepers = {row["pid"] for row in self.machine.order("keepers")["keepers"]}  # one may have the pid of who has just ended
        chosen = [process for pid, process in self.living.items() if pid not in keepers and (member is None or bool(process.pools) == member)]
        return self.random.choice(chosen) if chosen else None

    def object_name(self, pool):
        return "Global\\JobPool." + ("~" if self.pools[pool].ephemeral else "") + pool

    # --------------------------------------------------------------------------------------------------------- the truth

    def learn(self):
        """What the kernel says has happened to processes since last time, and whose jobs the living are in."""
        self.see_off()
        answer = self.machine.order("census", jobs=[self.object_name(name) for name in self.pools])
        living = {(row["pid"], row["startTime"]): row for row in answer["living"]}
        for process in list(self.living.values()):
            key = (process.pid, process.start)
            if key not in living:
                process.alive = False
                del self.living[process.pid]
        for key, row in living.items():
            process = self.processes.get(key)
            if process is None and self.is_keeper(key):
                continue
            if process is None:
                process = self.processes[key] = Process(*key, api=False, round_=self.round)
            process.faulty |= self.storm
            self.living[key[0]] = process
            inside = {name for name, is_in in zip(self.pools, row["in"]) if is_in}
            if inside:
                process.pools |= inside
                process.home = self.deepest(inside)
                self.pools[process.home].used = True

    def see_off(self):
        """The ephemeral pools that have gone by themselves: only one that nobody is in, nor below it."""
        if not self.up or not any(pool.ephemeral for pool in self.pools.values()):
            return
        listed = {row["name"] for row in self.world.rpc.call("pool.list")["pools"]}
        gone = [pool for pool in self.pools.values() if pool.ephemeral and pool.name not in listed]
        if not gone:
            return
        left = {name: pool for name, pool in self.pools.items() if pool not in gone}
        jobs = [self.object_name(pool.name) for pool in gone]
        for row in self.machine.order("census", jobs=jobs)["living"]:
            assert not any(row["in"]), f"{row} is in a pool that has gone: {jobs}"
        assert not [pool for pool in left.values() if pool.parent in gone], "a pool went before those below it"
        self.done["ephemeral pools gone"] += len(gone)
        self.pools = left

    def is_keeper(self, key):
        """The service's own: nobody ends it here but kill_keeper."""
        if key not in self.keepers:
            self.keepers |= {(row["pid"], row["startTime"]) for row in self.machine.order("keepers")["keepers"]}
        return key in self.keepers

    def deepest(self, names):
        return max(names, key=lambda name: (self.pools[name].depth, name))

    def entangled(self, process):
        """In pools that are not below each other: a child that was assigned before anybody knew that it was a member, because a call
        failed. The kernel lets it; the service knows it in the one or in the other."""
        chain = {pool.name for pool in self.pools[process.home].chain()} if process.home in self.pools else process.pools
        return bool(process.pools & set(self.pools) - chain)

    def born(self, answer, api):
        if answer is None:
            return None
        key = (answer["pid"], answer["startTime"])
        process = self.processes.setdefault(key, Process(*key, api=api, round_=self.round))
        process.api |= api
        process.seen |= api
        process.faulty |= self.storm
        self.living[process.pid] = process
        return process
