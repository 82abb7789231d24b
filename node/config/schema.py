"""What a plant file can choose from: kinds, profiles, types, signals, tables. A farm imports only this of them."""

import hashlib

from node.config.check import MAX_PRODUCT_NAME, problems, room_in
from node.config.model import ACCESS, ON_WRITE, ORDERS, TABLES, IdentityConfig
from node.config.places import root
from node.config.problem import Problem
from node.config.tag_check import misfit, tag_problems
from node.config.tagspec import (
    MAX_ELEMENTS,
    TEXT_TYPES,
    TYPES,
    check_dimensions,
    check_name,
    check_type,
    parse_cip_address,
    parse_type,
)
from node.errors import ConfigError
from node.objects.profiles import MODBUS_PROFILES, PROFILES, ModbusProfile, Profile
from node.signals.waveform import SECONDS, SIGNALS, Parameter, Signal
from node.signals.waveform import problems as signal_problems

__all__ = [
    "ACCESS",
    "DEFAULT_PROFILES",
    "KINDS",
    "MAX_ELEMENTS",
    "MAX_PRODUCT_NAME",
    "MODBUS_PROFILES",
    "ON_WRITE",
    "ORDERS",
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
    "check_dimensions",
    "check_name",
    "check_type",
    "identity",
    "misfit",
    "parse_cip_address",
    "parse_type",
    "problems",
    "room_in",
    "root",
    "signal_problems",
    "stable_serial",
    "tag_problems",
]

DEFAULT_PROFILES = {"logix": "1756-L61", "modbus": "generic", "gateway": "1756-L61"}
"""Built-in kind to the profile it has when none is given."""

KINDS = tuple(DEFAULT_PROFILES)


def identity(profile: str, serial: int) -> IdentityConfig:
    """The Identity object of a device of `profile`. Raises `ConfigError` that lists the known ones."""
    found = PROFILES.get(profile)
    if found is None:
        raise ConfigError("profile", 0, f"{profile!r} is unknown; known: {' '.join(PROFILES)}")
    return IdentityConfig(
        vendor=found.vendor,
        device_type=found.device_type,
        product_code=found.product_code,
        revision=found.revision,
        status=found.status,
        serial=serial,
        product_name=found.product_name,
        state=found.state,
    )


def stable_serial(*parts: str) -> int:
    """A serial number that is the same for the same parts on any host, and never 0."""
    digest = hashlib.blake2b("\0".join(parts).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "little") or 1
