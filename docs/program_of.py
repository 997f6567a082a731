"""Takes the C program out of a page: program_of.py PAGE.md PROGRAM.c"""
import pathlib
import re
import sys

page, program = map(pathlib.Path, sys.argv[1:])
text = page.read_text(encoding="utf-8")
match = re.search(r"^```c\n(.*?)^```", text, re.S | re.M)
if not match:
    sys.exit(f"{page}: there is no C program between ```c and ```")
line = text[:match.start(1)].count("\n") + 1
program.write_text(f'#line {line} "{page.name}"\n{match[1]}', encoding="utf-8")
