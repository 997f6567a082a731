"""The installed service: its states, its methods, reload, and what becomes of pools when it stops."""
import re

import pytest

from harness.host import WINDOWS, wait_until
from harness.service import InstalledService

from conftest import POOLS

PARAMCHANGE = 6


def reloaded(service, change):
    """Writes the shared service's configuration with some pools changed (None: removed)."""
    pools = {name: spec for name, spec in (POOLS | change).items() if spec is not None}
    service.write_config({"pools": pools, "log": {"level": "debug"}})


@pytest.fixture
def original_config(service, rpc):
    yield
    reloaded(service, {})
    rpc.call("service.reload")


# --------------------------------------------------------------------------------------------------------------- methods

def test_status(service, rpc, host):
    status = rpc.call("service.status")
    assert status["program"] == "jobpoold" and status["version"] and status["protocol"] == 1
    assert status["pid"] > 0 and status["started"].endswith("Z") and status["host"].startswith("Windows")
    assert status["config"] == host.path(service.config_file) and "jobpool" in status["pipe"]
    assert status["pools"] >= len(POOLS) and status["connections"] >= 1 and status["seq"] > 0
    database = status["database"]
    assert database["file"] == host.path(service.database_file)
    assert (database["degraded"], database["droppedEvents"]) == (False, 0) and database["committedSeq"] <= status["seq"]
    assert status["port"]["overflows"] == 0


def test_capabilities(rpc):
    host = rpc.call("service.capabilities")
    limits = {"active_processes", "process_memory", "job_memory", "process_time", "job_time", "priority_class", "affinity", "working_set",
              "scheduling_class", "cpu_rate", "network_rate", "breakaway", "die_on_unhandled_exception", "kill_on_close",
              "subset_affinity", "processor_groups"}
    assert set(host["limits"]) == limits
    assert set(host["limits"].values()) <= {"kernel", "service", "none"}
    assert host["nestedJobs"] is True and host["limits"]["kill_on_close"] == "kernel"


# ---------------------------------------------------------------------------------------------------------------- reload

def test_reload_without_changes(rpc):
    assert rpc.call("service.reload") == {"added": [], "changed": [], "removed": [], "orphaned": []}


def test_reload_applies_the_difference_to_living_pools(service, rpc, jobber, original_config):
    process = rpc.call("pool.launch", pool="child", argv=jobber("sleep", 60000))
    reloaded(service, {"child": {"parent": "parent", "limits": {"active_processes": 7}}, "fresh": {"parent": "child"}, "other": None})
    changes = rpc.call("service.reload")
    assert changes == {"added": ["fresh"], "changed": ["child"], "removed": ["other"], "orphaned": []}
    assert rpc.call("pool.get", pool="child")["limits"] == {"active_processes": 7}
    assert rpc.error("pool.get", pool="other").name == "unknown_pool"
    assert rpc.call("process.get", pid=process["pid"])["ending"] == "running", "nobody is killed"
    rpc.call("pool.terminate", pool="child")
    rpc.call("pool.wait", pool="child")


def test_a_removed_pool_with_members_lives_on_as_an_orphan(service, rpc, jobber, original_config):
    process = rpc.call("pool.launch", pool="single", argv=jobber("sleep", 60000))
    reloaded(service, {"single": None})
    assert rpc.call("service.reload")["orphaned"] == ["single"]
    assert rpc.call("pool.get", pool="single")["state"] == "orphan"
    assert rpc.error("pool.launch", pool="single", argv=jobber("exit", 0)).name in ("unknown_pool", "pool_full")
    rpc.call("process.terminate", pid=process["pid"])
    wait_until(lambda: "single" not in [row["name"] for row in rpc.call("pool.list")["pools"]], "the orphan to go")


@pytest.mark.parametrize("text, line, column, words", [
    ('{\n  "pools": {\n    "child": {"parnet": "parent"}\n  }\n}', 3, 15, "parent"),
    ('{\n  "pools": {\n    "child": {"limits": {"active_processes": "many"}}\n', 4, None, ""),
    ('{"pools": {"child": {"parent": "nobody"}}}', 1, None, "nobody"),
])
def test_a_faulty_file_changes_nothing_and_is_told_with_its_places(service, rpc, original_config, text, line, column, words):
    before = rpc.call("pool.list")
    service.write_config(text)
    error = rpc.error("service.reload")
    assert (error.code, error.name) == (-32011, "invalid_config")
    fault = error.data["faults"][0]
    assert fault["line"] == line and column in (None, fault["column"]) and words in fault["text"]
    assert rpc.call("pool.list") == before


def test_a_missing_file_changes_nothing(service, rpc, original_config):
    before = rpc.call("pool.list")
    service.config_file.unlink()
    assert rpc.error("service.reload").message.find("jobpool.json") >= 0
    assert rpc.call("pool.list") == before


def test_paramchange_reloads(service, rpc, host, original_config):
    reloaded(service, {"by-control": {}})
    result = host.run("jobber", "control", service.name, PARAMCHANGE)
    assert result.returncode == 0, result.stderr
    wait_until(lambda: "by-control" in [row["name"] for row in rpc.call("pool.list")["pools"]], "the new pool")
    service.write_config("{ broken")
    host.run("jobber", "control", service.name, PARAMCHANGE)
    wait_until(lambda: f"{host.path(service.config_file)}:1:" in service.log(), "the fault to be in the log")
    assert "by-control" in [row["name"] for row in rpc.call("pool.list")["pools"]]


# ------------------------------------------------------------------------------------------------------------ stop and start

def test_states_log_and_a_restart(service, rpc):
    assert service.state() == "RUNNING"
    pid = rpc.call("service.status")["pid"]
    service.stop()
    assert service.state() == "STOPPED"
    assert rpc.receive() is None, "its clients are let go"
    assert service.jobpool("status").returncode == 3
    service.start()
    with service.bridge() as after:
        assert after.call("service.status")["pid"] != pid
    log = service.log()
    assert log.count("\n") > 3 and all(line[:4].isdigit() and line[10] == "T" for line in log.splitlines()), "one line an entry, in UTC"


def test_the_log_file_and_its_rotation(host, service):
    other = InstalledService(host, host.drive_c / "ProgramData" / "Logging Pool", {}, service.program, name="LoggingPool", pipe="jobpool-logging")
    other.write_config({"pools": {"p": {}}, "log": {"file": host.path(other.folder / "own.log"), "level": "debug", "max_size": "4KiB", "keep": 2}})
    other.install()
    try:
        other.start()
        with other.bridge() as rpc:
            for _ in range(150):
                rpc.call("service.reload")
        other.stop()
        logs = {path.name: path for path in other.folder.glob("own.log*")}
        assert set(logs) == {"own.log", "own.log.1", "own.log.2"}
        assert all(path.stat().st_size <= 4096 for path in logs.values())
        lines = "".join(logs[name].read_text() for name in ("own.log.2", "own.log.1", "own.log")).splitlines()
        assert all(line[:4].isdigit() and line[10] == "T" and line[27:28] == "Z" for line in lines), "one line an entry, in UTC"
        assert lines == sorted(lines, key=lambda line: line[:28]) and "stopped" in lines[-1]
    finally:
        other.remove()


def test_pools_that_stay_and_pools_that_do_not(service, jobber):
    with service.bridge() as rpc:
        rpc.call("pool.create", name="lasting", persist=True, description="stays", limits={"active_processes": 4})
        rpc.call("pool.create", name="lasting.below", persist=True, parent="lasting")
        rpc.call("pool.create", name="passing")
        assert rpc.call("pool.get", pool="lasting")["source"] == "persistent"
    service.restart()
    with service.bridge() as rpc:
        lasting = rpc.call("pool.get", pool="lasting")
        assert (lasting["source"], lasting["description"], lasting["limits"]) == ("persistent", "stays", {"active_processes": 4})
        assert lasting["children"] == ["lasting.below"]
        assert rpc.error("pool.get", pool="passing").name == "unknown_pool"
        rpc.call("pool.update", pool="lasting", limits={"active_processes": 5})
    service.restart()
    with service.bridge() as rpc:
        assert rpc.call("pool.get", pool="lasting")["limits"] == {"active_processes": 5}
        for name in ("lasting.below", "lasting"):
            rpc.call("pool.delete", pool=name)
    service.restart()
    with service.bridge() as rpc:
        assert rpc.error("pool.get", pool="lasting").name == "unknown_pool"


def test_processes_that_stay_and_processes_that_do_not(service, jobber, host):
    with service.bridge() as rpc:
        rpc.call("pool.create", name="keeps", persist=True, on_service_stop="keep")
        rpc.call("pool.create", name="ends", persist=True, on_service_stop="terminate")
        rpc.call("pool.create", name="closes", persist=True, limits={"kill_on_close": True})
        started = {name: rpc.call("pool.launch", pool=name, argv=jobber("sleep", 60000)) for name in ("keeps", "ends", "closes")}
    service.restart()
    with service.bridge() as rpc:
        def row(name):
            return rpc.call("process.get", pid=started[name]["pid"], startTime=started[name]["startTime"])

        assert row("keeps")["ending"] == "running", "it went on without the service, and is a member again"
        assert [process["pid"] for process in rpc.call("pool.processes", pool="keeps")["processes"]] == [started["keeps"]["pid"]]
        for name in ("ends", "closes"):
            assert row(name)["ending"] == "terminated" and row(name)["ended"], name
        waiting = rpc.begin("pool.wait", pool="keeps", pid=started["keeps"]["pid"])
        rpc.call("pool.terminate", pool="keeps", exitCode=12)
        ended = rpc.finish(waiting)
        assert (ended["ending"], ended["exitCode"]) == ("terminated", 12)
        for name in started:
            rpc.call("pool.delete", pool=name)


def test_what_ended_while_no_service_was_there(service, host, held):
    process = held()
    with service.bridge() as rpc:
        rpc.call("pool.create", name="alone", persist=True, on_service_stop="keep")
        rpc.call("pool.assign", pool="alone", pid=process.pid)
    service.stop()
    assert process.let_go() == 0
    service.start()
    with service.bridge() as rpc:
        row = rpc.call("accounting.processes", pool="alone")["processes"][0]
        assert (row["pid"], row["ending"]) == (process.pid, "unknown") and row["ended"]
        rpc.call("pool.delete", pool="alone")


@pytest.mark.usefixtures("service")  # which puts the program in its place
@pytest.mark.parametrize("config, words", [
    ({"pools": {"p": {"parnt": "q"}}}, "parent"),
    ({"log": {"file": "C:\\nowhere\\jobpool.log"}}, "C:\\nowhere\\jobpool.log"),
    ({"database": {"file": "C:\\nowhere\\accounting.db"}}, "C:\\nowhere"),
])
def test_a_service_that_cannot_start_is_stopped_and_says_why(host, config, words):
    service = InstalledService(host, host.drive_c / "ProgramData" / "Broken Pool", config,
                               host.drive_c / "Program Files" / "Job Pool" / "jobpoold.exe", name="BrokenPool", pipe="jobpool-broken")
    errors = service.folder / "jobpool.json.errors.log"
    errors.unlink(missing_ok=True)
    service.install()
    try:
        service.sc("start", service.name)
        # Whether or not there is a log by then, the words stand beside the configuration, and in the event log.
        wait_until(lambda: service.state() == "STOPPED" and errors.exists(), "the service to give up and say why")
        assert words in errors.read_text()
    finally:
        service.remove()


def test_a_second_service_on_the_same_pipe_is_stopped_and_says_why(host, service, rpc, pool):
    second = InstalledService(host, host.drive_c / "ProgramData" / "Second Pool", {"database": {"file": host.path(service.database_file)}},
                              service.program, name="SecondPool", pipe=service.pipe)
    errors = second.folder / "jobpool.json.errors.log"
    errors.unlink(missing_ok=True)
    second.install()
    try:
        before = rpc.call("events.query", pools=[pool])["events"]
        second.sc("start", second.name)
        wait_until(lambda: second.state() == "STOPPED" and errors.exists(), "the service to give up and say why")
        assert service.pipe in errors.read_text() and "another instance" in errors.read_text()
        assert re.search(r"SERVICE_EXIT_CODE\s*:\s*32008", second.sc("query", second.name).stdout), "as the documentation says"
        assert rpc.call("events.query", pools=[pool])["events"] == before
        assert service.state() == "RUNNING" and rpc.call("service.status")["database"]["degraded"] is False
    finally:
        second.remove()


@pytest.mark.usefixtures("service")
@pytest.mark.skipif(WINDOWS, reason="sets Unix modes, from which Wine makes its access lists")
@pytest.mark.parametrize("what, mode", [("the file", 0o666), ("its folder", 0o777)])
def test_a_configuration_that_others_may_write_is_refused(host, what, mode):
    service = InstalledService(host, host.drive_c / "ProgramData" / f"Open Pool {mode:o}", {}, host.drive_c / "Program Files" / "Job Pool" / "jobpoold.exe",
                               name="OpenPool", pipe="jobpool-open")
    errors = service.folder / "jobpool.json.errors.log"
    (service.config_file if what == "the file" else service.folder).chmod(mode)
    service.install()
    try:
        service.sc("start", service.name)
        wait_until(lambda: service.state() == "STOPPED" and errors.exists(), "the service to give up and say why")
        assert "may write" in errors.read_text() and "icacls" in errors.read_text()
        checked = host.run("jobpoold", "--check-config", "--config", host.path(service.config_file))
        assert checked.returncode == 0 and "would not take it" in checked.stderr
    finally:
        service.remove()
