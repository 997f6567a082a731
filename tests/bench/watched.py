"""The real service in a Wine of its own with pools and members that sleep, and a bare program that waits for as much: what both cost while
nothing happens."""
import contextlib
import pathlib
import subprocess

from harness.bridge import Bridge
from harness.host import PATIENCE_S, wait_until
from harness.service import ConsoleService
from measure import Failed, program

AT_ONCE = 50  # launches that are under way
IMAGE_BASE = 0x140000000  # of programs, unless they say otherwise
THREADS = 4   # of the service, beside its loop: port, door, writer and reader; those of the host's own are the bare program's too


class IdleService(ConsoleService):
    """tests/bench/idle_host.c says why it is not jobpoold.exe itself."""

    def launch(self, *arguments):
        self.stderr_file = self.folder / "stderr.txt"
        with open(self.stderr_file, "wb") as stderr:
            self.process = self.host.start(program("idle_service"), "--console", "--config", self.host.path(self.config_file), *arguments,
                                           stdout=subprocess.DEVNULL, stderr=stderr)


def pool_name(number):
    return f"idle{number}"


def config_of(pools, **more):
    return {"sampling": {"record": "0s"}, "pools": {pool_name(number): {"on_service_stop": "terminate"} for number in range(pools)}} | more


@contextlib.contextmanager
def service(host, folder, config):
    running = IdleService(host, pathlib.Path(folder), config, "idle")
    try:
        yield running.start()
    finally:
        running.end()


def launch_members(running, pools, count):
    """Starts so many sleeping members, in turn in each pool, and returns their pids."""
    argv = [running.host.path(program("idle_bench")), "sleep"]
    pids, waiting = [], []
    with Bridge(running.host, running.pipe) as bridge:
        for number in range(count):
            waiting.append(bridge.begin("pool.launch", pool=pool_name(number % pools), argv=argv))
            if len(waiting) == AT_ONCE or number == count - 1:
                pids += [bridge.finish(one)["pid"] for one in waiting]
                waiting = []
    return pids


@contextlib.contextmanager
def bare(host, jobs, pids):
    """Has as many threads, and waits for as many jobs and for these processes."""
    process = host.start(program("idle_bench"), "wait", THREADS, jobs, *pids, stdout=subprocess.PIPE)
    try:
        if process.stdout.readline().strip() != b"ready":
            raise Failed("the bare program does not wait")
        yield process
    finally:
        process.kill()
        process.wait(PATIENCE_S)
        process.stdout.close()


def threads_of(process):
    return list(pathlib.Path(f"/proc/{process.pid}/task").iterdir())


def field_of(path, name):
    for line in path.read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    raise Failed(f"{path} has no {name}")


def activity(process):
    """How often its threads have gone to sleep, and for how many nanoseconds they were on a processor, ever."""
    threads = threads_of(process)
    return (sum(field_of(thread / "status", "voluntary_ctxt_switches") for thread in threads),
            sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads))


def private_bytes(process):
    """What is the process's alone: pages that it has written to. Its program is none of that on Windows, where the file itself is mapped; Wine
    reads one into memory whose sections do not lie as the disk's pages do."""
    total, image = 0, range(0)
    for line in pathlib.Path(f"/proc/{process.pid}/smaps").read_text().splitlines():
        name, _, value = line.partition(": ")
        if not value:
            begin, end = (int(part, 16) for part in line.split()[0].split("-"))
            if begin == IMAGE_BASE or begin == image.stop:
                image = range(IMAGE_BASE, end)
            written = begin not in image or "w" in line.split()[1]
        elif name in ("Private_Dirty", "Swap") and written:
            total += 1024 * int(value.split()[0])
    return total


def settled(process, seconds=2):
    """Waits until it has slept for so long."""
    def quiet():
        before = activity(process)
        with contextlib.suppress(TimeoutError):
            wait_until(lambda: activity(process)[0] != before[0], "something", timeout=seconds)
            return False
        return True
    wait_until(quiet, "the service to be idle", timeout=3 * PATIENCE_S)
