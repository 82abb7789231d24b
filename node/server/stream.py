"""A TCP connection on a `NodeLoop`: what asyncio's transport of a socket does for a protocol, without its detours.

A protocol cannot tell the two apart. What is written goes to the system at once as far as that takes it; the rest is
kept, and above `HIGH` bytes of it the protocol is told to pause until `LOW` are left. A connection that ends is told by
`connection_lost` in a turn of the loop of its own, never in the middle of a call of the protocol's.
"""

import asyncio
import contextlib
import socket
from typing import Any

from node.server.loop import READABLE, WRITABLE, NodeLoop

HIGH, LOW = 64 * 1024, 16 * 1024
"""Bytes that wait to be sent, above which a protocol is to pause, and down to which it is not to go on."""


class Stream(asyncio.Transport):
    """The connection of `sock`, which it owns from now on, for `protocol`, which is told of it at once. `max_size` is
    how many bytes it asks of the system at a time."""

    def __init__(self, loop: NodeLoop, sock: socket.socket, protocol: asyncio.BaseProtocol) -> None:
        super().__init__({"socket": sock, "sockname": sock.getsockname()})
        with contextlib.suppress(OSError):  # it may have gone already
            self._extra["peername"] = sock.getpeername()  # type: ignore[attr-defined]
        self.max_size = HIGH
        self._loop = loop
        self._readiness = loop.readiness
        self._sock = sock
        self._fd = sock.fileno()
        self._receive, self._send = sock.recv, sock.send
        self._events = 0
        self._unsent = bytearray()
        self._paused = self._full = self._closing = self._over = False
        self.set_protocol(protocol)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        protocol.connection_made(self)
        if not self._closing and not self._paused:
            self._watch(READABLE)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Has another one told from now on."""
        assert isinstance(protocol, asyncio.Protocol)
        self._protocol = protocol
        self._received = protocol.data_received

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Who is told."""
        return self._protocol

    def is_closing(self) -> bool:
        """Whether it ends, or has."""
        return self._closing

    def is_reading(self) -> bool:
        """Whether what comes is taken."""
        return bool(self._events & READABLE)

    def pause_reading(self) -> None:
        """Takes nothing until `resume_reading`."""
        self._paused = True
        self._watch(self._events & ~READABLE)

    def resume_reading(self) -> None:
        """Takes again what comes."""
        self._paused = False
        if not self._closing:
            self._watch(self._events | READABLE)

    def get_write_buffer_size(self) -> int:
        """Bytes that the system has not taken yet."""
        return len(self._unsent)

    def write(self, data: Any) -> None:
        """Sends; what the system does not take at once, later."""
        if self._over:
            return
        if not self._unsent:
            try:
                sent = self._send(data)
            except (BlockingIOError, InterruptedError):
                sent = 0
            except OSError as exc:
                self._end(exc)
                return
            if sent == len(data):
                return
            data = memoryview(data)[sent:]
            self._watch(self._events | WRITABLE)
        self._unsent += data
        if len(self._unsent) > HIGH and not self._full:
            self._full = True
            self._protocol.pause_writing()

    def close(self) -> None:
        """Ends it once all is sent."""
        if self._closing:
            return
        self._closing = True
        self._watch(self._events & ~READABLE)
        if not self._unsent:
            self._end(None)

    def abort(self) -> None:
        """Ends it now."""
        self._end(None)

    def _watch(self, events: int) -> None:
        if events != self._events:
            self._events = events
            self._readiness.watch(self._fd, events, self._ready)

    def _ready(self, events: int) -> None:
        """Called by the selector. A stray exception ends this connection and no other."""
        try:
            if events & ~READABLE and self._events & WRITABLE:
                self._flush()
            if events & ~WRITABLE and self._events & READABLE:
                try:
                    data = self._receive(self.max_size)
                except (BlockingIOError, InterruptedError):
                    return
                except OSError as exc:
                    self._end(exc)
                    return
                if data:
                    self._received(data)
                else:
                    self._come_to_its_end()
        except Exception as exc:
            context = {"message": "a bug while a connection was served", "exception": exc, "transport": self}
            self._loop.call_exception_handler(context)
            self._end(exc)

    def _come_to_its_end(self) -> None:
        if self._protocol.eof_received():
            self._watch(self._events & ~READABLE)
        else:
            self.close()

    def _flush(self) -> None:
        try:
            del self._unsent[: self._send(self._unsent)]
        except (BlockingIOError, InterruptedError):
            return
        except OSError as exc:
            self._end(exc)
            return
        if self._full and len(self._unsent) <= LOW:
            self._full = False
            self._protocol.resume_writing()
        if not self._unsent:
            self._watch(self._events & ~WRITABLE)
            if self._closing:
                self._end(None)

    def _end(self, exc: Exception | None) -> None:
        if self._over:
            return
        self._over = self._closing = True
        self._unsent.clear()
        self._watch(0)
        self._loop.call_soon(self._lost, exc)

    def _lost(self, exc: Exception | None) -> None:
        try:
            self._protocol.connection_lost(exc)
        finally:
            self._sock.close()
