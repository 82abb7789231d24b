"""Modbus frames taken apart: over TCP (MBAP), on a line as RTU or ASCII, and the PDU in each."""

from __future__ import annotations

from node.capture.line import listed
from node.capture.parts import Part, Reader, Spoilt
from node.errors import NodeError
from node.modbus.adu import LENGTH_LIMITS, PDU_LIMIT
from node.modbus.ascii import CR, LF, START, lrc
from node.modbus.functions import (
    COMM_EVENT_COUNTER,
    COMM_EVENT_LOG,
    DIAGNOSTICS,
    ENCAPSULATED_INTERFACE,
    EXCEPTION,
    EXCEPTIONS,
    FUNCTIONS,
    MASK_WRITE_REGISTER,
    READ_DEVICE_IDENTIFICATION,
    READ_EXCEPTION_STATUS,
    READ_FIFO_QUEUE,
    READ_FILE_RECORD,
    READ_WRITE_REGISTERS,
    REPORT_SERVER_ID,
    WRITE_COIL,
    WRITE_COILS,
    WRITE_FILE_RECORD,
    WRITE_REGISTER,
    WRITE_REGISTERS,
)
from node.modbus.identification import OBJECTS
from node.modbus.lengths import CHECK_SIZE, reply_size, request_size
from node.modbus.pdu import COIL_OFF, COIL_ON, READ_LIMITS, READ_TABLES, decode_reply, decode_request
from node.modbus.ranges import COILS, HOLDING, register_text
from node.modbus.records import REFERENCE
from node.modbus.rtu import crc16

END = 65536
_HEX = b"0123456789ABCDEFabcdef"


def take_adus(reader: Reader, reply: bool | None = None) -> None:
    """All Modbus/TCP frames that there are. `reply`: whether they are replies, None to see by their form. Raises
    `Spoilt`."""
    while reader.left:
        with reader.part("Modbus/TCP frame"):
            reader.number(2, "transaction id", big=True)
            protocol = reader.number(2, "protocol id", big=True)
            if protocol:
                raise reader.back(2, "protocol 0", str(protocol))
            length = reader.number(2, "length", big=True)
            low, high = LENGTH_LIMITS
            if not low <= length <= high:
                raise reader.back(2, f"a length from {low} to {high}", str(length))
            if length > reader.left:
                got = f"the end, after {reader.left} of them"
                raise Spoilt(reader.end, f"{length} bytes, as the length at byte {reader.at - 2} says,", got)
            reader.number(1, "unit")
            with reader.part("PDU", "", length - 1):
                take_pdu(reader, reply)


def take_rtu(reader: Reader, reply: bool | None = None) -> None:
    """All RTU frames that there are: what their function says of their length, and two bytes of check."""
    while reader.left:
        size = _rtu_size(reader, reply)
        with reader.part("RTU frame", "", size):
            reader.number(1, "station")
            body = reader.left - CHECK_SIZE
            if body < 1:
                raise Spoilt(reader.end, "a function and two bytes of check", f"{reader.left} bytes")
            wanted = crc16(reader.data[reader.at - 1 : reader.end - CHECK_SIZE])
            with reader.part("PDU", "", body):
                take_pdu(reader, reply)
            found = reader.number(CHECK_SIZE, "CRC", hexadecimal=True)
            if found != wanted:
                raise reader.back(
                    CHECK_SIZE, wanted.to_bytes(2, "little").hex(" "), found.to_bytes(2, "little").hex(" ")
                )


def _rtu_size(reader: Reader, reply: bool | None) -> int:
    """Bytes of the next frame: a length whose check fits, else all there are."""
    for sized in (request_size, reply_size) if not reply else (reply_size, request_size):
        size = sized(reader.data, reader.at)
        if 0 < size <= reader.left and not crc16(reader.data[reader.at : reader.at + size]):
            return size
    return reader.left


def take_ascii(reader: Reader, reply: bool | None = None) -> None:
    """All ASCII frames that there are: from a colon to CR LF, two digits a byte."""
    while reader.left:
        with reader.part("ASCII frame"):
            if reader.raw(1, "start", ":")[0] != START:
                raise reader.back(1, "a colon", repr(chr(reader.data[reader.at - 1])))
            begun = reader.at
            digits = _digits(reader)
            body = bytes.fromhex(digits.decode())
            if len(body) < 3:
                raise Spoilt(reader.at, "a station, a function and a check", f"{len(body)} bytes")
            _take_body(reader, begun, body, reply)
            if lrc(body):
                reader.at = begun + len(digits)
                raise reader.back(2, f"{lrc(body[:-1]):02X}", f"{body[-1]:02X}")
            for code, name in ((CR, "CR"), (LF, "LF")):
                if reader.raw(1, name, name)[0] != code:
                    raise reader.back(1, name, f"0x{reader.data[reader.at - 1]:02X}")


def _digits(reader: Reader) -> bytes:
    at = reader.at
    while at < reader.end and reader.data[at] in _HEX:
        at += 1
    if (at - reader.at) % 2:
        got = "the end" if at == reader.end else f"0x{reader.data[at]:02X}"
        raise Spoilt(at, "a second hexadecimal digit", got)
    return reader.data[reader.at : at]


def _take_body(reader: Reader, begun: int, body: bytes, reply: bool | None) -> None:
    """What the digits from `begun` on mean, at the offsets of the digits."""
    inner = Reader(body)
    fault = None
    try:
        inner.number(1, "station")
        with inner.part("PDU", "", len(body) - 2):
            take_pdu(inner, reply)
        inner.number(1, "LRC", hexadecimal=True)
    except Spoilt as exc:
        fault = Spoilt(begun + 2 * exc.offset, exc.wanted, exc.got)
    depth = reader.parts[-1].depth
    reader.parts += [
        Part(begun + 2 * part.offset, 2 * part.size, part.depth + depth, part.name, part.value) for part in inner.parts
    ]
    if fault is not None:
        raise fault
    reader.at = begun + 2 * len(body)


def take_pdu(reader: Reader, reply: bool | None = None) -> None:
    """A PDU, to the end of the part that is read. Raises `Spoilt`."""
    pdu = reader.data[reader.at : reader.end]
    if reply is None:
        reply = _is_reply(pdu)
    function = reader.number(1, "function", FUNCTIONS | {code | EXCEPTION: name for code, name in FUNCTIONS.items()})
    asked = function & ~EXCEPTION
    if asked not in FUNCTIONS:
        raise reader.back(1, "a function that Modbus has", str(asked))
    if len(pdu) > PDU_LIMIT:
        raise Spoilt(reader.at - 1 + PDU_LIMIT, f"a PDU of at most {PDU_LIMIT} bytes", f"one of {len(pdu)}")
    if function & EXCEPTION:
        reader.amend(f"exception to {FUNCTIONS[asked]} (0x{function:02X})")
        reader.number(1, "exception", EXCEPTIONS)
    elif reply:
        _take_reply(reader, function)
    else:
        _take_request(reader, function)
    if reader.left:
        raise Spoilt(reader.at, "the end of the PDU", f"{reader.left} bytes more")


def _is_reply(pdu: bytes) -> bool:
    """Whether it can be a reply only; what can be both is a request."""
    try:
        decode_request(pdu)
    except NodeError:
        try:
            decode_reply(pdu)
        except NodeError:
            return bool(pdu) and bool(pdu[0] & EXCEPTION)
        return True
    return False


def _take_request(reader: Reader, function: int) -> None:
    if function in READ_LIMITS:
        _take_span(reader, READ_TABLES[function], READ_LIMITS[function])
    elif function in (WRITE_COILS, WRITE_REGISTERS):
        coils = function == WRITE_COILS
        quantity = _take_span(reader, COILS if coils else HOLDING, 1968 if coils else 123)
        _take_values(reader, bits=coils, size=(quantity + 7) // 8 if coils else 2 * quantity, quantity=quantity)
    elif function == READ_WRITE_REGISTERS:
        _take_span(reader, HOLDING, 125, "read")
        quantity = _take_span(reader, HOLDING, 121, "write")
        _take_values(reader, bits=False, size=2 * quantity)
    elif function == READ_FIFO_QUEUE:
        _take_address(reader, HOLDING)
    elif function in (READ_FILE_RECORD, WRITE_FILE_RECORD):
        _take_records(reader, data=function == WRITE_FILE_RECORD)
    elif function == ENCAPSULATED_INTERFACE:
        _take_interface(reader)
        reader.number(1, "code")
        reader.number(1, "object", OBJECTS)
    else:
        _take_alike(reader, function)


def _take_reply(reader: Reader, function: int) -> None:
    if function in READ_LIMITS or function == READ_WRITE_REGISTERS:
        _take_values(reader, bits=function in (1, 2))
    elif function in (WRITE_COILS, WRITE_REGISTERS):
        _take_span(reader, COILS if function == WRITE_COILS else HOLDING, END)
    elif function == READ_EXCEPTION_STATUS:
        reader.number(1, "status", hexadecimal=True)
    elif function == COMM_EVENT_COUNTER:
        reader.number(2, "status", big=True, hexadecimal=True)
        reader.number(2, "events", big=True)
    elif function == COMM_EVENT_LOG:
        size = reader.number(1, "byte count")
        with reader.part("log", "", size):
            for name in ("status", "events", "messages"):
                reader.number(2, name, big=True)
            reader.raw(reader.left, "event log")
    elif function == REPORT_SERVER_ID:
        size = reader.number(1, "byte count")
        reader.raw(size, "server id")
    elif function == READ_FILE_RECORD:
        size = reader.number(1, "byte count")
        with reader.part("groups", "", size):
            while reader.left:
                length = reader.number(1, "group size")
                _take_reference(reader)
                reader.raw(max(length - 1, 0), "records")
    elif function == WRITE_FILE_RECORD:
        _take_records(reader, data=True)
    elif function == READ_FIFO_QUEUE:
        reader.number(2, "byte count", big=True)
        count = reader.number(2, "registers", big=True)
        reader.raw(2 * count, "queue")
    elif function == ENCAPSULATED_INTERFACE:
        _take_identification(reader)
    else:
        _take_alike(reader, function)


def _take_alike(reader: Reader, function: int) -> None:
    """What request and reply have alike."""
    if function in (WRITE_COIL, WRITE_REGISTER):
        _take_address(reader, COILS if function == WRITE_COIL else HOLDING)
        value = reader.number(2, "value", big=True)
        if function == WRITE_COIL:
            if value not in (COIL_ON, COIL_OFF):
                raise reader.back(2, "FF00 or 0000", f"{value:04X}")
            reader.amend("on" if value == COIL_ON else "off")
    elif function == MASK_WRITE_REGISTER:
        _take_address(reader, HOLDING)
        reader.number(2, "and mask", big=True, hexadecimal=True)
        reader.number(2, "or mask", big=True, hexadecimal=True)
    elif function == DIAGNOSTICS:
        reader.number(2, "sub-function", big=True)
        if not reader.left:
            raise Spoilt(reader.at, "a word of data", "the end")
        reader.raw(reader.left, "data")


def _take_address(reader: Reader, table: str) -> int:
    address = reader.number(2, "address", big=True)
    reader.amend(f"{address}, which is {register_text(table, address, 1)}")
    return address


def _take_span(reader: Reader, table: str, most: int, what: str = "") -> int:
    """Address and quantity; the quantity."""
    prefix = f"{what} " if what else ""
    address = reader.number(2, f"{prefix}address", big=True)
    reader.amend(f"{address}, which is {register_text(table, address, 1)}")
    quantity = reader.number(2, f"{prefix}quantity", big=True)
    if not 1 <= quantity <= most:
        raise reader.back(2, f"a quantity from 1 to {most}", str(quantity))
    return quantity


def _take_values(reader: Reader, *, bits: bool, size: int | None = None, quantity: int = 0) -> None:
    """A count of bytes, which must be `size` where that is known, and the values."""
    count = reader.number(1, "byte count")
    if size is not None and count != size:
        raise reader.back(1, f"{size} bytes", str(count))
    if not bits and count % 2:
        raise reader.back(1, "an even number of bytes, two a register,", str(count))
    data = reader.raw(count, "coils" if bits else "registers")
    if bits and count:
        many = quantity or 8 * count
        reader.amend(listed((int.from_bytes(data, "little") >> at & 1 for at in range(many)), many))
    elif count:
        reader.amend(listed((data[at] << 8 | data[at + 1] for at in range(0, count, 2)), count // 2))


def _take_records(reader: Reader, *, data: bool) -> None:
    size = reader.number(1, "byte count")
    with reader.part("groups", "", size):
        while reader.left:
            _take_reference(reader)
            reader.number(2, "file", big=True)
            reader.number(2, "record", big=True)
            length = reader.number(2, "registers", big=True)
            if data:
                reader.raw(2 * length, "records")


def _take_reference(reader: Reader) -> None:
    reference = reader.number(1, "reference type")
    if reference != REFERENCE:
        raise reader.back(1, f"reference type {REFERENCE}", str(reference))


def _take_interface(reader: Reader) -> None:
    kind = reader.number(1, "MEI type")
    if kind != READ_DEVICE_IDENTIFICATION:
        raise reader.back(1, f"MEI type {READ_DEVICE_IDENTIFICATION}", str(kind))


def _take_identification(reader: Reader) -> None:
    _take_interface(reader)
    reader.number(1, "code")
    reader.number(1, "conformity", hexadecimal=True)
    reader.number(1, "more follow", hexadecimal=True)
    reader.number(1, "next object")
    for _ in range(reader.number(1, "objects")):
        reader.number(1, "object", OBJECTS)
        text = reader.raw(reader.number(1, "length"), "text")
        if text:
            reader.amend(text.decode("latin-1"))
