"""What the shape of a configuration does not say: values that contradict one another or that no node could serve.

A farm asks before it starts anything and shows every problem at the place it came from; a node asks again, for what it
is handed may be written by hand.
"""

import math
from collections.abc import Iterator, Mapping
from itertools import pairwise

from node.cip.template import Template
from node.cip.text import TextType
from node.cip.types import BOOL
from node.config.data_files import data_file_address, data_file_problems, with_data_files
from node.config.model import (
    ORDERS,
    TABLES,
    UNKNOWN_UNIT,
    EnipConfig,
    IdentityConfig,
    InterfaceConfig,
    ModbusConfig,
    NodeConfig,
    RegisterBlock,
    TagConfig,
    UnitConfig,
)
from node.config.places import Spot, find, root
from node.config.problem import Problem
from node.config.structures import identifier_fault, lay_out_types
from node.config.tag_check import Tags, reference_problems, split_path, tag_problems
from node.config.transports import transport_problems
from node.errors import ConfigError
from node.objects.profiles import PCCC, PROFILES
from node.objects.settings import check as check_setting

MAX_PRODUCT_NAME = 32
"""Characters (CIP Vol 1, 5-2.2.1.7)."""

_HEXADECIMAL = frozenset("0123456789abcdefABCDEF")
_BIT_TABLES = ("coils", "discrete")
MAX_SERVER_ID = 249
"""Characters of a server id, behind its id and its run indicator."""


def problems(config: NodeConfig) -> list[Problem]:
    """Everything that is wrong with `config`; empty when a controller can be made of it."""
    config = with_data_files(config)
    found = list(_node_problems(config))
    templates, faults = lay_out_types(config.types)
    found += [Problem(place, message) for place, message in faults]
    tags = {tag.name.casefold(): tag for tag in reversed(config.tags)}
    found += _tags_problems(config, tags, templates)
    found += data_file_problems(config)
    if config.enip is not None:
        found += _enip_problems(config.enip)
        found += _setting_problems(config.enip, config.profile)
    if config.modbus is not None:
        found += _modbus_problems(config.modbus, tags, templates)
    if config.enip is not None and config.modbus is not None and config.enip.port == config.modbus.port != 0:
        found.append(Problem("modbus.port", f"{config.modbus.port} is the port of EtherNet/IP already"))
    return found


def is_ipv4(text: str) -> bool:
    """Whether `text` is four numbers of a byte each."""
    parts = text.split(".")
    return len(parts) == 4 and all(part.isascii() and part.isdigit() and int(part) <= 255 for part in parts)


def is_mac(text: str) -> bool:
    """Whether `text` is six bytes in hexadecimal, with colons."""
    parts = text.split(":")
    return len(parts) == 6 and all(len(part) == 2 and set(part) <= _HEXADECIMAL for part in parts)


def is_subnet(text: str) -> bool:
    """Whether `text` is an IPv4 subnet, `127.64.0.0/10`, whose host bits are zero."""
    address, _, prefix = text.partition("/")
    if not is_ipv4(address) or not (prefix.isascii() and prefix.isdigit() and int(prefix) <= 32):
        return False
    number = int.from_bytes(bytes(map(int, address.split("."))), "big")
    return number & (1 << 32 - int(prefix)) - 1 == 0


def _node_problems(config: NodeConfig) -> Iterator[Problem]:
    if not config.name:
        yield Problem("name", "must not be empty")
    if config.enip is None and config.modbus is None:
        yield Problem("kind", "the node speaks no protocol; wanted enip, modbus or both")
    if config.address and not is_ipv4(config.address):
        yield Problem("address", f"{config.address!r}; wanted an IPv4 address as 127.64.0.1")
    for number, interface in enumerate(config.interfaces):
        yield from _interface_problems(interface, f"interfaces.{number}")
    low, high = config.delay
    if not (0 <= low <= high and math.isfinite(high)):
        yield Problem("delay", f"{low} to {high} s; wanted 0 or more, the larger last")
    for name in config.programs:
        fault = identifier_fault(name, "program")
        if fault:
            yield Problem("programs", fault)
    if len({name.casefold() for name in config.programs}) < len(config.programs):
        yield Problem("programs", "a program is there twice, and case makes no difference")


def _interface_problems(interface: InterfaceConfig, place: str) -> Iterator[Problem]:
    for name, address in (("address", interface.address), ("gateway", interface.gateway or interface.address)):
        if not is_ipv4(address):
            yield Problem(f"{place}.{name}", f"{address!r}; wanted an IPv4 address as 10.64.0.1")
    if not 0 <= interface.prefix <= 32:
        yield Problem(f"{place}.prefix", f"{interface.prefix}; wanted 0 to 32")
    if not is_mac(interface.mac):
        yield Problem(f"{place}.mac", f"{interface.mac!r}; wanted a MAC address as 02:fa:00:00:00:01")


def _tags_problems(config: NodeConfig, tags: Tags, templates: Mapping[str, Template]) -> Iterator[Problem]:
    addresses: dict[tuple[int, int, int], str] = {}
    for tag in config.tags:
        place = f"tags.{tag.name}"
        yield from tag_problems(tag, place, templates)
        other = tags[tag.name.casefold()]
        if other is not tag:
            yield Problem(place, f"there is a tag {other.name!r} already, and case makes no difference")
        if tag.address is not None and addresses.setdefault(tag.address, tag.name) != tag.name:
            shown = "/".join(map(str, tag.address))
            yield Problem(f"{place}.address", f"@{shown} is the tag {addresses[tag.address]!r} already")
        if _out_of_reach(config, tag):
            yield Problem(place, f"{config.profile} has no tags by name; wanted an address as @147/1/10")
    yield from reference_problems(config.tags, tags, templates)


def _out_of_reach(config: NodeConfig, tag: TagConfig) -> bool:
    """Whether no client could ever read `tag`: the device has no names, and nothing else leads there."""
    profile = PROFILES.get(config.profile)
    if profile is None or profile.symbols or config.enip is None or config.modbus is not None:
        return False
    return tag.address is None and not (profile.family == PCCC and data_file_address(tag))


def _enip_problems(enip: EnipConfig) -> Iterator[Problem]:
    yield from _port_problems(enip, "enip")
    if enip.max_cip_connections is not None and enip.max_cip_connections < 1:
        yield Problem("enip.max_cip_connections", f"{enip.max_cip_connections}; wanted 1 or more")
    if enip.onward and not is_subnet(enip.onward):
        yield Problem("enip.onward", f"{enip.onward!r}; wanted an IPv4 subnet as 127.64.0.0/10")
    yield from _identity_problems(enip.identity)


def _setting_problems(enip: EnipConfig, profile: str) -> Iterator[Problem]:
    for setting in enip.objects:
        wrong = check_setting(profile, setting.section, setting.name, setting.value)
        if wrong:
            yield Problem(f"enip.objects.{setting.section}.{setting.name}", wrong)


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


def _modbus_problems(modbus: ModbusConfig, tags: Tags, templates: Mapping[str, Template]) -> Iterator[Problem]:
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
    room = room_in(spot, block.table)
    if room is not None and block.count > room:
        what = "coils" if block.table in _BIT_TABLES else "registers"
        yield Problem(f"{place}.count", f"{block.count} {what} of tag {block.tag!r}, which has {room}")


def block_spot(text: str, tags: Tags, templates: Mapping[str, Template]) -> Spot:
    """The tag, or what is within one, that a register block shows. Raises `ConfigError` of one line."""
    found = split_path(text, tags)
    if found is None:
        raise ConfigError(text, 0, f"there is no tag {text!r}")
    whole = root(found[0], templates)
    if whole is None:
        raise ConfigError(text, 0, f"tag {found[0].name!r} is of no type that is known")
    return find(whole, found[1])


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


def _port_problems(face: EnipConfig | ModbusConfig, place: str) -> Iterator[Problem]:
    if not 0 <= face.port <= 0xFFFF:
        yield Problem(f"{place}.port", f"{face.port}; wanted 0 to 65535")
    if face.max_connections is not None and face.max_connections < 1:
        yield Problem(f"{place}.max_connections", f"{face.max_connections}; wanted 1 or more")
    if face.idle_timeout < 0:
        yield Problem(f"{place}.idle_timeout", f"{face.idle_timeout:g} s; wanted 0 (never) or more")
