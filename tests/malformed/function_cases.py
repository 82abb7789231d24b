"""Every function of Modbus, asked wrongly: lengths, counts, values, addresses, sub-functions, files, queues, codes.

The node (`nodes.METER`) holds, for unit 1: holding 0 to 99 (register A = A), holding 100 and 101 read-only, holding,
input, coils and discrete inputs 65530 to 65535, input 0 to 9, coils 0 to 15, discrete inputs 0 to 7, file 4 of 20
records, a queue at 0x04DE and one of 32 registers, which is one too many, at 2000. Exceptions come in the order of the
specification (V1.1b3, section 7): function and sub-function 01, quantity and form 03, address 02.

On a line a frame is found by the length that its function gives, so one of another length is none: nobody answers. One
of a function that nobody knows may have any length, and is answered when the line falls silent. An ASCII frame is told
by its ends whatever it holds; only what has the form of a reply is not answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Line(Enum):
    """What an RTU line makes of a request."""

    ANSWERED = "it is answered as on TCP"
    LATE = "it is answered when the line falls silent"
    NO_FRAME = "its length is not its function's: nobody answers"


ANSWERED, LATE, NO_FRAME = Line.ANSWERED, Line.LATE, Line.NO_FRAME


@dataclass(frozen=True, slots=True)
class Wrong:
    """A request PDU and the PDU that answers it; what becomes of it on a line, and whether ASCII answers it."""

    name: str
    request: bytes
    reply: bytes
    rtu: Line = ANSWERED
    ascii: bool = True


def row(name: str, request: str, exception: str, rtu: Line = ANSWERED, ascii: bool = True) -> Wrong:
    """All in hex; the exception code alone."""
    pdu = bytes.fromhex(request)
    return Wrong(f"FC{pdu[0]} {name}", pdu, bytes((pdu[0] | 0x80, int(exception, 16))), rtu, ascii)


GOOD = Wrong("register 7", bytes.fromhex("03 0007 0001"), bytes.fromhex("03 02 0007"))
"""Which is right, and asked after each wrong one."""

WELL_FORMED = (
    *("01 0000 0008", "02 0000 0008", "03 0000 0001", "04 0000 0001", "05 0000 FF00", "06 0000 0000"),
    *("0F 0000 0010 02 FFFF", "10 0000 0002 04 1111 2222", "14 07 06 0004 0000 0001"),
    *("15 0B 06 0004 0000 0002 1111 2222", "16 0000 FFFF 0000", "17 0000 0001 0000 0001 02 1111", "18 04DE"),
)
"""Requests whose length is wrong once a byte is missing or added."""
LIKE_REPLIES = {"01 00", "02 00", "03 00", "04 00", "17 00", "0F 00 00 00 10", "10 00 00 00 02"}
"""What is left of some of them has the form of a reply, as a line hears from others."""


def of_wrong_length(good: str) -> list[Wrong]:
    """All beginnings of a request, and itself with one byte more and with as many as fit."""
    pdu = bytes.fromhex(good)
    cut = [pdu[:size] for size in range(1, len(pdu))]
    wrong = [(f"of {len(each)} bytes instead of {len(pdu)}", each.hex(" ").upper()) for each in cut]
    wrong += [(f"with {more} bytes too many", (pdu + bytes(more)).hex(" ").upper()) for more in (1, 253 - len(pdu))]
    return [row(name, text, "03", NO_FRAME, text not in LIKE_REPLIES) for name, text in wrong]


LENGTHS = [wrong for good in WELL_FORMED for wrong in of_wrong_length(good)] + [
    row("with a byte too many", "07 00", "03", NO_FRAME, ascii=False),
    row("with two bytes too many", "07 0000", "03", NO_FRAME),
    row("without a sub-function", "08", "03", NO_FRAME),
    row("with half a sub-function", "08 00", "03", NO_FRAME),
    row("echo of nothing", "08 0000", "03", LATE),
    row("echo of half a word", "08 0000 A5", "03", LATE),
    row("count without data", "08 000B", "03", NO_FRAME),
    row("count with two words", "08 000B 0000 0000", "03", NO_FRAME),
    row("with a byte too many", "0B 00", "03", NO_FRAME),
    row("with a byte too many", "0C 01", "03", NO_FRAME),
    row("with two bytes too many", "0C 0000", "03", NO_FRAME),
    row("with a byte too many", "11 00", "03", NO_FRAME, ascii=False),
    row("with two bytes too many", "11 0000", "03", NO_FRAME),
    row("without a MEI type", "2B", "03", LATE),
    row("without a read code", "2B 0E", "03", NO_FRAME),
    row("without an object", "2B 0E 01", "03", NO_FRAME),
    row("with a byte too many", "2B 0E 01 00 00", "03", NO_FRAME),
]

READS = [
    wrong
    for code, limit, end in (
        ("01", "07D1", "0010"),
        ("02", "07D1", "0008"),
        ("03", "007E", "0066"),
        ("04", "007E", "000A"),
    )
    for wrong in (
        row("quantity 0", f"{code} 0000 0000", "03"),
        row("quantity over the limit", f"{code} 0000 {limit}", "03"),
        row("quantity over the limit of what is not there", f"{code} 9C40 {limit}", "03"),
        row("quantity 65535", f"{code} 0000 FFFF", "03"),
        row("past the end", f"{code} {end} 0001", "02"),
        row("across the end", f"{code} 0007 {limit[:3]}0", "02"),
        row("of a hole", f"{code} 8000 0001", "02"),
        row("past 65535", f"{code} FFFF 0002", "02"),
        row("that would come round to what is there", f"{code} FFFA 0007", "02"),
    )
]

SINGLE_WRITES = [
    *(row(f"value {value}", f"05 0000 {value}", "03") for value in ("0001", "00FF", "FF01", "FFFF", "0100")),
    row("bad value where no coil is", "05 8000 1234", "03"),
    row("past the end", "05 0010 FF00", "02"),
    row("past the end", "06 0066 0001", "02"),
    row("on a read-only register", "06 0064 0001", "02"),
    row("on an input register alone", "06 8000 0001", "02"),
    row("past the end", "16 0066 FFFF 0000", "02"),
    row("on a read-only register", "16 0064 FFFF 0000", "02"),
]

MULTIPLE_WRITES = [
    row("quantity 0", "0F 0000 0000 00", "03"),
    row("quantity 0 with a byte", "0F 0000 0000 01 FF", "03"),
    row("quantity 1969", "0F 0000 07B1 F7" + "00" * 247, "03"),
    row("quantity 65535", "0F 0000 FFFF 01 FF", "03"),
    row("byte count too small", "0F 0000 0009 01 FF", "03"),
    row("byte count too large", "0F 0000 0008 02 FFFF", "03"),
    row("byte count 0", "0F 0000 0008 00", "03"),
    row("fewer bytes than counted", "0F 0000 0010 02 FF", "03", NO_FRAME),
    row("more bytes than counted", "0F 0000 0008 01 FFFF", "03", NO_FRAME),
    row("across the end", "0F 000F 0002 01 03", "02"),
    row("past 65535", "0F FFFF 0002 01 03", "02"),
    row("quantity 0", "10 0000 0000 00", "03"),
    row("quantity 124, 122 of them there", "10 0000 007C F4" + "00" * 244, "03"),
    row("quantity 124 that no frame holds", "10 0000 007C F8" + "00" * 247, "03", NO_FRAME),
    row("quantity 65535", "10 0000 FFFF 02 0000", "03"),
    row("byte count odd", "10 0000 0001 01 00", "03"),
    row("byte count half", "10 0000 0002 02 1111", "03"),
    row("byte count too large", "10 0000 0001 04 11111111", "03"),
    row("byte count 0", "10 0000 0001 00", "03"),
    row("fewer bytes than counted", "10 0000 0002 04 1111", "03", NO_FRAME),
    row("more bytes than counted", "10 0000 0001 02 111111", "03", NO_FRAME),
    row("past the end", "10 0066 0001 02 1111", "02"),
    row("from what is there into what is not", "10 0063 0004 08 1111222233334444", "02"),
    row("from writable into read-only", "10 0063 0002 04 11112222", "02"),
    row("past 65535", "10 FFFF 0002 04 11112222", "02"),
    row("read quantity 0", "17 0000 0000 0000 0001 02 1111", "03"),
    row("read quantity 126", "17 0000 007E 0000 0001 02 1111", "03"),
    row("write quantity 0", "17 0000 0001 0000 0000 00", "03"),
    row("write quantity 122, 121 of them there", "17 0000 0001 0000 007A F2" + "00" * 242, "03"),
    row("byte count too large", "17 0000 0001 0000 0001 04 11111111", "03"),
    row("byte count odd", "17 0000 0001 0000 0001 01 11", "03"),
    row("fewer bytes than counted", "17 0000 0001 0000 0002 04 1111", "03", NO_FRAME),
    row("reads past the end", "17 0066 0001 0000 0001 02 7777", "02"),
    row("reads past 65535", "17 FFFF 0002 0000 0001 02 7777", "02"),
    row("writes past the end", "17 0000 0001 0066 0001 02 7777", "02"),
    row("writes past 65535", "17 0000 0001 FFFF 0002 04 77777777", "02"),
    row("writes what is read-only", "17 0000 0001 0064 0001 02 7777", "02"),
]

DIAGNOSTICS = [
    *(row(f"sub-function {sub}", f"08 {sub:04X} 0000", "01") for sub in (5, 6, 9, 19, 21, 22, 0x0100, 0xFFFF)),
    row("sub-function 5 with data", "08 0005 1234", "01"),
    row("restart with 0001", "08 0001 0001", "03"),
    row("restart with FF01", "08 0001 FF01", "03"),
    row("delimiter of two bytes", "08 0003 0A01", "03"),
    *(row(f"sub-function {sub} with data", f"08 {sub:04X} 0001", "03") for sub in (2, 4, 10, 11, 14, 18, 20)),
]

RECORDS = [
    row("byte count 0", "14 00", "03"),
    row("byte count 6", "14 06 06 0004 0000 00", "03"),
    row("byte count 8", "14 08 06 0004 0000 0001 06", "03"),
    row("byte count past 245", "14 F6" + "06 0004 0000 0001" * 35 + "06", "03"),
    row("fewer groups than counted", "14 0E 06 0004 0000 0001", "03", NO_FRAME),
    row("reference type 5", "14 07 05 0004 0000 0001", "02"),
    row("file 0", "14 07 06 0000 0000 0001", "02"),
    row("file 5, which is not there", "14 07 06 0005 0000 0001", "02"),
    row("file 65535, which is not there", "14 07 06 FFFF 0000 0001", "02"),
    row("past the last record", "14 07 06 0004 0014 0001", "02"),
    row("across the last record", "14 07 06 0004 0013 0002", "02"),
    row("record 10000", "14 07 06 0004 2710 0001", "02"),
    row("past record 65535", "14 07 06 0004 FFFF 0002", "02"),
    row("of no registers", "14 07 06 0004 0000 0000", "03"),
    row("of more registers than a reply holds", "14 07 06 0004 0000 007D", "03"),
    row("of which the second is not there", "14 0E 06 0004 0000 0001 06 0005 0000 0001", "02"),
    row("byte count 0", "15 00", "03"),
    row("byte count 8", "15 08 06 0004 0000 0001 00", "03"),
    row("of more registers than a request holds", "15 FB 06 0004 0000 007B" + "00" * 244, "03"),
    row("group that is cut off", "15 0B 06 0004 0000 0003 1111 2222", "03"),
    row("second group that is cut off", "15 0D 06 0004 0000 0001 1111 06 0004 0000", "03", NO_FRAME),
    row("reference type 7", "15 09 07 0004 0000 0001 1111", "02"),
    row("file 0", "15 09 06 0000 0000 0001 1111", "02"),
    row("file 5, which is not there", "15 09 06 0005 0000 0001 1111", "02"),
    row("past the last record", "15 09 06 0004 0014 0001 1111", "02"),
    row("across the last record", "15 0B 06 0004 0013 0002 1111 2222", "02"),
    row("of no registers", "15 09 06 0004 0000 0000 1111", "03"),
    row("of which the second is not there", "15 12 06 0004 0000 0001 1111 06 0005 0000 0001 1111", "02"),
    row("queue that is not there", "18 0000", "02"),
    row("queue of 32 registers", "18 07D0", "03"),
]

IDENTIFICATION = [
    row("CANopen", "2B 0D 00", "01", LATE),
    *(row(f"MEI type {mei}", f"2B {mei:02X} 01 00", "01", LATE) for mei in (0, 15, 255)),
    *(row(f"read code {code}", f"2B 0E {code:02X} 00", "03") for code in (0, 5, 255)),
    row("one object that is not there", "2B 0E 04 7F", "02"),
]

CODES = [row("of nobody", f"{code:02X} 0000 0001", "01", LATE) for code in (9, 10, 25, 65, 127)] + [
    row("an exception as a request", "83 02", "01", NO_FRAME, ascii=False),
    row("0", "00", "01", NO_FRAME),
    row("255", "FF", "01", NO_FRAME, ascii=False),
]

CASES = [
    *(*LENGTHS, *READS, *SINGLE_WRITES, *MULTIPLE_WRITES, *DIAGNOSTICS, *RECORDS, *IDENTIFICATION, *CODES),
]
