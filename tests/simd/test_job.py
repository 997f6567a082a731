"""job.*: win32job over the pipe, on pools and on jobs of anybody's."""
import pytest

CLASSES = {1: "BasicAccountingInformation", 2: "BasicLimitInformation", 3: "BasicProcessIdList", 4: "BasicUIRestrictions", 5: "SecurityLimitInformation",
           6: "EndOfJobTimeInformation", 8: "BasicAndIoAccountingInformation", 9: "ExtendedLimitInformation", 10: "JobSetInformation",
           11: "GroupInformation", 12: "NotificationLimitInformation", 13: "LimitViolationInformation", 14: "GroupInformationEx",
           15: "CpuRateControlInformation", 28: "MemoryUsageInformation", 32: "NetRateControlInformation",
           33: "NotificationLimitInformation2", 34: "LimitViolationInformation2"}
SETTABLE = (2, 4, 5, 6, 9, 11, 12, 14, 15, 32, 33)


def query(w, job, number, rpc=None):
    return (rpc or w.rpc).call("job.queryInformation", job=job, **{"class": number})["info"]


@pytest.mark.shows("CreateJobObject", "OpenJobObject", "AssignProcessToJobObject", "IsProcessInJob", "TerminateJobObject")
def test_a_job_of_ones_own(world):
    w = world({"a": {}})
    made = w.rpc.call("job.create", name="Local\\mine")
    assert made == {"job": made["job"], "name": "Local\\mine", "existed": False}
    again = w.rpc.call("job.open", name="Local\\mine", desiredAccess=["JOB_OBJECT_QUERY"])
    pid, other = w.machine.spawn(), w.machine.spawn()
    w.rpc.call("job.assignProcess", job=made["job"], pid=pid)
    assert w.rpc.call("job.isProcessInJob", pid=pid, job=made["job"]) == {"inJob": True}
    assert w.rpc.call("job.isProcessInJob", pid=other, job=made["job"]) == {"inJob": False}
    assert w.rpc.call("job.isProcessInJob", pid=other, job=None) == {"inJob": False}
    assert query(w, again["job"], 3) == [pid]
    assert w.rpc.error("job.terminate", job=again["job"], exitCode=1).name == "access_denied", "opened to query"
    w.rpc.call("job.terminate", job=made["job"], exitCode=6)
    assert w.machine.fate(pid)["exitCode"] == 6 and w.alive(other)
    for job in (made, again):
        w.rpc.call("job.close", job=job["job"])
    assert w.rpc.error("job.open", name="Local\\mine", desiredAccess=4).name == "unknown_job"


@pytest.mark.shows("QueryInformationJobObject",
                   "JobObjectBasicAccountingInformation", "JobObjectBasicLimitInformation", "JobObjectBasicProcessIdList",
                   "JobObjectBasicUIRestrictions", "JobObjectSecurityLimitInformation", "JobObjectEndOfJobTimeInformation",
                   "JobObjectBasicAndIoAccountingInformation", "JobObjectExtendedLimitInformation", "JobObjectJobSetInformation",
                   "JobObjectGroupInformation", "JobObjectNotificationLimitInformation", "JobObjectLimitViolationInformation",
                   "JobObjectGroupInformationEx", "JobObjectCpuRateControlInformation", "JobObjectMemoryUsageInformation",
                   "JobObjectNetRateControlInformation", "JobObjectNotificationLimitInformation2", "JobObjectLimitViolationInformation2")
@pytest.mark.parametrize("number, name", CLASSES.items(), ids=CLASSES.values())
def test_every_class_by_number_and_name(world, number, name):
    w = world({"a": {"limits": {"active_processes": 4}}})
    w.launch("a")
    own = w.rpc.call("job.create")["job"]
    for job in ["a"] + [own] * (number != 5):
        answer = w.rpc.call("job.queryInformation", job=job, **{"class": number})
        assert (answer["class"], answer["name"]) == (number, "JobObject" + name)
        for other in ("JobObject" + name, name):
            assert w.rpc.call("job.queryInformation", job=job, **{"class": other}) == answer


@pytest.mark.shows("SetInformationJobObject")
@pytest.mark.parametrize("number", SETTABLE)
def test_setting_what_was_queried_changes_nothing(world, number):
    w = world({"a": {"limits": {"active_processes": 4, "job_time": "10s", "affinity": "0-1", "cpu_rate": "50%", "network_rate": "1MiB"},
                     "ui": ["desktop"], "notify": {"io_read": "1MiB"}, "security": ["no_admin"], "end_of_job_time": "post", "access": {"launch": ["Everyone"]}}})
    caller = w.machine.client(user="SIM\\user")
    pid = caller.call("pool.launch", pool="a", argv=["x.exe"])["pid"]
    w.burn(pid, 6)
    before = {each: query(w, "a", each) for each in CLASSES}
    truth = w.machine.job("a")
    w.rpc.call("job.setInformation", job="a", info=before[number], **{"class": number})
    assert {each: query(w, "a", each) for each in CLASSES} == before
    assert w.machine.job("a") == truth
    w.burn(pid, 6)
    assert len(w.events("JOB_OBJECT_MSG_END_OF_JOB_TIME", "a")) == 1, "the clock went on"


@pytest.mark.shows("JobObjectBasicLimitInformation", "SetInformationJobObject")
def test_a_pools_class_is_its_settings(world):
    w = world({"a": {}})
    info = query(w, "a", 2)
    w.rpc.call("job.setInformation", job="a", info=info | {"LimitFlags": ["JOB_OBJECT_LIMIT_ACTIVE_PROCESS"], "ActiveProcessLimit": 3}, **{"class": 2})
    assert w.rpc.call("pool.get", pool="a")["limits"] == {"active_processes": 3}
    assert w.machine.job("a")["limits"]["activeProcesses"] == 3


@pytest.mark.parametrize("change", [{"LimitFlags": None}, {"Unknown": 1}, {"LimitFlags": 1 << 20}], ids=["missing", "unknown", "flag"])
def test_a_wrong_key_is_named(world, change):
    w = world({"a": {}})
    info = {key: value for key, value in (query(w, "a", 2) | change).items() if value is not None}
    error = w.rpc.error("job.setInformation", job="a", info=info, **{"class": 2})
    assert error.name == "invalid_params" and next(iter(change)) in error.message


def test_assigning_keeps_windows_behaviour(world):
    w = world({"a": {"limits": {"active_processes": 1}}})
    w.launch("a")
    stranger = w.machine.spawn()
    assert w.rpc.error("job.assignProcess", job="a", pid=stranger).name == "pool_full"
    assert w.machine.fate(stranger)["end"] == "refused", "Windows ends it"


def test_handles_are_the_connections(world):
    w = world({"a": {}})
    other = w.machine.client()
    job = other.call("job.create", name="Global\\shared")["job"]
    other.call("job.setInformation", job=job, info=query(w, job, 9, other) | {
        "BasicLimitInformation": query(w, job, 2, other) | {"LimitFlags": ["JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE"]}}, **{"class": 9})
    pid = w.machine.spawn()
    other.call("job.assignProcess", job=job, pid=pid)
    assert w.rpc.error("job.close", job=job).name == "unknown_job"
    other.close()
    w.rpc.call("service.status")
    w.machine.advance(100)
    assert w.machine.fate(pid)["end"] == "job_closed", "the last handle went with the connection"


def test_the_callers_rights_count(world):
    w = world({"a": {}})
    owner, user = w.machine.client(), w.machine.client(user="SIM\\user")
    owner.call("job.create", name="Global\\theirs", security="D:P(A;;GA;;;BA)")
    assert user.error("job.open", name="Global\\theirs", desiredAccess=4).name == "access_denied"
    looker = w.machine.client(user="SIM\\user", identify=True)
    assert looker.error("job.create", name="Global\\x").name == "access_denied"


def test_names_are_of_the_callers_session(world):
    w = world({"a": {}})
    one, two = w.machine.client(user="SIM\\user", session=1), w.machine.client(user="SIM\\user", session=2)
    assert one.call("job.create", name="Local\\x")["existed"] is False
    assert two.call("job.create", name="Local\\x")["existed"] is False
    assert one.call("job.create", name="x")["existed"] is True


@pytest.mark.shows("JobObjectAssociateCompletionPortInformation")
def test_the_port_is_the_services(world):
    w = world({"a": {}})
    w.launch("a")
    w.machine.deliver()
    info = query(w, "a", 7)
    assert info
    assert w.rpc.error("job.setInformation", job="a", info=info, **{"class": 7})


@pytest.mark.shows("UserHandleGrantAccess")
def test_user_handles(world):
    w = world({"a": {"ui": ["handles"], "access": {"control": ["Everyone"]}}})
    w.rpc.call("job.grantUserHandle", handle=0x10042, job="a", grant=True)
    assert w.machine.job("a")["grants"] == 1
    w.rpc.call("job.grantUserHandle", handle=0x10042, job="a", grant=False)
    assert w.machine.job("a")["grants"] == 0
    elsewhere = w.machine.client(user="SIM\\user", session=5)
    assert elsewhere.error("job.grantUserHandle", handle=0x10042, job="a", grant=True).name == "other_session"


def test_null_is_the_callers_own_job(world):
    w = world({"a": {"limits": {"active_processes": 4}}})
    pid = w.launch("a")
    caller = w.machine.client(user="SIM\\admin", admin=True, pid=pid)
    assert query(w, None, 9, caller)["BasicLimitInformation"]["ActiveProcessLimit"] == 4


def test_pools_by_their_kernel_name(world):
    w = world({"a": {}})
    pid = w.launch("a")
    assert query(w, "Global\\JobPool.a", 3) == [pid]


@pytest.mark.shows("JobObjectBasicAndIoAccountingInformation", "JobObjectMemoryUsageInformation")
def test_accounting_is_the_kernels(world):
    w = world({"a": {}, "b": {"parent": "a"}})
    pid = w.launch("b")
    w.burn(pid, 2)
    w.commit(pid, 1 << 20)
    w.machine.order("io", pid=pid, read=1000, write=500)
    for pool in ("a", "b"):
        info = query(w, pool, 8)
        assert info["BasicInfo"]["TotalUserTime"] == 20_000_000 and info["BasicInfo"]["ActiveProcesses"] == 1
        assert (info["IoInfo"]["ReadTransferCount"], info["IoInfo"]["WriteTransferCount"]) == (1000, 500)
        assert query(w, pool, 28) == {"JobMemory": 1 << 20, "PeakJobMemoryUsed": 1 << 20}


@pytest.mark.shows("JobObjectLimitViolationInformation", "JobObjectLimitViolationInformation2")
def test_violations(world):
    w = world({"a": {"notify": {"io_read": "1KiB"}}})
    pid = w.launch("a")
    w.machine.order("io", pid=pid, read=5000)
    info = query(w, "a", 34)
    assert info["ViolationLimitFlags"] == 0x10000 and info["IoReadBytes"] == 5000 and info["IoReadBytesLimit"] == 1024
