"""The Modbus side of a node: register blocks, each a tag seen as registers, and the units that answer for them."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from farm.topology.aliases import Tags
from farm.topology.block_scaling import finished, shown_as
from farm.topology.document import MapNode, Node, Scalar, shown
from farm.topology.groups import Member
from farm.topology.keys import UNIT_ID, UNIT_RANGE
from farm.topology.problem import Report, suggestion
from farm.topology.register_maps import MapReader, beside
from farm.topology.registers import BIT_TABLES, REGISTERS, number, tag_name
from farm.topology.scalars import BadValueError, Whole
from farm.topology.shapes import read, take
from farm.topology.tag_keys import (
    BLOCK_TYPE,
    FILE_NUMBER,
    ORDER,
    QUEUE_ADDRESS,
    REGISTER_KEYS,
    REGISTER_MAP,
    SERVER_ID,
    TAG_NAME,
    TAG_PATH,
)
from farm.topology.tags import TagBuilder
from node.config.model import RegisterBlock, TagConfig, UnitConfig
from node.config.schema import TABLES, ModbusProfile, Spot, block_spot, room_in, room_shown, root, split_path
from node.errors import ConfigError

_Own = tuple[TagConfig, RegisterBlock]
"""A block's own tag, and the block."""

_Placed = tuple[RegisterBlock, Scalar, MapNode]

_TAG_KEYS = ("type", "name", "init", "signal", "on_write", "writable", "unit")
"""Keys that describe a block's own tag, and so mean nothing beside `tag`."""


@dataclass(frozen=True, slots=True)
class Device:
    """What a node's profile says of values: the `order` of their bytes in registers, and whether BOOL arrays are
    `packed` in DWORDs. `mapped` is the profile whose registers it has when the file gives it none."""

    order: str
    packed: bool = False
    mapped: ModbusProfile | None = None


@dataclass(frozen=True, slots=True)
class _Span:
    """Where a block lies: registers or coils from `start`; `count` None follows from the type."""

    table: str
    start: int
    count: int | None
    place: Node


@dataclass(slots=True)
class BlockBuilder:
    """Builds the units of nodes, adding to each node's tags those behind its blocks. Where there is a `trace`, it gets
    path to place of each block, and of each tag behind one."""

    tags: TagBuilder
    maps: MapReader
    report: Report
    trace: dict[str, Node] | None = None
    _spans: dict[tuple[str, str], tuple[int, int | None] | None] = field(default_factory=dict)
    _known: dict[tuple[int, str, int, str, Device], tuple[Node, _Own | None]] = field(default_factory=dict)

    def units(self, member: Member, found: Tags, device: Device) -> tuple[UnitConfig, ...]:
        """The units of a node."""
        units: list[UnitConfig] = []
        bodies = list(self.unit_bodies(member))
        if any(member.body.get(key) for key in (*TABLES, "registers", "files", "queues")) or not bodies:
            unit = take(member.body, "unit", UNIT_ID, 1, self.report)
            units.append(self.unit(member.name, unit, member.body, "", found, device))
        for unit, key, body in bodies:
            if any(unit == other.unit_id for other in units):
                hint = "blocks of the node itself are those of 'unit', 1 when it is not given"
                self.report.error("F063", key, f"unit {unit} is given twice", hint)
                continue
            units.append(self.unit(member.name, unit, body, f"U{unit}_", found, device))
        return tuple(units)

    def unit_bodies(self, member: Member) -> Iterator[tuple[int, Scalar, MapNode]]:
        """The units of `units`, each filled in with its own `${unit}`."""
        for text, key, body in member.units.items() if member.units is not None else ():
            written = member.scope.fill_scalar(key) if "$" in text else key
            if written.dollar or not isinstance(body, MapNode):
                continue
            try:
                first, last = (int(text), int(text)) if text.isdigit() else UNIT_RANGE.read(written)
            except BadValueError as exc:
                self.report.error(exc.code, written, exc.about("unit"), exc.hint)
                continue
            for unit in range(first, last + 1):
                yield unit, written, member.scope.inside({"unit": unit}).fill_map(body) if body.dollar else body

    def unit(self, node: str, unit: int, body: MapNode, prefix: str, found: Tags, device: Device) -> UnitConfig:
        """One unit with its blocks, table by table in the order of the file. Tags behind blocks without a name of their
        own are called by `prefix` and the register number."""
        blocks: list[RegisterBlock] = []
        for table in TABLES:
            placed = list(self.rows(node, table, body, prefix, found, device))
            self.overlaps(placed)
            for block, key, entry in placed:
                self.traced(unit, len(blocks), block.tag, key, entry)
                blocks.append(block)
        blocks += self.mapped(node, unit, body, prefix, found, device, tuple(blocks))
        status = take(body, "exception_status", REGISTER_KEYS["coils"], (-1, 1), self.report)
        return UnitConfig(
            unit,
            tuple(blocks),
            tuple(self.held(body, "files", FILE_NUMBER, found, device)),
            tuple(self.held(body, "queues", QUEUE_ADDRESS, found, device)),
            take(body, "server_id", SERVER_ID, "", self.report),
            status[0],
        )

    def mapped(
        self,
        node: str,
        unit: int,
        body: MapNode,
        prefix: str,
        found: Tags,
        device: Device,
        own: tuple[RegisterBlock, ...],
    ) -> Iterator[RegisterBlock]:
        """The blocks of a unit's register map beside its `own`, and their tags in `found`: the map that `registers`
        names, or the profile's where the node says nothing of registers at all."""
        written = body.scalar("registers")
        if written is not None and take(body, "registers", REGISTER_MAP, None, self.report) is not None:
            rows = self.maps.named(written, device.order, prefix, device.packed)
        elif written is None and device.mapped is not None and not own and not prefix:
            rows = self.maps.of_profile(device.mapped, prefix, device.packed)
        else:
            return
        self.maps.charge(rows, written or rows[0].place)
        for at, row in enumerate(beside(rows, own), len(own)):
            tag = row.tag
            if tag.signal is not None and not tag.signal.seed:
                tag = replace(tag, signal=self.tags.signals.seeded(tag.signal, None, node, tag.name))
            self.tags.add(found, tag, row.place)
            self.traced(unit, at, tag.name, row.place, row.place)
            yield row.block

    def traced(self, unit: int, at: int, tag: str, key: Node, place: Node) -> None:
        """Keep where a block, and the tag behind it, came from."""
        if self.trace is not None:
            self.trace[f"modbus.units.{unit}.blocks.{at}"] = key
            self.trace.setdefault(f"tags.{tag}", place)

    def held(
        self, body: MapNode, name: str, numbered: Whole, found: Tags, device: Device
    ) -> Iterator[tuple[int, RegisterBlock]]:
        """The files or queues of a unit: number, and the registers of the tag behind it."""
        entries = body.map(name)
        for text, key, entry in entries.items() if entries is not None else ():
            if "$" in text or not isinstance(entry, Scalar) or entry.dollar:
                continue
            what = f"{name.removesuffix('s')} {shown(text)}"
            number = read(key, numbered, what, self.report)
            if number is None:
                continue
            path = read(entry, TAG_PATH, what, self.report) or ""
            spot = self.shown(path, entry, found) if path else None
            if spot is None:
                continue
            tag, where = spot
            room = room_in(where, "holding") or 0
            if not room:
                self.report.error("F062", entry, f"tag '{path}' is {where.kind.name}, which is no row of registers")
            elif room > REGISTERS:
                self.report.error("F060", entry, f"tag '{path}' has {room} registers; at most {REGISTERS} fit")
            else:
                yield number, RegisterBlock("holding", 0, room, tag.name + where.path, device.order)

    def rows(self, node: str, table: str, body: MapNode, prefix: str, found: Tags, device: Device) -> Iterator[_Placed]:
        """The blocks of one table, each with its key and what stands under it."""
        rows = body.map(table)
        for text, key, entry in rows.items() if rows is not None else ():
            span = self.span(table, text, key)
            if span is not None and isinstance(entry, MapNode):
                block = self.block(node, span, entry, prefix, found, device)
                if block is not None:
                    yield block, key, entry

    def span(self, table: str, text: str, key: Scalar) -> _Span | None:
        """Where the key of a block says that it lies."""
        if "$" in text:
            return None
        span = self._spans.get((table, text))
        if span is None:
            span = read(key, REGISTER_KEYS[table], f"{table} block {shown(text)}", self.report)
            self._spans[table, text] = span
        return None if span is None else _Span(table, *span, key)

    def block(
        self, node: str, span: _Span, entry: MapNode, prefix: str, found: Tags, device: Device
    ) -> RegisterBlock | None:
        """One block: of an existing tag, or of a tag of its own that is added to `found`."""
        if entry.get("tag") is not None:
            return self.existing(span, entry, found, device)
        asked = (id(entry), span.table, span.start, prefix, device)
        known = self._known.get(asked)
        if known is None:
            noted = self.report.noted
            known = (entry, self.own(span, entry, prefix, device))
            if self.report.noted == noted:
                self._known[asked] = known
        if known[1] is None:
            return None
        tag, block = known[1]
        self.tags.add(found, self.tags.seeded(node, tag, entry), entry.get("name") or span.place)
        return block

    def existing(self, span: _Span, entry: MapNode, found: Tags, device: Device) -> RegisterBlock | None:
        """A tag that is there already, or what is within one, seen as registers."""
        name = take(entry, "tag", TAG_PATH, "", self.report)
        place = entry.get("tag") or entry
        spot = self.shown(name, place, found) if name else None
        if spot is None:
            return None
        for key in _TAG_KEYS:
            if entry.get(key) is not None:
                self.report.error(
                    "F062", entry.key(key), f"'{key}' is the business of tag '{name}'", "leave it out here"
                )
        tag, where = spot
        kind = shown_as(entry, self.report)
        room = room_shown(where, span.table, kind) or 0
        count = span.count or room
        what = "coils" if span.table in BIT_TABLES else "registers"
        if not room:
            self.report.error("F062", place, f"tag '{name}' is {where.kind.name}, which cannot be shown as {what}")
        elif count > room:
            self.report.error("F062", span.place, f"{count} {what} of tag '{name}', which has {room}")
        elif self.fits(span, count):
            order = take(entry, "order", ORDER, device.order, self.report)
            plain = RegisterBlock(span.table, span.start, count, tag.name + where.path, order)
            return finished(plain, entry, kind, where.kind.name == "BOOL", self.report)
        return None

    def shown(self, name: str, place: Node, found: Tags) -> tuple[TagConfig, Spot] | None:
        """The tag that `name` begins with and what it means of it; None, with an error noted, when that is nothing."""
        whole = found.get(name.casefold())
        tags = {whole[0].name.casefold(): whole[0]} if whole else {lower: tag for lower, (tag, _) in found.items()}
        split = split_path(name, tags)
        if split is None:
            known = [tag.name for tag, _ in found.values()]
            self.report.error("F062", place, f"there is no tag {shown(name)}", suggestion(name, known))
            return None
        try:
            return split[0], block_spot(name, tags, self.tags.types.templates)
        except ConfigError as exc:
            self.report.error("F062", place, f"tag {shown(name)}: {exc.message}")
            return None

    def own(self, span: _Span, entry: MapNode, prefix: str, device: Device) -> _Own | None:
        """The tag behind a block, and the block."""
        name = take(entry, "name", TAG_NAME, prefix + tag_name(span.table, span.start), self.report)
        plain = "BOOL" if span.table in BIT_TABLES else "UINT"
        named, dimensions = take(entry, "type", BLOCK_TYPE, (plain, ()), self.report)
        if not self.tags.named(name, entry.get("name") or span.place):
            return None
        one = root(TagConfig(name, named), {})
        kind = shown_as(entry, self.report)
        element = (room_shown(one, span.table, kind) if one is not None else None) or 0
        place = entry.get("type") or span.place
        if not element:
            what = "as a coil" if span.table in BIT_TABLES else "in registers"
            self.report.error("F062", place, f"{named} cannot be shown {what}")
            return None
        tag = TagConfig(name, named, dimensions)
        if span.count is not None and not dimensions:
            if span.count % element:
                low, high = number(span.table, span.start), number(span.table, span.start + span.count - 1)
                message = f"{low}-{high} are {span.count} registers, and one {named} takes {element}"
                self.report.error("F062", span.place, message)
                return None
            elements = span.count // element
            tag = replace(tag, dimensions=(elements,) if elements > 1 else ())
        count = tag.length * element
        if span.count not in (None, count):
            self.report.error(
                "F062", span.place, f"the key takes {span.count}, and the type {count}", "name the first only"
            )
            return None
        if not self.fits(span, count):
            return None
        order = take(entry, "order", ORDER, device.order, self.report)
        block = RegisterBlock(span.table, span.start, count, name, order)
        return self.tags.finish(tag, entry, device.packed), finished(block, entry, kind, named == "BOOL", self.report)

    def fits(self, span: _Span, count: int) -> bool:
        """Whether a block ends within its table."""
        if span.start + count <= REGISTERS:
            return True
        self.report.error("F060", span.place, f"{count} from wire address {span.start} end beyond {REGISTERS - 1}")
        return False

    def overlaps(self, placed: list[_Placed]) -> None:
        """Find blocks of one table that share a register or coil."""
        placed = sorted(placed, key=lambda entry: entry[0].start)
        for (before, there, _), (block, place, _) in pairwise(placed):
            end = before.start + before.count
            if block.start < end:
                first = number(block.table, block.start)
                message = f"{block.table} {first} is in two blocks; the other is at {there.source.name}:{there.line}"
                self.report.error("F061", place, f"{message} and ends at {number(block.table, end - 1)}")
