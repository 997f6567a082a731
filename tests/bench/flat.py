"""What a message, a request, a tick and a turn of the loop cost with many members and pools, beside the same with ten: instructions, counted by
callgrind, of pools and rpc natively over the simulated kernel, whose own cost is left out. They are the same each time, so one round is enough,
and where the program runs is of no matter."""
import contextlib
import functools

from harness import callgrind
from measure import Failed, Figure, Pair, Section, native

SMALLEST = (10, 10)
SIZES = [(1000, 10), (100000, 10), (1000, 1000), (10, 10000), (100000, 10000)]  # members, pools, in trees of ten
BELOW_ONE = (1000, 1000, "below-one")  # all others directly below the first
WHAT = {
    "messages": "a message",
    "ping": "service.ping",
    "status": "service.status",
    "process.get": "process.get",
    "pool.get": "pool.get",
    "pool.assign": "pool.assign",
    "no pool": "pool.get of none",
    "query": "events.query",
    "runs": "a run in a pool of its own",
    "ticks": "a tick, per member",
    "turns": "a turn of the loop with nothing due",
}


def count(lab, members, pools, *how):
    with lab.fresh() as folder:
        try:
            callgrind.run(folder, native("flat_bench"), members, pools, lab.of(50), *how, options=callgrind.COLLECT_BY_ORDER, timeout=1800)
        except callgrind.Failed as failed:
            raise Failed(str(failed)) from None
        return {phase: counts["instructions"] for phase, counts in callgrind.phases(folder).items()}


def figures():
    return [Figure(key, f", {what}", "instructions", "lower", 1.3) for key, what in WHAT.items()]


@contextlib.contextmanager
def pairs(lab):
    counted = functools.lru_cache(None)(functools.partial(count, lab))

    def pair(world, size):
        return Pair(f"flat, {size[0]} members in {size[1]} {world}", figures(), functools.partial(counted, *size), functools.partial(counted, *SMALLEST),
                    rounds=1, free=False)
    yield [*(pair("pools", size) for size in SIZES), pair("pools below one", BELOW_ONE)]


SECTION = Section("flat", pairs)
