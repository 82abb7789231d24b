"""Files of records and queues: functions 20, 21 and 24.

    function                request after its code                          reply after its code
    20 read file record     n, groups of 6 file record length               n, groups of (size 6 data)
    21 write file record    n, groups of 6 file record length data          the same
    24 read FIFO queue      address                                         bytes count, count registers

n, the reference type 6 and a reply's size (1 + bytes of data) have one byte, all else two, big-endian; lengths count
registers. Modbus Application Protocol 1.1b3, 6.14, 6.15 and 6.18.
"""

from struct import Struct

from node.errors import LocalProtocolError, RemoteProtocolError
from node.modbus.functions import (
    ILLEGAL_DATA_ADDRESS,
    READ_FIFO_QUEUE,
    READ_FILE_RECORD,
    WRITE_FILE_RECORD,
    ModbusError,
    need,
)
from node.record import dataclass

REFERENCE = 6
"""The one reference type that there is."""
RECORDS = 10_000
"""Records of a file; their numbers begin at 0."""
READ_BYTES = (7, 0xF5)
"""Least and most bytes of the groups of function 20, request and reply."""
WRITE_BYTES = (9, 0xFB)
FIFO_LIMIT = 31
"""Registers of a queue that can be read; a longer one is exception 03."""

_GROUP = Struct(">BHHH")
_FIFO = Struct(">BH")
_FIFO_HEAD = Struct(">BHH")


@dataclass(slots=True)
class FileRead:
    """Function 20: (file, first record, registers) each."""

    parts: tuple[tuple[int, int, int], ...]


@dataclass(slots=True)
class FileData:
    """Its reply: the registers of each part, big-endian."""

    parts: tuple[bytes, ...]


@dataclass(slots=True)
class FileWrite:
    """Function 21, request and reply: (file, first record, registers big-endian) each."""

    parts: tuple[tuple[int, int, bytes], ...]


@dataclass(slots=True)
class FifoRead:
    """Function 24: `address` is that of the queue's pointer."""

    address: int


@dataclass(slots=True)
class FifoData:
    """Its reply: the registers that wait, big-endian, the oldest first."""

    data: bytes


RecordRequest = FileRead | FileWrite | FifoRead
RecordReply = FileData | FileWrite | FifoData


def encode_record_request(request: RecordRequest) -> bytes:
    """The PDU. Values are taken as they are. Raises `LocalProtocolError` when a byte cannot count them."""
    match request:
        case FileRead(parts):
            return _counted(READ_FILE_RECORD, b"".join(_GROUP.pack(REFERENCE, *part) for part in parts))
        case FileWrite(parts):
            groups = (_GROUP.pack(REFERENCE, file, record, len(data) // 2) + data for file, record, data in parts)
            return _counted(WRITE_FILE_RECORD, b"".join(groups))
        case FifoRead(address):
            return _FIFO.pack(READ_FIFO_QUEUE, address)


def decode_record_request(pdu: bytes) -> RecordRequest:
    """The request of function 20, 21 or 24. Raises `ModbusError` 03 for lengths that do not agree, and 02 for a
    reference type, a file or a record that no device has."""
    function = pdu[0]
    if function == READ_FIFO_QUEUE:
        need(len(pdu) == _FIFO.size, "a read of a queue of the wrong length")
        return FifoRead(_FIFO.unpack(pdu)[1])
    least, most = READ_BYTES if function == READ_FILE_RECORD else WRITE_BYTES
    need(len(pdu) > 1 and least <= pdu[1] <= most and len(pdu) == 2 + pdu[1], "a byte count that does not fit")
    if function == READ_FILE_RECORD:
        need(pdu[1] % _GROUP.size == 0, f"{pdu[1]} bytes of groups of {_GROUP.size}")
        asked = tuple(_place(*group) for group in _GROUP.iter_unpack(pdu[2:]))
        size = sum(2 + 2 * length for _, _, length in asked)
        need(size <= READ_BYTES[1], f"records whose reply would have {size} bytes")
        return FileRead(asked)
    given: list[tuple[int, int, bytes]] = []
    at, end = 2, len(pdu)
    while at < end:
        need(end - at >= _GROUP.size, "a group that is cut off")
        file, record, length = _place(*_GROUP.unpack_from(pdu, at))
        at += _GROUP.size
        need(end - at >= 2 * length, f"a group of {length} registers that is cut off")
        given.append((file, record, pdu[at : at + 2 * length]))
        at += 2 * length
    return FileWrite(tuple(given))


def _place(reference: int, file: int, record: int, length: int) -> tuple[int, int, int]:
    need(length > 0, "a group of no registers")
    if reference != REFERENCE or file == 0 or record + length > RECORDS:
        raise ModbusError(ILLEGAL_DATA_ADDRESS, f"reference {reference}, file {file}, records {record} and {length} on")
    return file, record, length


def encode_record_reply(reply: RecordReply) -> bytes:
    """The PDU. Raises `LocalProtocolError` when it holds more than fits."""
    match reply:
        case FileData(parts):
            groups = (bytes((1 + len(data), REFERENCE)) + data for data in parts)
            return _counted(READ_FILE_RECORD, b"".join(groups))
        case FileWrite():
            return encode_record_request(reply)
        case FifoData(data):
            if len(data) > 2 * FIFO_LIMIT:
                raise LocalProtocolError(f"a queue of {len(data) // 2} registers; {FIFO_LIMIT} can be read")
            return _FIFO_HEAD.pack(READ_FIFO_QUEUE, 2 + len(data), len(data) // 2) + data


def decode_record_reply(pdu: bytes) -> RecordReply:
    """The same back. Raises `RemoteProtocolError` when lengths do not agree with the bytes."""
    if pdu[0] == READ_FIFO_QUEUE:
        if len(pdu) < _FIFO_HEAD.size:
            raise RemoteProtocolError(f"a queue in {len(pdu)} bytes; the shortest has {_FIFO_HEAD.size}")
        _, size, count = _FIFO_HEAD.unpack_from(pdu)
        if size != len(pdu) - 3 or size != 2 + 2 * count:
            raise RemoteProtocolError(f"a queue of {count} registers and {size} bytes in {len(pdu)}")
        return FifoData(pdu[_FIFO_HEAD.size :])
    if len(pdu) != 2 + pdu[1]:
        raise RemoteProtocolError(f"records of {pdu[1]} bytes in a reply of {len(pdu)}")
    if pdu[0] == WRITE_FILE_RECORD:
        try:
            echoed = decode_record_request(pdu)
        except ModbusError as exc:
            raise RemoteProtocolError(f"written records that cannot be: {exc}") from exc
        assert isinstance(echoed, FileWrite)
        return echoed
    parts: list[bytes] = []
    at, end = 2, len(pdu)
    while at < end:
        size = pdu[at]
        if size < 1 or end - at < 1 + size or pdu[at + 1] != REFERENCE:
            raise RemoteProtocolError(f"records that end in group {len(parts)}")
        parts.append(pdu[at + 2 : at + 1 + size])
        at += 1 + size
    return FileData(tuple(parts))


def _counted(function: int, body: bytes) -> bytes:
    if len(body) > 0xFF:
        raise LocalProtocolError(f"{len(body)} bytes of records; a byte counts 255")
    return bytes((function, len(body))) + body
