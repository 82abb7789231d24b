"""The farm's end of the control socket, for tests: takes every shard that dials and keeps what it says."""

import contextlib
import os
import selectors
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from node.control.messages import ANSWER, COMMAND, FAILED, HELLO, READY, TELEMETRY, Message, decode, encode

PATIENCE = 20.0


class FarmEnd:
    """Listens on `path` in a thread of its own. `hellos` by shard, `ready` and `failed` by node, all as last heard."""

    def __init__(self, path: Path) -> None:
        self.hellos: dict[str, Message] = {}
        self.ready: dict[str, Message] = {}
        self.failed: dict[str, str] = {}
        self.telemetry: dict[str, Message] = {}
        """The last report of each node that told anything new."""
        self.reports: Counter[str] = Counter()
        """How often each node has reported."""
        self._answers: dict[int, Message] = {}
        self._streams: dict[str, socket.socket] = {}
        self._changed = threading.Condition()
        self._selector = selectors.DefaultSelector()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(os.fspath(path))
        path.chmod(0o666)  # as the farm's own: shards may be users of their own
        self._listener.listen(1024)
        self._bell, self._ringer = socket.socketpair()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._bell, selectors.EVENT_READ)
        self._pending: dict[socket.socket, bytes] = {}
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def wait_for(self, condition: Callable[[], object], patience: float = PATIENCE) -> None:
        """Until `condition` holds, looked at after each message. Fails the test after `patience` seconds."""
        with self._changed:
            heard = f"ready {sorted(self.ready)}, failed {self.failed}"
            assert self._changed.wait_for(condition, patience), f"not within {patience} s; {heard}"

    def ask(self, node: str, path: str, value: Any = None, shard: str | None = None) -> Message:
        """The answer to a command."""
        number = len(self._answers) + 1
        self._answers[number] = {}
        command = {"type": COMMAND, "id": number, "node": node, "path": path, "value": value}
        self._streams[shard or node].sendall(encode(command))
        self.wait_for(lambda: self._answers[number])
        return self._answers[number]

    def tell(self, shard: str, message: Message) -> None:
        """Say something that is not answered."""
        self._streams[shard].sendall(encode(message))

    def close(self) -> None:
        """Hang up on all; may be said twice."""
        if not self._thread.is_alive():
            return
        self._ringer.send(b".")
        self._thread.join()
        for held in [self._listener, self._bell, self._ringer, *self._pending]:
            held.close()
        self._selector.close()

    def _serve(self) -> None:
        while True:
            for key, _ in self._selector.select():
                found = key.fileobj
                if found is self._bell:
                    return
                if found is self._listener:
                    stream, _ = self._listener.accept()
                    self._pending[stream] = b""
                    self._selector.register(stream, selectors.EVENT_READ)
                else:
                    assert isinstance(found, socket.socket)
                    self._read(found)

    def _read(self, stream: socket.socket) -> None:
        try:
            data = stream.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            self._selector.unregister(stream)
            del self._pending[stream]
            stream.close()
            return
        *lines, self._pending[stream] = (self._pending[stream] + data).split(b"\n")
        with self._changed:
            for line in lines:
                self._take(stream, decode(line))
            self._changed.notify_all()

    def _take(self, stream: socket.socket, message: Message) -> None:
        kind = message["type"]
        if kind == HELLO:
            self.hellos[message["shard"]] = message
            self._streams[message["shard"]] = stream
        elif kind == READY:
            self.ready[message["node"]] = message["ports"]
            self.failed.pop(message["node"], None)
        elif kind == FAILED:
            self.failed[message["node"]] = message["error"]
            self.ready.pop(message["node"], None)
        elif kind == TELEMETRY:
            self.reports.update(message["nodes"].keys())
            self.telemetry.update({name: report for name, report in message["nodes"].items() if report is not None})
        elif kind == ANSWER:
            self._answers[message["id"]] = message


@contextlib.contextmanager
def farm_end(path: Path) -> Iterator[FarmEnd]:
    """A `FarmEnd` that is closed in the end."""
    end = FarmEnd(path)
    try:
        yield end
    finally:
        end.close()
