"""A .NET client with NamedPipeClientStream: lines with CRLF, a byte order mark in a write of its own, both kinds of handle."""
import pathlib

import pytest

from harness.clients import EVENTS, POOLS, blocks, make_events

SOURCE = pathlib.Path(__file__).parent / "Client.cs"
NO_SUCH_POOL, METHOD_NOT_FOUND, INVALID_PARAMS, CANCELLED = -32001, -32601, -32602, -32800


@pytest.fixture(params=["synchronous", "asynchronous"])
def client(request, service, start, compiled):
    """client(scenario, ...) -> Client."""
    program = compiled(SOURCE)
    return lambda scenario, *more: start([*program, scenario, service.pipe, request.param, *more], {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"})


def test_dotnet(client, busy):
    [seen] = client("call").reports()
    assert seen == {"protocol": 1, "description": 'é😀 \\ " from .NET', "fixed": "fixed"}
    assert client("errors").reports() == [[[NO_SUCH_POOL, "unknown_pool"], [METHOD_NOT_FOUND, "method_not_found"], [INVALID_PARAMS, "invalid_params"]]]
    assert client("batch").reports() == [["fixed", NO_SUCH_POOL]]
    assert client("cancel").reports() == [CANCELLED]


def test_ten_thousand_events(client, rpc):
    listener = client("events", EVENTS)
    assert listener.said(1) == ['"subscribed"']
    newest = make_events(rpc)
    assert listener.reports(timeout=240)[-1] == {"count": EVENTS, "ordered": True, "last": newest}


def test_the_program_of_the_page(service, start, compiled, tmp_path):
    source = tmp_path / "First.cs"
    source.write_text(blocks("clients.md")["C#", "csharp"], encoding="utf-8")
    assert sorted(start(compiled(source), {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}).finish().split()) == sorted(POOLS)
