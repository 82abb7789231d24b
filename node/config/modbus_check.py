"""What is wrong with the Modbus face of a configuration: units, their blocks, files and queues."""

import math
from collections.abc import Iterator, Mapping
from itertools import pairwise

from node.cip.template import Template
from node.cip.text import TextType
from node.cip.types import BOOL, ELEMENTARY
from node.config.model import (
    BLOCK_ACCESS,
    ORDERS,
    TABLES,
    UNKNOWN_UNIT,
    ModbusConfig,
    RegisterBlock,
    UnitConfig,
)
from node.config.places import Spot, find, root
from node.config.problem import Problem
from node.config.tag_check import Tags, split_path
from node.config.transports import transport_problems
from node.errors import ConfigError

MAX_SERVER_ID = 249
"""Characters of a server id, behind its id and its run indicator."""

NUMBERS = {kind.name: kind for kind in ELEMENTARY if kind is not BOOL}
"""Types that registers may show the values of a tag in."""

_BIT_TABLES = ("coils", "discrete")


def modbus_problems(modbus: ModbusConfig, tags: Tags, templates: Mapping[str, Template]) -> Iterator[Problem]:
    """Everything that is wrong with units, blocks and identification, but for the port."""
    seen = set()
    for unit in modbus.units:
        place = f"modbus.units.{unit.unit_id}"
        if not 0 <= unit.unit_id <= 255:
            yield Problem(place, "a unit id is 0 to 255")
        if unit.unit_id in seen:
            yield Problem(place, "the unit is there twice")
        seen.add(unit.unit_id)
        for index, block in enumerate(unit.blocks):
            yield from _block_problems(block, tags, templates, f"{place}.blocks.{index}")
        yield from _overlaps(unit.blocks, place)
        yield from _record_problems(unit, tags, templates, place)
    yield from transport_problems(modbus)
    if modbus.unknown_unit not in UNKNOWN_UNIT:
        yield Problem("modbus.unknown_unit", f"{modbus.unknown_unit!r}; wanted {' or '.join(UNKNOWN_UNIT)}")
    for object_id, text in modbus.device_id:
        if not 0 <= object_id <= 255 or len(text) > 244 or not all(ord(c) < 256 for c in text):
            yield Problem("modbus.device_id", f"({object_id}, {text!r}); wanted an id of 0 to 255 and a short text")


def _record_problems(unit: UnitConfig, tags: Tags, templates: Mapping[str, Template], place: str) -> Iterator[Problem]:
    for name, held, least in (("files", unit.files, 1), ("queues", unit.queues, 0)):
        for number, block in held:
            if not least <= number <= 0xFFFF:
                yield Problem(f"{place}.{name}.{number}", f"wanted a number of {least} to 65535")
            yield from _block_problems(block, tags, templates, f"{place}.{name}.{number}")
    if len(unit.server_id) > MAX_SERVER_ID or not all(ord(c) < 256 for c in unit.server_id):
        yield Problem(f"{place}.server_id", f"{unit.server_id!r}; wanted at most {MAX_SERVER_ID} characters")
    if not -1 <= unit.exception_status <= 0xFFF8:
        yield Problem(f"{place}.exception_status", f"{unit.exception_status}; wanted eight coils from 0 to 65528 on")


def _block_problems(
    block: RegisterBlock, tags: Tags, templates: Mapping[str, Template], place: str
) -> Iterator[Problem]:
    if block.table not in TABLES:
        yield Problem(f"{place}.table", f"{block.table!r}; wanted {' or '.join(TABLES)}")
    if block.order not in ORDERS:
        yield Problem(f"{place}.order", f"{block.order!r}; wanted {' or '.join(ORDERS)}")
    if not (block.start >= 0 and block.count >= 1 and block.start + block.count <= 0x10000):
        yield Problem(place, f"{block.count} from address {block.start}; wanted at least 1, within 0 to 65535")
    try:
        spot = block_spot(block.tag, tags, templates)
    except ConfigError as exc:
        yield Problem(f"{place}.tag", exc.message)
        return
    yield from _scaling_problems(block, spot, place)
    room = room_shown(spot, block.table, block.shown_as)
    if room is not None and block.count > room:
        what = "coils" if block.table in _BIT_TABLES else "registers"
        yield Problem(f"{place}.count", f"{block.count} {what} of tag {block.tag!r}, which has {room}")


def _scaling_problems(block: RegisterBlock, spot: Spot, place: str) -> Iterator[Problem]:
    if block.access not in BLOCK_ACCESS:
        yield Problem(f"{place}.access", f"{block.access!r}; wanted {' or '.join(BLOCK_ACCESS)}")
    if not block.scaled:
        return
    named = block.shown_as or spot.kind.name
    if block.table in _BIT_TABLES or isinstance(spot.kind, TextType | Template) or spot.kind is BOOL:
        yield Problem(place, "only numbers in registers have a scale, limits or another type")
    elif named not in NUMBERS:
        yield Problem(f"{place}.shown_as", f"{named!r}; wanted a number's type")
    if block.scale == 0 or not all(map(math.isfinite, (block.scale, block.offset))):
        yield Problem(f"{place}.scale", f"{block.scale}; wanted a number that is not 0")
    if block.least is not None and block.most is not None and block.least > block.most:
        yield Problem(f"{place}.least", f"{block.least:g} is above most, {block.most:g}; no write could be taken")


def block_spot(text: str, tags: Tags, templates: Mapping[str, Template]) -> Spot:
    """The tag, or what is within one, that a register block shows. Raises `ConfigError` of one line."""
    found = split_path(text, tags)
    if found is None:
        raise ConfigError(text, 0, f"there is no tag {text!r}")
    whole = root(found[0], templates)
    if whole is None:
        raise ConfigError(text, 0, f"tag {found[0].name!r} is of no type that is known")
    return find(whole, found[1])


def room_shown(spot: Spot, table: str, shown_as: str) -> int | None:
    """The same as `room_in` for values that are shown as the type `shown_as`, "" for their own."""
    if table in _BIT_TABLES or not shown_as or isinstance(spot.kind, TextType | Template):
        return room_in(spot, table)
    return max(1, NUMBERS[shown_as].size // 2) * spot.length if shown_as in NUMBERS else 0


def room_in(spot: Spot, table: str) -> int | None:
    """How many registers or coils a place can be shown as, 0 for a REAL as coils or a structure; None for texts."""
    kind = spot.kind
    if isinstance(kind, TextType) or (isinstance(kind, Template) and kind.capacity):
        return None
    if isinstance(kind, Template):
        return 0
    if table in _BIT_TABLES:
        bits = 1 if kind is BOOL else 8 * kind.size if isinstance(kind.low, int) else 0
        return bits * spot.length
    return max(1, kind.size // 2) * spot.length


def _overlaps(blocks: tuple[RegisterBlock, ...], place: str) -> Iterator[Problem]:
    ordered = sorted(blocks, key=lambda block: (block.table, block.start))
    for before, block in pairwise(ordered):
        if before.table == block.table and block.start < before.start + before.count:
            yield Problem(place, f"{block.table} {block.start} is in two blocks: {before.tag!r} and {block.tag!r}")
