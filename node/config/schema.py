"""What a plant file can choose from: kinds, profiles, types, signals, tables. A farm imports only this of them."""

import hashlib
import importlib
from collections.abc import Callable

from node.cip.template import Kind, Template
from node.config.check import MAX_PRODUCT_NAME, problems
from node.config.identity import identity
from node.config.modbus_check import block_spot, room_in, room_shown
from node.config.model import (
    ACCESS,
    BAUDS,
    BLOCK_ACCESS,
    DATA_BITS,
    FRAMINGS,
    ON_WRITE,
    ORDERS,
    PARITIES,
    STOP_BITS,
    TABLES,
    UNKNOWN_UNIT,
)
from node.config.places import Spot, element, find, root
from node.config.problem import Problem
from node.config.structures import (
    MAX_IDENTIFIER,
    MAX_STRING,
    MAX_TYPES,
    build_templates,
    identifier_fault,
    lay_out_types,
    type_name_fault,
)
from node.config.tag_check import misfit, part_spots, split_path, tag_problems, takes_text, target_of
from node.config.tagspec import (
    BLOCK_TYPES,
    MAX_ELEMENTS,
    OTHER_NAMES,
    TEXT_TYPES,
    TYPES,
    check_dimensions,
    check_name,
    check_type,
    parse_cip_address,
    parse_type,
    split_type,
)
from node.config.transports import transport_problems
from node.objects.profiles import MODBUS_PROFILES, PROFILES, ModbusProfile, Profile
from node.signals.waveform import SECONDS, SIGNALS, Parameter, Signal
from node.signals.waveform import problems as signal_problems

__all__ = [
    "ACCESS",
    "BAUDS",
    "BLOCK_ACCESS",
    "BLOCK_TYPES",
    "DATA_BITS",
    "DEFAULT_PROFILES",
    "FRAMINGS",
    "KINDS",
    "MAX_ELEMENTS",
    "MAX_IDENTIFIER",
    "MAX_PRODUCT_NAME",
    "MAX_STRING",
    "MAX_TYPES",
    "MODBUS_PROFILES",
    "ON_WRITE",
    "ORDERS",
    "OTHER_NAMES",
    "PARITIES",
    "PROFILES",
    "SECONDS",
    "SIGNALS",
    "STOP_BITS",
    "TABLES",
    "TEXT_TYPES",
    "TYPES",
    "UNKNOWN_UNIT",
    "Kind",
    "ModbusProfile",
    "Parameter",
    "Problem",
    "Profile",
    "Signal",
    "Spot",
    "Template",
    "block_spot",
    "build_templates",
    "check_dimensions",
    "check_name",
    "check_type",
    "element",
    "find",
    "identifier_fault",
    "identity",
    "lay_out_types",
    "misfit",
    "object_fault",
    "parse_cip_address",
    "parse_type",
    "part_spots",
    "problems",
    "room_in",
    "room_shown",
    "root",
    "signal_problems",
    "split_path",
    "split_type",
    "stable_serial",
    "tag_problems",
    "takes_text",
    "target_of",
    "transport_problems",
    "type_name_fault",
]

DEFAULT_PROFILES = {"logix": "1756-L61", "modbus": "generic", "gateway": "1756-L61"}
"""Built-in kind to the profile it has when none is given."""

KINDS = tuple(DEFAULT_PROFILES)


def object_fault(profile: str, section: str, name: str, value: str) -> str:
    """What is wrong with giving attribute `name` of object `section` the JSON text `value` on a device of `profile`;
    "" when nothing is. Objects come in only when this is asked."""
    check: Callable[[str, str, str, str], str] = importlib.import_module("node.objects.settings").check
    return check(profile, section, name, value)


def stable_serial(*parts: str) -> int:
    """A serial number that is the same for the same parts on any host, and never 0."""
    digest = hashlib.blake2b("\0".join(parts).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "little") or 1
