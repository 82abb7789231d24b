"""Read Tag, Write Tag, their Fragmented forms, and Read Modify Write: what follows the path.

                             request                                                reply
    Read Tag 0x4C            elements u16                                           type | values
    Read Fragmented 0x52     elements u16 | byte offset u32                         type | part of the values
    Write Tag 0x4D           type | elements u16 | values                           (none)
    Write Fragmented 0x53    type | elements u16 | byte offset u32 | part           (none)
    Read Modify Write 0x4E   mask size u16 | OR mask | AND mask                     (none)

    type                     tt 00 for an atomic one, A0 02 hh hh for a structure with handle hhhh

Released clients send surplus bytes after the values and masks (pycomm3 1.2.16 repeats its request behind a write and
slices its AND masks from eight bytes), so surplus is ignored everywhere (Rockwell 1756-PM020).
"""

import struct

from node.cip.status import INVALID_PARAMETER_VALUE, NOT_ENOUGH_DATA, CipError
from node.cip.template import STRUCTURE
from node.errors import LocalProtocolError, RemoteProtocolError

MASK_SIZES = (1, 2, 4, 8, 12)
STRUCTURE_TYPE = 0x02A0
"""The first two type bytes of a structure, as a little-endian word."""

_U16 = struct.Struct("<H")
_READ_FRAGMENTED = struct.Struct("<HI")
_ATOMIC_WRITE = struct.Struct("<HH")
_STRUCTURE_WRITE = struct.Struct("<HHH")
_U32 = struct.Struct("<I")

Written = tuple[int, int | None, int, bytes]
"""Type code, structure handle or None, elements, the bytes after them."""

WrittenPart = tuple[int, int | None, int, int, bytes]
"""Type code, structure handle or None, elements of the whole write, byte offset, the bytes after them."""


def encode_type(code: int, handle: int | None = None) -> bytes:
    """The type bytes of an atomic type, or with `handle` of a structure."""
    if handle is None:
        return _U16.pack(code)
    return _ATOMIC_WRITE.pack(STRUCTURE_TYPE, handle)


def encode_read_tag(elements: int) -> bytes:
    """Raises `LocalProtocolError` when the count does not fit 16 bits."""
    return _U16.pack(_counted(elements))


def decode_read_tag(data: bytes) -> int:
    """The number of elements asked for. Raises `CipError` when it is not all there."""
    if len(data) < 2:
        raise CipError(NOT_ENOUGH_DATA)
    return data[0] | data[1] << 8


def encode_read_fragmented(elements: int, offset: int) -> bytes:
    """`offset` in bytes from the first element asked for."""
    return _READ_FRAGMENTED.pack(_counted(elements), offset)


def decode_read_fragmented(data: bytes) -> tuple[int, int]:
    """Elements, and the byte offset to start at. Raises `CipError` when they are not all there."""
    if len(data) < 6:
        raise CipError(NOT_ENOUGH_DATA)
    elements, offset = _READ_FRAGMENTED.unpack_from(data)
    return elements, offset


def encode_read_reply(type_bytes: bytes, values: bytes) -> bytes:
    """The same for both kinds of read: the type comes with every fragment."""
    return type_bytes + values


def decode_read_reply(data: bytes) -> tuple[int, int | None, bytes]:
    """Type code, structure handle or None, and the values' bytes. Raises `RemoteProtocolError` when cut short."""
    code = int.from_bytes(data[:2], "little")
    start = 4 if code == STRUCTURE_TYPE else 2
    if len(data) < start:
        raise RemoteProtocolError(f"a read reply of {len(data)} bytes, wanted a type of {start}: {data.hex()}")
    if code == STRUCTURE_TYPE:
        return STRUCTURE, int.from_bytes(data[2:4], "little"), data[4:]
    return code, None, data[2:]


def encode_write_tag(code: int, handle: int | None, elements: int, values: bytes) -> bytes:
    """`handle` is None for an atomic type `code`."""
    return encode_type(code, handle) + _U16.pack(_counted(elements)) + values


def decode_write_tag(data: bytes) -> Written:
    """Everything after the count is given as it came, surplus included. Raises `CipError` when the head is cut short.

    A second type byte other than 0 stays in the code, where it matches no type.
    """
    if len(data) < 4:
        raise CipError(NOT_ENOUGH_DATA)
    code, elements = _ATOMIC_WRITE.unpack_from(data)
    if code != STRUCTURE_TYPE:
        return code, None, elements, data[4:]
    if len(data) < 6:
        raise CipError(NOT_ENOUGH_DATA)
    _, handle, elements = _STRUCTURE_WRITE.unpack_from(data)
    return STRUCTURE, handle, elements, data[6:]


def encode_write_fragmented(code: int, handle: int | None, elements: int, offset: int, part: bytes) -> bytes:
    """`elements` of the whole write, `offset` in bytes of this part in it."""
    return encode_type(code, handle) + _READ_FRAGMENTED.pack(_counted(elements), offset) + part


def decode_write_fragmented(data: bytes) -> WrittenPart:
    """As `decode_write_tag`, with the byte offset before the bytes."""
    code, handle, elements, rest = decode_write_tag(data)
    if len(rest) < 4:
        raise CipError(NOT_ENOUGH_DATA)
    (offset,) = _U32.unpack_from(rest)
    return code, handle, elements, offset, rest[4:]


def encode_read_modify_write(or_mask: bytes, and_mask: bytes) -> bytes:
    """Raises `LocalProtocolError` when the masks differ in length or have one no type has."""
    size = len(or_mask)
    if size not in MASK_SIZES or len(and_mask) != size:
        raise LocalProtocolError(f"masks of {size} and {len(and_mask)} bytes: wanted two alike of {MASK_SIZES}")
    return _U16.pack(size) + or_mask + and_mask


def decode_read_modify_write(data: bytes) -> tuple[int, bytes, bytes]:
    """Mask size in bytes, OR mask, AND mask: the new value is (old | OR) & AND.

    Raises `CipError`: invalid parameter value for a size no type has, not enough data when the masks are cut short.
    """
    if len(data) < 2:
        raise CipError(NOT_ENOUGH_DATA)
    size = data[0] | data[1] << 8
    if size not in MASK_SIZES:
        raise CipError(INVALID_PARAMETER_VALUE)
    middle = 2 + size
    end = middle + size
    if end > len(data):
        raise CipError(NOT_ENOUGH_DATA)
    return size, data[2:middle], data[middle:end]


def _counted(elements: int) -> int:
    if not 0 <= elements <= 0xFFFF:
        raise LocalProtocolError(f"{elements} elements in one request: 0 to 65535 are possible")
    return elements
