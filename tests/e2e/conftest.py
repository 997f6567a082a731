"""Fixtures: one installed service that most tests share, each in pools of its own, and services in console mode for those
that break things."""
import itertools
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.host import BUILD, PROGRAMS, Host, wait_until  # noqa: E402
from harness.markers import pytest_collection_modifyitems, register  # noqa: E402,F401
from harness.service import ConsoleService, InstalledService  # noqa: E402

# The pools of the shared service. Tests that need other settings make transient pools.
POOLS = {
    "parent": {"description": "has children"},
    "child": {"parent": "parent"},
    "other": {"parent": "parent", "limits": {"active_processes": 2}},
    "single": {"description": "takes one process", "limits": {"active_processes": 1}},
}

counter = itertools.count(1)


def pytest_configure(config):
    register(config)
    config.addinivalue_line("markers", "shows(name, ...): what of job objects the test shows, for docs/win32job.md")


@pytest.fixture(scope="session")
def host():
    missing = [str(path) for path in PROGRAMS.values() if not path.exists()]
    if missing:
        pytest.exit(f"not built: {', '.join(missing)}; run the tests by ./dev test", returncode=2)
    host = Host(BUILD.parent / f"wine-e2e-{os.getpid()}")
    yield host
    host.close()


@pytest.fixture(scope="session")
def service(host):
    """The installed service. Program and configuration lie in folders with spaces, as on most machines."""
    program = host.drive_c / "Program Files" / "Job Pool" / "jobpoold.exe"
    program.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(PROGRAMS["jobpoold"], program)
    service = InstalledService(host, host.drive_c / "ProgramData" / "Job Pool", {"pools": POOLS, "log": {"level": "debug"}}, program)
    service.install()
    service.start()
    yield service
    service.remove()


@pytest.fixture
def rpc(service):
    with service.bridge() as bridge:
        yield bridge


@pytest.fixture
def pool(service, rpc):
    """The name of a pool that nobody else uses."""
    name = f"test-{next(counter)}"
    rpc.call("pool.create", name=name)
    yield name
    service.jobpool("delete", name, "--terminate")  # unless the test did that; the test's own connection may be gone


@pytest.fixture
def console(host, tmp_path):
    """Makes services in console mode: console(config) -> ConsoleService, not started yet."""
    made = []

    def make(config=None):
        number = next(counter)
        service = ConsoleService(host, tmp_path / f"service-{number}", {"pools": {}} if config is None else config, f"jobpool-test-{number}")
        made.append(service)
        return service

    yield make
    for service in made:
        service.end()


class Held:
    """A process that somebody else started, and that lives until it is let go."""

    def __init__(self, host):
        self.process = host.start("jobber", "hold", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        pid, start = self.process.stdout.readline().split()
        self.pid = int(pid)
        self.start_time = start.decode()

    def let_go(self):
        self.process.stdin.close()
        return self.process.wait(30)

    def end(self):
        self.process.kill()
        self.process.wait(30)


@pytest.fixture
def held(host):
    """Makes processes outside every pool: held() -> Held."""
    made = []

    def make():
        made.append(Held(host))
        return made[-1]

    yield make
    for process in made:
        process.end()


@pytest.fixture
def jobber(host):
    """jobber("exit", 3) -> the argv of our test program, as Windows programs take it."""
    return lambda *arguments: [host.program("jobber"), *map(str, arguments)]


@pytest.fixture
def accounted(rpc):
    """accounted(pool, n): the accounting rows of a pool, once there are n and all have ended."""

    def rows(pool, count, **filters):
        def complete():
            found = rpc.call("accounting.processes", pool=pool, **filters)["processes"]
            return found if len(found) >= count and all(row["ended"] for row in found) else None

        found = wait_until(complete, f"{count} ended processes of pool {pool} in the accounts")
        assert len(found) == count, found
        return found

    return rows
