"""One look at all processes, beside the bare system call."""
import contextlib
import subprocess

from harness.host import PATIENCE_S
from measure import Failed, Figure, Pair, Section, figures_of, program

PROCESSES, POOLS = 200, 20


def time_ticks(bench, count):
    """Our side and the baseline: the program does one of each in turn."""
    with contextlib.suppress(BrokenPipeError):  # it has failed, and said why
        bench.stdin.write(f"{count}\n".encode())
        bench.stdin.flush()
    one = figures_of(bench.stdout.readline(), "tick_bench")
    return {"us": one["tick_us"]}, {"us": one["bare_us"]}


@contextlib.contextmanager
def pairs(lab):
    """Processes in pools, all in one Wine of their own; the program that has them says at its end whether ticks were due for nobody."""
    with lab.wine() as host:
        bench = host.start(program("tick_bench"), PROCESSES, POOLS, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            if bench.stdout.readline().strip() != b"ready":
                raise Failed("the processes in pools do not start")
            yield [Pair(f"tick, {PROCESSES} processes", [Figure("us", "", "us", "lower", 1.5)], both=lambda: time_ticks(bench, lab.of(200)))]
            bench.stdin.close()
            if bench.wait(PATIENCE_S):
                raise Failed("something was wrong with the ticks")
        finally:
            bench.kill()
            bench.wait(PATIENCE_S)


SECTION = Section("tick", pairs)
