"""Templates: how the members of a structure lie in its bytes, as Logix lays them out (Rockwell 1756-PM020; 1756-PM004).

    BOOL             a bit of a hidden SINT, eight to each; another member between two BOOLs begins a new one
    SINT INT DINT …  at a multiple of their size, 64-bit ones of 8
    array            from a multiple of 4 on (8 for 64-bit elements); BOOL[n] is DWORD[n / 32]
    structure        from a multiple of 4 on, 8 when it holds a 64-bit member; its size is rounded up to the same

A structure travels as its bytes, under a handle of 16 bits: for the predefined structures the number of their template,
for others a CRC of a text that spells out what they are made of (Rockwell, Type Encoding of Logix Structures in CIP
Data Table R/W): `UDT2,DINT,SINT[3],UDT3,SINT,SINT[4][2]` is a DINT, three SINTs and two of UDT3, which are a SINT and
four SINTs each. Hidden members are in it, the BOOLs they hold are not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field

from node.cip.text import TextType
from node.cip.types import BOOL, DINT, DWORD, SINT, Type
from node.errors import NodeError
from node.record import dataclass

STRUCTURE = 0xA0
"""Type code of an abbreviated structure; its second byte is 2 and a 16-bit handle follows."""

TEMPLATES: tuple[int, ...] = tuple(number for number in range(0x100, 0xF00) if 0 < number & 0xFF < STRUCTURE)
"""Template instances of structures that are not predefined. A controller gives out any from 0x100 to 0xEFF; pylogix
looks at the low byte of a member's type alone, and never asks for the template of one that is a type's code there."""

HOST_PREFIX = "ZZZZZZZZZZ"
"""How the name of a hidden member begins that holds BOOLs."""


@dataclass(frozen=True, slots=True)
class Member:
    """One member: `length` elements of `type` from byte `offset` on, 0 for a member that is no array. A BOOL is bit
    `bit` (0 to 7) of the byte at `offset`. `hidden` members hold BOOLs and have no meaning of their own. `bits` is the
    BOOLs of an array of them, which is one of DWORDs here; 0 for anything else."""

    name: str
    type: Type | Template
    offset: int
    length: int = 0
    bit: int | None = None
    hidden: bool = False
    bits: int = 0

    @property
    def size(self) -> int:
        """Bytes of all elements; 0 for a BOOL, which takes none of its own."""
        return 0 if self.bit is not None else self.type.size * (self.length or 1)


@dataclass(frozen=True, slots=True)
class Declared:
    """A member as a person declares it, before it has its place: `length` 0 is no array."""

    name: str
    type: Type | Template
    length: int = 0


@dataclass(frozen=True, slots=True)
class Template:
    """A structure: `instance` its number in class 0x6C, `members` all of them in the order of their offsets, hidden
    ones too, `size` the bytes of one on the wire, `handle` what it travels under. `capacity` is the characters that a
    string structure (LEN, DATA) holds, 0 for any other."""

    name: str
    instance: int
    members: tuple[Member, ...]
    size: int
    handle: int
    capacity: int = 0
    code: int = STRUCTURE
    alignment: int = 4
    _by_name: dict[str, Member] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        self._by_name.update((member.name.casefold(), member) for member in self.members)

    def member(self, name: str) -> Member | None:
        """The member called `name` in any case."""
        return self._by_name.get(name.casefold())

    @property
    def visible(self) -> tuple[Member, ...]:
        """The members that mean something."""
        return tuple(member for member in self.members if not member.hidden)

    @property
    def type_bytes(self) -> bytes:
        """The type as tag services send it: A0 02 and the handle."""
        return bytes((STRUCTURE, 2)) + self.handle.to_bytes(2, "little")


Kind = Type | TextType | Template
"""What a tag can be of."""


def lay_out(name: str, instance: int, declared: Sequence[Declared], capacity: int = 0) -> Template:
    """The template of a structure with these members, in this order. Raises `NodeError` for one without members, or
    with a name twice."""
    names = [member.name.casefold() for member in declared]
    if not names or len(set(names)) != len(names):
        raise NodeError(f"structure {name}: {'a member is there twice' if names else 'it has no members'}")
    members = tuple(_placed(name, declared))
    alignment = max([4, *(_alignment(member.type) for member in members)])
    end = max(member.offset + member.size for member in members)
    handle = crc16(type_encoding(name, members).encode("iso-8859-1", "replace"))
    return Template(name, instance, members, -(-end // alignment) * alignment, handle, capacity, alignment=alignment)


def string_template(name: str, instance: int, capacity: int) -> Template:
    """A string structure: LEN, a DINT, and DATA, `capacity` characters."""
    from_text = (Declared("LEN", DINT), Declared("DATA", SINT, capacity))
    return lay_out(name, instance, from_text, capacity)


def type_encoding(name: str, members: Sequence[Member]) -> str:
    """What the handle of a structure is the CRC of: its name, and the types of its members in order."""
    return ",".join([name, *(_member_encoding(member) for member in members if member.bit is None)])


def crc16(data: bytes) -> int:
    """CRC-16 with the polynomial x^16 + x^15 + x^2 + 1, from 0, lowest bit first."""
    crc = 0
    for byte in data:
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 0xFF]
    return crc


def _crc_of_byte(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0xA001 if byte & 1 else 0)
    return byte


_CRC = tuple(map(_crc_of_byte, range(256)))


def _placed(structure: str, declared: Sequence[Declared]) -> Iterator[Member]:
    end = 0
    host: Member | None = None
    used = hosts = 0
    for item in declared:
        if item.type is BOOL and not item.length:
            if host is None or used == 8:
                host = Member(f"{HOST_PREFIX}{structure}{hosts}", SINT, end, hidden=True)
                hosts += 1
                used = 0
                end += 1
                yield host
            yield Member(item.name, BOOL, host.offset, bit=used)
            used += 1
            continue
        host = None
        kind, length = (DWORD, -(-item.length // 32)) if item.type is BOOL else (item.type, item.length)
        alignment = max(_alignment(kind), 4 if length else 1)
        offset = -(-end // alignment) * alignment
        end = offset + kind.size * (length or 1)
        yield Member(item.name, kind, offset, length, bits=item.length if item.type is BOOL else 0)


def _alignment(kind: Type | Template) -> int:
    return kind.alignment if isinstance(kind, Template) else kind.size


def _member_encoding(member: Member) -> str:
    kind = member.type
    text = type_encoding(kind.name, kind.members) if isinstance(kind, Template) else kind.name
    return f"{text}[{member.length}]" if member.length else text
