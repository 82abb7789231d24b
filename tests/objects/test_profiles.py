"""The table of devices: what it says of each fits the wire."""

import pytest

from node.objects.profiles import MODBUS_PROFILES, PROFILES, ModbusProfile, Profile


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_every_identity_can_be_sent(profile: Profile) -> None:
    assert 0 < len(profile.product_name) <= 32
    assert profile.product_name.isascii()
    assert all(0 <= part <= 255 for part in profile.revision)
    assert all(0 <= number <= 0xFFFF for number in (profile.device_type, profile.product_code, profile.status))
    assert 0 <= profile.state <= 255


def test_devices_are_told_apart() -> None:
    assert len({(profile.product_name, profile.revision) for profile in PROFILES.values()}) == len(PROFILES)
    assert not set(PROFILES) & set(MODBUS_PROFILES)


@pytest.mark.parametrize("name", ["1766-L32BXB", "2080-LC50"])
def test_small_controllers_route_nothing(name: str) -> None:
    assert not PROFILES[name].routes


@pytest.mark.parametrize("profile", MODBUS_PROFILES.values(), ids=MODBUS_PROFILES)
def test_modbus_devices_say_maker_product_and_revision(profile: ModbusProfile) -> None:
    assert [number for number, _ in profile.device_id] == [0, 1, 2]
    assert all(text and text.isascii() for _, text in profile.device_id)
    assert profile.order in ("ABCD", "CDAB", "BADC", "DCBA")
