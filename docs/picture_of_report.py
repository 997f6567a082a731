"""The page that `jobpool report` writes, of some minutes in which pools were at work under Wine."""
import random
import shutil
import time

from harness.host import BUILD, PROGRAMS as OURS, Host
from harness.service import ConsoleService

MINUTES = 4
POOLS = {
    "build": {"limits": {"job_memory": "256MiB", "active_processes": 32}},
    "build.release": {"parent": "build", "limits": {"job_memory": "160MiB", "active_processes": 8}},
    "build.nightly": {"parent": "build"},
    "tests": {"limits": {"job_memory": "128MiB"}},
    "render": {},
}
RATES = {"build.release": 0.5, "build.nightly": 0.25, "tests": 0.5, "render": 0.12}  # launches a second
PROGRAMS = {"build.release": ["cl.exe", "cl.exe", "link.exe"], "build.nightly": ["cl.exe", "link.exe"], "tests": ["unit.exe"], "render": ["frames.exe"]}


def one(chance, pool):
    """What a process does: compute, hold memory, or fail."""
    if pool == "tests" and chance.random() < 0.2:
        return ["exit", "1"]
    if chance.random() < 0.5:
        return ["burn", str(chance.randint(200, 2500))]
    return ["allocate", str(chance.randint(8, 40)), str(chance.randint(1000, 9000))]


def work(rpc, programs):
    """Busy and quiet times take turns, by the seconds since the beginning."""
    chance, begun = random.Random(7), time.monotonic()
    while (passed := time.monotonic() - begun) < MINUTES * 60:
        for pool, rate in RATES.items():
            busy = 1 if (passed // 30) % 2 == (pool == "tests") else 0.2
            if chance.random() < rate * busy:
                name = chance.choice(PROGRAMS[pool])
                rpc.call("pool.launch", pool=pool, argv=[f"{programs}\\{name}", *one(chance, pool)])
        if 120 < passed < 121:
            rpc.call("pool.update", pool="build.release", limits={"job_memory": "96MiB"})
        time.sleep(1)  # launches have their pace; nothing waits for this


def write(page):
    """`page`: the file to write."""
    host = Host(BUILD.parent / "wine-pictures")
    service = ConsoleService(host, BUILD.parent / "pictures", {"sampling": {"record": "1s"}, "pools": POOLS}, "jobpool-pictures")
    programs = host.drive_c / "ci"
    programs.mkdir()
    for name in {name for names in PROGRAMS.values() for name in names}:
        shutil.copy(OURS["jobber"], programs / name)
    try:
        service.start()
        with service.bridge() as rpc:
            work(rpc, host.path(programs))
        written = host.run("jobpool", "--pipe", service.pipe, "report", "--output", host.path(page), "--from", f"{MINUTES}min")
        if written.returncode:
            raise SystemExit(written.stderr)
    finally:
        service.end()
        host.close()
