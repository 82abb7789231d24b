"""Modbus/TCP connections: bytes from the socket to `Units`, and all replies of a segment in one write.

Two things make a Modbus simulator useless under load: answering only the first request of a segment, and a turn of
the event loop for each reply. Here every frame of what came is answered before anything is sent. A client that polls
sends the same bytes over and over, so a read that was answered once is looked up by its bytes (`Units.readers`) and
costs a dictionary look-up, a slice and a byte swap.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import repeat
from typing import TypeVar

from node.cip.status import RESOURCE_UNAVAILABLE
from node.exchange.exchange import CLOSE, ENDS, NOTHING, Chain, Exchange
from node.exchange.metrics import RING
from node.memory.access import Access
from node.memory.attribute import Instant
from node.memory.hooks import HookTimeout, HookWaits
from node.modbus.adu import HEADER_SIZE, TcpFramer
from node.modbus.functions import EXCEPTION
from node.modbus.units import READ_REQUEST_SIZE, Units
from node.server.peer import Peer, Peers

UNIT_AT = 6
"""Where a frame's unit id stands, and what does not differ each time that it is sent begins."""
BUSY = (RESOURCE_UNAVAILABLE,)
"""The status of a request whose hook takes too long: exception 06, server device busy."""

Reply = TypeVar("Reply")


async def put_aside(waits: HookWaits, answer: Callable[[], Reply], refuse: Callable[[], Reply]) -> Reply:
    """What `answer` gives where hooks may take their time; what `refuse` does, where one takes too much."""
    try:
        return await waits.aside.run(answer, waits.seconds)
    except HookTimeout:
        return refuse()


class ModbusService:
    """What the peers of one Modbus node share: its units, and the controller's clock cell. `chain` is what looks at
    each exchange, None for nothing; it may be set at any time."""

    __slots__ = ("chain", "instant", "units")

    def __init__(self, units: Units, instant: Instant) -> None:
        self.units = units
        self.instant = instant
        self.chain: Chain | None = None


class ModbusTcp(Peer):
    """One TCP connection of a Modbus node."""

    def __init__(self, peers: Peers, service: ModbusService) -> None:
        super().__init__(peers)
        self._service = service
        self._units = service.units
        self._readers = service.units.readers
        self._instant = service.instant
        self._clock = peers.clock
        self._framer = TcpFramer()

    def data_received(self, data: bytes) -> None:
        """Answers every whole frame; closes after a header that cannot be one."""
        started = self._instant.now = self.last_seen = self._clock()
        metrics = self.metrics
        metrics.bytes_in += len(data)
        self.bytes_in += len(data)
        data = b"%b" % data  # see RECEIVE
        if self._service.chain is not None or self._outbox:
            self._run(self._service.chain or NOTHING, self._frames(data, started), started)
            return
        reply = b"" if self.partial_since else self._answer_known(data, started)
        if not reply:
            reply = self._answer_all(data, started)
        if reply:
            metrics.bytes_out += len(reply)
            self.bytes_out += len(reply)
            self.transport.write(reply)
        if self._framer.fault is not None and self.parked is None:
            metrics.errors += 1
            self.transport.close()

    def _answer_known(self, data: bytes, now: float) -> bytes:
        """The replies, when `data` is nothing but reads that were prepared; else nothing."""
        readers, size, metrics = self._readers, READ_REQUEST_SIZE, self.metrics
        try:
            if len(data) == size:
                reply = data[:2] + readers[data[2:]](now)
                metrics.ring.append((now, data, reply, self.name))
                self.requests += 1
                metrics.requests += 1
                metrics.took(self._clock() - now, 1)
                return reply
            frames = [data[at : at + size] for at in range(0, len(data), size)]
            known = [readers[frame[2:]] for frame in frames]  # all or none, for each counts what it answers
            replies = [frame[:2] + read(now) for frame, read in zip(frames, known, strict=True)]
        except Exception:  # a read not prepared yet, a tag in error or a bug: the long way tells them apart
            return b""
        metrics.ring.extend(zip(repeat(now), frames[-RING:], replies[-RING:], repeat(self.name)))
        self.requests += len(frames)
        metrics.requests += len(frames)
        metrics.took(self._clock() - now, len(frames))
        return b"".join(replies)

    def _answer_all(self, data: bytes, now: float) -> bytes:
        metrics = self.metrics
        replies: list[bytes] = []
        frames = self._frames(data, now)
        for frame in frames:
            try:
                reply = self._answer(frame)
            except HookWaits as waits:
                done = len(replies)
                self.park(self._answer_later(waits, Exchange(self.name, now, frame), NOTHING, frames[done + 1 :]))
                frames = frames[:done]
                break
            metrics.ring.append((now, frame, reply, self.name))
            replies.append(reply)
        self.requests += len(frames)
        metrics.requests += len(frames)
        metrics.took(self._clock() - now, len(frames))
        return b"".join(replies)

    def _run(self, chain: Chain, frames: Sequence[bytes], now: float) -> None:
        """The same with interceptors: each reply goes to the outbox, which keeps their order."""
        for index, frame in enumerate(frames):
            exchange = Exchange(self.name, now, frame)
            try:
                exchange = chain.begin(frame, self.name, now, since=self.since)
                if exchange.wanted:
                    exchange.reply = self._answer(frame, exchange.accesses, exchange.status)
                chain.end(exchange)
            except HookWaits as waits:
                self.park(self._answer_later(waits, exchange, chain, frames[index + 1 :]))
                return
            except Exception as exc:
                exchange = Exchange(self.name, now, frame, reply=self._failed(frame, exc))
            if self._delivered(exchange) in ENDS:
                return
        if self._framer.fault is not None:
            self.metrics.errors += 1
            self.deliver(Exchange(self.name, now, b"", action=CLOSE))

    def _delivered(self, exchange: Exchange) -> str:
        """Sends a reply in its turn; what becomes of the connection."""
        self.requests += 1
        self.metrics.requests += 1
        self.metrics.ring.append((exchange.now, exchange.request, exchange.reply, self.name))
        self.metrics.took(self._clock() - exchange.now + exchange.delay, 1)
        self.deliver(exchange)
        return exchange.action

    async def _answer_later(self, waits: HookWaits, exchange: Exchange, chain: Chain, frames: Sequence[bytes]) -> None:
        """Has the peer answered once a hook has come to its end; `frames` are those behind it."""
        frame = exchange.request
        exchange.accesses.clear()
        try:
            exchange.reply = await put_aside(
                waits,
                lambda: self._answer_now(frame, None if chain is NOTHING else exchange.accesses),
                lambda: self._answer(frame, status=BUSY),
            )
            chain.end(exchange)
        except Exception as exc:
            exchange.reply = self._failed(frame, exc)
        self.unpark(partial(self._go_on, exchange, frames))

    def _answer_now(self, frame: bytes, accesses: list[Access] | None) -> bytes:
        self._instant.now = self._clock()
        return self._answer(frame, accesses)

    def _go_on(self, exchange: Exchange, frames: Sequence[bytes]) -> None:
        """Answers what was parked, and serves the frames behind it."""
        self._instant.now = now = self._clock()
        if self._framer.pending:
            self.partial_since = now
        if self._delivered(exchange) not in ENDS:
            self._run(self._service.chain or NOTHING, frames, now)

    def _frames(self, data: bytes, now: float) -> list[bytes]:
        """Whole frames; notes when the first byte of an unfinished one came."""
        framer = self._framer
        whole = framer.pending + len(data)
        frames = framer.feed(data)
        pending = framer.pending
        if not pending:
            self.partial_since = 0.0
        elif pending < whole or not self.partial_since:
            self.partial_since = now
        return frames

    def _answer(self, frame: bytes, accesses: list[Access] | None = None, status: tuple[int, ...] = ()) -> bytes:
        units = self._units
        try:
            reply = units.refusal(frame, status) if status else units.answer(frame, self._instant.now, accesses)
        except HookWaits:
            raise
        except Exception as exc:
            reply = self._failed(frame, exc)
        if reply and reply[HEADER_SIZE] & EXCEPTION:
            self.errors += 1
            self.metrics.errors += 1
            if not status:  # else what it asked for may well be there
                self.metrics.refuse(frame[UNIT_AT:], frame, reply, self._instant.now)
        return reply

    def _failed(self, frame: bytes, exc: Exception) -> bytes:
        self.metrics.bug(exc, frame)
        return self._units.failure(frame)
