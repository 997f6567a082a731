"""Fixtures: programs that were run once and counted, and the table that their counts are held against."""
import functools
import json
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from bounds import Bounds  # noqa: E402
from harness import callgrind  # noqa: E402
from harness.host import ROOT  # noqa: E402
from harness.simulated import Machine  # noqa: E402

NATIVE = ROOT / "build" / "bench" / "tests"  # optimised as the service is, without sanitizers


def pytest_addoption(parser):
    parser.addoption("--renew", action="store_true", help="write what is measured, with its headroom, into tests/counts/bounds.txt")


def pytest_configure(config):
    config.stash[BOUNDS] = Bounds(renew=config.getoption("--renew"))


def pytest_sessionfinish(session):
    session.config.stash[BOUNDS].finish()


BOUNDS = pytest.StashKey()


@pytest.fixture
def bounds(pytestconfig):
    return pytestconfig.stash[BOUNDS]


@pytest.fixture(scope="session")
def flat(tmp_path_factory):
    """flat(members, pools, *how): what flat_bench counts there, {phase: {"instructions": ..., "allocations": ..., "calls": ...}}."""
    @functools.lru_cache(None)
    def run(members, pools, *how):
        folder = tmp_path_factory.mktemp("flat")
        callgrind.run(folder, NATIVE / "bench" / "flat_bench", members, pools, 30, *how, options=callgrind.COLLECT_BY_ORDER)
        return callgrind.phases(folder)
    return run


@pytest.fixture(scope="session")
def rows(tmp_path_factory):
    """rows(kind): what record_counts counts for each row of events or processes."""
    @functools.lru_cache(None)
    def run(kind, count=2000, batch=100):
        folder = tmp_path_factory.mktemp("rows")
        printed = json.loads(callgrind.run(folder, NATIVE / "counts" / "record_counts", kind, folder / "accounting.db", count, batch))
        counts = callgrind.phases(folder)["rows"]
        return counts | {"bytes": printed["bytes"] / count, "writes": printed["writes"] / printed["commits"]}
    return run


@pytest.fixture
def daemon():
    """daemon(config): the whole daemon on the simulated kernel, without sanitizers; closed at the test's end."""
    machines = []

    def start(config):
        machines.append(Machine(config, program=NATIVE / "sim" / "jobpoold-sim"))
        return machines[-1].start()

    yield start
    for machine in machines:
        machine.stop()
        machine.close()
