"""Fixtures: one installed service, and the programs that are its clients."""
import itertools
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.clients import GO_CLIENT, NODE, SCRIPTS, Client, install_service, make_host, node_command, node_environment  # noqa: E402
from harness.host import PROGRAMS, WINDOWS  # noqa: E402

counter = itertools.count(1)


def pytest_configure(config):
    config.addinivalue_line("markers", "windows_only(reason): only real Windows can show this; skipped under Wine")


def pytest_collection_modifyitems(items):
    for item in items:
        marker = item.get_closest_marker("windows_only")
        if marker and not WINDOWS:
            item.add_marker(pytest.mark.skip(reason=marker.args[0]))


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


@pytest.fixture
def client(host, service, start):
    """client("vscode", "call", ...) -> Client: one of ours here by its name, in a scenario of its script."""
    scripts = {"vscode": ("vscode.js", "vscode-jsonrpc"), "vscode-8": ("vscode.js", "vscode-jsonrpc-8"),
               "json-rpc-2.0": ("jsonrpc20.js", ""), "jayson": ("jayson.js", "")}

    def make(name, scenario, *arguments):
        if name.startswith("go-"):
            return start([GO_CLIENT, scenario, service.pipe, name[3:], *arguments])
        if not NODE.exists():
            pytest.skip("the npm packages could not be fetched: build/log/clients-npm.log says why")
        script, library = scripts[name]
        return start(node_command(host, SCRIPTS / script, scenario, service.pipe, *arguments), node_environment(host, VSCODE_JSONRPC=library))

    return make
