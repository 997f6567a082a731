"""The documents as the tests see them: their fenced blocks and what is to become of each, their code spans, links and headings.

What a block is, is said by its info string (```json config), or by a comment on the line before it, which no reader sees:

    (nothing)                            command lines, "> jobpool ...", "jobpoold ..."; they are run, what follows a prompt's line is output
    ```json config, ```json pool         members of the configuration, or of a pool in it: they are loaded
    <!-- fresh machine -->               command lines that install something: all such blocks of a page are run in order on a machine of its own
    <!-- windows only: REASON -->        what Wine cannot do; a named skip
    <!-- not run: REASON -->             no command at all (output, a diagram), or one that cannot be run; `jobpool` in it is held against --help
    <!-- shown by: tests/FILE::TEST -->  another test runs it
    <!-- exit: N -->                     its commands end with N instead of 0

Several comments may stand before a block, a line each.
"""
import re
from dataclasses import dataclass, field

from .host import ROOT

PROGRAMS = {"c", "csharp", "go", "js", "powershell", "python"}  # whole programs: of these pages their own tests take them out
PAGES_WITH_PROGRAMS = {"docs/c-api.md": "docs/meson.build", "docs/clients.md": "tests/clients/test_documents.py"}
TEMPLATES = {"docs/config.in.md", "docs/rpc.in.md", "docs/cli.in.md"}  # the pages that are made of them are looked at
MARK = re.compile(r"<!-- (fresh machine|windows only|not run|shown by|exit)(?:: (.+?))? -->")
FENCE = re.compile(r"^(\s*)```(.*)$")
SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.S)
CHANGES_THE_MACHINE = re.compile(r"(sc|net|reg|icacls|schtasks)(\.exe)? |.*jobpoold\S*\"? (install|uninstall|upgrade)(?!.*--dry-run)|jobpool\S* init\b", re.I)
ADVICE = ("say what it is: the info string ```json config or ```json pool for members of the configuration; commands begin with jobpool, jobpoold, or "
          "the prompt \"> \"; before the block <!-- windows only: REASON -->, <!-- not run: REASON -->, <!-- fresh machine --> or "
          "<!-- shown by: tests/FILE::TEST --> (tests/harness/documents.py). What installs, or changes services, the registry or rights has to have one")


@dataclass
class Block:
    page: str
    line: int  # of the fence
    info: str
    lines: list
    marks: dict = field(default_factory=dict)
    commands: list = field(default_factory=list)  # (line number, text)

    @property
    def where(self):
        return f"{self.page}:{self.line}"

    @property
    def text(self):
        return "\n".join(self.lines) + "\n"

    @property
    def kind(self):
        """"skip", "mentioned", "elsewhere", "config", "pool", "program", "conversation", "dev", "story", "commands"; None: nobody said."""
        for mark, kind in (("windows only", "skip"), ("not run", "mentioned"), ("shown by", "elsewhere"), ("fresh machine", "story")):
            if mark in self.marks:
                return kind
        if self.info in ("json config", "json pool"):
            return self.info.split()[1]
        if self.info in PROGRAMS:
            return "program" if self.page in PAGES_WITH_PROGRAMS else None
        filled = [line for line in self.lines if line.strip()]
        if filled and all(re.match(r"[<>] \{", line) for line in filled):
            return "conversation"
        if filled and all(re.match(r"(\./dev |#)", line) for line in filled):
            return "dev"
        if any(CHANGES_THE_MACHINE.match(text) for _, text in self.commands):
            return None  # not on the machine that tests share
        return "commands" if self.commands else None

    @property
    def exit_code(self):
        return int(self.marks.get("exit") or 0)


def pages():
    """Name -> text, of all that people read."""
    files = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    found = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in files}
    return {name: text for name, text in found.items() if name not in TEMPLATES}


def commands_of(lines, first):
    """The command lines of a block. With prompts ("> ") what has none is output; else each line is one, but for comments."""
    prompts = any(re.match(r"> ?\S", line) for line in lines)
    found, joined, begun = [], "", 0
    for number, line in enumerate(lines, first):
        if prompts and not joined:
            match = re.match(r"> ?(.*)", line)
            if not match:
                continue
            line = match[1]
        if not joined and (not line.strip() or re.match(r"\s*(#|rem\b|::)", line, re.I)):
            continue
        begun = begun if joined else number
        joined += line.strip()
        if joined.endswith("^"):  # goes on in the next line, as cmd.exe has it
            joined = joined[:-1]
            continue
        found.append((begun, re.sub(r"\s{3,}\S.*$", "", joined)))  # what stands far to the right is a remark
        joined = ""
    return found if any(re.match(r"(\S*[\\/\"])?jobpoold?(\.exe)?[\" ]|jobpoold?$", text) for _, text in found) else found if prompts else []


def blocks(name, text):
    """All fenced blocks of a page."""
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        match = FENCE.match(lines[number])
        number += 1
        if not match:
            continue
        start = number
        while number < len(lines) and not re.match(r"^\s*```\s*$", lines[number]):
            number += 1
        block = Block(name, start, match[2].strip(), [line[len(match[1]):] if line.startswith(match[1]) else line for line in lines[start:number]])
        above = start - 2
        while above >= 0 and (mark := MARK.fullmatch(lines[above].strip())):
            block.marks[mark[1]] = mark[2] or ""
            above -= 1
        if not block.info.startswith("json") and block.info not in PROGRAMS:
            block.commands = commands_of(block.lines, start + 1)
        yield block
        number += 1


def all_blocks():
    return [block for name, text in pages().items() for block in blocks(name, text)]


def outside_blocks(text):
    """The text with blank lines for its blocks and comments, so that lines keep their numbers."""
    kept, inside = [], False
    for line in text.splitlines():
        fence = bool(FENCE.match(line))
        kept.append("" if fence or inside else line)
        inside = inside != fence
    return re.sub(r"<!--.*?-->", lambda match: re.sub(r"[^\n]", " ", match[0]), "\n".join(kept), flags=re.S)


def spans(name, text):
    """(page:line, code) of each piece of code in a page's sentences."""
    prose = outside_blocks(text)
    for match in SPAN.finditer(prose):
        if "\n\n" not in match[2]:
            yield f"{name}:{prose.count(chr(10), 0, match.start()) + 1}", re.sub(r"\s*\n\s*", " ", match[2].replace("\\|", "|")).strip()


def links(name, text):
    """(page:line, target) of each link and picture."""
    prose = outside_blocks(text)
    prose = SPAN.sub(lambda match: re.sub(r"[^\n]", " ", match[0]) if "](" not in match[0] else match[0], prose)
    for match in re.finditer(r"\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)|<(?:img|source)[^>]*?(?:src|srcset)=\"([^\"]+)\"", prose):
        yield f"{name}:{prose.count(chr(10), 0, match.start()) + 1}", match[1] or match[2]


def anchors(text):
    """What a page's headings can be linked by, as GitHub has it."""
    seen = {}
    for line in outside_blocks(text).splitlines():
        match = re.match(r"#{1,6}\s+(.*?)\s*#*$", line)
        if not match:
            continue
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", match[1])
        slug = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        count = seen.get(slug, 0)
        seen[slug] = count + 1
        yield slug if not count else f"{slug}-{count}"
    yield from re.findall(r"<a (?:id|name)=\"([^\"]+)\"", text)
