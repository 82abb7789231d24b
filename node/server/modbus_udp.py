"""Modbus over UDP: one frame a datagram, with the header of Modbus/TCP.

A reply may look like a request, as that to a write does. So what comes from the port that a server has is left alone,
or two nodes would answer each other for ever once somebody had sent one of them a request in the other's name.
"""

from collections.abc import Callable

from node.errors import RemoteProtocolError
from node.exchange.exchange import NOTHING, Exchange, Unfinished
from node.exchange.metrics import Metrics
from node.memory.access import Access
from node.memory.hooks import HookWaits
from node.modbus.adu import HEADER_SIZE, decode_adu
from node.modbus.functions import EXCEPTION
from node.server.modbus_tcp import BUSY, UNIT_AT, ModbusService, put_aside


class ModbusUdp:
    """Answers the datagrams of a node, whose own port is `port`."""

    def __init__(self, service: ModbusService, metrics: Metrics, clock: Callable[[], float], port: int) -> None:
        self._service = service
        self._metrics = metrics
        self._clock = clock
        self._port = port

    def answer(self, data: bytes, asker: tuple[str, int], local: str, broadcast: bool) -> Exchange:
        """The fate of a datagram; one that is no whole frame, or for everyone, is not answered. Raises `Unfinished`
        where it comes to a hook that may block."""
        now = self._service.instant.now = self._clock()
        metrics = self._metrics
        metrics.requests += 1
        metrics.bytes_in += len(data)
        peer = f"{asker[0]}:{asker[1]}"
        if broadcast or asker[1] == self._port or not _is_frame(data):
            return Exchange(peer, now, data, datagram=True)
        exchange = Exchange(peer, now, data, datagram=True)
        try:
            exchange = (self._service.chain or NOTHING).begin(data, peer, now, datagram=True)
            if exchange.wanted:
                exchange.reply = self._answer(data, exchange.accesses, exchange.status)
        except HookWaits as waits:
            raise Unfinished(self._answer_later(waits, exchange)) from waits
        except Exception as exc:
            return self._count(Exchange(peer, now, data, reply=self._failed(data, exc), datagram=True))
        return self._end(exchange)

    async def _answer_later(self, waits: HookWaits, exchange: Exchange) -> Exchange:
        data = exchange.request
        exchange.accesses.clear()

        def answer() -> bytes | None:
            self._service.instant.now = self._clock()
            return self._answer(data, exchange.accesses, ())

        try:
            exchange.reply = await put_aside(waits, answer, lambda: self._answer(data, [], BUSY))
        except Exception as exc:
            exchange.reply = self._failed(data, exc)
        return self._end(exchange)

    def _end(self, exchange: Exchange) -> Exchange:
        try:
            (self._service.chain or NOTHING).end(exchange)
        except Exception as exc:
            data = exchange.request
            exchange = Exchange(exchange.peer, exchange.now, data, reply=self._failed(data, exc), datagram=True)
        return self._count(exchange)

    def _count(self, exchange: Exchange) -> Exchange:
        metrics = self._metrics
        metrics.ring.append((exchange.now, exchange.request, exchange.reply, exchange.peer))
        metrics.took(self._clock() - exchange.now + exchange.delay, 1)
        metrics.bytes_out += len(exchange.reply or b"")
        return exchange

    def _answer(self, data: bytes, accesses: list[Access], status: tuple[int, ...]) -> bytes | None:
        units, now = self._service.units, self._service.instant.now
        try:
            reply = units.refusal(data, status) if status else units.answer(data, now, accesses)
        except HookWaits:
            raise
        except Exception as exc:
            reply = self._failed(data, exc)
        if reply and reply[HEADER_SIZE] & EXCEPTION:
            self._metrics.errors += 1
            if not status:  # else what it asked for may well be there
                self._metrics.refuse(data[UNIT_AT:], data, reply, now)
        return reply or None

    def _failed(self, data: bytes, exc: Exception) -> bytes:
        self._metrics.bug(exc, data)
        return self._service.units.failure(data)


def _is_frame(data: bytes) -> bool:
    try:
        decode_adu(data)
    except RemoteProtocolError:
        return False
    return True
