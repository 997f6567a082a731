"""How results are printed: formats, columns, order, widths, colours, times; and sums that add up."""
import csv
import datetime
import io
import json
import re

import pytest

from harness.host import WINDOWS
from harness.terminal import Terminal

on_a_terminal = pytest.mark.skipif(WINDOWS, reason="a Unix terminal is what draws Wine's console")


def ok(result):
    assert result.returncode == 0, result.stderr
    return result.stdout


def table(text):
    """The lines of a table as lists of cells, heading included."""
    return [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]


def rows_of_csv(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture(scope="module")
def used(host, tmp_path_factory):
    """A service whose accounts have something to add up: two pools, programs under two names, endings of several kinds."""
    import shutil
    from harness.host import PROGRAMS, wait_until
    from harness.service import ConsoleService
    folder = tmp_path_factory.mktemp("used")
    other = folder / "other tool.exe"
    shutil.copy(PROGRAMS["jobber"], other)
    service = ConsoleService(host, folder, {"pools": {"a": {"description": "=1+1"}, "b": {"parent": "a"}, "Z": {}}}, "jobpool-formats").start()
    for pool, program, code in (("a", PROGRAMS["jobber"], 0), ("a", other, 3), ("b", other, 0), ("b", other, 0), ("Z", PROGRAMS["jobber"], 7)):
        ok(service.jobpool("launch", "--pool", pool, "--wait", "--", host.path(program), "exit", code))
    wait_until(lambda: sum(row["ending"] == "exited" for row in service.json("accounting", "processes")["processes"]) == 5, "five ended processes in the accounts")
    yield service
    service.end()


# ------------------------------------------------------------------------------------------------------------- formats

def test_each_format_has_the_same_rows(used):
    rows = used.json("list")["pools"]
    assert [json.loads(line) for line in ok(used.jobpool("list", "--format", "ndjson")).splitlines()] == rows
    assert used.json("pool", "list") == json.loads(ok(used.jobpool("list", "--format", "json")))
    found = rows_of_csv(ok(used.jobpool("--format", "csv", "list")))
    assert [row["name"] for row in found] == [row["name"] for row in rows] and found[0].keys() == {key for key in rows[0] if key in found[0]}
    assert [row["members"] for row in found] == [str(row["members"]) for row in rows]
    assert [cells[0] for cells in table(ok(used.jobpool("list")))[1:]] == [row["name"] for row in rows]


def test_csv_is_rfc_4180_and_no_formula(used, host):
    text = 'comma, "quote" \u202e'
    for name, description in (("csv1", text), ("csv2", "@SUM(A1)"), ("csv3", "'x"), ("csv4", "－2")):
        ok(used.jobpool("create", name, json.dumps({"description": description})))
    raw = used.host.start("jobpool", "--pipe", used.pipe, "list", "--format", "csv", stdout=-1).communicate()[0].decode()
    assert raw.count("\r\n") == raw.count("\n") == len(used.json("list")["pools"]) + 1 and not raw.startswith("\ufeff")
    found = {row["name"]: row["description"] for row in rows_of_csv(raw)}
    assert found["csv1"] == 'comma, "quote" \\xE2\\x80\\xAE' and '"comma, ""quote""' in raw
    assert (found["csv2"], found["csv3"], found["csv4"], found["a"], found["Z"]) == ("'@SUM(A1)", "''x", "'－2", "'=1+1", "")
    assert {row["name"]: row["description"] for row in used.json("list")["pools"]}["csv1"] == text, "exact in JSON"
    for name in ("csv1", "csv2", "csv3", "csv4"):
        ok(used.jobpool("delete", name))


def test_numbers_are_exact_outside_tables(used):
    rows = used.json("accounting", "processes")["processes"]
    found = rows_of_csv(ok(used.jobpool("accounting", "processes", "--format", "csv")))
    for key in ("id", "pid", "startTime", "exitCode", "userTime100ns", "started", "peakCommitBytes"):
        assert [row[key] for row in found] == ["" if row[key] is None else str(row[key]) for row in rows]


def test_columns(used):
    assert table(ok(used.jobpool("list", "--columns", "STATE,name"))) [:1] == [["STATE", "POOL"]]
    assert ok(used.jobpool("list", "--columns", "with-children", "--format", "csv", "--no-header")).split() == ["0", "0", "0"]
    assert used.json("list", "--columns", "name") == {"pools": [{"name": row["name"]} for row in used.json("list")["pools"]]}
    assert json.loads(ok(used.jobpool("status", "--format", "ndjson", "--columns", "database.file"))).keys() == {"database.file"}
    everything = table(ok(used.jobpool("accounting", "processes", "--columns", "all")))[0]
    assert "COMMAND" in everything and "COMMAND" not in table(ok(used.jobpool("accounting", "processes")))[0]
    assert "POOL" not in ok(used.jobpool("list", "--no-header")).split()


@pytest.mark.parametrize("arguments, words", [
    (["list", "--columns", "nme"], ['"nme"', '"name"', "totalMembers"]), (["list", "--sort", "-stat"], ['"state"', "description"]),
    (["list", "--columns", ""], ["--columns"]), (["list", "--columns", "name,state,POOL"], ['"POOL" is given twice']), (["list", "--format", "xml"], ["xml", "ndjson"]), (["status", "--sort", "pid"], ["no list"]),
    (["kill", "a", "--format", "csv"], ["csv", "json"]), (["accounting", "--by", "pol"], ["pol", "image"]), (["accounting", "--columns", "image"], ["image", "unobserved"]), (["reload", "--columns", "x"], ["columns"]),
])
def test_what_cannot_be_shown_so_is_said_before_anything_is_done(used, arguments, words):
    result = used.jobpool(*arguments)
    assert result.returncode == 2 and result.stdout == "" and all(word in result.stderr for word in words), result.stderr


def test_sort(used):
    def sorted_by(by):
        return [json.loads(line) for line in ok(used.jobpool("accounting", "processes", "--format", "ndjson", "--sort", by)).splitlines()]

    ids = [row["id"] for row in sorted_by("id")]
    assert ids == sorted(ids) and [row["id"] for row in sorted_by("-id")] == ids[::-1]
    assert [row["exitCode"] for row in sorted_by("-exitCode")] == [7, 3, 0, 0, 0]
    started = [row["started"] for row in sorted_by("-started")]
    assert started == sorted(started, reverse=True)
    assert [row["name"] for row in used.json("list", "--sort", "name")["pools"]] == ["a", "b", "Z"], "whatever the case"
    assert [row["parent"] for row in used.json("list", "--sort", "-parent")["pools"]] == ["a", None, None], "what is not known is last"
    assert [cells[0] for cells in table(ok(used.jobpool("list", "-s", "-name")))] == ["POOL", "Z", "b", "a"]


# --------------------------------------------------------------------------------------------------------- sums and times

SUMS = ("processes", "running", "exited", "crashed", "terminated", "unknown", "failures", "userTime100ns", "kernelTime100ns", "wallTime100ns", "readBytes",
        "writeBytes", "withCpu", "withIo")


@pytest.mark.parametrize("by", ["pool", "user", "image", "day", "ending", "pool,image", "pool,user,image,day,ending"])
def test_totals_are_the_sums_of_their_rows(used, by):
    report = used.json("accounting", "--by", by)
    assert report["groups"] == len(report["rows"]) > 0
    for key in SUMS:
        known = [int(row[key]) for row in report["rows"] if row[key] is not None]
        assert (sum(known) if known else None) == (None if report["total"][key] is None else int(report["total"][key])), key
    counts = [key for key in SUMS if not key.endswith(("100ns", "Bytes"))]
    lines = table(ok(used.jobpool("accounting", "--by", by, "--columns", by + "," + ",".join(counts))))
    assert lines[-1][0] == "TOTAL" and len(lines) == len(report["rows"]) + 2
    rows = [list(map(int, line[-len(counts):])) for line in lines[1:]]
    assert [sum(column) for column in zip(*rows[:-1])] == rows[-1]
    found = rows_of_csv(ok(used.jobpool("accounting", "--by", by, "--format", "csv")))
    assert len(found) == len(report["rows"]) and [row["processes"] for row in found] == [str(row["processes"]) for row in report["rows"]]


def test_what_top_leaves_out_is_one_row(used):
    lines = table(ok(used.jobpool("accounting", "--by", "pool", "--top", "1", "--columns", "pool,processes,failures")))
    assert [line[0] for line in lines][2:] == ["(2 more)", "TOTAL"]
    assert [int(lines[1][i]) + int(lines[2][i]) for i in (1, 2)] == [int(lines[3][i]) for i in (1, 2)] == [5, 2]


def test_the_summary_ends_with_its_sum(used):
    lines = table(ok(used.jobpool("accounting", "--columns", "pool,processes,failures")))
    assert lines[-1] == ["TOTAL", "5", "2"] and len(lines) == 5
    assert len(used.json("accounting")["pools"]) == 3 and len(ok(used.jobpool("accounting", "--format", "ndjson")).splitlines()) == 3


@pytest.mark.parametrize("time, counted", [("today", 5), ("yesterday", 5), ("1h", 5), ("7d ago", 5), ("now", 0), ("2100-01-01", 0), ("2020-02-29 23:59", 5),
                                           ("2020-02-29T23:59:59.5Z", 5), ("2100-01-01T00:00:00+01:00", 0)])
def test_times_in_words(used, time, counted):
    rows = used.json("accounting", "report", "--from", time)
    assert rows["total"]["processes"] == counted, "a test that runs over midnight could have begun yesterday"
    assert used.json("accounting", "report", "--to", time)["total"]["processes"] == 5 - counted


@pytest.mark.parametrize("time", ["noon", "2026-02-30", "2026-11-22T25:00", "7", "-1d", "2026-11-22x", "2026-11-22+0100", "ago", ""])
def test_what_is_no_time(used, time):
    result = used.jobpool("accounting", "--from", time)
    assert result.returncode == 2 and "yesterday" in result.stderr


@pytest.mark.skipif(WINDOWS, reason="the time zone of a process is Unix's TZ")
def test_a_time_without_a_zone_is_this_machines(used):
    """What it was taken for shows in what is counted: a moment after the last process began, on another clock and on this one."""
    began = max(row["started"] for row in used.json("accounting", "processes")["processes"])
    moment = datetime.datetime.fromisoformat(began[:19]).replace(tzinfo=datetime.timezone.utc) + datetime.timedelta(seconds=2)
    there = moment.astimezone(datetime.timezone(datetime.timedelta(hours=9)))  # Tokyo has no summer time
    zone = {"TZ": "Asia/Tokyo"}
    for text, counted in ((there.strftime("%Y-%m-%d %H:%M:%S"), 0), (moment.strftime("%Y-%m-%d %H:%M:%S"), 5), (moment.strftime("%Y-%m-%dT%H:%M:%SZ"), 0)):
        result = used.jobpool("--json", "accounting", "report", "--from", text, environment=zone)
        assert json.loads(ok(result))["total"]["processes"] == counted, text


# ------------------------------------------------------------------------------------------------------------- consoles

def shown(service, *arguments, columns=100, **environment):
    with Terminal(service.host, "jobpool", "--pipe", service.pipe, *arguments, columns=columns, environment=environment) as terminal:
        assert terminal.finish() == 0, terminal.text()
        return terminal


@on_a_terminal
def test_tables_fit_the_console(used):
    ok(used.jobpool("create", "long", json.dumps({"description": "世界 " * 60})))
    narrow = shown(used, "list", columns=90, NO_COLOR="1")  # Wine's console counts colours as characters when it goes to the next line
    row = next(line for line in narrow.lines() if line.startswith("long"))
    assert row.endswith("…") and "世界" in row and len([line for line in narrow.lines() if line]) == 5, narrow.text()
    wide = shown(used, "list", columns=500, NO_COLOR="1")
    assert "…" not in wide.text()
    assert "…" not in ok(used.jobpool("list")), "never where nobody looks"
    ok(used.jobpool("delete", "long"))


@pytest.mark.parametrize("arguments, told", [
    (["accounting", "--from", "2026-12-01", "--to", "2026-11-01"], "--from (2026-1"), (["report", "--from", "today", "--to", "today"], "is not before --to"),
    (["events", "--since", "1h", "--until", "2h"], "--since (")])
def test_a_time_that_ends_before_it_begins_is_a_mistake(used, arguments, told):
    result = used.jobpool(*arguments)
    assert result.returncode == 2 and result.stdout == "" and told in result.stderr and "is not before" in result.stderr


@on_a_terminal
def test_columns_in_which_nothing_is_go_first(used):
    """On a console that is too narrow, and told; unless they were asked for."""
    everything = shown(used, "accounting", columns=300, NO_COLOR="1").text()
    assert "UNOBSERVED" in everything.splitlines()[0] and "0 or not known" not in everything
    narrow = shown(used, "accounting", columns=110, NO_COLOR="1").lines()
    told = next(line for line in narrow if line.startswith("0 or not known: "))
    assert "WRITTEN" in told and "WRITTEN" not in narrow[0] and "PROCESSES" in narrow[0]
    assert set(re.split(r"\s{2,}", narrow[0])) | set(told.partition(": ")[2].split(", ")) == set(re.split(r"\s{2,}", everything.splitlines()[0]))
    chosen = shown(used, "accounting", "--columns", "pool,unobserved,unknown", columns=60, NO_COLOR="1").lines()
    assert chosen[0].split() == ["POOL", "UNOBSERVED", "UNKNOWN"]


@on_a_terminal
@pytest.mark.parametrize("columns", [60, 80, 120])
def test_a_line_is_one_line_however_narrow_the_console(used, columns):
    """What there is no room for is named below: nothing is lost without a word."""
    for arguments in (["accounting"], ["accounting", "processes"], ["accounting", "report", "--by", "pool,user,image"], ["list"], ["accounting", "audit"]):
        wide = shown(used, *arguments, columns=500, NO_COLOR="1").lines()
        narrow = shown(used, *arguments, columns=columns, NO_COLOR="1").lines()
        headings = re.split(r"\s{2,}", narrow[0].strip())
        told = ", ".join(re.findall(r"(?:0 or not known|no room for): (.*?)(?= \(--columns|0 or not|no room|$)", " ".join(filter(None, narrow))))
        rows = [line for line in wide if line]
        assert set(headings) <= set(re.split(r"\s{2,}", wide[0].strip())), narrow
        assert all(heading in headings or heading in told for heading in re.split(r"\s{2,}", wide[0].strip())), (arguments, narrow)
        assert [line.split()[0] for line in narrow[:len(rows)]] == [line.split()[0] for line in rows], narrow
    assert shown(used, "accounting", "processes", columns=60, NO_COLOR="1").lines()[1].endswith("jobber.exe"), "of a path the end says most"


@on_a_terminal
def test_long_texts_go_on_below_themselves(used):
    """At whole words. An event's number stands alone at the left."""
    before = ""
    for line in shown(used, "doctor", columns=80, NO_COLOR="1").lines():
        is_long_path = len(before) == 80
        assert is_long_path or re.match(r"$|(ok|note|warning|failed) | {9}-> | {12}\S| {31}\S|\d+ failed", line), line
        before = line
    ok(used.jobpool("create", "told", json.dumps({"description": "whole words " * 12})))
    found = [line.rstrip() for line in shown(used, "show", "told", "--columns", "description,state", columns=60, NO_COLOR="1").lines()]
    first = next(number for number, line in enumerate(found) if line.startswith("description"))
    column = found[first].index("whole")
    told = found[first:next(number for number, line in enumerate(found) if number > first and line[:1] != " ")]
    assert len(told) > 3 and " ".join(line[column:] for line in told) == ("whole words " * 12).strip() and not any(line[:column].strip() for line in told[1:])
    ok(used.jobpool("delete", "told"))
    lines = shown(used, "events", "--from-seq", "1", "-n", "9", columns=60, NO_COLOR="1").lines()
    numbers = [line.split()[0] for line in lines if line and line[0] != " "]
    assert numbers == [str(number) for number in range(1, 10)] and any(re.match(r"   \S", line) for line in lines)


def test_the_last_ones_by_sorting(used):
    rows = used.json("accounting", "processes", "--sort", "-id")["processes"]
    answer = used.json("accounting", "processes", "--sort", "-id", "-n", "2")
    assert answer == {"processes": rows[:2], "more": True}
    assert ok(used.jobpool("accounting", "processes", "--sort", "-id", "-n", "2", "--columns", "id", "--no-header")).split() == [str(row["id"]) for row in rows[:2]]
    assert used.json("accounting", "processes", "--sort", "-id", "-n", "5") == {"processes": rows, "more": False}
    assert used.json("accounting", "processes", "--sort", "-id", "-n", "0") == {"processes": [], "more": True}, "as without --sort"


def test_no_line_ends_in_blanks(used):
    assert not re.search(r" $", ok(used.jobpool("accounting")) + ok(used.jobpool("accounting", "--by", "user,day", "--top", "1")), re.M)


@on_a_terminal
def test_nothing_is_said_in_words(used):
    """Where nobody looks a heading stays a heading."""
    assert shown(used, "ps").text().strip() == "no processes"
    assert shown(used, "events", "--message", "SILO_TERMINATED").text().strip() == "no events"
    assert ok(used.jobpool("ps")).startswith("PID  POOL") and ok(used.jobpool("events", "--message", "SILO_TERMINATED")) == ""


def test_a_frozen_pool_is_seen_in_the_list(used):
    ok(used.jobpool("create", "cold"))
    ok(used.jobpool("freeze", "cold"))
    row = next(row for row in used.json("list")["pools"] if row["name"] == "cold")
    assert row["state"] == "active" and row["frozen"] is True
    assert re.search(r"^cold +frozen ", ok(used.jobpool("list")), re.M)
    ok(used.jobpool("thaw", "cold"))
    assert re.search(r"^cold +active ", ok(used.jobpool("list")), re.M)
    ok(used.jobpool("rm", "cold"))


@on_a_terminal
def test_colours_are_for_terminals(used):
    assert cell_colour(shown(used, "list"), "active") == "green"
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}, {"JOBPOOL_COLOR": "never"}):
        assert cell_colour(shown(used, "list", **environment), "active") == "default", environment
    assert "\x1b" not in ok(used.jobpool("list")) and "\x1b[32mactive\x1b[0m" in ok(used.jobpool("list", environment={"JOBPOOL_COLOR": "always"}))
    assert "\x1b" not in ok(used.jobpool("list", "--format", "csv", environment={"JOBPOOL_COLOR": "always"}))


@on_a_terminal
def test_colours_take_no_room_and_stay_on_the_terminal(used, tmp_path):
    for arguments in (["accounting"], ["events", "-n", "5"], ["list", "--columns", "name,state,rights"]):
        assert shown(used, *arguments, columns=80).text() == shown(used, *arguments, columns=80, NO_COLOR="1").text()
    errors, script = tmp_path / "errors", tmp_path / "typed.cmd"
    script.write_text(f'@echo off\r\n"{used.host.program("jobpool")}" 2> "{used.host.path(errors)}"\r\n', newline="")
    with Terminal(used.host, "cmd", "/c", used.host.path(script)) as terminal:
        assert terminal.finish() == 2
    assert b"Pools:" in errors.read_bytes() and b"\x1b" not in errors.read_bytes()


def cell_colour(terminal, word):
    line = next(number for number, text in enumerate(terminal.screen.display) if word in text)
    return terminal.screen.buffer[line][terminal.screen.display[line].index(word)].fg


@on_a_terminal
def test_times_are_local_on_a_console_only(used):
    began = used.json("status")["started"]
    there = datetime.datetime.fromisoformat(began[:19]).replace(tzinfo=datetime.timezone.utc).astimezone(datetime.timezone(datetime.timedelta(hours=9)))
    assert there.strftime("%Y-%m-%d %H:%M:%S") in shown(used, "status", TZ="Asia/Tokyo").text()
    assert began[:19] + "." in ok(used.jobpool("status", environment={"TZ": "Asia/Tokyo"}))
    assert began in shown(used, "status", "--json", "--columns", "started", TZ="Asia/Tokyo").text()


@on_a_terminal
def test_long_work_shows_progress_on_a_terminal(used, tmp_path):
    """The line is drawn over itself and gone in the end; what is not a terminal never sees it."""
    check = shown(used, "accounting", "check")
    assert b"reading the database" in check.raw and "reading" not in check.text() and ": ok" in check.text()
    report = shown(used, "accounting", "report")
    assert b"reading the accounts" in report.raw and "reading" not in report.text()
    assert used.jobpool("accounting", "check").stderr == ""
