"""Modbus/TCP: lengths, counts, values, addresses, units and function codes.

The node holds, for unit 1 alone: holding 0 to 99 (register A = A), holding 100 and 101 read-only, input 0 to 9, coils 0
to 15, discrete inputs 0 to 7. Exceptions come in the order of the specification (V1.1b3, section 7): function 01,
quantity and form 03, address 02.
"""

from __future__ import annotations

import struct

from tests.malformed.case import CLOSED, SILENT, Case, Fate

TRANSACTION = 0x1234


def adu(pdu: str, unit: int = 1, protocol: int = 0, length: int | None = None) -> bytes:
    """An MBAP frame; `length` overrides the right one."""
    body = bytes.fromhex(pdu)
    return struct.pack(">HHHB", TRANSACTION, protocol, len(body) + 1 if length is None else length, unit) + body


def case(name: str, request: str, reply: str | Fate, unit: int = 1) -> Case:
    """PDU to PDU, both in hex."""
    return Case(name, adu(request, unit), reply if isinstance(reply, Fate) else adu(reply, unit))


GOOD = Case("register 7", adu("03 0007 0001"), adu("03 02 0007"))

FRAMES = [
    Case("length 0", adu("03 0000 0001", length=0), CLOSED),
    Case("length 1: no function code", adu("03 0000 0001", length=1), CLOSED),
    Case("length 255", adu("03 0000 0001", length=255), CLOSED),
    Case("length 0xFFFF", adu("03 0000 0001", length=0xFFFF), CLOSED),
    Case("protocol id 1", adu("03 0000 0001", protocol=1), SILENT),
    Case("protocol id 0xFFFF", adu("03 0000 0001", protocol=0xFFFF), SILENT),
    case("unit 2, not configured", "03 0000 0001", "83 0B", unit=2),
    case("unit 247, not configured", "03 0000 0001", "83 0B", unit=247),
    case("unit 0 is the device itself", "03 0007 0001", "03 02 0007", unit=0),
    case("unit 255 is the device itself", "03 0007 0001", "03 02 0007", unit=255),
]

FUNCTIONS = [
    case(f"function {code}", f"{code:02x} 0000 0001", f"{code | 0x80:02x} 01")
    for code in (0, 9, 10, 13, 14, 18, 19, 25, 41, 42, 65, 90, 100, 126, 127)
] + [
    case("function 0x83, an exception as a request", "83 02", "83 01"),
    case("function 0xFF", "FF", "FF 01"),
]

READS = [
    case("FC3 with no address", "03", "83 03"),
    case("FC3 with half an address", "03 00", "83 03"),
    case("FC3 with no quantity", "03 0000", "83 03"),
    case("FC3 with half a quantity", "03 0000 00", "83 03"),
    case("FC3 with a byte too many", "03 0000 0001 00", "83 03"),
    case("FC3 quantity 0", "03 0000 0000", "83 03"),
    case("FC3 quantity 126", "03 0000 007E", "83 03"),
    case("FC3 quantity 65535", "03 0000 FFFF", "83 03"),
    case("FC3 one past the end", "03 0066 0001", "83 02"),
    case("FC3 across the end", "03 0065 0002", "83 02"),
    case("FC3 that would wrap round", "03 FFFF 0002", "83 02"),
    case("FC3 quantity 126 at an address that is not there", "03 9C40 007E", "83 03"),
    case("FC4 quantity 0", "04 0000 0000", "84 03"),
    case("FC4 quantity 126", "04 0000 007E", "84 03"),
    case("FC4 past the end", "04 000A 0001", "84 02"),
    case("FC1 quantity 0", "01 0000 0000", "81 03"),
    case("FC1 quantity 2001", "01 0000 07D1", "81 03"),
    case("FC1 quantity 2000 of 16", "01 0000 07D0", "81 02"),
    case("FC1 short", "01 0000", "81 03"),
    case("FC2 quantity 0", "02 0000 0000", "82 03"),
    case("FC2 quantity 2001", "02 0000 07D1", "82 03"),
    case("FC2 past the end", "02 0008 0001", "82 02"),
]

WRITES = [
    case("FC5 value 0001", "05 0000 0001", "85 03"),
    case("FC5 value 00FF", "05 0000 00FF", "85 03"),
    case("FC5 value FF01", "05 0000 FF01", "85 03"),
    case("FC5 past the end", "05 0010 FF00", "85 02"),
    case("FC5 bad value and bad address", "05 FFFF 1234", "85 03"),
    case("FC5 short", "05 0000 FF", "85 03"),
    case("FC6 short", "06 0000", "86 03"),
    case("FC6 with a byte too many", "06 0000 0001 00", "86 03"),
    case("FC6 past the end", "06 0066 0001", "86 02"),
    case("FC6 on a read-only register", "06 0064 0001", "86 02"),
    case("FC15 quantity 0", "0F 0000 0000 00", "8F 03"),
    case("FC15 quantity 1969", "0F 0000 07B1 F7" + "00" * 246, "8F 03"),
    case("FC15 byte count too small", "0F 0000 0009 01 FF", "8F 03"),
    case("FC15 byte count too large", "0F 0000 0008 02 FFFF", "8F 03"),
    case("FC15 fewer bytes than counted", "0F 0000 0010 02 FF", "8F 03"),
    case("FC15 more bytes than counted", "0F 0000 0008 01 FFFF", "8F 03"),
    case("FC15 across the end", "0F 000F 0002 01 03", "8F 02"),
    case("FC16 quantity 0", "10 0000 0000 00", "90 03"),
    case("FC16 quantity 124", "10 0000 007C F8" + "00" * 246, "90 03"),
    case("FC16 byte count odd", "10 0000 0001 01 00", "90 03"),
    case("FC16 byte count too large", "10 0000 0001 04 00000000", "90 03"),
    case("FC16 fewer bytes than counted", "10 0000 0002 04 0000", "90 03"),
    case("FC16 no byte count", "10 0000 0001", "90 03"),
    case("FC16 past the end", "10 0066 0001 02 0000", "90 02"),
    case("FC16 across the end", "10 0065 0002 04 11112222", "90 02"),
    case("FC16 from writable into read-only", "10 0063 0002 04 11112222", "90 02"),
    case("FC22 short", "16 0000 FFFF", "96 03"),
    case("FC22 past the end", "16 0066 FFFF 0000", "96 02"),
    case("FC22 on a read-only register", "16 0064 FFFF 0000", "96 02"),
    case("FC23 read quantity 0", "17 0000 0000 0000 0001 02 0000", "97 03"),
    case("FC23 read quantity 126", "17 0000 007E 0000 0001 02 0000", "97 03"),
    case("FC23 write quantity 0", "17 0000 0001 0000 0000 00", "97 03"),
    case("FC23 write quantity 122", "17 0000 0001 0000 007A F4" + "00" * 240, "97 03"),
    case("FC23 byte count wrong", "17 0000 0001 0000 0001 04 00000000", "97 03"),
    case("FC23 reads past the end", "17 0066 0001 0000 0001 02 7777", "97 02"),
    case("FC23 writes past the end", "17 0000 0001 0066 0001 02 7777", "97 02"),
]

IDENTIFICATION = [
    case("FC43 without a MEI type", "2B", "AB 03"),
    case("FC43/13, CANopen", "2B 0D 00", "AB 01"),
    case("FC43/14 short", "2B 0E 01", "AB 03"),
    case("FC43/14 read code 0", "2B 0E 00 00", "AB 03"),
    case("FC43/14 read code 5", "2B 0E 05 00", "AB 03"),
    case("FC43/14 one object that is not there", "2B 0E 04 7F", "AB 02"),
]

CASES = FRAMES + FUNCTIONS + READS + WRITES + IDENTIFICATION
