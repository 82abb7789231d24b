"""Classic capture files, as libpcap writes them and every analyser reads (pcap-savefile(5)).

    file      magic u32 | major 2 u16 | minor 4 u16 | zone 0 i32 | 0 u32 | most bytes a packet u32 | link type u32
    packet    seconds u32 | nanoseconds or microseconds u32 | bytes that follow u32 | bytes it had u32 | its bytes

The magic number says which byte order the file has and what its fractions of a second are. Ours are little-endian and
hold nanoseconds.
"""

import struct
from collections.abc import Iterator

from node.errors import NodeError
from node.record import dataclass

MICROSECONDS, NANOSECONDS = 0xA1B2C3D4, 0xA1B23C4D
"""Magic numbers."""
ETHERNET = 1
"""The link type of frames that begin with an Ethernet header."""
LONGEST = 262144
"""Bytes of a packet that are kept; more than any is long."""
HEADER_SIZE = 24
PACKET_HEADER_SIZE = 16

_SECOND = 1_000_000_000
_LAST_SECOND = 0xFFFFFFFF


class CaptureError(NodeError):
    """Bytes that are no capture file, or one that breaks off."""


@dataclass(frozen=True, slots=True)
class Packet:
    """A frame of `data`, seen `time` nanoseconds after 1970 (UTC). `length` is how long it was on the wire, 0 for as
    long as `data`."""

    time: int
    data: bytes
    length: int = 0


def encode_header(*, nanoseconds: bool = True, link: int = ETHERNET) -> bytes:
    """What a file begins with."""
    return struct.pack("<IHHiIII", NANOSECONDS if nanoseconds else MICROSECONDS, 2, 4, 0, 0, LONGEST, link)


def encode_packet(packet: Packet, *, nanoseconds: bool = True) -> bytes:
    """A packet with its header, cut to `LONGEST` bytes. A time that the format has no room for becomes the nearest."""
    seconds, fraction = divmod(max(0, packet.time), _SECOND)
    data = packet.data[:LONGEST]
    length = max(packet.length, len(packet.data))
    if not nanoseconds:
        fraction //= 1000
    return struct.pack("<IIII", min(seconds, _LAST_SECOND), fraction, len(data), length) + data


def decode(data: bytes) -> Iterator[Packet]:
    """The packets of a file in either byte order and with either fraction. Raises `CaptureError` when it is none, and
    after the last whole packet when it breaks off."""
    order, unit = _kind(data)
    at = HEADER_SIZE
    while at < len(data):
        if at + PACKET_HEADER_SIZE > len(data):
            raise CaptureError(f"the file breaks off in a packet's header, {len(data) - at} bytes long")
        seconds, fraction, size, length = struct.unpack_from(f"{order}IIII", data, at)
        at += PACKET_HEADER_SIZE
        if size > LONGEST:
            raise CaptureError(f"a packet of {size} bytes; at most {LONGEST} can be")
        if at + size > len(data):
            raise CaptureError(f"the file breaks off in a packet: {len(data) - at} of {size} bytes are there")
        yield Packet(seconds * _SECOND + fraction * unit, bytes(data[at : at + size]), length)
        at += size


def _kind(data: bytes) -> tuple[str, int]:
    """Byte order as `struct` has it, and nanoseconds in a unit of the fraction."""
    if len(data) >= HEADER_SIZE:
        for order in "<>":
            magic = struct.unpack_from(f"{order}I", data)[0]
            if magic in (MICROSECONDS, NANOSECONDS):
                return order, 1 if magic == NANOSECONDS else 1000
    raise CaptureError(f"not a pcap file: it begins with {data[:4].hex() or 'nothing'}")
