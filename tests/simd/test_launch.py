"""Launches as somebody: whose rights and session count, the files that a program is given, and templates with an account of their own."""
import pytest

from harness.simulated import ALICE, BOB, NOBODY, SERVICE

OPEN = {"view": ["Everyone"], "launch": ["Everyone"]}
FILES = {"stdin": "C:\\in.txt", "stdout": "C:\\out.txt", "stderr": "C:\\err.txt", "append": True}


def process(w, pid):
    return w.machine.order("process", pid=pid)


def test_a_launch_is_the_callers(world):
    w = world({"p": {"access": OPEN}})
    for who in (ALICE, BOB | {"session": 3}, SERVICE):
        pid = w.machine.client(**who).call("pool.launch", pool="p", argv=["tool.exe"])["pid"]
        seen = process(w, pid)
        assert (seen["token"]["user"], seen["token"]["session"]) == (who["user"], who.get("session", 1))
        assert seen["openedAs"] == who["user"]
        assert not {"stdin", "stdout", "stderr"} & seen.keys() and seen["append"] is False


@pytest.mark.parametrize("given", [FILES, {"stdout": "C:\\o.txt", "stderr": "c:\\O.TXT"}, {"stdin": "NUL"}, {"stdout": "Z:/logs/a"}])
def test_files_are_opened_as_the_caller(world, given):
    w = world({"p": {"access": OPEN}})
    pid = w.machine.client(**ALICE).call("pool.launch", pool="p", argv=["tool.exe"], **given)["pid"]
    seen = process(w, pid)
    assert {key: seen[key] for key in given} == given
    assert seen["openedAs"] == "SIM\\alice"


@pytest.mark.parametrize("name", ["out.txt", "\\out.txt", "C:out.txt", "\\\\server\\share\\x", "\\\\.\\pipe\\x", "\\\\?\\C:\\x", "CON", ""])
@pytest.mark.parametrize("key", ["stdin", "stdout", "stderr"])
def test_what_is_no_full_name_on_a_drive_is_refused(world, key, name):
    w = world({"p": {}})
    error = w.rpc.error("pool.launch", pool="p", argv=["tool.exe"], **{key: name})
    assert error.name == "invalid_params" and key in error.message
    assert w.members("p") == []


def test_nothing_is_started_when_a_file_cannot_be_opened(world):
    w = world({"p": {}})
    w.machine.order("fail_next", operation="CreateFile", win32=32)
    assert w.rpc.error("pool.launch", pool="p", argv=["tool.exe"], stdout="C:\\out.txt").data["win32"] == 32
    assert w.members("p") == [] and w.rows() == []


def test_one_that_did_not_wait_for_the_disk_is_found_again_after_a_crash(world):
    """Nothing of it got onto the disk: the job has it, and the next run says so."""
    w = world({"p": {"on_service_stop": "keep"}})
    w.machine.order("disk", full=True)
    pid = w.rpc.call("pool.launch", pool="p", argv=["tool.exe"], durable=False)["pid"]
    assert not process(w, pid)["suspended"]
    w.crash(settled=False)
    w.machine.order("disk", full=False)
    w.start()
    assert w.members("p") == [pid] and not process(w, pid)["suspended"]
    w.machine.exit(pid, 3)
    assert [(row["joinedBy"], row["ending"], row["exitCode"]) for row in w.rows()] == [("reconciler", "exited", 3)]


def test_files_wait_with_who_waits(world):
    """For a pool that is full: what was asked for is kept, whatever else the connection asks meanwhile."""
    w = world({"p": {"limits": {"active_processes": 1}, "when_full": "wait", "access": OPEN}})
    first = w.launch("p")
    alice = w.machine.client(**ALICE)
    waiting = alice.begin("pool.launch", pool="p", argv=["tool.exe"], **FILES)
    alice.call("pool.list")
    w.machine.exit(first)
    seen = process(w, alice.finish(waiting)["pid"])
    assert {key: seen[key] for key in FILES} == FILES and seen["openedAs"] == "SIM\\alice"


def test_who_only_says_who_he_is_launches_nothing(world):
    w = world({"p": {"access": OPEN}})
    asking = w.machine.client(**ALICE, identify=True)
    assert asking.call("pool.get", pool="p")["name"] == "p"
    error = asking.error("pool.launch", pool="p", argv=["tool.exe"])
    assert error.name == "access_denied" and "identif" in error.message
    pid = w.machine.spawn(token={"user": "SIM\\alice"})
    assert asking.error("pool.assign", pool="p", pid=pid).name == "access_denied"
    assert w.members("p") == []
    assert w.machine.client(**NOBODY).error("pool.get", pool="p").name == "access_denied"


TEMPLATES = {
    "mine": {"pool": "p", "argv": ["tool.exe", "-x"], "stdout": "C:\\logs\\mine.txt"},
    "service": {"pool": "p", "command": "index.exe /q", "stdin": "NUL", "stdout": "C:\\logs\\i.txt", "append": True, "run_as": "local_service"},
    "net": {"pool": "own", "argv": ["a.exe"], "run_as": "network_service"},
}


def test_a_template_runs_as_it_says(world):
    w = world({"p": {"access": OPEN}}, templates=TEMPLATES | {"net": TEMPLATES["net"] | {"pool": "p"}})
    alice = w.machine.client(**ALICE)
    for name, user in (("mine", "SIM\\alice"), ("service", "NT AUTHORITY\\LOCAL SERVICE"), ("net", "NT AUTHORITY\\NETWORK SERVICE")):
        seen = process(w, alice.call("pool.launch", template=name)["pid"])
        assert (seen["token"]["user"], seen["openedAs"], seen["token"]["session"]) == (user, user, 1)
        assert seen.get("stdout") == TEMPLATES[name].get("stdout")
    assert w.machine.client(**ALICE, identify=True).error("pool.launch", template="service").name == "access_denied"


def test_a_template_waits_with_its_account(world):
    w = world({"p": {"limits": {"active_processes": 1}, "when_full": "wait", "access": OPEN}}, templates={"service": TEMPLATES["service"]})
    first = w.launch("p")
    alice = w.machine.client(**ALICE)
    waiting = alice.begin("pool.launch", template="service")
    alice.call("pool.list")
    w.machine.exit(first)
    seen = process(w, alice.finish(waiting)["pid"])
    assert (seen["openedAs"], seen["stdout"], seen["append"]) == ("NT AUTHORITY\\LOCAL SERVICE", "C:\\logs\\i.txt", True)


def test_a_template_is_launched_in_its_pool_only(world):
    """Else whoever may launch anywhere could launch everything that is prepared for others."""
    w = world({"p": {}, "alices": {"access": OPEN}}, templates={"service": TEMPLATES["service"]})
    alice = w.machine.client(**ALICE)
    assert alice.error("pool.launch", template="service", pool="alices").name == "invalid_params"
    assert alice.error("pool.launch", template="service").name == "access_denied"
    for more in ({"argv": ["x"]}, {"stdout": "C:\\x"}, {"append": True}, {"env": {"A": "1"}}, {"cwd": "C:\\"}):
        assert w.rpc.error("pool.launch", template="service", **more).name == "invalid_params"
    assert w.rpc.call("pool.launch", template="service", pool="p")["pool"] == "p"


def test_a_pools_own_token_and_a_templates_account_do_not_mix(world):
    w = world({"own": {"security": {"limits": ["only_token"], "account": "local_service"}}}, templates={"net": TEMPLATES["net"]})
    error = w.rpc.error("pool.launch", template="net")
    assert error.name == "access_denied" and "only_token" in error.message
    w.machine.order("fail_next", operation="LogonUser", win32=1314)
    assert w.rpc.error("pool.launch", pool="own", argv=["a.exe"]).data["win32"] == 1314
    assert w.members("own") == []
