"""RTU and ASCII frames in a TCP stream, as a serial device server passes them on: no header, and the check at the end.

The other end stands for a line, so its manners are a line's: a station that is not here is silent, 0 is everybody.
"""

import asyncio
from collections.abc import Iterable

from node.exchange.exchange import CLOSE, ENDS, Exchange
from node.server.modbus_line import ModbusLine
from node.server.modbus_tcp import ModbusService
from node.server.peer import Peer, Peers

SILENCE = 0.2
"""Seconds without a byte after which a frame will not be ended: a network's own delays are no silences."""
SLICE = 256
"""Bytes that are looked at before it is asked whether they are Modbus at all."""
LOST_LIMIT = 512
"""Bytes in a row that belong to no frame, after which it is not."""


class ModbusLineTcp(Peer):
    """One TCP connection of a Modbus node whose frames are those of a line, as `framing` says."""

    def __init__(self, peers: Peers, service: ModbusService, framing: str) -> None:
        super().__init__(peers)
        self._line = ModbusLine(service, peers.metrics, peers.clock, framing, SILENCE)
        self._line.late = self._deliver_late
        self._quiet: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """Answers every whole frame; closes where too much was none."""
        self.last_seen = self.peers.clock()
        self.bytes_in += len(data)
        self._forget_silence()
        framer = self._line.framer
        for at in range(0, len(data), SLICE):
            if self._answer(self._line.feed(data[at : at + SLICE], self.name, self.since)):
                return
            if framer.lost > LOST_LIMIT:
                self.metrics.errors += 1
                self.deliver(Exchange(self.name, self.last_seen, b"", action=CLOSE))
                return
        if framer.pending:
            self._quiet = asyncio.get_running_loop().call_later(framer.silence, self._fell_silent)

    def connection_lost(self, exc: Exception | None) -> None:
        """Gives the place back."""
        self._forget_silence()
        self._line.forget()
        super().connection_lost(exc)

    def _fell_silent(self) -> None:
        self._quiet = None
        self._answer(self._line.quiet(self.name, self.since))

    def _answer(self, exchanges: Iterable[Exchange]) -> bool:
        """Sends each reply in its turn; whether the connection ends behind one."""
        errors, ended = self.metrics.errors, False
        for exchange in exchanges:
            self.requests += 1
            self.deliver(exchange)
            ended = exchange.action in ENDS
            if ended:
                break
        self.errors += self.metrics.errors - errors
        return ended

    @property
    def owes(self) -> bool:
        """Whether a reply waits for its time, or takes some."""
        return super().owes or self._line.owes

    def _deliver_late(self, exchange: Exchange) -> None:
        self.requests += 1
        self.deliver(exchange)

    def _forget_silence(self) -> None:
        if self._quiet is not None:
            self._quiet.cancel()
            self._quiet = None
