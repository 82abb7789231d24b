"""Blocking sockets for EtherNet/IP, which keep to one instant by which everything must have come.

A `deadline` is an instant of `time.monotonic`, None for never. It holds for a whole answer, however slowly its bytes
trickle in. A transport that times out can be used on; one that fails otherwise is closed.
"""

import contextlib
import select
import socket
from time import monotonic

from node.client.failure import ConnectionLost, NoAnswer, TimedOut, no_answer
from node.enip.framing import MAX_FRAME

Peer = tuple[str, int]

CHUNK = 1 << 17
"""Bytes taken at once: two of the largest frames."""

AHEAD, ENOUGH = 0.9, 0.5
"""Of the time that is left, what a socket is given, and the least that it may have been given before."""

SHORT = 0.01
"""Seconds that it is given whole."""


def deadline_after(timeout: float | None) -> float | None:
    """The instant `timeout` seconds from now, None when that is None."""
    return None if timeout is None else monotonic() + timeout


class _Socket:
    """What both have in common: `timeout` is what `TimedOut` says there was."""

    def __init__(self, host: str, port: int, timeout: float | None) -> None:
        self.host = host
        self.port = port
        self.timeout = timeout
        self._socket: socket.socket | None = None
        self._patience: float | None = None

    @property
    def closed(self) -> bool:
        """Whether it is of no more use."""
        return self._socket is None

    def close(self) -> None:
        """Closes it; does nothing when it is."""
        opened, self._socket = self._socket, None
        if opened is not None:
            opened.close()

    def readable(self, deadline: float | None) -> bool:
        """Whether something, or the end, has come before `deadline`."""
        opened = self._open()
        while True:
            left = None if deadline is None else max(deadline - monotonic(), 0.0)
            if select.select([opened], [], [], left)[0]:
                return True
            if left is not None and left <= 0.0:
                return False

    def _open(self) -> socket.socket:
        if self._socket is None:
            raise ConnectionLost(self.host, self.port, "the connection is closed")
        return self._socket

    def _until(self, opened: socket.socket, deadline: float | None) -> None:
        """Has the next call end at `deadline` or somewhat before. Raises `TimedOut` when that has been.

        Setting a socket's time takes longer than all else here, so one that is not much too short stays.
        """
        patience = self._patience
        if deadline is None:
            if patience is not None:
                opened.settimeout(None)
                self._patience = None
            return
        left = deadline - monotonic()
        if left <= 0.0:
            raise self.too_late()
        if patience is None or not ENOUGH * left <= patience <= left:
            self._patience = left if left < SHORT else AHEAD * left
            opened.settimeout(self._patience)

    def too_late(self) -> TimedOut:
        """What is raised when the time is over."""
        within = "in time" if self.timeout is None else f"within {self.timeout:g} s"
        return TimedOut(self.host, self.port, f"no answer {within}")

    def _failed(self, exc: OSError) -> NoAnswer:
        if isinstance(exc, TimeoutError) and exc.errno is None:
            return self.too_late()
        self.close()
        return no_answer(self.host, self.port, exc, None)


class TcpTransport(_Socket):
    """A TCP connection to `host`:`port`, made at once. Raises `NoAnswer` of its kind."""

    def __init__(
        self,
        host: str,
        port: int,
        timeout: float | None,
        deadline: float | None,
        source_address: str | None = None,
    ) -> None:
        super().__init__(host, port, timeout)
        left = None if deadline is None else max(deadline - monotonic(), 0.001)
        try:
            opened = socket.create_connection((host, port), left, (source_address, 0) if source_address else None)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as exc:
            raise self._failed(exc) from exc
        self._socket = opened
        self._patience = left
        name = opened.getpeername()
        self.peer: Peer = (name[0], name[1])

    def send(self, data: bytes, deadline: float | None) -> None:
        """Sends all of `data`. After a `TimedOut` the connection is closed: half a frame may have gone."""
        opened = self._open()
        try:
            self._until(opened, deadline)
            opened.sendall(data)
        except OSError as exc:
            failure = self._failed(exc)
            self.close()
            raise failure from exc

    def receive(self, deadline: float | None) -> bytes:
        """Some bytes. Raises `TimedOut`, and `ConnectionLost` at the end."""
        opened = self._open()
        while True:
            self._until(opened, deadline)
            try:
                data = opened.recv(CHUNK)
                break
            except TimeoutError as exc:
                if exc.errno is not None:
                    raise self._failed(exc) from exc
            except OSError as exc:
                raise self._failed(exc) from exc
        if not data:
            self.close()
            raise ConnectionLost(self.host, self.port, "connection closed by the controller")
        return data


class UdpTransport(_Socket):
    """A UDP socket for `host`:`port`. With `broadcast` anybody may answer, else only who was asked."""

    def __init__(
        self,
        host: str,
        port: int,
        timeout: float | None,
        broadcast: bool = False,
        source_address: str | None = None,
    ) -> None:
        super().__init__(host, port, timeout)
        try:
            family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
            opened = socket.socket(family, socket.SOCK_DGRAM)
        except OSError as exc:
            raise self._failed(exc) from exc
        self._socket = opened
        self._address = address
        try:
            if source_address:
                opened.bind((source_address, 0))
            if broadcast:
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            else:
                opened.connect(address)
        except OSError as exc:
            self.close()
            raise self._failed(exc) from exc
        self._connected = not broadcast
        self.peer: Peer = (str(address[0]), int(address[1]))

    def send(self, data: bytes, deadline: float | None) -> None:
        """Sends one datagram."""
        opened = self._open()
        try:
            self._until(opened, deadline)
            if self._connected:
                opened.send(data)
            else:
                opened.sendto(data, self._address)
        except OSError as exc:
            raise self._failed(exc) from exc

    def receive(self, deadline: float | None) -> tuple[bytes, Peer]:
        """One datagram, and who sent it. Raises `TimedOut`; `Refused` when the asked machine says so."""
        opened = self._open()
        while True:
            self._until(opened, deadline)
            try:
                data, sender = opened.recvfrom(MAX_FRAME)
                break
            except TimeoutError as exc:
                if exc.errno is not None:
                    raise self._failed(exc) from exc
            except OSError as exc:
                raise self._failed(exc) from exc
        return data, (str(sender[0]), int(sender[1]))


def discard(transport: TcpTransport | UdpTransport, farewell: bytes = b"") -> None:
    """Says `farewell` if it can be said at once, and closes."""
    with contextlib.suppress(NoAnswer):
        if farewell and not transport.closed:
            transport.send(farewell, deadline_after(0.2))
    transport.close()
