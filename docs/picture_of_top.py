"""What `jobpool top` shows, drawn from the real program at work under Wine."""
import html
import pathlib
import re
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from harness.host import BUILD, Host, wait_until  # noqa: E402
from harness.service import ConsoleService  # noqa: E402
from harness.terminal import Terminal  # noqa: E402

COLUMNS, LINES = 92, 13
CELL_WIDTH, CELL_HEIGHT, FONT_SIZE, MARGIN, BAR = 8.4, 18, 14, 16, 28
INK, PAPER = "#d5d9e0", "#15181e"
SHADES = {
    "default": INK, "black": PAPER, "white": INK, "red": "#e0524f", "green": "#4fae5b", "brown": "#c9a227", "blue": "#5a8fd8",
    "magenta": "#b56ec9", "cyan": "#2f9fb0", "brightblack": "#8a92a0", "brightwhite": "#ffffff", "brightred": "#ff7b78",
    "brightgreen": "#6fd07c", "brightbrown": "#f0cf5a", "brightyellow": "#f0cf5a", "brightblue": "#86b4f5", "brightcyan": "#66d4e4",
}
BLOCKS = {"█": (1, 1), "▌": (0.5, 1), "░": (1, 0.22)}  # width, opacity: drawn, because fonts leave gaps between them

POOLS = {
    "build": {"limits": {"job_memory": "384MiB", "active_processes": 64}},
    "build-nightly": {"parent": "build", "limits": {"job_memory": "192MiB", "active_processes": 16}},
    "build-release": {"parent": "build", "limits": {"job_memory": "192MiB", "active_processes": 16}},
    "games": {"limits": {"job_memory": "128MiB"}},
    "games-eu": {"parent": "games"},
    "batch": {"limits": {"job_memory": "64MiB", "active_processes": 2}},
    "everybody-else": {},
}
LOOP = "for /l %i in (1,1,100000) do @{} sleep 150"


def work(rpc, host):
    """Processes that use processors and memory, and some that come and go."""
    def launch(pool, *arguments):
        rpc.call("pool.launch", pool=pool, argv=[host.program("jobber"), *map(str, arguments)])

    launch("build-release", "burn", 600000)
    launch("build-release", "allocate", 105, 600000)
    launch("build-nightly", "allocate", 160, 600000)
    for _ in range(4):
        launch("build-nightly", "sleep", 600000)
    launch("games-eu", "allocate", 48, 600000)
    launch("batch", "allocate", 22, 600000)
    launch("batch", "allocate", 24, 600000)
    rpc.call("pool.launch", pool="everybody-else", argv=["C:\\windows\\system32\\cmd.exe", "/c", LOOP.format(host.program("jobber"))])
    wait_until(lambda: sum(row["commitBytes"] for row in rpc.call("pool.usage")["pools"] if not row["parent"]) > 350 << 20, "memory to be used")
    rpc.call("pool.freeze", pool="batch")


def runs(cells):
    """Neighbours that look the same: (column, text, colours)."""
    found = []
    for column in range(COLUMNS):
        cell = cells[column]
        colours = (cell.bg, cell.fg) if cell.reverse else (cell.fg, cell.bg)
        if found and found[-1][2] == colours and (cell.data in BLOCKS) == (found[-1][1][-1] in BLOCKS):
            found[-1][1] += cell.data
        else:
            found.append([column, cell.data, colours])
    return found


def draw_blocks(x, y, text, ink):
    """Equal neighbours as one rectangle: between two a seam would show."""
    for same in re.finditer(r"(.)\1*", text):
        width, opacity = BLOCKS[same[1]]
        at, count = same.start(), len(same[0])
        yield (f'<rect x="{x + at * CELL_WIDTH:.1f}" y="{y + 3}" width="{(count if width == 1 else width) * CELL_WIDTH:.1f}" '
               f'height="{CELL_HEIGHT - 6}" fill="{ink}"' + (f' fill-opacity="{opacity}"/>' if opacity < 1 else "/>"))


def draw_run(line, column, text, ink, paper):
    """Word by word, each where it stands, so that no font's own widths move what comes after."""
    x, y = MARGIN + column * CELL_WIDTH, BAR + MARGIN + line * CELL_HEIGHT
    on_paper = paper not in ("default", "black")
    if on_paper:
        yield f'<rect x="{x:.1f}" y="{y}" width="{len(text) * CELL_WIDTH:.1f}" height="{CELL_HEIGHT}" fill="{SHADES.get(paper, INK)}"/>'
    ink = (PAPER if on_paper else SHADES["brightblack"]) if ink == "black" else SHADES.get(ink, INK)  # pyte does not tell bright black
    if text[0] in BLOCKS:
        yield from draw_blocks(x, y, text, ink)
        return
    for word in re.finditer(r"\S+", text):
        yield (f'<text x="{x + word.start() * CELL_WIDTH:.1f}" y="{y + 13}" fill="{ink}" textLength="{len(word[0]) * CELL_WIDTH:.1f}" '
               f'lengthAdjust="spacingAndGlyphs">{html.escape(word[0])}</text>')


def svg(screen, title):
    """The screen as a window, with its own dark background: it can be read on a light page and on a dark one."""
    width, height = COLUMNS * CELL_WIDTH + 2 * MARGIN, LINES * CELL_HEIGHT + 2 * MARGIN + BAR
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}" role="img" '
           f'aria-label="{html.escape(title)}" font-family="Consolas, \'Cascadia Mono\', \'DejaVu Sans Mono\', Menlo, monospace" '
           f'font-size="{FONT_SIZE}">')
    yield f"<title>{html.escape(title)}</title>"
    yield f'<rect x="0.5" y="0.5" width="{width - 1:.0f}" height="{height - 1:.0f}" rx="8" fill="{PAPER}" stroke="#4a515e"/>'
    yield f'<text x="{MARGIN}" y="20" fill="#8a92a0" font-size="13">C:\\&gt; jobpool top --tree</text>'
    for line in range(LINES):
        for column, text, (ink, paper) in runs(screen.buffer[line]):
            yield from draw_run(line, column, text, ink, paper)
    yield "</svg>"


def picture():
    """As the text of an SVG."""
    host = Host(BUILD.parent / "wine-pictures")
    service = ConsoleService(host, BUILD.parent / "pictures", {"pools": POOLS}, "jobpool-pictures")
    try:
        service.start()
        with service.bridge() as rpc, Terminal(host, "jobpool", "--pipe", service.pipe, "top", "--tree", "-d", "2s", columns=COLUMNS,
                                               lines=LINES) as terminal:
            work(rpc, host)
            terminal.press("n", "down", "down", "down")
            terminal.wait_for("POOL▲")
            until = time.monotonic() + 6  # frames over which things have settled: it is a picture, nothing depends on it
            terminal.wait_for(lambda t: time.monotonic() > until and "events" in t.text(), "frames")
            drawn = "\n".join(svg(terminal.screen, "jobpool top: a tree of pools with CPU, memory against its limit, processes, events and who enforces"))
            rpc.call("pool.thaw", pool="batch")
            terminal.press("q")
            terminal.finish()
    finally:
        service.end()
        host.close()
    return drawn + "\n"
