"""A terminal: a Windows program of ours whose console is drawn on a screen that tests can read. Under Wine a program whose standard streams
are a Unix terminal gets a console that draws on it."""
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time

import pyte

from .host import PATIENCE_S

KEYS = {"up": "\x1b[A", "down": "\x1b[B", "end": "\x1b[F", "home": "\x1b[H", "enter": "\r", "escape": "\x1b", "backspace": "\x7f", "ctrl-c": "\x03"}


class Terminal:
    """`program` at work on a screen of its own. Close it, or use it in a with statement."""

    def __init__(self, host, program, *arguments, columns=100, lines=30, environment=None, **options):
        self.screen = pyte.Screen(columns, lines)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        environment = {"TERM": "xterm-256color"} | (environment or {})
        # A session of its own, with this terminal: then Ctrl-C is what it is to people.
        self.process = host.start(program, *arguments, environment=environment, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                  preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0), **options)
        os.close(slave)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE_S)
        if self.master is not None:
            os.close(self.master)
            self.master = None

    def _read(self, timeout):
        """Draws what the program has written; False at its end."""
        if not select.select([self.master], [], [], timeout)[0]:
            return True
        try:
            data = os.read(self.master, 65536)
        except OSError:  # Linux says so when nobody has the other side any more
            return False
        self.raw += data
        self.stream.feed(data)
        return bool(data)

    def lines(self):
        return [line.rstrip() for line in self.screen.display]

    def text(self):
        return "\n".join(self.lines())

    def wait_for(self, condition, what=None, timeout=PATIENCE_S):
        """Draws until `condition` is true of this terminal, or is on the screen if it is a text. Returns what it gave."""
        deadline = time.monotonic() + timeout
        open_still = True
        while True:
            value = condition in self.text() if isinstance(condition, str) else condition(self)
            if value:
                return value
            if time.monotonic() > deadline or not open_still:
                raise TimeoutError(f"waited in vain for {what or condition!r} (exit code {self.process.poll()}, {len(self.raw)} bytes came); "
                                   f"the screen:\n{self.text()}")
            open_still = self._read(0.05)

    def press(self, *keys):
        """Each a name of KEYS, or text as it is."""
        for key in keys:
            os.write(self.master, KEYS.get(key, key).encode())

    def finish(self, timeout=PATIENCE_S):
        """Draws until the program has ended; its exit code."""
        deadline = time.monotonic() + timeout
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the program does not end; the screen:\n{self.text()}")
            self._read(0.05)
        while select.select([self.master], [], [], 0)[0] and self._read(0):
            pass
        return self.process.returncode
