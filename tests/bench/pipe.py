"""Requests and answers over the pipe, beside a server that echoes."""
import contextlib
import subprocess

from harness.host import PATIENCE_S
from harness.service import ConsoleService
from measure import Failed, Figure, Pair, Section, program, run_wine

FIGURES = [Figure("rate", "", "requests/s", "higher", 0.7), Figure("p50", ", p50", "us", "lower"), Figure("p99", ", p99", "us", "lower")]


def ask(host, pipe, count):
    return run_wine(host, "pipe_bench", "client", pipe, count, timeout=PATIENCE_S + count / 100)


@contextlib.contextmanager
def echo_server(host, pipe, answer_bytes):
    server = host.start(program("pipe_bench"), "echo-server", pipe, answer_bytes, stdout=subprocess.PIPE)
    try:
        if server.stdout.readline().strip() != b"ready":
            raise Failed("the echo server does not start")
        yield
    finally:
        server.kill()
        server.wait(PATIENCE_S)


@contextlib.contextmanager
def pairs(lab):
    """The service with one pool, and the echo server, in one Wine of their own."""
    with lab.wine() as host, lab.fresh() as folder:
        service = ConsoleService(host, folder / "service", {"pools": {"bench": {}}}, "jobpool-bench")
        try:
            service.start()
            answer_bytes = ask(host, service.pipe, 1)["answerBytes"]
            with echo_server(host, "echo-bench", answer_bytes):
                count = lab.of(20000)
                yield [Pair("pipe, one client", FIGURES, lambda: ask(host, service.pipe, count), lambda: ask(host, "echo-bench", count))]
        finally:
            service.end()


SECTION = Section("pipe", pairs)
