"""JSON-RPC 2.0 as its specification has it, over the real pipe."""
import json

import pytest


def request(**members):
    return json.dumps({"jsonrpc": "2.0"} | members)


@pytest.mark.parametrize("request_id", [0, 1, -7, 2**53 - 1, 1.5, "x", "", "é😀", None])
def test_the_id_comes_back_as_it_went(rpc, request_id):
    answer = rpc.ask(request(method="pool.list", id=request_id))
    assert answer["jsonrpc"] == "2.0"
    assert answer["id"] == request_id and type(answer["id"]) is type(request_id)
    assert "pools" in answer["result"] and "error" not in answer


def test_an_id_that_could_not_come_back_exactly_is_refused(rpc):
    answer = rpc.ask('{"jsonrpc": "2.0", "method": "pool.list", "id": 9007199254740993}')
    assert answer["id"] is None and answer["error"]["code"] == -32600


def test_notification_is_done_and_not_answered(rpc):
    rpc.send_bytes((request(method="pool.create", params={"name": "noted"}) + "\n").encode())
    assert rpc.call("pool.get", pool="noted")["name"] == "noted"
    rpc.call("pool.delete", pool="noted")


def test_notification_that_fails_is_not_answered_either(rpc):
    rpc.send_bytes((request(method="no.such") + "\n" + request(method="pool.get", params={"pool": 3}) + "\n").encode())
    assert rpc.ask(request(method="pool.list", id="next"))["id"] == "next"


@pytest.mark.parametrize("line", ["{", "[1,", '{"jsonrpc": "2.0", "method": "pool.list", "id": 1}}', "nonsense", '{"a": \'b\'}',
                                  '{"jsonrpc": "2.0", "id": 01, "method": "pool.list"}', '{"a":1,"a":2}', "{} // no comments here"])
def test_broken_json(rpc, line):
    answer = rpc.ask(line)
    assert answer["id"] is None and answer["error"]["code"] == -32700
    assert answer["error"]["data"]["name"] == "parse_error"
    assert rpc.call("pool.list")["pools"], "the connection is still served"


def test_bytes_that_are_not_utf8(rpc):
    assert rpc.ask(b'{"jsonrpc": "2.0", "id": 1, "method": "\xff\xfe"}\n')["error"]["code"] == -32700
    assert rpc.call("pool.list")["pools"]


def test_a_nul_byte(rpc):
    assert rpc.ask(b'{"jsonrpc": "2.0", "id": 1, \x00"method": "pool.list"}\n')["error"]["code"] == -32700
    assert rpc.call("pool.list")["pools"]


@pytest.mark.parametrize("line", ["1", '"pool.list"', "null", "true", "{}", '{"jsonrpc": "1.0", "id": 1, "method": "pool.list"}',
                                  '{"id": 1, "method": "pool.list"}', '{"jsonrpc": "2.0", "id": 1}',
                                  '{"jsonrpc": "2.0", "id": 1, "method": 7}', '{"jsonrpc": "2.0", "id": 1, "method": "pool.list", "params": 7}',
                                  '{"jsonrpc": "2.0", "id": {"a": 1}, "method": "pool.list"}',
                                  '{"jsonrpc": "2.0", "id": [1], "method": "pool.list"}'])
def test_json_that_is_no_request(rpc, line):
    answer = rpc.ask(line)
    assert answer["error"]["code"] == -32600 and answer["error"]["data"]["name"] == "invalid_request"
    given = json.loads(line)
    usable = isinstance(given, dict) and isinstance(given.get("id"), (int, str))
    assert answer["id"] == (given["id"] if usable else None)


def test_unknown_method_with_a_suggestion(rpc):
    error = rpc.error("pool.lst")
    assert (error.code, error.name) == (-32601, "method_not_found")
    assert "pool.lst" in error.message and "pool.list" in error.message


@pytest.mark.parametrize("method, params, words", [
    ("pool.get", {}, "pool"),                                    # missing
    ("pool.get", {"pool": 7}, "pool"),                           # wrong type
    ("pool.get", {"pool": None}, "pool"),
    ("pool.get", {"pool": "child", "poool": 1}, "poool"),        # unknown
    ("pool.assign", {"pool": "child", "pid": "x"}, "pid"),
    ("pool.assign", {"pool": "child", "pid": -1}, "pid"),
    ("pool.assign", {"pool": "child", "pid": 1.5}, "pid"),
    ("pool.assign", {"pool": "child", "pid": 2**32}, "pid"),
    ("pool.wait", {"pool": "child", "timeout": 30}, "timeout"),  # of what?
    ("pool.launch", {"pool": "child"}, "argv"),
    ("pool.launch", {"pool": "child", "argv": []}, "argv"),
    ("pool.launch", {"pool": "child", "argv": "cmd"}, "argv"),
    ("pool.launch", {"pool": "child", "argv": ["cmd"], "env": {"A=B": "c"}}, "env"),
    ("pool.create", {"name": "x", "limits": {"active_process": 1}}, "active_processes"),
    ("pool.create", {"name": "x y"}, "x y"),
    ("pool.create", {"name": ""}, "name"),
    ("events.query", {"limit": 0}, "limit"),
    ("events.query", {"from": "yesterday"}, "yesterday"),
    ("accounting.processes", {"ending": "exploded"}, "ending"),
])
def test_wrong_parameters_are_named(rpc, method, params, words):
    error = rpc.error(method, **params)
    assert (error.code, error.name) == (-32602, "invalid_params")
    assert words in error.message


def test_parameters_by_position_are_refused(rpc):
    assert rpc.ask(request(method="pool.get", params=["child"], id=1))["error"]["code"] == -32602


def test_empty_parameter_objects_and_none_are_the_same(rpc):
    assert rpc.ask(request(method="pool.list", id=1)) == rpc.ask(request(method="pool.list", id=1, params={}))


def test_integers_are_taken_as_decimal_strings_too(rpc, pool, held):
    process = held()
    result = rpc.call("pool.assign", pool=pool, pid=str(process.pid), startTime=process.start_time)
    assert result["pid"] == process.pid and result["startTime"] == process.start_time


def test_batch_is_answered_with_one_list(rpc):
    batch = [{"jsonrpc": "2.0", "id": 1, "method": "pool.list"},
             {"jsonrpc": "2.0", "method": "pool.list"},
             {"jsonrpc": "2.0", "id": "two", "method": "no.such"},
             7,
             {"jsonrpc": "2.0", "id": 3, "method": "pool.get", "params": {"pool": "child"}}]
    answers = rpc.ask(json.dumps(batch))
    by_id = {answer["id"]: answer for answer in answers}
    assert len(answers) == 4 and set(by_id) == {1, "two", None, 3}
    assert "pools" in by_id[1]["result"] and by_id[3]["result"]["name"] == "child"
    assert by_id["two"]["error"]["code"] == -32601 and by_id[None]["error"]["code"] == -32600


def test_batch_of_notifications_is_not_answered(rpc):
    rpc.send([{"jsonrpc": "2.0", "method": "pool.list"}] * 3)
    assert rpc.ask(request(method="pool.list", id="next"))["id"] == "next"


def test_batch_with_a_slow_request_is_one_answer_all_the_same(rpc, pool, jobber):
    launched = rpc.call("pool.launch", pool=pool, argv=jobber("sleep", 300))
    answers = rpc.ask(json.dumps([
        {"jsonrpc": "2.0", "id": 1, "method": "pool.wait", "params": {"pool": pool, "pid": launched["pid"]}},
        {"jsonrpc": "2.0", "id": 2, "method": "pool.list"}]))
    assert {answer["id"] for answer in answers} == {1, 2}


def test_empty_batch(rpc):
    answer = rpc.ask("[]")
    assert answer["id"] is None and answer["error"]["code"] == -32600


def test_batch_over_the_bound(rpc):
    answer = rpc.ask(json.dumps([{"jsonrpc": "2.0", "id": 1, "method": "pool.list"}] * 101))
    assert answer["id"] is None and answer["error"]["data"]["name"] == "quota_exceeded"


def test_nesting_over_the_bound(rpc):
    answer = rpc.ask('{"jsonrpc": "2.0", "id": 1, "method": "pool.list", "params": {"a": ' + "[" * 100 + "]" * 100 + "}}")
    assert answer["error"]["code"] in (-32700, -32007)
    assert rpc.call("pool.list")["pools"]


@pytest.mark.parametrize("before, after", [(b"", b"\r\n"), (b"\n\r\n  \n", b"\n"), (b"\xef\xbb\xbf", b"\n"), (b" \t", b" \t\r\n")])
def test_line_ends_blank_lines_and_byte_order_mark(service, before, after):
    with service.bridge() as rpc:
        answer = rpc.ask(before + request(method="pool.list", id=1).encode() + after)
        assert answer["id"] == 1 and "result" in answer


def test_a_request_in_pieces(rpc):
    line = request(method="pool.get", params={"pool": "child"}, id=5).encode() + b"\n"
    for index in range(0, len(line), 10):
        rpc.send_bytes(line[index:index + 10])
    assert rpc.receive()["id"] == 5


def test_many_requests_in_one_write(rpc):
    rpc.send_bytes(b"".join(request(method="pool.list", id=i).encode() + b"\n" for i in range(50)))
    assert sorted(rpc.receive()["id"] for _ in range(50)) == list(range(50))


def test_a_waiting_request_keeps_nobody_else_waiting(rpc, pool, jobber):
    process = rpc.call("pool.launch", pool=pool, argv=jobber("sleep", 60000))
    waiting = rpc.begin("pool.wait", pool=pool)
    assert rpc.call("pool.get", pool=pool)["members"] == 1
    rpc.call("process.terminate", pid=process["pid"])
    assert rpc.finish(waiting) == {"pool": pool, "empty": True}


def test_too_many_requests_at_once(service, rpc, pool, jobber):
    rpc.call("pool.launch", pool=pool, argv=jobber("sleep", 60000))
    with service.bridge() as greedy:
        waiting = [greedy.begin("pool.wait", pool=pool, timeout="50s") for _ in range(65)]
        refused = greedy.receive()
        assert refused["error"]["data"]["name"] == "quota_exceeded" and refused["id"] == waiting[-1]
        assert rpc.call("pool.list")["pools"], "others are served"


def test_bridge_ends_when_the_last_answer_has_arrived(service):
    with service.bridge() as rpc:
        rpc.send({"jsonrpc": "2.0", "id": 1, "method": "pool.wait", "params": {"pool": "child", "timeout": "30s"}})
        rpc.send_bytes(request(method="pool.list", id=2).encode())  # without a line end: the end of the input is one
        code, answers, stderr = rpc.close()
        assert (code, stderr) == (0, "") and sorted(answer["id"] for answer in answers) == [1, 2]


def test_bridge_with_nothing_to_ask(service):
    with service.bridge() as rpc:
        assert rpc.close() == (0, [], "")
