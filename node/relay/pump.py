"""A connection that is carried by another: what comes on either goes out on the other, and is read no faster.

Each side holds what its socket did not take, `HELD` bytes and one read at most; then the other is not read until that
is gone. The end of what one says is passed on and the other may go on speaking; a reset is passed on as a reset.
"""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable

from node.control.keepalive import keep_alive
from node.server.acceptor import RESETTING

HELD = 64 << 10
PATIENCE = 5.0
"""Seconds for a connection to what is led to."""

Dial = Callable[["Half"], Awaitable[object]]
"""Connects a half to what is led to. Raises `OSError` or `TimeoutError`."""


class Half(asyncio.Protocol):
    """One of the two connections."""

    def __init__(self) -> None:
        self.other: Half | None = None
        self._transport: asyncio.Transport | None = None
        self._ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(HELD)
        keep_alive(transport)

    def data_received(self, data: bytes) -> None:
        if self.other is not None and self.other._transport is not None:
            self.other._transport.write(data)

    def eof_received(self) -> bool:
        self._ended = True
        other = self.other
        if other is None or other._transport is None or other._ended:
            if other is not None:
                other.hang_up()
            return False
        with contextlib.suppress(OSError, RuntimeError):
            other._transport.write_eof()
        return True

    def pause_writing(self) -> None:
        if self.other is not None and self.other._transport is not None:
            self.other._transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and self.other._transport is not None:
            self.other._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        other, self.other = self.other, None
        if other is not None:
            other.other = None
            other.hang_up(reset=exc is not None)

    def hang_up(self, reset: bool = False) -> None:
        """Closes when all is written, or at once with a reset."""
        transport = self._transport
        if transport is None:
            return
        if reset:
            sock = transport.get_extra_info("socket")
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETTING)
            transport.abort()
        else:
            transport.close()


class Caller(Half):
    """A connection that came in, which is read once `dial` has reached what it is for. Is in `callers` while it lasts.

    Python before 3.11.5 reads a connection that was paused as it was made; what comes so is kept until then.
    """

    def __init__(self, dial: Dial, callers: "set[Caller]") -> None:
        super().__init__()
        self._dial = dial
        self._callers = callers
        self._dialling: asyncio.Task[None] | None = None
        self._reached = False
        self._early = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        assert self._transport is not None
        self._transport.pause_reading()
        self._callers.add(self)
        self._dialling = asyncio.get_running_loop().create_task(self._reach())

    def data_received(self, data: bytes) -> None:
        if self._reached:
            super().data_received(data)
            return
        self._early += data
        if self._transport is not None:
            self._transport.resume_reading()
            self._transport.pause_reading()  # which now it is

    def eof_received(self) -> bool:
        if self._reached:
            return super().eof_received()
        self._ended = True
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._callers.discard(self)
        if self._dialling is not None:
            self._dialling.cancel()
        super().connection_lost(exc)

    async def _reach(self) -> None:
        half = self.other = Half()
        half.other = self  # before it is connected: what is led to may speak first
        try:
            async with asyncio.timeout(PATIENCE):
                await self._dial(half)
        except (OSError, TimeoutError):
            self.hang_up(reset=True)
        except BaseException:
            half.hang_up(reset=True)
            raise
        self._reached = True
        if self._transport is None:
            half.hang_up(reset=True)
            return
        self._transport.resume_reading()  # first: what is led on may be as much as makes it pause again
        if self._early:
            super().data_received(self._early)
            self._early = b""
        if self._ended:
            super().eof_received()
