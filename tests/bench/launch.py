"""Starting processes: pool.launch and jobpool run, beside CreateProcessW."""
import contextlib

from harness.host import PATIENCE_S
from harness.service import ConsoleService
from measure import Failed, Figure, Pair, Section, run_wine, say

AT_ONCE = 16
TRIES = 5


def measured(host, *arguments, timeout):
    """Where ./dev may not fix the layout of memory, Wine fails to make one process in thousands, whoever asks it to (1359, an internal error; for the
    program itself, nothing is said): then the measurement is made again."""
    for left in reversed(range(TRIES)):
        try:
            return run_wine(host, "launch_bench", *arguments, timeout=timeout)
        except Failed as failure:
            if not left or not ("1359" in str(failure) or str(failure).endswith(": ")):
                raise
            say(f"Wine failed to make a process; once more ({failure})")


def figures(reach):
    """From the asking to the end of the process, which does nothing: what a loop of launches takes. The call alone says less: when it returns, Wine's process has yet to load
    itself, which is most of it."""
    return [Figure("end", "", "ms", "lower", reach), Figure("call", ", until it is answered", "ms", "lower")]


@contextlib.contextmanager
def pairs(lab):
    """A service with one pool, in a Wine of its own."""
    with lab.wine() as host, lab.fresh() as folder:
        service = ConsoleService(host, folder / "service", {"pools": {"bench": {}}}, "jobpool-bench-launch")

        def launches(kind, count, at_once=1):
            return measured(host, "service", service.pipe, kind, count, at_once, timeout=PATIENCE_S + count * at_once)

        def creates(count, at_once=1):
            return measured(host, "create", count, at_once, timeout=PATIENCE_S + count * at_once)

        def runs(count):
            """What the client itself costs is in both of its times: the difference is the run."""
            found = measured(host, "run", service.pipe, host.program("jobpool"), count, timeout=PATIENCE_S + count)
            return ({"run": found["run"] - found["client"], "client": found["client"]}, {"run": found["create"], "client": found["hello"]})

        try:
            service.start()
            count, each = lab.of(60), lab.of(6)
            yield [
                Pair("launch, recorded first", figures(1.3), lambda: launches("durable", count), lambda: creates(count)),
                Pair("launch, not durable", figures(1.1), lambda: launches("quick", count), lambda: creates(count)),
                Pair("launch, 16 at once", [Figure("each", "", "ms each", "lower", 1.1)], lambda: launches("durable", each, AT_ONCE),
                     lambda: creates(each, AT_ONCE)),
                Pair("jobpool run", [Figure("run", "", "ms", "lower", 1.3), Figure("client", ", the client's own start", "ms", "lower")],
                     both=lambda: runs(count)),
            ]
        finally:
            service.end()


SECTION = Section("launch", pairs)
