"""Makes docs/cli.md: docs/cli.in.md with what `jobpool help --markdown` prints in the place of the line <!-- commands -->.

cli.py --write TEXT    TEXT is a file with what the program printed
"""
import pathlib
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
PLACE = "<!-- commands -->\n"


def page(commands):
    prose = (FOLDER / "cli.in.md").read_text(encoding="utf-8")
    assert prose.count(PLACE) == 1, f"cli.in.md has the line {PLACE.strip()} once"
    return prose.replace(PLACE, commands.replace("\r\n", "\n"))


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] != "--write":
        sys.exit(__doc__)
    (FOLDER / "cli.md").write_text(page(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8")), encoding="utf-8")
