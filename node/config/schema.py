"""What a plant file can choose from: kinds, profiles, types, signals, tables. A farm imports only this of them."""

import hashlib

from node.cip.template import Template
from node.config.check import MAX_PRODUCT_NAME, problems, room_in
from node.config.identity import identity
from node.config.model import ACCESS, ON_WRITE, ORDERS, TABLES
from node.config.places import root
from node.config.problem import Problem
from node.config.structures import MAX_IDENTIFIER, MAX_STRING, identifier_fault, lay_out_types, type_name_fault
from node.config.tag_check import misfit, tag_problems
from node.config.tagspec import (
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
from node.objects.profiles import MODBUS_PROFILES, PROFILES, ModbusProfile, Profile
from node.signals.waveform import SECONDS, SIGNALS, Parameter, Signal
from node.signals.waveform import problems as signal_problems

__all__ = [
    "ACCESS",
    "DEFAULT_PROFILES",
    "KINDS",
    "MAX_ELEMENTS",
    "MAX_IDENTIFIER",
    "MAX_PRODUCT_NAME",
    "MAX_STRING",
    "MODBUS_PROFILES",
    "ON_WRITE",
    "ORDERS",
    "OTHER_NAMES",
    "PROFILES",
    "SECONDS",
    "SIGNALS",
    "TABLES",
    "TEXT_TYPES",
    "TYPES",
    "ModbusProfile",
    "Parameter",
    "Problem",
    "Profile",
    "Signal",
    "Template",
    "check_dimensions",
    "check_name",
    "check_type",
    "identifier_fault",
    "identity",
    "lay_out_types",
    "misfit",
    "parse_cip_address",
    "parse_type",
    "problems",
    "room_in",
    "root",
    "signal_problems",
    "split_type",
    "stable_serial",
    "tag_problems",
    "type_name_fault",
]

DEFAULT_PROFILES = {"logix": "1756-L61", "modbus": "generic", "gateway": "1756-L61"}
"""Built-in kind to the profile it has when none is given."""

KINDS = tuple(DEFAULT_PROFILES)


def stable_serial(*parts: str) -> int:
    """A serial number that is the same for the same parts on any host, and never 0."""
    digest = hashlib.blake2b("\0".join(parts).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "little") or 1
