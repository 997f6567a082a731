"""The results as a person reads them: the table of a terminal, and the one of docs/performance.md."""
from harness.host import ROOT

PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- figures: written by ./dev bench --write -->\n", "<!-- figures: end -->\n"


def number(value):
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.1f}"


def ratio(compared):
    return f"{compared['ratio']:.2f}" if compared else ""


def reach(one):
    if one["reach"] is None:
        return ""
    return f"{'at least' if one['better'] == 'higher' else 'at most'} {one['reach']:g}"


def holds(one):
    return {None: "", True: "yes", False: "NO"}[one["pass"]]


def row(one):
    if one.get("missing"):
        return [one["name"], "not measured", "", one["unit"], "", "", reach(one), "", ""]
    return [one["name"], number(one["value"]), number(one["baseline"]), one["unit"], ratio(one), f"{one['spread']:.0%}", reach(one), holds(one),
            ratio(one["free"])]


HEAD = ["", "ours", "baseline", "", "ratio", "spread", "reach", "holds", "free"]
RIGHT = {1, 2, 4, 5, 8}  # columns of numbers


def table(results):
    rows = [HEAD, *map(row, results)]
    widths = [max(len(line[i]) for line in rows) for i in range(len(HEAD))]
    return "\n".join("  ".join(cell.rjust(width) if i in RIGHT else cell.ljust(width) for i, (cell, width) in enumerate(zip(line, widths))).rstrip()
                     for line in rows)


def verdict(results):
    judged = [one for one in results if one["pass"] is not None]
    return f"{sum(one['pass'] for one in judged)} of {len(judged)} figures are within reach"


def write(conditions, results):
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    lines = [HEAD, ["---:" if i in RIGHT else "---" for i in range(len(HEAD))], *map(row, results)]
    text = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    PAGE.write_text(f"{before}{BEGIN}\n{conditions}: {verdict(results)}.\n\n{text}\n\n{END}{after}", encoding="utf-8")
