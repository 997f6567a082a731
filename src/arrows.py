"""Fails the build when a layer includes a header of a layer that src/meson.build does not let it see.

arrows.py SRC LAYER ALLOWED,LAYERS OUTPUT
"""
import pathlib
import re
import sys

source_root, layer, allowed, output = sys.argv[1:]
visible = {layer, *filter(None, allowed.split(","))}
layers = {path.name for path in pathlib.Path(source_root).iterdir() if path.is_dir()}
wrong = []
for path in sorted(pathlib.Path(source_root, layer).glob("*.[ch]")):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*"([^"/]+)/', line)
        if match and match[1] in layers - visible:
            wrong.append(f"{path}:{number}: {layer} may not see {match[1]}; the arrows are in src/meson.build")
if wrong:
    sys.exit("\n".join(wrong))
pathlib.Path(output).write_text("/* The arrows of this layer were checked. */\n", encoding="utf-8")
