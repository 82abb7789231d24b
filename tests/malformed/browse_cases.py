"""Symbols and templates: lists whose counts lie, pages from beyond the end, definitions cut anywhere, and services that
the classes do not have."""

from __future__ import annotations

import struct

from tests.malformed.case import Case
from tests.malformed.enip_cases import cip, error, message, path

SYMBOLS = b"\x20\x6b\x24\0"
STRING = b"\x20\x6c\x25\0\xce\x0f"
MOTOR = b"\x20\x6c\x25\0\2\1"
NOBODY = b"\x20\x6c\x25\0\xff\x0e"
PROGRAM = path("Program:Main") + SYMBOLS
WORDS = 17
"""What attribute 4 of STRING says."""


def listing(name: str, data: bytes, general: int, epath: bytes = SYMBOLS) -> Case:
    """A Get Instance Attribute List that is wrong."""
    return cip(name, message(0x55, epath, data), error(0x55, general))


def empty(name: str, epath: bytes) -> Case:
    """One that is right, and finds nothing."""
    return cip(name, message(0x55, epath, b"\1\0\1\0"), b"\xd5\0\0\0")


def ids(*numbers: int, count: int | None = None) -> bytes:
    """A list of attributes; `count` overrides the right one."""
    return struct.pack(f"<{len(numbers) + 1}H", len(numbers) if count is None else count, *numbers)


LISTS = [
    listing("a list of symbols without attributes", b"", 0x13),
    listing("half a count of attributes", b"\1", 0x13),
    listing("one attribute counted, none there", ids(count=1), 0x13),
    listing("65535 attributes counted, one there", ids(1, count=0xFFFF), 0x13),
    listing("an attribute cut in half", ids(1, count=2) + b"\2", 0x13),
    listing("attribute 0 of symbols", ids(0), 0x14),
    listing("attribute 4 of symbols", ids(1, 4), 0x14),
    listing("attribute 65535 of symbols", ids(0xFFFF), 0x14),
    cip(
        "attributes none counted, one there: numbers alone",
        message(0x55, SYMBOLS, ids(1, count=0)),
        b"\xd5\0\0\0" + struct.pack("<16I", *range(1, 17)),
    ),
    listing("names so often that not one symbol fits", ids(*[1, 8] * 120), 0x11),
    listing("a list of the Identity", ids(1), 0x08, b"\x20\1\x24\0"),
    listing("a list of templates", ids(1), 0x08, b"\x20\x6c\x24\0"),
    empty("symbols from 9999 on", b"\x20\x6b\x25\0\x0f\x27"),
    empty("symbols from 2^32 - 1 on", b"\x20\x6b\x26\0\xff\xff\xff\xff"),
    empty("symbols of a program from 9999 on", path("Program:Main") + b"\x20\x6b\x25\0\x0f\x27"),
    cip(
        "symbols of a program that is not there",
        message(0x55, path("Program:Nobody") + SYMBOLS, ids(1)),
        error(0x55, 0x04, 0),
    ),
    cip("symbols of a tag", message(0x55, path("SCADA") + SYMBOLS, ids(1)), error(0x55, 0x04, 0)),
    cip("symbols of a program's tag", message(0x55, path("Program:Main", "LEVEL"), ids(1)), error(0x55, 0x08)),
    cip("templates of a program", message(0x4C, path("Program:Main") + STRING, b"\0" * 6), error(0x4C, 0x04, 0)),
    cip("the attributes of symbol 9999", message(0x03, b"\x20\x6b\x25\0\x0f\x27", ids(1)), error(0x03, 0x05, 0)),
    cip("attribute 1 of symbol 9999", message(0x0E, b"\x20\x6b\x25\0\x0f\x27\x30\1"), error(0x0E, 0x05, 0)),
    cip("attribute 99 of symbol 1", message(0x0E, b"\x20\x6b\x24\1\x30\x63"), error(0x0E, 0x14)),
    cip(
        "a name for symbol 1",
        message(0x10, b"\x20\x6b\x24\1\x30\1", b"\1\0X"),
        error(0x10, 0x0E),
    ),
]


def reading(name: str, data: bytes, general: int, *extended: int, epath: bytes = STRING) -> Case:
    """A Template Read that is wrong."""
    return cip(name, message(0x4C, epath, data), error(0x4C, general, *extended))


def span(offset: int, count: int) -> bytes:
    """Byte offset and byte count."""
    return struct.pack("<IH", offset, count)


TEMPLATES = [
    reading("a Template Read of nothing", b"", 0x13),
    reading("a Template Read without a count", b"\0" * 4, 0x13),
    reading("a Template Read with half a count", b"\0" * 5, 0x13),
    reading("a Template Read at its end", span(4 * WORDS, 4), 0xFF, 0x2104),
    reading("a Template Read at 2^32 - 1", span(0xFFFFFFFF, 1), 0xFF, 0x2104),
    reading("a Template Read far past its end", span(0x80000000, 0xFFFF), 0xFF, 0x2104),
    # Offset and count the other way round, as one client has them: a count of 47 at offset 0x00000000 is 0 at 47.
    cip("a Template Read with offset and count changed over", message(0x4C, STRING, b"\x2f\0\0\0\0\0"), b"\xcc\0\0\0"),
    reading("a Template Read of a template that is not there", span(0, 20), 0x05, epath=NOBODY),
    reading("a Template Read of instance 0", span(0, 20), 0x08, epath=b"\x20\x6c\x24\0"),
    reading("a Template Read of template 1, which nobody has", span(0, 20), 0x05, epath=b"\x20\x6c\x24\1"),
    cip("a Template Read of no bytes", message(0x4C, STRING, span(0, 0)), b"\xcc\0\0\0"),
    cip("the last byte of a template", message(0x4C, STRING, span(4 * WORDS - 1, 1)), b"\xcc\0\0\0\0"),
    cip("65535 bytes from the last byte on", message(0x4C, STRING, span(4 * WORDS - 1, 0xFFFF)), b"\xcc\0\0\0\0"),
    cip("a template written", message(0x4D, STRING, b"\xc4\0\1\0\0\0\0\0"), error(0x4D, 0x08)),
    cip("a template read by fragments", message(0x52, STRING, b"\1\0\0\0\0\0"), error(0x52, 0x08)),
    cip("a template's attributes, none listed", message(0x03, MOTOR), error(0x03, 0x13)),
    cip(
        "a template's attributes, more counted than there are", message(0x03, MOTOR, ids(4, count=9)), error(0x03, 0x13)
    ),
    cip(
        "a template's attributes, fewer counted than there are",
        message(0x03, STRING, ids(1, 5, count=1)),
        b"\x83\0\0\0" + b"\1\0" + b"\1\0\0\0\xce\x0f",
    ),
    cip(
        "attribute 9 of a template",
        message(0x03, STRING, ids(1, 9)),
        error(0x03, 0x0A, data=b"\2\0" + b"\1\0\0\0\xce\x0f" + b"\x09\0\x14\0"),
    ),
    cip("attribute 99 of a template", message(0x0E, STRING + b"\x30\x63"), error(0x0E, 0x14)),
    cip("the attributes of a template that is not there", message(0x03, NOBODY, ids(1)), error(0x03, 0x05)),
    cip("a member behind a template", message(0x4C, STRING + path("LEN"), span(0, 4)), error(0x4C, 0x04)),
    cip("an element behind a template", message(0x4C, STRING + b"\x28\0", span(0, 4)), error(0x4C, 0x04)),
]

OTHERS = [
    cip("the clock, set to nothing", message(0x10, b"\x20\x8b\x24\1\x30\6"), error(0x10, 0x13)),
    cip("the clock, set too long", message(0x10, b"\x20\x8b\x24\1\x30\6", b"\0" * 9), error(0x10, 0x15)),
    cip("the clock, past its last year", message(0x10, b"\x20\x8b\x24\1\x30\6", b"\xff" * 8), error(0x10, 0x09)),
    cip(
        "a 13th month",
        message(0x10, b"\x20\x8b\x24\1\x30\5", struct.pack("<7I", 2016, 13, 1, 0, 0, 0, 0)),
        error(0x10, 0x09),
    ),
    cip("a year of 2^32 - 1", message(0x10, b"\x20\x8b\x24\1\x30\5", b"\xff" * 28), error(0x10, 0x09)),
    cip("a list that sets nothing it counts", message(0x04, b"\x20\x8b\x24\1", b"\2\0"), error(0x04, 0x13)),
    cip("a list that sets half a value", message(0x04, b"\x20\x8b\x24\1", b"\1\0\6\0\0\0"), error(0x04, 0x13)),
    cip("a list that sets what is not there", message(0x04, b"\x20\x8b\x24\1", b"\1\0\x63\0\0"), error(0x04, 0x0A)),
    cip("a name for the program", message(0x10, b"\x20\x64\x24\1\x30\1", b"\1\0X"), error(0x10, 0x08)),
    cip("a version for the tags", message(0x10, b"\x20\xac\x24\1\x30\3", b"\0" * 4), error(0x10, 0x08)),
    cip("PCCC on a Logix controller", message(0x4B, b"\x20\x67\x24\1", b"\7" + b"\0" * 12), error(0x4B, 0x05)),
]

CASES = LISTS + TEMPLATES + OTHERS
