"""Modbus PDUs, requests and replies, both directions: a server's bytes and a client's are each other's test.

    function                        request after its code              reply after its code
    1  read coils                   address quantity                    n, n bytes (first bit is the lowest)
    2  read discrete inputs         address quantity                    n, n bytes
    3  read holding registers       address quantity                    n, n bytes (registers big-endian)
    4  read input registers         address quantity                    n, n bytes
    5  write one coil               address FF00|0000                   the same
    6  write one register           address value                       the same
    15 write coils                  address quantity n, n bytes         address quantity
    16 write registers              address quantity n, n bytes         address quantity
    7, 8, 11, 12, 17                `node.modbus.diagnostics`
    20, 21, 24                      `node.modbus.records`
    22 mask write register          address and or                      the same
    23 read and write registers     address quantity  address quantity  n, n bytes
                                    n, n bytes (the write comes first)
    43 read device identification   14 code object                      14 code conformity more next count,
                                                                        count x (object, length, text)
    +128 exception                                                      code

Address, quantity, value, and, or: two bytes; n, object and the codes: one. Everything is big-endian.
`decode_request` applies the checks of form in the order a device must: function known (01), then quantity, byte
count, value and length (03); whether an address exists (02) is for whoever has the registers.
Modbus Application Protocol 1.1b3, 6 and 7.
"""

from struct import Struct

from node.errors import LocalProtocolError, RemoteProtocolError
from node.modbus.diagnostics import (
    ANSWERS,
    BARE,
    COUNTED,
    Bare,
    DiagnosticReply,
    DiagnosticRequest,
    Diagnostics,
    EventCounter,
    EventLog,
    ExceptionStatus,
    ServerId,
    decode_diagnostic_reply,
    decode_diagnostic_request,
    encode_diagnostic_reply,
    encode_diagnostic_request,
)
from node.modbus.functions import (
    DIAGNOSTICS,
    ENCAPSULATED_INTERFACE,
    EXCEPTION,
    FUNCTIONS,
    ILLEGAL_FUNCTION,
    MASK_WRITE_REGISTER,
    READ_COILS,
    READ_DEVICE_IDENTIFICATION,
    READ_DISCRETE_INPUTS,
    READ_FIFO_QUEUE,
    READ_FILE_RECORD,
    READ_HOLDING_REGISTERS,
    READ_INPUT_REGISTERS,
    READ_WRITE_REGISTERS,
    WRITE_COIL,
    WRITE_COILS,
    WRITE_FILE_RECORD,
    WRITE_REGISTER,
    WRITE_REGISTERS,
    ModbusError,
    encode_exception,
    need,
)
from node.modbus.identification import (
    IdentificationReply,
    IdentificationRequest,
    decode_identification_reply,
    encode_identification_reply,
)
from node.modbus.ranges import COILS, DISCRETE, HOLDING, INPUT
from node.modbus.records import (
    FifoData,
    FifoRead,
    FileData,
    FileRead,
    FileWrite,
    RecordReply,
    RecordRequest,
    decode_record_reply,
    decode_record_request,
    encode_record_reply,
    encode_record_request,
)
from node.record import dataclass

READ_TABLES = {
    READ_COILS: COILS,
    READ_DISCRETE_INPUTS: DISCRETE,
    READ_HOLDING_REGISTERS: HOLDING,
    READ_INPUT_REGISTERS: INPUT,
}
READ_FUNCTIONS = {table: function for function, table in READ_TABLES.items()}
READ_LIMITS = {READ_COILS: 2000, READ_DISCRETE_INPUTS: 2000, READ_HOLDING_REGISTERS: 125, READ_INPUT_REGISTERS: 125}
"""Most coils or registers of one read."""
WRITE_COILS_LIMIT = 1968
WRITE_REGISTERS_LIMIT = 123
READ_WRITE_LIMIT = 121
"""Most registers that function 23 writes; it reads 125."""

COIL_ON = 0xFF00
COIL_OFF = 0x0000

_READ = Struct(">BHH")
_WRITE = Struct(">BHHB")
_MASK = Struct(">BHHH")
_READ_WRITE = Struct(">BHHHHB")
_IDENTIFY = Struct(">BBBB")


@dataclass(slots=True)
class Read:
    """Functions 1 to 4."""

    function: int
    address: int
    quantity: int


@dataclass(slots=True)
class WriteSingle:
    """Functions 5 and 6, request and reply: `value` is a register, or for a coil FF00 or 0."""

    function: int
    address: int
    value: int


@dataclass(slots=True)
class WriteMultiple:
    """Functions 15 and 16: `data` as it travels, coils packed from the lowest bit up, registers big-endian."""

    function: int
    address: int
    quantity: int
    data: bytes


@dataclass(slots=True)
class MaskWrite:
    """Function 22, request and reply: new = (old and `and_mask`) or (`or_mask` and not `and_mask`)."""

    address: int
    and_mask: int
    or_mask: int


@dataclass(slots=True)
class ReadWrite:
    """Function 23: `data` is written at `write_address`, then `quantity` registers from `address` are read."""

    address: int
    quantity: int
    write_address: int
    data: bytes


@dataclass(slots=True)
class DataReply:
    """The answer to functions 1 to 4 and 23: `data` as it travels."""

    function: int
    data: bytes


@dataclass(slots=True)
class WrittenReply:
    """The answer to functions 15 and 16."""

    function: int
    address: int
    quantity: int


@dataclass(slots=True)
class ExceptionReply:
    """`function` as it was asked, without the 0x80."""

    function: int
    code: int


RegisterRequest = Read | WriteSingle | WriteMultiple | MaskWrite | ReadWrite
Request = RegisterRequest | IdentificationRequest | DiagnosticRequest | RecordRequest
Reply = (
    DataReply
    | WriteSingle
    | WrittenReply
    | MaskWrite
    | IdentificationReply
    | ExceptionReply
    | DiagnosticReply
    | RecordReply
)

DIAGNOSTIC = (*BARE, DIAGNOSTICS)
RECORDS = (READ_FILE_RECORD, WRITE_FILE_RECORD, READ_FIFO_QUEUE)
"""Functions of `node.modbus.diagnostics` and of `node.modbus.records`."""


def function_of(request: Request) -> int:
    """The function code that carries `request`."""
    if isinstance(request, MaskWrite):
        return MASK_WRITE_REGISTER
    if isinstance(request, ReadWrite):
        return READ_WRITE_REGISTERS
    if isinstance(request, IdentificationRequest):
        return ENCAPSULATED_INTERFACE
    if isinstance(request, Diagnostics):
        return DIAGNOSTICS
    if isinstance(request, FileRead | FileWrite | FifoRead):
        return {FileRead: READ_FILE_RECORD, FileWrite: WRITE_FILE_RECORD, FifoRead: READ_FIFO_QUEUE}[type(request)]
    return request.function


def encode_request(request: Request) -> bytes:
    """The PDU of a request. Values are taken as they are, so that a test can send what a device must refuse."""
    match request:
        case Read(function, address, quantity):
            return _READ.pack(function, address, quantity)
        case WriteSingle(function, address, value):
            return _READ.pack(function, address, value)
        case WriteMultiple(function, address, quantity, data):
            return _WRITE.pack(function, address, quantity, len(data)) + data
        case MaskWrite(address, and_mask, or_mask):
            return _MASK.pack(MASK_WRITE_REGISTER, address, and_mask, or_mask)
        case ReadWrite(address, quantity, write_address, data):
            head = (READ_WRITE_REGISTERS, address, quantity, write_address, len(data) // 2, len(data))
            return _READ_WRITE.pack(*head) + data
        case IdentificationRequest(code, object_id):
            return _IDENTIFY.pack(ENCAPSULATED_INTERFACE, READ_DEVICE_IDENTIFICATION, code, object_id)
        case Bare() | Diagnostics():
            return encode_diagnostic_request(request)
        case FileRead() | FileWrite() | FifoRead():
            return encode_record_request(request)


def decode_request(pdu: bytes) -> Request:
    """A request, its form checked. Raises `ModbusError` 01 for a function that is not known here and 03 for a
    quantity, byte count, value or length that the function does not allow."""
    function = pdu[0] if pdu else 0
    if function not in FUNCTIONS:
        raise ModbusError(ILLEGAL_FUNCTION, f"function {function} is not supported")
    if function in READ_LIMITS:
        return _decode_read(function, pdu)
    if function in (WRITE_COIL, WRITE_REGISTER):
        return _decode_write_single(function, pdu)
    if function in (WRITE_COILS, WRITE_REGISTERS):
        return _decode_write_multiple(function, pdu)
    if function == MASK_WRITE_REGISTER:
        need(len(pdu) == _MASK.size, "a mask write of the wrong length")
        _, address, and_mask, or_mask = _MASK.unpack(pdu)
        return MaskWrite(address, and_mask, or_mask)
    if function == READ_WRITE_REGISTERS:
        return _decode_read_write(pdu)
    if function in DIAGNOSTIC:
        return decode_diagnostic_request(pdu)
    if function in RECORDS:
        return decode_record_request(pdu)
    return _decode_identification(pdu)


def _decode_read(function: int, pdu: bytes) -> Read:
    need(len(pdu) == _READ.size, "a read of the wrong length")
    _, address, quantity = _READ.unpack(pdu)
    need(1 <= quantity <= READ_LIMITS[function], f"a quantity of {quantity}")
    return Read(function, address, quantity)


def _decode_write_single(function: int, pdu: bytes) -> WriteSingle:
    need(len(pdu) == _READ.size, "a write of the wrong length")
    _, address, value = _READ.unpack(pdu)
    need(function == WRITE_REGISTER or value in (COIL_ON, COIL_OFF), f"a coil value of {value:04X}")
    return WriteSingle(function, address, value)


def _decode_write_multiple(function: int, pdu: bytes) -> WriteMultiple:
    need(len(pdu) >= _WRITE.size, "a write that is too short")
    _, address, quantity, count = _WRITE.unpack_from(pdu)
    limit, size = WRITE_REGISTERS_LIMIT, 2 * quantity
    if function == WRITE_COILS:
        limit, size = WRITE_COILS_LIMIT, (quantity + 7) // 8
    need(1 <= quantity <= limit, f"a quantity of {quantity}")
    need(count == size and len(pdu) == _WRITE.size + count, f"a byte count of {count}")
    return WriteMultiple(function, address, quantity, pdu[_WRITE.size :])


def _decode_read_write(pdu: bytes) -> ReadWrite:
    need(len(pdu) >= _READ_WRITE.size, "a read and write that is too short")
    _, address, quantity, write_address, write_quantity, count = _READ_WRITE.unpack_from(pdu)
    need(1 <= quantity <= READ_LIMITS[READ_HOLDING_REGISTERS], f"a read quantity of {quantity}")
    need(1 <= write_quantity <= READ_WRITE_LIMIT, f"a write quantity of {write_quantity}")
    need(count == 2 * write_quantity and len(pdu) == _READ_WRITE.size + count, f"a byte count of {count}")
    return ReadWrite(address, quantity, write_address, pdu[_READ_WRITE.size :])


def _decode_identification(pdu: bytes) -> IdentificationRequest:
    need(len(pdu) > 1, "function 43 without a MEI type")
    if pdu[1] != READ_DEVICE_IDENTIFICATION:
        raise ModbusError(ILLEGAL_FUNCTION, f"function 43 with MEI type {pdu[1]}")
    need(len(pdu) == _IDENTIFY.size, "a device identification request of the wrong length")
    _, _, code, object_id = _IDENTIFY.unpack(pdu)
    need(1 <= code <= 4, f"a device identification code of {code}")
    return IdentificationRequest(code, object_id)


def encode_reply(reply: Reply) -> bytes:
    """The PDU of a reply. Raises `LocalProtocolError` when its data is longer than a byte can count."""
    match reply:
        case DataReply(function, data):
            if len(data) > 250:
                raise LocalProtocolError(f"{len(data)} bytes of data; a reply holds 250")
            return bytes((function, len(data))) + data
        case WriteSingle(function, address, value):
            return _READ.pack(function, address, value)
        case WrittenReply(function, address, quantity):
            return _READ.pack(function, address, quantity)
        case MaskWrite(address, and_mask, or_mask):
            return _MASK.pack(MASK_WRITE_REGISTER, address, and_mask, or_mask)
        case ExceptionReply(function, code):
            return encode_exception(function, code)
        case IdentificationReply():
            head = bytes((ENCAPSULATED_INTERFACE, READ_DEVICE_IDENTIFICATION))
            return head + encode_identification_reply(reply)
        case ExceptionStatus() | Diagnostics() | EventCounter() | EventLog() | ServerId():
            return encode_diagnostic_reply(reply)
        case FileData() | FileWrite() | FifoData():
            return encode_record_reply(reply)


def decode_reply(pdu: bytes) -> Reply:
    """A reply by its own bytes. Raises `RemoteProtocolError`; whether it fits a request is `check_reply`'s."""
    if len(pdu) < 2:
        raise RemoteProtocolError(f"a reply of {len(pdu)} bytes; the shortest has 2")
    function = pdu[0]
    if function & EXCEPTION:
        _expect(pdu, 2)
        return ExceptionReply(function & ~EXCEPTION, pdu[1])
    if function in READ_LIMITS or function == READ_WRITE_REGISTERS:
        _expect(pdu, 2 + pdu[1])
        return DataReply(function, pdu[2:])
    if function in (WRITE_COIL, WRITE_REGISTER):
        _expect(pdu, _READ.size)
        return WriteSingle(*_READ.unpack(pdu))
    if function in (WRITE_COILS, WRITE_REGISTERS):
        _expect(pdu, _READ.size)
        return WrittenReply(*_READ.unpack(pdu))
    if function == MASK_WRITE_REGISTER:
        _expect(pdu, _MASK.size)
        return MaskWrite(*_MASK.unpack(pdu)[1:])
    if function == ENCAPSULATED_INTERFACE and pdu[1] == READ_DEVICE_IDENTIFICATION:
        return decode_identification_reply(pdu[2:])
    if function in DIAGNOSTIC:
        return decode_diagnostic_reply(pdu)
    if function in RECORDS:
        return decode_record_reply(pdu)
    raise RemoteProtocolError(f"a reply of function {function}, which was never asked")


def _expect(pdu: bytes, size: int) -> None:
    if len(pdu) != size:
        raise RemoteProtocolError(f"a reply of function {pdu[0]} has {len(pdu)} bytes; it should have {size}")


def check_reply(request: Request, reply: Reply) -> None:
    """Is this the answer to that? Raises `ModbusError` for an exception reply and `RemoteProtocolError` for one that
    answers something else: another function, another address, or fewer bytes than were asked."""
    function = function_of(request)
    if isinstance(reply, ExceptionReply):
        if reply.function != function:
            raise RemoteProtocolError(f"an exception to function {reply.function}; function {function} was asked")
        raise ModbusError(reply.code)
    wanted: object = None
    match request:
        case Read(_, _, quantity):
            size = (quantity + 7) // 8 if function in (READ_COILS, READ_DISCRETE_INPUTS) else 2 * quantity
            fits = isinstance(reply, DataReply) and reply.function == function and len(reply.data) == size
            wanted = f"{size} bytes of function {function}"
        case ReadWrite(_, quantity, _, _):
            fits = isinstance(reply, DataReply) and reply.function == function and len(reply.data) == 2 * quantity
            wanted = f"{2 * quantity} bytes of function {function}"
        case WriteMultiple(_, address, quantity, _):
            wanted = WrittenReply(function, address, quantity)
            fits = reply == wanted
        case IdentificationRequest():
            wanted = "a device identification"
            fits = isinstance(reply, IdentificationReply)
        case Bare(code):
            wanted = ANSWERS[code]
            fits = isinstance(reply, ANSWERS[code])
        case Diagnostics(sub, data) if sub in COUNTED:
            wanted = f"a count of sub-function {sub}"
            fits = isinstance(reply, Diagnostics) and reply.sub == sub and len(reply.data) == len(data)
        case FileRead(parts):
            wanted = [2 * length for _, _, length in parts]
            fits = isinstance(reply, FileData) and [len(data) for data in reply.parts] == wanted
        case FifoRead():
            wanted = "a queue"
            fits = isinstance(reply, FifoData)
        case _:
            wanted = request
            fits = reply == request
    if not fits:
        raise RemoteProtocolError(f"the answer does not fit its request: got {reply}, wanted {wanted}")
