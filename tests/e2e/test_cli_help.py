"""Help: of every command, with examples that work; topics; suggestions; and docs/cli.md, which is made of it."""
import importlib.util
import re

import pytest

from harness.host import PROGRAMS, ROOT, WINDOWS
from harness.service import ConsoleService
from harness.terminal import Terminal

A_PROCESS = "4711"  # stands in examples for a process that there is
ON_WINDOWS = "# on Windows:"
ANSWERS_BY_EXIT_CODE = {"service doctor": (0, 1)}  # whatever the machine of the test is like


def ok(result):
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def markdown(host):
    return ok(host.run("jobpool", "help", "--markdown"))


@pytest.fixture(scope="module")
def sections(markdown):
    """"pool list" -> its help, without what is the same everywhere."""
    return dict(re.findall(r"^### ([^\n]+)\n\n<!--[^\n]*\n```\n(usage: .*?)```$", markdown, re.S | re.M))


def examples_of(text):
    """[(command line, whether only Windows can run it)] of a command's help."""
    part = text.partition("\nExamples:\n")[2]
    found, on_windows = [], False
    for line in (line.strip() for line in part.splitlines()):
        if line.startswith("#"):
            on_windows = on_windows or line.startswith(ON_WINDOWS)
        elif line:
            found.append((line, on_windows))
    return found


# ------------------------------------------------------------------------------------------------------------ every command

def test_every_way_to_write_a_command_has_the_same_help(host, sections):
    assert len(sections) > 35
    for title, section in sections.items():
        ways = re.findall(r"^(?:usage:|   or:) jobpool ([a-z-]+(?: [a-z]+)?)", section.split("\n\n")[0], re.M)
        ways = [way if way.split()[0] in ("pool", "process", "event", "service", "accounting", "job") else way.split()[0] for way in ways]
        assert title in ways or title.split()[0] in ways, (title, ways)
        texts = {ok(host.run("jobpool", *way.split(), "--help")) for way in ways} | {ok(host.run("jobpool", "help", *title.split()))}
        assert len(texts) == 1, title
        text = texts.pop()
        everywhere = text[text.index("\nEverywhere:"):].split("\n\n")[0]
        assert text.replace(everywhere + ("\n" if text.endswith(everywhere) else "\n"), "", 1).replace("\n\n\n", "\n\n").split() == section.split(), title


def test_the_overview_has_every_command(host, sections):
    everything = ok(host.run("jobpool", "--help"))
    assert everything == ok(host.run("jobpool", "help")) == ok(host.run("jobpool", "-h"))
    listed = {}
    for noun in ("pool", "process", "event", "service"):
        listed[noun] = re.findall(rf"^  {noun} (\w+)  ", ok(host.run("jobpool", "help", noun)), re.M)
        assert ok(host.run("jobpool", noun, "--help")) == ok(host.run("jobpool", "help", noun)) == ok(host.run("jobpool", noun, "help"))
    for title, section in sections.items():
        if title.split()[0] in ("accounting", "job"):
            continue
        # The first way to write it is the one for people who learn it.
        short = re.match(r"usage: jobpool ([a-z-]+(?: [a-z]+)?)", section)[1]
        short = short if short == title else short.split()[0]
        assert re.search(rf"^  {short}(, \w+)*  ", everything, re.M), title
        noun, _, verb = title.partition(" ")
        assert not verb or verb in listed[noun], title


@pytest.mark.parametrize("group, verb", [("pool", "list"), ("accounting", "report"), ("job", "query")])
def test_help_may_come_last(host, group, verb):
    assert ok(host.run("jobpool", group, "help")) == ok(host.run("jobpool", "help", group))
    assert ok(host.run("jobpool", group, "help", verb)) == ok(host.run("jobpool", "help", group, verb))


@pytest.mark.skipif(WINDOWS, reason="only under Wine is the console a Unix terminal that tests can read")
@pytest.mark.parametrize("width", [60, 80, 120])
def test_help_fits_a_console(host, sections, width):
    """Whole words go on below the text, nothing is lost, and examples stay in lines of their own."""
    for words in (["help"], ["help", "run"], ["help", "units"], ["help", "accounting", "report"]):
        with Terminal(host, "jobpool", *words, columns=width, lines=160, environment={"NO_COLOR": "1"}) as terminal:
            assert terminal.finish() == 0
            wide = ok(host.run("jobpool", *words))
            assert terminal.text().split() == wide.split()
            assert all(len(line) < width for line in terminal.lines())
            examples = [line for line in wide.splitlines() if line.startswith("  jobpool ") and len(line) < width]
            assert all(example in terminal.lines() for example in examples)


def test_every_command_has_an_example(sections):
    assert [title for title, section in sections.items() if not examples_of(section)] == []


def test_lines_fit_a_page(host, sections):
    for title, section in sections.items():
        assert max(map(len, section.splitlines())) <= 160, title


# ------------------------------------------------------------------------------------------------------------ every example

@pytest.fixture(scope="module")
def stage(host, tmp_path_factory):
    """The service that examples are about: pools "build" and "nightly", and jobpool.exe by its name."""
    folder = tmp_path_factory.mktemp("examples")
    service = ConsoleService(host, folder, {"pools": {"build": {"description": "what compiles"}, "nightly": {}}}, "jobpool-examples").start()
    yield service
    service.end()


def run_example(service, line, process, folder):
    """As somebody types it into cmd.exe: in a batch file, because there it is not quoted anew."""
    file = folder / "example.cmd"
    line = re.sub(rf"\b{A_PROCESS}\b", str(process.pid), line).replace("%", "%%")
    file.write_bytes(f"@echo off\r\n{line}\r\nexit /b %errorlevel%\r\n".encode())
    environment = {"WINEPATH": service.host.path(PROGRAMS["jobpool"].parent), "JOBPOOL_PIPE": service.pipe}
    return service.host.run("cmd", "/c", service.host.path(file), environment=environment, cwd=folder)


def titles():
    """The commands, from the page: a test each, so that it says which example does not work."""
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    return re.findall(r"^### (.+)\n\n<!--.*\n```\nusage: ", page, re.M)


@pytest.mark.parametrize("title", titles())
def test_examples_work(stage, sections, held, title, tmp_path):
    process = held()
    needs_member = title in ("pool wait", "process wait", "process kill", "pool kill", "job contains")
    if needs_member:
        pool = "build" if title in ("process wait", "process kill", "pool kill") else "nightly"
        ok(stage.jobpool("assign", "--pool", pool, process.pid))
        if "wait" in title:
            process.let_go()
    for line, on_windows in examples_of(sections[title]):
        if on_windows:
            continue
        result = run_example(stage, line, process, tmp_path)
        assert result.returncode in ANSWERS_BY_EXIT_CODE.get(title, (0,)), f"{line}\n{result.stdout}{result.stderr}"
    stage.jobpool("thaw", "build")
    stage.jobpool("kill", "build")
    stage.jobpool("kill", "nightly")


# ------------------------------------------------------------------------------------------------------------------ topics

def test_topics(host, markdown):
    everything = ok(host.run("jobpool", "help"))
    found = re.findall(r"^  help ([a-z-]+)  ", everything, re.M)
    assert found == ["formats", "units", "rules", "exit-codes", "environment"]
    for topic in found:
        text = ok(host.run("jobpool", "help", topic))
        assert len(text.splitlines()) > 4 and text in markdown


# ------------------------------------------------------------------------------------------------------------- suggestions

@pytest.mark.parametrize("arguments, meant", [
    (["lst"], '"list"'), (["freez", "x"], '"freeze"'), (["pool", "lst"], '"pool list"'), (["pol", "list"], '"pool"'), (["purge"], '"accounting purge"'),
    (["folow"], '"event follow"'), (["accounting", "reprt"], '"accounting report"'), (["job", "qurey"], '"job query"'), (["help", "unts"], '"units"'),
    (["pool", "events"], '"jobpool events"'), (["accounting", "top"], '"jobpool top"'), (["help", "accounting", "top"], '"jobpool top"'), (["service", "stauts"], '"service status"'), (["help", "pool", "shwo"], '"pool show"'),
    (["stop"], '"kill", or of the service "sc stop JobPool"'), (["restart"], '"net stop JobPool && net start JobPool"'), (["install"], '"jobpoold install"'), (["exec", "x"], '"run"'), (["pool", "remove", "x"], '"delete"'),
    (["st"], '"status"'), (["acc"], '"accounting"'), (["pool", "fr"], '"pool freeze"'), (["list", "--colums", "name"], "--columns"),
])
def test_what_was_meant(host, arguments, meant):
    result = host.run("jobpool", *arguments)
    assert result.returncode == 2 and result.stdout == "" and f"did you mean {meant}?" in result.stderr, result.stderr


@pytest.mark.parametrize("arguments", [["qqqqqqqq"], ["pool", "qqqqqqqq"], ["pool"], ["help", "qqqqqqqq"], ["help", "run", "x"], ["help", "pool", "show", "x"], ["help", "units", "x"], ["accounting", "--by"], ["-q"], ["list", "-p", "x"]])
def test_what_is_no_command(host, arguments):
    result = host.run("jobpool", *arguments)
    assert result.returncode == 2 and result.stdout == "" and "did you mean" not in result.stderr and "see: jobpool help" in result.stderr


def test_who_gives_no_command_is_shown_what_there_is(host):
    """On standard error: a script whose words got lost has nothing to read, and an exit code that says so."""
    result = host.run("jobpool")
    assert result.returncode == 2 and result.stdout == "" and result.stderr == ok(host.run("jobpool", "help"))
    for group, verbs in (("pool", "list, show, top"), ("job", "query, set, create"), ("event", "list, follow")):
        assert f"which verb? There are: {verbs}" in host.run("jobpool", group).stderr
    assert ok(host.run("jobpool", "version")) == ok(host.run("jobpool", "--version"))


def test_short_forms_letters_and_aliases_are_the_same_command(stage):
    rows = stage.json("pool", "list")
    assert rows == stage.json("list") == stage.json("ls") == stage.json("pools") == stage.json("pool", "ls")
    assert stage.json("ps") == stage.json("processes") == stage.json("process", "list") == stage.json("process", "ls") == stage.json("process", "ps")
    assert stage.json("event", "ls", "--from-seq", "1", "-n", "2") == stage.json("events", "--from-seq", "1", "-n", "2")
    assert stage.json("accounting", "processes", "-p", "build", "-n", "1") == stage.json("accounting", "processes", "--pool", "build", "--limit", "1")
    assert stage.json("service", "status")["program"] == "jobpoold"
    ok(stage.jobpool("pool", "create", "again"))
    assert stage.json("rm", "again") == {"pool": "again", "terminated": 0}
    ok(stage.jobpool("pool", "create", "again"))
    assert stage.json("pool", "rm", "again") == {"pool": "again", "terminated": 0}


def test_who_waited_in_vain_is_told_where_to_look(stage, held):
    ok(stage.jobpool("assign", "--pool", "nightly", held().pid))
    result = stage.jobpool("wait", "nightly", "--timeout", "100ms")
    assert result.returncode == 1 and "time-out has passed" in result.stderr and "jobpool ps nightly" in result.stderr
    ok(stage.jobpool("kill", "nightly"))


def test_what_to_do_is_said(stage):
    """Behind what went wrong; to people, not in the error object that programs read."""
    for arguments, advice in ((["show", "nobody"], "see: jobpool list"), (["kill", "4711"], "jobpool kill --pid 4711"),
                              (["launch", "-p", "build", "--", "dir"], "run with: cmd /c dir")):
        result = stage.jobpool(*arguments)
        assert result.returncode == 1 and advice in result.stderr, result.stderr
        assert len(stage.jobpool("--json", *arguments).stderr.splitlines()) == 1
    result = stage.jobpool("launch", "-p", "build", "--stdin", r"C:\no such file", "--", "cmd", "/c", "exit")
    assert result.returncode == 1 and "stdin" in result.stderr and "run with" not in result.stderr, result.stderr


# ------------------------------------------------------------------------------------------------------------- docs/cli.md

def test_the_page_is_what_the_program_says(markdown):
    """If not: ./dev docs"""
    spec = importlib.util.spec_from_file_location("cli_page", ROOT / "docs" / "cli.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == module.page(markdown), "docs/cli.md is stale; ./dev docs writes it"
