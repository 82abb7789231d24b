"""Messages within messages: packets whose offsets lie, packets within packets, and Unconnected Sends that lie."""

from __future__ import annotations

import struct

from tests.malformed.case import Case
from tests.malformed.enip_cases import (
    GOOD_READ,
    IDENTITY,
    MANAGER,
    ROUTER,
    SCADA,
    cip,
    error,
    message,
    path,
    routed,
)

READ = message(0x4C, SCADA, GOOD_READ)
VALUE = b"\xcc\0\0\0\xc4\0\0\0\0\0"
DEPTH = 4
"""Messages within messages that are run."""

SELF = b"\1\0\1\0"
"""A route of one hop, to slot 0."""


def packed(count: int, offsets: list[int], rest: bytes) -> bytes:
    """A Multiple Service Packet with parts of one's own."""
    return message(0x0A, ROUTER, struct.pack(f"<{len(offsets) + 1}H", count, *offsets) + rest)


def packet(*messages: bytes) -> bytes:
    """One that is right."""
    head = 2 + 2 * len(messages)
    offsets = [head + sum(map(len, messages[:index])) for index in range(len(messages))]
    return packed(len(messages), offsets, b"".join(messages))


def replies(*messages: bytes, status: int = 0) -> bytes:
    """The answer to one."""
    return bytes((0x8A, 0, status, 0)) + packet(*messages)[6:]


def wrong(name: str, count: int, offsets: list[int], rest: bytes, general: int) -> Case:
    """A packet that is refused whole."""
    return cip(name, packed(count, offsets, rest), error(0x0A, general))


def nested(depth: int, inner: bytes) -> bytes:
    """A packet in a packet in a packet …"""
    return packet(nested(depth - 1, inner)) if depth else inner


def answers(depth: int, inner: bytes, status: int) -> bytes:
    """The answer to that."""
    return replies(answers(depth - 1, inner, status), status=status) if depth else inner


def sends(depth: int, inner: bytes) -> bytes:
    """An Unconnected Send in an Unconnected Send …"""
    if not depth:
        return inner
    inside = sends(depth - 1, inner)
    return routed(len(inside), inside, (b"\0" if len(inside) & 1 else b"") + SELF)


OFFSETS = [
    wrong("offsets that descend", 2, [18, 6], READ + READ, 0x03),
    wrong("offsets that lead into the header", 2, [2, 6], READ + READ, 0x03),
    wrong("an offset of 65535", 2, [6, 65535], READ + READ, 0x13),
    wrong("an offset one past the end", 1, [5 + len(READ)], READ, 0x13),
    wrong("the same offset twice", 2, [6, 6], READ, 0x13),
    wrong("the same offset a thousand times", 1000, [2002] * 1000, READ, 0x13),
    wrong("an offset at the very end", 1, [4 + len(READ)], READ, 0x13),
    wrong("more counted than offsets", 3, [6], READ, 0x03),
    wrong("65535 counted", 65535, [6], READ * 10, 0x13),
    cip("a count of one byte", message(0x0A, ROUTER, b"\1"), error(0x0A, 0x13)),
    cip("none counted", packed(0, [], b""), replies()),
    cip("none counted, a message there", packed(0, [], READ), replies()),
    wrong("more messages than the reply has room for errors", 90, [182 + 12 * n for n in range(90)], READ * 90, 0x11),
    cip(
        "fewer counted than there are: the rest belongs to the last",
        packed(1, [4], READ + READ),
        replies(VALUE),
    ),
    cip(
        "a gap before the first message",
        packed(1, [8], b"\xff" * 4 + READ),
        replies(VALUE),
    ),
    cip(
        "a message of one byte",
        packed(1, [4], b"\x4c"),
        replies(error(0x4C, 0x13), status=0x1E),
    ),
    cip(
        "a message cut within its path",
        packed(2, [6, 10], READ[:4] + READ),
        replies(error(0x4C, 0x26), VALUE, status=0x1E),
    ),
    cip(
        "messages that overlap by a wrong offset",
        packed(2, [6, 12], READ),
        replies(error(0x4C, 0x26), error(READ[6], 0x26), status=0x1E),
    ),
]

NESTED = [
    cip("a packet in a packet", nested(2, READ), answers(2, VALUE, 0)),
    cip(f"packets {DEPTH} deep", nested(DEPTH, READ), answers(DEPTH, VALUE, 0)),
    cip(f"packets {DEPTH + 1} deep", nested(DEPTH + 1, READ), answers(DEPTH + 1, error(0x4C, 0x08), 0x1E)),
    cip(f"packets {DEPTH + 2} deep", nested(DEPTH + 2, READ), answers(DEPTH + 1, error(0x0A, 0x08), 0x1E)),
    cip("packets forty deep", nested(40, READ), answers(DEPTH + 1, error(0x0A, 0x08), 0x1E)),
    cip(
        "a packet to the Message Router's class",
        message(0x0A, b"\x20\2\x24\0", packet(READ)[6:]),
        replies(VALUE),
    ),
    cip("a packet to the Identity", message(0x0A, IDENTITY, packet(READ)[6:]), error(0x0A, 0x08)),
    cip("a packet to a tag", message(0x0A, SCADA, packet(READ)[6:]), error(0x0A, 0x08)),
    cip(
        "a Forward Open in a packet that is wrong",
        packet(READ, message(0x54, MANAGER, b"\0" * 10)),
        replies(VALUE, error(0x54, 0x13), status=0x1E),
    ),
    cip(
        "an unknown tag, an unknown service and an unknown object in a packet",
        packet(message(0x4C, path("NOBODY"), GOOD_READ), message(0x33, SCADA), message(0x01, b"\x20\x77\x24\1")),
        replies(error(0x4C, 0x04, 0), error(0x33, 0x08), error(0x01, 0x05), status=0x1E),
    ),
]

ODD = message(0x4C, SCADA, b"\1\0\0")
"""A read with a byte to spare, so that its length is odd."""

SENDS = [
    cip("Unconnected Send of a service alone", routed(1, b"\x4c\0", SELF), error(0x4C, 0x13)),
    cip("Unconnected Send, odd, without its pad: what follows is no route", routed(len(ODD), ODD, SELF), VALUE),
    cip("Unconnected Send, odd, with its pad", routed(len(ODD), ODD, b"\0" + SELF), VALUE),
    cip("Unconnected Send one byte longer than its message", routed(len(READ) + 1, READ, SELF), error(0x52, 0x26)),
    cip("Unconnected Send of 65535 bytes", routed(0xFFFF, READ, SELF), error(0x52, 0x13)),
    cip("Unconnected Send with 255 words of route", routed(len(READ), READ, b"\xff\0\1\0"), error(0x52, 0x26)),
    cip("Unconnected Send with half a route head", routed(len(READ), READ, b"\1"), error(0x52, 0x13)),
    cip("Unconnected Send by no route", routed(len(READ), READ, b"\0\0"), VALUE),
    cip("Unconnected Send with bytes behind its route", routed(len(READ), READ, SELF + b"\xff\xff"), VALUE),
    cip("Unconnected Send with no time", message(0x52, MANAGER, b"\0\0" + sends(1, READ)[8:]), VALUE),
    cip(
        "Unconnected Send by a key",
        routed(len(READ), READ, b"\5\0\x34\4\1\0\x0e\0\x36\0\x14\x0b"),
        error(0x52, 0x01, 0x0315, data=b"\5\0"),
    ),
    cip(
        "Unconnected Send by a route with a segment cut short",
        routed(len(READ), READ, b"\1\0\x12\x09"),
        error(0x52, 0x01, 0x0315, data=b"\1\0"),
    ),
    cip(
        "Unconnected Send by port 0",
        routed(len(READ), READ, b"\1\0\0\0"),
        error(0x52, 0x01, 0x0315, data=b"\1\0"),
    ),
    cip(
        "Unconnected Send with a path that lies inside",
        routed(6, b"\x4c\x09\x91\x04AB", SELF),
        error(0x4C, 0x26),
    ),
    cip("Unconnected Send to the Identity", message(0x52, IDENTITY, sends(1, READ)[6:]), error(0x52, 0x08)),
    cip("Unconnected Send to instance 2", message(0x52, b"\x20\6\x24\2", sends(1, READ)[6:]), error(0x52, 0x05)),
    cip(f"Unconnected Sends {DEPTH} deep", sends(DEPTH, READ), VALUE),
    cip(f"Unconnected Sends {DEPTH + 1} deep", sends(DEPTH + 1, READ), error(0x4C, 0x08)),
    cip("Unconnected Sends thirty deep", sends(30, READ), error(0x52, 0x08)),
    cip(
        "a packet of two Unconnected Sends, one by no ports",
        packet(sends(1, READ), routed(len(READ), READ, b"\1\0\x20\1")),
        replies(VALUE, error(0x52, 0x01, 0x0315, data=b"\1\0"), status=0x1E),
    ),
]

CASES = OFFSETS + NESTED + SENDS
