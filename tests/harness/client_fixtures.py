"""Fixtures of the suites that run other people's clients: one installed service, and the programs that call it."""
import itertools

import pytest

from .clients import Client, install_service, make_host
from .host import PROGRAMS
from .markers import pytest_collection_modifyitems, register  # noqa: F401

counter = itertools.count(1)


pytest_configure = register


@pytest.fixture(scope="session")
def host():
    missing = [str(path) for path in PROGRAMS.values() if not path.exists()]
    if missing:
        pytest.exit(f"not built: {', '.join(missing)}; run the tests by ./dev test", returncode=2)
    host = make_host("clients")
    yield host
    host.close()


@pytest.fixture(scope="session")
def service(host):
    service = install_service(host)
    yield service
    service.remove()


@pytest.fixture
def rpc(service):
    with service.bridge() as bridge:
        yield bridge


@pytest.fixture
def busy(rpc, host):
    """The pool "busy" has a process that goes on running."""
    rpc.call("pool.launch", pool="busy", argv=[host.program("jobber"), "sleep", "600000"])
    yield "busy"
    rpc.call("pool.terminate", pool="busy")


@pytest.fixture
def start(host, tmp_path):
    """start(command, environment) -> Client."""
    made = []

    def make(command, environment=None):
        made.append(Client(host, tmp_path / f"client-{next(counter)}", command, environment))
        return made[-1]

    yield make
    for client in made:
        client.end()
