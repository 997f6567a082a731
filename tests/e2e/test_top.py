"""jobpool top on a real console: what it draws, what keys do, and what it asks the service. And its frames for programs."""
import csv
import io
import json
import re
import subprocess
import time

import pytest

from harness.host import WINDOWS, wait_until

if WINDOWS:
    pytest.skip("the terminal of these tests is a Unix one; the console itself is Windows' own there", allow_module_level=True)

from harness.terminal import Terminal

TITLES = 3  # the line of headings


@pytest.fixture
def top(host, service, pool):
    """top("-t", ...) -> a Terminal with the live table of the test's own pool and those below it."""
    made = []

    def start(*arguments, **options):
        made.append(Terminal(host, "jobpool", "--pipe", service.pipe, "top", "--pool", pool, "-d", "1s", *arguments, **options))
        return made[-1]

    yield start
    for terminal in made:
        terminal.close()


@pytest.fixture
def family(rpc, pool, jobber):
    """Below the test's pool: "a", which works, "b", which has memory, and "c", which is empty."""
    names = {letter: f"{pool}-{letter}" for letter in "abc"}
    rpc.call("pool.create", name=names["a"], parent=pool, limits={"active_processes": 4})
    rpc.call("pool.create", name=names["b"], parent=pool, limits={"job_memory": "64MiB"})
    rpc.call("pool.create", name=names["c"], parent=pool)
    rpc.call("pool.launch", pool=names["a"], argv=jobber("burn", 120000))
    rpc.call("pool.launch", pool=names["a"], argv=jobber("sleep", 120000))
    rpc.call("pool.launch", pool=names["b"], argv=jobber("allocate", 48, 120000))
    wait_until(lambda: usage(rpc, pool)[names["b"]]["commitBytes"] > 48 << 20, "the memory to be there")
    yield names
    rpc.call("pool.terminate", pool=pool)
    for name in names.values():
        rpc.call("pool.delete", pool=name, terminate=True)


def usage(rpc, pool):
    return {row["name"]: row for row in rpc.call("pool.usage", pool=pool)["pools"]}


def row(terminal, name):
    """The words of a pool's line; None if there is none."""
    for line in terminal.lines()[TITLES + 1:-1]:
        words = line.replace("├─ ", "").replace("└─ ", "").split()
        if words and words[0] == name:
            return words[1:]
    return None


def order(terminal, names):
    shown = [words[0] for words in map(str.split, terminal.lines()[TITLES + 1:-1]) if words]
    return [letter for word in shown for letter, name in names.items() if name == word]


def has_rates(terminal):
    return re.search(r"CPU [\d.]+% of", terminal.lines()[1])


# --------------------------------------------------------------------------------------------------------------- pictures


def test_a_frame(top, pool, family):
    with top() as terminal:
        terminal.wait_for(lambda t: has_rates(t) and float(row(t, family["a"])[0].replace("-", "0")) > 20, "the processor that is used")
        first, second, third, headings = terminal.lines()[:4]
        assert re.fullmatch(r"jobpool top  \d\d:\d\d:\d\d  every 1s  4 pools, 3 processes, \d+ processors?", first)
        assert "of one processor" in second and third == ""
        assert headings.split()[:6] == ["POOL", "CPU%▼", "MEMORY", "OF", "LIMIT", "WORKSET"]
        cpu, memory, *_, processes, read, events, by = row(terminal, family["a"])
        assert (processes, read, by) == ("2/4", "-", "service") and float(events) >= 0 and memory.endswith("M")
        bar, limit = row(terminal, family["b"])[2:4]
        assert limit == "64.0M" and re.fullmatch(r"█{7,8}▌?░{1,3}", bar)  # 48 MiB and what a process has anyway
        assert row(terminal, pool)[0] != "-" and terminal.lines()[-1].startswith("q quit")


def test_frames_go_on_by_themselves(top, family):
    with top() as terminal:
        clocks = set()
        terminal.wait_for(lambda t: clocks.add("".join(t.lines()[0].split()[2:3])) or len(clocks - {""}) > 2, "three frames")


def test_a_tree(top, pool, family):
    with top("-t") as terminal:
        terminal.press("n")
        wanted = [["├─", family["a"]], ["├─", family["b"]], ["└─", family["c"]]]
        terminal.wait_for(lambda t: [line.split()[:2] for line in t.lines()[TITLES + 2:TITLES + 5]] == wanted, "the tree, by name")
        terminal.press("t")
        terminal.wait_for(lambda t: "├─" not in t.text(), "the tree to go")


def test_sorting(top, family):
    with top() as terminal:
        terminal.wait_for(lambda t: has_rates(t) and float(row(t, family["a"])[0].replace("-", "0")) > 20, "the processor that is used")
        for key, wanted in [("m", "bac"), ("m", "cab"), ("p", "abc"), ("n", "abc"), ("r", "cba"), ("c", "abc"), (">", "bac")]:
            terminal.press(key)
            terminal.wait_for(lambda t: "".join(order(t, family)) == wanted, f"{wanted} after {key}")


def test_the_machine_and_one_processor(top, family):
    with top() as terminal:
        terminal.wait_for("of one processor")
        terminal.press("I")
        terminal.wait_for("of the machine")


def test_a_filter(top, pool, family):
    with top() as terminal:
        terminal.wait_for(family["c"])
        terminal.press("/", "-B")
        terminal.wait_for(lambda t: order(t, family) == ["b"], "only b")
        terminal.press("enter")
        terminal.wait_for('only those with "-B"')
        terminal.press("escape")
        terminal.wait_for(lambda t: sorted(order(t, family)) == ["a", "b", "c"], "all again")


def test_help(top, pool):
    with top() as terminal:
        terminal.wait_for(pool)
        terminal.press("?")
        terminal.wait_for("tree: pools below the pools")
        terminal.press(" ")
        terminal.wait_for(pool)


@pytest.mark.parametrize("columns, there, gone", [(120, "READ/s", "nothing at all"), (80, "EVENTS/s", "BY"), (60, "PROCS", "OF LIMIT"), (30, "CPU%", "PROCS")])
def test_narrow_terminals_have_fewer_columns(top, family, columns, there, gone):
    with top(columns=columns) as terminal:
        terminal.wait_for(lambda t: row(t, family["a"]) and there in t.lines()[TITLES] and t.lines()[-1], "the first frame")
        assert gone not in terminal.lines()[TITLES]


def colours(terminal):
    return {terminal.screen.buffer[line][column].fg for line in range(terminal.screen.lines) for column in range(terminal.screen.columns)}


@pytest.mark.parametrize("environment, coloured", [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours(top, family, environment, coloured):
    with top(environment=environment) as terminal:
        terminal.wait_for(lambda t: row(t, family["b"]) and row(t, family["c"]) and "q quit" in t.text())
        found = colours(terminal) - {"default", "black", "white"}
        assert bool(found) == coloured, found
        if coloured:
            assert "brown" in {terminal.screen.buffer[line][column].fg.replace("brightyellow", "brown").replace("brightbrown", "brown")
                               for line in range(30) for column in range(100) if terminal.screen.buffer[line][column].data == "█"}


def test_the_window_is_resized(host, service, pool, family, tmp_path):
    sign = tmp_path / "now"
    command = subprocess.list2cmdline([host.program("jobpool"), "--pipe", service.pipe, "top", "--pool", pool])
    with Terminal(host, "jobber", "in-console", host.path(sign), 60, 12, command) as terminal:
        terminal.wait_for(lambda t: "OF LIMIT" in t.lines()[TITLES] and "q quit" in t.lines()[29] and row(t, family["a"]))
        sign.touch()
        terminal.wait_for(lambda t: "q quit" in t.lines()[11] and "OF LIMIT" not in t.lines()[TITLES] and family["a"] in t.text(),
                          "a frame that fits the new size")
        terminal.press("q")
        assert terminal.finish() == 0


# ------------------------------------------------------------------------------------------------------------- processes


def select(terminal, name):
    """Moves down from the first line to that of a pool."""
    terminal.press("n")
    terminal.wait_for("POOL▲")
    lines = [line.split()[0] for line in terminal.lines()[TITLES + 1:-1] if line.split()]
    terminal.press("home", *["down"] * lines.index(name))
    terminal.wait_for(lambda t: t.screen.buffer[TITLES + 1 + lines.index(name)][0].bg not in ("default", "black"), f"{name} to be selected")


def test_processes_of_a_pool_and_back(top, family):
    with top(columns=120) as terminal:
        terminal.wait_for(has_rates)
        select(terminal, family["a"])
        terminal.press("enter")
        terminal.wait_for(lambda t: "burn 120000" in t.text() and "sleep 120000" in t.text(), "its two processes")
        terminal.wait_for(f"processes of pool {family['a']}")
        terminal.press("c")
        terminal.wait_for(lambda t: any(float(line.split()[1]) > 0 for line in t.lines() if "burn 120000" in line and line.split()[1] != "-"), "its CPU")
        terminal.press("escape")
        terminal.wait_for(family["b"])


def test_killing_a_pool(top, rpc, family):
    with top() as terminal:
        terminal.wait_for(has_rates)
        select(terminal, family["a"])
        terminal.press("k")
        terminal.wait_for(f"End all 2 processes of pool {family['a']} and of those below it? y/n")
        terminal.press("n")
        terminal.wait_for("nothing was done")
        assert len(rpc.call("pool.processes", pool=family["a"])["processes"]) == 2
        terminal.press("k", "y")
        terminal.wait_for("done: End all 2 processes")
        rpc.call("pool.wait", pool=family["a"], timeout="30s")
        assert len(rpc.call("pool.processes", pool=family["b"])["processes"]) == 1
        terminal.wait_for(lambda t: "0/4" in row(t, family["a"]), "the frame without them")


def test_killing_one_process(top, rpc, family):
    with top() as terminal:
        terminal.wait_for(has_rates)
        select(terminal, family["b"])
        pid = rpc.call("pool.processes", pool=family["b"])["processes"][0]["pid"]
        terminal.press("enter")
        terminal.wait_for("allocate 48")
        terminal.press("k")
        terminal.wait_for(f"End process {pid} of pool {family['b']}? y/n")
        terminal.press("y")
        terminal.wait_for("no process is in it")
        assert rpc.call("pool.processes", pool=family["b"])["processes"] == []


def test_freezing_and_thawing(top, rpc, family):
    with top() as terminal:
        terminal.wait_for(has_rates)
        select(terminal, family["a"])
        for word, frozen in (("Freeze", True), ("Thaw", False)):
            terminal.press("f")
            terminal.wait_for(f"{word} all 2 processes of pool {family['a']}")
            terminal.press("y")
            terminal.wait_for(f"done: {word}")
            assert rpc.call("pool.get", pool=family["a"])["frozen"] == frozen
            terminal.wait_for(lambda t: ("[frozen]" in t.text()) == frozen, "the frame that shows it")


def test_what_the_service_refuses_is_told(top, rpc, family):
    with top() as terminal:
        terminal.wait_for(has_rates)
        select(terminal, family["c"])
        terminal.press("f")
        terminal.wait_for("Freeze all")
        rpc.call("pool.freeze", pool=family["c"])  # somebody else was quicker
        terminal.press("y")
        terminal.wait_for(lambda t: "frozen" in t.lines()[2] and "done" not in t.lines()[2], "why it was refused")
        rpc.call("pool.thaw", pool=family["c"])


# --------------------------------------------------------------------------------------------------------- in and out


def test_the_screen_is_as_it_was_afterwards(host, service, pool):
    command = f"echo before&&{host.program('jobpool')} --pipe {service.pipe} top --pool {pool}&&echo after"
    with Terminal(host, "cmd", "/c", command) as terminal:
        terminal.wait_for(lambda t: "q quit" in t.text() and pool in t.text())
        assert "before" not in terminal.text()
        terminal.press("q")
        terminal.finish()
        assert terminal.lines()[:2] == ["before", "after"] and "POOL" not in terminal.text() and not terminal.screen.cursor.hidden


@pytest.mark.parametrize("before", [[], ["k"], ["/"]])
def test_ctrl_c_is_a_way_out(top, pool, family, before):
    with top() as terminal:
        terminal.wait_for(lambda t: row(t, pool))
        terminal.press(*before, "ctrl-c")
        assert terminal.finish() == 0 and "POOL" not in terminal.text() and not terminal.screen.cursor.hidden


def test_a_service_that_goes_away_and_comes_back(host, console, jobber):
    service = console({"pools": {"here": {}, "there": {}}})
    service.start()
    with Terminal(host, "jobpool", "--pipe", service.pipe, "top", "-d", "1s") as terminal:
        terminal.wait_for("2 pools")
        service.stop()
        terminal.wait_for(lambda t: "the service is away; it is tried again" in t.text() and row(t, "there"))  # as it was
        service.start()
        terminal.wait_for(lambda t: "away" not in t.text() and row(t, "here"), "a new frame")
        with service.bridge() as rpc:
            rpc.call("pool.create", name="new")
        terminal.wait_for("3 pools")
        terminal.press("q")
        assert terminal.finish() == 0


def test_without_a_service(host):
    with Terminal(host, "jobpool", "--pipe", "jobpool-nobody", "top") as terminal:
        assert terminal.finish() == 3 and "jobpool-nobody" in terminal.text()


def test_one_call_a_frame_and_a_frame_a_second(host, console, jobber):
    """Through a relay that prints every request. Keys that only look at what is there ask nothing."""
    service = console({"pools": {f"p{i}": {} for i in range(50)}})
    service.start()
    relay = host.start("pipes", "relay", service.pipe + "-counted", service.pipe, stdout=subprocess.PIPE)
    try:
        assert relay.stdout.readline().strip() == b"ready"
        begun = time.monotonic()
        with Terminal(host, "jobpool", "--pipe", service.pipe + "-counted", "top", "-d", "1s") as terminal:
            terminal.wait_for("50 pools")
            terminal.press("m", "t", "n", "I", "/", "p4", "enter", " ", "down", " ", "enter")
            terminal.wait_for("no process is in it")
            terminal.press("escape", " ", " ")
            clocks = set()
            terminal.wait_for(lambda t: clocks.add("".join(t.lines()[0].split()[2:3])) or len(clocks - {""}) > 2, "three frames")
            terminal.press("q")
            assert terminal.finish() == 0
        elapsed = time.monotonic() - begun
        asked = [json.loads(line) for line in relay.stdout.read().splitlines()]
    finally:
        relay.kill()
        relay.wait()
    assert {request["method"] for request in asked} == {"pool.usage"}
    assert any(request["params"].get("processesOf") for request in asked)
    assert 4 <= len(asked) <= elapsed + 1


# ------------------------------------------------------------------------------------------------------------ for programs


def test_once_as_json(service, rpc, pool, family):
    frame = service.json("top", "--once", "--pool", pool, "-d", "1s")
    rows = {row["name"]: row for row in frame["pools"]}
    assert set(rows) == {pool, *family.values()} and frame["seconds"] >= 0.5
    assert rows[family["a"]]["cpuPercent"] > 0 and rows[family["a"]]["processes"] == 2 and rows[family["a"]]["processLimit"] == 4
    assert rows[family["a"]]["machinePercent"] == pytest.approx(rows[family["a"]]["cpuPercent"] / frame["processors"], abs=0.1)
    assert rows[family["b"]]["commitBytes"] == usage(rpc, pool)[family["b"]]["commitBytes"]
    assert rows[family["c"]]["cpuPercent"] == 0 and rows[family["c"]]["parent"] == pool
    assert rows[pool]["readBytesPerSecond"] is None  # Wine does not tell


def test_once_as_table_and_csv(service, pool, family):
    lines = service.jobpool("top", "--once", "--pool", pool, "-d", "1s", "--sort", "-memory").stdout.splitlines()
    assert lines[0].split() == ["POOL", "CPU%", "MEMORY", "LIMIT", "PROCS", "MAX", "IO/S", "EVENTS/S", "BY"]
    assert [line.split()[0] for line in lines[1:]] == [pool, family["b"], family["a"], family["c"]]
    frames = service.jobpool("top", "--batch", "-n", "2", "--pool", family["b"], "-d", "1s", "--format", "csv", "--columns", "name,processes").stdout
    assert list(csv.reader(io.StringIO(frames))) == [["name", "processes"]] + [[family["b"], "1"]] * 2, "one table"
    times = service.jobpool("top", "--batch", "-n", "2", "--pool", family["b"], "-d", "1s", "--format", "csv", "--columns", "time", "--no-header").stdout.split()
    assert len(times) == 2 and times[0] < times[1], "by which frames are told apart"


def test_once_as_a_tree(service, pool, family):
    lines = service.jobpool("top", "--once", "--tree", "--pool", pool, "-d", "1s", "--columns", "name", "--no-header").stdout.splitlines()
    assert lines == [pool, *(f"  {family[letter]}" for letter in "abc")]


def test_batch_prints_frame_after_frame(service, pool):
    out = service.jobpool("top", "--batch", "-n", "2", "--pool", pool, "-d", "1s", "--json").stdout.splitlines()
    first, second = map(json.loads, out)
    assert first["time"] < second["time"] and [row["name"] for row in second["pools"]] == [pool]


@pytest.mark.parametrize("arguments, says", [
    ([], "--once prints one frame"), (["--json"], "--once prints one frame"), (["--columns", "name"], "--once and --batch"), (["-n", "2"], "--frames goes with --batch"),
    (["--once", "-n", "2"], "--frames goes with --batch"), (["--once", "-d", "100ms"], "1s to 24h"), (["--once", "-d", "soon"], "soon"),
    (["--once", "--sort", "colour"], "no column"), (["--batch", "-n", "0"], "--frames"), (["--once", "--pool", ""], '--pool: "" is no value'),
])
def test_what_cannot_be(service, arguments, says):
    result = service.jobpool("top", *arguments)
    assert result.returncode == 2 and says in result.stderr and result.stdout == ""


def test_a_pool_that_is_not_there(service):
    result = service.jobpool("top", "--once", "--pool", "no-such-pool")
    assert result.returncode == 1 and "no-such-pool" in result.stderr
