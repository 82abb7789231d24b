"""Class 0x6C: what structures are made of; and the small classes that clients ask beside it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.definition import decode_definition
from node.cip.message import decode_reply
from node.cip.status import PARTIAL_TRANSFER
from node.cip.types import DINT
from node.errors import LocalProtocolError
from node.memory.attribute import Instant
from node.memory.tags import TagTable
from node.memory.text_attribute import create_attribute
from node.objects.device import build_device
from node.objects.profiles import PROFILES
from node.objects.program_name import Name, program_name_object
from tests.objects.browsed import PLANT, PUMP, ask, build, build_tags
from tests.objects.devices import IDENTITY, request
from tests.vectors import check_codec, read_vectors

BROWSE = read_vectors("browse")
CLIENTS = {"pycomm3": read_vectors("pycomm3_requests"), "pylogix": read_vectors("pylogix_requests")}
ROUTER = build()

STRING_BYTES = BROWSE["string_definition"].data.hex()
HANDLE = PUMP.handle.to_bytes(2, "little").hex()

REPLIES = {
    "pycomm3, attributes of STRING": (
        CLIENTS["pycomm3"]["template_attributes"].data,
        "83000000 0400 0400 0000 11000000 0500 0000 58000000 0200 0000 0200 0100 0000 ce0f",
    ),
    "pylogix, attributes of STRING": (
        CLIENTS["pylogix"]["template_attributes"].data,
        "83000000 0400 0400 0000 11000000 0300 0000 0000 0200 0000 0200 0100 0000 ce0f",
    ),
    "pycomm3, Template Read of STRING": (CLIENTS["pycomm3"]["template_read"].data, "cc000000" + STRING_BYTES + "0000"),
    "pylogix, Template Read of STRING": (
        CLIENTS["pylogix"]["template_read"].data,
        "cc000000" + STRING_BYTES + "000000",
    ),
    "one attribute": (request(0x0E, "206c 25000001 3001"), "8e000000" + HANDLE),
    "the bytes of one": (request(0x0E, "206c 25000001 3005"), "8e000000 68000000"),
    "an attribute that is not there": (request(0x0E, "206c 25000001 3006"), "8e001400"),
    "a template that is not there": (request(0x03, "206c 25004001", "0100 0100"), "83000500"),
    "reading one that is not there": (request(0x4C, "206c 25004001", "00000000 1000"), "cc000500"),
    "the class": (request(0x0E, "206c 2400 3003"), "8e000000 0700"),
    "the class, the highest": (request(0x0E, "206c 2400 3002"), "8e000000 ce0f"),
    "reading the class": (request(0x4C, "206c 2400", "00000000 1000"), "cc000800"),
    "reading from the middle": (request(0x4C, "206c 2500ce0f", "10000000 0400"), "cc000000 41534349"),
    "reading nothing": (request(0x4C, "206c 2500ce0f", "00000000 0000"), "cc000000"),
    "reading with surplus": (request(0x4C, "206c 2500ce0f", "00000000 0200 ffff"), "cc000000 0000"),
    "reading the last byte": (request(0x4C, "206c 2500ce0f", "43000000 0400"), "cc000000 00"),
    "reading past the end": (request(0x4C, "206c 2500ce0f", "44000000 0400"), "cc00ff01 0421"),
    "reading far past the end": (request(0x4C, "206c 2500ce0f", "ffffffff ffff"), "cc00ff01 0421"),
    "reading, cut short": (request(0x4C, "206c 2500ce0f", "00000000 10"), "cc001300"),
    "writing": (request(0x4D, "206c 2500ce0f", "00000000 10"), "cd000800"),
    "the class, the highest attribute": (request(0x0E, "206c 2400 3007"), "8e000000 0500"),
    "pycomm3, name of the program": (CLIENTS["pycomm3"]["controller_name"].data, "81000000 0300 706c63"),
    "name of the program, its attribute": (request(0x0E, "2064 2401 3001"), "8e000000 0300 706c63"),
    "name of another program": (request(0x01, "2064 2402"), "81000500"),
}


@pytest.mark.parametrize("case", REPLIES)
def test_replies(case: str) -> None:
    message, reply = REPLIES[case]
    assert ask(ROUTER, message) == reply.replace(" ", "")


@given(st.integers(30, 500), st.integers(1, 0xFFFF))
def test_a_definition_in_pieces(limit: int, asked: int) -> None:
    """A client goes on from where the last piece ended while the status says that there is more."""
    data = b""
    status = PARTIAL_TRANSFER
    while status == PARTIAL_TRANSFER:
        span = len(data).to_bytes(4, "little") + (asked - len(data)).to_bytes(2, "little")
        reply = decode_reply(ROUTER.request(request(0x4C, "206c 25000101") + span, limit=limit))
        status = reply.status
        assert len(reply.data) + 4 <= limit
        data += reply.data
    assert status == 0
    whole = ROUTER.request(request(0x4C, "206c 25000101", "00000000 ffff"), limit=4000)[4:]
    assert data == whole[:asked]
    if len(data) == len(whole):
        name, members = decode_definition(data, len(PLANT.members))
        assert (name, [member.name for member in members]) == ("Plant", ["Total", "Pumps"])
        assert members[1].type.number == PUMP.instance


def test_the_name_of_a_program_can_be_configured() -> None:
    name = Name()
    check_codec(b"\3\0plc", "plc", name.decode, name.encode, tail="refused")
    for value in (7, "x" * 256, "\u20ac"):
        with pytest.raises(LocalProtocolError, match="at most 255"):
            name.encode(value)
    assert program_name_object("\u20ac" + "y" * 300).rows(1)[0].get() == b"\xff\0?" + b"y" * 254


def test_only_a_logix_controller_tells_its_program_and_a_version() -> None:
    for profile, classes in (
        ("1756-L61", [0x64, 0x6B, 0x6C, 0xAC]),
        ("2080-LC50", [0x6B, 0x6C]),
        ("1766-L32BXB", []),
        ("PowerFlex-753", []),
    ):
        device = build_device(IDENTITY, build_tags(), Instant(), profile=PROFILES[profile], templates=(PUMP, PLANT))
        assert [number for number in (0x64, 0x6B, 0x6C, 0xAC) if number in device.router.objects] == classes


VERSIONS = request(0x03, "20ac 2401", "0500 0100 0200 0300 0400 0a00")


def test_versions_have_the_sizes_that_clients_read() -> None:
    data = bytes.fromhex(ask(ROUTER, VERSIONS))
    assert data[:4] == bytes.fromhex("83000000")
    assert len(data) == 4 + 2 + 5 * 4 + 2 + 2 + 4 + 4 + 4
    assert len(bytes.fromhex(ask(ROUTER, request(0x01, "20ac 2401")))) == 4 + 16
    assert len(bytes.fromhex(ask(ROUTER, request(0x0E, "20ac 2401 300a")))) == 4 + 4


def test_versions_move_when_tags_do_and_at_no_other_time() -> None:
    tags = build_tags()
    router = build(tags)
    seen = [ask(router, VERSIONS)]
    count = tags.by_name("Count")
    assert count is not None
    count.gate = None
    count[0] = 99
    assert ask(router, VERSIONS) == seen[0]
    tags.add("New", create_attribute(DINT))
    seen.append(ask(router, VERSIONS))
    tags.add("Program:Main.New", create_attribute(DINT))
    seen.append(ask(router, VERSIONS))
    tags.add_program("Later")
    seen.append(ask(router, VERSIONS))
    assert len(set(seen)) == 4


def test_versions_of_a_node_started_anew_tell_other_tags_from_the_same() -> None:
    assert ask(build(), VERSIONS) == ask(build(), VERSIONS)
    seen = set()
    for names in (("A", "B"), ("B", "A"), ("A", "C"), ("A", "Program:B.C")):
        tags = TagTable()
        for tag in names:
            tags.add(tag, create_attribute(DINT))
        seen.add(ask(build(tags), request(0x0E, "20ac 2401 3004")))
    assert len(seen) == 4
