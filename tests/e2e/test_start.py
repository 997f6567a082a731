"""Starting, and not starting: configurations and databases that are missing, broken, or somebody else's."""
import pathlib
import sqlite3
import subprocess

import pytest

from harness.host import WINDOWS, wait_until
from harness.service import ConsoleService

FAULTY = """{
    // a comment
    "pools": {
        "build": { "limits": { "active_process": 3, "job_memory": "5 apples" } },
        "web": { "parent": "biuld" },
        "web2": { "limits": { "cpu_rate": "150%" }, "on_service_stop": 7 }
    },
    "pip": {}
}
"""


def fails_to_start(service):
    """Starts a service that cannot; returns what it said."""
    service.launch()
    assert service.exit_code() != 0
    return service.stderr()


# ----------------------------------------------------------------------------------------------------------- the program

def test_version_and_help(host):
    version = host.run("jobpoold", "--version")
    assert version.returncode == 0 and version.stdout.split()[0] == "jobpoold"
    assert host.run("jobpool", "--version").stdout.split()[1] == version.stdout.split()[1]
    assert "--check-config" in host.run("jobpoold", "--help").stdout


def test_wrong_arguments(host):
    result = host.run("jobpoold", "--consle")
    assert result.returncode == 2 and "consle" in result.stderr


# ------------------------------------------------------------------------------------------------------- the configuration

def check(host, service):
    return host.run("jobpoold", "--check-config", "--config", host.path(service.config_file))


def test_check_config_of_a_good_one(host, console):
    assert check(host, console({"pools": {"p": {"limits": {"job_memory": "512MiB"}}}})).returncode == 0


def test_check_config_of_none(host, tmp_path):
    result = host.run("jobpoold", "--check-config", "--config", host.path(tmp_path / "none.json"))
    assert result.returncode == 2 and "ERROR_FILE_NOT_FOUND" in result.stdout and "jobpool init --output" in result.stdout


def test_check_config_lists_every_fault_with_its_place(host, console):
    service = console(FAULTY)
    result = check(host, service)
    assert result.returncode == 2
    lines = (result.stdout + result.stderr).strip().splitlines()
    file = host.path(service.config_file)
    places = [":".join(line[len(file) + 1:].split(":")[:2]) for line in lines if line.startswith(file + ":")]
    assert places == sorted(places, key=lambda place: tuple(map(int, place.split(":")))), "in the order of the file"
    for line, words in [(4, ["active_process", "active_processes"]), (4, ["job_memory", "512MiB"]), (5, ["biuld", "build"]),
                        (6, ["cpu_rate"]), (6, ["on_service_stop", "keep"]), (8, ["pip", "pipe"])]:
        assert any(text.startswith(f"{file}:{line}:") and all(word in text for word in words) for text in lines), (line, words, lines)


@pytest.mark.parametrize("text, place, words", [
    ('{"pools": {', "1:12", "ends"),
    ('{"pools": {}, "pools": {}}', "1:", "pools"),
    ("", "1:1", ""),
    ("[]", "1:1", "object"),
    ('{"pools": {"a": {"parent": "b"}, "b": {"parent": "a"}}}', "1:", "ancestor"),
    ('{"pools": {"a b": {}}}', "1:", "a b"),
    ('{"database": {"file": "%NO_SUCH_VARIABLE%\\\\x.db"}}', "1:", "NO_SUCH_VARIABLE"),
])
def test_check_config_of_broken_ones(host, console, text, place, words):
    service = console(text)
    result = check(host, service)
    output = result.stdout + result.stderr
    assert result.returncode == 2 and f"{host.path(service.config_file)}:{place}" in output and words in output


def test_check_config_of_a_missing_file(host, console):
    service = console()
    service.config_file.unlink()
    result = check(host, service)
    assert result.returncode == 2 and "jobpool.json" in result.stdout + result.stderr


def test_faulty_config_at_start(console, host):
    said = fails_to_start(console(FAULTY))
    assert "jobpool.json:4:" in said and "active_processes" in said and "jobpool.json:8:" in said


def test_missing_config_at_start(console):
    service = console()
    service.config_file.unlink()
    said = fails_to_start(service)
    assert "jobpool.json" in said and "file not found" in said


def test_variables_in_paths(console, host):
    service = console({"database": {"file": "%JP_FOLDER%\\accounting.db"}, "pools": {}})
    service.host.environment["JP_FOLDER"] = host.path(service.folder)
    try:
        service.write_config({"database": {"file": "%JP_FOLDER%\\accounting.db"}})
        service.start()
        assert service.database_file.exists()
        assert service.stop() == 0
    finally:
        del service.host.environment["JP_FOLDER"]


# ------------------------------------------------------------------------------------------------------------ the database

def test_database_folder_is_missing(console, host):
    service = console()
    service.write_config({"database": {"file": "C:\\no\\such\\folder\\accounting.db"}})
    said = fails_to_start(service)
    assert "C:\\no\\such\\folder" in said


def test_database_folder_is_not_writable(console, host):
    service = console()
    locked = pathlib.Path("/proc")  # not even root makes a file there
    if WINDOWS:
        locked = service.folder / "locked"
        locked.mkdir()
        subprocess.run(["icacls", locked, "/inheritance:r", "/grant", "Everyone:(RX)"], check=True)
    service.write_config({"database": {"file": host.path(locked / "accounting.db")}})
    said = fails_to_start(service)
    assert host.path(locked) in said


def test_database_is_a_folder(console, host):
    service = console()
    service.database_file.mkdir()
    said = fails_to_start(service)
    assert host.path(service.database_file) in said


def test_database_of_a_newer_version(console, host):
    service = console().start()
    assert service.stop() == 0
    with sqlite3.connect(service.database_file) as database:
        version = database.execute("PRAGMA user_version").fetchone()[0]
        assert version >= 1
        database.execute(f"PRAGMA user_version = {version + 1}")
    database.close()
    said = fails_to_start(service)
    assert host.path(service.database_file) in said and "newer" in said
    with sqlite3.connect(service.database_file) as database:
        assert database.execute("PRAGMA user_version").fetchone()[0] == version + 1, "it is left alone"
    database.close()


def test_database_of_another_program(console, host):
    service = console()
    with sqlite3.connect(service.database_file) as database:
        database.execute("PRAGMA application_id = 1234")
        database.execute("CREATE TABLE cookies (name)")
    database.close()
    said = fails_to_start(service)
    assert host.path(service.database_file) in said
    with sqlite3.connect(service.database_file) as database:
        assert database.execute("SELECT count(*) FROM cookies").fetchone() == (0,), "it is left alone"
    database.close()


def test_what_is_no_database_is_left_alone(console, host):
    service = console()
    service.database_file.write_bytes(b"a letter to somebody " * 1000)
    said = fails_to_start(service)
    assert host.path(service.database_file) in said
    assert service.database_file.read_bytes().startswith(b"a letter")


def test_a_damaged_database_is_set_aside_and_a_new_one_begun(console):
    service = console().start()
    assert service.stop() == 0
    whole = service.database_file.read_bytes()
    damaged = whole[:100] + b"\xa5" * (len(whole) - 100)
    service.database_file.write_bytes(damaged)
    service.start()
    aside = [path for path in service.folder.iterdir() if path.name.startswith("accounting.db.") and path.read_bytes() == damaged]
    assert aside and aside[0].name in service.stderr(), "kept under another name, loudly"
    with service.bridge() as rpc:
        assert rpc.call("service.status")["database"]["degraded"] is False
        assert rpc.call("events.query")["events"][0]["seq"] == 1
    assert service.stop() == 0


def overwrite(file, keep):
    with open(file, "r+b") as stream:
        size = stream.seek(0, 2)
        stream.seek(keep)
        stream.write(b"\xa5" * (size - keep))


def test_a_database_that_is_damaged_in_use_is_set_aside_and_a_new_one_begun(console):
    service = console().start()
    with service.bridge() as rpc:
        rpc.call("events.query")  # so that both connections are there: Windows renames no file that is open
        before = rpc.call("service.status")["seq"]
        overwrite(service.database_file, 4096)
        overwrite(service.folder / "accounting.db-wal", 32)
        rpc.call("pool.create", name="fresh")  # the reader looks at the file anew after a commit
        rpc.error("events.query")
        wait_until(lambda: "is kept as" in service.stderr(), "the database to be set aside")
        aside = [path.name for path in service.folder.iterdir() if ".damaged-" in path.name]
        assert len([name for name in aside if not name.endswith(("-wal", "-shm"))]) == 1
        rpc.call("pool.create", name="fresher")
        assert rpc.call("service.status")["database"]["degraded"] is False
        assert rpc.call("events.query")["events"][0]["seq"] > before, "numbers go on"
    assert service.stop() == 0


def test_two_services_on_one_database(console, host):
    first, second = console().start(), console()
    second.write_config({"database": {"file": host.path(first.database_file)}, "pipe": {"name": second.pipe}})
    said = fails_to_start(second)
    assert "another service uses the accounting database" in said and host.path(first.database_file) in said
    with first.bridge() as rpc:
        assert rpc.call("service.status")["database"]["degraded"] is False, "it has noticed nothing"
    first.crash()
    assert (first.folder / "accounting.db-owner").exists()
    second.start()  # what a killed service leaves behind does not matter
    assert second.stop() == 0
    assert not (first.folder / "accounting.db-owner").exists()


# ------------------------------------------------------------------------------------------------------------- the console

def test_console_ends_in_order_with_ctrl_c(console, jobber):
    service = console({"pools": {"p": {"on_service_stop": "terminate"}}}).start()
    with service.bridge() as rpc:
        rpc.call("pool.launch", pool="p", argv=jobber("sleep", 60000))
        assert service.stop() == 0
    assert "stop" in service.stderr().lower()
    service.start()
    with service.bridge() as rpc:
        row = rpc.call("accounting.processes", pool="p")["processes"][0]
        assert row["ending"] == "terminated" and row["ended"]
    assert service.stop() == 0


# -------------------------------------------------------------------------------------------------------- a second instance

def test_a_second_instance_is_refused_and_has_touched_nothing(console, host, jobber, tmp_path):
    config = {"pools": {"guarded": {"on_service_stop": "keep"}, "guarded.ends": {"on_service_stop": "terminate"}}}
    first = console(config).start()
    second = ConsoleService(host, tmp_path / "second", config | {"database": {"file": host.path(first.database_file)}}, first.pipe)
    with first.bridge() as rpc:
        rpc.call("events.subscribe", pools=["guarded", "guarded.ends"])
        running = {name: rpc.call("pool.launch", pool=name, argv=jobber("sleep", 60000))["pid"] for name in ("guarded", "guarded.ends")}
        before = rpc.call("events.query")["events"]
        said = fails_to_start(second)
        assert first.pipe in said and "another instance" in said
        after = rpc.call("events.query")["events"]
        assert after[:len(before)] == before
        assert {event["message"] for event in after[len(before):]} <= {"JOB_OBJECT_MSG_NEW_PROCESS"}, "no event of the second"
        for name, pid in running.items():
            assert [row["pid"] for row in rpc.call("pool.processes", pool=name)["processes"]] == [pid]
            rpc.call("process.terminate", pid=pid)
            assert rpc.event(lambda event, pid=pid: event.get("pid") == pid and "EXIT_PROCESS" in event["message"])["origin"] == "kernel", \
                "the first one's pools hear their jobs"
    assert first.stop() == 0
    with sqlite3.connect(first.database_file) as database:
        assert database.execute("SELECT count(*) FROM events WHERE message = 'SERVICE_STARTED'").fetchone() == (1,)
    database.close()
    assert not (second.folder / "accounting.db").exists()
    second.start()
    assert second.stop() == 0, "afterwards the name is free"


def test_a_client_of_a_service_that_never_starts_is_told(host, console):
    service = console()
    squatter = host.start("pipes", "squat", service.pipe, 3000, stdout=subprocess.PIPE)  # a name that is taken, and nobody at the door
    assert b"0" in squatter.stdout.readline()
    result = service.jobpool("status")
    squatter.wait(30)
    assert result.returncode == 3 and "closed the connection" in result.stderr
