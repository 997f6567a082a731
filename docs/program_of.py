"""Takes a C program out of a page: program_of.py PAGE.md NUMBER PROGRAM.c; the first one is number 1."""
import pathlib
import re
import sys

page, number, program = pathlib.Path(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])
text = page.read_text(encoding="utf-8")
found = list(re.finditer(r"^```c\n(.*?)^```", text, re.S | re.M))
if len(found) < number:
    sys.exit(f"{page}: there is no C program number {number} between ```c and ```")
match = found[number - 1]
line = text[:match.start(1)].count("\n") + 1
program.write_text(f'#line {line} "{page.name}"\n{match[1]}', encoding="utf-8")
