"""docs/troubleshooting.md has every code and message that the sources have, and quotes what the program says."""
import re

import pytest

from harness.host import ROOT

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
PROGRAM = [*sorted((ROOT / "src").rglob("*.[ch]")), *sorted((ROOT / "service").glob("*.[ch]"))]
# What SQLite says, whose words the service passes on.
OF_SQLITE = {"database or disk is full", "database is locked", "disk I/O error", "unable to open database file"}


def source(path):
    return (ROOT / path).read_text(encoding="utf-8")


def enumerated(path, pattern):
    """The names of an enum, with their numbers."""
    found = re.search(pattern, source(path), re.S)
    assert found, f"{path} has no more what {pattern} looks for: correct this test"
    text = found[1]
    number = -1
    for name, value in re.findall(r"(\w+)(?: = (\d+))?\s*(?:,|$)", re.sub(r"/\*.*?\*/", "", text, flags=re.S).strip() + ","):
        number = int(value) if value else number + 1
        yield str(number), name


def errors():
    return [(code, name) for code, name in re.findall(r'X\(JP_\w+, (-\d+), "(\w+)"', source("include/jobpool/status.h"))]


def windows_codes():
    return re.findall(r'\{(\d+), "(\w+)", "', source("src/base/status.c"))


def exit_codes_of_windows():
    return re.findall(r'\{(0x[0-9A-F]{8}), \w+, \w+, "(\w+)"\}', source("src/job/messages.c"))


def messages():
    return re.findall(r"MessageId=(\d+)\nSeverity=\w+\nSymbolicName=(\w+)", source("service/messages.mc").replace("\r", ""))


def exit_codes_of_the_policy():
    text = source("src/policy/policy.h")
    return [(code.upper().replace("0X", "0x"), "") for code in re.findall(r"JP_EXIT_\w+ = (\d+)|JP_EXIT_\w+ UINT32_C\((\w+)\)", text) for code in code if code]


ROWS = (errors() + windows_codes() + messages() + exit_codes_of_windows() + exit_codes_of_the_policy()
        + list(enumerated("src/cli/cli.h", r"enum jp_exit \{(.*?)\};")) + list(enumerated("service/run.h", r"enum jp_run_exit \{ (.*?) \};")) + list(enumerated("service/setup.h", r"enum jp_setup_exit \{ (.*?) \};")))
INSIDE = list(enumerated("src/win32/keeper.h", r"enum \{\s*(JP_KEEPER_DONE.*?)\};")) + list(enumerated("src/win32/stop_helper.h", r"enum \{ (JP_STOP.*?) \};"))


def test_the_sources_are_read():
    for found, least in ((errors(), 25), (windows_codes(), 60), (messages(), 7), (exit_codes_of_windows(), 30), (exit_codes_of_the_policy(), 4), (INSIDE, 8)):
        assert len(found) >= least, found


@pytest.mark.parametrize("code, name", sorted(set(ROWS)))
def test_it_has_a_row(code, name):
    """A row begins with the code and has the name."""
    found = [line for line in PAGE.splitlines() if line.startswith(f"| {code} |") and (not name or f"`{name}`" in line)]
    assert found, f"docs/troubleshooting.md: add a row that begins with \"| {code} | ...\" and has `{name}`: what it means, and what to do"


@pytest.mark.parametrize("code, name", INSIDE)
def test_it_names_the_codes_between_our_own_processes(code, name):
    assert f"{code} `{name}`" in PAGE


@pytest.mark.parametrize("name", sorted(set(re.findall(r'alarm\(daemon, "(\w+)"', source("src/daemon/events.c")))))
def test_it_has_every_alarm(name):
    assert f"`{name}`" in PAGE, f"docs/troubleshooting.md, \"Events that tell of trouble\": what is `{name}`?"


def test_the_events_that_it_names_are_there():
    table = PAGE[PAGE.index("## Events that tell of trouble"):PAGE.index("## Windows' codes")]
    known = source("docs/rpc.in.md")
    for name in re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", table):
        assert f"`{name}`" in known, name


def said():
    """The literals of the program, those that stand beside each other joined; what is put in has become "...". """
    for path in PROGRAM:
        text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.S)
        for literal in re.finditer(r'"(?:[^"\\\n]|\\.)*"(?:\s*(?:PRI\w+\s*)?"(?:[^"\\\n]|\\.)*")*', text):
            joined = re.sub(r'"\s*(?:PRI\w+\s*)?"', "", literal[0])
            yield re.sub(r"%[^a-zA-Z%]*(?:hh|h|ll|l|z)?[a-zA-Z]", "...", joined.strip('"').replace('\\"', '"'))


def quoted():
    """What the tables under "it says" quote, in pieces: names and numbers of the example are anybody's."""
    for number, line in enumerate(PAGE.splitlines(), 1):
        cells = line.split(" | ")
        if line.startswith("| `") and len(cells) == 2 and not line.startswith("| `sc "):
            for words in re.findall(r"`([^`]+)`", cells[0]):
                pieces = re.split(r"\.\.\.|\"[^\"]*\"|\b\d+\b|\bFILE\b|\bN\b|[():;]", words)
                for piece in pieces:
                    if len(piece.split()) >= 3:
                        yield number, piece.strip()


def test_what_it_quotes_is_what_the_program_says():
    literals = "\n".join(said())
    assert len(list(quoted())) > 15
    missing = [f"docs/troubleshooting.md:{number}: the program does not say \"{piece}\"" for number, piece in quoted()
               if piece not in literals and piece not in OF_SQLITE]
    assert not missing, "\n".join(missing)
