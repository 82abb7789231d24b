"""The table of devices: what it says of each fits the wire."""

import pytest

from node.objects.profiles import (
    ADAPTER,
    DRIVE,
    LOGIX,
    MICRO800,
    MODBUS_PROFILES,
    PANEL,
    PCCC,
    PROFILES,
    ModbusProfile,
    Profile,
)
from tests.objects.devices import ask, build_of, request
from tests.objects.devices import name as symbol

FAMILIES = {
    "2080-LC50": MICRO800,
    "1763-L16DWD": PCCC,
    "1766-L32BXB": PCCC,
    "1747-L551": PCCC,
    "PowerFlex-753": DRIVE,
    "PowerFlex-755": DRIVE,
    "adapter": ADAPTER,
    "2711R-T4T": PANEL,
}


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


@pytest.mark.parametrize("catalogue", ["L61", "L73", "L83", "L18", "L24", "L36"])
def test_logix_controllers_are_there(catalogue: str) -> None:
    found = [profile for name, profile in PROFILES.items() if catalogue in name]
    assert found
    assert all(profile.family == LOGIX and profile.routes and profile.symbols for profile in found)


@pytest.mark.parametrize(("name", "family"), FAMILIES.items())
def test_what_a_device_of_another_family_refuses(name: str, family: str) -> None:
    profile = PROFILES[name]
    device = build_of(name)
    assert profile.family == family
    assert not profile.routes
    read_by_name = ask(device, request(0x4C, symbol("ONE"), "0100"))
    assert read_by_name == ("cc000000c40007000000" if family in (MICRO800, PANEL) else "cc0004010000")
    packet = ask(device, request(0x0A, "2002 2401", "0100 0400" + "0e03 2001 2401 3001"))
    assert packet == ("8a000800" if family in (MICRO800, PCCC) else "8a000000" + "01000400" + "8e0000000100")
    large = "0a05 00000000 01000000 0100 3713 2a000000 03 000000 01402000 a00f0042 01402000 a00f0042 a3 02 2002 2401"
    assert ask(device, request(0x5B, "2006 2401", large)) == "db000800"
    tags = ask(device, request(0x55, "206b 2400", "0100 0100"))
    assert tags[:8] == ("d5000000" if family == MICRO800 else "d5000500")


def test_small_devices_take_few_clients() -> None:
    for profile in PROFILES.values():
        if profile.family == LOGIX:
            assert profile.sessions > 1000
        else:
            assert 1 < profile.connections <= profile.sessions <= 32
            assert profile.largest <= 511
        low, high = profile.response
        assert 0 < low < high < 0.1
