"""Readers of the dashboard's stream, many in one thread: how old frames are when they come, and who is refused."""

from __future__ import annotations

import re
import selectors
import socket
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

REQUEST = "GET /api/v1/stream?topics=fleet,events HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\n\r\n"
FRAME = re.compile(rb'event: fleet\r?\ndata: \{"t":([0-9.]+)')
AGAIN, REFUSED = 1.0, 5.0
"""Seconds after which a browser opens its stream again, as the server asks of it, and after which one that was refused
does."""


@dataclass(slots=True)
class Reader:
    """One stream: the server's status, and when the last frame was made that came (epoch seconds)."""

    sock: socket.socket | None = None
    status: int = 0
    retry_after: bool = False
    newest: float = 0.0
    again: float = 0.0
    _rest: bytes = b""

    def open(self, host: str, port: int) -> socket.socket:
        """Asks for the stream. Raises `OSError`."""
        self.sock = socket.create_connection((host, port), timeout=10)
        self.sock.sendall(REQUEST.format(host=f"{host}:{port}").encode())
        self.sock.setblocking(False)
        self.status, self._rest = 0, b""
        return self.sock

    def take(self, data: bytes, ages: list[float]) -> None:
        """Takes what came, and adds the age of each frame in it, in seconds."""
        now = time.time()
        self._rest += data
        if not self.status and b"\r\n\r\n" in self._rest:
            head, _, self._rest = self._rest.partition(b"\r\n\r\n")
            self.status = int(head.split()[1])
            self.retry_after = b"\r\nretry-after:" in head.lower()
        found = None
        for found in FRAME.finditer(self._rest):
            self.newest = float(found[1])
            ages.append(now - self.newest)
        self._rest = self._rest[found.end() if found else max(0, len(self._rest) - 100) :]

    def close(self) -> None:
        """Hangs up."""
        if self.sock is not None:
            self.sock.close()
            self.sock = None


@dataclass
class Streams:
    """So many readers of one dashboard, which come back when they are hung up on, as browsers do; and, where they are
    `patient`, when they were refused."""

    url: str
    count: int
    patient: bool = True
    ages: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        where = urlsplit(self.url)
        self._host, self._port = str(where.hostname), int(where.port or 80)
        self.readers = [Reader() for _ in range(self.count)]
        self._selector = selectors.DefaultSelector()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Streams:
        for reader in self.readers:
            self._open(reader)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        for reader in self.readers:
            reader.close()
        self._selector.close()

    def _open(self, reader: Reader) -> None:
        try:
            self._selector.register(reader.open(self._host, self._port), selectors.EVENT_READ, reader)
        except OSError:
            reader.close()
            reader.again = time.monotonic() + AGAIN

    def _run(self) -> None:
        while not self._done.is_set():
            for key, _ in self._selector.select(0.1):
                self._read(key.data)
            now = time.monotonic()
            for reader in self.readers:
                if reader.sock is None and now >= reader.again:
                    self._open(reader)

    def _read(self, reader: Reader) -> None:
        assert reader.sock is not None
        try:
            data = reader.sock.recv(1 << 18)
        except OSError:
            data = b""
        if data:
            reader.take(data, self.ages)
        if reader.status == 503 and not self.patient:
            return
        if not data or reader.status == 503:
            self._selector.unregister(reader.sock)
            reader.close()
            reader.again = time.monotonic() + (AGAIN if reader.status != 503 else REFUSED)
