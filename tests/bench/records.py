"""Events until they are durable, beside SQLite alone in a loop."""
import contextlib

from harness.host import PATIENCE_S
from measure import Figure, Pair, Section, run_native


def write_events(lab, how, count, batch):
    with lab.fresh() as folder:
        return run_native("store_bench", how, folder / "events.db", count, batch, timeout=PATIENCE_S + count / 100)


def pair(lab, count, batch):
    return Pair(f"store, {batch} event{'s' if batch > 1 else ''} a commit", [Figure("rate", "", "rows/s", "higher", 0.85 if batch > 1 else None)],
                lambda: write_events(lab, "store", count, batch), lambda: write_events(lab, "bare", count, batch))


@contextlib.contextmanager
def pairs(lab):
    yield [pair(lab, lab.of(200000), 1000), pair(lab, lab.of(2000), 1)]


SECTION = Section("records", pairs)
