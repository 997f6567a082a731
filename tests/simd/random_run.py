"""A random run from its beginning to its end: thousands of acts, some of them restarts and storms of faults, and checks between them."""
import os
import re

from random_acts import Acts
from random_checks import Checks

OPERATIONS = int(os.environ.get("JOBPOOL_OPERATIONS", "10000"))
SEED = int(os.environ.get("JOBPOOL_SEED") or 20261122)  # one that CI always runs; ./dev random takes others
CHECK_EVERY = max(1000, OPERATIONS // 20)  # a check reads all that was ever recorded


class Run(Acts, Checks):
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

    def check(self):
        self.settle()
        self.check_members()
        self.check_rows()
        self.check_events()
        self.check_used()

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


def play(run, operations=OPERATIONS):
    print(f"JOBPOOL_SEED={SEED} {operations} operations")
    try:
        run.run(operations)
        run.end()
    except BaseException as failure:
        last = int(os.environ.get("JOBPOOL_LAST", "60"))
        process = re.search(r"<(\d+) \d+ in ", str(failure))
        if process:
            print(f"of process {process[1]}:", *[line for line in run.said[:-last] if re.search(rf"\b{process[1]}\b", line)][-last:], sep="\n  ")
        print(f"seed {SEED}, operation {run.number}; the last ones:", *run.said[-last:], sep="\n  ")
        print("the log's end:", *run.machine.log().splitlines()[-last:], sep="\n  ")
        print("standard error:", run.machine.stderr()[-6000:])
        raise
    finally:
        run.machine.kill()


def play_twice(kind, seed, operations=600):
    """Else what has failed once, on some machine, is not to be had again."""
    said, pictures = [], []
    for _ in range(2):
        run = kind(seed)
        try:
            run.run(operations)
            said.append(run.said)
            pictures.append(run.everything())
            run.end()
        finally:
            run.machine.kill()
    assert said[0] == said[1] and pictures[0] == pictures[1], f"seed {seed}"
