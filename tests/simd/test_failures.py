"""Each call of the kernel fails once: the request says why, and everything is as it was."""
import pytest

DENIED = 5


def picture(w):
    """All that a client can see, and the truth of the jobs."""
    return {
        "pools": w.rpc.call("pool.list"),
        "a": w.rpc.call("pool.get", pool="a"),
        "b": w.rpc.call("pool.get", pool="b"),
        "members": [(row["pid"], row["pool"], row["ending"]) for row in w.rows()],
        "jobs": [w.machine.job(name) for name in ("a", "b")],
    }


@pytest.fixture
def w(world):
    w = world({"a": {"limits": {"active_processes": 5}}, "b": {"parent": "a"}})
    w.member = w.launch("b")
    w.stranger = w.machine.spawn()
    w.machine.deliver()
    return w


REQUESTS = [
    ("CreateJobObject", "pool.create", {"name": "new", "parent": "a"}),
    ("SetInformationJobObject", "pool.create", {"name": "new", "parent": "a", "limits": {"active_processes": 1}}),
    ("AssignProcessToJobObject", "pool.assign", {"pool": "b"}),
    ("OpenProcess", "pool.assign", {"pool": "b"}),
    ("CreateProcess", "pool.launch", {"pool": "b", "argv": ["x.exe"]}),
    ("TerminateJobObject", "pool.terminate", {"pool": "a"}),
    ("OpenProcess", "process.terminate", {}),
    ("TerminateProcess", "process.terminate", {}),
    ("SetInformationJobObject", "pool.update", {"pool": "a", "limits": {"active_processes": 9}}),
]


@pytest.mark.parametrize("operation, method, parameters", REQUESTS, ids=[f"{row[1]} {row[0]}" for row in REQUESTS])
def test_a_failed_call_leaves_everything_as_it_was(w, operation, method, parameters):
    if method == "pool.assign":
        parameters = parameters | {"pid": w.stranger}
    if method == "process.terminate":
        parameters = parameters | {"pid": w.member}
    before = picture(w)
    w.machine.order("fail_next", operation=operation, win32=DENIED)
    error = w.rpc.error(method, **parameters)
    assert error.data["win32"] == DENIED and error.data["win32Name"] == "ERROR_ACCESS_DENIED", error
    w.machine.advance(5000)
    assert picture(w) == before
    assert w.alive(w.member) and w.alive(w.stranger)
    w.rpc.call(method, **parameters)


def test_a_launch_that_cannot_run_is_ended(w):
    w.machine.order("fail_next", operation="ResumeThread", win32=DENIED)
    assert w.rpc.error("pool.launch", pool="b", argv=["x.exe"]).data["win32"] == DENIED
    w.machine.advance(5000)
    assert w.members("a") == [w.member]
    assert w.rows()[-1]["ending"] == "terminated"


def test_a_delete_that_cannot_end_the_processes(w):
    w.rpc.call("pool.create", name="new")
    pid = w.launch("new")
    w.machine.order("fail_next", operation="TerminateJobObject", win32=DENIED)
    assert w.rpc.error("pool.delete", pool="new", terminate=True).data["win32"] == DENIED
    assert w.alive(pid) and w.members("new") == [pid]
    w.rpc.call("pool.delete", pool="new", terminate=True)


def test_who_cannot_be_opened_is_a_member_all_the_same(w):
    child = w.machine.spawn(w.member)
    w.machine.order("protect", pid=child)
    w.machine.deliver()
    assert w.members("b") == sorted([w.member, child])
    w.machine.exit(child, 3)
    w.machine.advance(3000)
    assert w.members("b") == [w.member] and w.row(child)["ended"]


def test_who_cannot_be_watched_is_found_in_the_list(w):
    w.machine.order("fail_next", operation="RegisterWaitForSingleObject", win32=8)
    child = w.spawn(w.member)
    w.machine.exit(child, 3, deliver=False)
    w.machine.order("lose", message=7)
    w.machine.advance(3000)
    row = w.row(child)
    assert (row["ending"], row["exitCode"]) == ("exited", 3)


def test_a_list_that_cannot_be_read_is_read_again(w):
    child = w.machine.spawn(w.member)
    w.machine.order("lose", message=6)
    w.machine.order("fail_often", operation="QueryInformationJobObject", perMille=1000)
    w.machine.advance(61_000)
    w.machine.order("fail_often", operation="QueryInformationJobObject", perMille=0)
    w.machine.advance(61_000)
    assert child in w.members("b")


def test_a_pool_that_cannot_have_its_job_says_so_until_a_reload(world):
    w = world({"a": {}}, start=False)
    w.machine.order("squat", name="Global\\JobPool.a")
    w.start()
    pool = w.rpc.call("pool.get", pool="a")
    assert pool["state"] == "failed" and pool["error"]
    assert w.rpc.error("pool.launch", pool="a", argv=["x.exe"]).name == "pool_unavailable"


@pytest.mark.parametrize("when", ["single", "chain"])
def test_an_assignment_that_gets_part_of_the_way_is_accounted_there(w, when):
    """Windows has no way out of a job: who got into the outer one stays there."""
    if when == "chain":
        w.machine.order("hold_job", name="Global\\JobPool.b")
    inner = w.machine.spawn(token={"session": 1})
    w.rpc.call("pool.assign", pool="a", pid=inner)
    w.machine.order("fail_next", operation="AssignProcessToJobObject", win32=DENIED)
    assert w.rpc.error("pool.assign", pool="b", pid=inner).data["win32"] == DENIED
    w.machine.deliver()
    assert w.row(inner)["pool"] == "a" and inner in w.members("a") and inner not in w.members("b")


def test_deleting_a_pool_with_a_process_that_nobody_has_heard_of(world):
    """Its coming was lost, and whoever started it is gone: the list has it."""
    w = world({})
    for name, terminate in (("asked", False), ("ended", True)):
        w.rpc.call("pool.create", name=name)
        pid = w.assigned(name)
        w.machine.order("weather", lose=1000)
        child = w.machine.spawn(pid)
        w.machine.exit(pid)
        w.machine.order("weather")
        w.machine.advance(300)
        if terminate:
            assert w.rpc.call("pool.delete", pool=name, terminate=True)["terminated"] == 1
            assert not w.alive(child) and w.row(child)["pool"] == name
        else:
            assert w.rpc.error("pool.delete", pool=name).name == "pool_busy"
            assert w.members(name) == [child]
