"""What the shape of a configuration does not say: values that contradict one another or that no node could serve.

A farm asks before it starts anything and shows every problem at the place it came from; a node asks again, for what it
is handed may be written by hand.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from node.cip.predefined import predefined_by_name
from node.cip.template import Kind, Template
from node.cip.text import text_by_name
from node.cip.types import BOOL, Type, by_name
from node.config.model import (
    ON_WRITE,
    ORDERS,
    TABLES,
    EnipConfig,
    IdentityConfig,
    ModbusConfig,
    NodeConfig,
    RegisterBlock,
    Scalar,
    TagConfig,
)
from node.config.tagspec import check_dimensions, check_name, check_type
from node.errors import ConfigError
from node.signals import waveform

MAX_PRODUCT_NAME = 32
"""Characters (CIP Vol 1, 5-2.2.1.7)."""

_BIT_TABLES = ("coils", "discrete")


@dataclass(frozen=True, slots=True)
class Problem:
    """`path` is the dotted place, with names for tags: `tags.Level.signal`, `modbus.units.1.blocks.0.count`."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


def problems(config: NodeConfig) -> list[Problem]:
    """Everything that is wrong with `config`; empty when a controller can be made of it."""
    found = [Problem("name", "must not be empty")] if not config.name else []
    if config.enip is None and config.modbus is None:
        found.append(Problem("kind", "the node speaks no protocol; wanted enip, modbus or both"))
    if config.address and not is_ipv4(config.address):
        found.append(Problem("address", f"{config.address!r}; wanted an IPv4 address as 127.64.0.1"))
    tags: dict[str, TagConfig] = {}
    addresses: dict[tuple[int, int, int], str] = {}
    for tag in config.tags:
        place = f"tags.{tag.name}"
        found += tag_problems(tag, place)
        other = tags.setdefault(tag.name.casefold(), tag)
        if other is not tag:
            found.append(Problem(place, f"there is a tag {other.name!r} already, and case makes no difference"))
        if tag.address is not None and addresses.setdefault(tag.address, tag.name) != tag.name:
            shown = "/".join(map(str, tag.address))
            found.append(Problem(f"{place}.address", f"@{shown} is the tag {addresses[tag.address]!r} already"))
    if config.enip is not None:
        found += _enip_problems(config.enip)
    if config.modbus is not None:
        found += _modbus_problems(config.modbus, tags)
    if config.enip is not None and config.modbus is not None and config.enip.port == config.modbus.port != 0:
        found.append(Problem("modbus.port", f"{config.modbus.port} is the port of EtherNet/IP already"))
    return found


def is_ipv4(text: str) -> bool:
    """Whether `text` is four numbers of a byte each."""
    parts = text.split(".")
    return len(parts) == 4 and all(part.isascii() and part.isdigit() and int(part) <= 255 for part in parts)


def tag_problems(tag: TagConfig, place: str) -> list[Problem]:
    """What is wrong with one tag by itself."""
    found = []
    for field, check in (
        ("name", lambda: check_name(tag.name, "")),
        ("type", lambda: check_type(tag.type, "")),
        ("dimensions", lambda: check_dimensions(tag.dimensions, "")),
    ):
        try:
            check()
        except ConfigError as exc:
            found.append(Problem(f"{place}.{field}", exc.message))
    if tag.address is not None and not all(0 <= number <= 0xFFFF for number in tag.address):
        found.append(Problem(f"{place}.address", "class, instance and attribute are 0 to 65535 each"))
    kind = by_name(tag.type) or text_by_name(tag.type) or predefined_by_name(tag.type)
    if kind is not None:
        found += _initial_problems(tag, kind, place)
        found += _signal_problems(tag, kind, place)
    return found


def _initial_problems(tag: TagConfig, kind: Kind, place: str) -> Iterator[Problem]:
    values = tag.initial if isinstance(tag.initial, tuple) else () if tag.initial is None else (tag.initial,)
    if isinstance(tag.initial, tuple) and len(values) != tag.length:
        yield Problem(f"{place}.initial", f"{len(values)} values for {tag.length} elements")
    for value in values:
        wanted = misfit(kind, value)
        if wanted:
            yield Problem(f"{place}.initial", f"{value!r} does not fit {kind.name}; wanted {wanted}")
            return


def misfit(kind: Kind, value: Scalar) -> str:
    """What `kind` takes, when it does not take `value`; else ""."""
    if isinstance(kind, Template) and not kind.capacity:
        return "no value for the whole structure; give its members theirs"
    if not isinstance(kind, Type):
        fits = isinstance(value, str) and len(value) <= kind.capacity and all(ord(c) < 256 for c in value)
        return "" if fits else f"a text of at most {kind.capacity} ISO-8859-1 characters"
    if kind is BOOL:
        return "" if not isinstance(value, str) and value in (0, 1) else "true or false"
    whole = isinstance(kind.low, int)
    fits = (
        not isinstance(value, str | bool) and (isinstance(value, int) or not whole) and kind.low <= value <= kind.high
    )
    return "" if fits else f"{kind.low} to {kind.high}" if whole else "a number"


def _signal_problems(tag: TagConfig, kind: Kind, place: str) -> Iterator[Problem]:
    signal = tag.signal
    if signal is None:
        return
    if not isinstance(kind, Type):
        yield Problem(f"{place}.signal", f"a signal is a number and the type is {kind.name}")
    if signal.on_write not in ON_WRITE:
        yield Problem(f"{place}.signal", f"on_write {signal.on_write!r}; wanted {' or '.join(ON_WRITE)}")
    for message in waveform.problems(signal.kind, dict(signal.parameters)):
        yield Problem(f"{place}.signal", message)


def _enip_problems(enip: EnipConfig) -> Iterator[Problem]:
    yield from _port_problems(enip, "enip")
    if enip.max_cip_connections is not None and enip.max_cip_connections < 1:
        yield Problem("enip.max_cip_connections", f"{enip.max_cip_connections}; wanted 1 or more")
    yield from _identity_problems(enip.identity)


def _identity_problems(identity: IdentityConfig) -> Iterator[Problem]:
    limits = {"vendor": 0xFFFF, "device_type": 0xFFFF, "product_code": 0xFFFF, "status": 0xFFFF, "state": 0xFF}
    for name, limit in {**limits, "serial": 0xFFFFFFFF}.items():
        value = getattr(identity, name)
        if not 0 <= value <= limit:
            yield Problem(f"enip.identity.{name}", f"{value}; wanted 0 to {limit}")
    if not all(0 <= part <= 0xFF for part in identity.revision):
        yield Problem("enip.identity.revision", "major and minor are 0 to 255 each")
    name = identity.product_name
    if len(name) > MAX_PRODUCT_NAME or not all(ord(c) < 256 for c in name):
        yield Problem("enip.identity.product_name", f"{name!r}; wanted at most {MAX_PRODUCT_NAME} plain characters")


def _modbus_problems(modbus: ModbusConfig, tags: dict[str, TagConfig]) -> Iterator[Problem]:
    yield from _port_problems(modbus, "modbus")
    seen = set()
    for unit in modbus.units:
        place = f"modbus.units.{unit.unit_id}"
        if not 0 <= unit.unit_id <= 255:
            yield Problem(place, "a unit id is 0 to 255")
        if unit.unit_id in seen:
            yield Problem(place, "the unit is there twice")
        seen.add(unit.unit_id)
        for index, block in enumerate(unit.blocks):
            yield from _block_problems(block, tags, f"{place}.blocks.{index}")
        yield from _overlaps(unit.blocks, place)
    for object_id, text in modbus.device_id:
        if not 0 <= object_id <= 255 or len(text) > 244 or not all(ord(c) < 256 for c in text):
            yield Problem("modbus.device_id", f"({object_id}, {text!r}); wanted an id of 0 to 255 and a short text")


def _block_problems(block: RegisterBlock, tags: dict[str, TagConfig], place: str) -> Iterator[Problem]:
    if block.table not in TABLES:
        yield Problem(f"{place}.table", f"{block.table!r}; wanted {' or '.join(TABLES)}")
    if block.order not in ORDERS:
        yield Problem(f"{place}.order", f"{block.order!r}; wanted {' or '.join(ORDERS)}")
    if not (block.start >= 0 and block.count >= 1 and block.start + block.count <= 0x10000):
        yield Problem(place, f"{block.count} from address {block.start}; wanted at least 1, within 0 to 65535")
    tag = tags.get(block.tag.casefold())
    if tag is None:
        yield Problem(f"{place}.tag", f"there is no tag {block.tag!r}")
        return
    room = room_in(tag, block.table)
    if room is not None and block.count > room:
        what = "coils" if block.table in _BIT_TABLES else "registers"
        yield Problem(f"{place}.count", f"{block.count} {what} of tag {tag.name!r}, which has {room}")


def room_in(tag: TagConfig, table: str) -> int | None:
    """How many registers or coils `tag` can be shown as, 0 for a REAL as coils; None for texts and unknown types."""
    kind = by_name(tag.type)
    if kind is None:
        return None
    if table in _BIT_TABLES:
        bits = 1 if kind is BOOL else 8 * kind.size if isinstance(kind.low, int) else 0
        return bits * tag.length
    return max(1, kind.size // 2) * tag.length


def _overlaps(blocks: tuple[RegisterBlock, ...], place: str) -> Iterator[Problem]:
    ordered = sorted(blocks, key=lambda block: (block.table, block.start))
    for before, block in pairwise(ordered):
        if before.table == block.table and block.start < before.start + before.count:
            yield Problem(place, f"{block.table} {block.start} is in two blocks: {before.tag!r} and {block.tag!r}")


def _port_problems(face: EnipConfig | ModbusConfig, place: str) -> Iterator[Problem]:
    if not 0 <= face.port <= 0xFFFF:
        yield Problem(f"{place}.port", f"{face.port}; wanted 0 to 65535")
    if face.max_connections is not None and face.max_connections < 1:
        yield Problem(f"{place}.max_connections", f"{face.max_connections}; wanted 1 or more")
    if face.idle_timeout < 0:
        yield Problem(f"{place}.idle_timeout", f"{face.idle_timeout:g} s; wanted 0 (never) or more")
