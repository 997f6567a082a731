"""The clients by name: those that npm has in a Windows node.exe, and the one in Go."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.client_fixtures import *  # noqa: E402,F403
from harness.clients import GO_CLIENT, NODE, SCRIPTS, node_command, node_environment  # noqa: E402


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
