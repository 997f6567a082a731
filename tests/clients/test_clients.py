"""Programs that nobody here wrote call the service, get errors from it, subscribe, cancel, send batches and read 10,000 events."""
import pytest

from harness.clients import EVENTS, make_events

VSCODE = ["vscode", "vscode-8"]
NODE = [*VSCODE, "json-rpc-2.0", "jayson"]
GO = ["go-content-length", "go-lines", "go-plain"]

NO_SUCH_POOL, METHOD_NOT_FOUND, INVALID_PARAMS, CANCELLED = -32001, -32601, -32602, -32800


@pytest.mark.parametrize("name", [*NODE, *GO])
def test_calls(client, name):
    [seen] = client(name, "call").reports()
    assert seen["protocol"] == 1 and seen["fixed"] == "fixed"
    assert seen["description"].startswith('é😀 \\ " from'), "what is beyond ASCII, and beyond 16 bits, comes back as it went"


@pytest.mark.parametrize("name", [*NODE, *GO])
def test_errors_are_the_librarys_own(client, name):
    [seen] = client(name, "errors").reports()
    assert [(error["code"], error["name"]) for error in seen[:3]] == [
        (NO_SUCH_POOL, "unknown_pool"), (METHOD_NOT_FOUND, "method_not_found"), (INVALID_PARAMS, "invalid_params")]
    assert "nowhere" in seen[0]["message"] and "no.such" in seen[1]["message"] and "poool" in seen[2]["message"]
    if name in VSCODE:
        assert seen[3]["code"] == INVALID_PARAMS, "a list of parameters"


@pytest.mark.parametrize("name, codes", [("vscode", [CANCELLED]), ("vscode-8", [CANCELLED]), ("json-rpc-2.0", [CANCELLED, CANCELLED]),
                                         ("go-content-length", [CANCELLED, CANCELLED]), ("go-lines", [CANCELLED, CANCELLED])])
def test_cancels(client, busy, name, codes):
    assert client(name, "cancel").reports() == [codes]


@pytest.mark.parametrize("name", VSCODE)
def test_progress(client, busy, name):
    """Told by the name that the client gave, at once and then each second."""
    assert client(name, "progress", 2).reports() == [[{"pool": "busy", "members": 1}] * 2]


@pytest.mark.parametrize("name", ["json-rpc-2.0", "jayson"])
def test_batches(client, name):
    assert client(name, "batch").reports() == [["fixed", NO_SUCH_POOL, 1]]


@pytest.mark.parametrize("name, answered", [("vscode", 60), ("vscode-8", 60), ("json-rpc-2.0", 60), ("jayson", 20),
                                            ("go-content-length", 60), ("go-lines", 60)])
def test_many_calls_at_once(client, name, answered):
    assert client(name, "parallel").reports() == [answered]


def test_ten_thousand_events_come_to_all_without_loss(client, rpc):
    """Live to those that can subscribe, all at once; then again, by pages and from the middle on."""
    first_seq = rpc.call("service.status")["seq"] + 1
    listeners = [client(name, "events", EVENTS) for name in ["vscode", "vscode-8", "json-rpc-2.0", "go-content-length", "go-lines"]]
    for listener in listeners:
        assert listener.said(1)[0] == '"subscribed"'
    newest = make_events(rpc)
    seen = [listener.reports(timeout=240)[-1] for listener in listeners]
    seen += client("jayson", "pages", first_seq, EVENTS).reports(timeout=120)
    seen += client("vscode", "resume", first_seq, EVENTS, EVENTS // 3).reports(timeout=120)
    for report in seen:
        assert report["count"] == EVENTS and report["ordered"] is True and report["last"] == newest, report
