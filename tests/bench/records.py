"""Records until they are durable, beside SQLite alone in a loop."""
import contextlib

from harness.host import PATIENCE_S
from measure import Figure, Pair, Section, run_native


def write(lab, how, what, count, batch):
    with lab.fresh() as folder:
        return run_native("store_bench", how, what, folder / "records.db", count, batch, timeout=PATIENCE_S + count / 100)


def pair(lab, name, what, count, batch, reach):
    return Pair(name, [Figure("rate", "", f"{what}/s", "higher", reach)],
                lambda: write(lab, "store", what, count, batch), lambda: write(lab, "bare", what, count, batch))


@contextlib.contextmanager
def pairs(lab):
    """One a commit is no batch: beside it stands mostly the way to the writer's thread and back, and how soon the disk says that it has written."""
    yield [pair(lab, "accounting, 1,000 events a commit", "events", lab.of(200000), 1000, 0.85),
           pair(lab, "accounting, 500 processes a commit", "processes", lab.of(20000), 500, 0.85),
           pair(lab, "accounting, 1 event a commit", "events", lab.of(2000), 1, None)]


SECTION = Section("records", pairs)
