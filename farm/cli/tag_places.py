"""Where a tag of a node is found on the wire, and how a person names one of its elements.

`farm tags` prints it, so that it can be pasted into a client; `farm read` and `farm write` use it. A node that speaks
EtherNet/IP is asked by name, one that speaks Modbus alone by the registers that show the tag.
"""

import re
from dataclasses import dataclass

from farm.errors import FarmError
from node.client.modbus_tags import TagRegisters
from node.config.model import NodeConfig, TagConfig

ELEMENT = re.compile(r"(?P<name>[^\[\]]+)(?:\[(?P<first>\d+)(?:-(?P<last>\d+))?\])?")
"""`Level`, `SCADA[3]`, `SCADA[3-7]`."""


@dataclass(frozen=True, slots=True)
class Place:
    """Elements `first` to `first + count - 1` of the tag `tag` of `node`."""

    node: NodeConfig
    tag: TagConfig
    first: int
    count: int

    @property
    def path(self) -> str:
        """The path that an EtherNet/IP client reads the elements by."""
        indices: list[str] = []
        rest = self.first
        for length in reversed(self.tag.dimensions):
            rest, index = divmod(rest, length)
            indices.insert(0, str(index))
        return f"{self.tag.name}[{','.join(indices)}]" if indices else self.tag.name


def find_place(node: NodeConfig, text: str, count: int | None = None) -> Place:
    """What `text` means in `node`: a tag (all of it), an element or a range. `count` elements, where it is given.

    Raises `FarmError` when there is no such tag or element.
    """
    match = ELEMENT.fullmatch(text)
    if match is None:
        raise FarmError(f"{text!r} is no tag; wanted one like Level, SCADA[3] or SCADA[3-7]")
    tag = next((tag for tag in node.tags if tag.name.casefold() == match["name"].casefold()), None)
    if tag is None:
        raise FarmError(f"{node.name} has no tag {match['name']!r}; `farm tags {node.name}` lists them")
    if match["first"] is None:
        first, last = 0, tag.length - 1
    else:
        first = int(match["first"])
        last = int(match["last"]) if match["last"] is not None else first
    if count is not None:
        last = first + count - 1
    if not 0 <= first <= last < tag.length:
        raise FarmError(f"{text}: {tag.name} has elements 0 to {tag.length - 1}")
    return Place(node, tag, first, last - first + 1)


def registers(node: NodeConfig, tag: TagConfig) -> list[TagRegisters]:
    """The register blocks that show `tag`, in the order of units and blocks."""
    if node.modbus is None:
        return []
    return [
        TagRegisters(unit.unit_id, block.table, block.start, block.count, tag.type, tag.length, block.order)
        for unit in node.modbus.units
        for block in unit.blocks
        if block.tag == tag.name
    ]


def address(node: NodeConfig, tag: TagConfig) -> str:
    """How clients reach the tag: `Level`, `SCADA[1000]`, `@22/1/1`, `40001-40002`, `40001/3` (unit 3); several are
    separated by blanks."""
    places = []
    if node.enip is not None:
        places.append(tag.name + (f"[{','.join(map(str, tag.dimensions))}]" if tag.dimensions else ""))
        if tag.address is not None:
            places.append("@" + "/".join(map(str, tag.address)))
    several = node.modbus is not None and len(node.modbus.units) > 1
    for block in registers(node, tag):
        places.append(f"{block.numbers}{f'/{block.unit}' if several else ''}")
    return " ".join(places)
