"""TCP/IP Interface, Ethernet Link and Port: how the device is on its network."""

import json
from dataclasses import replace

import pytest

from node.config.model import ObjectSetting
from node.objects.ethernet_link import Traffic
from node.objects.tcpip import mask_of
from tests.objects.devices import ask, build, build_of, request

REPLIES = {
    "TCP/IP, all: 1 to 6": (
        request(0x01, "20f5 2401"),
        "81000000 02000000 30000000 00000000 0200 20f62401"
        + "c900a8c0 00ffffff 00000000 00000000 00000000 0000 0300 706c6300",
    ),
    "TCP/IP, control is static": (request(0x10, "20f5 2401 3003", "00000000"), "90000000"),
    "TCP/IP, DHCP is not there": (request(0x10, "20f5 2401 3003", "02000000"), "90000900"),
    "TCP/IP, 7 is for safety": (request(0x0E, "20f5 2401 3007"), "8e001400"),
    "TCP/IP, TTL": (request(0x0E, "20f5 2401 3008"), "8e000000 01"),
    "TCP/IP, a TTL of 0": (request(0x10, "20f5 2401 3008", "00"), "90000900"),
    "TCP/IP, multicast": (request(0x0E, "20f5 2401 3009"), "8e000000" + "00" * 8),
    "TCP/IP, ACD": (request(0x10, "20f5 2401 300a", "01"), "90000000"),
    "TCP/IP, last conflict": (request(0x0E, "20f5 2401 300b"), "8e000000" + "00" * 35),
    "TCP/IP, the last conflict is cleared": (request(0x10, "20f5 2401 300b", "00" * 35), "90000000"),
    "TCP/IP, a conflict is not made up": (request(0x10, "20f5 2401 300b", "01" * 35), "90000900"),
    "TCP/IP, inactivity": (request(0x0E, "20f5 2401 300d"), "8e000000 7800"),
    "TCP/IP, inactivity of two hours": (request(0x10, "20f5 2401 300d", "201c"), "90000900"),
    "Ethernet Link, all": (
        request(0x01, "20f6 2401"),
        "81000000 64000000 0f000000 02fa006c061a" + "00" * 44 + "00" * 48 + "0100 0000 02 01 01 0131",
    ),
    "Ethernet Link, forced to 100": (request(0x10, "20f6 2401 3006", "0200 6400"), "90000000"),
    "Ethernet Link, forced to nothing": (request(0x10, "20f6 2401 3006", "0200 0000"), "90000900"),
    "Ethernet Link, negotiated and forced": (request(0x10, "20f6 2401 3006", "0100 6400"), "90000900"),
    "Ethernet Link, switched off": (request(0x10, "20f6 2401 3009", "02"), "90000900"),
    "Ethernet Link, switched on": (request(0x10, "20f6 2401 3009", "01"), "90000000"),
    "Ethernet Link, speed is not cleared": (request(0x4C, "20f6 2401 3001"), "cc001400"),
    "Ethernet Link, nothing to clear": (request(0x4C, "20f6 2401"), "cc001400"),
    "Ethernet Link, no such instance": (request(0x4C, "20f6 2402 3004"), "cc000500"),
    "Ethernet Link, the class is not cleared": (request(0x4C, "20f6 2400 3004"), "cc001400"),
    "Ethernet Link, media counters": (request(0x4C, "20f6 2401 3005"), "cc000000" + "00" * 48),
    "Port, the backplane": (
        request(0x01, "20f4 2401"),
        "81000000 0100 0100 0200 20662401 09 4261636b706c616e65 0100",
    ),
    "Port, the network": (
        request(0x01, "20f4 2402"),
        "81000000 0400 0200 0200 20f52401 0b 45746865724e65742f4950 120d 3139322e3136382e302e323031 00",
    ),
    "Port, the one one came by": (request(0x0E, "20f4 2400 3008"), "8e000000 0200"),
    "Port, all of them": (request(0x0E, "20f4 2400 3009"), "8e000000 00000000 01000100 04000200"),
    "Port is not set": (request(0x10, "20f4 2401 3004", "0141"), "90000800"),
}


@pytest.mark.parametrize("case", REPLIES)
def test_replies(case: str) -> None:
    message, reply = REPLIES[case]
    assert ask(build(), message) == reply.replace(" ", "")


def test_a_device_without_a_backplane_has_one_port() -> None:
    device = build_of("PowerFlex-755")
    assert ask(device, request(0x0E, "20f4 2400 3009")) == "8e000000" + "00000000" + "04000200"
    assert ask(device, request(0x0E, "20f4 2401 3001")) == "8e000000" + "0400"
    assert ask(device, request(0x0E, "20f4 2402 3001")) == "8e000500"


def test_the_example_of_the_specification_is_told() -> None:
    addresses = {
        "ip_address": "192.168.0.201",
        "network_mask": "255.255.255.0",
        "dns_primary": "8.8.8.8",
        "dns_secondary": "8.8.4.4",
        "domain_name": "example.com",
    }
    settings = (
        ObjectSetting("TCPIP", "Interface Configuration", json.dumps(addresses)),
        ObjectSetting("TCPIP", "Host Name", '"controller"'),
    )
    reply = ask(build_of("1756-L61", settings), request(0x01, "20f5 2401"))
    wanted = (
        "81000000 02000000 30000000 00000000 0200 20f62401 c900a8c0 00ffffff 00000000 08080808 04040808"
        "0b00 6578616d706c652e636f6d00 0a00 636f6e74726f6c6c6572"
    )
    assert reply == wanted.replace(" ", "")


def test_a_name_that_was_set_is_read() -> None:
    device = build()
    ask(device, request(0x10, "20f5 2401 3006", "0300 61626300"))
    assert ask(device, request(0x0E, "20f5 2401 3006")) == "8e000000030061626300"


def test_the_counters_count_and_are_cleared() -> None:
    traffic = Traffic()
    device = build_of("1756-L61", traffic=lambda: replace(traffic))
    counters = request(0x0E, "20f6 2401 3004")

    def words(reply: str) -> list[int]:
        data = bytes.fromhex(reply)[4:]
        return [int.from_bytes(data[offset : offset + 4], "little") for offset in range(0, 44, 4)]

    assert words(ask(device, counters)) == [0] * 11
    traffic.bytes_in, traffic.frames_in, traffic.errors_in, traffic.bytes_out, traffic.frames_out = 100, 7, 2, 300, 6
    counted = [100, 7, 0, 0, 2, 0, 300, 6, 0, 0, 0]
    assert words(ask(device, counters)) == counted
    assert words(device.router.request(request(0x4C, "20f6 2401 3004")).hex()) == counted
    traffic.bytes_in += 5
    assert words(ask(device, counters)) == [5, *[0] * 10]
    ask(device, request(0x05, "2001 2401", "00"))
    assert words(ask(device, counters)) == [0] * 11


@pytest.mark.parametrize(("seconds", "told"), [(0.0, 120), (0.2, 1), (30.4, 30), (1e6, 3600)])
def test_the_time_out_of_a_silent_session_is_told(seconds: float, told: int) -> None:
    reply = ask(build_of("1756-L61", idle_timeout=seconds), request(0x0E, "20f5 2401 300d"))
    assert reply == "8e000000" + told.to_bytes(2, "little").hex()


def test_counters_wrap() -> None:
    device = build_of("1756-L61", traffic=lambda: Traffic(bytes_in=2**32 + 3))
    assert ask(device, request(0x0E, "20f6 2401 3004")).startswith("8e00000003000000")


@pytest.mark.parametrize(
    ("address", "network", "mask"),
    [
        ("127.64.0.1", "", "255.192.0.0"),
        ("10.0.0.1", "", "255.255.255.0"),
        ("10.0.0.1", "10.0.0.0/8", "255.0.0.0"),
        ("10.0.0.1", "10.0.0.1/32", "255.255.255.255"),
        ("10.0.0.1", "0.0.0.0/0", "0.0.0.0"),
    ],
)
def test_the_mask_of_an_address(address: str, network: str, mask: str) -> None:
    assert mask_of(address, network) == mask
