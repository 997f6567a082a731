"""The documents hang together: links lead somewhere, and of each fenced block it is said what becomes of it. What is in the blocks is run by
tests/e2e/test_documentation.py."""
import json
import re
import subprocess

from harness.answers import document
from harness.documents import ADVICE, FENCE, MARK, PAGES_WITH_PROGRAMS, all_blocks, anchors, links, pages, spans
from harness.host import ROOT

PAGES = pages()
BLOCKS = all_blocks()


def dev_commands():
    text = subprocess.run([ROOT / "dev", "help"], stdout=subprocess.PIPE, check=True, text=True).stdout
    return set(re.findall(r"^  ([a-z]+)\b", text, re.M))


def test_every_block_says_what_it_is():
    bad = [f"{block.where}: nothing is known to do with this block (```{block.info})" for block in BLOCKS if block.kind is None]
    assert not bad, "\n".join([*bad, ADVICE[0].upper() + ADVICE[1:]])


def test_every_mark_is_understood():
    """A comment that looks like a mark is one, has its reason, and stands before a block or another mark."""
    bad = []
    for name, text in PAGES.items():
        lines = text.splitlines()
        for number, line in enumerate(lines, 1):
            if not re.match(r"\s*<!--\s*(fresh|windows|not run|shown|exit|skip)", line, re.I):
                continue
            match = MARK.fullmatch(line.strip())
            if not match or bool(match[2]) != (match[1] != "fresh machine"):
                bad.append(f"{name}:{number}: not a mark that the tests know, or one without its reason: {line.strip()}")
            elif number >= len(lines) or not (FENCE.match(lines[number]) or MARK.fullmatch(lines[number].strip())):
                bad.append(f"{name}:{number}: the mark has to stand on the line before the block (or before another mark)")
    assert not bad, "\n".join(bad)


def test_the_tests_that_show_blocks_are_there():
    bad = []
    for block in BLOCKS:
        if block.kind == "elsewhere":
            file, _, test = block.marks["shown by"].partition("::")
            path = ROOT / file
            if not path.exists() or (test and f"def {test}(" not in path.read_text(encoding="utf-8")):
                bad.append(f"{block.where}: there is no {file}{'::' + test if test else ''}")
    assert not bad, "\n".join(bad)


def test_pages_with_programs_have_their_tests():
    for page, test in PAGES_WITH_PROGRAMS.items():
        assert page.rsplit("/", 1)[-1] in (ROOT / test).read_text(encoding="utf-8"), f"{test} does not take the programs out of {page}"


def test_no_link_leads_nowhere():
    known = {name: set(anchors(text)) for name, text in PAGES.items()}
    bad = []
    for name, text in PAGES.items():
        for where, target in links(name, text):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            file = (ROOT / name).parent / path if path else ROOT / name
            if not file.exists():
                bad.append(f"{where}: {target}: there is no such file")
                continue
            page = str(file.resolve().relative_to(ROOT.resolve()))
            if anchor and page in known and anchor not in known[page]:
                bad.append(f"{where}: {target}: {page} has no heading #{anchor}")
    assert not bad, "\n".join(bad)


def test_every_page_is_linked():
    linked = {(ROOT / name).parent / target.partition("#")[0] for name, text in PAGES.items() for _, target in links(name, text)}
    linked = {path.resolve() for path in linked}
    missing = [name for name in PAGES if name != "README.md" and (ROOT / name).resolve() not in linked]
    assert not missing, f"no page leads to {', '.join(missing)}: README.md has the list"


def test_commands_of_dev_are_there():
    known = dev_commands()
    bad = []
    said = [(where, code) for name, text in PAGES.items() for where, code in spans(name, text)]
    said += [(f"{block.page}:{number}", line) for block in BLOCKS for number, line in enumerate(block.lines, block.line + 1)]
    for where, code in said:
        bad += [f"{where}: ./dev help has no {word}" for word in re.findall(r"\./dev ([a-z]+)", code) if word not in known]
    assert known
    assert not bad, "\n".join(bad)


def test_conversations_are_json():
    """Those of docs/rpc.md are made of examples that e2e/test_examples.py runs."""
    methods = {method["name"] for method in document()["methods"]}
    for block in BLOCKS:
        for number, line in enumerate(block.lines if block.kind == "conversation" else [], block.line + 1):
            message = json.loads(line[2:])
            assert message.get("jsonrpc") == "2.0", f"{block.page}:{number}"
            assert "method" not in message or message["method"] in methods or line.startswith("<"), f"{block.page}:{number}: there is no {message['method']}"
