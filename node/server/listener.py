"""A port of a node: binds TCP and UDP, closes, stops and starts again, and keeps the peers within their limits.

Binding is done here and not by asyncio, so that a port that cannot be had is one clear error, both protocols get the
same number, and a farm learns the number the system gave for port 0. The sockets of broadcasts are opened and closed
with the port (`node.server.datagrams`).
"""

import asyncio
import errno
import socket
import time
from collections.abc import Callable

from node.errors import NodeError
from node.exchange.metrics import Metrics
from node.server.acceptor import Acceptor
from node.server.datagrams import Datagrams, Responder
from node.server.peer import Peer, Peers
from node.server.ticker import Ticker

BACKLOG = 1024
FRAME_TIMEOUT = 5.0
"""Seconds from the first byte of a frame to its last."""

_ATTEMPTS = 8

TcpFactory = Callable[[Peers], Peer]
UdpFactory = Callable[[], Responder]


class ListenError(NodeError):
    """A port that cannot be served."""


class Listener:
    """Serves `host`:`port` ("" is every interface, port 0 any free one) with a `tcp` protocol for each peer, and a
    `udp` responder. Times in seconds; `idle_timeout` 0 never closes a silent peer.

    One listener counts into one `metrics`. Several listeners of a controller may share its `ticker`.
    """

    def __init__(
        self,
        host: str,
        port: int,
        tcp: TcpFactory | None = None,
        *,
        udp: UdpFactory | None = None,
        metrics: Metrics | None = None,
        max_connections: int = 64,
        frame_timeout: float = FRAME_TIMEOUT,
        idle_timeout: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        ticker: Ticker | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self.metrics = metrics or Metrics()
        self.ticker = ticker or Ticker(clock)
        self.peers = Peers(self.metrics, max_connections, clock, self.ticker.wake)
        self._tcp = tcp
        self._udp = udp
        self._acceptor: Acceptor | None = None
        self._datagrams: Datagrams | None = None
        self.ticker.add(lambda now: self.peers.sweep(now, frame_timeout, idle_timeout))

    @property
    def listening(self) -> bool:
        """Whether the port is open."""
        return self._acceptor is not None or self._datagrams is not None

    async def open(self) -> None:
        """Binds and serves. Raises `ListenError`. After a `close` it serves the same port again."""
        if self.listening:
            return
        stream, datagram = self._bind()
        if stream is not None:
            self._acceptor = Acceptor(stream, self._connect)
        if datagram is not None and self._udp is not None:
            self._datagrams = Datagrams(datagram, self._udp())

    async def close(self) -> None:
        """Closes the port and ends every connection."""
        acceptor, self._acceptor = self._acceptor, None
        datagrams, self._datagrams = self._datagrams, None
        if datagrams is not None:
            datagrams.close()
        if acceptor is not None:
            await acceptor.close()
            self.peers.abort()
        await asyncio.sleep(0)

    def _connect(self) -> Peer:
        assert self._tcp is not None
        return self._tcp(self.peers)

    def _bind(self) -> tuple[socket.socket | None, socket.socket | None]:
        for attempt in range(_ATTEMPTS):
            stream = self._socket(socket.SOCK_STREAM, self.port) if self._tcp else None
            port = stream.getsockname()[1] if stream else self.port
            try:
                datagram = self._socket(socket.SOCK_DGRAM, port) if self._udp else None
            except ListenError:
                if stream is not None:
                    stream.close()
                if self.port or attempt == _ATTEMPTS - 1:
                    raise
                continue
            self.port = datagram.getsockname()[1] if datagram else port
            return stream, datagram
        raise ListenError(f"{self.host}: no port is free for both TCP and UDP")

    def _socket(self, kind: socket.SocketKind, port: int) -> socket.socket:
        host = self.host or "0.0.0.0"
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.socket(family, kind)
        try:
            if kind == socket.SOCK_STREAM:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((host, port))
            if kind == socket.SOCK_STREAM:
                sock.listen(BACKLOG)
            sock.setblocking(False)
        except OSError as exc:
            sock.close()
            raise ListenError(_explain(host, port, kind, exc)) from exc
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
