"""Thousands of random operations and faults, after which the daemon's picture must equal the simulator's truth.

    JOBPOOL_SEED=4711 JOBPOOL_OPERATIONS=100000 ./dev test simd -- -k random      (or ./dev random 100000 4711)

What the daemon can know is defined here, strictly: a process that joined through the pipe, or that was alive when its messages
came or a list was read, has exactly one row, with the right pool, end and exit code. Only a child that was born and ended before
anybody could look (its messages lost, the service dead) may be missing."""
import collections
import os
import random

import pytest

from conftest import World
from harness.bridge import RpcError
from harness.simulated import OrderRefused

pytestmark = pytest.mark.threads

OPERATIONS = int(os.environ.get("JOBPOOL_OPERATIONS", "10000"))
SEED = int(os.environ.get("JOBPOOL_SEED") or 20261122)  # one that CI always runs; ./dev random takes others

NEW, EXIT, ABNORMAL = 6, 7, 8
EXITS = ("JOB_OBJECT_MSG_EXIT_PROCESS", "JOB_OBJECT_MSG_ABNORMAL_EXIT_PROCESS")
CRASHES = (0xC0000005, 0xC0000409, 0xC00000FD, 0xC0000374)
CODES = (0, 0, 0, 1, 2, 3, 255, 259, 1816, 0xFFFFFFFF, 0x40010004, 0xE06D7363, 0xC000013A) + CRASHES
CHECK_EVERY = max(1000, OPERATIONS // 20)  # a check reads all that was ever recorded
MAX_ALIVE = 60
USED = ("userTime100ns", "kernelTime100ns", "readBytes", "writeBytes", "otherBytes", "readOperations", "writeOperations", "otherOperations")
MAX_POOLS = 12


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


class Run:
    EPHEMERAL = 0.3  # of the pools that are made, so many go by themselves

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.pools = {name: Pool(name, None, True, {}) for name in ("one", "two")}
        self.world = World({"pools": {"one": {}, "two": {"limits": {"breakaway": "allow"}}}}, seed & 0xFFFFFFFF, start=False)
        self.machine = self.world.machine
        self.prepare()
        self.world.start()
        self.processes = {}        # (pid, start) -> Process
        self.living = {}           # pid -> Process
        self.keepers = set()
        self.counter = 0
        self.done = collections.Counter()  # to messages, and of deaths
        self.said = collections.deque(maxlen=int(os.environ.get("JOBPOOL_LAST", "60")))
        self.number = 0
        self.storm = False
        self.calm = True  # nothing has failed since the service started
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

    # -------------------------------------------------------------------------------------------------------- operations

    def create_pool(self):
        if len(self.pools) >= MAX_POOLS:
            return
        self.counter += 1
        name = f"p{self.counter}"
        parent = self.any_pool() if self.random.random() < 0.6 else None
        if parent and parent.depth > 4:
            parent = None
        persist = self.random.random() < 0.6
        spec = {"limits": self.some_limits()} | self.more_spec()
        if parent:
            spec["parent"] = parent.name
        if self.random.random() < 0.2:
            spec["on_service_stop"] = "terminate"
        if self.random.random() < self.EPHEMERAL:
            if self.call("pool.create", name=name, ephemeral=True, **spec):
                self.pools[name] = Pool(name, parent, not parent or parent.survives, spec, ephemeral=True)
        elif self.call("pool.create", name=name, persist=persist, **spec):
            self.pools[name] = Pool(name, parent, persist and (not parent or parent.survives), spec)

    def some_limits(self):
        limits = {}
        if self.random.random() < 0.3:
            limits["active_processes"] = self.random.randrange(1, 8)
        if self.random.random() < 0.3:
            limits["breakaway"] = self.random.choice(["none", "allow", "silent"])
        if self.random.random() < 0.15:
            limits["process_time"] = "5s"
        if self.random.random() < 0.1:
            limits["job_time"] = "30s"
        if self.random.random() < 0.2:
            limits["job_memory"] = "64MiB"
        return limits

    def update_pool(self):
        pool = self.any_pool()
        limits = self.some_limits()
        for key in ("active_processes", "breakaway", "process_time", "job_time", "job_memory"):
            if self.random.random() < 0.3:
                limits.setdefault(key, None)
        self.call("pool.update", pool=pool.name, limits=limits)

    def delete_pool(self):
        pool = self.any_pool()
        if pool.name in ("one", "two"):
            return
        terminate = self.random.random() < 0.5
        self.learn()
        if self.call("pool.delete", pool=pool.name, terminate=terminate):
            self.learn()
            self.pools.pop(pool.name, None)
            self.learn()

    def spawn_free(self):
        if len(self.living) < MAX_ALIVE:
            self.born(self.order("spawn", image="free.exe"), api=False)

    def spawn_child(self):
        parent = self.any_process()
        if parent and len(self.living) < MAX_ALIVE:
            self.born(self.order("spawn", parent=parent.pid, image="child.exe", breakaway=self.random.random() < 0.3,
                                 held=self.random.random() < 0.1), api=False)
            self.learn()

    def launch(self):
        if len(self.living) < MAX_ALIVE:
            pool = self.any_pool()
            process = self.born(self.call("pool.launch", pool=pool.name, argv=["launched.exe"]), api=True)
            if process:
                process.pools |= {at.name for at in pool.chain()}  # also if a limit ended it as it came
                process.home = pool.name
            self.learn()

    def assign(self):
        process = self.any_process()
        if process:
            pool = self.any_pool()
            self.learn()
            before = set(process.pools)
            if self.call("pool.assign", pool=pool.name, pid=process.pid,
                         **({"startTime": process.start} if self.random.random() < 0.5 else {})):
                process.api = process.seen = True  # also if a limit ended it as it came
                process.pools |= {at.name for at in pool.chain()}
                process.home = pool.name
            self.learn()
            process.unsure |= not process.alive and not process.api
            if process.pools != before:
                process.seen = True  # it may have got part of the way: then it is a member all the same

    def exit(self):
        process = self.any_process()
        if process:
            self.order("exit", pid=process.pid, code=self.random.choice(CODES))
            self.learn()

    def terminate_process(self):
        process = self.any_process()
        if process:
            self.call("process.terminate", pid=process.pid, startTime=process.start, exitCode=self.random.choice(CODES))
            self.learn()

    def kill_keeper(self):
        """The service hears of it, and starts another; nothing else happens before that has."""
        killed = self.machine.order("keepers")["keepers"]
        for keeper in killed:
            self.order("exit", pid=keeper["pid"], code=1)
            self.done["keepers killed"] += 1
        self.deliver()
        for _ in range(60 if killed and self.storm is False else 0):
            if self.machine.order("keepers")["keepers"]:
                break
            self.machine.advance(1000)

    def terminate_pool(self):
        self.call("pool.terminate", pool=self.any_pool().name, exitCode=self.random.randrange(1, 100))
        self.learn()

    def burn(self):
        process = self.any_process()
        if process:
            time = self.random.randrange(1, 30_000_000)
            if (self.order("burn", pid=process.pid, user100ns=time) or {}).get("burnt"):
                process.user += time
            self.learn()

    def use_memory(self):
        process = self.any_process()
        if process:
            size = self.random.randrange(1 << 24)
            if self.random.random() < 0.3:
                size = min(size, process.committed)
                self.order("decommit", pid=process.pid, bytes=size)
                process.committed -= size
            elif (self.order("commit", pid=process.pid, bytes=size) or {}).get("committed"):
                process.committed += size
            self.learn()

    def use_disk(self):
        process = self.any_process()
        if process:
            self.order("io", pid=process.pid, read=self.random.randrange(1 << 20), write=self.random.randrange(1 << 20))

    def deliver(self):
        """The messages come; some not, some twice, some in another order."""
        items = self.machine.order("queue")["items"]
        news = {item["pid"] for item in items if item["message"] == NEW}
        changed = []
        for item in items:
            chance = self.random.random()
            # Ends of watched processes (0) and notifications of limits (11) are promised.
            if item["message"] not in (0, 11) and chance < 0.05:
                self.done["lost"] += 1
                continue
            changed.append(item)
            if item["message"] not in (0, 11) and chance > 0.95:
                self.done["doubled"] += 1
                changed.append(item)
        if self.random.random() < 0.2 and len(changed) > 1:
            self.done["swapped"] += 1
            at = self.random.randrange(len(changed) - 1)
            changed[at], changed[at + 1] = changed[at + 1], changed[at]
        if changed != items:
            self.say(f"of {items} deliver {changed}")
            self.machine.order("queue_set", items=changed)
        kept = {item["pid"] for item in changed if item["message"] == NEW}
        self.done["delivered"] += len(changed)
        self.say(f"deliver {len(changed)}")
        self.machine.deliver()
        for pid in news & kept:
            # Of two that had the pid since the last time, nobody can say whose message it was.
            young = [process for key, process in self.processes.items() if key[0] == pid and process.round == self.round]
            if len(young) == 1 and young[0].alive:
                young[0].seen = True
        self.round += 1
        self.waited = 0

    def advance(self):
        ms = self.random.choice([1, 10, 100, 300, 1000, 1500])
        if self.waited + ms > 1500:  # ended members are remembered for two seconds: no message is later than that
            self.deliver()
        self.waited += ms
        self.say(f"advance {ms}")
        self.machine.advance(ms, deliver=False)
        self.learn()

    def begin_storm(self):
        self.storm = True
        self.calm = False
        self.learn()
        self.order("fail_often", operation=None, win32=self.random.choice([5, 8, 1450]), perMille=50)

    def end_storm(self):
        self.order("fail_often", operation=None, perMille=0)
        self.learn()
        self.storm = False

    def pids(self):
        self.order("reuse_pids", atOnce=self.random.random() < 0.5)

    def job_calls(self):
        """The job group: on pools, on jobs of one's own."""
        which = self.random.randrange(8)
        target = self.random.choice([*self.pools, *self.jobs])
        process = self.any_process()
        if which == 0:
            made = self.call("job.create", **({"name": f"Local\\r{self.counter}"} if self.random.random() < 0.5 else {}))
            if made:
                self.jobs[made["job"]] = set()
        elif which == 1 and self.jobs:
            handle = self.random.choice(list(self.jobs))
            if self.call("job.close", job=handle) is not None:
                del self.jobs[handle]
        elif which == 2 and process and self.jobs:
            handle = self.random.choice(list(self.jobs))
            self.call("job.assignProcess", job=handle, pid=process.pid)
        elif which == 3 and process:
            answer = self.call("job.isProcessInJob", pid=process.pid, job=target)
            if answer and target in self.pools and not self.storm:
                self.learn()
                assert answer["inJob"] == (target in process.pools and process.alive), (process, target)
        elif which in (4, 5):
            self.call("job.queryInformation", job=target, **{"class": self.random.choice([1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 28, 32, 33, 34])})
        elif which == 6:
            number = self.random.choice([2, 4, 6, 9])
            before = self.call("job.queryInformation", job=target, **{"class": number})
            if before and self.call("job.setInformation", job=target, info=before["info"], **{"class": number}) is not None:
                after = self.call("job.queryInformation", job=target, **{"class": number})
                assert after is None or after == before or self.storm, "setting what was queried changed it"
        elif which == 7 and self.jobs and self.random.random() < 0.3:
            self.call("job.terminate", job=self.random.choice(list(self.jobs)), exitCode=9)
        self.learn()

    # ------------------------------------------------------------------------------------------- the end of the service

    def down(self, crash):
        self.learn()
        self.done["crashes" if crash else "stops"] += 1
        if crash:
            self.say("crash")
            self.world.flush()
            for process in self.processes.values():
                # Whoever has ended and is not settled by now will be found gone.
                process.missed_ends += not process.alive and process.ended is None
            self.world.crash(settled=False)
        else:
            self.say("stop")
            self.world.stop()
        self.up = False
        self.went_down(crash)

    def went_down(self, crash):
        """What the end of the service means for processes and pools."""
        for process in self.processes.values():
            process.missed_ends += not process.alive and process.ended is None
        self.jobs = {}
        self.learn()
        gone = {name for name, pool in self.pools.items() if not pool.survives}
        self.pools = {name: pool for name, pool in self.pools.items() if pool.survives}
        for process in self.living.values():
            if process.home in gone:  # it goes on in the pools above that are left, or in none
                process.pools &= set(self.pools)
                process.home = self.deepest(process.pools) if process.pools else None
                process.abandoned |= not process.pools

    def restart(self):
        if self.storm:
            self.end_storm()  # a pool whose job cannot be opened at the start is told as failed: test_failures.py
        self.down(crash=self.random.random() < 0.7)
        for _ in range(self.random.randrange(6)):  # the machine goes on without us
            self.random.choice([self.exit, self.spawn_child, self.burn])()
        for process in self.processes.values():
            process.missed_ends += not process.alive and process.ended is None
        self.say("start")
        self.world.start()
        self.up = self.calm = True
        for pool in self.pools.values():
            pool.used |= pool.ephemeral  # nobody holds it any more
        self.learn()
        for process in self.living.values():
            process.seen |= bool(process.pools)  # the lists are read at start

    # --------------------------------------------------------------------------------------------------------- the checks

    def settle(self):
        """Faults stop, messages come, time passes: now the daemon can know all."""
        if self.storm:
            self.end_storm()
        self.say("settle")
        self.machine.deliver()
        self.machine.advance(65_000)
        self.machine.advance(65_000)
        self.learn()
        for process in self.processes.values():
            if process.alive:
                process.seen |= bool(process.pools)
            elif process.ended is None:
                process.ended = "settled"

    def used(self):
        """What the pools say that they have used: to the moment, though nobody is asked for it."""
        told = {name: self.world.rpc.call("pool.get", pool=name) for name in sorted(self.pools)}
        return {(name, part, key): pool[part][key] for name, pool in told.items() for part in ("usage", "counters") for key in USED if key in pool[part]}

    def work(self):
        """All processes do some: what all of them, and those of each pool, have used more than before."""
        done = collections.Counter()

        def did(process, key, amount):
            done.update({(name, "usage", key): amount for name in process.pools})
            done[process.home, "counters", key] += amount

        keepers = {row["pid"] for row in self.machine.order("keepers")["keepers"]}
        for process in [process for pid, process in self.living.items() if process.pools and pid not in keepers]:
            time, read, write = (self.random.randrange(1, 10_000) for _ in range(3))
            if (self.order("burn", pid=process.pid, user100ns=time) or {}).get("burnt"):
                process.user += time
                did(process, "userTime100ns", time)
            if self.order("io", pid=process.pid, read=read, write=write) is not None:  # the time may have been its last
                for key, amount in {"readBytes": read, "writeBytes": write, "readOperations": 1, "writeOperations": 1}.items():
                    did(process, key, amount)
        self.learn()
        return done

    def check_used(self):
        """It is told to the last bit though nobody has looked; then each member is asked, and that changes nothing. Not after a storm: one whom the service
        lost sight of in it, and found again, has told twice what it used."""
        if not self.calm:
            return
        before = self.used()
        done = self.work()
        after = self.used()
        wrong = {key: (before[key], done[key], after[key]) for key in before if before[key] + done[key] != after[key]}
        assert not wrong, f"before, done, after: {wrong}"
        for name in self.pools:
            self.world.rpc.call("pool.processes", pool=name, recursive=False)
        asked = self.used()
        assert asked == after, {key: (after[key], asked[key]) for key in after if after[key] != asked[key]}

    def check(self):
        self.settle()
        self.check_members()
        self.check_rows()
        self.check_events()
        self.check_used()

    def check_members(self):
        listed = {row["name"]: row for row in self.world.rpc.call("pool.list")["pools"]}
        assert set(listed) == set(self.pools), "pools"
        for pool in self.pools.values():
            empty = not listed[pool.name]["members"] and not any(child.parent is pool for child in self.pools.values())
            assert not (pool.ephemeral and pool.used and empty), f"{pool.name} should have gone"
        for name in self.pools:
            rows = self.world.rpc.call("pool.processes", pool=name, recursive=False)["processes"]
            truth = {process.pid for process in self.living.values() if process.home == name}
            either = {process.pid for process in self.living.values() if name in process.pools and self.entangled(process)}
            pids = sorted(row["pid"] for row in rows)
            assert sorted(set(pids) - either) == sorted(truth - either) and len(pids) == len(set(pids)), f"members of {name}: {rows}"
            assert listed[name]["members"] == len(pids)
            job = self.machine.order("job", name=self.object_name(name))
            counters = self.world.rpc.call("pool.get", pool=name)["jobCounters"]
            assert counters["activeProcesses"] == job["accounting"]["active"], f"{name}: {counters}, {job}"
            assert counters["totalProcesses"] == job["accounting"]["total"], f"{name}: {counters}, {job}"
            below = {pool.name for pool in self.pools.values() if self.pools[name] in pool.chain()}
            if not any(self.entangled(process) for process in self.living.values()):
                assert listed[name]["totalMembers"] == sum(process.home in below for process in self.living.values()), f"{name}: {listed[name]}, {job}"

    def all_rows(self):
        rows, after = [], 0
        while True:
            answer = self.world.rpc.call("accounting.processes", afterId=after, limit=1000)
            rows += answer["processes"]
            if not answer["more"]:
                return rows
            after = rows[-1]["id"]

    def check_rows(self):
        fates = {(row["pid"], row["startTime"]): row for row in self.machine.order("fates")["fates"]}
        exact, vague = collections.defaultdict(list), collections.defaultdict(list)
        for row in self.all_rows():
            if row["startTimeExact"]:
                exact[row["pid"], row["startTime"]].append(row)
            else:
                vague[row["pid"]].append(row)
        for key, rows in exact.items():
            process = self.processes.get(key)
            if process is None:  # a launch that failed after the process was made
                assert fates[key]["wasInJob"] and fates[key]["end"] == "terminated", rows
                continue
            # Out of every pool with one that did not outlive the service, and in another later: then it was a member twice.
            assert len(rows) == 1 or process.abandoned, f"{process} stands in the accounts {len(rows)} times"
            assert process.home is not None or process.abandoned or process.unsure, f"{process} was never in a pool, but is in the accounts: {rows[0]}"
            self.check_row(process, fates[key], rows[-1])
        for key, process in self.processes.items():
            if process.home is None or key in exact:
                continue
            if vague[process.pid]:
                vague[process.pid].pop(0)
            else:
                assert not process.seen, f"{process} is not in the accounts"
        # Who could not be opened is in the accounts without a start time; found again by a next service, it begins a second row.
        faulty = {process.pid for process in self.processes.values() if process.faulty}
        left = {pid: rows for pid, rows in vague.items() if rows and pid not in faulty}
        assert not left, f"rows of nobody: {left}"

    def check_row(self, process, fate, row):
        what = f"{process}, which {fate}, has the row {row}"
        if fate["end"] == "alive" and not process.abandoned:
            assert row["ending"] == "running" and row["ended"] is None, what
            assert row["pool"] == process.home or (row["pool"] in process.pools and self.entangled(process)), what
            return
        if fate["end"] == "alive" and row["ending"] == "running":
            return  # it found a pool again
        assert row["ending"] != "running" and row["ended"], what
        endings = {"exited": {"crashed" if fate["exitCode"] in CRASHES else "exited"}, "terminated": {"terminated"},
                   "job_ended": {"terminated", "exited"}, "job_closed": {"unknown", "exited"}, "alive": {"unknown"}}
        allowed = endings.get(fate["end"], {"exited", "terminated"})
        if process.missed_ends or process.faulty or process.abandoned:
            allowed = allowed | {"unknown"}
        if process.missed_ends:  # who ended it did not outlive the service; how it ended does, where somebody holds a handle
            allowed = allowed | {"crashed" if fate["exitCode"] in CRASHES else "exited"}
        if process.faulty:
            allowed = allowed | {"terminated"}  # a launch that could not be resumed, nor ended
        assert row["ending"] in allowed, what
        if row["exitCode"] is not None and fate["end"] != "alive":
            assert row["exitCode"] == fate["exitCode"], what
        if row["ending"] in ("exited", "crashed", "terminated") and not process.faulty and not process.missed_ends:
            assert row["exitCode"] is not None, what
            assert row["userTime100ns"] == process.user, what

    def check_events(self):
        told = collections.Counter()
        every = []
        seq = 1
        while True:
            answer = self.world.rpc.call("events.query", fromSeq=seq, limit=1000)
            every += answer["events"]
            for event in answer["events"]:
                assert event["seq"] >= seq
                seq = event["seq"] + 1
                if event["message"] == "JOB_OBJECT_MSG_NEW_PROCESS" or event["message"] in EXITS:
                    if "startTime" in event:
                        kind = "exit" if event["message"] in EXITS else "new"
                        told[event["pid"], event["startTime"], event["pool"], kind] += 1
            if not answer["more"]:
                break
        for (pid, start, pool, kind), count in told.items():
            most = 1 + (self.processes[pid, start].missed_ends if (pid, start) in self.processes else 0)
            assert count <= most, (f"process {pid} {start}: {kind} of pool {pool} was told {count} times: "
                                   f"{[event for event in every if (event.get('pid'), event.get('startTime')) == (pid, start)]}")

    # ------------------------------------------------------------------------------------------------------------ the run

    def run(self, operations):
        chances = [(self.create_pool, 4), (self.update_pool, 3), (self.delete_pool, 2), (self.spawn_free, 5), (self.spawn_child, 14),
                   (self.launch, 10), (self.assign, 10), (self.exit, 14), (self.terminate_process, 3), (self.terminate_pool, 1),
                   (self.burn, 6), (self.use_memory, 4), (self.use_disk, 2), (self.deliver, 16), (self.advance, 8),
                   (self.job_calls, 8), (self.pids, 1), (self.kill_keeper, 1), *self.more_acts()]
        acts, weights = zip(*chances)
        for self.number in range(1, operations + 1):
            chance = self.random.random()
            if chance < 0.004:
                self.restart()
            elif chance < 0.008:
                (self.end_storm if self.storm else self.begin_storm)()
            else:
                self.random.choices(acts, weights)[0]()
            if self.number % CHECK_EVERY == 0:
                self.check()
        self.check()

    def end(self):
        """In order; nothing is left behind, or the program says so."""
        print(f"{len(self.processes)} processes; messages and ends:", ", ".join(f"{count} {what}" for what, count in sorted(self.done.items())))
        self.world.stop()
        self.machine.close()

    def everything(self):
        """Which of two events of one moment comes first is not the seed's to say: the keeper's end is told by the port's own thread."""
        events = self.world.rpc.call("events.query", limit=10000, newest=True)["events"]
        for event in events:
            del event["seq"]
        return self.machine.order("fates")["fates"], self.all_rows(), sorted(events, key=lambda event: (event["time"], repr(sorted(event.items()))))


def test_random():
    play(Run(SEED))


def play(run, operations=OPERATIONS):
    print(f"JOBPOOL_SEED={SEED} {operations} operations")
    try:
        run.run(operations)
        run.end()
    except BaseException:
        print(f"seed {SEED}, operation {run.number}; the last ones:", *run.said, sep="\n  ")
        print("the log's end:", *run.machine.log().splitlines()[-int(os.environ.get("JOBPOOL_LAST", "20")):], sep="\n  ")
        print("standard error:", run.machine.stderr()[-6000:])
        raise
    finally:
        run.machine.kill()


def test_the_same_seed_gives_the_same_run():
    pictures = []
    for _ in range(2):
        run = Run(SEED)
        try:
            run.run(600)
            pictures.append(run.everything())
            run.end()
        finally:
            run.machine.kill()
    assert pictures[0] == pictures[1], f"seed {SEED}"
