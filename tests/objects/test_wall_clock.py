"""The wall clock of a Logix controller, as clients ask for it and set it."""

import pytest

from tests.objects.devices import ask, build_of, request

NOON = 1_577_880_000
"""2020-01-01 12:00:00 UTC, in seconds."""

CLOCK = "208b 2401"


def micros(seconds: float) -> str:
    """Microseconds as they are sent."""
    return int(seconds * 1e6).to_bytes(8, "little").hex()


def test_three_ways_to_ask_for_the_same_instant() -> None:
    device = build_of("1756-L83E", wall=lambda: NOON + 0.25)
    assert ask(device, request(0x03, CLOCK, "0100 0600")) == "83000000" + "0100 0600 0000".replace(" ", "") + micros(
        NOON + 0.25
    )
    assert ask(device, request(0x03, CLOCK, "0100 0b00")) == "83000000" + "0100 0b00 0000".replace(" ", "") + micros(
        NOON + 0.25
    )
    date = b"".join([number.to_bytes(4, "little") for number in (2020, 1, 1, 12, 0, 0, 250000)])
    assert ask(device, request(0x0E, CLOCK + "3005")) == "8e000000" + date.hex()


def test_what_was_set_goes_on() -> None:
    now = [float(NOON)]
    device = build_of("1756-L61", wall=lambda: now[0])
    assert ask(device, request(0x04, CLOCK, "0100 0600" + micros(NOON + 3600))) == "84000000" + "010006000000"
    now[0] += 5
    assert ask(device, request(0x0E, CLOCK + "300b")) == "8e000000" + micros(NOON + 3605)
    assert ask(device, request(0x05, "2001 2401", "01")) == "85000000"
    assert ask(device, request(0x0E, CLOCK + "300b")) == "8e000000" + micros(NOON + 5)


def test_a_list_of_time_and_daylight_saving() -> None:
    device = build_of("1756-L61", wall=lambda: NOON)
    reply = ask(device, request(0x04, CLOCK, "0200 0600" + micros(NOON + 1) + "0a00 01"))
    assert reply == "84000000" + "0200 06000000 0a000000".replace(" ", "")
    assert ask(device, request(0x0E, CLOCK + "300a")) == "8e00000001"


def test_a_date_is_set() -> None:
    device = build_of("1756-L61", wall=lambda: NOON)
    date = b"".join([number.to_bytes(4, "little") for number in (2024, 2, 29, 23, 59, 59, 999999)]).hex()
    assert ask(device, request(0x10, CLOCK + "3005", date)) == "90000000"
    assert ask(device, request(0x0E, CLOCK + "3005")) == "8e000000" + date
    assert ask(device, request(0x0E, CLOCK + "3006")) == "8e000000" + micros(1_709_251_199.999999)


@pytest.mark.parametrize(
    ("path", "data", "status"),
    [
        ("3005", "e8070000" + "0d000000" + "01000000" + "00" * 16, "09"),
        ("3005", "b1070000" + "01000000" + "01000000" + "00" * 16, "09"),
        ("3005", "ff" * 28, "09"),
        ("3005", "00" * 27, "13"),
        ("3006", "ff" * 8, "09"),
        ("300b", "00" * 9, "15"),
        ("300a", "02", "09"),
        ("3001", "00", "14"),
    ],
)
def test_an_instant_that_is_none(path: str, data: str, status: str) -> None:
    assert ask(build_of("1756-L61"), request(0x10, CLOCK + path, data)) == f"9000{status}00"


def test_a_clock_before_1970_says_1970() -> None:
    now = [float(NOON)]
    device = build_of("1756-L61", wall=lambda: now[0])
    ask(device, request(0x10, CLOCK + "3006", "00" * 8))
    now[0] -= 10
    assert ask(device, request(0x0E, CLOCK + "3006")) == "8e000000" + "00" * 8
    assert ask(device, request(0x0E, CLOCK + "3005")).startswith("8e000000" + "b2070000")


@pytest.mark.parametrize("name", ["2080-LC50", "PowerFlex-755", "1766-L32BXB", "adapter"])
def test_other_devices_have_none(name: str) -> None:
    assert ask(build_of(name), request(0x0E, CLOCK + "3006")) == "8e000500"
