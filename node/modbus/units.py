"""Unit ids: the devices behind one port or on one line.

A simulator that answers every unit id there is shows a scanner 247 devices where one stands; so only what is
configured answers, and an id that nobody has gets what a gateway says of a silent device: exception 0B, the target
did not respond; or 0A, there is no path; or nothing. (By default it is 0B: with silence a mistyped id looks like a dead
machine.) Where exactly one unit is configured it is the device itself, and answers to 0 and 255 as well.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress

from node.cip.status import CipError
from node.errors import NodeError
from node.memory.access import Access
from node.memory.view import Reader
from node.modbus.adu import HEADER_SIZE, MBAP
from node.modbus.counters import Counters
from node.modbus.exceptions import exception_of
from node.modbus.functions import (
    GATEWAY_TARGET_FAILED,
    READ_COILS,
    READ_DISCRETE_INPUTS,
    SERVER_DEVICE_FAILURE,
    encode_exception,
)
from node.modbus.line import BROADCAST
from node.modbus.pdu import READ_TABLES, Read, decode_request
from node.modbus.unit import SILENCE, Unit

DEVICE_ITSELF = (0, 255)
"""Unit ids that mean the device at this address, not one behind it."""

READERS_LIMIT = 1024
"""Prepared reads that one port keeps; a peer that asks for ever other ranges makes it begin again."""

READ_REQUEST_SIZE = 12
"""Bytes of a whole frame that reads."""


class Units:
    """The devices behind one port, by unit id; `absent` is the exception of any other, 0 for silence. Raises
    `NodeError` for an id that is not 0 to 255.

    `readers` holds reads prepared by their bytes: a whole frame without its transaction id, to a callable that takes
    `now` and gives the reply without its transaction id. A server may look there first; it must take any exception
    for "ask `answer`". It is emptied, never replaced.
    """

    def __init__(self, units: Mapping[int, Unit], absent: int = GATEWAY_TARGET_FAILED) -> None:
        for unit_id in units:
            if not 0 <= unit_id <= 255:
                raise NodeError(f"unit id {unit_id}; there are 0 to 255")
        self.configured = dict(units)
        self.absent = absent
        self._units = dict(units)
        if len(units) == 1:
            self._units |= dict.fromkeys(DEVICE_ITSELF, *units.values())
        self.readers: dict[bytes, Callable[[float], bytes]] = {}
        for unit in units.values():
            unit.bank.watch(self.readers.clear)

    def answer(self, adu: bytes, now: float, trace: list[Access] | None = None) -> bytes:
        """The reply to one whole frame as `TcpFramer` gives it, `SILENCE` where there is none. `trace` takes the
        accesses to tags. Raises `HookWaits`."""
        if trace is None and (known := self.readers.get(adu[2:])) is not None:
            with suppress(CipError):  # a tag in error: the whole way has the words for it
                return adu[:2] + known(now)
        transaction, _, _, unit_id = MBAP.unpack_from(adu)
        unit = self._units.get(unit_id)
        pdu = adu[HEADER_SIZE:]
        if unit is None:
            reply = encode_exception(pdu[0], self.absent) if self.absent else SILENCE
        else:
            reply = unit.answer(pdu, now, trace)
            if unit.counters.listening:
                self.readers.clear()
            elif len(adu) == READ_REQUEST_SIZE and pdu[0] in READ_TABLES and reply[0] == pdu[0]:
                self._prepare(adu, unit, pdu)
        return MBAP.pack(transaction, 0, len(reply) + 1, unit_id) + reply if reply else SILENCE

    def answer_station(self, station: int, pdu: bytes, now: float, trace: list[Access] | None = None) -> bytes:
        """The reply PDU to one on a line, where all hear all and only who is meant answers: `SILENCE` for a broadcast
        and for a station that is not here. Of two that share a line, the other's replies must not come this way.
        Raises `HookWaits`."""
        found = self.configured.get(station) if station != BROADCAST else None
        for unit in self.configured.values():
            if unit.hooked and (unit is found or station == BROADCAST):
                unit.enter(pdu)
        for unit in self.configured.values():
            if unit is not found:
                unit.hear(pdu, now, station == BROADCAST)
        return SILENCE if found is None else found.answer(pdu, now, trace)

    def failure(self, adu: bytes) -> bytes:
        """The reply to a frame that met a bug of ours: exception 04, server device failure."""
        return _exception(adu, SERVER_DEVICE_FAILURE)

    def refusal(self, adu: bytes, status: tuple[int, ...]) -> bytes:
        """The reply to a frame that is to be refused with a CIP status: the exception that comes nearest to it."""
        return _exception(adu, exception_of(*status))

    def _prepare(self, adu: bytes, unit: Unit, pdu: bytes) -> None:
        request = decode_request(pdu)
        if not isinstance(request, Read):
            return
        if len(self.readers) >= READERS_LIMIT:
            self.readers.clear()
        read = unit.bank.reader(READ_TABLES[request.function], request.address, request.quantity)
        self.readers[adu[2:]] = _framed(read, adu[6], request, unit.counters)


def _exception(adu: bytes, code: int) -> bytes:
    transaction, _, _, unit_id = MBAP.unpack_from(adu)
    return MBAP.pack(transaction, 0, 3, unit_id) + encode_exception(adu[HEADER_SIZE], code)


def _framed(read: Reader, unit_id: int, request: Read, counters: Counters) -> Callable[[float], bytes]:
    bits = request.function in (READ_COILS, READ_DISCRETE_INPUTS)
    size = (request.quantity + 7) // 8 if bits else 2 * request.quantity
    head = MBAP.pack(0, 0, size + 3, unit_id)[2:] + bytes((request.function, size))

    def answer(now: float) -> bytes:
        reply = head + read(now)
        counters.quick += 1
        return reply

    return answer
