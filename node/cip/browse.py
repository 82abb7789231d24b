"""Symbols, as a controller lists them: class 0x6B, Get Instance Attribute List (Rockwell 1756-PM020).

    request   attribute count u16 | id u16 each
    reply     for each symbol: instance u32 | the values in the order asked for, with no id and no status

    1 name: length u16, characters      5 object address u32          8 lengths of three dimensions u32, 0 where unused
    2 symbol type u16                   6 software control u32        10 external access u8
    3 address u32                       7 bytes of one element u16

The symbol type says what a tag or a member of a structure is:

    bit 15        structure
    bits 14-13    dimensions, 0 to 3
    bit 12        system symbol (a program), not a tag
    bits 11-0     template of a structure; else the type code, and for a BOOL within a byte its bit at bits 8-10
"""

import struct
from collections.abc import Callable, Sequence

from node.cip.status import ATTRIBUTE_NOT_SUPPORTED, CipError
from node.cip.template import Kind, Template
from node.errors import RemoteProtocolError
from node.record import dataclass

PROGRAM_TYPE = 0x1068
"""Symbol type of a program."""

BASE_TAG = 1 << 26
"""Set in the software control of a tag, clear in that of an alias."""

READ_WRITE, READ_ONLY, NO_ACCESS = 0, 2, 3
"""External access."""

_STRUCTURE = 0x8000
_SYSTEM = 0x1000

_U16 = struct.Struct("<H")
_U32 = struct.Struct("<I")
_DIMENSIONS = struct.Struct("<3I")


@dataclass(frozen=True, slots=True)
class SymbolType:
    """A symbol type, taken apart: `number` is the template of a structure, else the type code; `bit` is of a BOOL."""

    number: int
    structure: bool = False
    dimensions: int = 0
    system: bool = False
    bit: int = 0


@dataclass(frozen=True, slots=True)
class SymbolValues:
    """The attributes of a symbol: `type` is its symbol type, `lengths` those of its dimensions."""

    name: str
    type: int
    address: int = 0
    object_address: int = 0
    control: int = BASE_TAG
    size: int = 0
    lengths: tuple[int, ...] = ()
    access: int = READ_WRITE


def symbol_type(kind: Kind, dimensions: int, bit: int = 0) -> int:
    """The symbol type of a tag or a member."""
    number = _STRUCTURE | kind.instance & 0xFFF if isinstance(kind, Template) else kind.code | (bit & 7) << 8
    return number | dimensions << 13


def decode_symbol_type(word: int) -> SymbolType:
    """Any word is one."""
    dimensions = word >> 13 & 3
    system = bool(word & _SYSTEM)
    if word & _STRUCTURE:
        return SymbolType(word & 0xFFF, True, dimensions, system)
    return SymbolType(word & 0xFF, False, dimensions, system, word >> 8 & 7)


def encode_symbol_attribute(values: SymbolValues, attribute: int) -> bytes:
    """One attribute's bytes. Raises `CipError` 0x14 for one that no symbol has."""
    encode = _ENCODE.get(attribute)
    if encode is None:
        raise CipError(ATTRIBUTE_NOT_SUPPORTED)
    return encode(values)


def encode_symbol(instance: int, values: SymbolValues, attributes: Sequence[int]) -> bytes:
    """A symbol's part of the reply. Raises `CipError` 0x14."""
    return _U32.pack(instance) + b"".join([encode_symbol_attribute(values, attribute) for attribute in attributes])


def decode_symbols(data: bytes, attributes: Sequence[int]) -> list[tuple[int, SymbolValues]]:
    """(instance, values) of a reply; attributes that were not asked for have their defaults.

    Raises `RemoteProtocolError` when the last symbol is cut short, or for an attribute that no symbol has.
    """
    symbols = []
    offset = 0
    while offset < len(data):
        instance, offset = _word(data, offset, _U32)
        found: dict[str, object] = {"name": "", "type": 0}
        for attribute in attributes:
            if attribute not in _DECODE:
                raise RemoteProtocolError(f"symbols with attribute {attribute}, which no symbol has")
            field, decode = _DECODE[attribute]
            found[field], offset = decode(data, offset)
        symbols.append((instance, SymbolValues(**found)))  # type: ignore[arg-type]
    return symbols


def _lengths(values: SymbolValues) -> bytes:
    one, two, three = (*values.lengths, 0, 0, 0)[:3]
    return _DIMENSIONS.pack(one, two, three)


def _name(values: SymbolValues) -> bytes:
    raw = values.name.encode("iso-8859-1", "replace")
    return _U16.pack(len(raw)) + raw


_ENCODE: dict[int, Callable[[SymbolValues], bytes]] = {
    1: _name,
    2: lambda values: _U16.pack(values.type),
    3: lambda values: _U32.pack(values.address),
    5: lambda values: _U32.pack(values.object_address),
    6: lambda values: _U32.pack(values.control),
    7: lambda values: _U16.pack(min(values.size, 0xFFFF)),
    8: _lengths,
    10: lambda values: bytes((values.access,)),
}

SYMBOL_ATTRIBUTES: dict[int, str] = {
    1: "symbol name",
    2: "symbol type",
    3: "symbol address",
    5: "symbol object address",
    6: "software control",
    7: "base type size",
    8: "dimensions",
    10: "external access",
}
"""The attributes that a symbol has."""


def _piece(data: bytes, offset: int, size: int) -> tuple[bytes, int]:
    end = offset + size
    if end > len(data):
        raise RemoteProtocolError(f"a list of symbols that ends within one, after {len(data)} bytes")
    return data[offset:end], end


def _word(data: bytes, offset: int, form: struct.Struct) -> tuple[int, int]:
    piece, end = _piece(data, offset, form.size)
    return int.from_bytes(piece, "little"), end


def _decode_name(data: bytes, offset: int) -> tuple[str, int]:
    length, offset = _word(data, offset, _U16)
    raw, offset = _piece(data, offset, length)
    return raw.decode("iso-8859-1"), offset


def _decode_lengths(data: bytes, offset: int) -> tuple[tuple[int, ...], int]:
    piece, offset = _piece(data, offset, _DIMENSIONS.size)
    lengths = list(_DIMENSIONS.unpack(piece))
    while lengths and not lengths[-1]:
        lengths.pop()
    return tuple(lengths), offset


def _decode_access(data: bytes, offset: int) -> tuple[int, int]:
    piece, offset = _piece(data, offset, 1)
    return piece[0], offset


def _decode_u16(data: bytes, offset: int) -> tuple[int, int]:
    return _word(data, offset, _U16)


def _decode_u32(data: bytes, offset: int) -> tuple[int, int]:
    return _word(data, offset, _U32)


_DECODE: dict[int, tuple[str, Callable[[bytes, int], tuple[object, int]]]] = {
    1: ("name", _decode_name),
    2: ("type", _decode_u16),
    3: ("address", _decode_u32),
    5: ("object_address", _decode_u32),
    6: ("control", _decode_u32),
    7: ("size", _decode_u16),
    8: ("lengths", _decode_lengths),
    10: ("access", _decode_access),
}
