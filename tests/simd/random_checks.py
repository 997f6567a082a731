"""What is checked in a random run when faults have stopped and time has passed: members, counters, rows, events and use are what the truth is."""
import collections

from random_acts import CRASHES
from random_truth import Truth

EXITS = ("JOB_OBJECT_MSG_EXIT_PROCESS", "JOB_OBJECT_MSG_ABNORMAL_EXIT_PROCESS")
USED = ("userTime100ns", "kernelTime100ns", "readBytes", "writeBytes", "otherBytes", "readOperations", "writeOperations", "otherOperations")


class Checks(Truth):
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
            assert process.home is not None or process.abandoned or process.unsure or self.mistakable(process), f"{process} was never in a pool, but is in the accounts: {rows[0]}"
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

    def mistakable(self, process):
        """When the messages about a member came, this one had its pid, and had ended as well: one that has ended is in no job, and cannot be asked whether it was."""
        others = [other for other in self.processes.values() if other is not process and other.pid == process.pid and other.round == process.round]
        return not process.alive and any(other.pools for other in others)

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
