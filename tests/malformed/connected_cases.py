"""Connected messages: ids, items, sizes and sequence counts, over a connection that is open.

`CONNECTION` stands for the target's id of that connection and `ORIGINATOR` for the one the client gave, both put in by
the test. A fault in the items is a status of the encapsulation; a fault in the message is a CIP reply that comes over
the connection as any other.
"""

from __future__ import annotations

import struct

from tests.malformed.case import Case
from tests.malformed.enip_cases import (
    GOOD_READ,
    HEADER,
    IDENTITY,
    MANAGER,
    ROUTER,
    SCADA,
    error,
    frame,
    items,
    message,
    path,
)

CONNECTION = b"\xc0\xc1\xc2\xc3"
ORIGINATOR = b"\x0e\x1e\x2e\x3e"
NOBODY = b"\x12\x34\x56\x78"

ADDRESS, DATA, UNCONNECTED, NULL = 0xA1, 0xB1, 0xB2, 0x00
SEQUENCE = 0x4711
READ = message(0x4C, SCADA, GOOD_READ)
VALUE = b"\xcc\0\0\0\xc4\0\0\0\0\0"


def unit(cip: bytes, ident: bytes = CONNECTION, sequence: int = SEQUENCE) -> bytes:
    """SendUnitData with one message."""
    return frame(0x70, HEADER + items((ADDRESS, ident), (DATA, struct.pack("<H", sequence) + cip)))


def answered(name: str, request: bytes, reply: bytes) -> Case:
    """A message and the CIP reply that comes over the connection."""
    return Case(name, unit(request), unit(reply, ORIGINATOR))


def stray(name: str, ident: bytes, request: bytes = READ) -> Case:
    """A message on a connection that is not this client's: status 0x07 under the id it came with."""
    return Case(name, unit(request, ident), unit(error(request[0], 0x07), ident))


def bad(name: str, body: bytes) -> Case:
    """SendUnitData whose items are wrong."""
    return Case(name, frame(0x70, body), frame(0x70, status=0x03))


def other(name: str, *pairs: tuple[int, bytes], count: int | None = None) -> Case:
    """The same, its items given one by one."""
    return bad(name, HEADER + items(*pairs, count=count))


BODY = struct.pack("<H", SEQUENCE) + READ
GOOD = Case("read of SCADA, connected", unit(READ, sequence=1), unit(VALUE, ORIGINATOR, sequence=1))

IDS = [
    stray("a connection id that nobody has", NOBODY),
    stray("connection id 0", b"\0\0\0\0"),
    stray("connection id 0xFFFFFFFF", b"\xff\xff\xff\xff"),
    stray("the originator's own id", ORIGINATOR),
    stray("an id nobody has and a message that is none", NOBODY, b"\xff"),
]

ITEMS = [
    other("no items", count=0),
    other("an address alone", (ADDRESS, CONNECTION)),
    other("data alone", (DATA, BODY)),
    other("data before the address", (DATA, BODY), (ADDRESS, CONNECTION)),
    other("two addresses", (ADDRESS, CONNECTION), (ADDRESS, CONNECTION)),
    other("a null address", (NULL, b""), (DATA, BODY)),
    other("a null address of four bytes", (NULL, CONNECTION), (DATA, BODY)),
    other("an unconnected item behind the address", (ADDRESS, CONNECTION), (UNCONNECTED, READ)),
    other("a sequenced address", (0x8002, CONNECTION + b"\0" * 4), (DATA, BODY)),
    other("an item type that does not exist", (ADDRESS, CONNECTION), (0x1234, BODY)),
    other("an address of no bytes", (ADDRESS, b""), (DATA, BODY)),
    other("an address of three bytes", (ADDRESS, CONNECTION[:3]), (DATA, BODY)),
    other("an address of eight bytes", (ADDRESS, CONNECTION * 2), (DATA, BODY)),
    other("data of no bytes", (ADDRESS, CONNECTION), (DATA, b"")),
    other("data of one byte", (ADDRESS, CONNECTION), (DATA, b"\1")),
    other("a sequence count alone", (ADDRESS, CONNECTION), (DATA, b"\1\0")),
    other("three items counted, two there", (ADDRESS, CONNECTION), (DATA, BODY), count=3),
    other("65535 items counted", (ADDRESS, CONNECTION), (DATA, BODY), count=65535),
    other("one item counted, two there", (ADDRESS, CONNECTION), (DATA, BODY), count=1),
    bad("another interface", b"\1\0\0\0\0\0" + items((ADDRESS, CONNECTION), (DATA, BODY))),
    bad("data that ends before it says", HEADER + items((ADDRESS, CONNECTION)) + b""),
    bad(
        "data longer than the frame",
        HEADER + struct.pack("<HHH4sHH", 2, ADDRESS, 4, CONNECTION, DATA, len(BODY) + 1) + BODY,
    ),
    bad(
        "data of 65535 bytes",
        HEADER + struct.pack("<HHH4sHH", 2, ADDRESS, 4, CONNECTION, DATA, 0xFFFF) + BODY,
    ),
    bad("an item header cut short", HEADER + struct.pack("<HHH4sH", 2, ADDRESS, 4, CONNECTION, DATA)),
    Case(
        "a connected message in SendRRData",
        frame(0x6F, HEADER + items((ADDRESS, CONNECTION), (DATA, BODY))),
        frame(0x6F, status=0x03),
    ),
    Case(
        "surplus bytes behind the items",
        frame(0x70, HEADER + items((ADDRESS, CONNECTION), (DATA, BODY)) + b"\xff\xff\xff"),
        unit(VALUE, ORIGINATOR),
    ),
    Case(
        "a socket address behind the items",
        frame(0x70, HEADER + items((ADDRESS, CONNECTION), (DATA, BODY), (0x8000, b"\0" * 16))),
        unit(VALUE, ORIGINATOR),
    ),
    Case(
        "a session that is not this one", frame(0x70, HEADER, b"\1\2\3\4"), frame(0x70, b"", b"\1\2\3\4", status=0x64)
    ),
]

MESSAGES = [
    answered("a service alone", b"\x4c", error(0x4C, 0x13)),
    answered("a path longer than the message", b"\x4c\xff\x20\2", error(0x4C, 0x26)),
    answered("no path", message(0x4C, b"", GOOD_READ), error(0x4C, 0x04)),
    answered("an unknown tag", message(0x4C, path("NOBODY"), GOOD_READ), error(0x4C, 0x04, 0)),
    answered("an unknown service", message(0x33, IDENTITY), error(0x33, 0x08)),
    answered("an unknown class", message(0x01, b"\x20\x77\x24\1"), error(0x01, 0x05)),
    answered("a reply as a request", VALUE, error(0xCC, 0x04)),
    answered("a count of 0", message(0x4C, SCADA, b"\0\0"), error(0x4C, 0x03)),
    answered("11 of 10", message(0x4C, SCADA, b"\x0b\0"), error(0x4C, 0xFF, 0x2105)),
    answered("a write of another type", message(0x4D, SCADA, b"\xc3\0\1\0\0\0"), error(0x4D, 0xFF, 0x2107)),
    answered("a packet of nothing", message(0x0A, ROUTER), error(0x0A, 0x13)),
    answered("Unconnected Send of nothing", message(0x52, MANAGER), error(0x52, 0x13)),
    answered("Forward Open of nothing", message(0x54, MANAGER), error(0x54, 0x13)),
    answered("Forward Close of nothing", message(0x4E, MANAGER), error(0x4E, 0x13)),
    answered("3000 bytes of nothing", b"\0" * 3000, error(0, 0x04)),
    answered("3000 bytes of 0xFF", b"\xff" * 3000, error(0xFF, 0x04)),
    answered("a template read of nothing", message(0x4C, b"\x20\x6c\x25\0\xce\x0f"), error(0x4C, 0x13)),
    answered("a list of symbols that lies", message(0x55, b"\x20\x6b\x24\0", b"\xff\xff\1\0"), error(0x55, 0x13)),
]

CASES = IDS + ITEMS + MESSAGES
