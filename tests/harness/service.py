"""The service, installed in the service control manager or running in console mode, with a configuration of its own."""
import json
import re
import signal
import subprocess

from .bridge import Bridge
from .host import PATIENCE_S, WINDOWS, wait_until


class Service:
    """What both kinds have in common: a folder with configuration, database and log, and a pipe."""

    def __init__(self, host, folder, config, pipe):
        self.host = host
        self.folder = folder
        self.pipe = pipe
        self.config_file = folder / "jobpool.json"
        self.database_file = folder / "accounting.db"
        self.log_file = folder / "jobpool.log"
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        self.write_config(config)

    def write_config(self, config):
        """Writes `config`, a text or an object; in an object, database and pipe are filled in where they are missing."""
        if not isinstance(config, str):
            config = {"database": {"file": self.host.path(self.database_file)}, "pipe": {"name": self.pipe}} | config
            config = json.dumps(config, indent=2)
        self.config_file.write_text(config, encoding="utf-8")
        self.config_file.chmod(0o644)  # whatever the umask: the service refuses a file that others may write

    def bridge(self):
        return Bridge(self.host, self.pipe)

    def jobpool(self, *arguments, **options):
        """Runs jobpool.exe against this service."""
        return self.host.run("jobpool", "--pipe", self.pipe, *arguments, **options)

    def json(self, *arguments, **options):
        """The result of a command that must succeed."""
        result = self.jobpool("--json", *arguments, **options)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    def log(self):
        return self.log_file.read_text(encoding="utf-8") if self.log_file.exists() else ""

    def answers(self):
        return self.jobpool("status").returncode == 0


class InstalledService(Service):
    """Under the service control manager, as `name`."""

    def __init__(self, host, folder, config, program, name="JobPool", pipe="jobpool"):
        super().__init__(host, folder, config, pipe)
        self.name = name
        self.program = program

    def sc(self, *arguments):
        return self.host.run("sc", *arguments)

    def install(self):
        command = f'"{self.host.path(self.program)}" --config "{self.host.path(self.config_file)}"'
        result = self.sc("create", self.name, "binPath=", command, "start=", "auto")
        assert result.returncode == 0, result.stdout + result.stderr

    def state(self):
        """"RUNNING", "STOPPED", ...; None if it is not installed."""
        match = re.search(r"^\s*STATE\s*:\s*\d+\s+(\w+)", self.sc("query", self.name).stdout, re.M)
        return match and match[1]

    def start(self):
        result = self.sc("start", self.name)
        assert result.returncode == 0, result.stdout + result.stderr
        wait_until(self._started, f"the service {self.name} to start")

    def _started(self):
        state = self.state()
        assert state != "STOPPED", "the service stopped instead of starting:\n" + self.log()
        return state == "RUNNING" and self.answers()

    def stop(self):
        result = self.sc("stop", self.name)
        assert result.returncode == 0, result.stdout + result.stderr
        wait_until(lambda: self.state() == "STOPPED", f"the service {self.name} to stop")

    def restart(self):
        self.stop()
        self.start()

    def remove(self):
        if self.state() not in (None, "STOPPED"):
            self.stop()
        self.sc("delete", self.name)


class ConsoleService(Service):
    """`jobpoold --console`: for tests that break things, several beside each other on pipes of their own."""

    process = None

    def launch(self, *arguments):
        """Starts the program without waiting for anything."""
        self.stderr_file = self.folder / "stderr.txt"
        with open(self.stderr_file, "wb") as stderr:
            self.process = self.host.start("jobpoold", "--console", "--config", self.host.path(self.config_file), *arguments,
                                           stdout=subprocess.DEVNULL, stderr=stderr,
                                           **({"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if WINDOWS else {}))

    def start(self, *arguments):
        self.launch(*arguments)
        wait_until(self._started, "the service to start")
        return self

    def _started(self):
        assert self.process.poll() is None, f"the service ended with {self.process.returncode}:\n{self.stderr()}"
        return self.answers()

    def stderr(self):
        return self.stderr_file.read_text(encoding="utf-8", errors="replace")

    def interrupt(self):
        """Ctrl-C. (Wine takes SIGINT for it. On Windows only Ctrl-Break can be sent to one group of processes.)"""
        self.process.send_signal(signal.CTRL_BREAK_EVENT if WINDOWS else signal.SIGINT)

    def stop(self):
        """Stops it in order and returns its exit code."""
        self.interrupt()
        return self.process.wait(PATIENCE_S)

    def restart(self):
        assert self.stop() == 0, self.stderr()
        self.start()

    def crash(self):
        """Ends it as a power cut would."""
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def end(self):
        if self.process is not None and self.process.poll() is None:
            self.crash()

    def exit_code(self):
        """Waits for the end of a service that is expected not to start."""
        return self.process.wait(PATIENCE_S)
