"""The table of bounds: how much of what one of each thing may cost."""
import math
import pathlib
import re

TABLE = pathlib.Path(__file__).with_name("bounds.txt")
HEADROOM = 1.15  # compilers and C libraries differ by some per cent, from one Debian to the next
ROW = re.compile(r"(?P<name>[^=#]+?)\s*=\s*(?P<bound>[\d.]+)\s*(?P<where>#.*)?")


def rounded_up(value):
    """To three figures, so that the table is read easily."""
    if value <= 0:
        return 0
    step = 10 ** (math.floor(math.log10(value)) - 2)
    return round(math.ceil(value / step - 1e-9) * step, 6)


class Bounds:
    def __init__(self, renew):
        self.renew = renew
        self.measured = {}
        self.lines = TABLE.read_text(encoding="utf-8").splitlines()
        found = (ROW.fullmatch(line) for line in self.lines)
        self.rows = {row["name"]: (float(row["bound"]), row["where"] or "") for row in found if row}

    def check(self, name, value):
        """Fails if it is more than the table allows; a new one must be put into the table first (with any number, then renewed)."""
        assert name in self.rows, f'{TABLE.name} has no row "{name}"; add "{name} = 0  # where to look" and run ./dev test counts -- --renew'
        self.measured[name] = value
        bound, where = self.rows[name]
        if not self.renew:
            assert value <= bound, (f"{name}: {value:,.2f}, and {TABLE.name} allows {bound:,g}. {where.lstrip('# ')}. What it is made of: see "
                                    "docs/performance.md. If it is to cost more from now on: ./dev test counts -- --renew, and say why")

    def finish(self):
        if self.renew and self.measured:
            TABLE.write_text("\n".join(self.renewed(line) for line in self.lines) + "\n", encoding="utf-8")

    def renewed(self, line):
        row = ROW.fullmatch(line)
        if not row or row["name"] not in self.measured:
            return line
        return f"{row['name']:<36} = {rounded_up(self.measured[row['name']] * HEADROOM):<9g} {row['where'] or ''}".rstrip()
