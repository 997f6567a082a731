"""The service while nothing happens: 100 pools with 1,000 members that sleep, and no pool of which samples are taken. What wakes one of its threads,
and what it takes of a processor, beside a bare program in the same Wine that waits for as many processes and jobs: what that one is woken by (Wine's
waits look at their handles now and then) is the host's."""
import contextlib
import time

from measure import Figure, Pair, Section
from watched import activity, bare, config_of, launch_members, service

POOLS, MEMBERS = 100, 1000
SECONDS = 60
QUIET_S = 135  # the lists are read twice after the last event, a minute after each other; then nothing is due for two minutes
ALLOWED = 0.0005  # of a processor: what is told as 0.0 %


def watch(running, beside, seconds):
    before, bare_before = activity(running.process), activity(beside)
    time.sleep(seconds)  # what is measured is that nothing happens
    after, bare_after = activity(running.process), activity(beside)
    wakes = (after[0] - before[0]) - (bare_after[0] - bare_before[0])
    return ({"wakes": max(0, wakes), "ms": (after[1] - before[1]) / 1e6},
            {"wakes": 0, "ms": seconds * 1000 * ALLOWED})


@contextlib.contextmanager
def pairs(lab):
    seconds, members = lab.of(SECONDS), min(MEMBERS, lab.of(MEMBERS))
    with contextlib.ExitStack() as stack:
        host, folder = stack.enter_context(lab.wine()), stack.enter_context(lab.fresh())

        def both():
            """Set up when it is wanted: it takes minutes."""
            running = stack.enter_context(service(host, folder, config_of(POOLS)))
            pids = launch_members(running, POOLS, members)
            beside = stack.enter_context(bare(host, POOLS, pids))
            time.sleep(QUIET_S)
            return watch(running, beside, seconds)
        yield [Pair(f"idle, {POOLS} pools, {members} members, {seconds} s", [Figure("wakes", ": wake-ups beyond the bare program's", "", "lower", 0),
                                                                            Figure("ms", ": CPU beside 0.05 %", "ms", "lower", 1)],
                    both=both, rounds=1, free=False)]


SECTION = Section("idle", pairs)
