"""Attribute services over rows: lists that set, plans, the class itself."""

import pytest

from tests.objects.devices import ask, build, build_of, request

CLASSES = {
    "Identity": ("2001", "0100 0100 0700 0a00"),
    "Message Router": ("2002", "0100 0400 0100 0200 0300 0400 0100 0a00 0700 0400"),
    "Port": ("20f4", "0100 0200 0200 0200 00000000 01000100 04000200"),
    "TCP/IP": ("20f5", "0400 0100 0100 0500 0800 0900 0a00 0b00 0d00 0100 0400 0700 0d00"),
    "Ethernet Link": ("20f6", "0400 0100 0100 0700 0400 0500 0600 0700 0800 0900 0a00 0100 4c00 0700 0a00"),
    "Wall Clock": ("208b", "0100 0100 0100 0700 0b00"),
}


@pytest.mark.parametrize("name", CLASSES)
def test_the_class_itself(name: str) -> None:
    path, values = CLASSES[name]
    assert ask(build(), request(0x01, path + "2400")) == "81000000" + values.replace(" ", "")
    assert ask(build(), request(0x01, path)) == "81000000" + values.replace(" ", "")


SETS = {
    "two": ("0200 0600 0200 6162 0d00 3c00", "84000000 0200 0600 0000 0d00 0000"),
    "with surplus": ("0100 0d00 3c00 ffff", "84000000 0100 0d00 0000"),
    "one that cannot be set": ("0200 0100 00000000 0d00 3c00", "84000a00 0200 0100 0e00 0d00 0000"),
    "one out of range": ("0200 0800 00 0d00 3c00", "84000a00 0200 0800 0900 0d00 0000"),
    "one that is not there": ("0200 6300 00 0d00 3c00", "84000a00"),
    "cut short": ("0200 0600 0200 6162", "84001300"),
    "a value cut short": ("0100 0600 0200 61", "84001300"),
    "none": ("0000", "84000000 0000"),
    "no count": ("", "84001300"),
}


@pytest.mark.parametrize("case", SETS)
def test_lists_that_set(case: str) -> None:
    data, reply = SETS[case]
    assert ask(build(), request(0x04, "20f5 2401", data)) == reply.replace(" ", "")


def test_a_list_sets_what_it_says() -> None:
    device = build()
    ask(device, request(0x04, "20f5 2401", SETS["two"][0]))
    assert ask(device, request(0x0E, "20f5 2401 3006")) == "8e00000002006162"
    assert ask(device, request(0x0E, "20f5 2401 300d")) == "8e0000003c00"


def test_an_instance_that_is_not_there_has_no_list() -> None:
    assert ask(build(), request(0x04, "20f5 2402", "0000")) == "84000500"


def test_attributes_of_fixed_size_have_plans() -> None:
    device = build()
    serial, text = request(0x0E, "2001 2401 3006"), request(0x0E, "2001 2401 3007")
    some = request(0x03, "2001 2401", "0200 0100 0600")
    faulty = request(0x03, "2001 2401", "0200 0100 6300")
    for message in (serial, text, some, faulty):
        ask(device, message)
    assert [device.router.plan_of(message) is not None for message in (serial, text, some, faulty)] == [
        True,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(("data", "status"), [("05", 0), ("05 0000", 0), ("05 0100 0100", 0), ("05 00", 0x15)])
def test_a_route_behind_a_value_is_ignored(data: str, status: int) -> None:
    assert ask(build(), request(0x10, "20f5 2401 3008", data)) == f"9000{status:02x}00"


def test_a_route_behind_a_list_is_ignored() -> None:
    assert ask(build(), request(0x03, "2001 2401", "0100 0100 0100 0100")) == "83000000" + "0100010000000100"


def test_a_plan_tells_what_was_set_since() -> None:
    device = build()
    message = request(0x0E, "20f5 2401 300d")
    assert ask(device, message) == "8e0000007800"
    assert device.router.plan_of(message) is not None
    ask(device, request(0x10, "20f5 2401 300d", "0500"))
    assert ask(device, message) == "8e0000000500"


def test_a_plan_keeps_within_a_limit() -> None:
    device = build_of("PowerFlex-755")
    message = request(0x03, "2093 2401", "0200 0a00 0900")
    whole = ask(device, message)
    assert len(bytes.fromhex(whole)) == 22
    assert ask(device, message, limit=21) == "83000a00" + whole[8:28] + "09001100"


def test_a_route_behind_a_tag_s_value_is_ignored() -> None:
    device = build()
    assert ask(device, request(0x10, "2016 2401 3001", "0900 0800 0700 0100 0100")) == "90000000"
    assert ask(device, request(0x0E, "2016 2401 3001")) == "8e000000" + "090008000700"
    assert ask(device, request(0x10, "2016 2401 3001", "0900 0800 0700 0600")) == "90001500"
