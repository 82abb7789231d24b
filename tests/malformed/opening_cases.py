"""Forward Open with every field wrong, one at a time, and Forward Close.

The answer is general status 0x01 with the extended status for that field, and then serial, vendor and originator's
serial as they came (CIP Vol 1, table 3-5.29). None of these leaves a connection behind.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

from tests.malformed.case import Case
from tests.malformed.enip_cases import IDENTITY, MANAGER, ROUTER, cip, error, message

POINT_TO_POINT, MULTICAST, NULL, RESERVED = 2, 1, 0, 3
LARGEST = 4002


@dataclass(frozen=True)
class Opening:
    """The fields of a Forward Open that is right; `kinds` and `sizes` are (O→T, T→O)."""

    large: bool = False
    serial: int = 0x0701
    vendor: int = 0x1234
    originator: int = 0xCAFE0001
    multiplier: int = 3
    rpis: tuple[int, int] = (2_000_000, 2_000_000)
    sizes: tuple[int, int] = (500, 500)
    kinds: tuple[int, int] = (POINT_TO_POINT, POINT_TO_POINT)
    owner: tuple[bool, bool] = (False, False)
    transport: int = 0xA3
    target: bytes = b"\1\0" + ROUTER
    words: int | None = None
    t_o: int = 0x00C0FFEE

    @property
    def service(self) -> int:
        return 0x5B if self.large else 0x54

    def request(self) -> bytes:
        """As a Message Router request."""
        data = struct.pack("<BBII", 10, 14, 0, self.t_o)
        data += struct.pack("<HHIB3x", self.serial, self.vendor, self.originator, self.multiplier)
        for rpi, size, kind, owner in zip(self.rpis, self.sizes, self.kinds, self.owner, strict=True):
            high = kind << 13 | 0x200 | (0x8000 if owner else 0)
            data += struct.pack("<II", rpi, high << 16 | size) if self.large else struct.pack("<IH", rpi, high | size)
        words = len(self.target) // 2 if self.words is None else self.words
        return message(self.service, MANAGER, data + bytes((self.transport, words)) + self.target)

    def refusal(self, *extended: int, left: int = 0) -> bytes:
        """The answer; `left` is the words of route that a routing failure counts."""
        data = struct.pack("<HHIBB", self.serial, self.vendor, self.originator, left, 0)
        return error(self.service, 0x01, *extended, data=data)


GOOD = Opening()
LARGE = Opening(large=True, sizes=(4000, 4000))


def wrong(name: str, opening: Opening, *extended: int, left: int = 0) -> Case:
    """One that is refused."""
    return cip(f"Forward Open: {name}", opening.request(), opening.refusal(*extended, left=left))


def malformed(name: str, request: bytes, general: int) -> Case:
    """One that is not all there."""
    return cip(f"Forward Open: {name}", request, error(request[0], general))


TRANSPORT = [
    wrong("class 0", replace(GOOD, transport=0xA0), 0x0103),
    wrong("class 1, cyclic", replace(GOOD, transport=0x01), 0x0103),
    wrong("class 1, as a server", replace(GOOD, transport=0x81), 0x0103),
    wrong("class 2", replace(GOOD, transport=0xA2), 0x0103),
    *[wrong(f"class {number}", replace(GOOD, transport=0xA0 | number), 0x011C) for number in (4, 5, 6, 7, 15)],
    wrong("a trigger that is reserved", replace(GOOD, transport=0xB3), 0x011D),
    wrong("trigger 7", replace(GOOD, transport=0xF3), 0x011D),
    wrong("as a client", replace(GOOD, transport=0x23), 0x011E),
]

PARAMETERS = [
    wrong("O→T of no type", replace(GOOD, kinds=(NULL, POINT_TO_POINT)), 0x0123),
    wrong("T→O of no type", replace(GOOD, kinds=(POINT_TO_POINT, NULL)), 0x0124),
    wrong("both of no type", replace(GOOD, kinds=(NULL, NULL)), 0x0123),
    wrong("O→T multicast", replace(GOOD, kinds=(MULTICAST, POINT_TO_POINT)), 0x0123),
    wrong("T→O multicast", replace(GOOD, kinds=(POINT_TO_POINT, MULTICAST)), 0x0124),
    wrong("O→T of a type that is reserved", replace(GOOD, kinds=(RESERVED, POINT_TO_POINT)), 0x0123),
    wrong("T→O of a type that is reserved", replace(GOOD, kinds=(POINT_TO_POINT, RESERVED)), 0x0124),
    wrong("O→T with a redundant owner", replace(GOOD, owner=(True, False)), 0x0108),
    wrong("T→O with a redundant owner", replace(GOOD, owner=(False, True)), 0x0108),
    wrong("O→T of 0 bytes", replace(GOOD, sizes=(0, 500)), 0x0127, 8),
    wrong("T→O of 0 bytes", replace(GOOD, sizes=(500, 0)), 0x0128, 8),
    wrong("O→T of 7 bytes", replace(GOOD, sizes=(7, 500)), 0x0127, 8),
    wrong("T→O of 7 bytes", replace(GOOD, sizes=(500, 7)), 0x0128, 8),
    wrong("O→T of 4003 bytes", replace(LARGE, sizes=(4003, 500)), 0x0109, LARGEST),
    wrong("T→O of 4003 bytes", replace(LARGE, sizes=(500, 4003)), 0x0109, LARGEST),
    wrong("65535 bytes both ways", replace(LARGE, sizes=(65535, 65535)), 0x0109, LARGEST),
    wrong("large, of 0 bytes", replace(LARGE, sizes=(0, 0)), 0x0127, 8),
    wrong("large, multicast", replace(LARGE, kinds=(POINT_TO_POINT, MULTICAST)), 0x0124),
    wrong("multiplier 8", replace(GOOD, multiplier=8), 0x0111),
    wrong("multiplier 255", replace(GOOD, multiplier=255), 0x0111),
    wrong("an interval of 0", replace(GOOD, rpis=(0, 2_000_000)), 0x0111),
    wrong("an interval of 1 µs", replace(GOOD, rpis=(1, 2_000_000)), 0x0112, 0x0002, 1000, 0, 0x8480, 0x001E),
]

KEY = b"\x34\4"

PATHS = [
    wrong("no path", replace(GOOD, target=b""), 0x0117),
    wrong("a route alone", replace(GOOD, target=b"\1\0"), 0x0117),
    wrong("a class without an instance", replace(GOOD, target=b"\1\0\x20\2"), 0x0117),
    wrong("the Message Router's class", replace(GOOD, target=b"\x20\2\x24\0"), 0x0117),
    wrong("the Message Router's instance 2", replace(GOOD, target=b"\x20\2\x24\2"), 0x0117),
    wrong("an attribute of it", replace(GOOD, target=ROUTER + b"\x30\1"), 0x0117),
    wrong("the Identity", replace(GOOD, target=IDENTITY), 0x0117),
    wrong("the Connection Manager", replace(GOOD, target=MANAGER), 0x0117),
    wrong("a class that is not there", replace(GOOD, target=b"\x20\x77\x24\1"), 0x0117),
    wrong("an instance alone", replace(GOOD, target=b"\x24\1"), 0x0117),
    wrong("a connection point", replace(GOOD, target=b"\x2c\1"), 0x0117),
    wrong("a tag", replace(GOOD, target=b"\x91\x05SCADA\0"), 0x0117),
    wrong("an assembly and its points", replace(GOOD, target=b"\x20\4\x24\1\x2c\2\x2c\3"), 0x0129),
    wrong("two applications, the second wrong", replace(GOOD, target=ROUTER + IDENTITY), 0x012B),
    wrong("two applications, the first wrong", replace(GOOD, target=IDENTITY + ROUTER), 0x012A),
    wrong("configuration data", replace(GOOD, target=ROUTER + b"\x80\1\0\0"), 0x0126, 0),
    wrong("data longer than the path", replace(GOOD, target=ROUTER + b"\x80\x09\0\0"), 0x0315, left=4),
    wrong("a segment that is reserved", replace(GOOD, target=b"\xe0\0" + ROUTER), 0x0315, left=3),
    wrong("a class cut short", replace(GOOD, target=b"\x21\0"), 0x0315, left=1),
    wrong("a link address cut short", replace(GOOD, target=b"\x12\x20\x31\x32"), 0x0315, left=2),
    wrong(
        "a key of another vendor", replace(GOOD, target=KEY + struct.pack("<HHHBB", 47, 0, 0, 0, 0) + ROUTER), 0x0114
    ),
    wrong("a key of another code", replace(GOOD, target=KEY + struct.pack("<HHHBB", 1, 14, 1, 0, 0) + ROUTER), 0x0114),
    wrong("a key of another type", replace(GOOD, target=KEY + struct.pack("<HHHBB", 1, 12, 0, 0, 0) + ROUTER), 0x0115),
    wrong("a key of revision 99", replace(GOOD, target=KEY + struct.pack("<HHHBB", 1, 14, 54, 99, 0) + ROUTER), 0x0116),
    wrong(
        "a key of a later minor revision",
        replace(GOOD, target=KEY + struct.pack("<HHHBB", 1, 14, 54, 0x80 | 20, 12) + ROUTER),
        0x0116,
    ),
    wrong("a key of another format", replace(GOOD, target=b"\x34\5" + b"\0" * 8 + ROUTER), 0x0315, left=7),
    wrong("255 words of slots", replace(GOOD, target=b"\1\0" * 255), 0x0117),
    malformed("a path shorter than it says", replace(GOOD, words=4).request(), 0x13),
    malformed("a path of 255 words that is not there", replace(GOOD, words=255).request(), 0x13),
    malformed("a path longer than it says", replace(GOOD, words=2).request(), 0x15),
    malformed("a small one under the large service", b"\x5b" + GOOD.request()[1:], 0x13),
    malformed("a large one under the small service", b"\x54" + LARGE.request()[1:], 0x13),
    *[malformed(f"{size} bytes of it", GOOD.request()[: 6 + size], 0x13) for size in (1, 2, 9, 21, 35, 36, 40)],
    *[malformed(f"{size} bytes of a large one", LARGE.request()[: 6 + size], 0x13) for size in (1, 36, 39, 40)],
    cip("Forward Open on instance 2", b"\x54\2\x20\6\x24\2" + GOOD.request()[6:], error(0x54, 0x05)),
    cip("Forward Open on the Message Router", b"\x54\2" + ROUTER + GOOD.request()[6:], error(0x54, 0x08)),
]


def closing(name: str, data: bytes, reply: bytes) -> Case:
    """A Forward Close."""
    return cip(f"Forward Close: {name}", message(0x4E, MANAGER, data), reply)


TRIPLET = struct.pack("<HHI", 0x7777, 0x1234, 0xCAFE0001)

CLOSES = [
    closing("half a triplet", b"\x0a\x0e" + TRIPLET[:4], error(0x4E, 0x13)),
    closing("no path size", b"\x0a\x0e" + TRIPLET, error(0x4E, 0x13)),
    closing("no reserved byte", b"\x0a\x0e" + TRIPLET + b"\0", error(0x4E, 0x13)),
    closing("a path shorter than it says", b"\x0a\x0e" + TRIPLET + b"\3\0" + ROUTER, error(0x4E, 0x13)),
    closing("255 words of path", b"\x0a\x0e" + TRIPLET + b"\xff\0" + ROUTER, error(0x4E, 0x13)),
    closing(
        "no such connection",
        b"\x0a\x0e" + TRIPLET + b"\2\0" + ROUTER,
        error(0x4E, 0x01, 0x0107, data=TRIPLET + b"\0\0"),
    ),
    closing(
        "no such connection, by a path that is none",
        b"\x0a\x0e" + TRIPLET + b"\1\0\xe0\0",
        error(0x4E, 0x01, 0x0107, data=TRIPLET + b"\0\0"),
    ),
]

CASES = TRANSPORT + PARAMETERS + PATHS + CLOSES
