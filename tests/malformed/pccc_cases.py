"""PCCC: requestor ids, commands, addresses, sizes and masks, on a MicroLogix.

The node holds N7=INT[10], ST9=SLC_STRING[2], L10=DINT[4], N11=INT[2] (read-only) and the files that such a controller
always has, T4[8] among them. A message whose PCCC part cannot be found is a CIP fault; whatever is wrong within that is
a PCCC status in a CIP success (1770-6.5.16, chapter 8), and N7:0 stays 0.
"""

from __future__ import annotations

import struct

from tests.malformed.case import Case
from tests.malformed.enip_cases import IDENTITY, MANAGER, cip, error, message, routed, rr

PATH = b"\x20\x67\x24\x01"
REQUESTOR = b"\x07\x4d\x00\xa1\x4e\xc3\x30"
TNS = 0x1234

ILLEGAL, PROTECTED, EXTENDED = 0x10, 0x60, 0xF0


def execute(data: bytes, path: bytes = PATH) -> bytes:
    """An Execute PCCC of everything behind the path."""
    return message(0x4B, path, data)


def command(code: int, function: int | None, data: bytes = b"", requestor: bytes = REQUESTOR) -> bytes:
    """An Execute PCCC; `function` None leaves FNC out."""
    head = requestor + struct.pack("<BBH", code, 0, TNS)
    return execute(head if function is None else head + bytes((function,)) + data)


def answer(code: int, status: int = 0, data: bytes = b"", requestor: bytes = REQUESTOR) -> bytes:
    """A reply, which is a CIP success; of status 0xF0 its extended status begins `data`."""
    return b"\xcb\0\0\0" + requestor + struct.pack("<BBH", code | 0x40, status, TNS) + data


def typed(name: str, function: int, data: bytes, status: int = ILLEGAL, reply: bytes = b"") -> Case:
    """A typed command that is wrong."""
    return cip(name, command(0x0F, function, data), answer(0x0F, status, reply))


def other(name: str, code: int, function: int | None, data: bytes = b"") -> Case:
    """A command that such a controller does not have, or not so."""
    return cip(name, command(code, function, data), answer(code & 0xBF, ILLEGAL))


READ = b"\x02\x07\x89\x00\x00"
GOOD = Case("read of N7:0", rr(command(0x0F, 0xA2, READ)), rr(answer(0x0F, 0, b"\0\0")))

CIP = [
    cip("PCCC of nothing", execute(b""), error(0x4B, 0x13)),
    cip("a requestor of no bytes", execute(b"\0\x0f\0\1\0\xa2" + READ), error(0x4B, 0x13)),
    cip("a requestor alone", execute(REQUESTOR), error(0x4B, 0x13)),
    cip("a requestor longer than the message", execute(b"\xff" + REQUESTOR), error(0x4B, 0x13)),
    cip("a requestor cut short", execute(REQUESTOR[:4]), error(0x4B, 0x13)),
    cip("a transaction cut short", execute(REQUESTOR + b"\x0f\0\1"), error(0x4B, 0x13)),
    cip("PCCC on the class", execute(REQUESTOR + b"\x0f\0\1\0\xa2" + READ, b"\x20\x67\x24\0"), error(0x4B, 0x08)),
    cip("PCCC on instance 2", execute(REQUESTOR + b"\x0f\0\1\0\xa2" + READ, b"\x20\x67\x24\2"), error(0x4B, 0x05)),
    cip("PCCC on the Identity", execute(REQUESTOR + b"\x0f\0\1\0\xa2" + READ, IDENTITY), error(0x4B, 0x08)),
    cip("another service of PCCC", message(0x4C, PATH, b"\0" * 8), error(0x4C, 0x08)),
    cip("all attributes of PCCC", message(0x01, PATH), error(0x01, 0x08)),
    cip("an attribute of PCCC", message(0x0E, PATH + b"\x30\1"), error(0x0E, 0x14)),
    cip(
        "PCCC through a backplane that is not there",
        routed(len(command(0x0F, 0xA2, READ)), command(0x0F, 0xA2, READ), b"\0\1\0\1\0"),
        error(0x52, 0x01, 0x0311, data=b"\1\0"),
    ),
    cip(
        "a large connection",
        message(0x5B, MANAGER, b"\0" * 40 + b"\xa3\2\x20\2\x24\1"),
        error(0x5B, 0x08),
    ),
]

COMMANDS = [
    other("a typed command without a function", 0x0F, None),
    other("a diagnostic command without a function", 0x06, None),
    other("a function that is none", 0x0F, 0xFF),
    other("a PLC-5 read", 0x0F, 0x01, b"\0\0\1\0\6\7\0"),
    other("a PLC-5 write", 0x0F, 0x00, b"\0\0\1\0\6\7\0\1\0"),
    other("a PLC-5 bit write", 0x0F, 0x26, b"\6\7\0\xff\xff\1\0"),
    other("a typed read of a PLC-5", 0x0F, 0x68, b"\0\0\1\0\6\7\0\1\0"),
    other("a diagnostic that is none", 0x06, 0x55),
    other("an unprotected read", 0x01, None),
    other("a command that is none", 0x3F, 0xA2, READ),
    other("a reply in place of a command", 0x4F, 0xA2, READ),
    cip("an echo of 237 bytes", command(0x06, 0x00, b"e" * 237), answer(0x06, EXTENDED, b"\x07")),
    cip("a requestor of one byte", command(0x0F, 0xFF, b"", b"\x01"), answer(0x0F, ILLEGAL, b"", b"\x01")),
    cip(
        "a requestor of nine bytes",
        command(0x0F, 0xFF, b"", b"\x09" + b"r" * 8),
        answer(0x0F, ILLEGAL, b"", b"\x09" + b"r" * 8),
    ),
]

ADDRESSES = [
    typed("a read of no address", 0xA2, b""),
    typed("a read that ends behind its size", 0xA2, READ[:1]),
    typed("a read that ends behind its file", 0xA2, READ[:2]),
    typed("a read that ends behind its type", 0xA2, READ[:3]),
    typed("a read that ends behind its element", 0xA2, READ[:4]),
    typed("a wide file cut short", 0xA2, b"\x02\xff\x07"),
    typed("a wide element cut short", 0xA2, b"\x02\x07\x89\xff\0"),
    typed("a wide sub-element cut short", 0xA2, b"\x02\x07\x89\0\xff"),
    typed("a read without an element and without a sub-element", 0xA1, READ[:3]),
    typed("a file that is not there", 0xA2, b"\x02\x63\x89\0\0"),
    typed("file 65535", 0xA2, b"\x02\xff\xff\xff\x89\0\0"),
    typed("a file of another type", 0xA2, b"\x02\x07\x8a\0\0"),
    typed("a type that is none", 0xA2, b"\x02\x07\x00\0\0"),
    typed("an element past the end", 0xA2, b"\x02\x07\x89\x0a\0"),
    typed("element 65535", 0xA2, b"\x02\x07\x89\xff\xff\xff\0"),
    typed("two elements from the last on", 0xA2, b"\x04\x07\x89\x09\0"),
    typed("a sub-element of a word", 0xA2, b"\x02\x07\x89\0\1"),
    typed("sub-element 3 of a timer", 0xA2, b"\x02\x04\x86\0\3"),
    typed("sub-element 65535", 0xA2, b"\x02\x04\x86\0\xff\xff\xff"),
    typed("a string past the last", 0xA2, b"\x54\x09\x8d\2\0"),
    typed("a read of no bytes", 0xA2, b"\0\x07\x89\0\0"),
    typed("a read of an odd number of bytes", 0xA2, b"\3\x07\x89\0\0"),
    typed("a read of 238 bytes", 0xA2, b"\xee\x07\x89\0\0", EXTENDED, b"\x07"),
    typed("a data log queue", 0xA2, b"\x6d\0\xa5\0\0"),
    typed("the file directory of another controller", 0xA1, b"\4\0\1\x23"),
    typed("the file directory past its end", 0xA1, b"\x50\0\3\xff\xff\xff"),
    typed("a write into the file directory", 0xAA, b"\2\0\3\0\0\0\0", EXTENDED, b"\x0b"),
]

WRITES = [
    typed("a write of nothing", 0xAA, READ),
    typed("a write of half a word", 0xAA, READ + b"\1"),
    typed("a write without a sub-element that is too short", 0xA9, READ[:4] + b"\1"),
    typed("a write of a word and a byte", 0xAA, b"\3" + READ[1:] + b"\1\0\1"),
    typed("a write past the end", 0xAA, b"\x04\x07\x89\x09\0\1\0\1\0"),
    typed("a write into a file that is not there", 0xAA, b"\x02\x63\x89\0\0\1\0"),
    typed("a write of 238 bytes", 0xAA, b"\xee\x07\x89\0\0" + b"\1" * 238, EXTENDED, b"\x07"),
    typed("a write to what is only read", 0xAA, b"\x02\x0b\x89\0\0\1\0", PROTECTED),
    typed("a masked write without a mask", 0xAB, READ),
    typed("a masked write with half a mask", 0xAB, READ + b"\xff"),
    typed("a masked write of a mask alone", 0xAB, READ + b"\xff\xff"),
    typed("a masked write of half a word", 0xAB, READ + b"\xff\xff\1"),
    typed("a masked write to what is only read", 0xAB, b"\x02\x0b\x89\0\0\xff\xff\1\0", PROTECTED),
    typed("a masked write past the end", 0xAB, b"\x02\x07\x89\x0a\0\xff\xff\1\0"),
]

CASES = CIP + COMMANDS + ADDRESSES + WRITES
