"""A line to Modbus devices, on pymodbus: it writes the frames, counts the transactions and matches replies to them.

How bytes come and how long that may take is ours. pymodbus waits anew for each retry; it runs no code of the caller's
meanwhile; and a frame of another protocol, or one byte of noise on a serial line, loses the answer behind it. Here
whole frames alone are handed to it, and everything waits with one `Patience`.
"""

import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from pymodbus import FramerType, ModbusException
from pymodbus.client import ModbusBaseSyncClient
from pymodbus.pdu import ModbusPDU
from pymodbus.transport import CommParams, CommType

from node.client.channels import Channel
from node.client.failure import NoAnswer, no_answer
from node.client.modbus_together import ask_together
from node.client.overdue import Overdue, fits
from node.client.patience import Actions, OutOfTime, Patience
from node.client.rtu_replies import RtuReplies
from node.client.turns import Turns
from node.errors import LocalProtocolError, RemoteProtocolError
from node.modbus.adu import HEADER_SIZE, TcpFramer
from node.modbus.functions import READ_WRITE_REGISTERS
from node.modbus.line import BROADCAST
from node.modbus.pdu import READ_LIMITS
from node.record import dataclass

T = TypeVar("T")

FOREVER = 1e9
"""Seconds that pymodbus may wait, for it is not the one who watches the time."""

TURNAROUND = 0.1
"""Seconds that devices have for what was said to all of them. Modbus over Serial Line 1.02, 2.4.1."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds. `total` holds from the call to the whole answer, retries included; `connect` for a connection, `receive`
    for the next byte of an answer, both of them `total` when they are 0. `retries` of a request that was not answered:
    a retried write may have been done twice."""

    total: float = 3.0
    connect: float = 0.0
    receive: float = 0.0
    retries: int = 0


class Line:
    """One connection to one or more devices, which threads use in turn. `rtu` frames have a CRC, others a header."""

    def __init__(self, channel: Channel, *, rtu: bool = False) -> None:
        self.channel = channel
        self.rtu = rtu
        self.turns = Turns()
        self._transactions = _Transactions(channel, rtu)
        self._under_way = False

    @property
    def name(self) -> str:
        """Whom it leads to, as errors say it."""
        return f"{self.channel.host}:{self.channel.port}" if self.channel.port else self.channel.host

    def transact(self, unit: int, pdu: bytes, limits: Limits, actions: Actions | None = None) -> bytes:
        """The PDU that answers `pdu`; nothing for a broadcast. Raises `NoAnswer`, `RemoteProtocolError`, what
        `actions` raise, and `LocalProtocolError` when an action asks on the line whose answer it is to wait for."""

        def once(patience: Patience) -> bytes:
            if self.rtu and unit == BROADCAST:
                self._transactions.tell_all(pdu, patience)
                return b""
            return self._transactions.ask(unit, pdu, patience, limits.receive or limits.total)

        return self._in_turn(once, limits, Patience(limits.total, actions))

    def together(
        self, unit: int, pdus: Sequence[bytes], depth: int, limits: Limits, actions: Actions | None = None
    ) -> list[bytes]:
        """The PDUs that answer `pdus`, in their order, with up to `depth` of them under way at once, each of which may
        take as long as one alone. Raises as `transact` does, and `LocalProtocolError` on a line that does not bear
        many."""
        if depth > 1 and not self.bears_many:
            raise LocalProtocolError(f"{self.name}: one request at a time, for nothing tells replies there apart")

        def once(patience: Patience) -> list[bytes]:
            return ask_together(self.channel, unit, pdus, depth, patience, limits.receive or limits.total)

        rounds = max(1, -(-len(pdus) // depth))
        return self._in_turn(once, limits, Patience(limits.total * rounds, actions))

    @property
    def bears_many(self) -> bool:
        """Can several requests be under way? Over TCP and TLS with its header they can, as far as the device can."""
        return not self.rtu and self.channel.stream

    def close(self) -> None:
        """Ends the connection, after the transaction that is under way. The next one opens it again."""
        with self.turns.taken():
            self.channel.close()

    def _in_turn(self, once: Callable[[Patience], T], limits: Limits, patience: Patience) -> T:
        """What `once` gives on a connection that is open, when it is this thread's turn."""
        try:
            with self.turns.taken(patience):
                if self._under_way:
                    raise LocalProtocolError(f"{self.name}: a request by the actions of one that is under way there")
                self._under_way = True
                try:
                    return self._attempts(once, limits, patience)
                finally:
                    self._under_way = False
        except OutOfTime as exc:
            raise NoAnswer(self.channel.host, self.channel.port, str(exc)) from exc

    def _attempts(self, once: Callable[[Patience], T], limits: Limits, patience: Patience) -> T:
        left = limits.retries
        while True:
            used = self.channel.is_open
            self._transactions.aside = ""
            try:
                with self._closed_on_failure():
                    if not self.channel.fresh():
                        self.channel.close()
                        self.channel.open(patience.within(limits.connect or limits.total))
                    return once(patience)
            except OutOfTime as exc:
                aside = self._transactions.aside
                if patience.late:
                    raise OutOfTime(f"no answer within {patience.seconds:g} s{aside}") from None
                if not left:
                    raise OutOfTime(f"{exc}{aside}") from None
            except OSError as exc:
                # A connection that lay idle may be gone without a word: that is no attempt yet.
                if not used and not left:
                    raise self._gone(exc, limits) from exc
                left += used
            left -= 1

    def _gone(self, exc: OSError, limits: Limits) -> NoAnswer:
        if isinstance(exc, ssl.SSLError):  # whose number is none of the system's
            reason = getattr(exc, "verify_message", "") or (exc.reason or str(exc)).replace("_", " ").lower()
            return NoAnswer(self.channel.host, self.channel.port, f"TLS: {reason}")
        return no_answer(self.channel.host, self.channel.port, exc, limits.total)

    @contextmanager
    def _closed_on_failure(self) -> Iterator[None]:
        """Half an answer, or one that comes too late, must not be taken for the next one."""
        try:
            yield
        except OutOfTime:
            if not self.channel.keeps:
                self.channel.close()
            raise
        except ModbusException as exc:
            self.channel.close()
            raise RemoteProtocolError(f"{self.name}: {exc.string}") from exc
        except BaseException:
            self.channel.close()
            raise


class _Request(ModbusPDU):
    """A request that is bytes already."""

    def __init__(self, unit: int, pdu: bytes) -> None:
        super().__init__(dev_id=unit)
        self.function_code = pdu[0]
        self._data = pdu[1:]

    def encode(self) -> bytes:
        """What follows the function code."""
        return self._data


class _ReadReply(ModbusPDU):
    """A reply whose data pymodbus leaves alone. Its own makes numbers of all registers, and a text of them for a log
    that nobody keeps: as long as all the rest takes. Whoever asked checks and decodes the bytes."""

    rtu_byte_count_pos = 2


_READ_REPLIES = [
    type(f"_ReadReply{function}", (_ReadReply,), {"function_code": function})
    for function in (*READ_LIMITS, READ_WRITE_REGISTERS)
]


class _Transactions(ModbusBaseSyncClient):
    """pymodbus's transactions over a channel."""

    def __init__(self, channel: Channel, rtu: bool) -> None:
        framer = FramerType.RTU if rtu else FramerType.SOCKET
        super().__init__(framer, 0, CommParams(comm_type=CommType.TCP, timeout_connect=FOREVER), None, None, None)
        for kind in _READ_REPLIES:
            self.register(kind)
        self._channel = channel
        self._rtu = rtu
        self._patience = Patience(0.0)
        self._receive = 0.0
        self._frames: TcpFramer | RtuReplies = TcpFramer()
        self._asked = self._reply = b""
        self._unit = 0
        self._overdue = Overdue()
        self.aside = ""
        """What came in place of an answer, for whoever is told that there was none."""

    def ask(self, unit: int, pdu: bytes, patience: Patience, receive: float) -> bytes:
        """The PDU that answers `pdu`, `receive` seconds for each piece of it."""
        self._patience, self._receive = patience, receive
        self._unit, self.aside = unit, ""
        if not self._rtu:
            self._frames = TcpFramer()
            self.execute(False, _Request(unit, pdu))
            return self._reply
        late = self._overdue.pause(unit, pdu, time.monotonic())
        patience.prolong(late)  # else one that was lost would be followed by all whose answer takes half the time
        patience.pause(late)
        doubtful = self._overdue.any(time.monotonic())
        self._frames = RtuReplies(unit, pdu[0], partial(fits, pdu)) if doubtful else RtuReplies(unit, pdu[0])
        try:
            self.execute(False, _Request(unit, pdu))
        except OutOfTime:
            if self._channel.keeps:  # else it is closed, and nothing comes any more
                self._overdue.give_up(unit, pdu, min(receive, patience.seconds), time.monotonic())
            raise
        if doubtful:
            self._overdue.answered(unit, pdu, time.monotonic())
        return self._reply

    def tell_all(self, pdu: bytes, patience: Patience) -> None:
        """Sends what nobody answers."""
        self._patience = patience
        self.execute(True, _Request(BROADCAST, pdu))
        patience.pause(TURNAROUND)

    def connect(self) -> bool:
        """It is: the line sees to that."""
        return True

    def send(self, request: bytes, addr: tuple[str, int] | None = None) -> int:
        """All of a frame."""
        self._asked = request[:2]
        self._channel.send(request, self._patience)
        return len(request)

    def recv(self, size: int | None) -> bytes:
        """The next whole frame; of several that came together all but the last are of nobody."""
        while True:
            self._patience.check()  # for what never stops coming is never waited for
            data = self._channel.receive(self._patience.within(self._receive))
            if isinstance(self._frames, RtuReplies):
                if frame := self._frames.feed(data):
                    self._reply = frame[1:-2]
                    return frame
                continue
            frames = self._frames.feed(data)
            if self._frames.fault is not None:
                raise self._frames.fault
            if frames:
                return self._ours(frames)

    def _ours(self, frames: list[bytes]) -> bytes:
        """The frames as pymodbus takes them, and the one with our transaction's number noted."""
        for frame in frames:
            if frame[:2] != self._asked:
                asked, came = (int.from_bytes(each[:2], "big") for each in (self._asked, frame))
                self.aside = f"; one to transaction {came} came, and {asked} was asked"
                continue
            self._reply = frame[HEADER_SIZE:]
            if frame[HEADER_SIZE - 1] != self._unit:
                self.aside = f"; one of unit {frame[HEADER_SIZE - 1]} came, and unit {self._unit} was asked"
        return b"".join(frames)
