"""A Modbus frame and its reply in words: `unit 1: read holding registers 40001-40002`, and `17, 4` or an exception.

Reads what peers sent, so nothing here may fail: what cannot be read is said to be malformed.
"""

from node.capture.line import Line, line, listed
from node.errors import NodeError
from node.modbus.adu import decode_adu
from node.modbus.functions import (
    EXCEPTION,
    EXCEPTIONS,
    FUNCTIONS,
    ILLEGAL_DATA_ADDRESS,
    READ_COILS,
    READ_DISCRETE_INPUTS,
    READ_HOLDING_REGISTERS,
    READ_INPUT_REGISTERS,
    WRITE_COIL,
    WRITE_COILS,
)
from node.modbus.pdu import (
    COIL_ON,
    DataReply,
    MaskWrite,
    Read,
    ReadWrite,
    Request,
    WriteMultiple,
    WriteSingle,
    decode_reply,
    decode_request,
)
from node.modbus.ranges import COILS, DISCRETE, HOLDING, INPUT, register_text

TABLES = {
    READ_COILS: COILS,
    READ_DISCRETE_INPUTS: DISCRETE,
    READ_HOLDING_REGISTERS: HOLDING,
    READ_INPUT_REGISTERS: INPUT,
}
END = 65536


def dissect_modbus(frame: bytes, reply: bytes | None) -> Line:
    """The line of one exchange; `reply` None where there was none."""
    try:
        _, unit, pdu = decode_adu(frame)
    except NodeError as exc:
        return line("malformed frame", status=str(exc))
    words, request = _words(pdu)
    words = f"unit {unit}: {words}"
    if reply is None:
        return line(words)
    try:
        _, _, answer = decode_adu(reply)
    except NodeError as exc:
        return line(words, f"malformed reply: {exc}")
    if answer[0] & EXCEPTION:
        code = answer[1] if len(answer) > 1 else 0
        status = f"exception {code:02X} ({EXCEPTIONS.get(code, 'unknown exception')})"
        missing = _places(request) if code == ILLEGAL_DATA_ADDRESS and request is not None else []
        return line(words, "", status, [f"unit {unit}: {place}" for place in missing])
    return line(words, _answer(request, answer))


def _words(pdu: bytes) -> tuple[str, Request | None]:
    name = FUNCTIONS.get(pdu[0], f"function {pdu[0]}")
    try:
        request = decode_request(pdu)
    except NodeError:
        return f"{name}, {len(pdu)} bytes", None
    places = " and ".join(_places(request))
    return f"{name} {places}{_written(request)}".rstrip(), request


def _places(request: Request) -> list[str]:
    """The registers or coils that a request is about."""
    match request:
        case Read(function, address, quantity):
            return [_place(TABLES[function], address, quantity)]
        case WriteSingle(function, address, _):
            return [_place(COILS if function == WRITE_COIL else HOLDING, address, 1)]
        case WriteMultiple(function, address, quantity, _):
            return [_place(COILS if function == WRITE_COILS else HOLDING, address, quantity)]
        case MaskWrite(address, _, _):
            return [_place(HOLDING, address, 1)]
        case ReadWrite(address, quantity, write_address, data):
            return [_place(HOLDING, address, quantity), _place(HOLDING, write_address, len(data) // 2)]
    return []


def _place(table: str, start: int, count: int) -> str:
    if start + count > END:
        return f"{table} from {start} on, {count} of them"
    return register_text(table, start, count)


def _written(request: Request) -> str:
    match request:
        case WriteSingle(function, _, value):
            return f" = {int(value == COIL_ON) if function == WRITE_COIL else value}"
        case WriteMultiple(function, _, quantity, data):
            return f" = {_bits(data, quantity) if function == WRITE_COILS else _registers(data)}"
        case MaskWrite(_, and_mask, or_mask):
            return f" & 0x{and_mask:04X} | 0x{or_mask:04X}"
        case ReadWrite(_, _, _, data):
            return f" = {_registers(data)}"
    return ""


def _answer(request: Request | None, answer: bytes) -> str:
    try:
        reply = decode_reply(answer)
    except NodeError as exc:
        return f"malformed reply: {exc}"
    if isinstance(reply, DataReply):
        bits = reply.function in (READ_COILS, READ_DISCRETE_INPUTS)
        count = request.quantity if isinstance(request, Read) else 8 * len(reply.data)
        return _bits(reply.data, count) if bits else _registers(reply.data)
    return "OK"


def _registers(data: bytes) -> str:
    words = (data[at] << 8 | data[at + 1] for at in range(0, len(data) - 1, 2))
    return listed(words, len(data) // 2)


def _bits(data: bytes, count: int) -> str:
    whole = int.from_bytes(data, "little")
    return listed((whole >> at & 1 for at in range(count)), count)
