"""The whole daemon above the simulated kernel: the program jobpoold-sim, its orders, and clients of its socket."""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile

from .host import PATIENCE_S, ROOT
from .socket_client import Client

PROGRAM = pathlib.Path(os.environ.get("JOBPOOL_SIMD") or ROOT / "build" / "native" / "tests" / "sim" / "jobpoold-sim")

MESSAGES = {"END_OF_JOB_TIME": 1, "END_OF_PROCESS_TIME": 2, "ACTIVE_PROCESS_LIMIT": 3, "ACTIVE_PROCESS_ZERO": 4, "NEW_PROCESS": 6,
            "EXIT_PROCESS": 7, "ABNORMAL_EXIT_PROCESS": 8, "PROCESS_MEMORY_LIMIT": 9, "JOB_MEMORY_LIMIT": 10, "NOTIFICATION_LIMIT": 11}


# Who clients can be: `machine.client(**ALICE)`.
ADMINISTRATOR = {"user": "SIM\\admin", "admin": True, "elevated": True}
ALICE = {"user": "SIM\\alice"}                       # at the machine
BOB = {"user": "SIM\\bob", "groups": "SIM\\builders"}  # the same, and in a group
SERVICE = {"user": "NT AUTHORITY\\LOCAL SERVICE", "session": 0, "service": True}
NOBODY = {"nobody": True}                           # cannot be identified


class OrderRefused(Exception):
    """What the simulator answered instead of doing it."""

    def __init__(self, answer):
        super().__init__(answer["error"])
        self.answer = answer


class Machine:
    """One simulated Windows, and the service on it. Nothing happens by itself: time passes by advance(), messages come by
    deliver(). `order("burn", pid=..., user100ns=...)` is any order of tests/sim/daemon_orders.c."""

    def __init__(self, config, seed=1, program=PROGRAM):
        # A socket's name is short, and a disk in memory is fast.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="simd-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
        self.config_file = self.folder / "jobpool.json"
        self.log_file = self.folder / "jobpool.log"
        self.write_config(config)
        self.address = None
        self.clients = []
        self.stderr_file = self.folder / "stderr.txt"
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with open(self.stderr_file, "wb") as stderr:
            self.process = subprocess.Popen([program, self.config_file, str(its.fileno()), str(seed)], pass_fds=[its.fileno()],
                                            stdin=subprocess.DEVNULL, stderr=stderr)
        its.close()
        ours.settimeout(PATIENCE_S)
        self._control = ours.makefile("rwb")
        ours.close()

    def write_config(self, config):
        """Database and log lie beside the config. What is old is a matter of the real clock, and what is simulated is always old: so all is
        kept, unless the config says otherwise. Time is moved in leaps, so who has connected may say nothing for hours."""
        beside = {"database": {"file": str(self.folder / "accounting.db"), "flush_interval": "1ms"},
                  "log": {"file": str(self.log_file), "level": "debug"},
                  "retention": {"processes": "0s", "events": "0s", "hours": "0s", "samples": "0s", "audit": "0s"},
                  "quotas": {"first_byte": "1d"}}
        config = config | {key: standard | config.get(key, {}) for key, standard in beside.items()}
        self.config_file.write_text(json.dumps(config, indent=1), encoding="utf-8")

    # ----------------------------------------------------------------------------------------------------------- orders

    def order(self, what, **arguments):
        return self.orders([dict(arguments, do=what)])[0]

    def orders(self, orders):
        """Several at once; the first that is refused raises, the others were carried out all the same."""
        self._control.write(b"".join(json.dumps(order).encode() + b"\n" for order in orders))
        self._control.flush()
        answers = []
        for order in orders:
            line = self._control.readline()
            if not line:
                raise AssertionError(f"the program ended at {order}:\n{self.stderr()}")
            answers.append(json.loads(line))
        for answer in answers:
            if "error" in answer:
                raise OrderRefused(answer)
        return answers

    def start(self):
        self.address = self.order("start")["address"]
        return self

    def stop(self):
        """In order."""
        self.drop_clients()
        self.order("stop")

    def crash(self):
        """The service's process ends from one moment to the next; the machine goes on."""
        self.order("crash")
        self.drop_clients()

    def deliver(self, most=None):
        return self.order("deliver", **({} if most is None else {"most": most}))["messages"]

    def advance(self, ms, deliver=True):
        return self.order("advance", ms=ms, deliver=deliver)["messages"]

    def wakes(self, ms):
        """Passes so much time; says at how many moments of it something was due for the service."""
        return self.order("advance", ms=ms, deliver=True)["wakes"]

    def spawn(self, parent=0, **more):
        return self.order("spawn", parent=parent, **more)["pid"]

    def exit(self, pid, code=0, deliver=True):
        self.order("exit", pid=pid, code=code)
        if deliver:
            self.deliver()

    def job(self, pool):
        """The truth of a pool's job."""
        return self.order("job", name=pool if "\\" in pool else "Global\\JobPool." + pool)

    def fate(self, pid):
        return self.order("fate", pid=pid)["fate"]

    # ---------------------------------------------------------------------------------------------------------- clients

    def client(self, **who):
        """A new connection, by this principal (`user`, `session`, `admin`, `onlyDenies`, `restricted`, `groups`, `service`, `network`,
        `identify`, `nobody`, `pid`), or by an administrator in session 1. See ALICE and the others."""
        self.order("as", **(who or ADMINISTRATOR))
        client = Client(self.address)
        self.clients.append(client)
        return client

    def drop_clients(self):
        for client in self.clients:
            client.close()
        self.clients = []

    # -------------------------------------------------------------------------------------------------------------- end

    def log(self):
        return self.log_file.read_text(encoding="utf-8") if self.log_file.exists() else ""

    def stderr(self):
        return self.stderr_file.read_text(encoding="utf-8", errors="replace") if self.stderr_file.exists() else ""

    def close(self):
        """Ends the program in order: it must leave no handle and no memory behind."""
        self.drop_clients()
        self._control.close()
        code = self.process.wait(PATIENCE_S)
        text = self.stderr()
        shutil.rmtree(self.folder, ignore_errors=True)
        assert code == 0, f"jobpoold-sim ended with {code}:\n{text}"

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE_S)
        shutil.rmtree(self.folder, ignore_errors=True)
