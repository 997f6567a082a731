"""As test_random.py, with what the service enforces itself: frozen pools, timeouts, memory policies, a machine that sleeps and whose
clock is set, and (by every other seed) a kernel that forgets the limits of jobs.

Beside what is checked there: every member is frozen once if a pool of its chain is, else not at all, and nobody was thawed whom
nobody had frozen; whoever the service ended has its reason in the events, one of them."""
import collections

import pytest

from random_run import SEED, Run, play, play_twice

pytestmark = pytest.mark.threads

REASONS = {"WALL_CLOCK_LIMIT", "IDLE_LIMIT", "MEMORY_POLICY_HARD", "JOB_OBJECT_MSG_END_OF_PROCESS_TIME", "JOB_OBJECT_MSG_PROCESS_MEMORY_LIMIT",
           "JOB_OBJECT_MSG_JOB_MEMORY_LIMIT", "JOB_OBJECT_MSG_ACTIVE_PROCESS_LIMIT"}


class PolicyRun(Run):
    stuck = frozenset()  # of whom nobody knows whether they are frozen
    thaws_at_random = False  # the service may have to let go of what it is not sure to have frozen

    def prepare(self):
        self.survivors = set()  # who lived over the end of a service
        self.frozen = {}  # own name of each frozen pool -> whether that outlives a crash
        self.forgetful = self.random.random() < 0.5
        if self.forgetful:
            self.machine.order("forget_limits")

    def more_spec(self):
        spec = {}
        if self.random.random() < 0.3:
            spec["timeouts"] = {self.random.choice(["wall_clock", "idle", "pool_wall_clock"]): self.random.choice(["2s", "20s", "10m"])}
            if self.random.random() < 0.3:
                spec["timeouts"]["asleep"] = True
        if self.random.random() < 0.3:
            spec["stop"] = {"grace": self.random.choice(["500ms", "3s"])}
        if self.random.random() < 0.2:
            spec["memory_policy"] = {"hard": "32MiB", "action": self.random.choice(["notify", "terminate_newest", "terminate_largest", "terminate_pool"])}
            if self.random.random() < 0.5:
                spec["memory_policy"]["hold"] = "2s"
        return spec

    def more_acts(self):
        return [(self.freeze, 4), (self.thaw, 4), (self.teach, 4), (self.sleep, 1), (self.set_clock, 1)]

    # -------------------------------------------------------------------------------------------------------- operations

    def freeze(self):
        pool, keep = self.any_pool().name, self.random.random() < 0.5
        if self.call("pool.freeze", pool=pool, keep=keep):
            assert self.frozen.get(pool) != keep, f"{pool} was frozen already"
            self.frozen[pool] = keep

    def thaw(self):
        pool = self.any_pool().name
        if self.call("pool.thaw", pool=pool):
            assert pool in self.frozen, f"{pool} was not frozen"
            del self.frozen[pool]

    def teach(self):
        """Some obey when they are asked to end, some do not listen."""
        process = self.any_process()
        if process:
            self.order("obeys", pid=process.pid, **self.random.choice([{}, {"afterMs": self.random.randrange(3000), "code": 7}]))

    def sleep(self):
        self.deliver()
        self.order("sleep", ms=self.random.choice([10, 1000, 3_600_000]))
        self.machine.advance(0, deliver=False)  # what is due by now

    def set_clock(self):
        self.order("shift_clock", ms=self.random.randrange(-5000, 5000))
        self.machine.advance(0, deliver=False)

    def went_down(self, crash):
        super().went_down(crash)
        self.survivors |= {(process.pid, process.start) for process in self.living.values()}
        self.frozen = {name: keep for name, keep in self.frozen.items() if name in self.pools and (keep or not crash)}

    def delete_pool(self):
        before = set(self.pools)
        super().delete_pool()
        for name in before - set(self.pools):
            self.frozen.pop(name, None)

    # --------------------------------------------------------------------------------------------------------- the checks

    def check(self):
        super().check()
        self.check_frozen()
        self.check_reasons()

    def check_frozen(self):
        for name, pool in self.pools.items():
            told = self.world.rpc.call("pool.get", pool=name)
            assert told["frozen"] == any(at.name in self.frozen for at in pool.chain()), f"{name}: {told}"
        faulty = any(process.faulty for process in self.processes.values())
        for row in self.machine.order("census", jobs=[])["living"]:
            process = self.living.get(row["pid"])
            if process is None or process.faulty or self.entangled(process) or process in self.stuck:  # None: a keeper
                continue
            chain = self.pools[process.home].chain() if process.home else []
            assert row["frozen"] == any(at.name in self.frozen for at in chain), f"{process} is frozen {row['frozen']} times; frozen pools: {self.frozen}"
        assert faulty or self.thaws_at_random or self.machine.order("now")["idleThaws"] == 0

    def check_reasons(self):
        reasons, seq = collections.defaultdict(list), 1
        while True:
            answer = self.world.rpc.call("events.query", fromSeq=seq, limit=1000)
            for event in answer["events"]:
                seq = event["seq"] + 1
                if event["message"] in REASONS and event["origin"] == "service" and "startTime" in event:
                    reasons[event["pid"], event["startTime"]].append(event)
            if not answer["more"]:
                break
        for key, events in reasons.items():
            process = self.processes.get(key)
            # One that was asked to end before a crash of the service may be told of again.
            assert len(events) == 1 or process is None or process.faulty or key in self.survivors, f"{process} was ended for {events}"


def test_random_policy():
    play(PolicyRun(SEED))


def test_random_policy_of_the_other_kind():
    play(PolicyRun(SEED + 1))


def test_the_same_seed_gives_the_same_run():
    """Who waits for the disk waits for real time: of that none may pass in between."""
    play_twice(PolicyRun, SEED)
