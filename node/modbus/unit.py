"""Unit ids: one device that answers PDUs, and the devices behind one port.

A simulator that answers every unit id there is shows a scanner 247 devices where one stands; so only what is
configured answers, and an id that nobody has gets what a gateway says of a silent device: exception 0B, the target
did not respond. (Silence is allowed too, but then a mistyped id looks like a dead machine.) Where exactly one unit is
configured it is the device itself, and answers to 0 and 255 as well.

What a write meets, in words of Modbus: an address that is not there, a tag that may not be written, or one whose
source refuses is 02; a value that the tag's type cannot hold, or a tag in error, is 04 (03 is for the form of a
request only). A write that fails has changed nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from node.cip.status import SUCCESS, CipError
from node.errors import NodeError
from node.memory.access import Access
from node.memory.attribute import Attribute
from node.memory.part import Part
from node.memory.tag_gate import onlooking
from node.memory.view import Reader
from node.modbus.adu import HEADER_SIZE, MBAP
from node.modbus.bank import RegisterBank
from node.modbus.exceptions import exception_of
from node.modbus.identification import Identification, IdentificationRequest
from node.modbus.pdu import (
    COIL_ON,
    GATEWAY_TARGET_FAILED,
    ILLEGAL_DATA_ADDRESS,
    ILLEGAL_FUNCTION,
    READ_COILS,
    READ_DISCRETE_INPUTS,
    READ_HOLDING_REGISTERS,
    READ_INPUT_REGISTERS,
    SERVER_DEVICE_FAILURE,
    WRITE_COIL,
    WRITE_COILS,
    DataReply,
    MaskWrite,
    ModbusError,
    Read,
    ReadWrite,
    Reply,
    Request,
    WriteMultiple,
    WriteSingle,
    WrittenReply,
    decode_request,
    encode_exception,
    encode_reply,
)
from node.modbus.ranges import COILS, DISCRETE, HOLDING, INPUT

READ_TABLES = {
    READ_COILS: COILS,
    READ_DISCRETE_INPUTS: DISCRETE,
    READ_HOLDING_REGISTERS: HOLDING,
    READ_INPUT_REGISTERS: INPUT,
}
DEVICE_ITSELF = (0, 255)
"""Unit ids that mean the device at this address, not one behind it."""

READERS_LIMIT = 1024
"""Prepared reads that one port keeps; a peer that asks for ever other ranges makes it begin again."""

READ_REQUEST_SIZE = 12
"""Bytes of a whole frame that reads."""


class Unit:
    """One device: its registers, and who it says it is (None: it does not know function 43)."""

    __slots__ = ("bank", "identification")

    def __init__(self, bank: RegisterBank, identification: Identification | None = None) -> None:
        self.bank = bank
        self.identification = identification

    def answer(self, pdu: bytes, now: float, trace: list[Access] | None = None) -> bytes:
        """The reply PDU of a request PDU; every fault of a request is an exception reply. `trace` takes the accesses
        to tags. Raises only for a bug."""
        status = SUCCESS
        try:
            reply = encode_reply(self._serve(pdu, now))
        except ModbusError as exc:
            return encode_exception(pdu[0], exc.code)
        except CipError as exc:
            status = exc.general
            reply = encode_exception(pdu[0], exception_of(status))
        if trace is not None:
            trace += self._accesses(pdu, status, now)
        return reply

    def _serve(self, pdu: bytes, now: float) -> Reply:
        request = decode_request(pdu)
        bank = self.bank
        match request:
            case Read(function, address, quantity):
                return DataReply(function, bank.reader(READ_TABLES[function], address, quantity)(now))
            case WriteSingle(function, address, value):
                if function == WRITE_COIL:
                    bank.write_coils(address, 1, int(value == COIL_ON), now)
                else:
                    bank.write_registers(address, value.to_bytes(2, "big"), now)
                return request
            case WriteMultiple(function, address, quantity, data):
                if function == WRITE_COILS:
                    bank.write_coils(address, quantity, int.from_bytes(data, "little"), now)
                else:
                    bank.write_registers(address, data, now)
                return WrittenReply(function, address, quantity)
            case MaskWrite(address, and_mask, or_mask):
                old = int.from_bytes(bank.held(address, now), "big")
                new = old & and_mask | or_mask & ~and_mask
                bank.write_registers(address, new.to_bytes(2, "big"), now)
                return request
            case ReadWrite(address, quantity, write_address, data):
                read = bank.reader(HOLDING, address, quantity)
                bank.write_registers(write_address, data, now)
                return DataReply(pdu[0], read(now))
            case IdentificationRequest():
                return self._identify(request)

    def _accesses(self, pdu: bytes, status: int, now: float) -> Iterator[Access]:
        for table, start, count, writing in _parts(decode_request(pdu)):
            for attribute, first, last in self.bank.spans(table, start, count):
                data = b"" if status else _passed(attribute, first, last, writing, now)
                yield Access(attribute, first, last, writing, data, status)

    def _identify(self, request: IdentificationRequest) -> Reply:
        if self.identification is None:
            raise ModbusError(ILLEGAL_FUNCTION, "this device has no identification")
        reply = self.identification.answer(request)
        if reply is None:
            raise ModbusError(ILLEGAL_DATA_ADDRESS, f"no identification object {request.object_id}")
        return reply


def _passed(attribute: Attribute, first: int, last: int, writing: bool, now: float) -> bytes:
    """The elements that were read or written: as the client saw them, or as it left them. Nothing is decided anew."""
    if writing:
        return attribute.encode(attribute[first:last])
    with onlooking(attribute.root if isinstance(attribute, Part) else attribute):
        return attribute.dump(first, last, now)


def _parts(request: Request) -> list[tuple[str, int, int, bool]]:
    """What a request touches: table, address, count, and whether it is written."""
    match request:
        case Read(function, address, quantity):
            return [(READ_TABLES[function], address, quantity, False)]
        case WriteSingle(function, address, _):
            return [(COILS if function == WRITE_COIL else HOLDING, address, 1, True)]
        case WriteMultiple(function, address, quantity, _):
            return [(COILS if function == WRITE_COILS else HOLDING, address, quantity, True)]
        case MaskWrite(address, _, _):
            return [(HOLDING, address, 1, True)]
        case ReadWrite(address, quantity, write_address, data):
            return [(HOLDING, write_address, len(data) // 2, True), (HOLDING, address, quantity, False)]
        case IdentificationRequest():
            return []


class Units:
    """The devices behind one port, by unit id. Raises `NodeError` for an id that is not 0 to 255.

    `readers` holds reads prepared by their bytes: a whole frame without its transaction id, to a callable that takes
    `now` and gives the reply without its transaction id. A server may look there first; it must take any exception
    for "ask `answer`". It is emptied, never replaced.
    """

    def __init__(self, units: Mapping[int, Unit]) -> None:
        for unit_id in units:
            if not 0 <= unit_id <= 255:
                raise NodeError(f"unit id {unit_id}; there are 0 to 255")
        self.configured = dict(units)
        self._units = dict(units)
        if len(units) == 1:
            self._units |= dict.fromkeys(DEVICE_ITSELF, *units.values())
        self.readers: dict[bytes, Callable[[float], bytes]] = {}
        for unit in units.values():
            unit.bank.watch(self.readers.clear)

    def answer(self, adu: bytes, now: float, trace: list[Access] | None = None) -> bytes:
        """The reply to one whole frame as `TcpFramer` gives it. `trace` takes the accesses to tags."""
        if trace is None and (known := self.readers.get(adu[2:])) is not None:
            with suppress(CipError):  # a tag in error: the whole way has the words for it
                return adu[:2] + known(now)
        transaction, _, _, unit_id = MBAP.unpack_from(adu)
        unit = self._units.get(unit_id)
        pdu = adu[HEADER_SIZE:]
        if unit is None:
            reply = encode_exception(pdu[0], GATEWAY_TARGET_FAILED)
        else:
            reply = unit.answer(pdu, now, trace)
            if len(adu) == READ_REQUEST_SIZE and pdu[0] in READ_TABLES and reply[0] == pdu[0]:
                self._prepare(adu, unit, pdu)
        return MBAP.pack(transaction, 0, len(reply) + 1, unit_id) + reply

    def failure(self, adu: bytes) -> bytes:
        """The reply to a frame that met a bug of ours: exception 04, server device failure."""
        return _exception(adu, SERVER_DEVICE_FAILURE)

    def refusal(self, adu: bytes, status: tuple[int, ...]) -> bytes:
        """The reply to a frame that is to be refused with a CIP status: the exception that comes nearest to it."""
        return _exception(adu, exception_of(status[0]))

    def _prepare(self, adu: bytes, unit: Unit, pdu: bytes) -> None:
        request = decode_request(pdu)
        if not isinstance(request, Read):
            return
        if len(self.readers) >= READERS_LIMIT:
            self.readers.clear()
        read = unit.bank.reader(READ_TABLES[request.function], request.address, request.quantity)
        self.readers[adu[2:]] = _framed(read, adu[6], request)


def _exception(adu: bytes, code: int) -> bytes:
    transaction, _, _, unit_id = MBAP.unpack_from(adu)
    return MBAP.pack(transaction, 0, 3, unit_id) + encode_exception(adu[HEADER_SIZE], code)


def _framed(read: Reader, unit_id: int, request: Read) -> Callable[[float], bytes]:
    bits = request.function in (READ_COILS, READ_DISCRETE_INPUTS)
    size = (request.quantity + 7) // 8 if bits else 2 * request.quantity
    head = MBAP.pack(0, 0, size + 3, unit_id)[2:] + bytes((request.function, size))

    def answer(now: float) -> bytes:
        return head + read(now)

    return answer
