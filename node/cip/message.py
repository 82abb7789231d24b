"""The Message Router's request and reply, the outermost layer of every CIP message.

    request   service u8 | path size u8 (16-bit words) | padded EPATH | data
    reply     service + 0x80 u8 | 0 u8 | general status u8 | words of extended status u8 | u16 each | data

A request that cannot be read raises `CipError`, so that its sender gets a reply; a reply that cannot be read raises
`RemoteProtocolError`, for nobody is left to tell (CIP Vol 1, 2-4).
"""

import struct

from node.cip.services import REPLY
from node.cip.status import NOT_ENOUGH_DATA, PATH_SIZE_INVALID, SUCCESS, CipError
from node.errors import LocalProtocolError, RemoteProtocolError
from node.record import dataclass

MAX_PATH = 2 * 0xFF
"""Bytes that a path size of one byte can announce."""


@dataclass(slots=True)
class Request:
    """`path` holds the padded EPATH as bytes: the router looks targets up by them before it decodes any."""

    service: int
    path: bytes
    data: bytes = b""


@dataclass(slots=True)
class Reply:
    """`service` is the request's code, without the reply bit; `extended` holds 16-bit words."""

    service: int
    status: int = SUCCESS
    extended: tuple[int, ...] = ()
    data: bytes = b""


def decode_request(data: bytes) -> Request:
    """Raises `CipError`: not enough data below two bytes, path size invalid when the path is longer than the rest."""
    if len(data) < 2:
        raise CipError(NOT_ENOUGH_DATA)
    end = 2 + 2 * data[1]
    if end > len(data):
        raise CipError(PATH_SIZE_INVALID)
    return Request(data[0], data[2:end], data[end:])


def encode_request(request: Request) -> bytes:
    """Raises `LocalProtocolError` when the path is no whole number of words, or longer than 255 of them."""
    path = request.path
    if len(path) & 1 or len(path) > MAX_PATH:
        raise LocalProtocolError(f"a path of {len(path)} bytes: a request takes an even number up to {MAX_PATH}")
    return bytes((request.service, len(path) >> 1)) + path + request.data


def decode_reply(data: bytes) -> Reply:
    """Raises `RemoteProtocolError` when it is no reply or is cut short.

    Extended status that is counted in bytes is taken too, where nothing follows: libplctag's `ab_server` counts so.
    """
    if len(data) < 4:
        raise RemoteProtocolError(f"a CIP reply of {len(data)} bytes, wanted 4 or more: {data.hex()}")
    service, _, status, words = data[:4]
    if not service & REPLY:
        raise RemoteProtocolError(f"service byte 0x{service:02X} in a CIP reply, wanted one with bit 7 set")
    start = 4 + 2 * words
    if start > len(data):
        if status and len(data) == 4 + words and not words & 1:
            return Reply(service & ~REPLY, status, struct.unpack_from(f"<{words >> 1}H", data, 4))
        raise RemoteProtocolError(f"a CIP reply of {len(data)} bytes that announces {words} words of extended status")
    extended = struct.unpack_from(f"<{words}H", data, 4) if words else ()
    return Reply(service & ~REPLY, status, extended, data[start:])


def encode_reply(reply: Reply) -> bytes:
    """The reply's bytes; the reply bit is set here."""
    head = bytes((reply.service | REPLY, 0, reply.status, len(reply.extended)))
    if reply.extended:
        head += struct.pack(f"<{len(reply.extended)}H", *reply.extended)
    return head + reply.data


def error_reply(service: int, exc: CipError) -> bytes:
    """The reply that tells the sender of `service` what went wrong."""
    return encode_reply(Reply(service, exc.general, exc.extended, exc.data))
