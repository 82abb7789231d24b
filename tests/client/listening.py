"""A server for tests of clients: blocking sockets in threads of its own, one for each connection."""

from __future__ import annotations

import socket
import threading
from abc import ABC, abstractmethod
from contextlib import suppress


class Listening(ABC):
    """Listens at `host`, on a `port` of the system's choice, from the moment that it is made."""

    def __init__(self, host: str) -> None:
        self._listener = socket.create_server((host, 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._speakers: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    @abstractmethod
    def speak(self, connection: socket.socket) -> None:
        """All that is said on a connection; an `OSError` ends it."""

    def close(self) -> None:
        """Ends it and every connection."""
        self._listener.shutdown(socket.SHUT_RDWR)  # which ends `accept`
        self._listener.close()
        self._acceptor.join(5)
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._speakers:
            thread.join(5)
        for connection in self._open:
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open.append(connection)
            self._speakers.append(threading.Thread(target=self._run, args=(connection,), daemon=True))
            self._speakers[-1].start()

    def _run(self, connection: socket.socket) -> None:
        with suppress(OSError):
            self.speak(connection)
