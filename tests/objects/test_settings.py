"""Whether a setting can be had, and that every one that can be is told by the device."""

import json

import pytest

from node.config.model import ObjectSetting
from node.errors import ConfigError
from node.objects.profiles import PROFILES
from node.objects.settings import check
from tests.objects.devices import build_of

FINE = [
    ("Identity", "Vendor Number", "1337"),
    ("identity", "device_type", '"0x0C"'),
    ("IDENTITY OBJECT", "Product Code Number", "9"),
    ("Identity", "Product Revision", "2836"),
    ("Identity", "Product Revision", "20.11"),
    ("Identity", "Status Word", "12640"),
    ("Identity", "Serial Number", "7079450"),
    ("Identity", "Product Name", '"Ours"'),
    ("Identity", "State", "255"),
    ("Identity", "9", "3"),
    ("TCPIP", "Interface Status", "1"),
    ("TCP/IP Interface", "Interface Configuration", '{"ip_address": "10.0.0.1"}'),
    ("tcp_ip", "Interface Capability", "4"),
    ("TCPIP", "Configuration Control", "2"),
    ("TCPIP", "Path to Physical Link", '"@0xF6/2"'),
    ("TCPIP", "Host Name", '"plc"'),
    ("TCPIP", "Select ACD", "true"),
    ("Ethernet Link", "Interface Speed", "1000"),
    ("EthernetLink", "MAC Address", '"02:00:00:00:00:01"'),
    ("Message Router", "Connections Supported", '"0102"'),
    ("Connection Manager", "Open Requests", '"0102"'),
    ("Port", "Name", '"Slot"'),
    ("Port 2", "Port Name", '"Plant"'),
    ("Wall Clock", "Current Value", "1577880000000000"),
    ("WallClockTime", "DST", "1"),
]


@pytest.mark.parametrize(("section", "name", "value"), FINE)
def test_it_can_be_had_and_is_told(section: str, name: str, value: str) -> None:
    assert check("1756-L61", section, name, value) == ""
    build_of("1756-L61", [ObjectSetting(section, name, value)])


def test_every_attribute_of_every_profile_takes_what_it_says() -> None:
    for profile in PROFILES:
        device = build_of(profile)
        for item in device.router.objects.values():
            for instance, rows in item.instances.items():
                for row in rows:
                    value = row.codec.decode(row.get())
                    section = f"{item.name} {instance}"
                    assert check(profile, section, row.name, json.dumps(value)) == "", (profile, section, row.name)


@pytest.mark.parametrize(
    ("section", "name", "value", "message"),
    [
        (
            "Identity",
            "Colour",
            "1",
            "got attribute 'Colour', wanted one of Identity: vendor, device type, product code",
        ),
        ("Assembly", "Data", '"00"', "got section 'Assembly', wanted an object of this device: Identity"),
        ("Port 3", "Name", '"x"', "got instance 3 of Port, wanted one of 1 2"),
        ("Identity", "State", "256", "got 256, wanted a number of 0 to 255"),
        ("Identity", "State", "{", "got '{', wanted a value in JSON"),
        ("", "State", "1", "got section ''"),
        ("7", "State", "1", "got section '7'"),
    ],
)
def test_what_cannot_be_had_is_one_line(section: str, name: str, value: str, message: str) -> None:
    told = check("1756-L61", section, name, value)
    assert told.startswith(message)
    assert "\n" not in told
    with pytest.raises(ConfigError):
        build_of("1756-L61", [ObjectSetting(section, name, value)])


def test_checking_changes_nothing() -> None:
    check("1756-L61", "TCPIP", "Interface Configuration", '{"ip_address": "10.0.0.1", "dns_primary": "8.8.8.8"}')
    assert "got" in check("1756-L61", "TCPIP", "Interface Configuration", '{"dns_primary": 8}')
    assert check("nobody", "x", "y", "z") == ""
