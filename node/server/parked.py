"""A TCP peer whose next reply takes time: it waits in line, its later frames behind it, and everybody else goes on."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Protocol, cast

HELD = 64 * 1024
"""Bytes of a waiting peer that are read ahead."""


class Waiting(Protocol):
    """The peer that waits (`node.server.peer.Peer`)."""

    transport: asyncio.Transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Its connection is gone."""

    def pause_writing(self) -> None:
        """It does not read its replies."""

    def resume_writing(self) -> None:
        """It does again."""

    def read_on(self) -> None:
        """Reads again, unless something else keeps it from that."""


class Parked(asyncio.Protocol):
    """Stands in for a peer at its transport until `work` is done, which ends with `release`; keeps what comes
    meanwhile, and stops reading when that is too much."""

    def __init__(self, peer: Waiting, work: Coroutine[None, None, None]) -> None:
        self._peer = peer
        self._held: list[bytes] = []
        self._size = 0
        self._eof = False
        self._task = asyncio.get_running_loop().create_task(work)
        peer.transport.set_protocol(self)

    def data_received(self, data: bytes) -> None:
        """Keeps it."""
        self._held.append(data)
        self._size += len(data)
        if self._size > HELD:
            self._peer.transport.pause_reading()

    def eof_received(self) -> bool:
        """A peer that will send nothing more still gets its replies."""
        self._eof = True
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody waits any more."""
        self._task.cancel()
        self._peer.connection_lost(exc)

    def pause_writing(self) -> None:
        """The peer's own affair."""
        self._peer.pause_writing()

    def resume_writing(self) -> None:
        """The peer's own affair, except that reading stays as it is."""
        self._peer.resume_writing()
        if self._size > HELD:
            self._peer.transport.pause_reading()

    def release(self, go_on: Callable[[], None]) -> None:
        """Gives the peer its transport back; it is to `go_on` with the frames it has, and then gets what came. It may
        be parked again meanwhile: then the one that stands in for it gets the rest."""
        transport = self._peer.transport
        transport.set_protocol(cast(asyncio.BaseProtocol, self._peer))
        self._peer.read_on()
        go_on()
        for data in self._held:
            if not transport.is_closing():
                cast(asyncio.Protocol, transport.get_protocol()).data_received(data)
        if self._eof and not transport.is_closing():
            protocol = cast(asyncio.Protocol, transport.get_protocol())
            if not protocol.eof_received():
                transport.close()
