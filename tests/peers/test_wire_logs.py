"""Every request that was logged from pycomm3 1.2.16 and pylogix 1.1.6, put to a device whole: over the connection that
the client itself opened, or without one where it had none.

Where its answer is determined it is checked byte for byte (`ANSWERS`), with what the tags hold after it (`HELD`). The
rest is checked by status and shape: connection ids are drawn, addresses of symbols are ours, and a listing is long
(`SHAPES`).
"""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from node.config.model import TagConfig
from tests.peers.wire_device import LOGIX, PROGRAM, SERIAL, TAGS, WALL, Wired, logix, micrologix
from tests.vectors import read_vectors

CLIENTS = {"pycomm3": read_vectors("pycomm3_requests"), "pylogix": read_vectors("pylogix_requests")}
UNCONNECTED = ("identity_through_backplane", "large_forward_open", "micrologix_forward_open", "forward_close")
ON_MICROLOGIX = ("micrologix_forward_open", "pccc_read", "pccc_write", "pccc_write_bit", "pccc_status")

NAME = LOGIX.product_name.encode()
IDENTITY = "81000000 0100 0e00 5e00 180b 6030" + SERIAL.to_bytes(4, "little").hex() + f"{len(NAME):02x}" + NAME.hex()
REQUESTOR = "07 0910 66bbf656"


def dints(*values: int) -> str:
    """As they travel."""
    return struct.pack(f"<{len(values)}i", *values).hex()


def packet(replies: list[str]) -> str:
    """The reply of a Multiple Service Packet."""
    parts = [bytes.fromhex(reply) for reply in replies]
    offsets, offset = [], 2 + 2 * len(parts)
    for part in parts:
        offsets.append(offset)
        offset += len(part)
    return "8a000000" + struct.pack(f"<{len(parts) + 1}H", len(parts), *offsets).hex() + b"".join(parts).hex()


STRING_ATTRIBUTES = {1: "0100 0000 ce0f", 2: "0200 0000 0200", 4: "0400 0000 11000000", 5: "0500 0000 58000000"}
"""Handle, members, words of the definition and bytes of STRING: 17 words, as both clients' next requests say, which ask
for 4 * 17 - 21 and for 4 * 17 - 23 bytes, the latter rounded up."""

DEFINITION = "0000 c400 00000000 5200 c220 04000000" + b"ASCIISTRING82;nECEC\0LEN\0DATA\0".hex()

ANSWERS = {
    ("pycomm3", "identity"): IDENTITY,
    ("pycomm3", "identity_through_backplane"): IDENTITY,
    ("pycomm3", "controller_name"): "81000000 0500" + b"plant".hex(),
    ("pycomm3", "template_attributes"): "83000000 0400" + "".join(STRING_ATTRIBUTES[n] for n in (4, 5, 2, 1)),
    ("pycomm3", "template_read"): "cc000000" + DEFINITION + "0000",
    ("pycomm3", "read_by_instance"): "cc000000 c400" + dints(0x11),
    ("pycomm3", "write_dint_doubled"): "cd000000",
    ("pycomm3", "read_fragmented"): "d2000600 c400" + dints(*range(998)),
    ("pycomm3", "write_bit_of_array"): "ce000000",
    ("pycomm3", "write_bit"): "ce000000",
    ("pycomm3", "write_string_doubled"): "cd000000",
    ("pycomm3", "write_member_doubled"): "cd000000",
    ("pycomm3", "write_bool_member_doubled"): "cd000000",
    ("pycomm3", "read_bool_member"): "cc000000 c100 00",
    ("pycomm3", "read_deep_member"): "cc000000 c300 0000",
    ("pycomm3", "clock_attributes"): "83000000 0100 0600 0000" + int(WALL * 1e6).to_bytes(8, "little").hex(),
    ("pycomm3", "write_fragment_first"): "d3000000",
    ("pycomm3", "write_fragment_last"): "d3000000",
    ("pycomm3", "multiple_reads"): packet([f"cc000000 c400 {dints(1000 + index)}" for index in range(100)]),
    ("pycomm3", "write_structure_doubled"): "cd000000",
    ("pycomm3", "forward_close"): "ce000000 2704 0910 b3466ea0 0000",
    ("pycomm3", "micrologix_forward_open"): "db000800",
    ("pycomm3", "pccc_read"): f"cb000000 {REQUESTOR} 4f000100 0100 0200 0300",
    ("pycomm3", "pccc_write"): f"cb000000 {REQUESTOR} 4f000300",
    ("pycomm3", "pccc_write_bit"): f"cb000000 {REQUESTOR} 4f000500",
    ("pylogix", "identity"): IDENTITY,
    ("pylogix", "identity_through_backplane"): IDENTITY,
    ("pylogix", "read_one"): "cc000000 c400" + dints(0x11),
    ("pylogix", "write_dint"): "cd000000",
    ("pylogix", "read_array"): "cc000000 c400" + dints(*range(100)),
    ("pylogix", "read_fragmented"): "d2000600 c400" + dints(*range(998, 1996)),
    ("pylogix", "multiple_writes"): packet(["cd000000", "cd000000"]),
    ("pylogix", "multiple_reads"): packet([f"cc000000 c400 {dints(1000 + index)}" for index in range(50)]),
    ("pylogix", "write_bit"): "ce000000",
    ("pylogix", "write_bool_array_bit"): "ce000000",
    ("pylogix", "write_string"): "cd000000",
    ("pylogix", "read_member"): "cc000000 a002 ce0f" + "00" * 88,
    ("pylogix", "program_symbol_list"): "d5000000 01000000 0200 5031 c400" + "00" * 12,
    ("pylogix", "template_attributes"): "83000000 0400"
    + STRING_ATTRIBUTES[4]
    + "0300 0000 0000"
    + STRING_ATTRIBUTES[2]
    + STRING_ATTRIBUTES[1],
    ("pylogix", "template_read"): "cc000000" + DEFINITION + "000000",
    ("pylogix", "clock_attributes"): "83000000 0100 0b00 0000" + int(WALL * 1e6).to_bytes(8, "little").hex(),
    ("pylogix", "set_clock"): "84000000 0200 0600 0000 0a00 0000",
    ("pylogix", "forward_close"): "ce000000 8a3d 3713 2a000000 0000",
}

HELD = {
    ("pycomm3", "write_dint_doubled"): {"SCADA": 42},
    ("pycomm3", "write_bit_of_array"): {"BA": [False] * 3 + [True] + [False] * 92},
    ("pycomm3", "write_bit"): {"SCADA": 0x19},
    ("pycomm3", "write_string_doubled"): {"STR": "hello"},
    ("pycomm3", "write_member_doubled"): {"U": {"d": 7, "b0": False, "b1": False, "s": "", "arr": [0, 0, 0], "r": 0.0}},
    ("pycomm3", "write_bool_member_doubled"): {
        "U": {"d": 0, "b0": False, "b1": True, "s": "", "arr": [0, 0, 0], "r": 0.0}
    },
    ("pycomm3", "write_structure_doubled"): {
        "U": {"d": 2, "b0": True, "b1": True, "s": "", "arr": [0, 0, 0], "r": 0.0},
        "UA": [{"d": 0, "b0": False, "b1": False, "s": "", "arr": [0, 0, 0], "r": 0.0}] * 3,
    },
    ("pycomm3", "pccc_write"): {"N7": [1, 5, *range(3, 17)]},
    ("pycomm3", "pccc_write_bit"): {"N7": [1, 2, 11, *range(4, 17)]},
    ("pylogix", "write_dint"): {"SCADA": 5},
    ("pylogix", "multiple_writes"): {"T000": 1, "T001": 2, "T002": 1002},
    ("pylogix", "write_bit"): {"SCADA": 0x19},
    ("pylogix", "write_bool_array_bit"): {"BA": [False] * 5 + [True] + [False] * 90},
    ("pylogix", "write_string"): {"STR": "abc"},
}


def opened(wired: Wired, request: bytes, reply: bytes) -> None:
    """A connection id of the target's own; the rest is what the client said. The intervals are granted as asked for."""
    t_o, names, o_t_rpi, t_o_rpi = request[12:16], request[16:24], request[28:32], request[36:40]
    assert reply[:4].hex() == "db000000"
    assert reply[4:8] not in (bytes(4), request[8:12])
    assert reply[8:] == t_o + names + o_t_rpi + t_o_rpi + b"\0\0"


def diagnosed(wired: Wired, request: bytes, reply: bytes) -> None:
    """A MicroLogix that names its processor where pycomm3 looks for it."""
    assert reply[:11] == bytes.fromhex("cb000000" + REQUESTOR)
    assert reply[11:15].hex() == "46000700"
    assert len(reply) == 15 + 24
    assert reply[20:31] == b"1766-LEC   "


def listed(wired: Wired, request: bytes, reply: bytes) -> None:
    """All symbols of the scope, page for page, each with the attributes asked for in that order."""
    wide = request.endswith(WIDE)
    found: list[tuple[int, str, int, tuple[int, ...], int]] = []
    addresses: set[int] = set()
    while True:
        assert reply[:4] in (b"\xd5\0\0\0", b"\xd5\0\6\0")
        assert len(reply) <= 4000
        found += rows(reply[4:], wide, addresses)
        if not reply[2]:
            break
        reply = wired.connected(request[: -len(WIDE) - 1] + bytes((found[-1][0] + 1,)) + WIDE)
    assert len(addresses) == (2 * len(found) if wide else 0)
    assert [row[0] for row in found] == list(range(1, len(found) + 1))
    wanted = PROGRAM_SYMBOLS if PROGRAM.encode() in request else SYMBOLS
    assert [row[1:] for row in found] == [row if wide else (*row[:3], 0) for row in wanted]


WIDE = bytes.fromhex("0700 0100 0200 0300 0500 0600 0800 0a00")

_PLAIN = {"SINT": 0xC2, "INT": 0xC3, "DINT": 0xC4, "LINT": 0xC5, "REAL": 0xCA, "BOOL": 0xC1, "STRING": 0x8FCE}


def symbol(tag: TagConfig) -> tuple[str, int, tuple[int, ...], int]:
    """Name, symbol type, lengths and access of a tag, from the words of the specification."""
    lengths = (*tag.dimensions, 0, 0, 0)[:3]
    kind = _PLAIN.get(tag.type, 0x8101) | len(tag.dimensions) << 13
    if tag.packed:
        kind, lengths = 0x20D3, (3, 0, 0)
    return tag.name.rpartition(".")[2], kind, lengths, 0 if tag.access == "read/write" else 2


SYMBOLS = [symbol(tag) for tag in TAGS if ":" not in tag.name] + [(f"Program:{PROGRAM}", 0x1068, (0, 0, 0), 0)]
PROGRAM_SYMBOLS = [symbol(tag) for tag in TAGS if ":" in tag.name]


def rows(data: bytes, wide: bool, addresses: set[int]) -> list[tuple[int, str, int, tuple[int, ...], int]]:
    """Instance, name, type, lengths and access of each symbol of a page; its addresses are put with the others."""
    found = []
    offset = 0
    while offset < len(data):
        instance, size = struct.unpack_from("<IH", data, offset)
        name = data[offset + 6 : offset + 6 + size].decode()
        offset += 6 + size
        (kind,) = struct.unpack_from("<H", data, offset)
        lengths, access = data[offset + 2 : offset + 14], 0
        if wide:
            address, other, control = struct.unpack_from("<III", data, offset + 2)
            assert control == 1 << 26
            addresses |= {address, other}
            lengths, access = data[offset + 14 : offset + 26], data[offset + 26]
        offset += 27 if wide else 14
        found.append((instance, name, kind, struct.unpack("<3I", lengths), access))
    return found


SHAPES: dict[tuple[str, str], Callable[[Wired, bytes, bytes], None]] = {
    ("pycomm3", "large_forward_open"): opened,
    ("pycomm3", "symbol_list"): listed,
    ("pycomm3", "program_symbol_list"): listed,
    ("pycomm3", "pccc_status"): diagnosed,
    ("pylogix", "large_forward_open"): opened,
    ("pylogix", "symbol_list"): listed,
}

LOGGED = [(client, name) for client, vectors in CLIENTS.items() for name in vectors]


def test_no_request_of_the_logs_is_left_out() -> None:
    assert sorted([*ANSWERS, *SHAPES]) == sorted(LOGGED)
    assert set(HELD) <= set(ANSWERS)


@pytest.mark.parametrize(("client", "name"), LOGGED)
def test_a_logged_request_is_answered(client: str, name: str) -> None:
    request = CLIENTS[client][name].data
    wired = micrologix() if name in ON_MICROLOGIX else logix()
    if name in ON_MICROLOGIX:
        reply = wired.unconnected(request) if name in UNCONNECTED else opened_small(wired).connected(request)
    else:
        first = wired.open(CLIENTS[client]["large_forward_open"].data)
        if name == "large_forward_open":
            reply = first
        else:
            reply = wired.unconnected(request) if name in UNCONNECTED else wired.connected(request)
    wanted = ANSWERS.get((client, name))
    if wanted is None:
        SHAPES[client, name](wired, request, reply)
    else:
        assert reply.hex() == bytes.fromhex(wanted).hex()
    for tag, value in HELD.get((client, name), {}).items():
        assert held(wired, tag) == value, tag


def opened_small(wired: Wired) -> Wired:
    """With the connection that pycomm3 opens once the large one was refused: 0x54 and 500 bytes both ways."""
    large = CLIENTS["pycomm3"]["micrologix_forward_open"].data
    large_parameters = b"\xa0\x0f\x00\x42"
    assert large.count(large_parameters) == 2
    wired.open(b"\x54" + large[1:].replace(large_parameters, b"\xf4\x43"))
    return wired


def held(wired: Wired, name: str) -> object:
    """What a tag holds, as people see it."""
    attribute = wired.tags.by_name(name)
    assert attribute is not None
    if attribute.bits:
        return attribute.unpacked[:]
    return attribute[:] if attribute.dimensions else attribute[0]


@pytest.mark.parametrize(
    ("client", "write", "read"),
    [
        ("pycomm3", "write_dint_doubled", "read_by_instance"),
        ("pylogix", "write_dint", "read_one"),
    ],
)
def test_a_read_that_was_asked_before_sees_the_write(client: str, write: str, read: str) -> None:
    vectors, wired = CLIENTS[client], logix()
    wired.open(vectors["large_forward_open"].data)
    before = [wired.connected(vectors[read].data) for _ in range(2)]
    wired.connected(vectors[write].data)
    after = wired.connected(vectors[read].data)
    value = HELD[client, write]["SCADA"]
    assert isinstance(value, int)
    assert [reply.hex() for reply in (*before, after)] == ["cc000000c400" + dints(n) for n in (0x11, 0x11, value)]


def test_a_large_write_lands_whole() -> None:
    wired = logix()
    wired.open(CLIENTS["pycomm3"]["large_forward_open"].data)
    big = wired.tags.by_name("BIG")
    assert big is not None
    big[0:5000] = [-1] * 5000
    for name in ("write_fragment_first", "write_fragment_last"):
        wired.connected(CLIENTS["pycomm3"][name].data)
    assert big[:] == [*range(996), *[-1] * 1992, *range(2988, 3000), *[-1] * 2000]


def test_the_clock_that_was_set_goes_on() -> None:
    wired = logix()
    wired.open(CLIENTS["pylogix"]["large_forward_open"].data)
    wired.connected(CLIENTS["pylogix"]["set_clock"].data)
    reply = wired.connected(CLIENTS["pylogix"]["clock_attributes"].data)
    assert reply.hex() == "83000000" + "0100 0b00 0000".replace(" ", "") + "7120bd52df600600"
