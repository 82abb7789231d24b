"""Who a device says it is, by the name of its profile."""

import zlib

from node.config.hint import hint
from node.config.model import IdentityConfig
from node.errors import ConfigError
from node.objects.profiles import PROFILES


def identity(profile: str, serial: int) -> IdentityConfig:
    """The Identity object of a device of `profile`. Raises `ConfigError` that lists the known ones."""
    found = PROFILES.get(profile)
    if found is None:
        raise ConfigError("profile", 0, f"{profile!r} is unknown; known: {' '.join(PROFILES)}{hint(profile, PROFILES)}")
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


def lone_serial(address: str, port: int) -> int:
    """The serial number of a controller that belongs to no farm: its address's own, always the same, never 0. One on
    all addresses gives its host's name, for the same command may run in many containers."""
    return zlib.crc32(f"{address}:{port}".encode()) or 1
