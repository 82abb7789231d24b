"""Modbus/TCP connections: bytes from the socket to `Units`, and all replies of a segment in one write.

Two things make a Modbus simulator useless under load: answering only the first request of a segment, and a turn of
the event loop for each reply. Here every frame of what came is answered before anything is sent. A client that polls
sends the same bytes over and over, so a read that was answered once is looked up by its bytes (`Units.readers`) and
costs a dictionary look-up, a slice and a byte swap.
"""

from itertools import repeat

from node.exchange.exchange import CLOSE, ENDS, NOTHING, Chain, Exchange
from node.exchange.metrics import RING
from node.memory.access import Access
from node.memory.attribute import Instant
from node.modbus.adu import HEADER_SIZE, TcpFramer
from node.modbus.functions import EXCEPTION
from node.modbus.units import READ_REQUEST_SIZE, Units
from node.server.peer import Peer, Peers

UNIT_AT = 6
"""Where a frame's unit id stands, and what does not differ each time that it is sent begins."""


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
            self._run(self._service.chain or NOTHING, data, started)
            return
        reply = b"" if self.partial_since else self._answer_known(data, started)
        if not reply:
            reply = self._answer_all(data, started)
        if reply:
            metrics.bytes_out += len(reply)
            self.bytes_out += len(reply)
            self.transport.write(reply)
        if self._framer.fault is not None:
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
        replies = []
        frames = self._frames(data, now)
        for frame in frames:
            reply = self._answer(frame)
            metrics.ring.append((now, frame, reply, self.name))
            replies.append(reply)
        self.requests += len(frames)
        metrics.requests += len(frames)
        metrics.took(self._clock() - now, len(frames))
        return b"".join(replies)

    def _run(self, chain: Chain, data: bytes, now: float) -> None:
        """The same with interceptors: each reply goes to the outbox, which keeps their order."""
        metrics = self.metrics
        for frame in self._frames(data, now):
            self.requests += 1
            metrics.requests += 1
            try:
                exchange = chain.begin(frame, self.name, now, since=self.since)
                if exchange.wanted:
                    exchange.reply = self._answer(frame, exchange.accesses, exchange.status)
                chain.end(exchange)
            except Exception as exc:
                exchange = Exchange(self.name, now, frame, reply=self._failed(frame, exc))
            metrics.ring.append((now, frame, exchange.reply, self.name))
            metrics.took(self._clock() - now + exchange.delay, 1)
            self.deliver(exchange)
            if exchange.action in ENDS:
                return
        if self._framer.fault is not None:
            metrics.errors += 1
            self.deliver(Exchange(self.name, now, b"", action=CLOSE))

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
