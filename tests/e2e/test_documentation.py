"""What the documents tell people to type, typed; what they show of the configuration, loaded.

tests/harness/documents.py says how a page's blocks are marked; tests/simd/test_documents.py looks at marks, links and the rest that needs no
Wine. Here run: the command lines of all fenced blocks, against a service with the pools that the documents speak of; those of blocks marked
<!-- fresh machine -->, in order, on a machine of the page's own with nothing but the two programs; each configuration fragment, by jobpoold
--check-config. Commands inside sentences and of blocks that are not run are held against --help: the command is there, and its options."""
import json
import re
import shlex
import shutil
import subprocess

import pytest

from harness.documents import all_blocks, pages, spans
from harness.host import BUILD, PATIENCE_S, PROGRAMS, ROOT, Host, wait_until
from harness.service import ConsoleService

BLOCKS = all_blocks()
STAND_IN = BUILD / "tests" / "e2e" / "programs" / "stand_in.exe"

# The world that the documents speak of. A page that speaks of another pool or program: add it here.
POOLS = {
    "build": {"limits": {"active_processes": 64, "job_memory": "8GiB"}, "access": {"view": ["Interactive"], "launch": ["Users"], "control": ["Users"]}},
    "nightly": {},
    "batch": {},
    "batch.nightly": {"parent": "batch"},
    "ci": {},
    "web": {},
    "default": {},
}
STAND_INS = ["cl", "backup", "make", "agent", "index", "worker", "build", "test", "ninja", "msbuild"]
FILES = {"big.c": "int x;\n", "limits.json": None}  # in the folder where commands are typed; None: a command makes it
A_PROCESS = 4711  # in "build", as everywhere in the documents

FOLLOWS = re.compile(r"jobpool\S* .*(--follow|\s-f\b)")
OPTIONS_WITH_VALUES = {"--pipe", "--format", "--columns", "--sort", "-s"}  # of those that stand before the command
OF_THE_SERVICE = {"--keeper", "--ask-to-stop"}  # what jobpoold says to itself


def ids(block):
    return block.where


def of_kind(*kinds):
    return [block for block in BLOCKS if block.kind in kinds]


class Shell:
    """A prompt of cmd.exe in a folder, with programs in PATH."""

    def __init__(self, host, folder, path, environment=None):
        self.host = host
        self.folder = folder
        self.environment = {"WINEPATH": ";".join(host.path(one) for one in path)} | (environment or {})
        folder.mkdir(parents=True, exist_ok=True)

    def type(self, line):
        """Runs a line; the result has the exit code and what was printed."""
        script = self.folder / "typed.cmd"
        script.write_text(f"@echo off\r\n{line}\r\nexit %errorlevel%\r\n", encoding="utf-8", newline="")
        return self.host.run("cmd", "/c", self.host.path(script), environment=self.environment, cwd=self.folder, timeout=2 * PATIENCE_S)

    def expect(self, block, number, line):
        result = self.type(line)
        assert result.returncode == block.exit_code, (
            f"{block.page}:{number}: {line}\nends with {result.returncode}, not {block.exit_code}:\n{result.stdout}{result.stderr}\n"
            "Correct the page or the program. If only Windows can do it: <!-- windows only: REASON --> before the block; if it is to fail: "
            "<!-- exit: N -->; if a pool or program of the page is missing here: POOLS, STAND_INS in tests/e2e/test_documentation.py")


def drive_d(host):
    """The documents' second disk."""
    disk = host.prefix / "disk-d"
    for name in ("data", "backup"):
        (disk / name).mkdir(parents=True, exist_ok=True)
    link = host.prefix / "dosdevices" / "d:"
    if not link.exists():
        link.symlink_to(disk)


class World:
    def __init__(self, host):
        self.host = host
        programs = host.drive_c / "documents" / "bin"
        programs.mkdir(parents=True, exist_ok=True)
        for name in STAND_INS:
            shutil.copy(STAND_IN, programs / f"{name}.exe")
        for name in ("jobpool", "jobpoold"):
            shutil.copy(PROGRAMS[name], programs / f"{name}.exe")
        drive_d(host)
        self.service = ConsoleService(host, host.drive_c / "documents" / "service", {"pools": POOLS}, "jobpool-documents")
        self.shell = Shell(host, host.drive_c / "documents" / "here", [programs], {"JOBPOOL_PIPE": self.service.pipe})
        for name, text in FILES.items():
            if text is not None:
                (self.shell.folder / name).write_text(text, encoding="utf-8")
        host.environment["WINEPATH"] = self.shell.environment["WINEPATH"]  # what the service launches is searched there too
        self.service.start()
        self.bridge = self.service.bridge()
        self.process = None

    def as_here(self, line):
        """A process id of the page becomes that of a process that is there."""
        if str(A_PROCESS) not in line:
            return line
        if self.process is None or self.process.poll() is not None:
            self.process = self.host.start("jobpool", "--pipe", self.service.pipe, "run", "--pool", "build", "--", self.host.program("jobber"), "hold",
                                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            self.pid = self.process.stdout.readline().split()[0].decode()
        return re.sub(rf"\b{A_PROCESS}\b", self.pid, line)

    def follow(self, block, number, line):
        """A command that ends by Ctrl-C only: it has to be connected, and still there when something happened."""
        before = self.bridge.call("service.status")["connections"]
        words = shlex.split(line.replace("\\", "\\\\"))[1:]
        process = self.host.start("jobpool", *words, environment=self.shell.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            wait_until(lambda: process.poll() is not None or self.bridge.call("service.status")["connections"] > before, f"{line} to connect")
            self.bridge.call("pool.update", pool="build", description=f"{block.where}")
            assert process.poll() is None, f"{block.page}:{number}: {line}\nends by itself:\n{process.stdout.read().decode()}"
        finally:
            process.kill()
            process.wait(PATIENCE_S)

    def run(self, block):
        for number, line in block.commands:
            line = self.as_here(line)
            if FOLLOWS.match(line):
                self.follow(block, number, line)
            else:
                self.shell.expect(block, number, line)

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(PATIENCE_S)
        self.bridge.close()
        self.service.end()
        del self.host.environment["WINEPATH"]


@pytest.fixture(scope="module")
def world(host):
    world = World(host)
    yield world
    world.close()


@pytest.mark.parametrize("block", of_kind("commands"), ids=ids)
def test_what_is_typed_works(world, block):
    world.run(block)


@pytest.mark.parametrize("block", of_kind("skip"), ids=ids)
def test_what_only_windows_can_do(block):
    pytest.skip(block.marks["windows only"])


# --- stories: pages that begin with nothing ---

STORIES = sorted({block.page for block in of_kind("story")})


@pytest.fixture
def machine():
    """A machine of its own, with the two programs in C:\\Program Files\\JobPool and the commented configuration beside them."""
    machine = Host(BUILD.parent / "wine-documents")
    folder = machine.drive_c / "Program Files" / "JobPool"
    folder.mkdir(parents=True)
    for name in ("jobpool", "jobpoold"):
        shutil.copy(PROGRAMS[name], folder / f"{name}.exe")
    shutil.copy(ROOT / "config" / "jobpool.json", folder)
    drive_d(machine)
    data = machine.drive_c / "ProgramData" / "JobPool"
    public = machine.drive_c / "users" / "Public" / "JobPool"  # what %ProgramData% is for Wine's services, and for nobody else
    if not public.exists():
        public.symlink_to(data)
    yield machine
    machine.close()


@pytest.mark.parametrize("page", STORIES)
def test_a_page_that_begins_with_nothing_works(machine, page):
    """Its blocks in order. After a line that starts the service, the next waits until it answers, as a person would."""
    folder = machine.drive_c / "Program Files" / "JobPool"
    shell = Shell(machine, folder, [folder])
    for block in BLOCKS:
        if block.page != page or block.kind != "story":
            continue
        for number, line in block.commands:
            shell.expect(block, number, line)
            if re.match(r"sc start|net start|(\S*[\\/])?\"?.*jobpoold\S* (install|upgrade)", line) and "--dry-run" not in line:
                wait_until(lambda: machine.run("jobpool", "status").returncode == 0, f"the service to answer after {block.page}:{number}: {line}")


# --- the configuration ---

def check(host, folder, text):
    """What jobpoold says of a configuration; "" if it is good."""
    file = folder / "fragment.json"
    file.write_text(text, encoding="utf-8")
    result = host.run("jobpoold", "--check-config", "--config", host.path(file))
    return "" if result.returncode == 0 else result.stdout + result.stderr


def whole(text):
    """A fragment as an object: it is one, or its members."""
    return text if text.lstrip().startswith("{") else "{\n" + text.rstrip().rstrip(",") + "\n}"


def in_pool(text):
    parents = "".join(f', "{name}": {{}}' for name in set(re.findall(r'"parent":\s*"([^"]+)"', text)))
    return '{"pools": {"example": ' + whole(text) + parents + "}}"


@pytest.mark.parametrize("block", of_kind("config", "pool"), ids=ids)
def test_a_fragment_of_the_configuration_is_good(host, tmp_path, block):
    said = check(host, tmp_path, whole(block.text) if block.kind == "config" else in_pool(block.text))
    assert not said, f"{block.where}: not what the service takes (a ```json {block.kind} fragment):\n{said}"


# Where a fragment inside a sentence may belong: %s is it, as an object, %m its members.
PLACES = ["%s", '{"pools": {"example": %s}}', '{"pools": {"example": {"limits": %s}}}', '{"pools": {"example": {"timeouts": %s}}}',
          '{"pools": {"example": {"memory_policy": %s}}}', '{"pools": {"example": {"security": %s}}}', '{"pools": {"example": {"notify": %s}}}',
          '{"pools": {"example": {"match": [%s]}}}', '{"pools": {"example": {"limits": {"working_set": %s}}}}',
          '{"pools": {"example": {"notify": {"cpu_rate": %s}}}}', '{"pools": {"example": {"security": {"limits": ["filter_tokens"], "filter": %s}}}}',
          '{"pools": {"example": {"memory_policy": {"hard": "8GiB", %m}}}}', '{"pools": %s}', '{"templates": %s}', '{"access": %s}', '{"quotas": %s}', '{"retention": %s}',
          '{"database": %s}', '{"log": %s}', '{"pipe": %s}', '{"sampling": %s}']


def keys_of(schema):
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for value in schema.values():
            yield from keys_of(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from keys_of(value)


def fragments():
    """(where, text) of the JSON in sentences whose first key is one of the configuration's: what is no JSON is a pattern, not an example."""
    keys = set(keys_of(json.loads((ROOT / "config" / "jobpool.schema.json").read_text(encoding="utf-8"))))
    for name, text in pages().items():
        for where, code in spans(name, text):
            first = re.match(r'\{?\s*"(\w+)":\s', code)
            if not first or first[1] not in keys or name in ("docs/rpc.md", "docs/win32job.md"):
                continue
            try:
                json.loads(whole(code))
            except ValueError:
                continue
            yield where, code


def test_fragments_in_sentences_are_good(host, tmp_path):
    bad, found = [], 0
    for where, code in fragments():
        found += 1
        members = whole(code).strip()[1:-1]
        if all(check(host, tmp_path, place.replace("%s", whole(code)).replace("%m", members)) for place in PLACES):
            bad.append(f"{where}: {code}: nowhere in a configuration would the service take this")
    assert found > 10
    assert not bad, "\n".join(bad)


# --- commands in sentences ---

class Help:
    """What the programs say of themselves."""

    def __init__(self, host):
        self.host = host
        self.known = {}

    def of(self, program, *words):
        if (program, words) not in self.known:
            arguments = ["help", *words] if program == "jobpool" else ["--help"]
            result = self.host.run(program, *arguments)
            self.known[program, words] = result.stdout if result.returncode == 0 else None
        return self.known[program, words]

    def verbs(self, words):
        """The command of a line: what help knows of its first words, after options for all commands."""
        while words and (words[0].startswith("-") or words[0] == "help"):
            words = words[2 if words[0] in OPTIONS_WITH_VALUES else 1:]
        verbs = []
        for word in words:
            if not re.fullmatch(r"[a-z][a-z-]*", word) or self.of("jobpool", *verbs, word) is None:
                break
            verbs.append(word)
        return verbs, words[:1]

    def problem(self, program, line):
        """Why a command line cannot be meant, or None."""
        line = re.split(r"\s--(?:\s|$)|\s[<>|]\s", line)[0]
        words = re.sub(r"\"(?:\\.|[^\"\\])*\"|\{.*\}", "TEXT", line).split()
        if program == "jobpoold":
            text = self.of(program) or ""
            missing = [word for word in words if word not in OF_THE_SERVICE and re.match(r"--?[a-z]|[a-z-]+$", word) and not re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text)]
            return f"jobpoold --help has no {missing[0]}" if missing else None
        verbs, first = self.verbs(words)
        if not verbs and first and re.fullmatch(r"[a-z][a-z-]*", first[0]):
            return f"there is no command {first[0]}"
        text = (self.of(program) or "") + (self.of(program, *verbs) or "")
        for option in re.findall(r"(?<!\S)\[?(--[a-z][a-z-]*|-[a-z](?![\w-]))", line):
            if not re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", text):
                return f"jobpool help {' '.join(verbs)} has no {option}"
        return None


def mentioned():
    """(where, program, the rest of the line) of what is only spoken of."""
    for name, text in pages().items():
        for where, code in spans(name, text):
            match = re.match(r"(jobpoold?)(?:\.exe)? (.+)", code)
            if match:
                yield where, match[1], match[2]
    for block in of_kind("mentioned", "skip", "elsewhere"):
        for number, line in enumerate(block.lines, block.line + 1):
            match = re.search(r"(?:^|[\s\"'\\/])(jobpoold?)(?:\.exe)?\"? (.+)", line)
            if match and not re.match(r"\s*(#|rem\b|//)", line):
                yield f"{block.page}:{number}", match[1], match[2]


def test_commands_in_sentences_are_there(host):
    """Of each the command and its options, by --help."""
    told = Help(host)
    bad = []
    for where, program, line in mentioned():
        problem = told.problem(program, line)
        if problem:
            bad.append(f"{where}: {program} {line}: {problem}")
    assert told.of("jobpool"), "jobpool help does not work"
    assert not bad, "\n".join(bad)
