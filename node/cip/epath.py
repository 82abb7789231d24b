"""EPATH: the segments that say where a request goes, in both directions.

    001 ttt ww               logical: ttt 0 class 1 instance 2 member 3 connection point 4 attribute 5 special,
                             ww 0 = 8 bit, 1 = 16 bit, 2 = 32 bit (padded paths: a zero byte before 16 and 32 bit)
    000 x pppp               port pppp; x: a length byte and a longer link address; pppp 15: a 16-bit port follows
    010 x ....               network: one byte of data, or with x a count of words and the words
    0x34 0x04 …              electronic key: vendor, type, code u16, major u8 (bit 7: compatible is enough), minor u8
    0x80 nn …                simple data, nn words
    0x91 nn …                ANSI extended symbol, nn characters, padded to even

Clients mix widths freely, so decoding takes any and encoding gives the smallest. A segment that is unknown or cut
short is a path segment error, never an exception of Python's (CIP Vol 1, appendix C).
"""

import struct
from collections.abc import Callable, Sequence

from node.cip.status import PATH_SEGMENT_ERROR, CipError
from node.errors import LocalProtocolError
from node.record import dataclass

EXTENDED_PORT = 15
"""Port numbers from here on take two bytes of their own."""

_U16 = struct.Struct("<H")
_U32 = struct.Struct("<I")
_KEY = struct.Struct("<HHHBB")


@dataclass(slots=True)
class Port:
    """A hop: out of `port` to `link`, an int of one byte (a slot) or the bytes of a longer address (an IP as text)."""

    port: int
    link: int | bytes


@dataclass(slots=True)
class Class:
    """An object class."""

    id: int


@dataclass(slots=True)
class Instance:
    """An instance of the class before it."""

    id: int


@dataclass(slots=True)
class Attribute:
    """An attribute of the instance before it."""

    id: int


@dataclass(slots=True)
class Element:
    """An array index (a member segment): one for each dimension."""

    index: int


@dataclass(slots=True)
class ConnectionPoint:
    """An assembly instance, for I/O."""

    id: int


@dataclass(slots=True)
class Symbolic:
    """A tag's, member's or program's name."""

    name: str


@dataclass(slots=True)
class ElectronicKey:
    """The device that must be at the end of the path; 0 matches anything."""

    vendor: int = 0
    device_type: int = 0
    product_code: int = 0
    major: int = 0
    minor: int = 0
    compatible: bool = False


@dataclass(slots=True)
class Data:
    """Configuration data, a whole number of 16-bit words."""

    words: bytes


@dataclass(slots=True)
class Network:
    """A network segment, kept as it came: the target has nothing to do with it."""

    raw: bytes


Segment = Port | Class | Instance | Attribute | Element | ConnectionPoint | Symbolic | ElectronicKey | Data | Network

_LOGICAL: tuple[Callable[[int], Segment], ...] = (Class, Instance, Element, ConnectionPoint, Attribute)


def decode_epath(data: bytes, padded: bool = True) -> list[Segment]:
    """The segments of a whole path. Raises `CipError` (path segment error) on one unknown or cut short."""
    segments: list[Segment] = []
    offset = 0
    end = len(data)
    while offset < end:
        code = data[offset]
        if code < 0x20:
            segment, offset = _decode_port(data, offset)
        elif code < 0x34:
            segment, offset = _decode_logical(data, offset, padded)
        elif code == 0x91:
            segment, offset = _decode_symbolic(data, offset, padded)
        else:
            segment, offset = _decode_other(data, offset)
        segments.append(segment)
    return segments


def encode_epath(segments: Sequence[Segment], padded: bool = True) -> bytes:
    """The path with each segment in its smallest form. Raises `LocalProtocolError` on one that has none."""
    return b"".join([_encode_segment(segment, padded) for segment in segments])


def _decode_logical(data: bytes, offset: int, padded: bool) -> tuple[Segment, int]:
    code = data[offset]
    width = code & 3
    start = offset + 2 if width and padded else offset + 1
    end = start + (1, 2, 4, 0)[width]
    if width == 3 or end > len(data):
        raise CipError(PATH_SEGMENT_ERROR)
    return _LOGICAL[(code >> 2) & 7](int.from_bytes(data[start:end], "little")), end


def _decode_symbolic(data: bytes, offset: int, padded: bool) -> tuple[Segment, int]:
    start = offset + 2
    length = data[offset + 1] if start <= len(data) else 0
    end = start + length
    after = end + (length & 1) if padded else end
    if length == 0 or after > len(data):
        raise CipError(PATH_SEGMENT_ERROR)
    return Symbolic(data[start:end].decode("iso-8859-1")), after


def _decode_port(data: bytes, offset: int) -> tuple[Segment, int]:
    code = data[offset]
    port = code & 0x0F
    start = offset + 1
    length = 0
    if code & 0x10:
        length = data[start] if start < len(data) else 0
        start += 1
        if length == 0:
            raise CipError(PATH_SEGMENT_ERROR)
    if port == EXTENDED_PORT:
        port = int.from_bytes(data[start : start + 2], "little")
        start += 2
    end = start + (length or 1)
    after = end + (length & 1)
    if port == 0 or after > len(data):
        raise CipError(PATH_SEGMENT_ERROR)
    return Port(port, data[start:end] if length else data[start]), after


def _decode_other(data: bytes, offset: int) -> tuple[Segment, int]:
    code = data[offset]
    start = offset + 2
    if start > len(data):
        raise CipError(PATH_SEGMENT_ERROR)
    if code == 0x34 and data[offset + 1] == 4 and start + _KEY.size <= len(data):
        vendor, device_type, product_code, major, minor = _KEY.unpack_from(data, start)
        key = ElectronicKey(vendor, device_type, product_code, major & 0x7F, minor, bool(major & 0x80))
        return key, start + _KEY.size
    if code == 0x80:
        end = start + 2 * data[offset + 1]
        if end <= len(data):
            return Data(data[start:end]), end
    elif 0x40 <= code < 0x60:
        end = start + 2 * data[offset + 1] if code & 0x10 else start
        if end <= len(data):
            return Network(data[offset:end]), end
    raise CipError(PATH_SEGMENT_ERROR)


def _encode_segment(segment: Segment, padded: bool) -> bytes:
    if isinstance(segment, Symbolic):
        return _encode_symbolic(segment, padded)
    if isinstance(segment, Element):
        return _encode_logical(0x28, segment.index, padded)
    if isinstance(segment, Class):
        return _encode_logical(0x20, segment.id, padded)
    if isinstance(segment, Instance):
        return _encode_logical(0x24, segment.id, padded)
    if isinstance(segment, Attribute):
        return _encode_logical(0x30, segment.id, padded)
    if isinstance(segment, ConnectionPoint):
        return _encode_logical(0x2C, segment.id, padded)
    if isinstance(segment, Port):
        return _encode_port(segment)
    if isinstance(segment, ElectronicKey):
        return _encode_key(segment)
    if isinstance(segment, Data):
        return _encode_data(segment)
    return segment.raw


def _encode_logical(code: int, value: int, padded: bool) -> bytes:
    pad = b"\0" if padded else b""
    if 0 <= value <= 0xFF:
        return bytes((code, value))
    if 0 <= value <= 0xFFFF:
        return bytes((code | 1,)) + pad + _U16.pack(value)
    if 0 <= value <= 0xFFFFFFFF:
        return bytes((code | 2,)) + pad + _U32.pack(value)
    raise LocalProtocolError(f"{value} in a path: a segment holds 0 to 4294967295")


def _encode_symbolic(segment: Symbolic, padded: bool) -> bytes:
    try:
        raw = segment.name.encode("iso-8859-1")
    except UnicodeEncodeError as exc:
        raise LocalProtocolError(f"the name {segment.name!r} has a character outside ISO-8859-1") from exc
    if not 0 < len(raw) <= 0xFF:
        raise LocalProtocolError(f"a name of {len(raw)} characters in a path: 1 to 255 fit a segment")
    return bytes((0x91, len(raw))) + raw + (b"\0" if padded and len(raw) & 1 else b"")


def _encode_port(segment: Port) -> bytes:
    port, link = segment.port, segment.link
    if not 0 < port <= 0xFFFF:
        raise LocalProtocolError(f"port {port} in a path: 1 to 65535 are possible")
    number, extended = (port, b"") if port < EXTENDED_PORT else (EXTENDED_PORT, _U16.pack(port))
    if isinstance(link, int):
        if not 0 <= link <= 0xFF:
            raise LocalProtocolError(f"link {link} in a path: a number is 0 to 255; write a longer address as text")
        return bytes((number,)) + extended + bytes((link,))
    if not 0 < len(link) <= 0xFF:
        raise LocalProtocolError(f"a link address of {len(link)} bytes in a path: 1 to 255 fit a segment")
    return bytes((number | 0x10, len(link))) + extended + link + (b"\0" if len(link) & 1 else b"")


def _encode_key(key: ElectronicKey) -> bytes:
    if key.major > 0x7F:
        raise LocalProtocolError(f"major revision {key.major} in an electronic key: 0 to 127 are possible")
    major = key.major | (0x80 if key.compatible else 0)
    try:
        return b"\x34\x04" + _KEY.pack(key.vendor, key.device_type, key.product_code, major, key.minor)
    except struct.error as exc:
        raise LocalProtocolError(f"{key} has a field that does not fit: {exc}") from exc


def _encode_data(segment: Data) -> bytes:
    words, odd = divmod(len(segment.words), 2)
    if odd or words > 0xFF:
        raise LocalProtocolError(f"{len(segment.words)} bytes in a data segment: whole words, at most 255, fit one")
    return bytes((0x80, words)) + segment.words
