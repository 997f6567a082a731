"""Starting processes: pool.launch and jobpool run, beside CreateProcessW."""
import contextlib

from harness.host import PATIENCE_S
from harness.service import ConsoleService
from measure import Figure, Pair, Section, run_wine

AT_ONCE = 16


def figures(reach):
    """From the asking to the end of the process, which does nothing: what a loop of launches takes. The call alone says less: when it returns, Wine's process has yet to load
    itself, and its parent's memory decides how long its making took."""
    return [Figure("end", "", "ms", "lower", reach), Figure("call", ", until it is answered", "ms", "lower")]


@contextlib.contextmanager
def pairs(lab):
    """A service with one pool, in a Wine of its own."""
    with lab.wine() as host, lab.fresh() as folder:
        service = ConsoleService(host, folder / "service", {"pools": {"bench": {}}}, "jobpool-bench-launch")

        def launches(kind, count, at_once=1):
            return run_wine(host, "launch_bench", "service", service.pipe, kind, count, at_once, timeout=PATIENCE_S + count * at_once)

        def creates(count, at_once=1):
            return run_wine(host, "launch_bench", "create", count, at_once, timeout=PATIENCE_S + count * at_once)

        def runs(count):
            """What the client itself costs is in both of its times: the difference is the run."""
            found = run_wine(host, "launch_bench", "run", service.pipe, host.program("jobpool"), count, timeout=PATIENCE_S + count)
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
