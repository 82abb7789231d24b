"""Where a tag of a node is found on the wire, and how a person names what is within one.

`farm tags` prints it, so that it can be pasted into a client; `farm read` and `farm write` use it. A node that speaks
EtherNet/IP is asked by name, one that speaks Modbus alone by the registers that show the tag.
"""

import re
from dataclasses import dataclass

from farm.errors import FarmError
from node.client.modbus_tags import TagRegisters
from node.config.data_files import data_file_address, has_data_files
from node.config.model import NodeConfig, TagConfig
from node.config.schema import Spot, build_templates, element, find, root, split_path
from node.errors import ConfigError

_ELEMENTS = re.compile(r"(?P<whole>.+)\[(?P<first>\d{1,9})(?:-(?P<last>\d{1,9}))?\]")
"""`SCADA[3]`, `SCADA[3-7]`."""

WORD_BITS = 32
"""BOOLs of a packed array that travel together."""

SIZES = (1, 2, 4, 8)
"""Bytes of the masks that set bits of a word."""


@dataclass(frozen=True, slots=True)
class Word:
    """An integer on the wire by its path, the bits of it that are meant, and the bytes that masks for them take."""

    path: str
    bits: range
    size: int


@dataclass(frozen=True, slots=True)
class Place:
    """Elements `first` to `first + count - 1` of `spot`, a tag of `node` or what is within it."""

    node: NodeConfig
    tag: TagConfig
    spot: Spot
    first: int
    count: int

    @property
    def name(self) -> str:
        """What a person calls all of which these are elements."""
        return self.tag.name + self.spot.path

    @property
    def path(self) -> str:
        """The path that an EtherNet/IP client reads the elements by, or the first of the words they are bits of."""
        return self._path(self.first)

    @property
    def words(self) -> tuple[Word, ...]:
        """The integers that these are bits of, one after another; none where they are whole values."""
        spot = self.spot
        if spot.bit is not None:
            return (
                Word(self.path, range(spot.bit, spot.bit + 1), next(size for size in SIZES if spot.bit < 8 * size)),
            )
        if not spot.packed:
            return ()
        found = []
        end = self.first + self.count
        for start in range(self.first - self.first % WORD_BITS, end, WORD_BITS):
            bits = range(max(self.first, start) - start, min(end, start + WORD_BITS) - start)
            found.append(Word(self._path(start), bits, WORD_BITS // 8))
        return tuple(found)

    def _path(self, index: int) -> str:
        return self.tag.name + (element(self.spot, (index,)) if self.spot.dimensions else self.spot).word_path


def find_place(node: NodeConfig, text: str, count: int | None = None) -> Place:
    """What `text` means in `node`: a tag (all of it), a member, an element, a range or a bit. `count` elements, where
    it is given.

    Raises `FarmError` when there is no such tag, member or element.
    """
    elements = _ELEMENTS.fullmatch(text)
    if elements is not None:
        tag, spot = _spot(node, elements["whole"])
        if spot.dimensions:
            first = int(elements["first"])
            return _checked(node, tag, spot, first, int(elements["last"] or first), count)
    tag, spot = _spot(node, text)
    return _checked(node, tag, spot, 0, spot.length - 1, count)


def _checked(node: NodeConfig, tag: TagConfig, spot: Spot, first: int, last: int, count: int | None) -> Place:
    if count is not None:
        last = first + count - 1
    if not 0 <= first <= last < spot.length:
        raise FarmError(f"{tag.name}{spot.path} has elements 0 to {spot.length - 1}")
    return Place(node, tag, spot, first, last - first + 1)


def _spot(node: NodeConfig, text: str) -> tuple[TagConfig, Spot]:
    found = split_path(text, {tag.name.casefold(): tag for tag in node.tags})
    if found is None:
        name = re.split(r"[\[.]", text)[0] or text
        raise FarmError(f"{node.name} has no tag {name!r}; `farm tags {node.name}` lists them")
    tag, path = found
    whole = root(tag, build_templates(node.types))
    if whole is None:
        raise FarmError(f"{node.name} {tag.name}: type {tag.type!r} is unknown here")
    try:
        return tag, find(whole, path)
    except ConfigError as exc:
        raise FarmError(f"{text}: {exc.message}") from exc


def registers(node: NodeConfig, name: str, kind: str, length: int) -> list[TagRegisters]:
    """The register blocks that show the tag or member `name`, in the order of units and blocks."""
    if node.modbus is None:
        return []
    return [
        TagRegisters(
            unit.unit_id,
            block.table,
            block.start,
            block.count,
            kind,
            length,
            block.order,
            block.shown_as,
            block.scale,
            block.offset,
        )
        for unit in node.modbus.units
        for block in unit.blocks
        if block.tag == name
    ]


def address(node: NodeConfig, tag: TagConfig) -> str:
    """How clients reach the tag: `Level`, `SCADA[1000]`, `@22/1/1`, `N7:0-99`, `40001-40002`, `40001/3` (unit 3);
    several are separated by blanks."""
    places = []
    if has_data_files(node):
        places += [place for place in [data_file_address(tag)] if place]
    elif node.enip is not None:
        places.append(tag.name + (f"[{','.join(map(str, tag.dimensions))}]" if tag.dimensions else ""))
        if tag.address is not None:
            places.append("@" + "/".join(map(str, tag.address)))
    several = node.modbus is not None and len(node.modbus.units) > 1
    for block in registers(node, tag.name, tag.type, tag.length):
        places.append(f"{block.numbers}{f'/{block.unit}' if several else ''}")
    return " ".join(places)
