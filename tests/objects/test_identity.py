"""Identity: one value behind its object and ListIdentity, and what a Reset does."""

import pytest

from node.config.model import IdentityConfig, ObjectSetting
from node.objects.device import RESTART_TIME, Device
from node.objects.identity import identity_item
from node.objects.profiles import PROFILES
from tests.objects.devices import ask, build, build_of, request

IDENTITY = "2001 2401"
OPEN = "0a05 00000000 01000000 0100 3713 2a000000 03 000000 01402000 f443 01402000 f443 a3 02 2002 2401"
"""A Forward Open of class 3 to the Message Router."""


class Session:
    """Who a request comes from."""


def open_for(device: Device, session: Session, serial: str = "0100") -> None:
    message = request(0x54, "2006 2401", OPEN.replace("0100 3713", f"{serial} 3713"))
    assert device.router.request(message, origin=session)[2] == 0


@pytest.mark.parametrize("name", PROFILES)
def test_get_attributes_all_is_1_to_7(name: str) -> None:
    profile = PROFILES[name]
    reply = bytes.fromhex(ask(build_of(name), request(0x01, IDENTITY)))
    text = profile.product_name.encode()
    assert reply[:4] == b"\x81\0\0\0"
    assert reply[4:6] == profile.vendor.to_bytes(2, "little")
    assert reply[6:8] == profile.device_type.to_bytes(2, "little")
    assert reply[10:12] == bytes(profile.revision)
    assert reply[18:] == bytes((len(text),)) + text


def test_a_setting_is_told_by_the_object_and_by_list_identity() -> None:
    settings = (
        ObjectSetting("Identity", "Product Name", '"Ours"'),
        ObjectSetting("identity object", "PRODUCT_REVISION", '"3.7"'),
        ObjectSetting("Identity", "Serial Number", "7"),
        ObjectSetting("Identity", "State", '"0x02"'),
    )
    device = build_of("1756-L61", settings)
    assert ask(device, request(0x0E, IDENTITY + "3007")) == "8e000000" + "044f757273"
    assert ask(device, request(0x0E, IDENTITY + "3004")) == "8e000000" + "0307"
    item = identity_item(device.identity, "127.0.0.1", 44818)
    assert (item.product_name, item.revision, item.serial, item.state) == ("Ours", (3, 7), 7, 2)
    assert ask(device, request(0x0E, "20f6 2401 3003")).endswith("02fa00000007")


def test_the_heartbeat_is_set_and_is_not_listed() -> None:
    device = build()
    before = ask(device, request(0x01, IDENTITY))
    assert ask(device, request(0x0E, IDENTITY + "300a")) == "8e00000000"
    assert ask(device, request(0x10, IDENTITY + "300a", "05")) == "90000000"
    assert ask(device, request(0x0E, IDENTITY + "300a")) == "8e00000005"
    assert ask(device, request(0x10, IDENTITY + "300a", "0506")) == "90001500"
    assert ask(device, request(0x01, IDENTITY)) == before


@pytest.mark.parametrize(
    ("data", "reply"),
    [
        ("", "85000000"),
        ("00", "85000000"),
        ("01", "85000000"),
        ("02", "85000000"),
        ("03", "85002000"),
        ("0000", "85000000"),
        ("01 0000", "85000000"),
        ("01 0100 0100", "85000000"),
        ("0001", "85001500"),
        ("000000 0000", "85001500"),
    ],
)
def test_reset(data: str, reply: str) -> None:
    assert ask(build(), request(0x05, IDENTITY, data)) == reply


def test_a_controller_with_its_key_in_run_is_not_reset() -> None:
    status = ObjectSetting("Identity", "Status Word", '"0x1060"')
    assert ask(build_of("1756-L61", [status]), request(0x05, IDENTITY, "00")) == "85001000"


def test_a_power_cycle_ends_the_connections_of_who_asked_a_moment_later() -> None:
    device = build()
    mine, other = Session(), Session()
    open_for(device, mine, "0100")
    open_for(device, mine, "0200")
    open_for(device, other, "0300")
    assert device.router.request(request(0x05, IDENTITY, "00"), origin=mine) == b"\x85\0\0\0"
    assert device.poll(0.5)
    assert len(device.connections) == 3
    assert device.poll(RESTART_TIME)
    assert [connection.origin for connection in device.connections] == [other]


def test_only_factory_defaults_undo_what_was_set() -> None:
    device = build()
    name, heartbeat = request(0x0E, "20f5 2401 3006"), request(0x0E, IDENTITY + "300a")
    for kind, kept in (("00", (True, True)), ("02", (True, False)), ("01", (False, False))):
        ask(device, request(0x10, "20f5 2401 3006", "0200 6162"))
        ask(device, request(0x10, IDENTITY + "300a", "05"))
        ask(device, request(0x05, IDENTITY, kind))
        assert (ask(device, name) == "8e00000002006162", ask(device, heartbeat) == "8e00000005") == kept


def test_a_configuration_is_not_changed_by_its_device() -> None:
    who = IdentityConfig(1, 14, 54, (20, 11), 0x3060, 1, "A")
    assert identity_item(who, "10.0.0.1", 1).product_name == "A"
