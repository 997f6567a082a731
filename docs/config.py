"""Writes docs/config.md and config/jobpool.schema.json from the tables that the service reads its configuration with.

config.py --write TABLES.json             writes both files
config.py --check TABLES.json STAMP       fails if one of them is not what --write would write

TABLES.json is what docs/print_config.c prints. docs/config.in.md has the words; a line {{table NAME}} in it becomes the table of an
object's keys. Keys of objects inside stand there too, unless these have a table of their own: then they are a link to it. Each key has an
example out of config/jobpool.json (with its settings behind // taken too) or out of the words' own fragments, all of which the tests load.
Only Python itself is needed.
"""
import json
import pathlib
import re
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
TEMPLATE = FOLDER / "config.in.md"
DOCUMENT = FOLDER / "config.md"
EXAMPLE = FOLDER.parent / "config" / "jobpool.json"
SCHEMA = FOLDER.parent / "config" / "jobpool.schema.json"
LISTENER = FOLDER.parent / "src" / "win32" / "pipe_listener.h"

PLACEHOLDER = re.compile(r"\{\{table ([\w.]+)\}\}")
FRAGMENT = re.compile(r"^```json (config|pool)\n(.*?)^```$", re.S | re.M)
COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.S)
NUMBER_MAX = 2**32 - 1
NAMED = {"pools": "pool", "templates": "template"}  # objects by name, and the table of one

# Who stands in for the kernel, in the words of print_config.c.
BY = {"service": "kernel, else service", "fallback": "kernel, else service with `cpu_rate_fallback`", "none": "kernel, else none"}
# The same of what is no limit.
OTHERS = {"ui": "kernel, else none", "end_of_job_time": "who enforces `job_time`", "notify.cpu_rate": "kernel, else none",
          "notify.network_rate": "kernel, else none", "notify": "kernel, else service"}
OTHERS |= dict.fromkeys(["security", "timeouts", "stop", "memory_policy", "match", "exclude", "default", "when_full", "wait_timeout", "sessions"], "service")


def fail(text):
    sys.exit(f"docs/config.md: {text}; then run ./dev docs")


def relaxed(text):
    """JSON with comments."""
    return json.loads(COMMENT.sub(lambda match: match[1] or "", text))


def with_settings(text):
    """jobpool.json with what stands behind //" as a setting."""
    return relaxed(re.sub(r'^( *)//"', r'\1"', text, flags=re.M))


def fragment(text):
    """The object that a fragment of a document is: whole, or its members."""
    return relaxed(text if text.lstrip().startswith("{") else "{" + text + "}")


# --- examples ---

def values_at(value, path, fields):
    """What an object (or a list of them) has at a path, short forms included."""
    if isinstance(value, list):
        for one in value:
            yield from values_at(one, path, fields)
        return
    if not path:
        yield value
        return
    if not isinstance(value, dict) or path[0] not in value:
        return
    field = next(one for one in fields if one["key"] == path[0])
    inner = value[path[0]]
    if len(path) == 1:
        yield inner
    elif isinstance(inner, dict) or field["type"] == "list":
        yield from values_at(inner, path[1:], field.get("fields", []))
    elif path[1:] == [field.get("shorthand")]:
        yield inner


class Examples:
    def __init__(self, tables, template):
        self.tables = tables
        configs = [with_settings(EXAMPLE.read_text(encoding="utf-8"))]
        pools = []
        for kind, text in FRAGMENT.findall(template):
            (configs if kind == "config" else pools).append(fragment(text))
        self.objects = {"config": configs, "pool": [pool for config in configs for pool in config.get("pools", {}).values()] + pools,
                        "template": [one for config in configs for one in config.get("templates", {}).values()]}

    def of(self, root, path):
        for value in self.objects[root]:
            for found in values_at(value, path, self.tables[root]):
                return found
        return fail(f"there is no example of {root}.{'.'.join(path)}: show it in config/jobpool.json, or in a ```json fragment of docs/config.in.md")


# --- words ---

def code(value):
    return "`" + json.dumps(value, ensure_ascii=False, separators=(", ", ": ")) + "`"


def number_range(field, name):
    least, most = field["min"], field["max"]
    if most:
        return f"{name}, {least} to {most}"
    return f"{name}, from {least}" if least else name


def quantity_range(field, name):
    far = int(field["max"]) >= 2**62  # the type's own end
    if field["max"] and not far:
        return f"{name}, {field['least']} to {field['most']}" if field["min"] else f"{name}, to {field['most']}"
    return f"{name}, from {field['least']}" if field["min"] else name


def value_words(field):
    kind = field["type"]
    if kind == "number":
        return number_range(field, "number")
    if kind in ("size", "duration"):
        return quantity_range(field, kind)
    if kind == "share":
        return "share, above 0%"
    if kind in ("choice", "flags"):
        words = ", ".join(f"`{choice}`" for choice in field["choices"])
        return words if kind == "choice" else f"list of {words}"
    if kind in ("list", "strings"):
        most = f", {field['max']} at most" if field["max"] else ""
        return f"list of {'rules' if kind == 'list' else 'texts'}{most}"
    if kind in ("string", "path"):
        most = f", to {field['max']} bytes" if field["max"] else ""
        return ("text" if kind == "string" else "file name") + most
    return {"bool": "true, false", "processors": "processors", "environment": "object of texts or null", "named": "object, by name",
            "object": "object"}[kind]


def without_default(field, value):
    """The documentation without what the column of defaults says; a default that is another one is a fault."""
    text = field["documentation"]
    match = re.search(r"(?:; d| D)efault ([\w%]+)([.;:])(?= |$)", text)
    if not match or value is None:
        return text
    if re.sub("^60s$", "1m", re.sub("(?<=[0-9])min$", "m", match[1])).lower() != (value if isinstance(value, str) else json.dumps(value)).lower():
        fail(f"the documentation of {field['key']} says default {match[1]}, the program says {value}: correct the table")
    before, rest = text[:match.start()], text[match.end():].strip()
    before += "" if before.endswith(".") else "."
    if match[2] == ":":
        rest = f"{match[1]}: {rest}"
    return f"{before} {rest[:1].upper()}{rest[1:]}".strip()


def plain(text):
    """Words that are no Markdown."""
    return re.sub(r"([\\*<>`])", r"\\\1", text)


def cell(text):
    return str(text).replace("|", "\\|").replace("\n", " ")


def table(heads, rows):
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield "| " + " | ".join(map(cell, row)) + " |"


def anchor(heading):
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


# --- the tables ---

class Document:
    def __init__(self, tables):
        self.tables = tables
        self.text = TEMPLATE.read_text(encoding="utf-8")
        self.examples = Examples(tables, self.text)
        self.pipe_security = re.search(r'define JP_PIPE_DEFAULT_SECURITY "([^"]*)"', LISTENER.read_text(encoding="utf-8"))[1]
        self.homes = {}  # the table's name -> the heading that it stands under
        heading = ""
        for line in self.text.splitlines():
            heading = re.sub(r"^#+ ", "", line) if re.match(r"#+ ", line) else heading
            if match := PLACEHOLDER.fullmatch(line):
                self.homes[match[1]] = heading
        self.shown = {json.dumps(self.fields(name)): name for name in self.homes}

    def fields(self, name):
        root, *path = name.split(".")
        fields = self.tables[root]
        for key in path:
            fields = next(field for field in fields if field["key"] == key)["fields"]
        return fields

    def enforcer(self, path, field):
        """Of a pool's key."""
        if path[0] == "limits" and len(path) > 1:
            stand_ins = self.tables["standIns"]
            names = [".".join([*path[1:], field.get("shorthand", "")]), ".".join(path[1:3]), path[1]]
            return BY[next(stand_ins[name] for name in names if name in stand_ins)]
        return next((OTHERS[name] for name in (".".join(path[:2]), path[0]) if name in OTHERS), "")

    def default(self, root, field, path):
        if field["required"]:
            return "required"
        if root == "config" and path == ["pipe", "security"]:
            return f"`{self.pipe_security}`"
        return code(field["default"]) if "default" in field else "none"

    def rows(self, root, fields, path):
        for field in fields:
            here = [*path, field["key"]]
            name = "`" + ".".join(here) + "`"
            if not field["documentation"]:
                fail(f"{root}.{'.'.join(here)} has no documentation: write its sentence into the table")
            by = self.enforcer(here, field) if root == "pool" else ""
            home = NAMED.get(field["key"]) if field["type"] == "named" else self.shown.get(json.dumps(field.get("fields")))
            if home:
                link = f"[{self.homes[home]}](#{anchor(self.homes[home])})"
                yield name, f"{value_words(field)}: {link}", "required" if field["required"] else "", "", plain(field["documentation"]), by
                continue
            default = self.default(root, field, here)
            words = value_words(field)
            if field.get("fields"):
                words += f", or its `{field['shorthand']}`" if field.get("shorthand") else ""
            yield name, words, default, code(self.examples.of(root, here)), plain(without_default(field, field.get("default"))), by
            if field.get("fields"):
                yield from self.rows(root, field["fields"], here)

    def table_of(self, name):
        root, *path = name.split(".")
        rows = list(self.rows(root, self.fields(name), path))
        heads = ["key", "value", "default", "example", "", "enforced by"]
        if len({row[5] for row in rows}) == 1:  # the words around the table say it
            heads, rows = heads[:5], [row[:5] for row in rows]
        yield from table(heads, rows)

    def write(self):
        lines = ["<!-- Written by ./dev docs from config.in.md and the tables of the sources; do not edit. -->"]
        for line in self.text.splitlines():
            match = PLACEHOLDER.fullmatch(line)
            lines += self.table_of(match[1]) if match else [line]
        for needed in ["config", "pool", "template"]:
            if needed not in self.homes:
                fail(f"docs/config.in.md has no line {{{{table {needed}}}}}")
        return "\n".join(lines).rstrip("\n") + "\n"


# --- the schema for editors ---

DEFINITIONS = {
    "size": {"type": ["string", "integer"], "pattern": "^[0-9]+([.][0-9]{1,9})?( ?(TiB|GiB|MiB|KiB|TB|GB|MB|kB|KB|B))?$", "minimum": 0,
             "examples": ["512MiB", "1.5GiB", "10MB"]},
    "duration": {"type": "string", "pattern": "^(0|([0-9]+([.][0-9]{1,9})?(d|h|min|m|s|ms|us))+)$", "examples": ["90s", "1h30m", "250ms"]},
    "share": {"type": "string", "pattern": "^(100([.]0+)?|[0-9]{1,2}([.][0-9]{1,2}0*)?)%$", "examples": ["50%", "12.5%"]},
    "processors": {"type": "string", "pattern": "^([0-9]{1,2}(-[0-9]{1,2})?(,[0-9]{1,2}(-[0-9]{1,2})?)*|0[xX][0-9A-Fa-f]{1,16})$",
                   "examples": ["0-3,6", "0xF"]},
    "name": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"},
}


def bounds(field, least, most):
    return {word: int(field[key]) for word, key in ((least, "min"), (most, "max")) if word and int(field[key])}


def list_schema(items, field, unique=True):
    return {"type": "array", "items": items} | ({"uniqueItems": True} if unique else {}) | bounds(field, None, "maxItems")


def value_schema(field):
    kind = field["type"]
    if kind in ("size", "duration", "share", "processors"):
        return {"$ref": f"#/$defs/{kind}"}
    if kind == "bool":
        return {"type": "boolean"}
    if kind == "number":
        return {"type": "integer", "minimum": int(field["min"]), "maximum": int(field["max"]) or NUMBER_MAX}
    if kind in ("string", "path"):
        return {"type": "string"} | bounds(field, "minLength", "maxLength")
    if kind == "choice":
        return {"enum": field["choices"]}
    if kind == "flags":
        return {"type": "array", "items": {"enum": field["choices"]}, "uniqueItems": True}
    if kind == "strings":
        return list_schema({"type": "string"}, field, unique=field["key"] != "argv")  # a program may have the same argument twice
    if kind == "list":
        return list_schema(object_schema(field["fields"]), field)
    if kind == "object":
        return object_schema(field["fields"])
    if kind == "environment":
        return {"type": "object", "additionalProperties": {"type": ["string", "null"]}}
    if kind == "named":
        reference = {"$ref": f"#/$defs/{NAMED[field['key']]}"}
        return {"type": "object", "propertyNames": {"$ref": "#/$defs/name"}, "additionalProperties": reference}
    return fail(f"say in docs/config.py how a value of the type {kind} stands in the schema ({field['key']})")


def field_schema(field):
    schema = value_schema(field)
    if field.get("shorthand"):  # either the object, or the value of one of its keys
        inner = next(one for one in field["fields"] if one["key"] == field["shorthand"])
        schema = {"anyOf": [value_schema(inner), schema]}
    return {"description": field["documentation"]} | schema


def object_schema(fields):
    required = [field["key"] for field in fields if field["required"]]
    return {"type": "object", "properties": {field["key"]: field_schema(field) for field in fields}} | (
        {"required": required} if required else {}) | {"additionalProperties": False}


def pretty(value, indent=0):
    """JSON whose short objects and lists stand on a line."""
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, (dict, list)) or not value or indent + len(flat) <= 130:
        return flat
    pad = " " * (indent + 2)
    if isinstance(value, list):
        inner = [pad + pretty(one, indent + 2) for one in value]
    else:
        inner = [f"{pad}{json.dumps(key)}: {pretty(one, indent + 2)}" for key, one in value.items()]
    ends = "[]" if isinstance(value, list) else "{}"
    return ends[0] + "\n" + ",\n".join(inner) + "\n" + " " * indent + ends[1]


def schema(tables):
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "JobPool configuration",
        "description": "jobpool.json, for editors. Written by ./dev docs from the service's own tables; do not edit. The service itself checks "
                       "more: parents, ranges of sizes, what goes together.",
        "allowComments": True,
    } | object_schema(tables["config"])
    document["$defs"] = DEFINITIONS | {"pool": object_schema(tables["pool"]), "template": object_schema(tables["template"])}
    return pretty(document) + "\n"


def main(mode, source, stamp=None):
    tables = json.loads(pathlib.Path(source).read_text(encoding="utf-8"))
    written = {DOCUMENT: Document(tables).write(), SCHEMA: schema(tables)}
    for path, text in written.items():
        if mode == "--write":
            path.write_text(text, encoding="utf-8", newline="\n")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            sys.exit(f"{path.parent.name}/{path.name} is not what the sources' tables say; run ./dev docs")
    if stamp:
        pathlib.Path(stamp).write_text("checked\n", encoding="utf-8")


if __name__ == "__main__":
    if (sys.argv[1:2], len(sys.argv)) not in ((["--write"], 3), (["--check"], 4)):
        sys.exit(__doc__)
    main(*sys.argv[1:])
