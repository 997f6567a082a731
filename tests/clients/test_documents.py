"""The programs of docs/clients.md, taken from the page and run as they stand."""
import subprocess
import sys

import pytest

from harness.clients import NODE, POOLS, blocks, build_go, node_command, node_environment
from harness.host import BUILD

PAGE = "clients.md"
HEADINGS = {"PowerShell": "powershell", "C#": "csharp", "Python with pywin32": "python", "Node with vscode-jsonrpc": "js",
            "Node with json-rpc-2.0": "js", "Node with jayson": "js", "Go": "go", "C": "c"}


def program(heading):
    return blocks(PAGE)[heading, HEADINGS[heading]]


def names(text):
    return sorted(text.split())


def test_every_program_of_the_page_has_a_test():
    assert sorted(blocks(PAGE)) == sorted(HEADINGS.items())


@pytest.mark.parametrize("library", ["vscode-jsonrpc", "json-rpc-2.0", "jayson"])
def test_node(host, service, start, tmp_path, library):
    if not NODE.exists():
        pytest.skip("the npm packages could not be fetched: build/log/clients-npm.log says why")
    script = tmp_path / "first.js"
    script.write_text(program(f"Node with {library}"), encoding="utf-8")
    assert names(start(node_command(host, script), node_environment(host)).finish()) == sorted(POOLS)


def test_go(service, start, tmp_path):
    (tmp_path / "first.go").write_text(program("Go"), encoding="utf-8")
    build_go(tmp_path, tmp_path / "first.exe")
    assert names(start([tmp_path / "first.exe"]).finish()) == sorted(POOLS)


def test_c(service, start):
    """Built by docs/meson.build out of the page."""
    said = start([BUILD / "docs" / "first_call.exe"]).finish()
    assert said.startswith('{"pools":[') and all(f'"name":"{name}"' in said for name in POOLS)


@pytest.mark.windows_only("there is no PowerShell for Wine")
def test_powershell(service, tmp_path):
    script = tmp_path / "first.ps1"
    script.write_text(program("PowerShell"), encoding="utf-8")
    result = subprocess.run(["powershell", "-NoProfile", "-ExecutionPolicy", "Bypass", "-File", script], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, text=True, check=True)
    assert names(result.stdout) == sorted(POOLS)


@pytest.mark.windows_only("there is no CPython with pywin32 for Wine")
def test_python(service):
    result = subprocess.run([sys.executable, "-c", program("Python with pywin32")], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                            check=True)
    assert names(result.stdout) == sorted(POOLS)


def test_python_is_python():
    """What can be said of it here: that it is none of another language."""
    compile(program("Python with pywin32"), PAGE, "exec")
