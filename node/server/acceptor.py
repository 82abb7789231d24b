"""Takes connections from a listening socket, and waits quietly while there are no descriptors for more.

asyncio's own server tries again for every place of its backlog when descriptors run out, and logs each try: a thousand
tracebacks, while those who are connected wait.
"""

import asyncio
import contextlib
import errno
import logging
import socket
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from node.server.loop import NodeLoop
from node.server.stream import Stream

if TYPE_CHECKING:
    import ssl

BACKLOG = 1024
"""Connections that wait to be taken."""
RESETTING = struct.pack("ii", 1, 0)
"""Closing does not wait, and says so by a reset (socket(7), SO_LINGER)."""
PAUSE = 1.0
"""Seconds until it is tried again."""

HANDSHAKE = 5.0
"""Seconds in which who connects must have come to terms about TLS."""

_EXHAUSTED = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))

log = logging.getLogger(__name__)


class Acceptor:
    """Has `connect` make a protocol for each connection that comes in at `sock`, which it owns from now on; inside TLS
    where there is `tls`."""

    def __init__(
        self, sock: socket.socket, connect: Callable[[], asyncio.Protocol], tls: "ssl.SSLContext | None" = None
    ) -> None:
        self._sock = sock
        self._tls = tls
        self._connect = connect
        self._loop = asyncio.get_running_loop()
        self._joining: set[asyncio.Task[None]] = set()
        self._pause: asyncio.TimerHandle | None = None
        self._exhausted = False
        self._refusing = False
        self._loop.add_reader(sock, self._accept)

    def refuse(self, refusing: bool) -> None:
        """Has the system answer who connects with a reset from now on, or takes connections again. The port stays this
        socket's own; those who are connected stay."""
        if refusing == self._refusing:
            return
        self._refusing = refusing
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        self._loop.remove_reader(self._sock)
        if refusing:
            with contextlib.suppress(OSError):  # a system that cannot: `_accept` resets them one by one
                name = self._sock.getsockname()
                self._sock.shutdown(socket.SHUT_RDWR)
                with contextlib.suppress(OSError):  # it has its port still, unless the system chose it
                    self._sock.bind(name)
                return
        try:
            self._sock.listen(BACKLOG)
        except OSError as exc:
            log.error("%s:%d: no connections are taken any more: %s", *self._sock.getsockname()[:2], exc.strerror)
            return
        self._loop.add_reader(self._sock, self._accept)

    async def close(self) -> None:
        """Takes no more connections. Those that are there stay."""
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        self._loop.remove_reader(self._sock)
        self._sock.close()
        if self._tls is not None:
            for task in self._joining:
                task.cancel()
        if self._joining:
            await asyncio.wait(self._joining)

    def _accept(self) -> None:
        """One connection, then all others have their turn: eight at a time showed in the times of a neighbour."""
        try:
            sock, _ = self._sock.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError as exc:
            if exc.errno not in _EXHAUSTED:
                raise
            self._wait(exc)
            return
        if self._refusing:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETTING)
            sock.close()
            return
        sock.setblocking(False)
        if isinstance(self._loop, NodeLoop) and self._tls is None:
            Stream(self._loop, sock, self._connect())
        else:
            task = self._loop.create_task(self._join(sock))
            self._joining.add(task)
            task.add_done_callback(self._joining.discard)
        if self._exhausted:
            self._exhausted = False
            log.info("%s:%d: new connections are taken again", *self._sock.getsockname()[:2])

    async def _join(self, sock: socket.socket) -> None:
        try:
            if self._tls is None:
                await self._loop.connect_accepted_socket(self._connect, sock)
            else:
                await self._loop.connect_accepted_socket(
                    self._connect, sock, ssl=self._tls, ssl_handshake_timeout=HANDSHAKE
                )
        except OSError as exc:  # it is gone already, or does not come to terms
            if self._tls is not None:
                log.info("%s:%d: no TLS connection: %s", *self._sock.getsockname()[:2], exc)
            sock.close()

    def _wait(self, exc: OSError) -> None:
        self._loop.remove_reader(self._sock)
        self._pause = self._loop.call_later(PAUSE, self._try_again)
        if not self._exhausted:
            self._exhausted = True
            log.warning(
                "%s:%d: no new connections until others end: %s; raise `ulimit -Hn`",
                *self._sock.getsockname()[:2],
                exc.strerror,
            )

    def _try_again(self) -> None:
        self._pause = None
        self._loop.add_reader(self._sock, self._accept)
