"""rpc.discover: the service's description of itself."""
import json
import os
import re

import jsonschema
import pytest

from harness import answers
from harness.host import ROOT

PACKAGES = ROOT / "build" / "simd" / "node_modules"  # tests/simd/packages says which; ./dev fetches them
JSON_SCHEMA = "https://meta.json-schema.tools"


@pytest.fixture
def document(world):
    return world({"a": {}}).rpc.call("rpc.discover")


def fetched(package):
    """The schema that a package of the OpenRPC project exports."""
    file = PACKAGES / package / "index.js"
    if not file.exists() and os.environ.get("JOBPOOL_CLIENTS") != "required":
        pytest.skip("the OpenRPC meta-schema could not be fetched")
    return json.loads(re.search(r"^exports\.\w+ = (\{.*\});?\s*$", file.read_text(encoding="utf-8"), re.M)[1])


def test_it_is_valid_against_the_openrpc_meta_schema(document):
    schema, schemas = fetched("@open-rpc/meta-schema"), fetched("@json-schema-tools/meta-schema")
    resolver = jsonschema.RefResolver.from_schema(schema, store={JSON_SCHEMA: schemas, JSON_SCHEMA + "/": schemas})
    validator = jsonschema.Draft7Validator(schema, resolver=resolver)
    assert [f"{list(error.path)}: {error.message[:300]}" for error in validator.iter_errors(document)] == []
    document["methods"][0]["params"] = "none"
    assert not validator.is_valid(document), "it would be refused if it were wrong"


def test_every_schema_in_it_is_a_schema_and_every_reference_leads_somewhere(document):
    for name, schema in document["components"]["schemas"].items():
        jsonschema.Draft7Validator.check_schema(schema)
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document))):
        at = document
        for step in reference.split("/"):
            at = at[step]


def test_no_key_is_there_twice():
    """Which Python does not mind, and a strict reader refuses."""
    def members(pairs):
        keys = [key for key, _ in pairs]
        assert len(set(keys)) == len(keys), keys
        return dict(pairs)

    json.loads(answers.DOCUMENT.read_text(encoding="utf-8"), object_pairs_hook=members)


def test_it_is_what_answers_are_held_against(document):
    assert document == answers.document()


def test_every_method_is_described(document, world):
    rpc = world({"a": {}}).rpc
    names = [method["name"] for method in document["methods"]]
    assert len(set(names)) == len(names) > 35
    for method in document["methods"]:
        assert method["summary"].endswith("."), method["name"]
        assert method["paramStructure"] == "by-name" and method["errors"] and method["result"]["schema"]
        assert method["examples"] or method["name"].startswith("$/"), method["name"]
        for param in method["params"]:
            assert param["description"], (method["name"], param["name"])
        # It is there, and takes no other parameters.
        assert rpc.error(method["name"], nonsense=1).code == -32602
        if any(param.get("required") for param in method["params"]):
            assert "missing" in rpc.error(method["name"]).message


def abridged(schema):
    """Examples show of long results only what matters."""
    if isinstance(schema, list):
        return [abridged(one) for one in schema]
    if isinstance(schema, dict):
        return {key: abridged(value) for key, value in schema.items() if not (key == "required" and isinstance(value, list))}
    return schema


def test_every_example_is_of_the_form_that_it_is_an_example_of(document):
    components = abridged(answers.strict(document["components"]))
    for method in document["methods"]:
        taken = {"type": "object", "additionalProperties": False, "required": [param["name"] for param in method["params"] if param.get("required")],
                 "properties": {param["name"]: param["schema"] for param in method["params"]}}
        for example in method["examples"]:
            params = {param["name"]: param["value"] for param in example["params"]}
            jsonschema.Draft7Validator(taken | {"components": document["components"]}).validate(params)
            jsonschema.Draft7Validator({"allOf": [method["result"]["schema"]], "components": components}).validate(example["result"]["value"])


def test_deprecated_methods_are_listed(world):
    rpc = world({}).rpc
    deprecated = [method["name"] for method in rpc.call("rpc.discover")["methods"] if method.get("deprecated")]
    status = rpc.call("service.status")
    assert status["deprecated"] == deprecated
    assert status["version"] == rpc.call("rpc.discover")["info"]["version"]


def test_a_client_may_ask_for_it_again_and_again(world):
    """It is a few hundred KiB each time, and nothing of it stays."""
    rpc = world({}).rpc
    asked = [rpc.begin("rpc.discover") for _ in range(30)]
    first = rpc.finish(asked[0])
    assert all(rpc.finish(one) == first for one in asked[1:])
