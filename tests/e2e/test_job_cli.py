"""jobpool job and jobpool grant-handle: job objects at a prompt."""
import json
import subprocess

import pytest

from harness.host import BUILD, wait_until

CLASSES = {
    "BasicAccountingInformation": 1, "BasicLimitInformation": 2, "BasicProcessIdList": 3, "BasicUIRestrictions": 4,
    "SecurityLimitInformation": 5, "EndOfJobTimeInformation": 6, "AssociateCompletionPortInformation": 7,
    "BasicAndIoAccountingInformation": 8, "ExtendedLimitInformation": 9, "JobSetInformation": 10, "GroupInformation": 11,
    "NotificationLimitInformation": 12, "LimitViolationInformation": 13, "GroupInformationEx": 14, "CpuRateControlInformation": 15,
    "MemoryUsageInformation": 28, "NetRateControlInformation": 32, "NotificationLimitInformation2": 33, "LimitViolationInformation2": 34,
}


def ok(result):
    assert result.returncode == 0, result.stderr
    return result.stdout


def fields(text):
    """{key: rest of its line} of what query shows."""
    return {words[0]: " ".join(words[1:]) for words in map(str.split, text.splitlines())}


class Holder:
    """jobpool job create, which holds a job open."""

    def __init__(self, host, pipe, *arguments):
        self.process = host.start("jobpool", "--pipe", pipe, "job", "create", *arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.line = self.process.stdout.readline().decode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.let_go()

    def let_go(self):
        self.process.stdin.close()
        return self.process.wait(60)


# ------------------------------------------------------------------------------------------------------------ wrong usage

@pytest.mark.parametrize("arguments, words", [
    ([], "verb"), (["qurey"], '"job query"'), (["query"], "JOB"), (["query", "p"], "CLASS"), (["query", "--own", "p", "9"], "--own"),
    (["query", "p", "ExtendedLimitInfromation"], "JobObjectExtendedLimitInformation"), (["query", "p", "Everything"], "job classes"),
    (["query", "p", "0"], '"0"'), (["set", "p", "9"], "JSON"), (["set", "p", "9", "{"], "JSON:1:2"), (["set", "p", "UIRestrictions", "{}"], "UIRestrictions"),
    (["set", "p", "9", '{"class": 4, "info": {}}'], "class 4"), (["assign", "p", "x"], '"x"'), (["contains", "p"], "PID"), (["contains", "--any", "p", "7"], "--any"),
    (["terminate"], "JOB"), (["classes", "x"], "x"),
])
def test_wrong_usage(service, arguments, words):
    result = service.jobpool("job", *arguments)
    assert result.returncode == 2 and words in result.stderr and result.stdout == "", result.stderr


@pytest.mark.parametrize("arguments, words", [([], "HANDLE"), (["0x1"], "--job"), (["0", "--job", "p"], '"0"'), (["window", "--job", "p"], "window")])
def test_wrong_usage_of_grant_handle(service, arguments, words):
    result = service.jobpool("grant-handle", *arguments)
    assert result.returncode == 2 and words in result.stderr


def test_help_lists_the_verbs(host):
    text = ok(host.run("jobpool", "job", "--help"))
    assert text == ok(host.run("jobpool", "help", "job"))
    for verb in ("query", "set", "create", "assign", "contains", "terminate", "classes"):
        assert f"\n  {verb} " in text
        verbs_own = ok(host.run("jobpool", "help", "job", verb))
        assert f"usage: jobpool job {verb}" in verbs_own and verbs_own == ok(host.run("jobpool", "job", verb, "--help"))


def test_common_options_may_stand_before_the_verb(service):
    assert json.loads(ok(service.jobpool("job", "--json", "classes"))) == json.loads(ok(service.jobpool("job", "classes", "--json")))


def test_no_service(host):
    result = host.run("jobpool", "--pipe", "jobpool-nobody", "job", "query", "p", "9")
    assert result.returncode == 3 and "jobpool-nobody" in result.stderr


# ---------------------------------------------------------------------------------------------------------------- classes

def test_classes(host):
    rows = json.loads(ok(host.run("jobpool", "--json", "job", "classes")))["classes"]
    assert {row["name"]: row["class"] for row in rows} == {f"JobObject{name}": number for name, number in CLASSES.items()}
    table = ok(host.run("jobpool", "job", "classes")).splitlines()
    assert table[0].split() == ["CLASS", "NAME", "CAN", "SINCE"] and len(table) == 1 + len(CLASSES)


# ------------------------------------------------------------------------------------------------------------------- pools

@pytest.mark.shows("QueryInformationJobObject", "JobObjectExtendedLimitInformation", "JOB_OBJECT_LIMIT_ACTIVE_PROCESS", "JOB_OBJECT_LIMIT_JOB_MEMORY")
def test_query_a_pool(service, rpc, pool):
    rpc.call("pool.update", pool=pool, limits={"active_processes": 3, "job_memory": "512MiB"})
    shown = fields(ok(service.jobpool("job", "query", pool, "JobObjectExtendedLimitInformation")))
    assert shown["LimitFlags"] == "0x208 JOB_OBJECT_LIMIT_ACTIVE_PROCESS | JOB_OBJECT_LIMIT_JOB_MEMORY"
    assert shown["ActiveProcessLimit"] == "3" and shown["JobMemoryLimit"] == "536870912 (512MiB)"
    answers = [service.json("job", "query", pool, name) for name in ("JobObjectExtendedLimitInformation", "extendedlimitinformation", "9")]
    assert answers[0] == answers[1] == answers[2] == rpc.call("job.queryInformation", job=pool, **{"class": 9})
    assert answers[0]["name"] == "JobObjectExtendedLimitInformation" and answers[0]["info"]["BasicLimitInformation"]["LimitFlags"] == 0x208


def test_lines_of_query_line_up(service, pool):
    lines = ok(service.jobpool("job", "query", pool, "9")).splitlines()
    values = [line for line in lines if len(line.split()) > 1]
    column = values[0].index(values[0].split()[1])
    assert all(line[column - 2:column] == "  " and line[column] != " " for line in values), lines


@pytest.mark.shows("SetInformationJobObject", "JobObjectExtendedLimitInformation")
def test_set_what_was_queried_and_changed(service, pool):
    answer = service.jobpool("--json", "job", "query", pool, "9").stdout
    assert "JobObjectExtendedLimitInformation" in ok(service.jobpool("job", "set", pool, "9", "-", input=answer)), "a whole answer"
    assert service.json("job", "query", pool, "9") == json.loads(answer), "setting what was queried changes nothing"
    info = json.loads(answer)["info"]
    info["BasicLimitInformation"] |= {"LimitFlags": ["JOB_OBJECT_LIMIT_ACTIVE_PROCESS"], "ActiveProcessLimit": 7}
    ok(service.jobpool("job", "set", pool, "ExtendedLimitInformation", json.dumps(info)))
    assert service.json("show", pool)["limits"] == {"active_processes": 7}


@pytest.mark.shows("JobObjectBasicUIRestrictions", "JOB_OBJECT_UILIMIT_DESKTOP", "JOB_OBJECT_UILIMIT_HANDLES")
def test_set_ui_restrictions(service, pool):
    names = ["JOB_OBJECT_UILIMIT_DESKTOP", "JOB_OBJECT_UILIMIT_HANDLES"]
    ok(service.jobpool("job", "set", pool, "BasicUIRestrictions", json.dumps({"UIRestrictionsClass": names})))
    assert fields(ok(service.jobpool("job", "query", pool, "4")))["UIRestrictionsClass"] == "0x41 JOB_OBJECT_UILIMIT_HANDLES | JOB_OBJECT_UILIMIT_DESKTOP"


def test_a_missing_key_is_named(service, pool):
    for info, word in (("{}", "UIRestrictionsClass"), ('{"UIRestrictionsClass": 0, "Extra": 1}', "Extra")):
        result = service.jobpool("job", "set", pool, "4", info)
        assert result.returncode == 1 and word in result.stderr


@pytest.mark.shows("JobObjectBasicProcessIdList", "JobObjectBasicAccountingInformation", "IsProcessInJob", "AssignProcessToJobObject", "TerminateJobObject")
def test_processes_of_a_pool(service, pool, held):
    process = held()
    outside = service.jobpool("job", "contains", pool, process.pid)
    assert outside.returncode == 1 and outside.stdout == "no\n"
    assert str(process.pid) in ok(service.jobpool("job", "assign", pool, process.pid, "--start-time", process.start_time))
    assert ok(service.jobpool("job", "contains", pool, process.pid)) == "yes\n"
    assert ok(service.jobpool("job", "contains", "--any", process.pid)) == "yes\n"
    assert ok(service.jobpool("job", "query", pool, "BasicProcessIdList")) == f"{process.pid}\n"
    assert fields(ok(service.jobpool("job", "query", pool, "BasicAccountingInformation")))["TotalProcesses"] == "1"
    ok(service.jobpool("job", "terminate", pool, "--exit-code", "5"))
    assert service.json("wait", pool, "--pid", process.pid)["exitCode"] == 5


SECURITY = {"SecurityLimitFlags": 0, "JobToken": None, "SidsToDisable": [], "PrivilegesToDelete": [], "RestrictedSids": []}


@pytest.mark.shows("JobObjectSecurityLimitInformation", "JOB_OBJECT_SECURITY_RESTRICTED_TOKEN", "JOB_OBJECT_SECURITY_ONLY_TOKEN",
                   "JOB_OBJECT_SECURITY_FILTER_TOKENS")
@pytest.mark.parametrize("change, shown", [
    ({"SecurityLimitFlags": ["JOB_OBJECT_SECURITY_RESTRICTED_TOKEN"]}, "0x2 JOB_OBJECT_SECURITY_RESTRICTED_TOKEN"),
    ({"SecurityLimitFlags": "JOB_OBJECT_SECURITY_ONLY_TOKEN", "JobToken": "local_service"}, "0x4 JOB_OBJECT_SECURITY_ONLY_TOKEN"),
    ({"SecurityLimitFlags": 8, "PrivilegesToDelete": ["SeShutdownPrivilege"]}, "0x8 JOB_OBJECT_SECURITY_FILTER_TOKENS"),
])
def test_security_limits_refuse_who_runs_already(service, pool, held, change, shown):
    assert service.json("job", "query", pool, "5")["info"] == SECURITY
    ok(service.jobpool("job", "set", pool, "SecurityLimitInformation", json.dumps(SECURITY | change)))
    assert fields(ok(service.jobpool("job", "query", pool, "5")))["SecurityLimitFlags"] == shown
    process = held()
    refused = service.jobpool("assign", "--pool", pool, process.pid)
    assert refused.returncode == 1 and process.process.poll() is None, "refused, and alive"
    ok(service.jobpool("job", "set", pool, "5", json.dumps(SECURITY)))
    ok(service.jobpool("assign", "--pool", pool, process.pid))


@pytest.mark.shows("JobObjectEndOfJobTimeInformation", "JOB_OBJECT_POST_AT_END_OF_JOB", "JOB_OBJECT_TERMINATE_AT_END_OF_JOB")
def test_end_of_job_time(service, pool):
    assert fields(ok(service.jobpool("job", "query", pool, "6")))["EndOfJobTimeAction"] == "0 JOB_OBJECT_TERMINATE_AT_END_OF_JOB"
    ok(service.jobpool("job", "set", pool, "6", '{"EndOfJobTimeAction": "JOB_OBJECT_POST_AT_END_OF_JOB"}'))
    assert fields(ok(service.jobpool("job", "query", pool, "6")))["EndOfJobTimeAction"] == "1 JOB_OBJECT_POST_AT_END_OF_JOB"
    assert service.json("show", pool)["end_of_job_time"] == "post"


@pytest.mark.shows("JobObjectAssociateCompletionPortInformation")
def test_the_port_is_the_services(service, pool, held):
    ok(service.jobpool("assign", "--pool", pool, held().pid))
    port = service.json("job", "query", pool, "AssociateCompletionPortInformation")["info"]
    assert port["Attached"] and [job["ObjectName"] for job in port["Jobs"]] == [f"Global\\JobPool.{pool}"]
    assert "Attached" in ok(service.jobpool("job", "query", pool, "7"))
    refused = service.jobpool("job", "set", pool, "7", json.dumps(port))
    assert refused.returncode == 1 and "port" in refused.stderr


@pytest.mark.shows("MaxJobObjectInfoClass")
@pytest.mark.parametrize("number", [16, 24, 31, 35, 47, 50, 1000])
def test_classes_without_a_documented_structure_are_refused(service, pool, number):
    for arguments in ((pool,), ("--own",)):
        result = service.jobpool("job", "query", *arguments, number)
        assert result.returncode == 1 and str(number) in result.stderr and result.stdout == ""


def test_show_tells_which_limit_holds_and_whose_it_is(service, rpc, pool, held):
    rpc.call("pool.update", pool=pool, limits={"process_memory": "64MiB"}, when_full="wait", wait_timeout="5m")
    child = f"{pool}.child"
    rpc.call("pool.create", name=child, parent=pool, limits={"process_memory": "128MiB", "active_processes": 3})
    try:
        rows = [line.split() for line in ok(service.jobpool("show", child)).splitlines()]
        assert ["LIMIT", "HOLDS", "SET", "BY", "POOL", "OWN", "ENFORCED", "BY"] in rows
        assert ["process_memory", "64MiB", pool, "128MiB"] in [row[:4] for row in rows]
        assert ["active_processes", "3", child, "3"] in [row[:4] for row in rows]
        assert ["limits", "per", "session", "active_processes"] in rows
        ok(service.jobpool("assign", "--pool", child, held().pid))
        sessions = [row for row in map(str.split, ok(service.jobpool("show", child)).splitlines()) if f"Global\\JobPool.{child}" in row]
        assert [row[2] for row in sessions if row[0].isdigit()] == ["1"], "one process in its job"
        assert "waits at most" in ok(service.jobpool("show", pool)) and "waits at most" not in ok(service.jobpool("show", child))
    finally:
        ok(service.jobpool("delete", child, "--terminate"))


def test_waiting_for_room_ends_with_its_time(service, rpc, pool, held, jobber):
    rpc.call("pool.update", pool=pool, limits={"active_processes": 1}, when_full="wait")
    ok(service.jobpool("assign", "--pool", pool, held().pid))
    for arguments in (("assign", "--pool", pool, "--wait-for-room", "200ms", held().pid), ("launch", "--pool", pool, "--wait-for-room", "200ms", *jobber("exit", 0)),
                      ("run", "--pool", pool, "--wait-for-room", "200ms", *jobber("exit", 0))):
        result = service.jobpool(*arguments)
        assert result.returncode == 1 and "room" in result.stderr, result.stderr


def test_waiting_for_room_ends_when_there_is_room(service, rpc, pool, held, host, jobber):
    rpc.call("pool.update", pool=pool, limits={"active_processes": 1}, when_full="wait", wait_timeout="1m")
    first = held()
    ok(service.jobpool("assign", "--pool", pool, first.pid))
    waiting = host.start("jobpool", "--pipe", service.pipe, "run", "--pool", pool, *jobber("exit", 7))
    wait_until(lambda: rpc.call("pool.get", pool=pool)["waiting"] == 1, "the second to wait")
    assert waiting.poll() is None
    first.let_go()
    assert waiting.wait(60) == 7


# --------------------------------------------------------------------------------------------------------------- other jobs

def test_no_such_job(service):
    result = service.jobpool("job", "query", "Local\\nobody-made-this", "9")
    assert result.returncode == 1 and "nobody-made-this" in result.stderr
    result = service.jobpool("--json", "job", "query", "Local\\nobody-made-this", "9")
    assert result.returncode == 1 and json.loads(result.stderr)["data"]["name"] == "unknown_job"


@pytest.mark.shows("CreateJobObject", "OpenJobObject")
def test_create_holds_a_job_until_the_end_of_input(service, host):
    name = "Local\\jobpool-test-held"
    with Holder(host, service.pipe, name) as holder:
        assert "created" in holder.line and "jobpool-test-held" in holder.line and "Ctrl-C" in holder.line
        ok(service.jobpool("job", "query", name, "BasicAccountingInformation"))
        with Holder(host, service.pipe, name) as second:
            assert "there already" in second.line
        ok(service.jobpool("job", "query", name, "BasicAccountingInformation"))
        assert holder.let_go() == 0
    wait_until(lambda: service.jobpool("job", "query", name, "1").returncode == 1, "the job to be gone with its last handle")


def test_create_says_that_the_service_went_away(console, host):
    service = console().start()
    holder = Holder(host, service.pipe, "--json")
    assert json.loads(holder.line)["existed"] is False
    service.stop()
    assert holder.process.wait(60) == 3


@pytest.mark.shows("AssignProcessToJobObject", "TerminateJobObject")
def test_a_job_that_is_no_pool(service, host, held):
    process = held()
    name = "Local\\jobpool-test-plain"
    with Holder(host, service.pipe, name):
        ok(service.jobpool("job", "assign", name, process.pid))
        assert ok(service.jobpool("job", "query", name, "3")) == f"{process.pid}\n"
        ok(service.jobpool("job", "terminate", name))
        process.process.wait(60)


def test_own_job_needs_no_service(host):
    result = host.run("jobpool", "--pipe", "jobpool-nobody", "job", "query", "--own", "JobObjectExtendedLimitInformation")
    assert "LimitFlags" in ok(result) and "JobMemoryLimit" in result.stdout
    answer = json.loads(ok(host.run("jobpool", "--json", "job", "query", "--own", 9)))
    assert answer["class"] == 9 and "BasicLimitInformation" in answer["info"]


@pytest.mark.windows_only("Wine tells a process about its job only by a handle")
@pytest.mark.shows("QueryInformationJobObject", "JobObjectBasicProcessIdList")
def test_own_job_is_the_pools(host, service, pool):
    inside = service.jobpool("run", "--pool", pool, "--", host.program("jobpool"), "job", "query", "--own", 3)
    assert len(ok(inside).split()) == 1 and inside.stdout.strip().isdigit()


# ------------------------------------------------------------------------------------------------------------- grant-handle

def test_grant_to_a_job_that_is_not_there(service):
    result = service.jobpool("grant-handle", "0x10010", "--job", "Local\\nobody-made-this")
    assert result.returncode == 1 and "nobody-made-this" in result.stderr


def test_without_a_service_a_plain_name_is_a_kernel_name(host):
    result = host.run("jobpool", "--pipe", "jobpool-nobody", "grant-handle", "0x10010", "--job", "nobody-made-this")
    assert result.returncode == 1 and "nobody-made-this" in result.stderr and "jobpool-nobody" in result.stderr


@pytest.mark.windows_only("Wine's UserHandleGrantAccess does nothing and says yes")
@pytest.mark.shows("UserHandleGrantAccess")
def test_a_handle_that_is_none_is_refused(service, pool):
    result = service.jobpool("grant-handle", "0x7FFFFFF0", "--job", pool)
    assert result.returncode == 1 and "UserHandleGrantAccess" in result.stderr


# -------------------------------------------------------------------------------------------------------------- the C guide

@pytest.mark.shows("CreateJobObject", "AssignProcessToJobObject", "QueryInformationJobObject", "SetInformationJobObject")
def test_the_program_of_the_c_guide(host):
    text = ok(host.run(BUILD / "docs" / "job_example.exe"))
    assert "processes: 1," in text
