"""Names that are not Unicode: halves of surrogate pairs alone, which Windows lets be in paths, command lines and environments. Through the pipe
they go as the escapes of RFC 8259 (docs/rpc.md, Messages), and come back as they went."""
import json
import subprocess

import pytest

# Alone at the end, alone in the middle, the wrong way round, beside a pair, and a pair that two arguments would make if they were put together.
ODD = ["\ud800", "a\ud83dz", "\udc00\ud800", "\udfff\U0001F600\ud800", "x\ud83d"]


@pytest.mark.parametrize("word", [*ODD, "\U0001F600", "é", "\uffff"], ids=ascii)
def test_an_argument_survives_the_way_there_and_back(rpc, pool, jobber, word):
    argv = [*jobber("sleep", 600000), word, "end"]
    pid = rpc.call("pool.launch", pool=pool, argv=argv)["pid"]
    row = rpc.call("process.get", pid=pid)
    assert row["commandLine"] == subprocess.list2cmdline(argv), ascii(row["commandLine"])
    assert rpc.call("pool.processes", pool=pool)["processes"][0]["commandLine"] == row["commandLine"]
    rpc.call("pool.terminate", pool=pool)
    rpc.call("pool.wait", pool=pool, timeout="30s")
    assert rpc.call("accounting.processes", pool=pool, pid=pid)["processes"][0]["commandLine"] == row["commandLine"], "also out of the database"


def test_the_program_gets_the_units_that_were_sent(rpc, pool, jobber, host, tmp_path):
    """Not only what the service tells of it: the process itself writes them down."""
    into = tmp_path / "units.txt"
    pid = rpc.call("pool.launch", pool=pool, argv=[*jobber("units", host.path(into)), "a\ud800b\udc00"])["pid"]
    assert rpc.call("pool.wait", pool=pool, pid=pid, timeout="60s")["exitCode"] == 0
    assert into.read_text().split() == ["0061", "d800", "0062", "dc00"]


def test_on_the_wire_it_is_the_escape(rpc, pool, jobber):
    """json.dumps writes it so; this is what a client in another language has to write."""
    program = json.dumps(jobber("sleep", 600000)[0])
    line = f'{{"jsonrpc":"2.0","id":1,"method":"pool.launch","params":{{"pool":"{pool}","argv":[{program},"sleep","600000","\\uD800"]}}}}'
    assert rpc.ask(line)["result"]["pool"] == pool
    assert rpc.call("pool.processes", pool=pool)["processes"][0]["commandLine"].endswith(" \ud800")


def test_the_bytes_of_a_surrogate_are_not_utf8(rpc):
    assert rpc.ask(b'{"jsonrpc":"2.0","id":1,"method":"pool.list","params":{"\xed\xa0\x80":1}}\n')["error"]["code"] == -32700


def test_a_working_folder_of_such_a_name_that_is_not_there(rpc, pool, jobber):
    error = rpc.error("pool.launch", pool=pool, argv=jobber("exit", 0), cwd="C:\\odd\ud800name")
    assert error.name == "system_error" and error.data["win32"] in (2, 3, 267)
