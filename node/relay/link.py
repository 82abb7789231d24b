"""Many connections in one pipe, at either end of it: each has a stream of frames, and no faster than it is read.

A connection is not read while its stream has nothing granted, or while the pipe itself takes nothing; what has come and
was not handed on is at most a window for each. Whatever is wrong with one stream ends it alone.
"""

import asyncio
import logging
from collections.abc import Callable

from node.control.keepalive import keep_alive
from node.errors import NodeError, RemoteProtocolError
from node.relay.frames import (
    CHUNK,
    CLOSE,
    COUNT,
    DATA,
    GRANT,
    OPEN,
    WINDOW,
    Frame,
    granted,
    text_frame,
)

log = logging.getLogger(__name__)

WORTH_A_GRANT = WINDOW // 4
MOST_STREAMS = 50_000


class Link:
    """The streams of one pipe. `write` takes bytes for the other end and never blocks; `opened` is given an end for
    each stream that the other side opens, and connects it."""

    def __init__(self, write: Callable[[bytes], None], opened: "Callable[[End], None] | None" = None) -> None:
        self.full = False
        self._write = write
        self._opened = opened
        self._ends: dict[int, End] = {}
        self._waiting: dict[End, None] = {}
        self._last = 0
        self.over = False

    def __len__(self) -> int:
        """How many streams there are."""
        return len(self._ends)

    def send(self, frame: Frame) -> None:
        """Has the pipe take a frame; there is no more to send once it was closed."""
        if not self.over:
            self._write(frame.encode())

    def join(self, end: "End", who: str) -> int:
        """A new stream for a connection of `who`; its number."""
        self._last += 1
        self._ends[self._last] = end
        self.send(text_frame(OPEN, self._last, who))
        return self._last

    def leave(self, end: "End", why: str = "") -> None:
        """The stream ends from this side; nothing is known of it any more."""
        self._waiting.pop(end, None)
        if self._ends.get(end.number) is end:
            del self._ends[end.number]
            self.send(text_frame(CLOSE, end.number, why))

    def wait(self, end: "End") -> None:
        """Have `end` try again when the pipe takes something."""
        self._waiting[end] = None

    def take(self, frame: Frame) -> None:
        """Acts on a frame of the other end. Raises `RemoteProtocolError` when the other end keeps no rules."""
        if frame.kind == OPEN:
            self._open(frame)
        else:
            self._pass_on(frame)

    def pause(self) -> None:
        """The pipe takes nothing for now."""
        self.full = True

    def resume(self) -> None:
        """It does again."""
        self.full = False
        waiting, self._waiting = self._waiting, {}
        while waiting and not self.full:
            end = next(iter(waiting))
            del waiting[end]
            end.go_on()
        self._waiting |= waiting

    def close(self) -> None:
        """The pipe is gone, and every connection with it."""
        self.over = True
        ends, self._ends = list(self._ends.values()), {}
        self._waiting.clear()
        for end in ends:
            end.drop()

    def _open(self, frame: Frame) -> None:
        if self._opened is None or frame.stream in self._ends:
            raise RemoteProtocolError(f"a stream {frame.stream} that is not to be opened")
        if len(self._ends) >= MOST_STREAMS:
            self.send(text_frame(CLOSE, frame.stream, f"there are {MOST_STREAMS} streams"))
            return
        end = self._ends[frame.stream] = End(self, frame.stream)
        self._opened(end)

    def _pass_on(self, frame: Frame) -> None:
        end = self._ends.get(frame.stream)
        if end is None:
            return  # it was closed from here, which the other end did not know yet
        if frame.kind == CLOSE:
            del self._ends[frame.stream]
            self._waiting.pop(end, None)
            end.hang_up(frame.body.decode(errors="replace"))
            return
        try:
            if frame.kind == DATA:
                end.hand_on(frame.body)
            else:
                end.may_send(granted(frame))
        except NodeError as exc:
            log.warning("stream %d ended: %s", frame.stream, exc)
            self.leave(end, str(exc))
            end.drop()


class End(asyncio.Protocol):
    """A connection, and its stream of `link`: the one of `number`, or a new one once it is made."""

    def __init__(self, link: Link, number: int = 0) -> None:
        self.number = number
        self._link = link
        self._transport: asyncio.Transport | None = None
        self._credit = WINDOW
        self._owed = 0
        self._early = bytearray()
        """What came for a connection that is not made yet."""
        self._held = bytearray()
        """What was read and may not be sent yet: one read at most."""
        self._ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(0)  # so that `resume_writing` says that all is written
        keep_alive(transport)
        early, self._early = bytes(self._early), bytearray()
        if self._ended and early:  # all was said, and the end of it, before there was anybody to hear it
            transport.write(early)
            transport.close()
        elif self._ended or self._link.over:
            transport.abort()
        else:
            if not self.number:
                name = transport.get_extra_info("peername")
                self.number = self._link.join(self, f"{name[0]}:{name[1]}" if isinstance(name, tuple) else "")
            if early:
                transport.write(early)
                self._grant()

    def data_received(self, data: bytes) -> None:
        self._held += data
        self.go_on()

    def resume_writing(self) -> None:
        self._grant()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._held and not self._ended:
            return  # the rest goes out when it may
        self._ended = True
        self._link.leave(self)

    def go_on(self) -> None:
        """Sends what it may, and reads when all was sent."""
        while self._held and self._credit and not self._link.full and not self._ended:
            part = bytes(self._held[: min(CHUNK, self._credit)])
            del self._held[: len(part)]
            self._credit -= len(part)
            self._link.send(Frame(DATA, self.number, part))
        if self._held and not self._ended:
            if self._transport is not None:
                self._transport.pause_reading()
            if self._credit:
                self._link.wait(self)
        elif self._transport is not None:
            self._transport.resume_reading()
        elif not self._ended:
            self._ended = True
            self._link.leave(self)

    def hand_on(self, data: bytes) -> None:
        """Writes what came. Raises `RemoteProtocolError` for more than was granted."""
        self._owed += len(data)
        if self._owed > WINDOW:
            raise RemoteProtocolError(f"{self._owed} bytes where {WINDOW} were granted")
        if self._transport is None:
            self._early += data
            return
        self._transport.write(data)
        if not self._transport.get_write_buffer_size():
            self._grant()

    def may_send(self, count: int) -> None:
        """The other end has handed on `count` bytes. Raises `RemoteProtocolError` when it cannot have got so many."""
        if not 0 < count <= WINDOW - self._credit:
            raise RemoteProtocolError(f"a grant of {count} bytes, where {WINDOW - self._credit} were sent")
        self._credit += count
        self.go_on()

    def failed(self, why: str) -> None:
        """The connection could not be made."""
        self._ended = True
        self._link.leave(self, why)

    def hang_up(self, why: str) -> None:
        """The other end has closed: writes what is left, and closes."""
        if why:
            log.info("stream %d: %s", self.number, why)
        self._ended = True
        if self._transport is not None:
            self._transport.close()

    def drop(self) -> None:
        """Closes at once."""
        self._ended = True
        self._early.clear()
        if self._transport is not None:
            self._transport.abort()

    def _grant(self) -> None:
        if self._owed >= WORTH_A_GRANT and not self._ended:
            count, self._owed = self._owed, 0
            self._link.send(Frame(GRANT, self.number, COUNT.pack(count)))
