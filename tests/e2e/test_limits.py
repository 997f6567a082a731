"""Limits that the service keeps where the kernel does not, and those that no kernel has: real processes run into them."""
import itertools
import time

import pytest

from harness.bridge import RpcError
from harness.host import PATIENCE_S, wait_until
from harness.service import ConsoleService

QUOTA, PROCESS_QUOTA, TIMEOUT, MEMORY = 1816, 0xC0000044, 1460, 1455
FOR_LONG = 120_000  # ms; longer than any test

STALL_S = 0.5  # more than a poll takes on a busy machine

counter = itertools.count(1)


@pytest.fixture(scope="module")
def service(host, tmp_path_factory):
    """Looks at its processes more often than the one that other tests share."""
    service = ConsoleService(host, tmp_path_factory.mktemp("limits"), {"sampling": {"interval": "100ms"}, "log": {"level": "debug"}, "pools": {}},
                             "jobpool-limits")
    service.start()
    yield service
    assert service.stop() == 0, service.stderr()


@pytest.fixture
def made(service, rpc):
    """made(**spec) -> the name of a pool."""
    names = []

    def make(**spec):
        names.append(f"limit-{next(counter)}")
        rpc.call("pool.create", name=names[-1], **spec)
        return names[-1]

    yield make
    for name in reversed(names):
        service.jobpool("delete", name, "--terminate")


@pytest.fixture
def stands_in(rpc):
    """Skips the test where the kernel keeps the limit itself: tests/rules shows those."""

    def check(limit):
        capabilities = rpc.call("service.capabilities")
        who = capabilities["limits"].get(limit) or capabilities[limit]
        if who == "kernel":
            pytest.skip(f"this host's kernel keeps {limit}")
        assert who == "service"

    return check


@pytest.fixture
def launch(rpc, jobber):
    """launch(pool, verb, ...) -> the pid."""
    return lambda pool, *arguments: rpc.call("pool.launch", pool=pool, argv=jobber(*arguments))["pid"]


@pytest.fixture
def told(rpc):
    """told(pool, message) -> the events of this name, once there is one."""

    def wait(pool, message, count=1):
        def enough():
            events = rpc.call("events.query", pools=[pool], messages=[message])["events"]
            return events if len(events) >= count else None

        return wait_until(enough, f"{count} times {message} in pool {pool}")

    return wait


@pytest.fixture
def ended(accounted):
    """ended(pool, n) -> {pid: (exit code, ending)} once n processes are in the accounts as ended."""
    return lambda pool, count: {row["pid"]: (row["exitCode"], row["ending"]) for row in accounted(pool, count)}


def living(rpc, pool):
    return {row["pid"] for row in rpc.call("pool.processes", pool=pool)["processes"]}


def cpu_100ns(rpc, pid):
    row = rpc.call("process.get", pid=pid)
    return (row["userTime100ns"] or 0) + (row["kernelTime100ns"] or 0)


def looks_again(rpc, times=3):
    """Waits until the service has looked at all processes so often."""
    for _ in range(times):
        last = rpc.call("service.status")["sampling"]["last"]
        wait_until(lambda: rpc.call("service.status")["sampling"]["last"] != last, "another look at the processes")


def shares(rpc, pids, seconds=5):
    """What each used of the whole machine, in per cent, in a time in which it did not stall: the service cannot suspend anybody while it does not run."""
    processors = rpc.call("service.capabilities").get("processors") or 2
    begin = last = time.monotonic()
    before = [cpu_100ns(rpc, pid) for pid in pids]
    deadline = begin + PATIENCE_S
    while (now := time.monotonic()) < begin + seconds:
        assert now < deadline, f"the machine stalls again and again; no {seconds} s without"
        if now - last > STALL_S:
            begin, before = now, [cpu_100ns(rpc, pid) for pid in pids]
        last = now
        rpc.call("service.ping")
        time.sleep(0.02)
    return [(cpu_100ns(rpc, pid) - used) / 1e7 / (time.monotonic() - begin) / processors * 100 for pid, used in zip(pids, before)]


def from_service(events, pid=None):
    assert all(event["origin"] == "service" and event.get("detail") for event in events), events
    if pid is not None:
        assert {event["pid"] for event in events} == {pid}, events
    return True


# ----------------------------------------------------------------------------------------------- what job objects have

@pytest.mark.shows("JOB_OBJECT_LIMIT_ACTIVE_PROCESS", "JOB_OBJECT_MSG_ACTIVE_PROCESS_LIMIT")
def test_active_processes(rpc, made, stands_in, launch, told, ended):
    stands_in("active_processes")
    pool = made(limits={"active_processes": 2})
    parent = launch(pool, "flock", 3, FOR_LONG)
    events = told(pool, "JOB_OBJECT_MSG_ACTIVE_PROCESS_LIMIT", 2)
    assert from_service(events) and parent not in {event["pid"] for event in events}, "the newest go"
    wait_until(lambda: len(living(rpc, pool)) == 2, "two to be left")
    assert parent in living(rpc, pool)
    rpc.call("pool.terminate", pool=pool, exitCode=9)
    codes = ended(pool, 4)
    assert sorted(codes.values()) == [(9, "terminated")] * 2 + [(QUOTA, "terminated")] * 2
    assert all(codes[event["pid"]][0] == QUOTA for event in events)


@pytest.mark.shows("JOB_OBJECT_LIMIT_PROCESS_MEMORY", "JOB_OBJECT_MSG_PROCESS_MEMORY_LIMIT")
def test_process_memory(rpc, made, stands_in, launch, told, ended):
    stands_in("process_memory")
    pool = made(limits={"process_memory": "64MiB"})
    small, big = launch(pool, "allocate", 16, FOR_LONG), launch(pool, "allocate", 96, FOR_LONG)
    assert from_service(told(pool, "JOB_OBJECT_MSG_PROCESS_MEMORY_LIMIT"), big)
    wait_until(lambda: living(rpc, pool) == {small}, "the big one to end")
    rpc.call("process.terminate", pid=small, exitCode=9)
    assert ended(pool, 2) == {big: (PROCESS_QUOTA, "terminated"), small: (9, "terminated")}


@pytest.mark.shows("JOB_OBJECT_LIMIT_JOB_MEMORY", "JOB_OBJECT_MSG_JOB_MEMORY_LIMIT")
def test_job_memory(rpc, made, stands_in, launch, told, ended):
    stands_in("job_memory")
    pool = made(limits={"job_memory": "128MiB"})
    first = launch(pool, "allocate", 80, FOR_LONG)
    wait_until(lambda: rpc.call("pool.get", pool=pool)["usage"]["commitBytes"] > 80 << 20, "its memory to be seen")
    second = launch(pool, "allocate", 80, FOR_LONG)
    events = told(pool, "JOB_OBJECT_MSG_JOB_MEMORY_LIMIT")
    assert from_service(events) and len(events) == 1
    wait_until(lambda: len(living(rpc, pool)) == 1, "one to be left")
    rpc.call("pool.terminate", pool=pool, exitCode=9)
    codes = ended(pool, 2)
    assert set(codes) == {first, second} and sorted(codes.values()) == [(9, "terminated"), (PROCESS_QUOTA, "terminated")]


@pytest.mark.shows("JOB_OBJECT_LIMIT_PROCESS_TIME", "JOB_OBJECT_MSG_END_OF_PROCESS_TIME")
def test_process_time(rpc, made, stands_in, launch, told, accounted):
    stands_in("process_time")
    pool = made(limits={"process_time": "500ms"})
    idle, busy = launch(pool, "sleep", FOR_LONG), launch(pool, "burn", FOR_LONG)
    assert from_service(told(pool, "JOB_OBJECT_MSG_END_OF_PROCESS_TIME"), busy)
    wait_until(lambda: living(rpc, pool) == {idle}, "the busy one to end")
    rpc.call("process.terminate", pid=idle)
    row = next(row for row in accounted(pool, 2) if row["pid"] == busy)
    assert (row["exitCode"], row["ending"]) == (PROCESS_QUOTA, "terminated")
    assert row["userTime100ns"] >= 5_000_000, "what it used is in the accounts"


@pytest.mark.shows("JOB_OBJECT_LIMIT_JOB_TIME", "JOB_OBJECT_MSG_END_OF_JOB_TIME", "JOB_OBJECT_TERMINATE_AT_END_OF_JOB")
def test_job_time_terminates(rpc, made, stands_in, launch, told, ended):
    stands_in("job_time")
    pool = made(limits={"job_time": "800ms"})
    pids = {launch(pool, "burn", FOR_LONG), launch(pool, "burn", FOR_LONG), launch(pool, "sleep", FOR_LONG)}
    events = told(pool, "JOB_OBJECT_MSG_END_OF_JOB_TIME")
    assert from_service(events) and len(events) == 1
    assert ended(pool, 3) == {pid: (QUOTA, "terminated") for pid in pids}
    with pytest.raises(RpcError) as refused:
        launch(pool, "exit", 0)
    assert refused.value.name == "job_time_used_up"
    rpc.call("pool.update", pool=pool, limits={"job_time": "1h"})
    launch(pool, "exit", 0)


@pytest.mark.shows("JOB_OBJECT_LIMIT_JOB_TIME", "JOB_OBJECT_POST_AT_END_OF_JOB")
def test_job_time_posts(rpc, made, stands_in, launch, told):
    stands_in("job_time")
    pool = made(limits={"job_time": "500ms"}, end_of_job_time="post")
    busy = launch(pool, "burn", FOR_LONG)
    assert from_service(told(pool, "JOB_OBJECT_MSG_END_OF_JOB_TIME"))
    used = cpu_100ns(rpc, busy)
    wait_until(lambda: cpu_100ns(rpc, busy) > used + 10_000_000, "it to use more")
    assert len(told(pool, "JOB_OBJECT_MSG_END_OF_JOB_TIME")) == 1 and living(rpc, pool) == {busy}


@pytest.mark.shows("JOB_OBJECT_LIMIT_PRIORITY_CLASS")
def test_priority_class(rpc, made, stands_in, launch, ended, held, jobber):
    stands_in("priority_class")
    pool = made(limits={"priority_class": "below_normal"})
    born = launch(pool, "priority", 0)
    other = made()
    changed = launch(other, "priority", 3000)
    rpc.call("pool.update", pool=other, limits={"priority_class": "idle"})
    assert ended(pool, 1)[born] == (0x4000, "exited"), "from its first instruction"
    assert ended(other, 1)[changed] == (0x40, "exited"), "a limit that comes later"


@pytest.mark.shows("JOB_OBJECT_LIMIT_PRIORITY_CLASS")
def test_priority_class_of_the_chain(rpc, made, stands_in, launch, ended):
    stands_in("priority_class")
    outer = made(limits={"priority_class": "idle"})
    inner = made(parent=outer, limits={"priority_class": "normal"})
    pid = launch(inner, "priority", 0)
    assert ended(inner, 1)[pid] == (0x40, "exited"), "the lowest holds"


@pytest.mark.shows("JOB_OBJECT_LIMIT_AFFINITY")
def test_affinity(rpc, made, stands_in, launch, ended):
    stands_in("affinity")
    pool = made(limits={"affinity": "0"})
    born = launch(pool, "processors", 0)
    assert ended(pool, 1)[born] == (1, "exited")


@pytest.mark.shows("JOB_OBJECT_LIMIT_WORKINGSET")
def test_working_set(rpc, made, stands_in, launch, ended):
    stands_in("working_set")
    pool = made(limits={"working_set": {"min": "1MiB", "max": "32MiB"}})
    pid = launch(pool, "working-set", 0)
    assert ended(pool, 1)[pid][1] == "exited"
    assert rpc.call("pool.get", pool=pool)["troubles"] == [], "Wine takes it (and forgets it: its value is not looked at)"


def test_an_adjustment_for_one_that_was_outside(rpc, made, stands_in, ended, host, jobber):
    stands_in("priority_class")
    pool = made(limits={"priority_class": "idle", "affinity": "0"})
    process = host.start("jobber", "priority", 4000)
    pid = wait_until(lambda: next((row["pid"] for row in rpc.call("pool.match")["processes"] if row["image"].endswith("jobber.exe")), None),
                     "the process outside")
    rpc.call("pool.assign", pool=pool, pid=pid)
    assert process.wait(60) == 0x40


@pytest.mark.shows("JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION")
def test_die_on_unhandled_exception(rpc, made, stands_in, launch, ended):
    stands_in("die_on_unhandled_exception")
    pool = made(limits={"die_on_unhandled_exception": True})
    pid = launch(pool, "crash")
    assert ended(pool, 1) == {pid: (0xC0000005, "crashed")}


@pytest.mark.shows("JobObjectCpuRateControlInformation", "JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP")
@pytest.mark.parametrize("rate", [10, 25])
def test_cpu_rate(rpc, made, stands_in, launch, rate):
    stands_in("cpu_rate")
    pool = made(limits={"cpu_rate": {"hard_cap": f"{rate}%"}}, cpu_rate_fallback=True)
    pid, free = launch(pool, "burn", FOR_LONG), launch(made(), "burn", FOR_LONG)
    wait_until(lambda: cpu_100ns(rpc, pid) > 0 and cpu_100ns(rpc, free) > 0, "them to run")
    share, others = shares(rpc, (pid, free))
    # It is a cap: where others use the machine too, there may be less for everybody.
    assert min(rate, others) / 2 <= share <= rate * 1.5, f"{share:.1f} % instead of {rate} %; without a cap {others:.1f} %"
    rpc.call("pool.update", pool=pool, limits={"cpu_rate": None}, cpu_rate_fallback=False)
    before = cpu_100ns(rpc, pid)
    wait_until(lambda: cpu_100ns(rpc, pid) - before > 5_000_000, "it to run freely")


def test_cpu_rate_is_off_by_default(rpc, made, stands_in):
    stands_in("cpu_rate")
    pool = made(limits={"cpu_rate": {"hard_cap": "10%"}})
    assert rpc.call("pool.get", pool=pool)["enforcedBy"]["cpu_rate"] == "none"
    assert rpc.error("pool.create", name="strict", strict=True, limits={"cpu_rate": {"hard_cap": "10%"}}).code == -32011


@pytest.mark.shows("JobObjectNotificationLimitInformation", "JOB_OBJECT_MSG_NOTIFICATION_LIMIT")
def test_notify(rpc, made, stands_in, launch, told):
    stands_in("notify")
    pool = made(notify={"job_memory": "64MiB", "cpu_time": "300ms"})
    pid = launch(pool, "allocate", 96, FOR_LONG)
    events = told(pool, "JOB_OBJECT_MSG_NOTIFICATION_LIMIT")
    assert from_service(events)
    launch(pool, "burn", FOR_LONG)
    assert from_service(told(pool, "JOB_OBJECT_MSG_NOTIFICATION_LIMIT", 2))
    assert pid in living(rpc, pool)
    assert len(told(pool, "JOB_OBJECT_MSG_NOTIFICATION_LIMIT")) == 2, "once for each crossing"


# ------------------------------------------------------------------------------------------------ what they never could

def test_wall_clock(rpc, made, launch, told, ended):
    pool = made(timeouts={"wall_clock": "1s"})
    first = launch(pool, "sleep", FOR_LONG)
    assert from_service(told(pool, "WALL_CLOCK_LIMIT"), first)
    assert ended(pool, 1) == {first: (TIMEOUT, "terminated")}
    short = launch(pool, "exit", 3)
    assert ended(pool, 2)[short] == (3, "exited")


def test_pool_wall_clock(rpc, made, launch, told, ended):
    pool = made(timeouts={"pool_wall_clock": "2s"})
    inner = made(parent=pool)
    pids = [launch(pool, "sleep", FOR_LONG), launch(inner, "burn", FOR_LONG)]
    events = told(pool, "POOL_WALL_CLOCK_LIMIT")
    assert from_service(events) and len(events) == 1
    assert ended(pool, 1) == {pids[0]: (TIMEOUT, "terminated")} and ended(inner, 1) == {pids[1]: (TIMEOUT, "terminated")}
    again = launch(pool, "exit", 3)
    assert ended(pool, 2)[again] == (3, "exited"), "the next run has its own time"


def test_idle(rpc, made, launch, told, ended):
    pool = made(timeouts={"idle": "1500ms"})
    busy, lazy = launch(pool, "burn", FOR_LONG), launch(pool, "sleep", FOR_LONG)
    assert from_service(told(pool, "IDLE_LIMIT"), lazy)
    wait_until(lambda: living(rpc, pool) == {busy}, "the lazy one to end")
    rpc.call("process.terminate", pid=busy, exitCode=9)
    assert ended(pool, 2) == {lazy: (TIMEOUT, "terminated"), busy: (9, "terminated")}


def test_grace_for_one_that_cannot_be_asked(rpc, made, launch, told, ended):
    """Wine's launches have neither console nor window."""
    pool = made(timeouts={"wall_clock": "1s"}, stop={"grace": "60s"})
    pid = launch(pool, "sleep", FOR_LONG)
    told(pool, "WALL_CLOCK_LIMIT")
    assert ended(pool, 1)[pid] == (TIMEOUT, "terminated")


@pytest.mark.parametrize("measure", ["commit", "working_set"])
def test_memory_policy_ends_the_largest(rpc, made, launch, told, ended, measure):
    pool = made(memory_policy={"measure": measure, "soft": "64MiB", "hard": "200MiB", "action": "terminate_largest"})
    large = launch(pool, "allocate", 112, FOR_LONG)
    assert from_service(told(pool, "MEMORY_POLICY_SOFT"))
    small = [launch(pool, "allocate", 64, FOR_LONG) for _ in range(2)]
    events = told(pool, "MEMORY_POLICY_HARD")
    assert from_service(events)
    wait_until(lambda: living(rpc, pool) == set(small), "the largest to end")
    rpc.call("pool.terminate", pool=pool, exitCode=9)
    assert ended(pool, 3)[large] == (MEMORY, "terminated")
    assert len(told(pool, "MEMORY_POLICY_HARD")) == 1, "one end, one reason"


def test_memory_policy_ends_the_newest(rpc, made, launch, told, ended):
    pool = made(memory_policy={"hard": "128MiB", "action": "terminate_newest"})
    inner = made(parent=pool)
    first = launch(pool, "allocate", 96, FOR_LONG)
    newest = launch(inner, "allocate", 64, FOR_LONG)
    told(pool, "MEMORY_POLICY_HARD")
    assert ended(inner, 1) == {newest: (MEMORY, "terminated")}, "also of a pool below"
    assert living(rpc, pool) == {first}


def test_memory_policy_ends_the_pool(rpc, made, launch, told, ended):
    pool = made(memory_policy={"hard": "100MiB", "action": "terminate_pool"})
    pids = [launch(pool, "sleep", FOR_LONG), launch(pool, "allocate", 128, FOR_LONG)]
    told(pool, "MEMORY_POLICY_HARD")
    assert ended(pool, 2) == {pid: (MEMORY, "terminated") for pid in pids}


def test_memory_policy_freezes(rpc, made, launch, told):
    pool = made(memory_policy={"hard": "100MiB", "action": "freeze"})
    busy = launch(pool, "burn", FOR_LONG)
    launch(pool, "allocate", 128, FOR_LONG)
    told(pool, "MEMORY_POLICY_HARD")
    told(pool, "POOL_FROZEN")
    assert rpc.call("pool.get", pool=pool)["frozen"] is True
    stands_still(rpc, busy)


def test_memory_policy_only_tells(rpc, made, launch, told, ended):
    pool = made(memory_policy={"hard": "64MiB", "action": "notify"})
    pid = launch(pool, "allocate", 96, FOR_LONG)
    assert from_service(told(pool, "MEMORY_POLICY_HARD"))
    looks_again(rpc)
    rpc.call("process.terminate", pid=pid, exitCode=9)
    assert ended(pool, 1) == {pid: (9, "terminated")}, "nobody else has ended it"


def test_memory_policy_holds_back(rpc, made, launch, told, ended):
    policy = {"hard": "64MiB", "action": "terminate_largest", "hold": "10m"}  # longer than a busy machine makes a second
    pool = made(memory_policy=policy)
    passing = launch(pool, "allocate", 96, 1500)
    assert ended(pool, 1) == {passing: (0, "exited")}, "a peak that passes is nobody's end"
    rpc.call("pool.update", pool=pool, memory_policy=policy | {"hold": "2s"})
    staying = launch(pool, "allocate", 96, FOR_LONG)
    assert ended(pool, 2)[staying] == (MEMORY, "terminated")


# ------------------------------------------------------------------------------------------------------ freeze and thaw

def stands_still(rpc, pid):
    """No CPU time between two moments that are some samples apart."""
    time.sleep(0.5)
    before = cpu_100ns(rpc, pid)
    time.sleep(1)
    assert cpu_100ns(rpc, pid) == before


def goes_on(rpc, pid):
    before = cpu_100ns(rpc, pid)
    wait_until(lambda: cpu_100ns(rpc, pid) > before, f"process {pid} to go on")


def test_freeze_nested(rpc, made, launch):
    outer = made()
    inner = made(parent=outer)
    pid = launch(inner, "burn", FOR_LONG)
    goes_on(rpc, pid)
    rpc.call("pool.freeze", pool=inner)
    rpc.call("pool.freeze", pool=outer)
    stands_still(rpc, pid)
    rpc.call("pool.thaw", pool=outer)
    stands_still(rpc, pid)
    rpc.call("pool.thaw", pool=inner)
    goes_on(rpc, pid)


def test_a_frozen_pool_is_ended(rpc, made, launch, ended):
    pool = made()
    pid = launch(pool, "burn", FOR_LONG)
    rpc.call("pool.freeze", pool=pool)
    rpc.call("pool.terminate", pool=pool, exitCode=9)
    assert ended(pool, 1) == {pid: (9, "terminated")}


@pytest.mark.parametrize("ending, keep, frozen_after", [("stop", False, True), ("crash", False, False), ("crash", True, True)])
def test_a_frozen_pool_and_the_next_start(console, jobber, ending, keep, frozen_after):
    service = console({"pools": {"ice": {}}, "sampling": {"interval": "100ms"}}).start()
    with service.bridge() as rpc:
        pid = rpc.call("pool.launch", pool="ice", argv=jobber("burn", FOR_LONG))["pid"]
        goes_on(rpc, pid)
        rpc.call("pool.freeze", pool="ice", keep=keep)
    if ending == "stop":
        assert service.stop() == 0, service.stderr()
    else:
        service.crash()
    service.start()
    with service.bridge() as rpc:
        assert rpc.call("pool.get", pool="ice")["frozen"] is frozen_after
        if frozen_after:
            stands_still(rpc, pid)
            rpc.call("pool.thaw", pool="ice")
        goes_on(rpc, pid)
        rpc.call("pool.terminate", pool="ice")


# ---------------------------------------------------------------------------------------------------------------- rules

@pytest.fixture
def matching(console):
    """matching(pools) -> a running service with these pools, which knows by now who was there before."""

    def make(pools):
        service = console({"pools": pools, "sampling": {"interval": "100ms"}}).start()
        with service.bridge() as rpc:
            wait_until(lambda: rpc.call("service.status")["sampling"]["last"], "the first sample")
        return service

    return make


def test_a_match(host, matching, held, tmp_path):
    service = matching({"strays": {"match": [{"image": "JOBBER.exe", "command_line": "*jobber*"}], "exclude": [{"command_line": "*hold*"}]}})
    with service.bridge() as rpc:
        end = tmp_path / "end"
        tree, other = host.start("jobber", "tree", 1, 1, host.path(end)), held()  # which live until they have been seen
        events = wait_until(lambda: rpc.call("events.query", pools=["strays"], messages=["PROCESS_MATCHED"])["events"], "a match")
        assert events[0]["origin"] == "service" and events[0]["process"] == "jobber.exe"
        wait_until(lambda: len(living(rpc, "strays")) == 2, "its child to come too")
        looks_again(rpc)
        end.touch()
        assert tree.wait(60) == 0 and other.let_go() == 0
        rows = wait_until(lambda: [row for row in rpc.call("accounting.processes", pool="strays")["processes"] if row["ended"]][1:] and
                          rpc.call("accounting.processes", pool="strays")["processes"], "both in the accounts")
        assert len(rows) == 2 and all("tree" in row["commandLine"] for row in rows)


def test_a_limit_on_what_was_matched(host, matching):
    service = matching({"strays": {"match": [{"path": "**\\jobber.exe", "command_line": "*burn*"}], "timeouts": {"wall_clock": "1s"}}})
    with service.bridge() as rpc:
        process = host.start("jobber", "burn", FOR_LONG)
        process.wait(60)  # Wine has no exit code for Unix when one process ends another
        rows = wait_until(lambda: [row for row in rpc.call("accounting.processes", pool="strays")["processes"] if row["ended"]], "it in the accounts")
        assert (rows[0]["exitCode"], rows[0]["ending"]) == (TIMEOUT, "terminated")


def test_default_pool(host, matching, held):
    """Everything else on this host is left out, so that other tests go on undisturbed."""
    spare = [{"path": "C:\\**"}, {"path": "**\\usr\\**"}, {"image": "jobpool*.exe"}, {"image": "cmd.exe"}, {"image": "pipes.exe"}]
    service = matching({"rest": {"default": True, "exclude": spare}, "known": {"match": [{"image": "jobber.exe", "command_line": "*exit*"}]}})
    with service.bridge() as rpc:
        process = held()  # until it has been taken
        wait_until(lambda: process.pid in living(rpc, "rest"), "the default pool to take it")
        assert process.let_go() == 0
        event = rpc.call("events.query", pools=["rest"], messages=["PROCESS_MATCHED"])["events"][0]
        assert "default" in event["detail"]


def test_the_system_is_never_taken(host, matching):
    service = matching({"greedy": {"match": [{"image": "services.exe"}, {"image": "svchost.exe"}, {"image": "jobpoold.exe", "command_line": "*never_taken*"}]}})
    with service.bridge() as rpc:
        status = rpc.call("service.status")
        rows = {row["pid"]: row for row in rpc.call("pool.match")["processes"]}
        assert rows[status["pid"]]["why"], "the service itself"
        assert all(row["why"] for row in rows.values() if row["image"].lower().endswith(("\\services.exe", "\\svchost.exe")))
        rpc.call("pool.match", apply=True)
        taken = {row["image"] for row in rpc.call("pool.processes", pool="greedy")["processes"]}
        assert not any(image.lower().endswith(("\\services.exe", "\\svchost.exe")) for image in taken)
        assert status["pid"] not in living(rpc, "greedy")
