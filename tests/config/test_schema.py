"""What a farm can choose from, and the identity that comes of it."""

import pytest

from node.config.schema import DEFAULT_PROFILES, KINDS, MODBUS_PROFILES, PROFILES, identity, stable_serial
from node.errors import ConfigError


def test_the_default_controller_is_one_that_every_client_knows() -> None:
    assert KINDS == ("logix", "modbus", "gateway")
    found = identity(DEFAULT_PROFILES["logix"], 5)
    assert (found.vendor, found.device_type, found.product_code, found.revision) == (1, 14, 54, (20, 11))
    assert (found.status, found.serial, found.state) == (0x3060, 5, 3)
    assert found.product_name == "1756-L61/B LOGIX5561"


def test_every_kind_has_a_profile_that_is_there() -> None:
    for kind, profile in DEFAULT_PROFILES.items():
        assert profile in (MODBUS_PROFILES if kind == "modbus" else PROFILES)


def test_an_unknown_profile_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="'1756-L99' is unknown; known: 1756-L61 "):
        identity("1756-L99", 1)


def test_serial_numbers_are_the_same_on_every_host_and_differ_by_name() -> None:
    assert stable_serial("plant", "plc-1") == 2026274629
    serials = {stable_serial("plant", f"plc-{number}") for number in range(1000)}
    assert len(serials) == 1000
    assert all(0 < serial < 2**32 for serial in serials)
    assert stable_serial("ab", "c") != stable_serial("a", "bc")
