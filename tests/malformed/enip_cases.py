"""EtherNet/IP: encapsulation lengths and commands, sessions, item counts, CIP paths, services, counts and types.

The node holds SCADA=DINT[10], FLAG=BOOL, LOCKED=DINT (read-only), TEXT=SSTRING[2], NAME=STRING, CUBE=INT[2,3,4] and
REAL[4] at class 0x93, instance 1, attribute 10. A CIP fault is a CIP reply with encapsulation status 0 (V1 2-4); a
fault of the encapsulation is a header with a status (V2 2-3), and neither ends the session.
"""

from __future__ import annotations

import struct

from tests.malformed.case import CLOSED, SILENT, Case, Fate

SESSION = b"\xa5\x5a\xa5\x5a"
"""Stands for the session handle of the connection; the test puts the real one in its place."""
CONTEXT = b"context!"
NOBODY = 0x00C0FFEE


def frame(
    command: int,
    data: bytes = b"",
    session: bytes = SESSION,
    status: int = 0,
    options: int = 0,
    length: int | None = None,
) -> bytes:
    """An encapsulation frame; `length` overrides the right one."""
    size = len(data) if length is None else length
    return struct.pack("<HH4sI8sI", command, size, session, status, CONTEXT, options) + data


def items(*pairs: tuple[int, bytes], count: int | None = None) -> bytes:
    """CPF items; `count` overrides the right one."""
    body = b"".join(struct.pack("<HH", kind, len(data)) + data for kind, data in pairs)
    return struct.pack("<H", len(pairs) if count is None else count) + body


def rr(cip: bytes, session: bytes = SESSION) -> bytes:
    """SendRRData with one unconnected message."""
    return frame(0x6F, struct.pack("<IH", 0, 0) + items((0, b""), (0xB2, cip)), session)


def path(*names: str) -> bytes:
    """Symbolic segments."""
    whole = b""
    for name in names:
        whole += bytes((0x91, len(name))) + name.encode() + b"\0" * (len(name) % 2)
    return whole


def message(service: int, epath: bytes, data: bytes = b"", words: int | None = None) -> bytes:
    """A Message Router request; `words` overrides the path size."""
    return bytes((service, len(epath) // 2 if words is None else words)) + epath + data


def error(service: int, general: int, *extended: int, data: bytes = b"") -> bytes:
    """A Message Router reply without success."""
    head = bytes((service | 0x80, 0, general, len(extended)))
    return head + b"".join(struct.pack("<H", word) for word in extended) + data


def cip(name: str, request: bytes, reply: bytes) -> Case:
    """A CIP request and its CIP reply, unconnected."""
    return Case(name, rr(request), rr(reply))


def bare(name: str, data: bytes, status: int, command: int = 0x6F, reply: bytes = b"") -> Case:
    """A command's data that is wrong, and the encapsulation status it gets."""
    return Case(name, frame(command, data), frame(command, reply, status=status))


SCADA, GOOD_READ = path("SCADA"), b"\x01\x00"
GOOD = Case("read of SCADA", rr(message(0x4C, SCADA, GOOD_READ)), rr(b"\xcc\0\0\0\xc4\0\0\0\0\0"))
HEADER = struct.pack("<IH", 0, 0)
MANAGER, ROUTER = b"\x20\x06\x24\x01", b"\x20\x02\x24\x01"
IDENTITY = b"\x20\x01\x24\x01"


def unknown(command: int) -> Case:
    """A command that does not exist."""
    return Case(f"command 0x{command:04X}", frame(command), frame(command, status=0x0001))


COMMANDS = [
    unknown(0x0002),
    unknown(0x0005),
    unknown(0x0062),
    unknown(0x0067),
    unknown(0x0071),
    unknown(0x00B1),
    unknown(0xFFFF),
    Case("unknown command with data", frame(0x1234, b"data"), frame(0x1234, status=0x0001)),
    Case("options that are not 0", frame(0x0063, options=1), SILENT),
    Case("NOP", frame(0x0000), SILENT),
    Case("NOP with data", frame(0x0000, b"x" * 40), SILENT),
    Case("UnRegisterSession", frame(0x0066), CLOSED),
    Case("a second RegisterSession", frame(0x65, b"\1\0\0\0"), frame(0x65, b"\1\0\0\0", status=0x0001)),
]

REGISTRATION = [
    Case("version 2", frame(0x65, b"\2\0\0\0", b"\0" * 4), frame(0x65, b"\1\0\0\0", b"\0" * 4, status=0x69)),
    Case("version 0", frame(0x65, b"\0\0\0\0", b"\0" * 4), frame(0x65, b"\1\0\0\0", b"\0" * 4, status=0x69)),
    Case("no data", frame(0x65, b"", b"\0" * 4), frame(0x65, b"", b"\0" * 4, status=0x65)),
    Case("2 bytes", frame(0x65, b"\1\0", b"\0" * 4), frame(0x65, b"", b"\0" * 4, status=0x65)),
    Case("5 bytes", frame(0x65, b"\1\0\0\0\0", b"\0" * 4), frame(0x65, b"", b"\0" * 4, status=0x65)),
]
"""On a connection without a session."""


def foreign(name: str, handle: int, command: int = 0x6F) -> Case:
    """A request under a session handle that is not this connection's."""
    session = struct.pack("<I", handle)
    body = rr(message(0x4C, SCADA, GOOD_READ), session) if command == 0x6F else frame(command, b"", session)
    return Case(name, body, frame(command, b"", session, status=0x64))


SESSIONS = [
    foreign("session 0", 0),
    foreign("a made-up session", NOBODY),
    foreign("session 0xFFFFFFFF", 0xFFFFFFFF),
    foreign("SendUnitData under session 0", 0, 0x70),
    foreign("SendUnitData under a made-up session", NOBODY, 0x70),
]

CPF = [
    bare("no data at all", b"", 0x03),
    bare("half an interface handle", b"\0\0", 0x03),
    bare("no item count", HEADER, 0x03),
    bare("half an item count", HEADER + b"\2", 0x03),
    bare("no items", HEADER + items(), 0x03),
    bare("one item", HEADER + items((0, b"")), 0x03),
    bare("two items announced, one there", HEADER + items((0, b""), count=2), 0x03),
    bare("65535 items announced", HEADER + items((0, b""), (0xB2, message(0x01, IDENTITY)), count=65535), 0x03),
    bare("59393 items in 16 bytes", HEADER + b"\x01\xe8" + b"\0" * 14, 0x03),
    bare("an item longer than the frame", HEADER + b"\2\0\0\0\0\0\xb2\0\xff\xff\x01\x02", 0x03),
    bare("an item one byte longer than the frame", HEADER + b"\2\0\0\0\0\0\xb2\0\x03\0\x01\x02", 0x03),
    bare("an item header cut", HEADER + b"\2\0\0\0\0\0\xb2\0", 0x03),
    bare("a connected item in SendRRData", HEADER + items((0, b""), (0xB1, b"\0\0" + message(1, IDENTITY))), 0x03),
    bare("an unconnected message of no bytes", HEADER + items((0, b""), (0xB2, b"")), 0x03),
    bare("SendUnitData of no bytes", b"", 0x03, command=0x70),
    bare("SendUnitData with an unconnected item", HEADER + items((0, b""), (0xB2, message(1, IDENTITY))), 0x03, 0x70),
    bare("SendUnitData with an address of 2 bytes", HEADER + items((0xA1, b"\1\0"), (0xB1, b"\0\0")), 0x03, 0x70),
]

MESSAGES = [
    cip("one byte: a service alone", b"\x4c", error(0x4C, 0x13)),
    cip("a path longer than the message", b"\x4c\xff\x20\x02", error(0x4C, 0x26)),
    cip("a path one word longer", message(0x4C, SCADA, b"", words=len(SCADA) // 2 + 1), error(0x4C, 0x26)),
    cip("no path", message(0x4C, b"", GOOD_READ), error(0x4C, 0x04)),
    cip("a segment that does not exist", message(0x4C, b"\xe0\x01", GOOD_READ), error(0x4C, 0x04)),
    cip("a symbol longer than the path", message(0x4C, b"\x91\xff\x41\x42", GOOD_READ), error(0x4C, 0x04)),
    cip("a symbol of no characters", message(0x4C, b"\x91\x00", GOOD_READ), error(0x4C, 0x04)),
    cip("a 16-bit class cut short", message(0x01, b"\x21\x00", b""), error(0x01, 0x04)),
    cip("an instance before its class", message(0x01, b"\x24\x01\x20\x01"), error(0x01, 0x04)),
    cip("a port segment in a request path", message(0x01, b"\x01\x00\x20\x01"), error(0x01, 0x04)),
    cip("an unknown class", message(0x01, b"\x20\x77\x24\x01"), error(0x01, 0x05)),
    cip("an unknown instance", message(0x01, b"\x20\x01\x24\x09"), error(0x01, 0x05)),
    cip("an unknown attribute", message(0x0E, IDENTITY + b"\x30\x63"), error(0x0E, 0x14)),
    cip("an unknown service", message(0x33, IDENTITY), error(0x33, 0x08)),
    cip("a tag service on the Identity", message(0x4C, IDENTITY, GOOD_READ), error(0x4C, 0x08)),
    cip("a service code with the reply bit", message(0xCC, SCADA, GOOD_READ), error(0xCC, 0x08)),
    cip("Set Attribute Single on the Identity", message(0x10, IDENTITY + b"\x30\x01", b"\1\0"), error(0x10, 0x0E)),
]

TAGS = [
    cip("an unknown tag", message(0x4C, path("NOWHERE"), GOOD_READ), error(0x4C, 0x04, 0)),
    cip("an unknown member", message(0x4C, path("SCADA", "LEN"), GOOD_READ), error(0x4C, 0x04, 0)),
    cip("a read without a count", message(0x4C, SCADA), error(0x4C, 0x13)),
    cip("a read with half a count", message(0x4C, SCADA, b"\1"), error(0x4C, 0x13)),
    cip("a read of 0 elements", message(0x4C, SCADA, b"\0\0"), error(0x4C, 0x03)),
    cip("a read of 11 of 10", message(0x4C, SCADA, b"\x0b\0"), error(0x4C, 0xFF, 0x2105)),
    cip("a read of 65535 of 10", message(0x4C, SCADA, b"\xff\xff"), error(0x4C, 0xFF, 0x2105)),
    cip("element 10 of 10", message(0x4C, SCADA + b"\x28\x0a", GOOD_READ), error(0x4C, 0xFF, 0x2105)),
    cip("element 2^32 - 1", message(0x4C, SCADA + b"\x2a\0\xff\xff\xff\xff", GOOD_READ), error(0x4C, 0xFF, 0x2105)),
    cip("2 of 10 from element 9", message(0x4C, SCADA + b"\x28\x09", b"\2\0"), error(0x4C, 0xFF, 0x2105)),
    cip("two indexes on one dimension", message(0x4C, SCADA + b"\x28\0\x28\0", GOOD_READ), error(0x4C, 0x04, 0)),
    cip("one index on three dimensions", message(0x4C, path("CUBE") + b"\x28\0", GOOD_READ), error(0x4C, 0x04, 0)),
    cip(
        "an index past its dimension",
        message(0x4C, path("CUBE") + b"\x28\0\x28\x03\x28\0", GOOD_READ),
        error(0x4C, 0xFF, 0x2105),
    ),
    cip("a fragment without an offset", message(0x52, SCADA, b"\1\0"), error(0x52, 0x13)),
    cip("a fragment past the end", message(0x52, SCADA, b"\1\0\4\0\0\0"), error(0x52, 0xFF, 0x2104)),
    cip("a fragment within an element", message(0x52, SCADA, b"\2\0\2\0\0\0"), error(0x52, 0xFF, 0x2104)),
    cip("a fragment at 2^32 - 1", message(0x52, SCADA, b"\1\0\xff\xff\xff\xff"), error(0x52, 0xFF, 0x2104)),
    cip("a write of nothing", message(0x4D, SCADA), error(0x4D, 0x13)),
    cip("a write without its value", message(0x4D, SCADA, b"\xc4\0\1\0"), error(0x4D, 0x13)),
    cip("a write with half its value", message(0x4D, SCADA, b"\xc4\0\1\0\1\2"), error(0x4D, 0x13)),
    cip("a write of 0 elements", message(0x4D, SCADA, b"\xc4\0\0\0"), error(0x4D, 0x03)),
    cip("a write of 11 of 10", message(0x4D, SCADA, b"\xc4\0\x0b\0" + b"\0" * 44), error(0x4D, 0xFF, 0x2105)),
    cip("a write of another type", message(0x4D, SCADA, b"\xc3\0\1\0\1\0"), error(0x4D, 0xFF, 0x2107)),
    cip("a write of a type unknown", message(0x4D, SCADA, b"\x99\0\1\0\1\0\0\0"), error(0x4D, 0xFF, 0x2107)),
    cip("a structure into a DINT", message(0x4D, SCADA, b"\xa0\2\xce\x0f\1\0" + b"\0" * 88), error(0x4D, 0xFF, 0x2107)),
    cip(
        "a structure with another handle",
        message(0x4D, path("NAME"), b"\xa0\2\x34\x12\1\0" + b"\0" * 88),
        error(0x4D, 0xFF, 0x2107),
    ),
    cip("a structure cut short", message(0x4D, path("NAME"), b"\xa0\2\xce\x0f\1\0" + b"\0" * 87), error(0x4D, 0x13)),
    cip("a text longer than its bytes", message(0x4D, path("TEXT"), b"\xda\0\1\0\x09abc"), error(0x4D, 0x13)),
    cip("a write to a read-only tag", message(0x4D, path("LOCKED"), b"\xc4\0\1\0\1\0\0\0"), error(0x4D, 0xFF, 0x2100)),
    cip(
        "a fragment written past the end",
        message(0x53, SCADA, b"\xc4\0\1\0\4\0\0\0\1\0\0\0"),
        error(0x53, 0xFF, 0x2104),
    ),
    cip("a fragment written without bytes", message(0x53, SCADA, b"\xc4\0\1\0\0\0\0\0"), error(0x53, 0x13)),
    cip("Read Modify Write with a mask of 3", message(0x4E, SCADA, b"\3\0" + b"\0" * 6), error(0x4E, 0x03)),
    cip("Read Modify Write with a mask of 8 on 4", message(0x4E, SCADA, b"\x08\0" + b"\0" * 16), error(0x4E, 0x03)),
    cip("Read Modify Write without masks", message(0x4E, SCADA, b"\4\0"), error(0x4E, 0x13)),
    cip(
        "Read Modify Write on a text",
        message(0x4E, path("NAME"), b"\4\0" + b"\xff" * 8),
        error(0x4E, 0xFF, 0x2107),
    ),
    cip(
        "a numbered tag with a byte too few",
        message(0x10, b"\x20\x93\x24\x01\x30\x0a", b"\0" * 15),
        error(0x10, 0x13),
    ),
    cip(
        "a numbered tag with a byte too many",
        message(0x10, b"\x20\x93\x24\x01\x30\x0a", b"\0" * 17),
        error(0x10, 0x15),
    ),
    cip("a number next to it", message(0x0E, b"\x20\x93\x24\x01\x30\x0b"), error(0x0E, 0x14)),
]

MULTIPLE = [
    cip("a packet of nothing", message(0x0A, ROUTER), error(0x0A, 0x13)),
    cip("a count without offsets", message(0x0A, ROUTER, b"\1\0"), error(0x0A, 0x13)),
    cip("65535 messages in 4 bytes", message(0x0A, ROUTER, b"\xff\xff\4\0"), error(0x0A, 0x13)),
    cip("an offset past the end", message(0x0A, ROUTER, b"\1\0\xff\0"), error(0x0A, 0x13)),
    cip("an offset into the offsets", message(0x0A, ROUTER, b"\1\0\0\0" + message(1, IDENTITY)), error(0x0A, 0x03)),
    cip(
        "one of two fails",
        message(0x0A, ROUTER, b"\2\0\6\0\x12\0" + message(0x4C, SCADA, GOOD_READ) + message(0x4C, path("XX"), b"\1\0")),
        error(0x0A, 0x1E, data=b"\2\0\6\0\x10\0" + b"\xcc\0\0\0\xc4\0\0\0\0\0" + error(0x4C, 0x04, 0)),
    ),
]


def routed(length: int, embedded: bytes, tail: bytes) -> bytes:
    """An Unconnected Send with parts of one's own."""
    return message(0x52, MANAGER, struct.pack("<BBH", 5, 157, length) + embedded + tail)


READ = message(0x4C, SCADA, GOOD_READ)

ROUTING = [
    cip("Unconnected Send of nothing", message(0x52, MANAGER), error(0x52, 0x13)),
    cip("Unconnected Send longer than its bytes", routed(200, READ, b"\1\0\1\0"), error(0x52, 0x13)),
    cip("Unconnected Send without a route", routed(len(READ), READ, b""), error(0x52, 0x13)),
    cip("Unconnected Send with a route cut short", routed(len(READ), READ, b"\4\0\1\0"), error(0x52, 0x26)),
    cip("Unconnected Send with an empty message", routed(0, b"", b"\1\0\1\0"), error(0x52, 0x13)),
    cip(
        "Unconnected Send by a route of no ports",
        routed(len(READ), READ, b"\1\0\x20\1"),
        error(0x52, 0x01, 0x0315, data=b"\1\0"),
    ),
    cip("Forward Open of nothing", message(0x54, MANAGER), error(0x54, 0x13)),
    cip("Large Forward Open cut short", message(0x5B, MANAGER, b"\0" * 20), error(0x5B, 0x13)),
    cip("Forward Close of nothing", message(0x4E, MANAGER), error(0x4E, 0x13)),
    cip(
        "Forward Close of no connection",
        message(0x4E, MANAGER, b"\x0a\x0e\x11\x11\x22\x22\x33\x33\x33\x33\2\0\x20\2\x24\1"),
        error(0x4E, 0x01, 0x0107, data=b"\x11\x11\x22\x22\x33\x33\x33\x33\0\0"),
    ),
]


def opening(size: int = 500, transport: int = 0xA3, target: bytes = ROUTER, kind: int = 0x4000) -> bytes:
    """A Forward Open with parts of one's own."""
    return message(
        0x54,
        MANAGER,
        struct.pack("<BBIIHHI", 10, 14, 0, 0x1234, 7, 8, 9)
        + struct.pack("<B3xIHIHBB", 3, 2_000_000, kind | size, 2_000_000, kind | size, transport, len(target) // 2)
        + target,
    )


def refused(*extended: int, words: int = 0) -> bytes:
    """The answer to `opening`; a routing failure says how many words of path there were."""
    return error(0x54, 0x01, *extended, data=struct.pack("<HHIBB", 7, 8, 9, words, 0))


FORWARD = [
    cip("Forward Open of transport class 1", opening(transport=0x81), refused(0x0103)),
    cip("Forward Open to the Identity", opening(target=IDENTITY), refused(0x0117)),
    cip("Forward Open to no path", opening(target=b""), refused(0x0117)),
    cip("Forward Open with a bad segment", opening(target=b"\xe0\1"), refused(0x0315, words=1)),
    cip("Forward Open of size 0", opening(size=0), refused(0x0127, 8)),
    cip("Forward Open of type multicast", opening(kind=0x2000), refused(0x0123)),
    Case(
        "SendUnitData on a connection that is not there",
        frame(0x70, HEADER + items((0xA1, b"\x12\x34\x56\x78"), (0xB1, b"\1\0" + READ))),
        frame(0x70, HEADER + items((0xA1, b"\x12\x34\x56\x78"), (0xB1, b"\1\0" + error(0x4C, 0x07)))),
    ),
]

CASES = COMMANDS + SESSIONS + CPF + MESSAGES + TAGS + MULTIPLE + ROUTING + FORWARD
UNREGISTERED = [
    *REGISTRATION,
    Case("SendRRData before any session", rr(READ, b"\0" * 4), frame(0x6F, b"", b"\0" * 4, status=0x64)),
]

__all__ = ["CASES", "CONTEXT", "GOOD", "SESSION", "UNREGISTERED", "Fate"]
