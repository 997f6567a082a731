#!/usr/bin/env python3
"""JobPool on real input: the service installed, programs in its pools, their events as they come, and their accounts, checked
against what was started. Exit code 0 only if everything held. `./dev demo` sets everything up and runs it."""
import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from harness.host import BUILD, PROGRAMS, Host, wait_until  # noqa: E402
from harness.service import InstalledService  # noqa: E402

CSV_ROWS = 200_000
ALLOWED_S = 120
CRASH = 0xC0000005
QUOTA = 0xC0000044  # STATUS_QUOTA_EXCEEDED: a limit of each process
TIMEOUT = 1460  # ERROR_TIMEOUT


class Show:
    """What is said and what is found out. Events come from a thread of their own, so every line is printed whole."""

    def __init__(self):
        self.begun = time.monotonic()
        self.failed = []
        self._lock = threading.Lock()

    def line(self, text=""):
        with self._lock:
            print(text, flush=True)

    def chapter(self, text):
        self.line(f"\n[{time.monotonic() - self.begun:5.1f} s] {text}")

    def command(self, *words):
        self.line("  > " + " ".join(words))

    def output(self, text):
        for line in text.rstrip("\n").split("\n"):
            self.line("    " + line)

    def check(self, held, text):
        self.line(f"  {'ok  ' if held else 'FAIL'}  {text}")
        if not held:
            self.failed.append(text)


class Demo:
    def __init__(self, show, host):
        self.show = show
        self.host = host
        self.sqlite = next(BUILD.glob("subprojects/**/sqlite3.exe"))
        folder = host.drive_c / "ProgramData" / "JobPool"
        config = (ROOT / "config" / "demo.json").read_text(encoding="utf-8")
        program = host.drive_c / "Program Files" / "JobPool" / "jobpoold.exe"
        program.parent.mkdir(parents=True)
        shutil.copy(BUILD / "service" / "jobpoold.exe", program)
        self.service = InstalledService(host, folder, config, program)
        self.started = collections.Counter()  # what must be in the accounts: (pool, program, exit code, ending)

    # ------------------------------------------------------------------------------------------------------------ tools

    def jobpool(self, *arguments, shown=None, **options):
        """Runs jobpool.exe in sight of everybody."""
        self.show.command("jobpool", *(shown or map(str, arguments)))
        result = self.host.run("jobpool", *arguments, **options)
        if result.stderr:
            self.show.output(result.stderr)
        return result

    def expect(self, pool, program, exit_code, ending, count=1):
        self.started[pool, program, exit_code, ending] += count

    def processes(self):
        return self.service.json("accounting", "processes")["processes"]

    def members(self, pool):
        return len(self.service.json("ps", pool)["processes"])

    # --------------------------------------------------------------------------------------------------------- chapters

    def install(self):
        self.show.chapter("Install the service, with config/demo.json: a parent pool and two children, one with kill-on-close.")
        self.show.command("sc create JobPool binPath=", f'"\\"{self.host.path(self.service.program)}\\" --config ...\\jobpool.json"', "start= auto")
        self.service.install()
        self.show.command("sc start JobPool")
        self.service.start()
        self.show.output(self.jobpool("list").stdout)
        pools = {row["name"]: row for row in self.service.json("list")["pools"]}
        self.show.check({name: row["parent"] for name, row in pools.items()} == {"demo": None} | dict.fromkeys(("data", "scratch", "small", "strays"), "demo"), "the pools are there")

    def follow_events(self):
        self.show.chapter("From here on, its events are shown as they come:  jobpool events --follow")
        follower = self.host.start("jobpool", "events", "--follow", "--from-seq", 1, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

        def print_events():
            for line in follower.stdout:
                # Without the date; the seconds are enough to see what follows what.
                self.show.line("      event " + re.sub(r"\d{4}-\d\d-\d\dT([\d:.]+)Z", r"\1", line.decode("utf-8", "replace").rstrip()))

        threading.Thread(target=print_events, daemon=True).start()

    def make_csv(self, file):
        """Sales of seven regions; returns what sqlite3 has to find out about them."""
        totals = collections.defaultdict(lambda: [0, 0])
        with open(file, "w", encoding="ascii", newline="\n") as out:
            out.write("id,region,amount\n")
            for number in range(CSV_ROWS):
                region, amount = f"region-{number * 7919 % 7}", number * 104729 % 10007
                totals[region][0] += 1
                totals[region][1] += amount
                out.write(f"{number},{region},{amount}\n")
        return [f"{region},{count},{amount}" for region, (count, amount) in sorted(totals.items())]

    def import_csv(self):
        self.show.chapter(f"sqlite3.exe imports {CSV_ROWS:,} rows and adds them up, run in the pool \"data\" from this side's console.")
        folder = self.host.drive_c / "demo"
        folder.mkdir()
        wanted = self.make_csv(folder / "sales.csv")
        script = (".mode csv\n.import C:/demo/sales.csv sales\n"
                  "SELECT region, count(*), sum(CAST(amount AS INTEGER)) FROM sales GROUP BY region ORDER BY region;\n")
        result = self.jobpool("run", "--pool", "data", "--", self.host.path(self.sqlite), "C:\\demo\\sales.db", input=script,
                              shown=["run --pool data -- sqlite3.exe C:\\demo\\sales.db  <import.sql"])
        self.show.output(result.stdout)
        self.expect("data", "sqlite3.exe", 0, "exited")
        self.show.check(result.returncode == 0 and result.stdout.split() == wanted, f"{CSV_ROWS:,} rows, and the same totals as computed here")
        result = self.jobpool("run", "--pool", "data", "--", self.host.path(self.sqlite), "C:\\demo\\sales.db", "SELECT no_such_column FROM sales",
                              shown=["run --pool data -- sqlite3.exe C:\\demo\\sales.db \"SELECT no_such_column FROM sales\""])
        self.expect("data", "sqlite3.exe", 1, "exited")
        self.show.check(result.returncode == 1 and "no_such_column" in result.stderr, "a failing command's words and exit code come through")

    def grow_tree(self):
        self.show.chapter("A tree of cmd.exe with grandchildren: each one is a member, and each one's exit code is kept.")
        script = "cmd /c cmd /c exit 5 & cmd /c exit 6"
        result = self.jobpool("run", "--pool", "demo", "--", "cmd.exe", "/c", script, shown=["run --pool demo -- cmd.exe /c", f'"{script}"'])
        self.expect("demo", "cmd.exe", 5, "exited", 2)
        self.expect("demo", "cmd.exe", 6, "exited", 2)
        self.show.check(result.returncode == 6, "the exit code of the last one is the command's")

    def assign_stranger(self):
        self.show.chapter("A process that somebody else started is put into a pool by its pid.")
        stranger = self.host.start("jobber", "hold", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        pid = int(stranger.stdout.readline().split()[0])
        self.show.output(self.jobpool("assign", "--pool", "data", pid).stdout)
        self.show.output(self.jobpool("ps", "data").stdout)
        self.show.check(self.members("data") == 1, "it is a member")
        stranger.stdin.close()
        self.show.check(stranger.wait(30) == 0, "and ends as it would have")
        self.expect("data", "jobber.exe", 0, "exited")

    def crash(self):
        self.show.chapter("A program that crashes.")
        result = self.jobpool("launch", "--pool", "scratch", "--wait", "--", self.host.program("jobber"), "crash",
                              shown=["launch --pool scratch --wait -- jobber.exe crash"])
        self.show.output(result.stdout)
        self.expect("scratch", "jobber.exe", CRASH, "crashed")
        self.show.check("crashed with code 0xC0000005" in result.stdout, "it is told apart from an exit")

    def terminate_tree(self):
        self.show.chapter("A tree that is terminated. Windows tells the service nothing of these ends; it finds them out.")
        self.jobpool("launch", "--pool", "scratch", "--", self.host.program("jobber"), "tree", "2", "2", "600000",
                     shown=["launch --pool scratch -- jobber.exe tree 2 2 600000"])
        wait_until(lambda: self.members("scratch") == 7, "the tree to be complete")
        self.show.output(self.jobpool("kill", "scratch", "--exit-code", "99").stdout)
        self.show.output(self.jobpool("wait", "scratch", "--timeout", "30s").stdout)
        self.expect("scratch", "jobber.exe", 99, "terminated", 7)
        events = self.service.json("events", "--pool", "scratch", "--message", "EXIT_PROCESS")["events"]
        found = [event for event in events if event["origin"] == "reconciler" and event.get("exitCode") == 99]
        self.show.check(len(found) == 7, f"7 ends told by the reconciler (found {len(found)})")

    def told(self, pool, message):
        return [event for event in self.service.json("events", "--pool", pool)["events"] if event["message"].endswith(message)]

    def run_into_limits(self):
        self.show.chapter("A process that takes too much memory, and one that lives too long. What the kernel forgets, the service sees to.")
        self.show.output(self.jobpool("show", "small").stdout.split("\n\n")[1])
        result = self.jobpool("launch", "--pool", "small", "--wait", "--", self.host.program("jobber"), "allocate", "256", "600000",
                              shown=["launch --pool small --wait -- jobber.exe allocate 256 600000"])
        self.show.output(result.stdout)
        self.expect("small", "jobber.exe", QUOTA, "terminated")
        self.show.check("terminated with code 0xC0000044" in result.stdout, "256 MiB where 64 are allowed: STATUS_QUOTA_EXCEEDED")
        result = self.jobpool("launch", "--pool", "small", "--wait", "--", self.host.program("jobber"), "sleep", "600000",
                              shown=["launch --pool small --wait -- jobber.exe sleep 600000"])
        self.show.output(result.stdout)
        self.expect("small", "jobber.exe", TIMEOUT, "terminated")
        self.show.check("terminated with code 1460" in result.stdout, "ten minutes where five seconds are allowed: ERROR_TIMEOUT")
        for message in ("PROCESS_MEMORY_LIMIT", "WALL_CLOCK_LIMIT"):
            self.show.check(len(self.told("small", message)) == 1, f"{message} was told once")

    def freeze(self):
        self.show.chapter("A pool is frozen in the midst of its work, and goes on.")
        self.jobpool("launch", "--pool", "scratch", "--", self.host.program("jobber"), "burn", "600000",
                     shown=["launch --pool scratch -- jobber.exe burn 600000"])
        used = lambda: self.service.json("show", "scratch")["usage"]["userTime100ns"]  # noqa: E731
        wait_until(lambda before=used(): used() > before, "it to use CPU time")
        self.show.output(self.jobpool("freeze", "scratch").stdout)
        time.sleep(1)  # the sample that was under way
        before = used()
        time.sleep(2)
        self.show.check(used() == before, "two seconds later it has used no more CPU time")
        self.show.output(self.jobpool("thaw", "scratch").stdout)
        wait_until(lambda: used() > before, "it to go on")
        self.show.check(True, "and then it goes on")
        self.jobpool("kill", "scratch", "--exit-code", "98")
        self.expect("scratch", "jobber.exe", 98, "terminated")
        wait_until(lambda: self.members("scratch") == 0, "its end")

    def match_stray(self):
        self.show.chapter("A program that somebody starts comes into its pool by a rule:  \"match\": [{ \"image\": \"stray.exe\" }]")
        stray_file = self.host.drive_c / "demo" / "stray.exe"
        shutil.copy(PROGRAMS["jobber"], stray_file)
        stray = self.host.start(stray_file, "hold", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        pid = int(stray.stdout.readline().split()[0])
        wait_until(lambda: self.members("strays") == 1, "it to be taken")
        self.show.output(self.jobpool("match", "--dry-run").stdout)
        rows = {row["pid"]: row for row in self.service.json("match", "--dry-run")["processes"]}
        self.show.check(pid in rows and rows[pid]["pool"] == "strays", "that is where the rules put it")
        self.show.check(len(self.told("strays", "PROCESS_MATCHED")) == 1, "it was taken once")
        stray.stdin.close()
        self.show.check(stray.wait(30) == 0, "and it ends as it would have")
        self.expect("strays", "stray.exe", 0, "exited")

    def run_narrowly(self):
        self.show.chapter("A command with a limit of its own, just for this run, and what it used. What all pools use, at a glance.")
        result = self.jobpool("run", "--pool", "demo", "--limit", "active_processes=2", "--report", "--", self.host.path(PROGRAMS["jobber"]), "burn", "1500",
                              shown=["run --pool demo --limit active_processes=2 --report -- jobber.exe burn 1500"])
        pool = next(row["pool"] for row in reversed(self.processes()) if row["pool"].startswith("demo.run-"))
        self.expect(pool, "jobber.exe", 0, "exited")
        self.show.check(result.returncode == 0 and "peak commit" in result.stderr, "its exit code is the command's, and the report says what its tree used")
        self.show.output(self.jobpool("top", "--once").stdout)
        wait_until(lambda: pool not in {row["name"] for row in self.service.json("list")["pools"]}, "the run's pool to go by itself", timeout=30)
        self.show.check(True, "the pool of the run is gone by itself")

    def check_accounts(self):
        self.show.chapter("The accounts, against what was started.")
        wait_until(lambda: all(row["ended"] for row in self.processes()), "every end to be written down", timeout=30)
        self.show.output(self.jobpool("accounting", "processes").stdout)
        rows = self.processes()
        found = collections.Counter((row["pool"], row["image"].rsplit("\\", 1)[-1].lower(), row["exitCode"], row["ending"]) for row in rows)
        for missing, count in (self.started - found).items():
            self.show.check(False, f"{count} of {missing} are missing")
        for surplus, count in (found - self.started).items():
            self.show.check(False, f"{count} of {surplus} were not started here")
        self.show.check(found == self.started, f"{sum(self.started.values())} processes, every one once, none missing, exit codes right")
        self.show.check(len({(row["pid"], row["startTime"]) for row in rows}) == len(rows), "no process is counted twice")
        self.show.output(self.jobpool("accounting").stdout)
        self.check_events(rows)

    def check_events(self, rows):
        events = self.service.json("events", "--from-seq", "1", "--limit", "10000")["events"]
        self.show.check([event["seq"] for event in events] == list(range(1, len(events) + 1)), f"{len(events)} events, numbered without a gap")
        per_process = collections.Counter((event["pool"], event["pid"], event["message"].rsplit("_MSG_", 1)[-1].replace("ABNORMAL_", ""))
                                          for event in events if "_MSG_" in event["message"] and event.get("pid"))
        wanted = {(row["pool"], row["pid"], message) for row in rows for message in ("NEW_PROCESS", "EXIT_PROCESS")}
        self.show.check(all(per_process[key] >= 1 for key in wanted), "each process came and went in the events too")

    def write_report(self):
        self.show.chapter("The same as a page with charts.")
        page = self.host.drive_c / "demo" / "report.html"
        self.show.output(self.jobpool("report", "--output", self.host.path(page)).stdout)
        kept = shutil.copy(page, BUILD.parent / "demo-report.html")
        total = self.service.json("accounting", "report")["total"]["processes"]
        self.show.check(f'data-key="processes" data-value="{total}"' in page.read_text(encoding="utf-8"), f"{total} processes there too; open {kept}")

    def restart(self):
        self.show.chapter("Stop and start the service: the numbers are still there, and kill-on-close has done what it says.")
        summary, rows = self.service.json("accounting"), self.processes()
        sleeper = self.service.json("launch", "--pool", "scratch", "--", self.host.program("jobber"), "sleep", "600000")
        for command in ("sc stop JobPool", "sc start JobPool"):
            self.show.command(command)
        self.service.restart()
        after = self.processes()
        self.show.output(self.jobpool("accounting").stdout)
        self.show.check(after[:len(rows)] == rows and len(after) == len(rows) + 1, "every row is as it was")
        before_of = {row["pool"]: row for row in summary["pools"]}
        after_of = {row["pool"]: row for row in self.service.json("accounting")["pools"]}
        self.show.check(all(after_of[pool] == row for pool, row in before_of.items() if pool != "scratch"), "and so are the totals")
        ended = after[-1]
        self.show.check(ended["pid"] == sleeper["pid"] and ended["ending"] == "terminated" and bool(ended["ended"]),
                        "the process that ran in the pool with kill-on-close ended with the service")

    def remove(self):
        self.show.chapter("Take the service out again.")
        for command in ("sc stop JobPool", "sc delete JobPool"):
            self.show.command(command)
        self.service.remove()
        self.show.check(self.service.state() is None, "nothing is left of it but its files")

    def play(self):
        self.install()
        self.follow_events()
        self.import_csv()
        self.grow_tree()
        self.assign_stranger()
        self.crash()
        self.terminate_tree()
        self.run_into_limits()
        self.freeze()
        self.match_stray()
        self.run_narrowly()
        self.check_accounts()
        self.write_report()
        self.restart()
        self.remove()


def main():
    show = Show()
    host = Host(BUILD.parent / f"wine-demo-{os.getpid()}")
    demo = None
    try:
        demo = Demo(show, host)
        demo.play()
    except (AssertionError, TimeoutError, OSError, subprocess.SubprocessError, json.JSONDecodeError) as error:
        show.check(False, f"the demo broke off: {type(error).__name__}: {error}")
        if demo is not None:
            show.output("the end of the service's log:\n" + "\n".join(demo.service.log().splitlines()[-30:]))
    finally:
        host.close()
    took = time.monotonic() - show.begun
    show.line()
    show.check(took < ALLOWED_S, f"took {took:.0f} s of {ALLOWED_S} s allowed")
    show.line(f"\n{'Everything held.' if not show.failed else 'NOT everything held:'}")
    for text in show.failed:
        show.line("  " + text)
    return 1 if show.failed else 0


if __name__ == "__main__":
    sys.exit(main())
