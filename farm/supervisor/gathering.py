"""Streams that speak seldom, read together: a message that can wait a moment does not wake anybody.

To be woken costs a process more than a small message does: five hundred shards that report once a second, each at a
moment of its own, took an eighth of a core, most of it to wake up five hundred times. So a stream is laid aside when it
has reported: what it says next stays in its socket for up to `SPAN`, and is read with all that others have said by
then. Nothing wakes for a farm that is silent.
"""

import asyncio
import logging
import os
import selectors
from typing import Any

log = logging.getLogger(__name__)

RECEIVE = 32 << 10
"""Bytes read at once."""
SPAN = 0.05
"""Seconds for which a message may lie."""


class Gathering:
    """The streams that are laid aside, of one loop. Where the platform's selector cannot be waited for by another, none
    is, and each is read as it speaks."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._aside: set[asyncio.Transport] = set()
        self._due: asyncio.TimerHandle | None = None

    def open(self) -> None:
        """Streams of the running loop can be laid aside."""
        if hasattr(self._selector, "fileno"):
            self._loop = asyncio.get_running_loop()
            self._watch(self._loop)

    def lay_aside(self, transport: asyncio.Transport) -> None:
        """The stream is read with the others from now on."""
        if self._loop is not None and transport not in self._aside and not transport.is_closing():
            self._aside.add(transport)
            self._selector.register(_socket_of(transport), selectors.EVENT_READ, transport)
            transport.pause_reading()

    def take_up(self, transport: asyncio.Transport) -> None:
        """The stream is read as it speaks from now on: something is waited for."""
        if transport in self._aside:
            self.lost(transport)
            transport.resume_reading()

    def lost(self, transport: asyncio.Transport) -> None:
        """The stream has ended; its socket is still open."""
        if transport in self._aside:
            self._aside.discard(transport)
            self._selector.unregister(_socket_of(transport))

    def close(self) -> None:
        """Lays nothing aside any more."""
        if self._loop is not None:
            self._loop.remove_reader(self._selector)
        if self._due is not None:
            self._due.cancel()
        self._loop = None
        self._aside.clear()
        self._selector.close()

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.add_reader(self._selector, self._spoken, loop)

    def _spoken(self, loop: asyncio.AbstractEventLoop) -> None:
        """The first has said something."""
        loop.remove_reader(self._selector)
        self._due = loop.call_later(SPAN, self._gather, loop)

    def _gather(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            for key, _ in self._selector.select(0):
                if key.data in self._aside:  # not what an earlier one of these has ended
                    self._read(key.fd, key.data)
        finally:
            self._watch(loop)

    def _read(self, descriptor: int, transport: asyncio.Transport) -> None:
        """Hands on what there is; the end, or a fault, is the transport's own to find."""
        try:
            data = os.read(descriptor, RECEIVE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        protocol = transport.get_protocol()
        if not data or not isinstance(protocol, asyncio.Protocol):
            self.take_up(transport)
            return
        try:
            protocol.data_received(data)
        except Exception:  # a bug, which ends that stream alone, as it does of those that asyncio reads
            log.exception("a bug in what a stream is told")
            transport.abort()


def _socket_of(transport: asyncio.Transport) -> Any:
    return transport.get_extra_info("socket")
