"""What the service takes of memory: of its own in Wine, beside what it may and what a bare program with as many threads, jobs and waits has there
(that is the host's), and to the byte for each pool and member, on the simulated kernel."""
import contextlib

from measure import Figure, Pair, Section, run_native
from watched import bare, config_of, launch_members, private_bytes, service, settled

CASES = [(1, 0), (1000, 0), (10000, 0), (100, 200)]  # pools, members
BASE, POOL, MEMBER = 8 << 20, 2 << 10, 512
NATIVE_POOLS, NATIVE_MEMBERS = 10000, 10000


def measure_case(lab, host, pools, members):
    with lab.fresh() as folder, service(host, folder, config_of(pools)) as running:
        pids = launch_members(running, pools, members)
        with bare(host, pools, pids) as beside:
            settled(running.process)
            own, hosts = private_bytes(running.process), private_bytes(beside)
    allowed = (BASE + POOL * pools + MEMBER * members) / 1024
    return {"kib": (own - hosts) / 1024, "all": own / 1024}, {"kib": allowed, "all": allowed}


def measure_slopes(lab):
    taken = run_native("memory_bench", lab.of(NATIVE_POOLS), 1)["pool_bytes"], run_native("memory_bench", 10, lab.of(NATIVE_MEMBERS))["member_bytes"]
    return {"pool": taken[0], "member": taken[1]}, {"pool": POOL, "member": MEMBER}


def case_of(lab, host, pools, members):
    return Pair(f"memory, {pools} pools, {members} members", [Figure("kib", "", "KiB", "lower", 1), Figure("all", ", with the host's own", "KiB", "lower")],
                both=lambda: measure_case(lab, host, pools, members), rounds=1, free=False)


@contextlib.contextmanager
def pairs(lab):
    with lab.wine() as host:
        yield [case_of(lab, host, pools, members) for pools, members in CASES] + [
            Pair("memory of each", [Figure("pool", " pool", "bytes", "lower", 1), Figure("member", " member", "bytes", "lower", 1)],
                 both=lambda: measure_slopes(lab), rounds=1, free=False)]


SECTION = Section("memory", pairs)
