"""What the whole daemon does while nothing happens: nothing."""
MINUTE = 60_000
HOUR = 60 * MINUTE
SETTLED = 130_000  # the lists of processes have been read twice since the last event
POOLS, MEMBERS = 100, 1000


def idle_world(world, record):
    """100 pools with 1,000 members and limits that the kernel keeps, as it is some time after the last event."""
    pools = {f"idle{number}": {"limits": {"active_processes": 100, "job_memory": "1GiB"}} for number in range(POOLS)}
    w = world(pools, sampling={"record": record}, quotas={"in_flight": MEMBERS})
    requests = [w.rpc.begin("pool.assign", pool=f"idle{number % POOLS}", pid=w.machine.spawn()) for number in range(MEMBERS)]
    w.machine.deliver()
    for request in requests:
        w.rpc.finish(request)
    assert len(w.members("idle0")) == MEMBERS / POOLS
    w.machine.advance(SETTLED)
    return w


def test_nothing_is_due_while_nothing_happens(world):
    w = idle_world(world, "0s")
    assert w.machine.wakes(MINUTE) == 0
    w.machine.advance(HOUR)
    assert w.machine.wakes(24 * HOUR) <= 25, "the lists are read once an hour"


def test_the_record_of_pools_is_all_that_wakes_it(world):
    w = idle_world(world, "1m")
    w.machine.advance(HOUR)
    assert w.machine.wakes(HOUR) in (60, 61)
