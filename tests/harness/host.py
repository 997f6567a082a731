"""Runs Windows programs: under Wine in a prefix of its own, or directly where this is Windows."""
import os
import pathlib
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(os.environ.get("JOBPOOL_ROOT") or pathlib.Path(__file__).resolve().parents[2])
BUILD = pathlib.Path(os.environ.get("JOBPOOL_BUILD") or ROOT / "build" / "win")
WINDOWS = sys.platform == "win32"

PROGRAMS = {
    "jobpool": BUILD / "src" / "cli" / "jobpool.exe",
    "jobpoold": BUILD / "service" / "jobpoold.exe",
    "jobber": BUILD / "tests" / "e2e" / "programs" / "jobber.exe",
    "pipes": BUILD / "tests" / "e2e" / "programs" / "pipes.exe",
    "impostor": BUILD / "tests" / "e2e" / "programs" / "impostor.exe",
    "hostile": BUILD / "tests" / "e2e" / "programs" / "hostile.exe",
}

# Generous, because a loaded machine is no fault of the program's: what is waited for is polled, never slept for.
PATIENCE_S = 60


def wait_until(condition, what, timeout=PATIENCE_S, interval=0.05):
    """Polls until condition() gives something true, and returns that."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout} s in vain for {what}")
        time.sleep(interval)


class Host:
    """Where Windows programs run. `close()` ends them all."""

    def __init__(self, prefix):
        """Makes a fresh Wine prefix in the folder `prefix`. On Windows that is only a folder for files."""
        self.prefix = pathlib.Path(prefix).resolve()
        self.environment = dict(os.environ)
        self.keeper = None
        self.prefix.parent.mkdir(parents=True, exist_ok=True)
        if WINDOWS:
            self.drive_c = pathlib.Path("C:/")
            self.prefix.mkdir(exist_ok=True)
            return
        subprocess.run([ROOT / "dev", "prefix", self.prefix], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.drive_c = self.prefix / "drive_c"
        self.environment |= {"WINEPREFIX": str(self.prefix), "WINEDEBUG": "-all", "WINEDLLOVERRIDES": "mscoree,mshtml=;winemenubuilder.exe=d"}
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "JOBPOOL_PIPE"):
            self.environment.pop(name, None)
        self._start_keeper()

    def _start_keeper(self):
        """Wine ends every service when the last ordinary program ends, so one stays, waiting for a command. It also boots
        the prefix; until that is done nothing else is started, because two that boot it at once can wait for ever."""
        self.keeper = self.start("cmd", "/q", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.keeper.stdin.write(b"echo booted\r\n")
        self.keeper.stdin.flush()
        while b"booted" not in (line := self.keeper.stdout.readline()):
            if not line:
                raise RuntimeError(f"Wine does not start in {self.prefix}")

    def close(self):
        if WINDOWS:
            shutil.rmtree(self.prefix, ignore_errors=True)
            return
        self.keeper.stdin.close()
        self._wineserver("-k")
        self._wineserver("-w")
        self.keeper.wait(PATIENCE_S)
        shutil.rmtree(self.prefix, ignore_errors=True)

    def _wineserver(self, option):
        subprocess.run(["wineserver", option], env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=PATIENCE_S, check=False)

    def path(self, path):
        """A file's name as Windows programs know it."""
        path = pathlib.Path(path).absolute()
        if WINDOWS:
            return str(path)
        if path.is_relative_to(self.drive_c):
            return "C:\\" + str(path.relative_to(self.drive_c)).replace("/", "\\")
        return "Z:" + str(path).replace("/", "\\")

    def program(self, name):
        """The Windows name of one of our programs."""
        return self.path(PROGRAMS[name])

    def command(self, program, *arguments):
        """The words that start one of our programs by name, a program by path, or one of Windows' own by name."""
        if program in PROGRAMS:
            program = PROGRAMS[program]
        return [*([] if WINDOWS else ["wine"]), str(program), *map(str, arguments)]

    def start(self, program, *arguments, environment=None, **options):
        """Starts a program and returns its Popen."""
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen(self.command(program, *arguments), env=self.environment | (environment or {}), **options)

    def run(self, program, *arguments, input=None, timeout=PATIENCE_S, environment=None, **options):
        """Runs a program to its end. The result has stdout and stderr as text with Unix line ends."""
        if input is None:
            options.setdefault("stdin", subprocess.DEVNULL)
        result = subprocess.run(self.command(program, *arguments), env=self.environment | (environment or {}), timeout=timeout,
                                input=None if input is None else input.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                check=False, **options)
        result.stdout = result.stdout.decode("utf-8", "replace").replace("\r\n", "\n")
        result.stderr = result.stderr.decode("utf-8", "replace").replace("\r\n", "\n")
        return result
