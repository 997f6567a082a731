"""The examples of the JSON-RPC 2.0 specification (https://www.jsonrpc.org/specification#examples), one by one and in its order. Its methods are
examples' methods, so ours stand in for them; ids, shapes and everything about the protocol is the specification's. The one difference: parameters
by position, which a server may refuse, are refused."""
import json

import pytest


@pytest.fixture
def talk(world):
    """talk(text) sends a line as it is and returns what comes back before the answer to a request that follows it: all of it."""
    rpc = world({"a": {}}).rpc

    def send(text):
        rpc.socket.sendall(text.replace("\n", " ").encode() + b"\n")
        rpc.send({"jsonrpc": "2.0", "id": "after", "method": "pool.list"})
        came = []
        while not (isinstance(message := rpc.receive(), dict) and message["id"] == "after"):
            came.append(message)
        return came

    return send


def error(code, request_id=None):
    return lambda answer: (answer["jsonrpc"], answer.get("error", {}).get("code"), answer["id"], "result" in answer) == ("2.0", code, request_id, False)


def result(key, request_id):
    return lambda answer: answer["jsonrpc"] == "2.0" and key in answer.get("result", {}) and answer["id"] == request_id and "error" not in answer


def one(came, expected):
    assert len(came) == 1 and isinstance(came[0], dict) and expected(came[0]), came


def batch(came, *expected):
    """One list, in any order."""
    assert len(came) == 1 and isinstance(came[0], list) and len(came[0]) == len(expected), came
    left = list(came[0])
    for wanted in expected:
        found = [answer for answer in left if wanted(answer)]
        assert found, (left, came)
        left.remove(found[0])


def test_rpc_call_with_positional_parameters(talk):
    one(talk('{"jsonrpc": "2.0", "method": "pool.get", "params": ["a", 23], "id": 1}'), error(-32602, 1))
    one(talk('{"jsonrpc": "2.0", "method": "pool.get", "params": [23, "a"], "id": 2}'), error(-32602, 2))


def test_rpc_call_with_named_parameters(talk):
    one(talk('{"jsonrpc": "2.0", "method": "pool.processes", "params": {"recursive": false, "pool": "a"}, "id": 3}'), result("processes", 3))
    one(talk('{"jsonrpc": "2.0", "method": "pool.processes", "params": {"pool": "a", "recursive": false}, "id": 4}'), result("processes", 4))


def test_a_notification(talk):
    assert talk('{"jsonrpc": "2.0", "method": "pool.get", "params": [1,2,3,4,5]}') == []
    assert talk('{"jsonrpc": "2.0", "method": "pool.list"}') == []
    assert talk('{"jsonrpc": "2.0", "method": "foobar"}') == []


def test_rpc_call_of_non_existent_method(talk):
    one(talk('{"jsonrpc": "2.0", "method": "foobar", "id": "1"}'), error(-32601, "1"))


def test_rpc_call_with_invalid_json(talk):
    one(talk('{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]'), error(-32700))


def test_rpc_call_with_invalid_request_object(talk):
    one(talk('{"jsonrpc": "2.0", "method": 1, "params": "bar"}'), error(-32600))


def test_rpc_call_batch_invalid_json(talk):
    one(talk('''[
  {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
  {"jsonrpc": "2.0", "method"
]'''), error(-32700))


def test_rpc_call_with_an_empty_array(talk):
    one(talk("[]"), error(-32600))


def test_rpc_call_with_an_invalid_batch_but_not_empty(talk):
    batch(talk("[1]"), error(-32600))


def test_rpc_call_with_invalid_batch(talk):
    batch(talk("[1,2,3]"), error(-32600), error(-32600), error(-32600))


def test_rpc_call_batch(talk):
    batch(talk('''[
        {"jsonrpc": "2.0", "method": "pool.get", "params": {"pool": "a"}, "id": "1"},
        {"jsonrpc": "2.0", "method": "pool.list", "params": {}},
        {"jsonrpc": "2.0", "method": "pool.processes", "params": {"pool": "a"}, "id": "2"},
        {"foo": "boo"},
        {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
        {"jsonrpc": "2.0", "method": "service.status", "id": "9"}
    ]'''), result("name", "1"), result("processes", "2"), error(-32600), error(-32601, "5"), result("protocol", "9"))


def test_rpc_call_batch_all_notifications(talk):
    assert talk('''[
        {"jsonrpc": "2.0", "method": "pool.get", "params": [1,2,4]},
        {"jsonrpc": "2.0", "method": "pool.list", "params": {}}
    ]''') == []


# --------------------------------------------------------------- what the specification says in words, not in examples

@pytest.mark.parametrize("request_id", [0, -1, 1.5, 2**53 - 1, "", "x", "1", "\ud800", None])
def test_the_id_is_the_same_value(talk, request_id):
    """Also null, which it discourages and does not forbid."""
    came = talk(json.dumps({"jsonrpc": "2.0", "method": "pool.list", "id": request_id}))
    one(came, result("pools", request_id))
    assert type(came[0]["id"]) is type(request_id)


def test_half_a_character_as_id_is_taken_back(world):
    w = world({"a": {}})
    w.assigned("a")
    w.rpc.send({"jsonrpc": "2.0", "id": "\ud800", "method": "pool.wait", "params": {"pool": "a"}})
    assert w.rpc.call("rpc.cancel", id="\ud800")["cancelled"] and not w.rpc.call("rpc.cancel", id="\ud801")["cancelled"]


@pytest.mark.parametrize("version", ['"1.0"', '"2"', "2.0", "null", '"2.0 "'])
def test_the_version_is_exactly_so(talk, version):
    one(talk(f'{{"jsonrpc": {version}, "method": "pool.list", "id": 1}}'), error(-32600, 1))


def test_names_are_case_sensitive(talk):
    one(talk('{"jsonrpc": "2.0", "method": "Pool.List", "id": 1}'), error(-32601, 1))
    one(talk('{"jsonrpc": "2.0", "Method": "pool.list", "id": 1}'), error(-32600, 1))


def test_parameters_may_be_left_out_where_none_is_needed(talk):
    one(talk('{"jsonrpc": "2.0", "method": "pool.list", "id": 1}'), result("pools", 1))
    one(talk('{"jsonrpc": "2.0", "method": "pool.list", "params": {}, "id": 1}'), result("pools", 1))
