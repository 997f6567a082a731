"""What happens in a random run: what clients ask for, what processes do, which messages come and which calls fail, how the service ends and
begins."""
from random_truth import Pool, Truth

NEW = 6  # the message
CRASHES = (0xC0000005, 0xC0000409, 0xC00000FD, 0xC0000374)
CODES = (0, 0, 0, 1, 2, 3, 255, 259, 1816, 0xFFFFFFFF, 0x40010004, 0xE06D7363, 0xC000013A) + CRASHES
MAX_ALIVE = 60
MAX_POOLS = 12


class Acts(Truth):
    EPHEMERAL = 0.3  # of the pools that are made, so many go by themselves

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
            process.unsure |= not process.alive  # a limit of the first of several pools may have ended it: then it got to the next no more
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
