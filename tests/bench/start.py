"""The service's start with many pools, beside making as many job objects. What its process costs anyhow is measured by a start with one pool, and taken off:
the loading of the program, what it finds out of the host, a new database, the pipe."""
import contextlib
import signal
import statistics
import subprocess
import time

from harness.host import PATIENCE_S
from harness.service import ConsoleService
from measure import Failed, Figure, Pair, Section, run_wine

FIGURES = [Figure("ms", "", "ms", "lower", 2)]


@contextlib.contextmanager
def started(host, service):
    """The seconds until it says that it serves: its pipe takes clients then."""
    begin = time.monotonic()
    process = host.start("jobpoold", "--console", "--config", host.path(service.config_file), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        for line in process.stderr:
            if b"serving " in line:
                break
        else:
            raise Failed(f"the service ends with {process.wait(PATIENCE_S)} instead of starting")
        seconds = time.monotonic() - begin
        yield seconds
    finally:
        process.send_signal(signal.SIGINT)
        process.stderr.read()
        process.stderr.close()
        process.wait(PATIENCE_S)


def with_pools(lab, folder, host, count):
    return ConsoleService(host, folder, {"pools": {f"pool-{i}": {} for i in range(count)}}, f"jobpool-bench-start-{lab.hosts}")


def start_once(lab, host, count, again):
    """`again`: not the first start, so that its database has all that the one before recorded."""
    with lab.fresh() as folder:
        service = with_pools(lab, folder, host, count)
        if again:
            with started(host, service):
                pass
        with started(host, service) as seconds:
            return seconds * 1000


def start(lab, host, count, again=False, times=1):
    """`times`: short ones differ from one to the next by more than the pools cost."""
    both = [[start_once(lab, host, number, again) for number in (count, 1)] for _ in range(times)]
    many, one = (statistics.median(each) for each in zip(*both))
    return {"ms": many - one}


@contextlib.contextmanager
def pairs(lab):
    with lab.wine() as host:
        def pair(name, count, **more):
            return Pair(name, FIGURES, lambda: start(lab, host, count, **more), lambda: run_wine(host, "start_bench", count))

        yield [pair("start, 1,000 pools", 1000, times=7), pair("start, 10,000 pools", 10000),
               pair("start again, 10,000 pools", 10000, again=True)]


SECTION = Section("start", pairs)
