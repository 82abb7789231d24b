"""What an adapter and a drive have: assemblies, a data sheet that is empty, parameters."""

import struct

import pytest

from node.cip.types import REAL
from node.config.model import ObjectSetting
from node.memory.text_attribute import create_attribute
from tests.objects.devices import ask, build_of, name, request

ADAPTER = {
    "the input": (request(0x0E, "2004 2464 3003"), "8e000000" + "00" * 32),
    "its size": (request(0x0E, "2004 2464 3004"), "8e000000 2000"),
    "an input is not written": (request(0x10, "2004 2464 3003", "00" * 32), "90000e00"),
    "the output": (request(0x10, "2004 2496 3003", "01" * 32), "90000000"),
    "the output, too few": (request(0x10, "2004 2496 3003", "01" * 31), "90001300"),
    "the output, too many": (request(0x10, "2004 2496 3003", "01" * 33), "90001500"),
    "the configuration": (request(0x0E, "2004 2497 3004"), "8e000000 0a00"),
    "no such assembly": (request(0x0E, "2004 2463 3003"), "8e000500"),
    "no such attribute": (request(0x0E, "2004 2464 3001"), "8e001400"),
    "the data sheet, its state": (request(0x0E, "2037 24c8 3001"), "8e000000 01"),
    "the data sheet, its size": (request(0x0E, "2037 24c8 3006"), "8e000000 00000000"),
    "no upload": (request(0x4B, "2037 24c8"), "cb000800"),
    "no icons": (request(0x0E, "2037 24c9 3001"), "8e000500"),
    "no tag by name": (request(0x4C, name("ONE"), "0100"), "cc000401 0000"),
    "a tag by number": (request(0x0E, "2016 2401 3001"), "8e000000 0100 0200 0300"),
    "no symbols": (request(0x55, "206b 2400", "0100 0100"), "d5000500"),
}


@pytest.mark.parametrize("case", ADAPTER)
def test_an_adapter(case: str) -> None:
    message, reply = ADAPTER[case]
    assert ask(build_of("adapter"), message) == reply.replace(" ", "")


def test_what_is_written_to_the_output_is_read_from_the_input() -> None:
    device = build_of("adapter")
    ask(device, request(0x10, "2004 2496 3003", "a5" * 32))
    assert ask(device, request(0x0E, "2004 2464 3003")) == "8e000000" + "a5" * 32
    ask(device, request(0x05, "2001 2401", "01"))
    assert ask(device, request(0x0E, "2004 2464 3003")) == "8e000000" + "00" * 32


def test_an_assembly_is_configured() -> None:
    device = build_of("adapter", [ObjectSetting("Assembly 100", "data", '"' + "11" * 32 + '"')])
    assert ask(device, request(0x0E, "2004 2464 3003")) == "8e000000" + "11" * 32


def real(reply: str) -> float:
    """The REAL of a reply."""
    (value,) = struct.unpack("<f", bytes.fromhex(reply)[4:])
    return float(value)


DRIVES = ("PowerFlex-753", "PowerFlex-755")


@pytest.mark.parametrize("profile", DRIVES)
def test_a_drive_runs(profile: str) -> None:
    device = build_of(profile)
    values = {number: real(ask(device, request(0x0E, f"2093 24{number:02x} 300a"))) for number in (1, 7, 8, 9, 11, 14)}
    assert 40 < values[1] < 50
    assert 10 < values[7] < 22
    assert 300 < values[8] < 400
    assert 5 < values[9] < 11
    assert values[11] == pytest.approx(540, abs=5)
    device.instant.now += 15
    assert real(ask(device, request(0x0E, "2093 2401 300a"))) != values[1]
    assert real(ask(device, request(0x0E, "2093 240e 300a"))) > values[14]
    device.instant.now += 45
    assert real(ask(device, request(0x0E, "2093 2401 300a"))) == pytest.approx(values[1])


def test_parameters_of_another_type_and_a_wide_number() -> None:
    device = build_of("PowerFlex-755")
    assert ask(device, request(0x0E, "2093 25002c01 300a")) == "8e00000000000000"
    assert ask(device, request(0x10, "2093 25002c01 300a", "01000000")) == "90000000"
    assert ask(device, request(0x0E, "2093 25002c01 300a")) == "8e00000001000000"
    assert ask(device, request(0x10, "2093 25002c01 300a", "0100")) == "90001300"
    assert ask(device, request(0x0E, "2093 2402 300a")) == "8e000500"
    assert ask(device, request(0x0E, "2093 2401 3001")) == "8e001400"


def test_what_is_in_ram_lasts_until_a_restart_and_in_eeprom_for_good() -> None:
    device = build_of("PowerFlex-755")
    ram, eeprom = request(0x0E, "2093 248c 300a"), request(0x0E, "2093 248c 3009")
    ask(device, request(0x10, "2093 248c 300a", "0000003f"))
    assert (real(ask(device, ram)), real(ask(device, eeprom))) == (0.5, 10.0)
    ask(device, request(0x05, "2001 2401", "00"))
    assert (real(ask(device, ram)), real(ask(device, eeprom))) == (10.0, 10.0)
    ask(device, request(0x10, "2093 248c 3009", "0000003f"))
    ask(device, request(0x05, "2001 2401", "00"))
    assert (real(ask(device, ram)), real(ask(device, eeprom))) == (0.5, 0.5)
    ask(device, request(0x05, "2001 2401", "01"))
    assert (real(ask(device, ram)), real(ask(device, eeprom))) == (10.0, 10.0)


def test_what_is_measured_holds_what_was_set_until_a_restart() -> None:
    device = build_of("PowerFlex-755")
    ask(device, request(0x10, "2093 2401 300a", "0000003f"))
    device.instant.now += 7
    assert real(ask(device, request(0x0E, "2093 2401 300a"))) == 0.5
    ask(device, request(0x05, "2001 2401", "00"))
    assert real(ask(device, request(0x0E, "2093 2401 300a"))) > 40


def test_a_parameter_is_configured_and_then_stays() -> None:
    device = build_of("PowerFlex-755", [ObjectSetting("DPI Parameter 1", "value", "12.5")])
    device.instant.now += 7
    ask(device, request(0x05, "2001 2401", "00"))
    assert real(ask(device, request(0x0E, "2093 2401 300a"))) == 12.5


def test_a_tag_of_the_plant_wins() -> None:
    device = build_of("PowerFlex-755")
    device.router.tags.add("Speed", create_attribute(REAL, (), 1.5), (0x93, 1, 10))
    assert real(ask(device, request(0x0E, "2093 2401 300a"))) == 1.5
    assert real(ask(device, request(0x0E, "2093 2407 300a"))) > 10


def test_the_same_parameters_are_described() -> None:
    device = build_of("PowerFlex-753")
    ask(device, request(0x10, "200f 248c 3001", "0000003f"))
    assert real(ask(device, request(0x0E, "2093 248c 300a"))) == 0.5
    wanted = "81000000 0000003f 06 2093 248c 300a 0000 ca 04"
    assert ask(device, request(0x01, "200f 248c")) == wanted.replace(" ", "")
    assert ask(device, request(0x0E, "200f 248c 3007")) == "8e000000" + "0c" + b"Accel Time 1".hex()
    assert ask(device, request(0x0E, "200f 248c 300c")) == "8e000000" + "00002041"
    assert ask(device, request(0x0E, "200f 2400 3008")) == "8e000000" + "0300"
