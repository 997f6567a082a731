"""Writes docs/rpc.md: docs/rpc.in.md with what the service says of itself in place of its lines {{...}}.

rpc.py --write OPENRPC.json             writes the file
rpc.py --check OPENRPC.json STAMP       fails if the file is not what --write would write

OPENRPC.json is what rpc.discover answers. Only Python itself is needed.
"""
import json
import pathlib
import re
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
TEMPLATE = FOLDER / "rpc.in.md"
DOCUMENT = FOLDER / "rpc.md"


def table(heads, rows):
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in row) + " |"


def anchor(name):
    return re.sub(r"[^a-z0-9_-]", "", name.lower())


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


def kind(schema):
    """A schema in few words."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{anchor(name)})"
    if "anyOf" in schema:
        kinds = list(dict.fromkeys(kind(one) for one in schema["anyOf"]))
        return " or ".join(kinds)
    if "enum" in schema:
        words = [f"`{word}`" for word in schema["enum"]]
        return ", ".join(words) if len(words) <= 12 else f"one of {len(words)} names"
    what = schema.get("type")
    if what == "array":
        return f"list of {kind(schema['items'])}"
    if what == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {kind(schema['additionalProperties'])}"
    if what == "object" and schema.get("properties"):
        return "{" + ", ".join(f"`{key}`" for key in schema["properties"]) + "}"
    if what == "integer" and "minimum" in schema and schema["maximum"] < 2**53 - 1:
        return f"integer, {schema['minimum']} to {schema['maximum']}"
    if what == "string" and re.fullmatch(r"\^\[0-9\]\+\$", schema.get("pattern", "")):
        return "decimal string"
    return {None: "anything", "boolean": "true or false"}.get(what, what)


def methods(document):
    """The list, by group."""
    rows = []
    for method in document["methods"]:
        params = ", ".join(f"`{p['name']}`" + ("" if p.get("required") else "?") for p in method["params"][:10])
        more = f" and {len(method['params']) - 10} more" if len(method["params"]) > 10 else ""
        name = f"[`{method['name']}`](#{anchor(method['name'])})"
        name += " (deprecated)" if method.get("deprecated") else ""
        rows.append((name, params + more, method.get("x-right", ""), method["summary"]))
    yield from table(("method", "parameters", "right", ""), rows)


def method_text(method):
    yield f"### {method['name']}"
    yield ""
    yield method["summary"] + (f" {method['description']}" if method.get("description") else "")
    if method.get("deprecated"):
        yield ""
        yield f"Deprecated: {method['x-deprecated']}"
    yield ""
    if method["params"]:
        yield from table(("parameter", "", "is"), ((f"`{p['name']}`" + ("" if p.get("required") else "?"), p.get("description", ""), kind(p["schema"]))
                                                for p in method["params"]))
        yield ""
    line = f"Result: {kind(method['result']['schema'])}."
    if method.get("x-right"):
        line += f" Right: `{method['x-right']}`."
    own = [error["$ref"].rsplit("/", 1)[-1] for error in method["errors"]]
    own = own[:len(own) - len(COMMON)] if own[-len(COMMON):] == COMMON else own
    if own:
        line += " Errors: " + ", ".join(f"`{name}`" for name in own) + "."
    yield line
    yield ""
    for example in method["examples"]:
        params = {param["name"]: param["value"] for param in example["params"]}
        request = {"jsonrpc": "2.0", "id": 1, "method": method["name"]} | ({"params": params} if params else {})
        yield f"Example, {example['name']}:"
        yield ""
        yield "```"
        yield "> " + compact(request)
        yield "< " + compact({"jsonrpc": "2.0", "id": 1, "result": example["result"]["value"]})
        yield "```"
        yield ""


COMMON = []


def details(document):
    common = None
    for method in document["methods"]:  # what all have at the end of their lists
        names = [error["$ref"].rsplit("/", 1)[-1] for error in method["errors"]]
        if common is None:
            common = names
        while common and names[-len(common):] != common:
            common = common[1:]
    COMMON[:] = common
    yield "Beside the errors that are listed, every method can have " + ", ".join(f"`{name}`" for name in common) + "."
    yield ""
    for method in document["methods"]:
        yield from method_text(method)


def objects(document):
    schemas = document["components"]["schemas"]
    for name in sorted(schemas):
        schema = schemas[name]
        yield f"### {name}"
        yield ""
        words = schema.get("description", "")
        if "properties" in schema:
            if words:
                yield words
                yield ""
            required = set(schema.get("required", []))
            takes = not schema.get("additionalProperties", True)  # a table of settings: all its keys are optional
            yield from table(("member", "", "is"), ((f"`{key}`" + ("" if key in required or takes else "?"), one.get("description", ""), kind(one))
                                                 for key, one in schema["properties"].items()))
        else:
            yield (words + " " if words else "") + kind(schema)[:1].upper() + kind(schema)[1:] + "."
        yield ""


def errors(document):
    yield from table(("code", "name", "meaning"), ((error["code"], f"`{name}`", error["message"]) for name, error in document["components"]["errors"].items()))


def notifications(document):
    yield from table(("notification", "", "parameters"), ((f"`{one['name']}`", one["summary"], kind(one["params"])) for one in document["x-notifications"]))


PARTS = {"methods": methods, "details": details, "objects": objects, "errors": errors, "notifications": notifications}


def write(document):
    lines = ["<!-- Written by ./dev docs from rpc.in.md and the service's own description; do not edit. -->"]
    for line in TEMPLATE.read_text(encoding="utf-8").splitlines():
        part = re.fullmatch(r"\{\{(\w+)\}\}", line)
        lines += PARTS[part[1]](document) if part else [line]
    text = "\n".join(lines).rstrip("\n") + "\n"
    return re.sub(r"\n{3,}", "\n\n", text)


def main(mode, source, stamp=None):
    text = write(json.loads(pathlib.Path(source).read_text(encoding="utf-8")))
    if mode == "--write":
        DOCUMENT.write_text(text, encoding="utf-8", newline="\n")
        return
    if not DOCUMENT.exists() or DOCUMENT.read_text(encoding="utf-8") != text:
        sys.exit("docs/rpc.md is not what the service says of itself; run ./dev docs")
    pathlib.Path(stamp).write_text("checked\n", encoding="utf-8")


if __name__ == "__main__":
    if (sys.argv[1:2], len(sys.argv)) not in ((["--write"], 3), (["--check"], 4)):
        sys.exit(__doc__)
    main(*sys.argv[1:])
