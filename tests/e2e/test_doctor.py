"""jobpool doctor: what is wrong is found, said, and comes with what to do; what is well is said too, and what may not be seen is no failure."""
import json
import os
import shutil
import sqlite3

import pytest

from harness.host import BUILD, PROGRAMS, WINDOWS, Host, wait_until


def rows_of(host, *arguments):
    result = host.run("jobpool", "--json", *arguments, "doctor")
    answer = json.loads(result.stdout)
    assert result.returncode == (0 if answer["ok"] else 1), result.stderr
    assert answer["failed"] == sum(row["state"] == "failed" for row in answer["checks"]) and answer["ok"] == (answer["failed"] == 0)
    for row in answer["checks"]:
        assert row["state"] in ("ok", "note", "warning", "failed") and row["found"]
    return answer["checks"]


def only(rows, check, state=None):
    found = [row for row in rows if row["check"] == check and state in (None, row["state"])]
    assert len(found) == 1, (check, state, rows)
    return found[0]


def failures(rows):
    return {row["check"] for row in rows if row["state"] == "failed"}


class Machine:
    """With a service of its own, as jobpoold install makes it."""

    def __init__(self, host):
        self.host = host
        self.folder = host.drive_c / "Program Files" / "JobPool"
        self.data = host.drive_c / "ProgramData" / "JobPool"
        self.config = self.data / "jobpool.json"
        self.folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROGRAMS["jobpoold"], self.folder)

    def jobpoold(self, *arguments):
        result = self.host.run(self.folder / "jobpoold.exe", *arguments, timeout=120)
        assert result.returncode == 0, result.stdout + result.stderr

    def rows(self, *arguments):
        return rows_of(self.host, *arguments)


@pytest.fixture(scope="module")
def own_host():
    host = Host(BUILD.parent / f"wine-doctor-{os.getpid()}")
    yield host
    host.close()


@pytest.fixture
def machine(own_host):
    machine = Machine(own_host)
    yield machine
    own_host.run("sc", "stop", "JobPool")
    own_host.run(machine.folder / "jobpoold.exe", "uninstall", "--purge", "--yes")
    own_host.run("sc", "delete", "JobPool")
    shutil.rmtree(machine.data, ignore_errors=True)


# -------------------------------------------------------------------------------------------------------------- all is well

def test_a_fresh_installation_is_well(machine):
    machine.jobpoold("install")
    rows = machine.rows()
    assert failures(rows) == set() and [row for row in rows if row["state"] == "warning"] == []
    assert "installed:" in only(rows, "service")["found"] and "process" in only(rows, "running")["found"]
    for check in ("program", "configuration", "pipe", "who may write it", "data folder", "versions", "database", "disk", "log", "sampling", "clock",
                  "start", "account", "event messages", "preshutdown time-out"):
        assert only(rows, check)["state"] == "ok", rows
    assert "view, assign, launch, control, admin" in only(rows, "your rights")["found"]
    assert any(row["check"] == "limits" for row in rows)


def test_for_people_and_for_tables(machine):
    machine.jobpoold("install", "--no-start")
    text = machine.host.run("jobpool", "doctor")
    assert text.returncode == 1 and "\nfailed   running" in text.stdout and "         -> as an administrator: sc start JobPool" in text.stdout
    assert text.stdout.splitlines()[-1].endswith("warnings") and "\x1b" not in text.stdout
    coloured = machine.host.run("jobpool", "doctor", environment={"JOBPOOL_COLOR": "always"}).stdout
    assert "\x1b[31m" in coloured and "\x1b[32m" in coloured
    table = machine.host.run("jobpool", "doctor", "--format", "csv", "--columns", "check,state").stdout.splitlines()
    assert table[0] == "check,state" and "running,failed" in table


# --------------------------------------------------------------------------------------------------------- without a service

def test_no_service(machine):
    rows = machine.rows()
    assert failures(rows) == {"service", "configuration", "pipe"}
    assert "jobpoold install" in only(rows, "service")["advice"] and "jobpool init" in only(rows, "configuration")["advice"]


def test_a_stopped_service(machine):
    machine.jobpoold("install")
    machine.host.run("sc", "stop", "JobPool")
    wait_until(lambda: "STOPPED" in machine.host.run("sc", "query", "JobPool").stdout, "the service to stop")
    rows = machine.rows()
    assert failures(rows) == {"running", "pipe"}
    assert only(rows, "running")["found"] == "stopped" and "sc start" in only(rows, "running")["advice"]
    assert "sound" in only(rows, "database")["found"], "it is looked at without a service, too"


def test_a_program_that_is_gone(machine):
    machine.jobpoold("install", "--no-start")
    (machine.folder / "jobpoold.exe").rename(machine.folder / "moved.exe")
    try:
        row = only(machine.rows(), "service")
        assert row["state"] == "failed" and "there is no program" in row["found"]
    finally:
        (machine.folder / "moved.exe").rename(machine.folder / "jobpoold.exe")


# ------------------------------------------------------------------------------------------------------------ installed oddly

def test_an_installation_by_hand(machine):
    """Without quotes, by demand, without an event source: each is said with the line that puts it right."""
    machine.host.run("sc", "create", "JobPool", "binPath=", "C:\\Program Files\\JobPool\\jobpoold.exe", "start=", "demand")
    rows = machine.rows()
    assert "without quotes" in only(rows, "service")["found"] and only(rows, "service")["state"] == "failed"
    assert only(rows, "start")["state"] == "warning" and only(rows, "start")["advice"] == "sc config JobPool start= auto"
    assert only(rows, "event messages")["advice"].startswith("reg add HKLM\\SYSTEM\\CurrentControlSet\\Services\\EventLog")
    machine.jobpoold("install", "--no-start")
    rows = machine.rows()
    assert {only(rows, check)["state"] for check in ("service", "start", "event messages")} == {"ok"}


# ---------------------------------------------------------------------------------------------------------- the configuration

def test_a_faulty_configuration(machine):
    machine.jobpoold("install", "--no-start")
    machine.config.write_text('{\n"pools": {"a": {"limits": {"active_process": 3}}},\n"pip": {}}', encoding="utf-8")
    machine.host.run("sc", "start", "JobPool")
    wait_until(lambda: "STOPPED" in machine.host.run("sc", "query", "JobPool").stdout, "the service to give up")
    rows = machine.rows()
    row = only(rows, "configuration")
    assert row["state"] == "failed" and "jobpool.json:2:" in row["found"] and "active_processes" in row["found"] and "--check-config" in row["advice"]
    assert "invalid_config" in only(rows, "running")["found"], "why it stopped"
    assert "active_process" in only(rows, "log")["found"], "what it wrote beside the configuration"


@pytest.mark.skipif(WINDOWS, reason="made with the rights of a Unix file; on Windows the same is tried by test_a_configuration_of_others_on_windows")
def test_a_configuration_that_others_may_write(machine):
    machine.jobpoold("install", "--no-start")
    machine.config.chmod(0o666)
    row = only(machine.rows(), "who may write it")
    assert row["state"] == "failed" and "may write" in row["found"] and "icacls" in row["found"]


@pytest.mark.windows_only("Wine makes up a file's access list from Unix' modes")
def test_a_configuration_of_others_on_windows(machine):
    machine.jobpoold("install", "--no-start")
    machine.host.run("icacls", machine.config, "/grant", "*S-1-5-32-545:M")
    row = only(machine.rows(), "who may write it")
    assert row["state"] == "failed" and "Users may write" in row["found"]


@pytest.mark.skipif(WINDOWS, reason="made with the rights of a Unix file")
def test_a_folder_that_others_may_see(machine):
    machine.jobpoold("install", "--no-start")
    machine.data.chmod(0o755)
    row = only(machine.rows(), "data folder")
    assert row["state"] == "warning" and "may use the folder" in row["found"]


@pytest.mark.windows_only("under Wine everybody may read everything")
def test_an_ordinary_user_is_told_what_he_may_not_see(machine):
    """Nothing that he may not look at is a failure."""
    machine.jobpoold("install")
    said = machine.host.run("runas", "/trustlevel:0x20000", f'"{machine.host.program("jobpool")}" --json doctor > C:\\Users\\Public\\doctor.json')
    assert said.returncode == 0
    file = machine.host.drive_c / "Users" / "Public" / "doctor.json"
    wait_until(lambda: file.exists() and file.stat().st_size > 0, "the doctor")
    rows = json.loads(file.read_text(encoding="utf-8"))["checks"]
    assert failures(rows) == set() and "only administrators may read it" in only(rows, "configuration")["found"]


# -------------------------------------------------------------------------------------------------------------------- the pipe

def test_a_wrong_name_of_the_pipe(machine):
    machine.jobpoold("install")
    rows = machine.rows("--pipe", "jobpol")
    row = only(rows, "pipe")
    assert failures(rows) == {"pipe"} and "jobpol" in row["found"] and 'names the pipe "jobpool"' in row["advice"]


def test_no_rights(console, host):
    service = console({"access": "D:P(A;;GA;;;SY)"})
    service.launch()
    wait_until(lambda: service.jobpool("status").returncode == 1, "the service to say no")
    rows = rows_of(host, "--pipe", service.pipe)
    assert failures(rows) - {"service", "configuration"} == {"pipe"} and "view" in only(rows, "pipe")["found"]
    assert service.stop() == 0


def test_a_console(console, host):
    """Who answers is not the installed service, if there is one; it is looked at all the same, and nothing has failed."""
    other = console({"pools": {"one": {}}}).start()
    rows = rows_of(host, "--pipe", other.pipe)
    assert failures(rows) == set()
    assert "not the installed service" in only(rows, "pipe", "note")["found"]
    assert any(host.path(other.config_file) in row["found"] for row in rows if row["check"] == "configuration")
    assert host.path(other.database_file) in only(rows, "database")["found"]
    assert other.stop() == 0


# ---------------------------------------------------------------------------------------------------------------- the database

def test_a_database_that_is_locked(console, host):
    service = console({"pools": {"p": {}}, "log": {"level": "info"}}).start()
    with service.bridge() as bridge:
        lock = sqlite3.connect(service.database_file, isolation_level=None, timeout=30)
        lock.execute("BEGIN IMMEDIATE")
        bridge.begin("pool.create", name="waits")
        wait_until(lambda: bridge.call("service.status")["database"]["degraded"], "the service to notice")
        row = only(rows_of(host, "--pipe", service.pipe), "database")
        assert row["state"] == "failed" and "locked" in row["found"] and "wait in memory" in row["found"]
        lock.execute("ROLLBACK")
        lock.close()
        wait_until(lambda: not bridge.call("service.status")["database"]["degraded"], "the service to go on")
    assert only(rows_of(host, "--pipe", service.pipe), "database")["state"] == "ok"
    assert service.stop() == 0


def test_a_database_that_is_damaged(machine):
    machine.jobpoold("install")
    machine.host.run("sc", "stop", "JobPool")
    wait_until(lambda: "STOPPED" in machine.host.run("sc", "query", "JobPool").stdout, "the service to stop")
    database = machine.data / "accounting.db"
    whole = database.read_bytes()
    database.write_bytes(whole[:4096] + b"\xa5" * (len(whole) - 4096))
    row = only(machine.rows(), "database")
    assert row["state"] == "failed" and "accounting.db" in row["found"] and "troubleshooting.md" in row["advice"]


# ------------------------------------------------------------------------------------------------------------------ an old one

def test_another_version(machine):
    """A program of another version says so; here its own version is written over, in both forms in which a program holds it."""
    machine.jobpoold("install")
    other = machine.host.drive_c / "other.exe"
    version = machine.host.run("jobpool", "--version").stdout.split()[1].encode()
    data = PROGRAMS["jobpool"].read_bytes()
    assert version in data
    other.write_bytes(data.replace(version, b"9" + version[1:]))
    other.chmod(0o755)
    result = machine.host.run(other, "--json", "doctor")
    row = only(json.loads(result.stdout)["checks"], "versions")
    assert row["state"] == "warning" and "9" + version[1:].decode() in row["found"] and "upgrade" in row["advice"]
    other.unlink()
