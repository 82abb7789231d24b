"""Modbus as it is on a line: all hear all, only who is meant answers, and a check ends each frame.

Behind the framer an exchange is the same as on TCP: faults, captures and the last requests see a frame with its MBAP
header (transaction 0), and what they made of the reply goes out with the check that the reply had before. So one that
was spoilt on purpose is told by its check, as on a line.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from typing import Protocol

from node.exchange.exchange import NOTHING, Chain, Exchange, Unfinished
from node.exchange.metrics import Metrics
from node.memory.hooks import HookWaits
from node.modbus.adu import HEADER_SIZE, MBAP
from node.modbus.ascii import LF, AsciiFramer
from node.modbus.functions import EXCEPTION
from node.modbus.line import BROADCAST
from node.modbus.rtu import RtuFramer
from node.server.modbus_tcp import BUSY, UNIT_AT, ModbusService, put_aside

RTU, ASCII = "rtu", "ascii"
BEHIND = 64
"""Requests that wait behind one that takes time; whoever speaks on a line waits for its reply, and seldom has one."""


class Framer(Protocol):
    """What finds requests among the bytes of a line, and frames replies."""

    silence: float
    spoilt: int
    lost: int

    @property
    def pending(self) -> int:
        """Bytes of what may still become a frame."""

    def feed(self, data: bytes, now: float) -> list[bytes]:
        """The requests that `data` completes."""

    def quiet(self) -> list[bytes]:
        """Those that silence completes."""

    def decode(self, frame: bytes) -> tuple[int, bytes]:
        """Station and PDU."""

    def encode(self, station: int, pdu: bytes, meant: bytes = b"") -> bytes:
        """A frame, with the check of the PDU that was `meant`."""


class ModbusLine:
    """The stations of a Modbus node on one line, or on one connection that stands for a line; `framing` is RTU or
    ASCII, `silence` the seconds after which no more of a frame comes. It counts into `metrics`, and into the counters
    of each station what was spoilt."""

    def __init__(
        self, service: ModbusService, metrics: Metrics, clock: Callable[[], float], framing: str, silence: float
    ) -> None:
        self._service = service
        self._metrics = metrics
        self._clock = clock
        self._stations = service.units.configured
        self._ascii = AsciiFramer(self._stations, silence) if framing == ASCII else None
        self.framer: Framer = self._ascii or RtuFramer(self._stations, silence)
        self._spoilt = 0
        self._delimiters: dict[int, int] = {}
        self.late: Callable[[Exchange], None] = lambda exchange: None
        """Is given exchanges whose reply took time; what came meanwhile waits behind it, as on a line."""
        self._unfinished: asyncio.Task[None] | None = None
        self._behind: deque[tuple[bytes, str, float | None]] = deque(maxlen=BEHIND)

    def feed(self, data: bytes, peer: str, since: float | None = None) -> Iterator[Exchange]:
        """The exchanges of the requests that `data` completes, one by one; `reply` is what goes out. `since` is the
        instant that the connection came, None where there is none."""
        now = self._service.instant.now = self._clock()
        self._metrics.bytes_in += len(data)
        return self._run(self.framer.feed(data, now), peer, now, since)

    def quiet(self, peer: str, since: float | None = None) -> Iterator[Exchange]:
        """Those of the requests that only silence ends; what else waited is given up."""
        now = self._service.instant.now = self._clock()
        return self._run(self.framer.quiet(), peer, now, since)

    def _run(self, frames: list[bytes], peer: str, now: float, since: float | None) -> Iterator[Exchange]:
        for _ in range(self.framer.spoilt - self._spoilt):
            for unit in self._stations.values():
                unit.counters.spoilt()
        self._spoilt = self.framer.spoilt
        for frame in frames:
            if self._unfinished is not None:
                self._behind.append((frame, peer, since))
                continue
            try:
                yield self._exchange(frame, peer, now, since)
            except Unfinished as unfinished:
                self._unfinished = asyncio.get_running_loop().create_task(self._finish(unfinished))

    async def _finish(self, unfinished: Unfinished) -> None:
        self.late(await unfinished.rest)
        while self._behind:
            frame, peer, since = self._behind.popleft()
            try:
                exchange = self._exchange(frame, peer, self._clock(), since)
            except Unfinished as again:
                exchange = await again.rest
            self.late(exchange)
        self._unfinished = None

    @property
    def owes(self) -> bool:
        """Whether a request waits for its reply."""
        return self._unfinished is not None

    def forget(self) -> None:
        """Answers nothing that waits."""
        if self._unfinished is not None:
            self._unfinished.cancel()
        self._unfinished = None
        self._behind.clear()

    def _exchange(self, frame: bytes, peer: str, now: float, since: float | None) -> Exchange:
        metrics = self._metrics
        metrics.requests += 1
        station, pdu = self.framer.decode(frame)
        adu = MBAP.pack(0, 0, len(pdu) + 1, station) + pdu
        chain = self._service.chain or NOTHING
        exchange = Exchange(peer, now, adu, datagram=since is None)
        try:
            exchange = chain.begin(adu, peer, now, since is None, since or 0.0)
            if exchange.wanted:
                exchange.reply = self._answer(adu, exchange)
        except HookWaits as waits:
            raise Unfinished(self._answer_later(waits, exchange, chain)) from waits
        except Exception as exc:
            exchange.reply, chain = self._failed(adu, exc), NOTHING
        return self._end(exchange, chain)

    async def _answer_later(self, waits: HookWaits, exchange: Exchange, chain: Chain) -> Exchange:
        adu = exchange.request
        exchange.accesses.clear()

        def refuse() -> bytes | None:
            exchange.status = BUSY
            return self._answer(adu, exchange)

        try:
            exchange.reply = await put_aside(waits, lambda: self._answer(adu, exchange), refuse)
        except Exception as exc:
            exchange.reply = self._failed(adu, exc)
        return self._end(exchange, chain)

    def _end(self, exchange: Exchange, chain: Chain) -> Exchange:
        """With the reply in place: what looks at it, and how it goes out."""
        metrics, adu, meant = self._metrics, exchange.request, exchange.reply
        try:
            chain.end(exchange)
        except Exception as exc:
            meant = self._failed(adu, exc)
            exchange = Exchange(exchange.peer, exchange.now, adu, reply=meant, datagram=exchange.datagram)
        metrics.ring.append((exchange.now, adu, exchange.reply, exchange.peer))
        metrics.took(self._clock() - exchange.now + exchange.delay, 1)
        if exchange.reply is not None and meant is not None:
            exchange.reply = self._framed(exchange.reply, meant)
        self._follow(adu[UNIT_AT])
        return exchange

    def _answer(self, adu: bytes, exchange: Exchange) -> bytes | None:
        """The reply, None for none. Every frame is answered in one go, so `now` is the instant it was heard."""
        units, now = self._service.units, exchange.now
        try:
            if exchange.status:
                answer = units.refusal(adu, exchange.status) if self._answers(adu) else None
            else:
                reply = units.answer_station(adu[UNIT_AT], adu[HEADER_SIZE:], now, exchange.accesses)
                answer = MBAP.pack(0, 0, len(reply) + 1, adu[UNIT_AT]) + reply if reply else None
        except HookWaits:
            raise
        except Exception as exc:
            answer = self._failed(adu, exc)
        if answer is not None and answer[HEADER_SIZE] & EXCEPTION:
            self._metrics.errors += 1
            if not exchange.status:  # else what it asked for may well be there
                self._metrics.refuse(adu[UNIT_AT:], adu, answer, now)
        return answer

    def _answers(self, adu: bytes) -> bool:
        """Whether a frame is to be answered at all."""
        return adu[UNIT_AT] != BROADCAST and adu[UNIT_AT] in self._stations

    def _failed(self, adu: bytes, exc: Exception) -> bytes | None:
        self._metrics.bug(exc, adu)
        return self._service.units.failure(adu) if self._answers(adu) else None

    def _framed(self, reply: bytes, meant: bytes) -> bytes:
        """`reply` as it goes out, where `meant` was the answer: its check is that one's, and of one that was cut short
        as much goes out as is left of it."""
        pdu = meant[HEADER_SIZE:]
        if len(reply) < len(meant):
            whole = self.framer.encode(meant[UNIT_AT], pdu)
            return whole[: len(whole) * len(reply) // len(meant)]
        return self.framer.encode(reply[UNIT_AT], reply[HEADER_SIZE:], pdu)

    def _follow(self, station: int) -> None:
        """Where a station was told of another end of ASCII frames, the line has it from now on."""
        if self._ascii is None or station not in self._stations:
            return
        delimiter = self._stations[station].counters.delimiter
        if delimiter != self._delimiters.get(station, LF):
            self._delimiters[station] = self._ascii.delimiter = delimiter
