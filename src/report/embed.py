"""Writes a text as a C array, with what a Content-Security-Policy calls it: embed.py FILE NAME OUTPUT"""
import base64
import hashlib
import pathlib
import sys

source, name, output = sys.argv[1:]
data = pathlib.Path(source).read_bytes()
data.decode("ascii")
if b"</" in data:
    sys.exit(f"{source}: \"</\" could end the element that it stands in")
digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
rows = ",\n".join(", ".join(map(str, data[at:at + 32])) for at in range(0, len(data), 32))
pathlib.Path(output).write_text(
    f"/* Made of {pathlib.Path(source).name} by embed.py. */\n"
    f"#define jp__{name}_hash \"sha256-{digest}\"\n"
    f"static const char jp__{name}[] = {{\n{rows}\n}};\n", encoding="ascii")
