"""accounting.*: what is recorded, what a restart leaves of it, and what becomes of it: purged, set to zero, copied, checked."""
import contextlib
import json
import sqlite3

import pytest

from harness.host import wait_until


@pytest.fixture
def three(rpc, pool, jobber, accounted):
    """A pool with three ended processes: exited 0, exited 4, terminated."""
    for code in (0, 4):
        rpc.call("pool.launch", pool=pool, argv=jobber("exit", code))
    rpc.call("pool.wait", pool=pool)
    rpc.call("pool.launch", pool=pool, argv=jobber("sleep", 60000))
    rpc.call("pool.terminate", pool=pool, exitCode=9)
    rpc.call("pool.wait", pool=pool)
    return accounted(pool, 3)


def test_rows_are_complete(three, pool):
    for row in three:
        assert row["pool"] == pool and row["image"].lower().endswith("\\jobber.exe") and "jobber.exe" in row["commandLine"]
        assert row["user"] and row["session"] is not None and row["parentPid"]
        assert row["started"] <= row["joined"] <= row["ended"] and row["startTime"].isdigit()
    assert sorted((row["ending"], row["exitCode"]) for row in three) == [("exited", 0), ("exited", 4), ("terminated", 9)]


def test_summary(rpc, three, pool):
    summary = rpc.call("accounting.summary", pool=pool)["pools"]
    assert len(summary) == 1
    counts = {key: summary[0][key] for key in ("pool", "processes", "running", "exited", "crashed", "terminated", "unknown", "failures")}
    assert counts == {"pool": pool, "processes": 3, "running": 0, "exited": 2, "crashed": 0, "terminated": 1, "unknown": 0, "failures": 2}
    assert summary[0]["wallTime100ns"] > 0
    assert pool in [row["pool"] for row in rpc.call("accounting.summary")["pools"]]


def test_summary_of_running_processes(rpc, pool, jobber):
    rpc.call("pool.launch", pool=pool, argv=jobber("sleep", 60000))
    summary = rpc.call("accounting.summary", pool=pool)["pools"][0]
    assert (summary["processes"], summary["running"], summary["failures"]) == (1, 1, 0)


def test_filters(rpc, three, pool):
    def query(**filters):
        return [row["id"] for row in rpc.call("accounting.processes", pool=pool, **filters)["processes"]]

    ids = [row["id"] for row in three]
    assert query() == ids == sorted(ids)
    assert query(ending="terminated") == [row["id"] for row in three if row["ending"] == "terminated"]
    assert query(ending="crashed") == []
    assert query(pid=three[0]["pid"], startTime=three[0]["startTime"]) == ids[:1]
    assert query(**{"to": three[0]["started"][:4] + "-01-01"}) == []
    assert query(**{"from": three[-1]["started"]})[-1] == ids[-1]
    assert rpc.call("accounting.processes", pool="nobody") == {"processes": [], "more": False}


def test_pages(rpc, three, pool):
    first = rpc.call("accounting.processes", pool=pool, limit=2)
    assert [row["id"] for row in first["processes"]] == [row["id"] for row in three[:2]] and first["more"] is True
    second = rpc.call("accounting.processes", pool=pool, limit=2, afterId=first["processes"][-1]["id"])
    assert [row["id"] for row in second["processes"]] == [three[2]["id"]] and second["more"] is False


SUMS = ("processes", "running", "exited", "crashed", "terminated", "unknown", "failures", "userTime100ns", "kernelTime100ns", "wallTime100ns",
        "readBytes", "writeBytes", "withCpu", "withIo")


def test_report(rpc, three, pool):
    by = ["pool", "user", "image", "day", "ending"]
    report = rpc.call("accounting.report", by=by, pools=[pool])
    assert report["complete"] is True and report["completeFrom"] is None and report["groups"] == len(report["rows"]) == 2
    rows = {row["ending"]: row for row in report["rows"]}
    assert {ending: (row["processes"], row["failures"]) for ending, row in rows.items()} == {"exited": (2, 1), "terminated": (1, 1)}
    for row in report["rows"]:
        assert row["pool"] == pool and row["image"].lower() == "jobber.exe" and row["user"] == three[0]["user"]
        assert row["day"] in {started["started"][:10] for started in three}
    for key in SUMS:
        known = [row[key] for row in report["rows"] if row[key] is not None]
        assert (report["total"][key] or 0) == sum(known), key
    summary = rpc.call("accounting.summary", pool=pool)["pools"][0]
    assert {key: report["total"][key] for key in SUMS} == {key: summary[key] for key in SUMS}


def test_report_filters(rpc, three, pool):
    def processes(**filters):
        return rpc.call("accounting.report", pools=[pool], **filters)["total"]["processes"]

    day = three[0]["started"][:10]
    assert processes() == processes(user=three[0]["user"].upper()) == processes(image="JOBBER.EXE") == processes(**{"from": day}) == 3
    assert processes(ending="terminated") == 1 and processes(image="cl.exe") == processes(to=day) == 0
    top = rpc.call("accounting.report", pools=[pool], by=["ending"], top=1)
    assert len(top["rows"]) == 1 and top["groups"] == 2 and top["total"]["processes"] == 3
    assert pool in [row["pool"] for row in rpc.call("accounting.report")["rows"]], "by pool, if nothing else is said"
    assert rpc.error("accounting.report", by=["colour"]).name == "invalid_params"


def test_report_says_from_when_on_it_is_complete(rpc, three, pool):
    assert rpc.call("accounting.purge", olderThan="0s", pool=pool)["processes"] == 3
    report = rpc.call("accounting.report", pools=[pool])
    assert report["rows"] == [] and report["complete"] is False and report["completeFrom"] > three[-1]["started"]


def test_report_on_the_command_line(service, three, pool):
    done = service.jobpool("accounting", "report", "--by", "pool,ending", "--pool", pool)
    lines = done.stdout.splitlines()
    assert lines[0].split()[:3] == ["POOL", "ENDING", "PROCESSES"] and lines[-1].split()[:2] == ["TOTAL", "3"]
    assert sorted(line.split()[:3] for line in lines[1:3]) == [[pool, "exited", "2"], [pool, "terminated", "1"]]
    report = service.json("accounting", "report", "--by", "day", "--by", "image", "--pool", pool, "--top", "5")
    assert [row["image"].lower() for row in report["rows"]] == ["jobber.exe"]


def test_audit_on_the_command_line(service, three, pool):
    records = service.json("accounting", "audit", "--pool", pool, "--method", "pool.terminate")["records"]
    assert [(record["method"], record["pool"], record["allowed"]) for record in records] == [("pool.terminate", pool, True)]
    assert service.jobpool("accounting", "audit", "--newest", "--limit", "5").stdout.splitlines()[0].split()[:3] == ["ID", "TIME", "USER"]
    assert service.json("accounting", "audit", "--pool", pool, "--denied")["records"] == []


def test_the_numbers_are_there_after_a_restart(service, rpc, three, pool):
    before = rpc.call("accounting.summary", pool=pool)
    last = rpc.call("service.status")["seq"]
    history = rpc.call("events.query", pools=[pool])["events"]
    service.restart()
    with service.bridge() as after:
        assert after.call("accounting.summary", pool=pool) == before
        assert after.call("accounting.processes", pool=pool)["processes"] == three
        assert after.call("events.query", pools=[pool])["events"] == history
        assert after.error("pool.get", pool=pool).name == "unknown_pool", "transient pools end with the service"
        since = after.call("events.query", fromSeq=last + 1)["events"]
        assert [event["seq"] for event in since] == list(range(last + 1, last + 1 + len(since))) and since


def test_a_killed_service_loses_nothing_that_it_confirmed(console, jobber, host):
    service = console({"pools": {"p": {"on_service_stop": "keep"}}}).start()
    with service.bridge() as rpc:
        process = rpc.call("pool.launch", pool="p", argv=jobber("exit", 3))
        rpc.call("pool.wait", pool="p", pid=process["pid"])
        wait_until(lambda: rpc.call("accounting.processes", pool="p")["processes"][0]["ended"], "the end to be on disk")
        running = rpc.call("pool.launch", pool="p", argv=jobber("sleep", 60000))
    service.crash()
    service.start()
    with service.bridge() as rpc:
        rows = {row["id"]: row for row in rpc.call("accounting.processes", pool="p")["processes"]}
        assert rows[process["id"]]["exitCode"] == 3
        assert rows[running["id"]]["ending"] in ("running", "unknown")
        assert len(rows) == 2
        rpc.call("pool.terminate", pool="p")
    assert service.stop() == 0


# ------------------------------------------------------------------------------------------------------- purge and reset

@pytest.mark.parametrize("arguments, words", [
    (["purge"], "--older-than"), (["purge", "--before", "2026-01-01", "--older-than", "1d"], "--before"), (["purge", "--older-than", "30"], "30"),
    (["purge", "--older-than", "1d", "--events-only", "--processes-only"], "not both"), (["purge", "--before", "noon"], "noon"),
    (["--pool", "x", "purge"], "before its options"), (["reset"], "POOL"), (["backup"], "FILE"), (["check", "a", "b"], '"b"'), (["prge"], "purge"),
])
def test_wrong_usage(service, arguments, words):
    result = service.jobpool("accounting", *arguments)
    assert result.returncode == 2 and words in result.stderr and result.stdout == ""


def test_help_of_the_verbs(host):
    everything = host.run("jobpool", "help", "accounting").stdout
    for verb in ("purge", "reset", "backup", "check"):
        assert f"  {verb} " in everything
        text = host.run("jobpool", "help", "accounting", verb)
        assert text.returncode == 0 and f"jobpool accounting {verb}" in text.stdout
        assert host.run("jobpool", "accounting", "--json", verb, "--help").stdout == text.stdout


def test_purge_deletes_rows_and_keeps_what_they_used(service, rpc, three, pool, jobber):
    rpc.call("pool.launch", pool=pool, argv=jobber("sleep", 60000))
    wait_until(lambda: len(rpc.call("events.query", pools=[pool], messages=["NEW_PROCESS"])["events"]) == 4, "all to be announced")

    def summary():
        row, = rpc.call("accounting.summary", pool=pool)["pools"]
        return row.pop("wallTime100ns"), {key: row[key] for key in ("processes", "running", "exited", "terminated", "failures", "unobserved")}

    wall, before = summary()
    assert service.json("accounting", "purge", "--older-than", "1h", "--pool", pool) == {"processes": 0, "events": 0}
    assert service.json("accounting", "purge", "--older-than", "0s", "--pool", pool, "--processes-only") == {"processes": 3, "events": 0}
    assert [row["ending"] for row in rpc.call("accounting.processes", pool=pool)["processes"]] == ["running"]
    assert summary()[0] >= wall and summary()[1] == before, "one of them runs: its time goes on"
    assert rpc.call("pool.get", pool=pool)["counters"]["processes"] == 3

    events = rpc.call("events.query", pools=[pool])["events"]
    text = service.jobpool("accounting", "purge", "--before", "2100-01-01", "--pool", pool, "--events-only")
    assert text.returncode == 0 and text.stdout == f"deleted: 0 rows of processes, {len(events)} events\n"
    assert rpc.call("events.query", pools=[pool])["events"] == []
    told = [event["detail"] for event in rpc.call("events.query", messages=["ACCOUNTING_PURGED"])["events"] if f"pool {pool}:" in event["detail"]]
    assert len(told) == 3 and all(detail.startswith("by ") for detail in told)
    assert told[1].endswith("3 processes, 0 events") and "processes before" in told[1] and "events before" in told[2]
    assert service.json("status")["database"]["lastPurge"] is not None


def test_a_reset_outlives_a_restart(console, jobber):
    service = console({"pools": {"p": {}}}).start()
    with service.bridge() as rpc:
        for code in (0, 5):
            rpc.call("pool.launch", pool="p", argv=jobber("exit", code))
            rpc.call("pool.wait", pool="p")
        old = wait_until(lambda: (counters := rpc.call("pool.get", pool="p")["counters"])["processes"] == 2 and counters, "two ends")
        assert (old["exited"], old["failures"], old["unobserved"], old["since"]) == (2, 1, 0, None)
        assert service.json("accounting", "reset", "p") == old
        after = rpc.call("pool.get", pool="p")["counters"]
        assert after["since"] is not None and not any(after[key] for key in ("processes", "exited", "failures", "userTime100ns", "kernelTime100ns"))
        told, = rpc.call("events.query", messages=["COUNTERS_RESET"])["events"]
        assert told["pool"] == "p" and "2 processes" in told["detail"]
        assert len(rpc.call("accounting.processes", pool="p")["processes"]) == 2, "a reset deletes nothing"
    service.restart()
    with service.bridge() as rpc:
        assert rpc.call("pool.get", pool="p")["counters"] == after
        rpc.call("pool.launch", pool="p", argv=jobber("exit", 0))
        rpc.call("pool.wait", pool="p")
        wait_until(lambda: rpc.call("pool.get", pool="p")["counters"]["processes"] == 1, "one more end")
        text = service.jobpool("accounting", "reset", "p")
        assert text.returncode == 0 and text.stdout.startswith("set to zero; before that:\n") and after["since"][:19] in text.stdout


def test_retention_is_shown_and_reloaded(console):
    service = console({"pools": {}}).start()
    assert service.json("status")["database"]["retention"] == {"processes": "90d", "events": "30d", "hours": "400d", "samples": "30d", "audit": "400d", "max_size": "4GiB"}
    service.write_config({"pools": {}, "retention": {"processes": "7d", "events": "0s", "max_size": 0}})
    assert service.jobpool("reload").returncode == 0
    assert service.json("status")["database"]["retention"] == {"processes": "7d", "events": None, "hours": "400d", "samples": "30d", "audit": "400d", "max_size": None}
    text = service.jobpool("status").stdout
    assert "keeps processes for" in text and "keeps events for" not in text
    assert service.stop() == 0


# -------------------------------------------------------------------------------------------------------- backup and check

def ids_in(file):
    """The processes in a database, which must be whole."""
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return {row[0] for row in database.execute("SELECT id FROM processes")}


@pytest.fixture
def writing(console, jobber):
    """A service in whose pool "p" processes have ended, and a call that lets another one: (service, rpc, end_one)."""
    service = console({"pools": {"p": {}}}).start()
    with service.bridge() as rpc:
        def end_one():
            return rpc.call("pool.launch", pool="p", argv=jobber("exit", 0))["id"]

        yield service, rpc, end_one
    service.stop()


def test_backup_while_the_service_writes(writing, host, tmp_path):
    service, _, end_one = writing
    copy = tmp_path / "copy.db"
    acknowledged = {end_one() for _ in range(10)}
    backup = host.start("jobpool", "--pipe", service.pipe, "--json", "accounting", "backup", host.path(copy))
    while backup.poll() is None:
        end_one()
    assert backup.returncode == 0
    assert acknowledged <= ids_in(copy)
    assert [file.name for file in tmp_path.glob("copy*")] == ["copy.db"], "one file, with nothing beside it"
    assert service.json("accounting", "check", host.path(copy))["ok"] is True


def test_a_backup_does_not_replace_a_file_unasked(writing, host, tmp_path):
    service, _, end_one = writing
    copy = tmp_path / "copy.db"
    copy.write_bytes(b"precious")
    refused = service.jobpool("accounting", "backup", host.path(copy))
    assert refused.returncode == 1 and "copy.db" in refused.stderr and "--force" in refused.stderr and copy.read_bytes() == b"precious"
    last = end_one()
    done = service.jobpool("accounting", "backup", host.path(copy), "--force")
    assert done.returncode == 0 and "copy.db" in done.stdout and last in ids_in(copy)
    folder = service.jobpool("accounting", "backup", host.path(tmp_path))
    assert folder.returncode == 1 and "is a folder" in folder.stderr and "--force" not in folder.stderr
    itself = service.jobpool("accounting", "backup", host.path(service.database_file), "--force")
    assert itself.returncode == 1 and "same file" in itself.stderr


def test_a_backup_is_a_database_to_go_on_with(writing, host, tmp_path, console, jobber):
    service, _, end_one = writing
    last = end_one()
    after = console({"pools": {"p": {}}})
    assert service.jobpool("accounting", "backup", host.path(after.database_file)).returncode == 0
    after.start()
    with after.bridge() as rpc:
        assert last in {row["id"] for row in rpc.call("accounting.processes", pool="p")["processes"]}
        assert rpc.call("pool.launch", pool="p", argv=jobber("exit", 0))["id"] > last
    assert after.stop() == 0


def test_without_a_service_the_file_is_named(console, host, tmp_path):
    service = console({"pools": {}}).start()
    assert service.stop() == 0
    for command in (["backup", host.path(tmp_path / "a.db")], ["check"]):
        result = service.jobpool("accounting", *command)
        assert result.returncode == 3 and "say which file" in result.stderr
    database = host.path(service.database_file)
    assert service.jobpool("accounting", "check", database).returncode == 0
    assert service.jobpool("accounting", "backup", "--database", database, host.path(tmp_path / "b.db")).returncode == 0
    assert ids_in(tmp_path / "b.db") == set()


def test_check(writing, host, tmp_path):
    service, _, end_one = writing
    end_one()
    good = service.jobpool("accounting", "check")
    assert good.returncode == 0 and good.stdout.endswith("accounting.db: ok\n")
    copy = tmp_path / "copy.db"
    assert service.jobpool("accounting", "backup", host.path(copy)).returncode == 0
    with contextlib.closing(sqlite3.connect(copy)) as database:
        page, = database.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'processes'").fetchone()
        size, = database.execute("PRAGMA page_size").fetchone()
    with open(copy, "r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)
    bad = service.jobpool("accounting", "check", host.path(copy))
    assert bad.returncode == 1 and bad.stdout.endswith("copy.db: damaged\n") and len(bad.stdout.splitlines()) > 1
    told = service.jobpool("--json", "accounting", "check", host.path(copy))
    found = json.loads(told.stdout)
    assert told.returncode == 1 and found["ok"] is False and found["findings"] == bad.stdout.splitlines()[:-1]


def test_what_is_no_database_of_ours_is_refused(service, host, tmp_path):
    other = tmp_path / "other.db"
    with contextlib.closing(sqlite3.connect(other)) as database:
        database.execute("CREATE TABLE t(x)")
        database.commit()
    text = tmp_path / "text.db"
    text.write_text("no database at all " * 1000)
    for file in (other, text, tmp_path / "missing.db"):
        result = service.jobpool("accounting", "check", host.path(file))
        assert result.returncode == 1 and file.name in result.stderr and result.stdout == ""
    assert not (tmp_path / "missing.db").exists()


def test_pools_over_time(console, jobber):
    """What the service records each second adds up to what the processes' rows have."""
    service = console({"pools": {"top": {"limits": {"job_memory": "1GiB"}}, "low": {"parent": "top"}}, "sampling": {"record": "1s"}}).start()
    with service.bridge() as rpc:
        began = rpc.call("service.status")["started"]
        rpc.call("pool.launch", pool="low", argv=jobber("burn", 2500))
        rpc.call("pool.launch", pool="low", argv=jobber("exit", 3))
        rpc.call("pool.wait", pool="low")

        def points(pool):
            series = rpc.call("accounting.series", pools=[pool], points=2000, **{"from": began})
            assert series["step100ns"] == 10_000_000 and series["complete"] and not series["more"]
            return series["series"][0]["points"] if series["series"] else []

        wait_until(lambda: (seen := points("low")) and seen[-1]["processes"] == 0, "the row of the empty pool")
        sums = rpc.call("accounting.report", pools=["low"])["total"]
        for pool in ("low", "top"):
            assert sum(point["cpuTime100ns"] for point in points(pool)) == sums["userTime100ns"] + sums["kernelTime100ns"] > 0
        low = points("low")
        assert [sum(point[key] for point in low) for key in ("started", "ended", "failures")] == [2, 2, 1]
        assert max(point["commitBytes"] or 0 for point in low) > 0 and max(point["processes"] or 0 for point in low) in (1, 2)
        assert {point["memoryLimitBytes"] for point in low if point["processes"] is not None} == {1 << 30}, "that of the pool above"
    service.stop()
