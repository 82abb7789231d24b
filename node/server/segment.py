"""The network segment that an address of this machine is on: which interface has it, and where its broadcasts go.

Asked of the kernel by rtnetlink (RFC 3549; linux/rtnetlink.h, if_addr.h), on Linux alone. Nothing is found for an
address of a loopback interface, where there are no broadcasts, and for one that no interface has, such as a routed
subnet.

    nlmsghdr    length u32 | type u16 | flags u16 | sequence u32 | port u32
    ifaddrmsg   family u8 | prefix u8 | flags u8 | scope u8 | interface u32 | attributes
    rtattr      length u16 | type u16 | value, each padded to four bytes
"""

import contextlib
import socket
import struct
from collections.abc import Iterator

from node.record import dataclass

LOOPBACK_INTERFACE = 1
"""Linux gives no other index to it, in any namespace."""

_HEADER = struct.Struct("=IHHII")
_ADDRESS = struct.Struct("=BBBBI")
_ATTRIBUTE = struct.Struct("=HH")

_DONE, _ERROR, _NEW_ADDRESS, _GET_ADDRESS = 3, 2, 20, 22
_REQUEST_DUMP = 0x0301
_LOCAL, _BROADCAST = 2, 4
_LARGEST_PREFIX = 30
"""Longer ones leave no address to broadcast to."""

_ANSWER_SIZE = 1 << 16
_PATIENCE = 1.0
"""Seconds for the kernel's answer, which is there at once."""


@dataclass(frozen=True, slots=True)
class Segment:
    """`interface` is its index, `broadcast` the address that reaches all of the segment, "" where there is none."""

    interface: int
    broadcast: str


def find_segment(address: str) -> Segment | None:
    """The segment of the IPv4 `address` of this machine, None where none is found."""
    family = getattr(socket, "AF_NETLINK", None)
    if family is None or address.startswith("127."):
        return None
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_RAW, 0) as kernel:
        kernel.settimeout(_PATIENCE)
        kernel.send(encode_request())
        while True:
            answer = kernel.recv(_ANSWER_SIZE)
            found, more = decode_answer(answer, address)
            if found is not None or not more:
                return found
    return None


def encode_request() -> bytes:
    """What asks for all IPv4 addresses."""
    body = _ADDRESS.pack(socket.AF_INET, 0, 0, 0, 0)
    return _HEADER.pack(_HEADER.size + len(body), _GET_ADDRESS, _REQUEST_DUMP, 1, 0) + body


def decode_answer(answer: bytes, address: str) -> tuple[Segment | None, bool]:
    """The segment of `address`, if this part of the answer has it, and whether more is to come."""
    more = bool(answer)
    for kind, body in _messages(answer):
        if kind in (_DONE, _ERROR):
            more = False
        elif kind == _NEW_ADDRESS and len(body) >= _ADDRESS.size:
            _, prefix, _, _, interface = _ADDRESS.unpack_from(body)
            attributes = dict(_attributes(body[_ADDRESS.size :]))
            if attributes.get(_LOCAL) == socket.inet_aton(address):
                if interface == LOOPBACK_INTERFACE:
                    return None, False
                return Segment(interface, _broadcast(address, prefix, attributes.get(_BROADCAST))), False
    return None, more


def _messages(answer: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _HEADER.size <= len(answer):
        length, kind, *_ = _HEADER.unpack_from(answer, at)
        if length < _HEADER.size:
            return
        yield kind, answer[at + _HEADER.size : at + length]
        at += length + 3 & ~3


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        if length < _ATTRIBUTE.size:
            return
        yield kind, data[at + _ATTRIBUTE.size : at + length]
        at += length + 3 & ~3


def _broadcast(address: str, prefix: int, given: bytes | None) -> str:
    """The one that was `given` to the interface, else the last address of the subnet, as the kernel has it."""
    if given is not None and len(given) == 4:
        return socket.inet_ntoa(given)
    if prefix > _LARGEST_PREFIX:
        return ""
    number = int.from_bytes(socket.inet_aton(address), "big") | (1 << 32 - prefix) - 1
    return socket.inet_ntoa(number.to_bytes(4, "big"))
