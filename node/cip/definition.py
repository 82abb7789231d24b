"""Templates, as a controller tells them: class 0x6C, its attributes and Template Read (Rockwell 1756-PM020).

    attributes          1 handle u16 | 2 members u16 | 3 u16, 0 | 4 words of the definition u32 | 5 bytes of one u32

    Template Read 0x4C  request: byte offset u32 | byte count u16         reply: so many bytes of the definition

    definition          for each member: length of an array or bit of a BOOL u16 | symbol type u16 | byte offset u32
                        name of the template; "n" and two characters for each member | NUL
                        for each member: its name | NUL

Clients ask for 16 to 23 bytes less than attribute 4 says, so what they are given ends with as many NULs. The low bits
of a member's second character are its access, 0 for a hidden one (pylogix reads them; it also wants attribute 3).
"""

import struct

from node.cip.browse import SymbolType, decode_symbol_type, symbol_type
from node.cip.predefined import STRING_TEMPLATE
from node.cip.status import GENERAL_ERROR, NOT_ENOUGH_DATA, OFFSET_PAST_END, CipError
from node.cip.template import Member, Template
from node.errors import RemoteProtocolError
from node.record import dataclass

STRING_NAME = "ASCIISTRING82"
"""What the template of STRING is called."""

_SURPLUS = 23
"""Bytes that attribute 4 counts beside the definition."""

_MEMBER = struct.Struct("<HHI")
_READ = struct.Struct("<IH")
_ATTRIBUTES = {1: "<H", 2: "<H", 3: "<H", 4: "<I", 5: "<I"}

TEMPLATE_ATTRIBUTES: dict[int, str] = {
    1: "structure handle",
    2: "member count",
    3: "reserved",
    4: "definition size",
    5: "structure size",
}
"""The attributes that a template has."""


@dataclass(frozen=True, slots=True)
class MemberInfo:
    """A member as a definition tells it: `info` is the length of an array, or the bit of a BOOL."""

    name: str
    info: int
    type: SymbolType
    offset: int


def template_attribute(template: Template, attribute: int, definition: bytes) -> bytes:
    """The bytes of an attribute, 1 to 5. `definition` is the template's."""
    values = {
        1: template.handle,
        2: len(template.members),
        3: 0,
        4: -(-(len(definition) + _SURPLUS) // 4),
        5: template.size,
    }
    return struct.pack(_ATTRIBUTES[attribute], values[attribute])


def encode_definition(template: Template) -> bytes:
    """The definition, without NULs after it."""
    members = template.members
    name = STRING_NAME if template.instance == STRING_TEMPLATE else template.name
    rights = "".join(["ED" if member.hidden else "EC" for member in members])
    names = [f"{name};n{rights}", *(member.name for member in members)]
    infos = b"".join([_MEMBER.pack(_info(member), _type(member), member.offset) for member in members])
    return infos + b"".join([text.encode("iso-8859-1", "replace") + b"\0" for text in names])


def decode_definition(data: bytes, count: int) -> tuple[str, list[MemberInfo]]:
    """The template's name, and its `count` members. Raises `RemoteProtocolError` when they are not all there."""
    start = count * _MEMBER.size
    names = data[start:].split(b"\0")[:-1]
    if len(data) < start or len(names) < 1 + count:
        raise RemoteProtocolError(f"a template of {count} members in {len(data)} bytes that ends before their names do")
    texts = [name.decode("iso-8859-1") for name in names]
    members = []
    for index, name in enumerate(texts[1 : 1 + count]):
        info, word, offset = _MEMBER.unpack_from(data, index * _MEMBER.size)
        members.append(MemberInfo(name, info, decode_symbol_type(word), offset))
    return texts[0].partition(";")[0], members


def encode_template_read(offset: int, count: int) -> bytes:
    """What follows the path of a Template Read."""
    return _READ.pack(offset, count)


def decode_template_read(data: bytes) -> tuple[int, int]:
    """Byte offset and byte count. Raises `CipError` when they are not all there."""
    if len(data) < _READ.size:
        raise CipError(NOT_ENOUGH_DATA)
    offset, count = _READ.unpack_from(data)
    return offset, count


def read_definition(definition: bytes, offset: int, count: int) -> bytes:
    """The bytes asked for, NULs after the last member's name: as many as attribute 4 counts, and no more.

    Raises `CipError` 0xFF/0x2104 for an offset past them.
    """
    end = -(-(len(definition) + _SURPLUS) // 4) * 4
    if offset >= end:
        raise CipError(GENERAL_ERROR, (OFFSET_PAST_END,))
    return definition[offset : offset + count].ljust(min(count, end - offset), b"\0")


def _info(member: Member) -> int:
    return member.length if member.bit is None else member.bit


def _type(member: Member) -> int:
    return symbol_type(member.type, 1 if member.length else 0)
