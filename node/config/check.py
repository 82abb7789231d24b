"""What the shape of a configuration does not say: values that contradict one another or that no node could serve.

A farm asks before it starts anything and shows every problem at the place it came from; a node asks again, for what it
is handed may be written by hand.
"""

import math
from collections.abc import Iterator, Mapping

from node.cip.template import Template
from node.config.data_files import data_file_address, data_file_problems, with_data_files
from node.config.modbus_check import modbus_problems
from node.config.model import (
    EnipConfig,
    IdentityConfig,
    InterfaceConfig,
    ModbusConfig,
    NodeConfig,
    TagConfig,
)
from node.config.problem import Problem
from node.config.shared_tags import SharedTags
from node.config.structures import identifier_fault, lay_out_types
from node.config.tag_check import Tags, reference_problems, tag_problems
from node.objects.profiles import PCCC, PROFILES
from node.objects.settings import check as check_setting

MAX_PRODUCT_NAME = 32
"""Characters (CIP Vol 1, 5-2.2.1.7)."""

_HEXADECIMAL = frozenset("0123456789abcdefABCDEF")


def problems(config: NodeConfig, shared: SharedTags | None = None) -> list[Problem]:
    """Everything that is wrong with `config`; empty when a controller can be made of it. Tags that are `shared` with
    nodes that were looked at before it are looked at as far as the node makes a difference."""
    config = with_data_files(config)
    found = list(_node_problems(config))
    templates, faults = lay_out_types(config.types)
    found += [Problem(place, message) for place, message in faults]
    tags = {tag.name.casefold(): tag for tag in reversed(config.tags)}
    found += _tags_problems(config, tags, templates, shared.passed if shared is not None else {})
    found += data_file_problems(config)
    if config.enip is not None:
        found += _enip_problems(config.enip)
        found += _setting_problems(config.enip, config.profile)
    if config.modbus is not None:
        found += _port_problems(config.modbus, "modbus")
        found += modbus_problems(config.modbus, tags, templates)
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


def _tags_problems(
    config: NodeConfig, tags: Tags, templates: Mapping[str, Template], passed: dict[int, TagConfig]
) -> Iterator[Problem]:
    addresses: dict[tuple[int, int, int], str] = {}
    for tag in config.tags:
        place = f"tags.{tag.name}"
        if id(tag) not in passed:
            found = tag_problems(tag, place, templates)
            yield from found
            if not found and not templates:  # a node's own structures are another's too, and differ
                passed[id(tag)] = tag
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


def _port_problems(face: EnipConfig | ModbusConfig, place: str) -> Iterator[Problem]:
    if not 0 <= face.port <= 0xFFFF:
        yield Problem(f"{place}.port", f"{face.port}; wanted 0 to 65535")
    if face.max_connections is not None and face.max_connections < 1:
        yield Problem(f"{place}.max_connections", f"{face.max_connections}; wanted 1 or more")
    if face.idle_timeout < 0:
        yield Problem(f"{place}.idle_timeout", f"{face.idle_timeout:g} s; wanted 0 (never) or more")
