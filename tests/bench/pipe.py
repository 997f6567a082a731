"""Requests and answers over the pipe: beside a server that echoes, and beside one that others would write."""
import contextlib
import subprocess

from harness.clients import NODE, PACKAGES, Client, node_command, node_environment
from harness.host import PATIENCE_S, ROOT
from harness.service import ConsoleService
from measure import Failed, Figure, Pair, Section, program, run_wine

NODE_SERVER = ROOT / "tests" / "bench" / "node_server.js"

# Connections, questions outstanding on each, how many in all.
SHAPES = [("one client", 1, 1, 20000), ("8 clients", 8, 1, 40000), ("64 outstanding", 1, 64, 200000)]
TIMES = [Figure("p50", ", p50", "us", "lower"), Figure("p99", ", p99", "us", "lower")]


def rate(reach):
    return Figure("rate", "", "requests/s", "higher", reach)


def ask(host, pipe, answers, framing, connections, outstanding, count):
    return run_wine(host, "pipe_client", pipe, answers, framing, connections, outstanding, count, timeout=PATIENCE_S + count / 100)


@contextlib.contextmanager
def echo_server(host, pipe):
    server = host.start(program("pipe_echo"), pipe, stdout=subprocess.PIPE)
    try:
        if server.stdout.readline().strip() != b"ready":
            raise Failed("the echo server does not start")
        yield
    finally:
        server.kill()
        server.wait(PATIENCE_S)


@contextlib.contextmanager
def node_server(host, folder, pipe):
    server = Client(host, folder, node_command(host, NODE_SERVER, pipe), node_environment(host))
    try:
        server.said(1)
        yield
    finally:
        server.end()


@contextlib.contextmanager
def service(lab, host):
    with lab.fresh() as folder:
        ours = ConsoleService(host, folder / "service", {"pools": {"bench": {}}}, "jobpool-bench")
        try:
            ours.start()
            yield ours.pipe
        finally:
            ours.end()


def beside_echo(host, pipe, lab):
    """As much as the machine gives: an answer for which nothing was done. With 64 outstanding the echo sends back all that it has read in one write and
    looks at none of it; that is shown too, but what is to be reached is what it does for clients that ask one question at a time."""
    def ours(shape):
        return lambda: ask(host, pipe, "answer", "line", *shape)

    def echo(shape):
        return lambda: ask(host, "bench-echo", "echo", "line", *shape)
    shapes = {name: (connections, outstanding, lab.of(count)) for name, connections, outstanding, count in SHAPES}
    one, eight, outstanding = shapes["one client"], shapes["8 clients"], shapes["64 outstanding"]
    yield Pair("pipe, one client", [rate(0.7), *TIMES], ours(one), echo(one))
    yield Pair("pipe, 8 clients", [rate(0.8)], ours(eight), echo(eight))
    yield Pair("pipe, 64 outstanding, beside 8 clients of the echo", [rate(0.8)], ours(outstanding), echo(eight))
    yield Pair("pipe, 64 outstanding, beside 64 outstanding of the echo", [rate(None)], ours(outstanding), echo(outstanding))


def beside_node(host, pipe, lab):
    """Framed by Content-Length, which is all that it speaks."""
    for name, connections, outstanding, count in SHAPES:
        figures = [rate(None if name == "one client" else 5)]
        if not NODE.exists() or not PACKAGES.exists():
            yield Pair(f"pipe and node, {name}", figures, missing="there is no node.exe: see build/log/clients-npm.log")
            continue
        shape = connections, outstanding, lab.of(count // 4)
        yield Pair(f"pipe and node, {name}", figures, lambda shape=shape: ask(host, pipe, "answer", "length", *shape),
                   lambda shape=shape: ask(host, "bench-node", "answer", "length", *shape))


@contextlib.contextmanager
def pairs(lab):
    """All in one Wine; who is not asked sleeps."""
    with lab.wine() as host, service(lab, host) as pipe, contextlib.ExitStack() as stack, lab.fresh() as folder:
        stack.enter_context(echo_server(host, "bench-echo"))
        if NODE.exists() and PACKAGES.exists():
            stack.enter_context(node_server(host, folder, "bench-node"))
        yield [*beside_echo(host, pipe, lab), *beside_node(host, pipe, lab)]


SECTION = Section("pipe", pairs)
