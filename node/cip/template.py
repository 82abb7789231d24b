"""Templates: how the members of a structure lie in its bytes, as Logix lays them out (Rockwell 1756-PM020; 1756-PM004).

    BOOL             a bit of a hidden SINT, eight to each; another member between two BOOLs begins a new one
    SINT INT DINT …  at a multiple of their size, 64-bit ones of 8
    array            from a multiple of 4 on (8 for 64-bit elements); BOOL[n] is DWORD[n / 32]
    structure        from a multiple of 4 on, 8 when it holds a 64-bit member; its size is rounded up to the same

A structure travels as its bytes, under a handle of 16 bits: a CRC of its formal description (CIP Vol 1, C-6.2), and for
the predefined structures the number of their template.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from node.cip.text import TextType
from node.cip.types import BOOL, DINT, DWORD, SINT, Type
from node.errors import NodeError

STRUCTURE = 0xA0
"""Type code of an abbreviated structure; its second byte is 2 and a 16-bit handle follows."""

FIRST_TEMPLATE, LAST_TEMPLATE = 0x100, 0xEFF
"""Template instances of structures that are not predefined."""

HOST_PREFIX = "ZZZZZZZZZZ"
"""How the name of a hidden member begins that holds BOOLs."""

_FORMAL_STRUCTURE = 0xA2
_FORMAL_ARRAY = 0xA3


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
    handle = crc16(formal(members))
    return Template(name, instance, members, -(-end // alignment) * alignment, handle, capacity, alignment=alignment)


def string_template(name: str, instance: int, capacity: int) -> Template:
    """A string structure: LEN, a DINT, and DATA, `capacity` characters."""
    from_text = (Declared("LEN", DINT), Declared("DATA", SINT, capacity))
    return lay_out(name, instance, from_text, capacity)


def formal(members: Sequence[Member]) -> bytes:
    """The formal description of a structure, whose CRC is its handle: A2, a length, the types of its members."""
    inner = b"".join([_formal_member(member) for member in members if not member.hidden])
    return bytes((_FORMAL_STRUCTURE,)) + _formal_length(inner) + inner


def crc16(data: bytes) -> int:
    """CRC-16 with the polynomial x^16 + x^15 + x^2 + 1, from 0, lowest bit first."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


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


def _formal_member(member: Member) -> bytes:
    kind = member.type
    inner = formal(kind.members) if isinstance(kind, Template) else bytes((kind.code,))
    if not member.length:
        return inner
    last = member.length - 1
    upper = last.to_bytes(max(1, (last.bit_length() + 7) // 8), "little")
    bounds = bytes((0x84, 1, 0, 0x85, len(upper))) + upper
    return bytes((_FORMAL_ARRAY,)) + _formal_length(bounds + inner) + bounds + inner


def _formal_length(inner: bytes) -> bytes:
    size = len(inner)
    return bytes((size,)) if size < 0x80 else bytes((0x82,)) + size.to_bytes(2, "little")
