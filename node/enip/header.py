"""The 24-byte encapsulation header, its commands and its status codes.

    command u16 | length u16 (bytes after the header) | session u32 | status u32 | sender context 8 | options u32

A reply copies command, session and sender context; without the exact context a client with several requests in
flight cannot tell its answers apart (CIP Vol 2, 2-3).
"""

import struct

from node.errors import RemoteProtocolError
from node.record import dataclass

HEADER = struct.Struct("<HHII8sI")
HEADER_SIZE = HEADER.size
PORT = 44818

NOP = 0x0000
LEGACY_LIST = 0x0001
LIST_SERVICES = 0x0004
LIST_IDENTITY = 0x0063
LIST_INTERFACES = 0x0064
REGISTER_SESSION = 0x0065
UNREGISTER_SESSION = 0x0066
SEND_RR_DATA = 0x006F
SEND_UNIT_DATA = 0x0070

COMMANDS: dict[int, str] = {
    NOP: "NOP",
    LEGACY_LIST: "legacy list",
    LIST_SERVICES: "ListServices",
    LIST_IDENTITY: "ListIdentity",
    LIST_INTERFACES: "ListInterfaces",
    REGISTER_SESSION: "RegisterSession",
    UNREGISTER_SESSION: "UnRegisterSession",
    SEND_RR_DATA: "SendRRData",
    SEND_UNIT_DATA: "SendUnitData",
}

SUCCESS = 0x0000
INVALID_COMMAND = 0x0001
INSUFFICIENT_MEMORY = 0x0002
INCORRECT_DATA = 0x0003
INVALID_SESSION = 0x0064
INVALID_LENGTH = 0x0065
UNSUPPORTED_VERSION = 0x0069

STATUS: dict[int, str] = {
    SUCCESS: "success",
    INVALID_COMMAND: "invalid or unsupported command",
    INSUFFICIENT_MEMORY: "insufficient memory",
    INCORRECT_DATA: "poorly formed or incorrect data",
    INVALID_SESSION: "invalid session handle",
    INVALID_LENGTH: "invalid length",
    UNSUPPORTED_VERSION: "unsupported protocol version",
}

NO_CONTEXT = bytes(8)


@dataclass(slots=True)
class Header:
    """`length` counts the bytes after the header; `context` is the sender's 8 bytes, opaque to everyone else."""

    command: int
    length: int = 0
    session: int = 0
    status: int = SUCCESS
    context: bytes = NO_CONTEXT
    options: int = 0


def decode_header(data: bytes) -> Header:
    """The header at the start of `data`. Raises `RemoteProtocolError` below 24 bytes."""
    if len(data) < HEADER_SIZE:
        raise RemoteProtocolError(f"an encapsulation header of {len(data)} bytes, wanted {HEADER_SIZE}")
    return Header(*HEADER.unpack_from(data))


def encode_header(header: Header) -> bytes:
    """The 24 bytes."""
    fixed = (header.command, header.length, header.session, header.status, header.context, header.options)
    return HEADER.pack(*fixed)


def pack_header(command: int, length: int, session: int, status: int, context: bytes, options: int = 0) -> bytes:
    """The 24 bytes without a `Header`, for the request path. `context` is 8 bytes."""
    return HEADER.pack(command, length, session, status, context, options)


def describe_status(status: int) -> str:
    """A status in words with its code, for messages."""
    return f"{STATUS.get(status, 'unknown encapsulation status')} (0x{status:04X})"
