"""Paths: every kind of segment cut short, segments where they mean nothing, and paths as long as a path can be.

A path that cannot be taken apart is status 0x04 and nothing more; one that can, and leads to no tag, is 0x04 with the
extended status 0 of Logix. An instance that is not there is 0x05.
"""

from __future__ import annotations

from tests.malformed.case import Case
from tests.malformed.enip_cases import GOOD_READ, IDENTITY, MANAGER, SCADA, cip, error, message, path

SYMBOLS = b"\x20\x6b"
MOTOR = path("MOTOR")


def torn(name: str, epath: bytes) -> Case:
    """A read whose path has no end."""
    return cip(name, message(0x4C, epath, GOOD_READ), error(0x4C, 0x04))


def lost(name: str, epath: bytes, general: int = 0x04, extended: int = 0) -> Case:
    """A read whose path leads to no tag."""
    return cip(name, message(0x4C, epath, GOOD_READ), error(0x4C, general, extended))


def beyond(name: str, epath: bytes) -> Case:
    """A read past the end of a tag."""
    return lost(name, epath, 0xFF, 0x2105)


CUT = [
    torn("a 16-bit class of two bytes", b"\x21\0"),
    torn("a 16-bit instance of two bytes", SYMBOLS + b"\x25\0"),
    torn("a 32-bit instance of four bytes", SYMBOLS + b"\x26\0\1\0"),
    torn("a 16-bit element of two bytes", SCADA + b"\x29\0"),
    torn("a 32-bit element of two bytes", SCADA + b"\x2a\0"),
    torn("a 32-bit element of four bytes", SCADA + b"\x2a\0\1\0"),
    torn("a 16-bit connection point of two bytes", b"\x2d\0"),
    torn("a 16-bit attribute of two bytes", IDENTITY + b"\x31\0"),
    torn("a width that is reserved, of a class", b"\x23\1"),
    torn("a width that is reserved, of an element", SCADA + b"\x2b\0"),
    torn("a special segment that is no key", b"\x34\1"),
    torn("a key of four bytes", b"\x34\4\1\0"),
    torn("a key of eight bytes", b"\x34\4\1\0\x0e\0\x36\0"),
    torn("a key of another format", b"\x34\5\1\0\x0e\0\x36\0\x14\x0b"),
    torn("a logical type that is reserved", b"\x38\1"),
    torn("a symbol two characters longer than the path", b"\x91\x08SCADA\0"),
    lost("a symbol that takes its pad along", b"\x91\x06SCADA\0"),
    torn("a symbol of 255 characters that has two", b"\x91\xffAB"),
    torn("a symbol without its pad", b"\x91\x05SCAD"),
    torn("a symbol of no characters behind a tag", SCADA + b"\x91\0"),
    torn("a second symbol cut short", SCADA + b"\x91\x04AB"),
    torn("a name of the old form", b"\x65SCADA"),
    torn("simple data longer than the path", b"\x80\5\0\0"),
    torn("simple data of 255 words", b"\x80\xff\0\0"),
    torn("a network segment of words longer than the path", b"\x51\3\0\0"),
    torn("a link address of no bytes", b"\x12\0"),
    torn("a link address longer than the path", b"\x12\x09127.0.0."),
    torn("an extended port cut short", b"\x0f\x12"),
    torn("an extended port with a link address cut short", b"\x1f\4\x12\0"),
    torn("port 0", b"\0\0\0\0"),
    torn("a data type segment", b"\xc1\0"),
    torn("a constructed data type segment", b"\xa0\2\xce\x0f"),
    torn("a reserved segment", b"\xff\xff"),
    torn("a good tag, then a reserved segment", SCADA + b"\xe0\0"),
]

MISPLACED = [
    torn("a path that begins with an element", b"\x28\0"),
    torn("a path that begins with an attribute", b"\x30\1"),
    torn("a path that begins with a connection point", b"\x2c\1"),
    torn("a key alone", b"\x34\4\1\0\x0e\0\x36\0\x14\x0b"),
    torn("a key before a tag", b"\x34\4\1\0\x0e\0\x36\0\x14\x0b" + SCADA),
    torn("simple data before a tag", b"\x80\1\0\0" + SCADA),
    torn("a network segment before a tag", b"\x43\1" + SCADA),
    torn("a backplane slot before a tag", b"\1\0" + SCADA),
    torn("a class twice", IDENTITY + IDENTITY),
    torn("an attribute twice", IDENTITY + b"\x30\1\x30\1"),
    torn("an element behind an object", IDENTITY + b"\x28\0"),
    torn("a member behind an object", IDENTITY + path("LEN")),
    torn("a tag behind the Connection Manager", MANAGER + SCADA),
    lost("a class behind a tag", SCADA + b"\x20\1"),
    lost("an instance behind a tag", SCADA + b"\x24\1"),
    lost("an attribute behind a tag", SCADA + b"\x30\1"),
    lost("a port behind a tag", SCADA + b"\1\0"),
    lost("a connection point behind a tag", SCADA + b"\x2c\1"),
    lost("a key behind a tag", SCADA + b"\x34\4\1\0\x0e\0\x36\0\x14\x0b"),
]

TAGS = [
    lost("a member of an element of an array of DINTs", SCADA + b"\x28\0" + path("LEN")),
    lost("an element of an element", SCADA + b"\x28\0\x28\0"),
    beyond("element 1 of a scalar", path("FLAG") + b"\x28\1"),
    lost("a member of a BOOL", path("FLAG", "0")),
    lost("bit 32 of a DINT", SCADA + b"\x28\0" + path("32")),
    lost("bit -1 of a DINT", SCADA + b"\x28\0" + path("-1")),
    lost("a bit of thousands of digits' kind", SCADA + b"\x28\0" + path("9" * 250)),
    lost("a bit of a bit", SCADA + b"\x28\0" + path("3", "0")),
    lost("an element of a bit's bit", SCADA + b"\x28\0" + path("3", "3") + b"\x28\0"),
    lost("a bit in digits that are not ours", SCADA + b"\x28\0" + b"\x91\x01\xb2\0"),
    lost("a name with a dot at its end", path("SCADA.")),
    lost("a name of dots", path("...")),
    lost("a name with a NUL", path("SCADA\0")),
    lost("a name with a blank", path("SCADA ")),
    lost("a name of 255 characters", path("S" * 255)),
    lost("a name of 255 bytes of no script", b"\x91\xff" + b"\xff" * 255 + b"\0"),
    lost("a name with an index in it", path("SCADA[0]")),
    lost("a name that is a program's", path("Program:Main")),
    lost("a program that is not there", path("Program:Nobody", "LEVEL")),
    lost("a program without a name", path("Program:", "LEVEL")),
    lost("a program's tag without its program", path("LEVEL")),
    lost("a controller's tag in a program", path("Program:Main", "SCADA")),
    lost("a program in a program", path("Program:Main", "Program:Main", "LEVEL")),
    lost("an element of a program", path("Program:Main") + b"\x28\0"),
    lost("an object in a program", path("Program:Main") + IDENTITY),
]

STRUCTURES = [
    lost("a member that is not there", MOTOR + path("Weight")),
    lost("a hidden member", MOTOR + path("ZZZZZZZZZZMotor0")),
    lost("a member of a member that has none", MOTOR + path("Speed", "LEN")),
    lost("a member of a BOOL member", MOTOR + path("On", "0")),
    beyond("an element of a structure that is no array", MOTOR + b"\x28\1"),
    beyond("an element past a member's array", MOTOR + path("History") + b"\x28\4"),
    lost("two elements of a member's array", MOTOR + path("History") + b"\x28\0\x28\0"),
    beyond("an element past a nested array", MOTOR + path("Pumps") + b"\x28\2" + path("x")),
    lost("a member behind an element behind a member", MOTOR + path("History") + b"\x28\0" + path("x")),
    beyond("character 82 of a STRING", path("NAME", "DATA") + b"\x28\x52"),
    lost("a member of LEN", path("NAME", "LEN", "DATA")),
    lost("251 names deep", MOTOR + path("Pumps") * 25),
    beyond("the third word of 64 packed BOOLs", path("FLAGS") + b"\x28\2"),
    lost("two indexes on packed BOOLs", path("FLAGS") + b"\x28\0\x28\0"),
    cip(
        "a read that crosses the end of a member's array",
        message(0x4C, MOTOR + path("History") + b"\x28\3", b"\2\0"),
        error(0x4C, 0xFF, 0x2105),
    ),
    cip("a read of two of one BOOL member", message(0x4C, MOTOR + path("On"), b"\2\0"), error(0x4C, 0xFF, 0x2105)),
    cip(
        "a whole structure under another handle",
        message(0x4D, MOTOR, b"\xa0\2\x34\x12\1\0" + b"\0" * 200),
        error(0x4D, 0xFF, 0x2107),
    ),
    cip("a structure written as DINTs", message(0x4D, MOTOR, b"\xc4\0\1\0" + b"\0" * 200), error(0x4D, 0xFF, 0x2107)),
    cip("a structure type without its handle", message(0x4D, MOTOR, b"\xa0\2\1\0"), error(0x4D, 0x13)),
    cip(
        "a fragment of a structure at an odd place",
        message(0x52, MOTOR, b"\1\0\3\0\0\0"),
        error(0x52, 0xFF, 0x2104),
    ),
    cip("Read Modify Write of a structure", message(0x4E, MOTOR, b"\4\0" + b"\xff" * 8), error(0x4E, 0xFF, 0x2107)),
    cip(
        "Read Modify Write of 4 bytes on one bit",
        message(0x4E, MOTOR + path("On"), b"\4\0" + b"\xff" * 8),
        error(0x4E, 0xFF, 0x2107),
    ),
    cip("a read of a tag that nobody may read", message(0x4C, path("SECRET"), GOOD_READ), error(0x4C, 0xFF, 0x2100)),
    cip(
        "a write of a tag that nobody may write",
        message(0x4D, path("SECRET"), b"\xc4\0\1\0\1\0\0\0"),
        error(0x4D, 0xFF, 0x2100),
    ),
    cip(
        "a fragment of a tag that nobody may read",
        message(0x52, path("SECRET"), b"\1\0" + bytes(4)),
        error(0x52, 0xFF, 0x2100),
    ),
]

NUMBERS = [
    lost("symbol 9999", SYMBOLS + b"\x25\0\x0f\x27", 0x05),
    lost("symbol 2^32 - 1", SYMBOLS + b"\x26\0\xff\xff\xff\xff", 0x05),
    lost("symbol 9999, an element of it", SYMBOLS + b"\x25\0\x0f\x27\x28\0", 0x05),
    beyond("element 10 of symbol 1", SYMBOLS + b"\x24\1\x28\x0a"),
    lost("a member of symbol 1", SYMBOLS + b"\x24\1" + path("LEN")),
    lost("symbol 99 of a program", path("Program:Main") + SYMBOLS + b"\x24\x63", 0x05),
    lost("symbol 1 of a program that is not there", path("Program:Nobody") + SYMBOLS + b"\x24\1"),
    cip("a symbol by the class alone", message(0x4C, SYMBOLS, GOOD_READ), error(0x4C, 0x08)),
    cip("symbol 0", message(0x4C, SYMBOLS + b"\x24\0", GOOD_READ), error(0x4C, 0x08)),
    cip("class 0xFFFF", message(0x01, b"\x21\0\xff\xff\x24\1"), error(0x01, 0x05)),
    cip("instance 0xFFFF of the Identity", message(0x01, b"\x20\1\x25\0\xff\xff"), error(0x01, 0x05)),
    cip("attribute 0xFFFF of the Identity", message(0x0E, IDENTITY + b"\x31\0\xff\xff"), error(0x0E, 0x14)),
]

LONG = [
    lost("255 words of elements", b"\x91\x04CUBE" + b"\x28\0" * 252),
    lost("255 words of names", b"\x91\x04CUBE" * 85),
    torn("255 words of classes", b"\x20\1" * 255),
    torn("255 words of instances", b"\x20\1" + b"\x24\1" * 254),
    torn("255 words of slots", b"\1\0" * 255),
    torn("255 words of network segments", b"\x43\1" * 255),
    lost("a name of 255 characters within 255 words of them", b"\x91\xfe" + b"A" * 254 + b"\x91\xfc" + b"B" * 252),
    cip("255 words that are not there", message(0x4C, SCADA, GOOD_READ, words=255), error(0x4C, 0x26)),
]

CASES = CUT + MISPLACED + TAGS + STRUCTURES + NUMBERS + LONG
