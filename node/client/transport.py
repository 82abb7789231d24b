"""Sockets for EtherNet/IP that wait, and keep to one instant by which everything must have come.

A `deadline` is an instant of `time.monotonic`, None for never. It holds for a whole answer, however slowly its bytes
trickle in. A transport that times out while it receives can be used on; one that fails otherwise is closed.
"""

import contextlib
import select
import socket
import struct
import sys
from math import ceil
from time import monotonic

from node.client.failure import ConnectionLost, NoAnswer, TimedOut, no_answer
from node.enip.framing import MAX_FRAME

Peer = tuple[str, int]

CHUNK = 1 << 14
"""Bytes taken at once: several replies. Room for more costs more than taking twice."""

READ, WRITE = 1, 4
"""What is waited for: POLLIN and POLLOUT."""

IN_KERNEL = sys.platform == "linux"
"""Whether the system is trusted to wait within `recv`: a call less for each answer, a tenth of what it costs."""

_AT_ONCE = socket.MSG_DONTWAIT if IN_KERNEL else 0
_TIMEVAL = struct.Struct("@ll")
_LONGEST = 1e6
_SLACK = 0.002
"""Seconds that an answer may be later than its deadline, so that the system need not be told anew each time."""


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
        """Whether something, or the end, has come before `deadline`; one that has been asks for what is there."""
        return self._ready(self._open(), READ, None if deadline is None else max(deadline - monotonic(), 0.0))

    def too_late(self) -> TimedOut:
        """What is raised when the time is over."""
        within = "in time" if self.timeout is None else f"within {self.timeout:g} s"
        return TimedOut(self.host, self.port, f"no answer {within}")

    def _keep(self, opened: socket.socket) -> None:
        """Waits for `opened` from now on. Python waits before each call of a socket with a time-out: this one does when
        there is need."""
        opened.setblocking(False)
        self._socket = opened
        self._polls: dict[int, select.poll] = {}
        if hasattr(select, "poll"):
            for event in (READ, WRITE):
                self._polls[event] = select.poll()
                self._polls[event].register(opened, event)

    def _open(self) -> socket.socket:
        if self._socket is None:
            raise ConnectionLost(self.host, self.port, "the connection is closed")
        return self._socket

    def _ready(self, opened: socket.socket, event: int, left: float | None) -> bool:
        """Whether it is within `left` seconds."""
        poll = self._polls.get(event)
        if poll is not None:
            return bool(poll.poll(None if left is None else ceil(left * 1000)))
        wanted = [opened]
        return any(select.select(wanted if event == READ else [], wanted if event == WRITE else [], [], left))

    def _await(self, opened: socket.socket, event: int, deadline: float | None) -> None:
        """Raises `TimedOut` when `deadline` comes first, or has been, though there be something: it might never end."""
        if deadline is None:
            self._ready(opened, event, None)
            return
        left = deadline - monotonic()
        if left <= 0.0 or not self._ready(opened, event, left):
            raise self.too_late()

    def _failed(self, exc: OSError) -> NoAnswer:
        self.close()
        if isinstance(exc, TimeoutError) and exc.errno is None:
            return self.too_late()
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
            source = (source_address, 0) if source_address else None
            opened = socket.create_connection((_looked_up(host), port), left, source)  # type: ignore[arg-type]
        except UnicodeError as exc:
            raise self._failed(_no_name(exc)) from exc
        except OSError as exc:
            raise self._failed(exc) from exc
        self._keep(opened)
        self._patience = 0.0
        try:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            name = opened.getpeername()
        except OSError as exc:
            raise self._failed(exc) from exc
        self.peer: Peer = (name[0], name[1])

    def send(self, data: bytes, deadline: float | None) -> None:
        """Sends all of `data`. After a `TimedOut` the connection is closed: half a frame may have gone."""
        opened = self._open()
        while True:
            try:
                sent = opened.send(data, _AT_ONCE)
            except BlockingIOError:
                sent = 0
            except OSError as exc:
                raise self._failed(exc) from exc
            if sent == len(data):
                return
            data = data[sent:]
            try:
                self._await(opened, WRITE, deadline)
            except TimedOut:
                self.close()
                raise

    def receive(self, deadline: float | None) -> bytes:
        """Some bytes. Raises `TimedOut`, and `ConnectionLost` at the end."""
        opened = self._open()
        while True:
            if not IN_KERNEL or deadline is None or not self._waits(opened, deadline - monotonic()):
                self._await(opened, READ, deadline)
            try:
                data = opened.recv(CHUNK)
                break
            except BlockingIOError:  # late, or nothing after all
                continue
            except OSError as exc:
                raise self._failed(exc) from exc
        if not data:
            self.close()
            raise ConnectionLost(self.host, self.port, "connection closed by the controller")
        return data

    def _waits(self, opened: socket.socket, left: float) -> bool:
        """Whether `recv` itself waits for `left` seconds and hardly longer: it has been told so for the first bytes of
        an answer, which have the whole of the time that each call has. What comes in pieces has less and less."""
        if 0.0 <= self._patience - left < _SLACK:
            return True
        timeout = self.timeout
        if timeout is None or not 0.0 <= timeout - left < _SLACK or not _SLACK < timeout < _LONGEST:
            return False
        try:
            span = _TIMEVAL.pack(*divmod(int(timeout * 1e6), 1_000_000))
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, span)
            opened.setblocking(True)
        except OSError:
            return False
        self._patience = timeout
        return True


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
            family, _, _, _, address = socket.getaddrinfo(_looked_up(host), port, type=socket.SOCK_DGRAM)[0]
            opened = socket.socket(family, socket.SOCK_DGRAM)
        except UnicodeError as exc:
            raise self._failed(_no_name(exc)) from exc
        except OSError as exc:
            raise self._failed(exc) from exc
        self._keep(opened)
        self._address = address
        try:
            if source_address:
                opened.bind((source_address, 0))
            if broadcast:
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            else:
                opened.connect(address)
        except OSError as exc:
            raise self._failed(exc) from exc
        self._connected = not broadcast
        self.peer: Peer = (str(address[0]), int(address[1]))

    def send(self, data: bytes, deadline: float | None) -> None:
        """Sends one datagram."""
        opened = self._open()
        try:
            self._await(opened, WRITE, deadline)
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
            self._await(opened, READ, deadline)
            try:
                data, sender = opened.recvfrom(MAX_FRAME)
                break
            except BlockingIOError:
                continue
            except OSError as exc:
                raise self._failed(exc) from exc
        return data, (str(sender[0]), int(sender[1]))


def discard(transport: TcpTransport | UdpTransport, farewell: bytes = b"") -> None:
    """Says `farewell` if it can be said at once, and closes."""
    with contextlib.suppress(NoAnswer):
        if farewell and not transport.closed:
            transport.send(farewell, deadline_after(0.2))
    transport.close()


def _looked_up(host: str) -> str | bytes:
    """A host as it is looked up. Of a text Python makes a name by IDNA, which it has to import first, though it be an
    address."""
    return host.encode() if host.isascii() and host.isprintable() else host


def _no_name(exc: UnicodeError) -> OSError:
    """A host such as `a..b` is no name that could be looked up; Python says so in another way."""
    return socket.gaierror(socket.EAI_NONAME, f"no name of a host: {exc}")
