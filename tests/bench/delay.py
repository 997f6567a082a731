"""From the end of a process to the subscriber's line, beside a wait on the process's handle."""
import contextlib

from harness.host import PATIENCE_S
from harness.service import ConsoleService
from measure import Figure, Pair, Section, run_wine

FLUSH_MS = 50  # the default of the configuration
ALLOWED_MS = 5


def pair(host, service, name, how, count, allowed_ms):
    """The bare wait and what may come on top of it, against the line."""
    def both():
        found = run_wine(host, "delay_bench", service.pipe, how, count, timeout=PATIENCE_S + count)
        return ({"p50": found["line_p50"], "p99": found["line_p99"]}, {"p50": found["wait_p50"] + allowed_ms, "p99": found["wait_p99"] + allowed_ms})
    return Pair(name, [Figure("p99", ", p99", "ms", "lower", 1), Figure("p50", ", median", "ms", "lower")], both=both)


@contextlib.contextmanager
def pairs(lab):
    with lab.wine() as host, lab.fresh() as folder:
        service = ConsoleService(host, folder / "service", {"pools": {"bench": {}}}, "jobpool-bench-delay")
        try:
            service.start()
            yield [pair(host, service, "an end told when it is on the disk", "durable", lab.of(120), FLUSH_MS + ALLOWED_MS),
                   pair(host, service, "an end told at once", "quick", lab.of(120), ALLOWED_MS)]
        finally:
            service.end()


SECTION = Section("delay", pairs)
