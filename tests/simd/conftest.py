"""Fixtures: simulated machines with the whole daemon on them. What is asserted here is seen from the pipe, or is the simulated
kernel's own truth."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
pytest.register_assert_rewrite("random_truth", "random_acts", "random_checks", "random_run")  # they are no tests, and assert as such

from harness.simulated import PROGRAM, Machine  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "shows(name, ...): the information classes, constants and functions of win32job that the test shows")
    config.addinivalue_line("markers", "threads: crosses the daemon's threads; also run under ThreadSanitizer")


class World:
    """A machine, the service on it, and an administrator's connection."""

    def __init__(self, config, seed=1, start=True):
        self.machine = Machine(config, seed)
        self.rpc = None
        if start:
            self.start()

    def start(self):
        self.machine.start()
        self.rpc = self.machine.client()
        return self

    def stop(self):
        self.machine.stop()

    def crash(self, settled=True):
        """The end of the service's process. `settled`: all that it has recorded is on disk by then; else it may be or not."""
        if settled:
            self.flush()
        self.machine.crash()

    def restart(self, crash=False):
        (self.crash if crash else self.stop)()
        return self.start()

    def flush(self):
        self.rpc.call("events.query", limit=1)  # a query sees all that was recorded before it

    # ------------------------------------------------------------------------------------------------------- what happens

    def launch(self, pool, image="tool.exe"):
        return self.rpc.call("pool.launch", pool=pool, argv=[image])["pid"]

    def assigned(self, pool, **child):
        """A process that was running before it was assigned."""
        pid = self.machine.spawn(**child)
        self.rpc.call("pool.assign", pool=pool, pid=pid)
        self.machine.deliver()
        return pid

    def spawn(self, parent=0, **more):
        pid = self.machine.spawn(parent, **more)
        self.machine.deliver()
        return pid

    def burn(self, pid, seconds):
        self.machine.order("burn", pid=pid, user100ns=int(seconds * 10_000_000))
        self.machine.deliver()

    def commit(self, pid, size):
        done = self.machine.order("commit", pid=pid, bytes=size)["committed"]
        self.machine.deliver()
        return done

    # --------------------------------------------------------------------------------------------------- what is to be seen

    def row(self, pid):
        """The newest row of the pid in the accounts."""
        return self.rpc.call("accounting.processes", pid=pid)["processes"][-1]

    def rows(self, **filters):
        return self.rpc.call("accounting.processes", **filters)["processes"]

    def events(self, message=None, pool=None, pid=None):
        chosen = {"messages": [message]} if message else {}
        chosen |= {"pools": [pool]} if pool else {}
        chosen |= {"pid": pid} if pid else {}
        return self.rpc.call("events.query", limit=10000, **chosen)["events"]

    def members(self, pool):
        return sorted(row["pid"] for row in self.rpc.call("pool.processes", pool=pool)["processes"])

    def alive(self, pid):
        return self.machine.fate(pid)["end"] == "alive"


@pytest.fixture
def world():
    """Makes worlds: world(pools={...}, **the rest of the config)."""
    if not PROGRAM.exists():
        pytest.exit(f"not built: {PROGRAM}; run the tests by ./dev test", returncode=2)
    made = []

    def make(pools=None, seed=1, start=True, **config):
        made.append(World({"pools": pools or {}} | config, seed, start))
        return made[-1]

    yield make
    try:
        for one in made:
            one.machine.close()
    finally:
        for one in made:
            one.machine.kill()
