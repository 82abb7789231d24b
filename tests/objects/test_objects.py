"""What the standard objects say about the device, and the Multiple Service Packet."""

import pytest

from tests.objects.devices import ask, build, name, request

PRODUCT = "14 313735362d4c36312f42204c4f47495835353631"

REPLIES = {
    "Identity, all: 1 to 7": (request(0x01, "2001 2401"), "81000000 0100 0e00 3600 140b 6030 1a066c00" + PRODUCT),
    "Identity, product name": (request(0x0E, "2001 2401 3007"), "8e000000" + PRODUCT),
    "Identity, state": (request(0x0E, "2001 2401 3008"), "8e000000 03"),
    "Identity, 16-bit path": (request(0x0E, "21000100 25000100 31000100"), "8e000000 0100"),
    "Identity, unknown attribute": (request(0x0E, "2001 2401 3063"), "8e001400"),
    "Identity, no attribute": (request(0x0E, "2001 2401"), "8e001400"),
    "Identity, unknown instance": (request(0x01, "2001 2402"), "81000500"),
    "Identity, the class": (request(0x01, "2001 2400"), "81000000 0100 0100 0700 0a00"),
    "Identity, its revision": (request(0x0E, "2001 2400 3001"), "8e000000 0100"),
    "Identity, a list": (
        request(0x03, "2001 2401", "0200 0100 0600"),
        "83000000 0200 0100 0000 0100 0600 0000 1a066c00",
    ),
    "Identity, a list with an unknown": (
        request(0x03, "2001 2401", "0200 0100 6300"),
        "83000a00 0200 0100 0000 0100 6300 1400",
    ),
    "Identity, a list cut short": (request(0x03, "2001 2401", "0200 0100"), "83001300"),
    "Identity cannot be set": (request(0x10, "2001 2401 3001", "0100"), "90000e00"),
    "Message Router, its classes": (
        request(0x0E, "2002 2401 3001"),
        "8e000000 0b00 0100 0200 0600 6400 6b00 6c00 8b00 ac00 f400 f500 f600",
    ),
    "Message Router, connections": (request(0x0E, "2002 2401 3002"), "8e000000 4000"),
    "Message Router, connections open": (request(0x0E, "2002 2401 3003"), "8e000000 0000"),
    "TCP/IP, the address": (
        request(0x0E, "20f5 2401 3005"),
        "8e000000 c900a8c0 00ffffff 00000000 00000000 00000000 0000",
    ),
    "TCP/IP, the link": (request(0x0E, "20f5 2401 3004"), "8e000000 0200 20f62401"),
    "TCP/IP, the name": (request(0x0E, "20f5 2401 3006"), "8e000000 0300 706c6300"),
    "TCP/IP, another name": (request(0x10, "20f5 2401 3006", "0200 6162"), "90000000"),
    "TCP/IP, a name cut short": (request(0x10, "20f5 2401 3006", "0300 616263"), "90001300"),
    "TCP/IP, a name with surplus": (request(0x10, "20f5 2401 3006", "0200 616263"), "90001500"),
    "TCP/IP, no name": (request(0x10, "20f5 2401 3006"), "90001300"),
    "TCP/IP, a name too long": (request(0x10, "20f5 2401 3006", "4200" + "61" * 66), "90000900"),
    "TCP/IP, the address is fixed": (request(0x10, "20f5 2401 3005", "00" * 22), "90000c00"),
    "Identity, a long list": (
        request(0x03, "2001 2401", "1a00" + "0700" * 26),
        "83000a00 1a00" + ("0700 0000" + PRODUCT) * 18 + "0700 1100" * 8,
    ),
    "Ethernet Link, MAC": (request(0x0E, "20f6 2401 3003"), "8e000000 02fa006c061a"),
    "an unknown class": (request(0x01, "2065 2401"), "81000500"),
    "an empty packet": (request(0x0A, "2002 2401", "0000"), "8a000000 0000"),
    "a packet in a packet": (
        request(0x0A, "2002 2401", "0100 0400" + "0a02 2002 2401 0100 0400" + "0e03 2001 2401 3001"),
        "8a000000 0100 0400 8a000000 0100 0400 8e000000 0100",
    ),
    "packets within packets, too deep": (
        request(0x0A, "2002 2401", "0100 0400" + "0a02 2002 2401 0100 0400" * 5 + "0e03 2001 2401 3001"),
        "8a001e00 0100 0400" + "8a001e00 0100 0400" * 4 + "8a000800",
    ),
    "a packet with an empty message": (
        request(0x0A, "2002 2401", "0200 0600 0600" + "0e03 2001 2401 3001"),
        "8a001300",
    ),
}


@pytest.mark.parametrize("case", REPLIES)
def test_replies(case: str) -> None:
    message, reply = REPLIES[case]
    assert ask(build(), message) == reply.replace(" ", "")


def test_a_name_that_was_set_is_read() -> None:
    device = build()
    ask(device, request(0x10, "20f5 2401 3006", "0300 61626300"))
    assert ask(device, request(0x0E, "20f5 2401 3006")) == "8e000000030061626300"


def packet(*messages: bytes) -> bytes:
    """A Multiple Service Packet."""
    offset = 2 + 2 * len(messages)
    head = len(messages).to_bytes(2, "little")
    for message in messages:
        head += offset.to_bytes(2, "little")
        offset += len(message)
    return request(0x0A, "2002 2401") + head + b"".join(messages)


def test_a_packet_that_is_repeated_sees_new_values() -> None:
    device = build()
    one = request(0x4C, name("ONE"), "0100")
    message = packet(one, one, request(0x4C, name("FLAGS"), "0200"))
    wanted = "8a000000 0300 0800 1200 1c00" + "cc000000c400 07000000" * 2 + "cc000000c100ff00"
    assert ask(device, message) == wanted.replace(" ", "")
    assert device.router.plan_of(message) is not None
    attribute = device.router.tags.by_name("ONE")
    assert attribute is not None
    attribute[0] = 1
    assert ask(device, message) == wanted.replace(" ", "").replace("07000000", "01000000")


def test_a_packet_with_a_write_is_run_each_time() -> None:
    device = build()
    message = packet(request(0x4E, name("ONE"), "0400 08000000 ffffffff"), request(0x4C, name("ONE"), "0100"))
    assert ask(device, message).endswith("0f000000")
    assert device.router.plan_of(message) is None


def test_a_packet_keeps_within_its_limit() -> None:
    device = build()
    big = request(0x4C, name("SCADA"), "6400")
    reply = bytes.fromhex(ask(device, packet(big, big, big)))
    assert len(reply) <= 504
    statuses = [reply[4 + reply[6 + 2 * index] + (reply[7 + 2 * index] << 8) + 2] for index in range(3)]
    assert statuses == [0, 6, 0x11]
    assert reply[2] == 0x1E


def test_a_packet_of_more_replies_than_fit() -> None:
    assert ask(build(), packet(*[request(0x0E, "2001 2401 3001")] * 200)) == "8a001100"
