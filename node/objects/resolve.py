"""Where a path leads: a tag, a place within one, a symbol, an object (Rockwell 1756-PM020; CIP Vol 1, appendix C).

    name [elements] [members …]                  a tag of the controller
    Program:NAME, then the same                  a tag of a program
    class 0x6B, instance [elements] [members …]  a tag by its symbol's number; behind Program:NAME one of the program
    class, instance [, attribute]                an object, or a tag with such an address

A symbolic segment may hold several names with dots between them, as some clients send them. What is wrong with a name
or a member is status 0x04, with a symbol's number 0x05, with an index 0xFF and 0x2105.
"""

from collections.abc import Sequence

from node.cip.epath import Attribute as AttributeSegment
from node.cip.epath import Class, Instance, Segment, Symbolic
from node.cip.services import SYMBOL_CLASS
from node.cip.status import PATH_DESTINATION_UNKNOWN, PATH_SEGMENT_ERROR, CipError
from node.memory.attribute import Attribute, Instant
from node.memory.place import Place, follow_from
from node.memory.tags import CONTROLLER, PROGRAM_PREFIX, Symbol, TagTable
from node.objects.attribute_access import READ_SERVICES
from node.objects.object import AttributeRow, Object, ObjectTarget, Target
from node.objects.plans import to_wire
from node.objects.shelf import Shelf
from node.objects.symbol import SymbolObject, target_of
from node.objects.tag_access import TAG_SERVICES, TagTarget


class Resolver:
    """Paths among `tags` and `objects`, which may grow. `symbolic` false is a device that knows no names of tags.

    Symbols are reached by number where `objects` has their class.
    """

    def __init__(self, tags: TagTable, objects: Shelf, instant: Instant, symbolic: bool = True) -> None:
        self._tags = tags
        self._objects = objects
        self._instant = instant
        self.symbolic = symbolic
        self._programs: dict[str, SymbolObject] = {}

    def resolve(self, segments: Sequence[Segment]) -> Target:
        """Raises `CipError` when they lead nowhere."""
        first = segments[0] if segments else None
        if isinstance(first, Symbolic):
            return self._named(_names_apart(segments))
        if isinstance(first, Class):
            return self._numbered(first.id, segments[1:])
        raise CipError(PATH_SEGMENT_ERROR)

    def _named(self, segments: Sequence[Segment]) -> Target:
        first = segments[0]
        if not self.symbolic or not isinstance(first, Symbolic):
            raise CipError(PATH_SEGMENT_ERROR, (0,))
        program = self._program(first.name)
        if program is None:
            return self._tag(CONTROLLER, segments)
        scope, rest = program.name[len(PROGRAM_PREFIX) :], segments[1:]
        if rest and isinstance(rest[0], Class) and rest[0].id == SYMBOL_CLASS and self._symbols(scope):
            return self._by_number(scope, rest[1:])
        return self._tag(scope, rest)

    def _tag(self, scope: str, segments: Sequence[Segment]) -> TagTarget:
        """The tag that the first names are, as many of them as are one name, and what the rest says within it."""
        names: list[str] = []
        for segment in segments[: self._tags.depth]:
            if not isinstance(segment, Symbolic):
                break
            names.append(segment.name)
        for count in range(len(names), 0, -1):
            symbol = self._tags.find(scope, ".".join(names[:count]))
            if symbol is not None and symbol.place is not None:
                return _aim(symbol.place, segments[count:])
        raise CipError(PATH_SEGMENT_ERROR, (0,))

    def _by_number(self, scope: str, segments: Sequence[Segment]) -> Target:
        """What stands behind class 0x6B: an instance, and an attribute of it or a place within the tag."""
        instance, number, rest = _ids(segments)
        found = self._symbols(scope)
        assert found is not None
        symbol = self._tags.symbol(scope, instance)
        if not rest:
            return target_of(found, instance, number, symbol)
        if symbol is None:
            raise CipError(PATH_DESTINATION_UNKNOWN, (0,))
        if symbol.place is None or number is not None:
            raise CipError(PATH_SEGMENT_ERROR, (0,))
        return _aim(symbol.place, rest)

    def _numbered(self, class_id: int, segments: Sequence[Segment]) -> Target:
        instance, number, rest = _ids(segments)
        if number is not None:
            tag = self._tags.by_address(class_id, instance, number)
            if tag is not None:
                return _aim(Place(tag), rest)
        if class_id == SYMBOL_CLASS and self._symbols(CONTROLLER):
            return self._by_number(CONTROLLER, segments)
        if rest:
            raise CipError(PATH_SEGMENT_ERROR)
        found = self._objects.get(class_id) or self._of_tags(class_id)
        found.rows(instance)
        return ObjectTarget(found, instance, number, found.services)

    def _program(self, name: str) -> Symbol | None:
        symbol = self._tags.find(CONTROLLER, name)
        return symbol if symbol is not None and symbol.place is None else None

    def _symbols(self, scope: str) -> SymbolObject | None:
        """The class of symbols, in a scope; None where the device has none."""
        found = self._objects.get(SYMBOL_CLASS)
        if scope == CONTROLLER or not isinstance(found, SymbolObject):
            return found if isinstance(found, SymbolObject) else None
        if scope not in self._programs:
            self._programs[scope] = SymbolObject(self._tags, scope)
        return self._programs[scope]

    def _of_tags(self, class_id: int) -> Object:
        """A class that exists because tags have addresses in it. Raises `CipError` 0x05 when none has."""
        instances: dict[int, list[AttributeRow]] = {}
        for address in sorted(self._tags.addresses()):
            attribute = self._tags.by_address(*address)
            if address[0] == class_id and attribute is not None:
                instances.setdefault(address[1], []).append(self._row_of(address[2], attribute))
        if not instances:
            raise CipError(PATH_DESTINATION_UNKNOWN)
        return Object(class_id, "tags", instances, READ_SERVICES)

    def _row_of(self, number: int, attribute: Attribute) -> AttributeRow:
        return AttributeRow(
            number, attribute.name, lambda: to_wire(attribute, attribute.dump(0, attribute.length, self._instant.now))
        )


def _names_apart(segments: Sequence[Segment]) -> Sequence[Segment]:
    """The same with a segment of its own for each name. Raises `CipError` for an empty one."""
    apart: list[Segment] = []
    for segment in segments:
        if not isinstance(segment, Symbolic) or "." not in segment.name:
            apart.append(segment)
            continue
        names = segment.name.split(".")
        if not all(names):
            raise CipError(PATH_SEGMENT_ERROR, (0,))
        apart += [Symbolic(name) for name in names]
    return apart


def _ids(segments: Sequence[Segment]) -> tuple[int, int | None, Sequence[Segment]]:
    """Instance (0 for none), attribute or None, and what follows them."""
    instance, number = 0, None
    if segments and isinstance(segments[0], Instance):
        instance, segments = segments[0].id, segments[1:]
    if segments and isinstance(segments[0], AttributeSegment):
        number, segments = segments[0].id, segments[1:]
    return instance, number, segments


def _aim(place: Place, rest: Sequence[Segment]) -> TagTarget:
    place = follow_from(place, rest) if rest else place
    return TagTarget(place.attribute, place.start, place.indexed, TAG_SERVICES)
