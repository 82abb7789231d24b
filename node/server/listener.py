"""A port of a node: binds TCP and UDP, closes, stops and starts again, and keeps the peers within their limits.

Binding is done here and not by asyncio, so that a port that cannot be had is one clear error, both protocols get the
same number, at every address that the node has, and a farm learns the number the system gave for port 0. The sockets of
broadcasts are opened and closed with the port (`node.server.datagrams`).
"""

import asyncio
import errno
import logging
import socket
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from node.errors import NodeError
from node.exchange.metrics import Metrics
from node.server.acceptor import BACKLOG, Acceptor
from node.server.datagrams import Datagrams, Responder
from node.server.peer import Peer, Peers
from node.server.ticker import Ticker

if TYPE_CHECKING:
    import ssl

    from node.server.doorway import Doorway

log = logging.getLogger(__name__)

FRAME_TIMEOUT = 5.0
"""Seconds from the first byte of a frame to its last."""

_ATTEMPTS = 8

TcpFactory = Callable[[Peers], Peer]
UdpFactory = Callable[[], Responder]


class ListenError(NodeError):
    """A port that cannot be served."""


class Line(Protocol):
    """What a node is reached by beside its port, open as long as the port is."""

    @property
    def path(self) -> str:
        """Where it is, "" while it is not there."""

    @property
    def is_open(self) -> bool:
        """Whether it is served."""

    def hold(self) -> None:
        """Opens it and keeps it open, served or not. Raises `ListenError`."""

    @property
    def owes(self) -> bool:
        """Whether a reply is still to be sent."""

    def open(self) -> None:
        """Serves it. Raises `ListenError`."""

    def retire(self) -> None:
        """Takes no more requests."""

    def close(self) -> None:
        """Serves it no more."""

    def release(self) -> None:
        """Keeps nothing open for a next time."""


class Listener:
    """Serves `host`:`port` ("" is every interface, port 0 any free one) with a `tcp` protocol for each peer, and a
    `udp` responder, and so at the addresses `also`; at those of IPv6 it speaks TCP alone. Where there is a `doorway` it
    serves the (address, port) of `outside` too. Connections speak TLS where there is `tls`. A `line` is open as long as
    the port is. Times in seconds; `idle_timeout` 0 never closes a silent peer.

    One listener counts into one `metrics`. Several listeners of a controller may share its `ticker`.
    """

    def __init__(
        self,
        host: str,
        port: int,
        tcp: TcpFactory | None = None,
        *,
        udp: UdpFactory | None = None,
        also: Sequence[str] = (),
        outside: Sequence[tuple[str, int]] = (),
        metrics: Metrics | None = None,
        max_connections: int = 64,
        frame_timeout: float = FRAME_TIMEOUT,
        idle_timeout: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        ticker: Ticker | None = None,
        tls: "ssl.SSLContext | None" = None,
    ) -> None:
        self.host = host
        self.port = port
        self.metrics = metrics or Metrics()
        self.ticker = ticker or Ticker(clock)
        self.peers = Peers(self.metrics, max_connections, clock, self.ticker.wake)
        self._tcp = tcp
        self._udp = udp
        self._tls = tls
        self.doorway: Doorway | None = None
        self.line: Line | None = None
        self._also = tuple(also)
        self._outside = tuple(outside)
        self._acceptors: list[Acceptor] = []
        self._datagrams: list[Datagrams] = []
        self._refusing = False
        self.ticker.add(lambda now: self.peers.sweep(now, frame_timeout, idle_timeout))

    @property
    def listening(self) -> bool:
        """Whether the port is open."""
        return bool(self._acceptors or self._datagrams or (self.line is not None and self.line.is_open))

    async def open(self) -> None:
        """Binds and serves. Raises `ListenError`. After a `close` it serves the same port again."""
        if self.listening:
            return
        if self.line is not None:
            self.line.open()
        try:
            streams, datagrams = self._bind_all()
        except ListenError:
            if self.line is not None:
                self.line.close()
                self.line.release()
            raise
        self._acceptors = [Acceptor(stream, self._connect, self._tls) for stream in streams]
        self.refuse(self._refusing)
        if self._udp is not None:
            self._datagrams = [Datagrams(datagram, self._udp()) for datagram in datagrams]

    @property
    def owes(self) -> bool:
        """Whether a request was taken that is not answered yet."""
        ways = (*self.peers, *self._datagrams, *((self.line,) if self.line is not None else ()))
        return any(way.owes for way in ways)

    def retire(self) -> None:
        """Takes no more connections and no more requests; those that were taken are answered as long as it is open."""
        for acceptor in self._acceptors:
            acceptor.refuse(True)
        for way in (*self.peers, *self._datagrams):
            way.retire()
        if self.line is not None:
            self.line.retire()

    async def close(self, reset: bool = False) -> None:
        """Closes the port and ends every connection, with a `reset` where that is wanted."""
        acceptors, self._acceptors = self._acceptors, []
        datagrams, self._datagrams = self._datagrams, []
        if self.line is not None:
            self.line.close()
        for datagram in datagrams:
            datagram.close()
        for acceptor in acceptors:
            await acceptor.close()
        if acceptors and reset:
            self.peers.reset()
        elif acceptors:
            self.peers.abort()
        await asyncio.sleep(0)

    def release(self) -> None:
        """Keeps nothing open that a line had for a next time; for one that is closed for good."""
        if self.line is not None:
            self.line.release()

    def refuse(self, refusing: bool) -> None:
        """Has new connections reset, or takes them again; those that are there go on, and so do datagrams."""
        self._refusing = refusing
        for acceptor in self._acceptors:
            acceptor.refuse(refusing)

    def _connect(self) -> Peer:
        assert self._tcp is not None
        return self._tcp(self.peers)

    def _bind_all(self) -> tuple[list[socket.socket], list[socket.socket]]:
        """Streams and datagram sockets of all addresses; none is left open when one of them cannot be had."""
        made: list[socket.socket] = []
        try:
            made += self._bind()
            for host in self._also:
                kinds = [socket.SOCK_STREAM] if self._tcp else []
                kinds += [socket.SOCK_DGRAM] if self._udp and ":" not in host else []
                made += [listening_socket(host, kind, self.port) for kind in kinds]
            if self.doorway is not None:
                made += self._hand_in(self.doorway)
        except ListenError:
            for sock in made:
                sock.close()
            raise
        streams = [sock for sock in made if sock.type == socket.SOCK_STREAM]
        return streams, [sock for sock in made if sock.type == socket.SOCK_DGRAM]

    def _hand_in(self, doorway: "Doorway") -> list[socket.socket]:
        """Sockets of the machine outside; none when nobody stands there any more, which the log says."""
        kinds = [socket.SOCK_STREAM] if self._tcp else []
        kinds += [socket.SOCK_DGRAM] if self._udp else []
        made: list[socket.socket] = []
        for host, port in self._outside:
            for kind in kinds:
                try:
                    made.append(_ready(doorway.open(host, port, kind)))
                except ConnectionError as exc:
                    log.warning("%s:%d of the machine is not served: %s", host, port, exc)
                except OSError as exc:
                    for sock in made:
                        sock.close()
                    raise ListenError(f"{host}:{port} of the machine: {exc}") from exc
        return made

    def _bind(self) -> list[socket.socket]:
        """Those of its first address, which have one number."""
        for attempt in range(_ATTEMPTS):
            made = [listening_socket(self.host, socket.SOCK_STREAM, self.port)] if self._tcp else []
            port = made[0].getsockname()[1] if made else self.port
            try:
                made += [listening_socket(self.host, socket.SOCK_DGRAM, port)] if self._udp else []
            except ListenError:
                for sock in made:
                    sock.close()
                if self.port or attempt == _ATTEMPTS - 1:
                    raise
                continue
            self.port = made[-1].getsockname()[1] if made else port
            return made
        raise ListenError(f"{self.host}: no port is free for both TCP and UDP")


def listening_socket(host: str, kind: socket.SocketKind, port: int) -> socket.socket:
    """A socket at an address, "" for every interface, that listens if its `kind` can. Raises `ListenError`, which says
    what to do."""
    host = host or "0.0.0.0"
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, kind)
    try:
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        return _ready(sock)
    except OSError as exc:
        sock.close()
        raise ListenError(_explain(host, port, kind, exc)) from exc


def _ready(sock: socket.socket) -> socket.socket:
    if sock.type == socket.SOCK_STREAM:
        sock.listen(BACKLOG)
    sock.setblocking(False)
    return sock


def _explain(host: str, port: int, kind: socket.SocketKind, exc: OSError) -> str:
    protocol = "TCP" if kind == socket.SOCK_STREAM else "UDP"
    where = f"{host}:{port}"
    if exc.errno == errno.EADDRINUSE:
        return f"{where}: address in use: another program serves this {protocol} port; `ss -lnp` shows which"
    if exc.errno == errno.EACCES:
        return f"{where}: permission denied: use a port from 1024 up, or lower net.ipv4.ip_unprivileged_port_start"
    if exc.errno == errno.EADDRNOTAVAIL:
        return f"{where}: this machine has no such address: use one of 127.0.0.0/8, or add it to an interface"
    return f"{where}: {protocol} port cannot be opened: {exc.strerror or exc}"
