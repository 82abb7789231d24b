"""Whole values within another attribute: a member of a structure, an element of an array."""

from array import array
from collections.abc import Sequence
from typing import cast

from node.cip.template import Kind, Member, Template
from node.memory.attribute import Attribute
from node.memory.bit import BitAttribute
from node.memory.part import Part, place_of, tell_flags
from node.memory.structured import StructuredAttribute


class MemberAttribute(Part):
    """Whole elements of a type of their own: a member, or an element. `bits` as a `Member`'s."""

    def __init__(
        self, root: Attribute, begin: int, type: Kind, dimensions: Sequence[int], name: str, bits: int = 0
    ) -> None:
        self.bits = bits
        super().__init__(root, begin, 8 * type.size, type, dimensions, name)

    def _allocate(self) -> "array[int] | array[float]":
        start = self.begin // 8
        cells = self._memory[start : start + self.length * self.size].cast(self.typecode)  # type: ignore[call-overload]
        return cast("array[int]", cells)

    @property
    def unpacked(self) -> Attribute:
        """The BOOLs of an array of them."""
        return BitAttribute(self.root, self.begin, (self.bits,), self.name) if self.bits else self

    def _modified(self, index: int, touched: int, now: float) -> None:
        tell_flags(self, index, touched, now)


class MemberStructure(MemberAttribute, StructuredAttribute):
    """A member that is a structure, or an array of them."""


def member_of(attribute: Attribute, start: int, member: Member, name: str) -> Part:
    """The member of element `start` of a structured attribute."""
    root, begin = place_of(attribute, start)
    if member.bit is not None:
        return BitAttribute(root, begin + 8 * member.offset + member.bit, (), name)
    made = MemberStructure if isinstance(member.type, Template) else MemberAttribute
    dimensions = (member.length,) if member.length else ()
    return made(root, begin + 8 * member.offset, member.type, dimensions, name, member.bits)


def element_of(attribute: Attribute, start: int, name: str) -> Part:
    """Element `start` alone, as if it were a tag of no dimensions. The attribute's elements have a fixed size."""
    root, begin = place_of(attribute, start)
    if isinstance(attribute, BitAttribute):
        return BitAttribute(root, begin, (), name)
    made = MemberStructure if isinstance(attribute.type, Template) else MemberAttribute
    return made(root, begin, attribute.type, (), name, min(32, attribute.bits - 32 * start) if attribute.bits else 0)
