"""PCCC inside CIP, as SLC 500 and MicroLogix controllers take it: service 0x4B, Execute PCCC, of class 0x67.

    request   requestor | CMD u8 | STS u8 | TNS u16 | FNC u8 | data
    reply     requestor | CMD + 0x40 u8 | STS u8 | TNS u16 | EXT STS u8, where STS is 0xF0 | data
    requestor its own length u8, 7 from every client | vendor u16 | serial u32

    0F A2  read           size u8 | file | type u8 | element | sub-element
    0F AA  write          the same | bytes to write
    0F AB  masked write   the same | mask u16 | bytes to write: of each word only the bits of the mask change
    0F A1 A9  read, write without a sub-element
    06 00  echo   06 03  diagnostic status

File, element and sub-element are a byte, or 0xFF and a u16; size is in bytes, a sub-element is a word of its element.

A message whose PCCC part cannot be found is a CIP fault (`CipError`). What is wrong within that part is a `PcccError`:
a status in a reply that succeeds as far as CIP goes. (Rockwell 1770-6.5.16, chapters 7 and 8; the masked write is not
in it, and is as pycomm3 and libplctag send it.)
"""

from struct import Struct

from node.cip.status import NOT_ENOUGH_DATA, CipError
from node.errors import LocalProtocolError, NodeError, RemoteProtocolError
from node.record import dataclass

DIAGNOSTIC = 0x06
TYPED = 0x0F
REPLY = 0x40
"""Set in the CMD of every reply."""

ECHO = 0x00
DIAGNOSTIC_STATUS = 0x03
READ_TWO, READ = 0xA1, 0xA2
WRITE_TWO, WRITE = 0xA9, 0xAA
MASKED_WRITE = 0xAB

SUCCESS = 0x00
ILLEGAL_COMMAND = 0x10
"""A command or format that is not known; of an SLC or MicroLogix also an address that it does not have."""

ADDRESSING_PROBLEM = 0x50
NOT_ALLOWED = 0x60
EXTENDED = 0xF0
"""The reason is in the byte after the transaction number."""

WRONG_SIZE = 0x07
ACCESS_DENIED = 0x0B

STATUS: dict[int, str] = {
    0x00: "success",
    0x10: "illegal command or format, or no such address",
    0x20: "the host has a problem and will not communicate",
    0x30: "the remote host is missing, disconnected or shut down",
    0x40: "a hardware fault",
    0x50: "an addressing problem, or memory is protected",
    0x60: "not allowed: the file is protected",
    0x70: "the processor is in program mode",
    0x80: "the compatibility file is missing, or a communication zone is wrong",
    0x90: "the remote node cannot buffer the command",
    0xB0: "the remote node has a problem with a download",
    0xF0: "see the extended status",
}

LARGEST = 236
"""Bytes that one read or write of an SLC or MicroLogix may be of."""

_HEAD = Struct("<BBH")
_U16 = Struct("<H")
_WIDE = 0xFF


class PcccError(NodeError):
    """A fault that a PCCC reply carries: `status`, and `extended` where that is `EXTENDED`."""

    def __init__(self, status: int, extended: int = 0) -> None:
        super().__init__(status, extended)
        self.status = status
        self.extended = extended

    def __str__(self) -> str:
        text = f"{STATUS.get(self.status, 'unknown status')} (0x{self.status:02X})"
        return f"{text}, 0x{self.extended:02X}" if self.status == EXTENDED else text


@dataclass(slots=True)
class Command:
    """A request: `requestor` with its length byte, `function` None where the message ends before it."""

    requestor: bytes
    command: int
    transaction: int
    function: int | None
    data: bytes = b""
    status: int = SUCCESS


@dataclass(slots=True)
class Answer:
    """A reply: `command` is the request's, without the reply bit; `extended` counts where `status` is `EXTENDED`."""

    requestor: bytes
    command: int
    transaction: int
    status: int = SUCCESS
    extended: int = 0
    data: bytes = b""


@dataclass(slots=True)
class Address:
    """What a typed command is about: `size` bytes of file `file`, whose type code is `type`, from word `sub` of element
    `element` on."""

    size: int
    file: int
    type: int
    element: int
    sub: int = 0


def decode_command(data: bytes) -> Command:
    """Raises `CipError` 0x13 when the requestor id, or CMD to TNS behind it, are not all there."""
    start = data[0] if data else 0
    if start < 1 or len(data) < start + _HEAD.size:
        raise CipError(NOT_ENOUGH_DATA)
    command, status, transaction = _HEAD.unpack_from(data, start)
    end = start + _HEAD.size
    function = data[end] if end < len(data) else None
    return Command(data[:start], command, transaction, function, data[end + 1 :], status)


def encode_command(command: Command) -> bytes:
    """Raises `LocalProtocolError` for a requestor id that does not tell its own length."""
    head = _requestor(command.requestor) + _HEAD.pack(command.command, command.status, command.transaction)
    return head if command.function is None else head + bytes((command.function,)) + command.data


def decode_answer(data: bytes) -> Answer:
    """Raises `RemoteProtocolError` when it is no reply or is cut short."""
    start = data[0] if data else 0
    end = start + _HEAD.size
    if start < 1 or len(data) < end:
        raise RemoteProtocolError(f"a PCCC reply of {len(data)} bytes, wanted a requestor id and 4 more: {data.hex()}")
    command, status, transaction = _HEAD.unpack_from(data, start)
    if not command & REPLY:
        raise RemoteProtocolError(f"CMD 0x{command:02X} in a PCCC reply, wanted one with bit 6 set")
    extended = 0
    if status == EXTENDED:
        if len(data) == end:
            raise RemoteProtocolError("a PCCC reply of status 0xF0 without its extended status")
        extended = data[end]
        end += 1
    return Answer(data[:start], command & ~REPLY, transaction, status, extended, data[end:])


def encode_answer(answer: Answer) -> bytes:
    """Raises `LocalProtocolError` for a requestor id that does not tell its own length."""
    head = _requestor(answer.requestor) + _HEAD.pack(answer.command | REPLY, answer.status, answer.transaction)
    return head + (bytes((answer.extended,)) if answer.status == EXTENDED else b"") + answer.data


def decode_address(data: bytes, two: bool = False) -> tuple[Address, bytes]:
    """The address that a typed command names, and what follows it. `two` where there is no sub-element.

    Raises `PcccError` 0x10 when it is cut short.
    """
    if not data:
        raise PcccError(ILLEGAL_COMMAND)
    file, at = _field(data, 1)
    if at >= len(data):
        raise PcccError(ILLEGAL_COMMAND)
    kind = data[at]
    element, at = _field(data, at + 1)
    sub, at = (0, at) if two else _field(data, at)
    return Address(data[0], file, kind, element, sub), data[at:]


def encode_address(address: Address, two: bool = False) -> bytes:
    """Raises `LocalProtocolError` for a sub-element where there is no field for one, or a field over 65535."""
    if two and address.sub:
        raise LocalProtocolError(f"sub-element {address.sub} in a command of two address fields")
    fields = (address.file,), (address.element,) if two else (address.element, address.sub)
    file, rest = (b"".join(map(_encode_field, part)) for part in fields)
    return bytes((address.size,)) + file + bytes((address.type,)) + rest


def _requestor(requestor: bytes) -> bytes:
    if not requestor or requestor[0] != len(requestor):
        raise LocalProtocolError(f"requestor id {requestor.hex()}: its first byte is not its length, {len(requestor)}")
    return requestor


def _field(data: bytes, at: int) -> tuple[int, int]:
    """The field at `at`, and the offset after it."""
    if at >= len(data):
        raise PcccError(ILLEGAL_COMMAND)
    if data[at] != _WIDE:
        return data[at], at + 1
    if at + 3 > len(data):
        raise PcccError(ILLEGAL_COMMAND)
    return _U16.unpack_from(data, at + 1)[0], at + 3


def _encode_field(value: int) -> bytes:
    if not 0 <= value <= 0xFFFF:
        raise LocalProtocolError(f"{value} in a PCCC address; wanted 0 to 65535")
    return bytes((value,)) if value < _WIDE else bytes((_WIDE,)) + _U16.pack(value)
