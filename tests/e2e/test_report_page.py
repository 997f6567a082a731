"""`jobpool report`: one page of HTML with the numbers that `jobpool accounting report` has."""
import html.parser
import os
import pathlib
import re
import shutil

import pytest

from harness.host import wait_until

ROOT = pathlib.Path(os.environ["JOBPOOL_ROOT"])
SUMS = ("processes", "running", "exited", "crashed", "terminated", "unknown", "failures", "userTime100ns", "kernelTime100ns", "wallTime100ns", "peakCommitBytes",
        "readBytes", "writeBytes")


class Page(html.parser.HTMLParser):
    """The tables of a page: rows[table][name of the row] = {key: exact number, or None}; the total is the row "Total"."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.totals, self.ids, self.text = {}, {}, set(), text
        self.table = self.row = self.name = None
        self.foot = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.ids.add(given.get("id"))
        if tag == "table":
            self.table, self.foot = given["id"], False
            self.rows[self.table] = {}
        elif tag == "tfoot":
            self.foot = True
        elif tag == "tr":
            self.row, self.name = {}, ""
        elif tag == "th" and given.get("scope") == "row":
            self.in_name = True
        elif tag == "td" and "data-key" in given:
            self.row[given["data-key"]] = int(given["data-value"]) if "data-value" in given else None

    in_name = False

    def handle_endtag(self, tag):
        if tag == "th":
            self.in_name = False
        if tag == "tr" and self.row:
            (self.totals if self.foot else self.rows[self.table])[self.table if self.foot else self.name.strip()] = self.row
            self.row = {}

    def handle_data(self, data):
        if self.in_name:
            self.name += data


@pytest.fixture(scope="module")
def loaded(host, tmp_path_factory):
    """A service of its own that records each second, in whose pools things have happened: (service, folder)."""
    from harness.service import ConsoleService
    folder = tmp_path_factory.mktemp("report")
    service = ConsoleService(host, folder / "service", {
        "sampling": {"record": "1s"},
        "pools": {"build": {"limits": {"job_memory": "512MiB", "active_processes": 20}}, "build.release": {"parent": "build", "limits": {"active_processes": 2}},
                  "tests": {}}}, "jobpool-report-page")
    service.start()
    jobber = host.program("jobber")
    with service.bridge() as rpc:
        for pool, runs in (("build", 3), ("build.release", 2), ("tests", 4)):
            for code in range(runs):
                rpc.call("pool.launch", pool=pool, argv=[jobber, "exit", str(code)])
                rpc.call("pool.wait", pool=pool)
        for _ in range(2):
            rpc.call("pool.launch", pool="tests", argv=[jobber, "sleep", "60000"])
        rpc.call("pool.launch", pool="build", argv=[jobber, "allocate", "40", "60000"])
        rpc.call("pool.freeze", pool="build")
        rpc.call("pool.thaw", pool="build")

        def sampled():
            series = rpc.call("accounting.series", pools=["tests", "build"])["series"]
            return len(series) == 2 and all(any(point["commitBytes"] for point in one["points"]) for one in series)

        wait_until(sampled, "samples of both pools")
        rpc.call("pool.terminate", pool="tests", exitCode=9)
        rpc.call("pool.terminate", pool="build", exitCode=9)
        wait_until(lambda: rpc.call("accounting.report")["total"]["running"] == 0 and rpc.call("accounting.report")["total"]["processes"] == 12, "twelve ends in the accounts")
    yield service, folder
    service.end()


def numbers(row):
    return {key: int(row[key]) if row[key] is not None else None for key in SUMS}


def report_of(service, host, folder, *arguments):
    file = folder / "page.html"
    file.unlink(missing_ok=True)
    done = service.jobpool("report", "--output", host.path(file), *arguments)
    assert done.returncode == 0, done.stderr
    assert re.search(r"page\.html \(\d.*KiB\)", done.stdout) and done.stderr == ""
    assert [one.name for one in folder.glob("page.html*")] == ["page.html"], "one file, with nothing beside it"
    return Page(file.read_text(encoding="utf-8"))


def test_the_page_has_the_numbers_of_the_accounts(loaded, host):
    service, folder = loaded
    page = report_of(service, host, folder)
    for table, by in (("by-pool", "pool"), ("by-day", "day")):
        report = service.json("accounting", "report", "--by", by)
        assert {name: numbers(row) for name, row in page.rows[table].items()} == {row[by]: numbers(row) for row in report["rows"]}
        assert page.totals[table] == numbers(report["total"])
        for key in SUMS:
            column = [row[key] for row in page.rows[table].values() if row[key] is not None]
            assert page.totals[table][key] == (max(column, default=None) if key == "peakCommitBytes" else sum(column) if column else None), f"the total of {key} is that of its rows"
    for table, by in (("by-image", "image"), ("by-user", "user")):
        report = service.json("accounting", "report", "--by", by, "--top", "12")
        for row in report["rows"]:
            shown = page.rows[table][row[by]]
            assert (shown["processes"], shown["failures"]) == (row["processes"], row["failures"])
            assert shown["cpuTime100ns"] == (None if row["userTime100ns"] is None else int(row["userTime100ns"]) + int(row["kernelTime100ns"]))
    assert page.totals["by-pool"]["processes"] == 12 and page.totals["by-pool"]["failures"] == 9
    assert sum(row["processes"] for row in page.rows["samples-processes"].values()) == 12, "the bars are the same numbers"
    pictures = ROOT / "build" / "test" / "pages"
    pictures.mkdir(parents=True, exist_ok=True)
    shutil.copy(folder / "page.html", pictures / "real.html")  # for tests/pages, which opens it


def test_the_page_has_the_samples(loaded, host):
    service, folder = loaded
    page = report_of(service, host, folder, "--pool", "tests", "--pool", "build")
    assert {"cpu-wide-t", "cpu-narrow-t", "memory-wide-t", "cpu-0-t", "samples-cpu"} <= page.ids
    assert "CPU by pool over time" in page.text and "limit 512" in page.text and "FROZEN" in page.text
    assert set(page.rows["by-pool"]) == {"tests", "build"} and "Only the pools" in page.text
    with service.bridge() as rpc:
        period = re.findall(r'<time datetime="([^"]+)"', page.text)[:2]
        series = rpc.call("accounting.series", pools=["tests", "build"], **{"from": period[0], "to": period[1]}, points=168)["series"]
    used = sum(int(point["cpuTime100ns"]) for one in series for point in one["points"])
    cells = [int(value) for value in re.findall(r'data-key="cpu" data-value="(\d+)"', page.text)]
    assert sum(cells) == used


def test_a_period_without_anything(loaded, host):
    service, folder = loaded
    page = report_of(service, host, folder, "--from", "2001-01-01", "--to", "2001-02-01")
    assert page.totals["by-pool"]["processes"] == 0 and page.rows["by-pool"] == {} and "No process began" in page.text


def test_to_standard_output_and_in_place_of_an_old_one(loaded, host):
    service, folder = loaded
    text = service.jobpool("report", "-o", "-", "--from", "2001-01-01", "--to", "2001-02-01").stdout
    assert text.startswith("<!DOCTYPE html>") and text.rstrip().endswith("</html>") and "written:" not in text
    file = folder / "old.html"
    file.write_text("old")
    done = service.json("report", "-o", host.path(file))
    assert done["file"] == host.path(file) and done["bytes"] == file.stat().st_size and file.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_without_a_name_it_is_called_by_its_day(loaded, host):
    service, _ = loaded
    done = service.json("report")
    assert re.fullmatch(r"jobpool-report-\d{4}-\d\d-\d\d\.html", done["file"])
    pathlib.Path(done["file"]).unlink()


@pytest.mark.parametrize("arguments, words", [
    (["--from", "noon"], "noon"), (["--from", "2026-02-01", "--to", "2026-01-01"], "is not before --to"), (["--from", "2999-01-01"], "--from is not before now"), (["x"], "one argument too many"),
])
def test_wrong_usage(loaded, arguments, words):
    result = loaded[0].jobpool("report", *arguments)
    assert result.returncode == 2 and words in result.stderr and result.stdout == ""


def test_what_cannot_be_written_is_said_and_nothing_is_left(loaded, host):
    service, folder = loaded
    result = service.jobpool("report", "-o", host.path(folder / "nowhere" / "page.html"))
    assert result.returncode == 1 and "nowhere" in result.stderr and "ERROR_PATH_NOT_FOUND" in result.stderr
    (folder / "taken").mkdir()
    result = service.jobpool("report", "-o", host.path(folder / "taken"))
    assert result.returncode == 1 and "taken: it is a folder; give the name of a file in it" in result.stderr
    assert [one.name for one in folder.glob("*.partial")] == []
    result = service.jobpool("report", "-o", "-", "--pool", "nobody")
    assert result.returncode == 1 and 'there is no pool "nobody"' in result.stderr and result.stdout == ""


def test_without_a_service(host):
    result = host.run("jobpool", "--pipe", "jobpool-nobody-there", "report", "-o", "-")
    assert result.returncode == 3 and result.stdout == ""
