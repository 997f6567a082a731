"""A connection to the daemon over a Unix socket: what Bridge is over the pipe, without a program in between."""
import json
import socket
import time

from .answers import Answers
from .bridge import Calls, RpcError
from .host import PATIENCE_S


class Client(Calls):
    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(str(address))
        self._buffer = b""
        self._answers = {}
        self._described = Answers()
        self._last_id = 0
        self.events = []  # notifications that came and were not asked for yet

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    # ------------------------------------------------------------------------------------------------------ raw traffic

    def send(self, *messages):
        """Sends any JSON, each as one line, all at once."""
        for message in messages:
            self._described.sent(message)
        self.socket.sendall(b"".join(json.dumps(message).encode() + b"\n" for message in messages))

    def receive(self, timeout=PATIENCE_S):
        """The next message of whatever kind; None once the connection is closed."""
        while b"\n" not in self._buffer:
            self.socket.settimeout(timeout)
            try:
                more = self.socket.recv(1 << 16)
            except ConnectionResetError:
                more = b""
            if not more:
                return None
            self._buffer += more
        line, self._buffer = self._buffer.split(b"\n", 1)
        message = json.loads(line.decode())  # strictly: of bytes it takes lone surrogates, too
        self._described.came(message)
        return message

    def take(self, timeout=PATIENCE_S):
        """Puts the next message where it belongs."""
        message = self.receive(timeout)
        if message is None:
            raise ConnectionError("the connection was closed")
        if message.get("method") == "event":
            self.events.append(message["params"])
        else:
            self._answers[message["id"]] = message

    # ------------------------------------------------------------------------------------------------------------ calls

    def begin(self, method, **params):
        """Sends a request and returns its id, for finish()."""
        self._last_id += 1
        self.send({"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params})
        return self._last_id

    def finish(self, request_id, patience=PATIENCE_S):
        while request_id not in self._answers:
            self.take(patience)
        answer = self._answers.pop(request_id)
        if "error" in answer:
            raise RpcError(answer["error"])
        return answer["result"]

    def event(self, wanted, timeout=PATIENCE_S):
        """Takes the first event, of those that came and those to come, for which wanted(event) holds."""
        deadline = time.monotonic() + timeout
        seen = 0
        while True:
            for index in range(seen, len(self.events)):
                if wanted(self.events[index]):
                    return self.events.pop(index)
            seen = len(self.events)
            self.take(max(0.01, deadline - time.monotonic()))
