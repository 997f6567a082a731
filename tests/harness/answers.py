"""Holds every answer that a test gets against what the service says of itself (rpc.discover): no member that the document does not have,
none missing, no error that it does not list. A test that got an answer of another form fails, whatever it is about."""
import copy
import functools
import json
import os
import pathlib

import fastjsonschema

from .host import ROOT, WINDOWS

# What the native build prints; tests/simd/test_discover.py sees that a running service answers the same.
DOCUMENT = pathlib.Path(os.environ.get("JOBPOOL_OPENRPC") or ROOT / "build" / "native" / "docs" / "openrpc.json")
NOT_A_METHODS = {-32700, -32600, -32601}  # for what is no request, or no method


@functools.cache
def document():
    """The OpenRPC document; None on a machine that has none (Windows, where the native build is not made)."""
    if WINDOWS and not DOCUMENT.exists():
        return None
    return json.loads(DOCUMENT.read_text(encoding="utf-8"))


def strict(schema):
    """The same, but for additions: clients ignore members that they do not know, the tests know them all."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: strict(value) for key, value in schema.items()}
    if isinstance(made.get("properties"), dict) and made.get("type") == "object":
        made.setdefault("additionalProperties", False)
    return made


@functools.cache
def components():
    return strict(copy.deepcopy(document()["components"]))


@functools.cache
def validator(text):
    """Of a schema as JSON text, compiled once."""
    return fastjsonschema.compile({"$schema": "http://json-schema.org/draft-07/schema#", "allOf": [json.loads(text)], "components": components()})


@functools.cache
def methods():
    """name: (its result's schema as text, the codes of its errors)"""
    errors = document()["components"]["errors"]
    return {method["name"]: (json.dumps(method["result"]["schema"]), {errors[one["$ref"].rsplit("/", 1)[-1]]["code"] for one in method["errors"]})
            for method in document()["methods"]}


@functools.cache
def notifications():
    return {one["name"]: json.dumps(one["params"]) for one in document()["x-notifications"]}


def hold(schema, value, what):
    try:
        validator(schema)(value)
    except fastjsonschema.JsonSchemaException as error:
        raise AssertionError(f"{what} is not as rpc.discover says: {error.message}\n{json.dumps(value)[:2000]}") from None


class Answers:
    """What one connection has asked, so that it is known what its answers are to."""

    def __init__(self):
        self._asked = {}

    def sent(self, message):
        for one in message if isinstance(message, list) else [message]:
            if isinstance(one, dict) and isinstance(one.get("method"), str) and "id" in one:
                self._asked.setdefault(json.dumps(one["id"]), []).append(one["method"])

    def sent_text(self, data):
        """Of bytes that a test made itself, what is a request is known; the rest is the test's own affair."""
        for line in data.split(b"\n") if len(data) < 1 << 16 else []:
            try:
                self.sent(json.loads(line))
            except (ValueError, RecursionError):
                pass

    def came(self, message):
        if document() is None:
            return
        for one in message if isinstance(message, list) else [message]:
            if "method" in one:
                assert one["method"] in notifications(), f"rpc.discover does not know the notification {one['method']}"
                hold(notifications()[one["method"]], one["params"], f"the notification {one['method']}")
            else:
                self._answered(one)

    def _answered(self, answer):
        key = json.dumps(answer["id"])
        asked = self._asked.get(key, [])
        method = asked[0] if len(set(asked)) == 1 else None  # the same id for different things: who knows which it is
        if method is not None:
            asked.pop(0)
        result, codes = methods().get(method, (None, None))
        if "error" in answer:
            hold('{"$ref": "#/components/schemas/Error"}', answer["error"], f"the error of {method}")
            if codes is not None:
                code = answer["error"]["code"]
                assert code in codes | NOT_A_METHODS, f"rpc.discover does not list this error of {method}: {answer['error']}"
        elif result is not None:
            hold(result, answer["result"], f"the result of {method}")
