"""A connection to the service's pipe, from outside Windows' pipe world: `jobpool rpc --stdio` on two pipes of ours."""
import json
import queue
import subprocess
import sys
import threading
import time

from .answers import Answers
from .host import PATIENCE_S, WINDOWS

ERROR_INTERNAL = 1359  # what Wine's CreateProcess fails with, once in thousands, where ./dev may not fix the layout of memory; nothing of ours


class RpcError(Exception):
    """An error that the service answered."""

    def __init__(self, error):
        super().__init__(f"{error['code']}: {error['message']}")
        self.code = error["code"]
        self.message = error["message"]
        self.data = error.get("data") or {}
        self.name = self.data.get("name")


class Calls:
    """What is the same over every connection that has begin() and finish()."""

    def call(self, method, **params):
        return self.finish(self.begin(method, **params))

    def error(self, method, **params):
        """The error that a call must give."""
        try:
            result = self.call(method, **params)
        except RpcError as error:
            return error
        raise AssertionError(f"{method} {params} succeeded: {result}")


class Bridge(Calls):
    def __init__(self, host, pipe="jobpool"):
        self.process = host.start("jobpool", "rpc", "--stdio", "--pipe", pipe, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE)
        self._messages = queue.Queue()
        self._answers = {}
        self._described = Answers()
        self._launches = {}  # parameters, by request
        self._last_id = 0
        self.unmade = 0  # launches that Wine failed at: the kernel may have told of a process all the same
        self.events = []  # notifications that came and were not asked for yet
        self._stderr = b""
        self._readers = [threading.Thread(target=target, daemon=True) for target in (self._read_lines, self._read_stderr)]
        for reader in self._readers:
            reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def _read_lines(self):
        for line in self.process.stdout:
            self._messages.put(json.loads(line))
        self._messages.put(None)

    def _read_stderr(self):
        self._stderr = self.process.stderr.read()

    # ------------------------------------------------------------------------------------------------------ raw traffic

    def send_bytes(self, data):
        self._described.sent_text(data)
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, message):
        """Sends any JSON as one line."""
        self.send_bytes(json.dumps(message).encode() + b"\n")

    def receive(self, timeout=PATIENCE_S):
        """The next message of whatever kind; None once the connection is closed."""
        try:
            message = self._messages.get(timeout=timeout)
        except queue.Empty:
            raise TimeoutError(f"no message in {timeout} s") from None
        if message is None:
            self._messages.put(None)  # the end stays the end
        else:
            self._described.came(message)
        return message

    def ask(self, line, timeout=PATIENCE_S):
        """Sends a line as it is and returns the next message that is no notification."""
        self.send_bytes(line if isinstance(line, bytes) else line.encode() + b"\n")
        return self._next_answer(timeout)

    def _next_answer(self, timeout):
        deadline = time.monotonic() + timeout
        while True:
            message = self.receive(max(0.0, deadline - time.monotonic()))
            if isinstance(message, dict) and message.get("method") == "event":
                self.events.append(message["params"])
                continue
            return message

    # ------------------------------------------------------------------------------------------------------------ calls

    def begin(self, method, **params):
        """Sends a request and returns its id, for finish()."""
        self._last_id += 1
        self.send({"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params})
        if method == "pool.launch":
            self._launches[self._last_id] = params
        return self._last_id

    def finish(self, request_id, patience=PATIENCE_S):
        deadline = time.monotonic() + patience
        while request_id not in self._answers:
            message = self._next_answer(max(0.0, deadline - time.monotonic()))
            if message is None:
                raise self._closed()
            self._answers[message["id"]] = message
        answer = self._answers.pop(request_id)
        launch = self._launches.pop(request_id, None)
        if "error" in answer:
            if launch and not WINDOWS and answer["error"].get("data", {}).get("win32") == ERROR_INTERNAL:
                print("Wine could not make a process (ERROR_INTERNAL_ERROR); asked again", file=sys.stderr)
                self.unmade += 1
                return self.call("pool.launch", **launch)
            raise RpcError(answer["error"])
        return answer["result"]

    def _closed(self):
        self._readers[1].join(PATIENCE_S)
        return ConnectionError("the connection was closed: " + self._stderr.decode("utf-8", "replace"))

    def event(self, wanted, timeout=PATIENCE_S):
        """Takes the first event, of those that came and those to come, for which wanted(event) holds."""
        deadline = time.monotonic() + timeout
        seen = 0
        while True:
            for index in range(seen, len(self.events)):
                if wanted(self.events[index]):
                    return self.events.pop(index)
            seen = len(self.events)
            message = self.receive(max(0.0, deadline - time.monotonic()))
            if message is None:
                raise self._closed()
            if message.get("method") == "event":
                self.events.append(message["params"])
            else:
                self._answers[message["id"]] = message

    # -------------------------------------------------------------------------------------------------------------- end

    def close(self, timeout=PATIENCE_S):
        """Ends the input, lets the last answers arrive, and returns (exit code, messages that were left, standard error)."""
        if not self.process.stdin.closed:
            self.process.stdin.close()
        code = self.process.wait(timeout)
        for reader in self._readers:
            reader.join(timeout)
        left = []
        while (message := self.receive(timeout)) is not None:
            left.append(message)
        return code, left, self._stderr.decode("utf-8", "replace")

    def kill(self):
        """The client is gone, from one moment to the next."""
        self.process.kill()
        self.process.wait(PATIENCE_S)
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass  # bytes that nobody will read
