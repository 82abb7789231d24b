"""Where a path leads within a tag: members, elements, bits.

Element          one for each dimension; of an array of packed BOOLs it means 32 of them
Symbolic         a member's name in any case; of an array that is not indexed, element 0's
Symbolic digits  a bit of an integer, 0 the lowest (Rockwell 1756-PM020)
"""

from collections.abc import Sequence

from node.cip.epath import Element, Segment, Symbolic
from node.cip.status import GENERAL_ERROR, INDEX_PAST_END, PATH_SEGMENT_ERROR, CipError
from node.cip.template import Template
from node.cip.types import BOOL, Type
from node.errors import NodeError
from node.memory.attribute import Attribute, Source
from node.memory.bit import bit_of
from node.memory.member import element_of, member_of
from node.memory.part import attach
from node.record import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Element `start` of `attribute` when `indexed`, else all of it."""

    attribute: Attribute
    start: int = 0
    indexed: bool = False

    @property
    def stop(self) -> int:
        """The element after the last one that is meant."""
        return self.start + 1 if self.indexed else self.attribute.length

    @property
    def name(self) -> str:
        """The path as a person writes it: `Pump[2].Speed`."""
        return self.attribute.name + (_index_text(self.attribute, self.start) if self.indexed else "")

    def alone(self) -> Attribute:
        """An attribute that is what the place means and no more. Raises `NodeError` for one of several texts that
        vary in length."""
        attribute = self.attribute
        if not self.indexed or attribute.length == 1:
            return attribute
        if not attribute.size:
            raise NodeError(f"{self.name}: one {attribute.type.name} of several cannot stand alone")
        return element_of(attribute, self.start, self.name)

    def attach(self, source: Source | None) -> None:
        """Has `source` move what the place means and nothing else; None takes away what moves it.

        Raises `NodeError` when another source moves some of it already, or for texts that vary in length.
        """
        attribute = self.attribute
        if not self.indexed:
            attribute.source = source
        elif attribute.size:
            attach(attribute, self.start, self.stop, source)
        else:
            raise NodeError(f"{self.name}: a {attribute.type.name} cannot move by itself")


def follow(attribute: Attribute, segments: Sequence[Segment]) -> Place:
    """The place that `segments`, those behind a tag's name, lead to.

    Raises `CipError`: 0x04 for a member or bit that is not there or indexes that are no element's, 0xFF/0x2105 for an
    index past the end.
    """
    return follow_from(Place(attribute), segments)


def follow_from(place: Place, segments: Sequence[Segment]) -> Place:
    """The same from a place on, as an alias of an element needs it."""
    at, end = 0, len(segments)
    while at < end:
        segment = segments[at]
        if isinstance(segment, Symbolic):
            place = Place(_inside(place, segment.name))
            at += 1
            continue
        indexes = []
        while at < end and isinstance(segment := segments[at], Element):
            indexes.append(segment.index)
            at += 1
        if not indexes:
            raise CipError(PATH_SEGMENT_ERROR, (0,))
        place = _indexed(place, indexes)
    return place


def _indexed(place: Place, indexes: Sequence[int]) -> Place:
    attribute = place.attribute
    dimensions = (1,) if place.indexed else attribute.dimensions or (1,)
    if len(indexes) != len(dimensions):
        raise CipError(PATH_SEGMENT_ERROR, (0,))
    flat = 0
    for index, dimension in zip(indexes, dimensions, strict=True):
        if index >= dimension:
            raise CipError(GENERAL_ERROR, (INDEX_PAST_END,))
        flat = flat * dimension + index
    return Place(attribute, place.start + flat, True)


def _inside(place: Place, name: str) -> Attribute:
    attribute, start = place.attribute, place.start
    kind = attribute.type
    path = attribute.name + (_index_text(attribute, start) if attribute.dimensions else "")
    if isinstance(kind, Template):
        member = kind.member(name)
        if member is not None and not member.hidden:
            return member_of(attribute, start, member, f"{path}.{member.name}")
    elif isinstance(kind, Type) and kind is not BOOL and isinstance(kind.low, int) and name.isdecimal():
        bit = int(name) if len(name) < 3 else 8 * kind.size
        if bit < 8 * kind.size:
            return bit_of(attribute, start, bit, f"{path}.{bit}")
    raise CipError(PATH_SEGMENT_ERROR, (0,))


def _index_text(attribute: Attribute, start: int) -> str:
    indexes = []
    for dimension in reversed(attribute.dimensions):
        start, index = divmod(start, dimension)
        indexes.append(index)
    return f"[{','.join(map(str, reversed(indexes)))}]" if indexes else ""
