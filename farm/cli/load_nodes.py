"""What a load test asks of a farm's nodes: all their tags, those that are named, or so many single values; and which
nodes it leaves out, and why."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, cycle, islice
from pathlib import Path

from farm.cli.tag_places import Place, find_place
from farm.errors import FarmError
from farm.load.profile import Profile
from farm.load.targets import Wanted
from farm.supervisor.probe import endpoint
from farm.topology.problem import suggestion
from node.client.prepared_enip import TagItem
from node.client.prepared_modbus import RegisterItem, parse_registers
from node.config.data_files import has_data_files
from node.config.model import NodeConfig, RegisterBlock, TagConfig
from node.errors import NodeError

REPLY_ROOM = 480
"""Bytes of values that a reply to one unconnected read holds; arrays of more are asked for in parts."""
TEXT_SIZE = 90
"""Bytes that a text takes whose length varies; what it is too little for is asked for in a packet less."""
HIDDEN = "none"
WRITABLE_TABLES = ("coils", "holding")


@dataclass(slots=True)
class Choice:
    """What is wanted of each node, and why others are left out: reason to their names."""

    wanted: list[Wanted] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)

    def remarks(self) -> Iterator[str]:
        """A line for each reason."""
        for reason, names in self.left_out.items():
            shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
            yield f"left out: {shown}: {reason}"


def choose_tags(nodes: Sequence[NodeConfig], profile: Profile, inside: bool) -> Choice:
    """What to ask of each node; `inside`, at its own address. Raises `FarmError` where nothing is left to ask."""
    choice = Choice()
    _check_names(nodes, profile.tags)
    for node in nodes:
        protocol, reason = spoken(node, profile.protocol)
        wanted = None if reason else _wanted(node, protocol, profile, inside)
        if wanted is not None and (wanted.tags or wanted.registers):
            choice.wanted.append(wanted)
            continue
        reason = reason or ("it has none of these tags" if profile.tags else "it has no tags")
        choice.left_out.setdefault(reason, []).append(node.name)
    if not choice.wanted:
        raise FarmError("; ".join(choice.remarks()) or "no node is left to ask")
    return choice


def _check_names(nodes: Sequence[NodeConfig], tags: Sequence[str]) -> None:
    """Raises `FarmError` for a tag that none of the nodes has: among others that they have, it would be missed."""
    known = {tag.name.casefold(): tag.name for node in nodes for tag in node.tags}
    for text in tags:
        if not text[:1].isdigit() and not _leads_into(text, known):
            raise FarmError(
                f"none of these nodes has a tag {text!r}; `farm tags` lists them", suggestion(text, known.values())
            )


def spoken(node: NodeConfig, protocol: str) -> tuple[str, str]:
    """By which protocol a node is asked, and why it cannot be; "" where it can."""
    files = has_data_files(node)
    if protocol != "modbus" and node.enip is not None and not files:
        return "enip", ""
    if protocol == "enip" or node.modbus is None:
        return "", "its data files are asked for by PCCC" if files else "it does not speak that protocol"
    if not node.modbus.tcp or node.modbus.framing != "tcp":
        return "", "it does not speak Modbus/TCP but frames of a line"
    if node.modbus.tls is not None and node.modbus.tls.ca:
        return "", "it asks its clients for a certificate"
    return "modbus", ""


def _wanted(node: NodeConfig, protocol: str, profile: Profile, inside: bool) -> Wanted:
    host, port = endpoint(node, protocol, node.ports[protocol], inside)
    if protocol == "enip":
        places = _places(node, profile)
        writable = frozenset(place_name(place) for place in places if _writable(place))
        items = [tag_item(place) for place in places]
        return Wanted(node.name, host, port, protocol, items, writable=writable)
    registers, open_ones = _registers(node, profile)
    tls = node.modbus.tls.certificate if node.modbus is not None and node.modbus.tls is not None else ""
    certificate = str(Path(tls).resolve()) if tls else ""
    return Wanted(node.name, host, port, protocol, (), registers, open_ones, tls=certificate)


def _places(node: NodeConfig, profile: Profile) -> list[Place]:
    """Places on the wire, none of more than a reply holds."""
    readable = [tag for tag in node.tags if tag.access != HIDDEN]
    if profile.tags:
        known = {tag.name.casefold() for tag in readable}
        whole = [find_place(node, text) for text in profile.tags if _leads_into(text, known)]
    else:
        whole = [find_place(node, tag.name) for tag in readable]
    if profile.values:
        return list(islice(_single(whole), profile.values))
    return [part for place in whole for part in parts(place)]


def _leads_into(text: str, known: Iterable[str]) -> bool:
    """Whether a tag of the node is what `text` begins with: `Tank1.Level`, `SCADA[3]`, `Program:Main.T`."""
    lowered = text.casefold()
    return any(lowered == name or lowered.startswith((f"{name}[", f"{name}.")) for name in known)


def _single(places: Sequence[Place]) -> Iterator[Place]:
    """One value of each place, then the others of arrays, and all again."""
    firsts = [replace(place, count=1) for place in places]
    others = [
        replace(place, first=place.first + at, count=1)
        for place in places
        for at in range(1, place.count)
        if not place.words
    ]
    return chain(firsts, cycle([*others, *firsts])) if firsts else iter(())


def parts(place: Place) -> list[Place]:
    """A place as so many that each has room in a reply."""
    if place.words:
        return [place]
    each = max(1, REPLY_ROOM // (place.spot.kind.size or TEXT_SIZE))
    ends = range(place.first, place.first + place.count, each)
    return [replace(place, first=at, count=min(each, place.first + place.count - at)) for at in ends]


def place_name(place: Place) -> str:
    """As people name it."""
    if not place.spot.dimensions:
        return place.name
    last = f"-{place.first + place.count - 1}" if place.count > 1 else ""
    return f"{place.name}[{place.first}{last}]"


def tag_item(place: Place) -> TagItem:
    """The request's part for a place; bits by the words that hold them."""
    words = place.words
    if words:
        return TagItem(place_name(place), words[0].path, len(words), sum(word.size for word in words))
    size = (place.spot.kind.size or TEXT_SIZE) * place.count
    return TagItem(place_name(place), place.path, place.count, size)


def _writable(place: Place) -> bool:
    """Whether what was read may be put back: words of which some bits are not meant may not."""
    return not place.words and _open(place.tag)


def _open(tag: TagConfig) -> bool:
    return tag.writable and not (tag.signal is not None and tag.signal.on_write == "refuse")


def _registers(node: NodeConfig, profile: Profile) -> tuple[list[RegisterItem], frozenset[str]]:
    """Register blocks, and the names of those that may be written."""
    assert node.modbus is not None
    tags = {tag.name.casefold(): tag for tag in node.tags}
    blocks = [(unit.unit_id, block) for unit in node.modbus.units for block in unit.blocks]
    readable = [(unit, block) for unit, block in blocks if block.access != "write only"]
    if profile.tags:
        names = {text.casefold() for text in profile.tags}
        items = [_item(unit, block) for unit, block in readable if block.tag.casefold() in names]
        items += [parse_text(text) for text in profile.tags if text[:1].isdigit()]
    else:
        items = [_item(unit, block) for unit, block in readable]
    writable = frozenset(_item(unit, block).name for unit, block in blocks if _block_open(block, tags))
    if profile.values:
        items = list(islice(chain.from_iterable(map(_each, items)), profile.values))
    return items, writable


def _block_open(block: RegisterBlock, tags: Mapping[str, TagConfig]) -> bool:
    tag = tags.get(block.tag.casefold())
    return block.access == "read/write" and block.table in WRITABLE_TABLES and (tag is None or _open(tag))


def _item(unit: int, block: RegisterBlock) -> RegisterItem:
    return RegisterItem(f"{block.tag}/{unit}" if unit != 1 else block.tag, unit, block.table, block.start, block.count)


def _each(item: RegisterItem) -> Iterator[RegisterItem]:
    return (replace(item, start=item.start + at, count=1) for at in range(item.count))


def parse_text(text: str) -> RegisterItem:
    """Registers by their numbers. Raises `FarmError`."""
    try:
        return parse_registers(text)
    except NodeError as exc:
        raise FarmError(str(exc)) from exc
