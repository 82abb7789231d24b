"""Paths, in every form that clients send them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.message import decode_reply
from node.memory.attribute import Instant
from node.objects.router import Router
from tests.objects.browsed import ask, build, build_tags
from tests.objects.devices import name, request

READ = "0100"
ROUTER = build()
SHAKEN = build()
"""What the property test writes to."""

PLACES = {
    "a tag": (name("Count"), "c400 0d0c0b0a"),
    "in another case": (name("cOUNT"), "c400 0d0c0b0a"),
    "by its number": ("206b 2401", "c400 0d0c0b0a"),
    "by its number in 16 bits": ("206b 25000100", "c400 0d0c0b0a"),
    "by its number in 32 bits": ("206b 260001000000", "c400 0d0c0b0a"),
    "a class in 16 bits": ("21006b00 2401", "c400 0d0c0b0a"),
    "an element": (name("Cube") + "2801 2802 2803", "c300 1700"),
    "an element, widths mixed": (name("Cube") + "2801 29000200 2a0003000000", "c300 1700"),
    "an element by number": ("206b 2404 2800 2801 2802", "c300 0600"),
    "a member": (name("P") + name("Hist") + "2802", "c300 0000"),
    "a member by number": ("206b 2405" + name("HIST") + "2802", "c300 0000"),
    "a member of an element": (name("Plants") + "2801" + name("Pumps") + "2801" + name("On"), "c100 00"),
    "a bit": (name("Count") + name("10"), "c100 ff"),
    "a word of a BOOL array": (name("Bits") + "2802", "d300 00000000"),
    "a program's tag": (name("Program:Main") + name("Level"), "c300 0700"),
    "a program's tag, one segment": (name("Program:Main.Level"), "c300 0700"),
    "a program's tag in another case": (name("PROGRAM:main.LEVEL"), "c300 0700"),
    "a program's tag by number": (name("Program:Main") + "206b 2401", "c300 0700"),
    "a program's tag by number in 16 bits": (name("Program:Main") + "206b 25000100", "c300 0700"),
    "a program's member": (name("Program:Main") + name("P") + "2802" + name("Off"), "c100 00"),
    "a program's member by number": (name("Program:Main") + "206b 2402 2802" + name("Off"), "c100 00"),
    "a program's member, one segment": (name("Program:Main.P") + "2802" + name("Hist") + "2800", "c300 0000"),
    "a member, one segment": (name("P.Speed"), "ca00 00000000"),
    "a member, in three": (name("Plants") + "2800" + name("Pumps") + "2801" + name("Speed"), "ca00 00000000"),
    "a bit, one segment": (name("Count.10"), "c100 ff"),
    "an alias of a member": (name("Speed"), "ca00 00000000"),
    "an alias of a bit": (name("Bit"), "c100 ff"),
    "an alias by number": ("206b 240e", "c100 ff"),
    "an alias of an element": (name("Row"), "c300 1700"),
    "an alias of an array": (name("Program:Main") + name("All") + "2801 2800 2800", "c300 0c00"),
    "a tag with a dot in its name": (name("Old.Level"), "c200 03"),
    "the same in two segments": (name("Old") + name("Level"), "c200 03"),
}

FAULTS = {
    "an unknown name": (name("Nowhere"), "04010000"),
    "an unknown member": (name("P") + name("Nothing"), "04010000"),
    "a member of a number": (name("Count") + name("Speed"), "04010000"),
    "a hidden member": (name("P") + name("ZZZZZZZZZZPump0"), "04010000"),
    "a bit that is not there": (name("Count") + name("32"), "04010000"),
    "an unknown program": (name("Program:Other") + name("Level"), "04010000"),
    "an unknown tag of a program": (name("Program:Main") + name("Count"), "04010000"),
    "a controller's tag called as a program's": (name("Program:Main.Count"), "04010000"),
    "a program's tag without its program": (name("Level"), "04010000"),
    "a program": (name("Program:Main"), "04010000"),
    "an empty name": (name("P..Speed"), "04010000"),
    "a name that ends with a dot": (name("P."), "04010000"),
    "an unknown number": ("206b 2463", "05010000"),
    "an unknown number with an element": ("206b 2463 2800", "05010000"),
    "a great number": ("206b 2600ffffffff", "05010000"),
    "an unknown number in a program": (name("Program:Main") + "206b 2463", "05010000"),
    "an unknown number in an unknown program": (name("Program:Other") + "206b 2401", "04010000"),
    "another class behind a program": (name("Program:Main") + "206c 2401", "04010000"),
    "an element of a program": ("206b 2403 2800", "04010000"),
    "an index past the end": (name("Cube") + "2802 2800 2800", "ff010521"),
    "an index past the end by number": ("206b 2404 2802 2800 2800", "ff010521"),
    "an index of a member past the end": (name("P") + name("Hist") + "2803", "ff010521"),
    "too few indices": (name("Cube") + "2800", "04010000"),
    "too many indices": (name("Cube") + "2800 2800 2800 2800", "04010000"),
    "an index into a number": (name("Count") + "2801", "ff010521"),
    "an attribute and an element": ("206b 2401 3001 2800", "04010000"),
    "an instance behind a name": (name("Count") + "2401", "04010000"),
}


@pytest.mark.parametrize("case", PLACES)
def test_a_path_leads_to_its_value(case: str) -> None:
    path, value = PLACES[case]
    assert ask(ROUTER, request(0x4C, path, READ)) == "cc000000" + value.replace(" ", "")


@pytest.mark.parametrize("case", FAULTS)
def test_a_path_that_leads_nowhere(case: str) -> None:
    path, status = FAULTS[case]
    assert ask(ROUTER, request(0x4C, path, READ)) == "cc00" + status


def test_what_is_written_by_number_is_read_by_name() -> None:
    router = build()
    assert ask(router, request(0x4D, "206b 2405" + name("Speed"), "ca00 0100 00002041")) == "cd000000"
    assert ask(router, request(0x4C, name("Speed"), READ)) == "cc000000ca0000002041"
    assert ask(router, request(0x4E, "206b 2401", "0400 00000080 ffffffff")) == "ce000000"
    assert ask(router, request(0x4C, name("Count"), READ)) == "cc000000c4000d0c0b8a"


def test_a_read_in_fragments_by_number() -> None:
    reply = ask(ROUTER, request(0x52, "206b 2404 2800 2800 2800", "1800 04000000"))
    assert reply == "d2000000c300" + "".join(f"{index:02x}00" for index in range(2, 24))


def test_a_new_program_is_found_at_once() -> None:
    tags = build_tags()
    router = build(tags)
    message = request(0x4C, name("Program:Later") + name("X"), READ)
    assert ask(router, message) == "cc0004010000"
    found = tags.by_name("Count")
    assert found is not None
    tags.add("Program:Later.X", type(found)(found.type, (), 1))
    assert ask(router, message) == "cc000000c40001000000"
    assert ask(router, request(0x4C, name("Program:Later") + "206b2401", READ)) == "cc000000c40001000000"


def test_a_device_without_symbols_has_names_but_no_numbers() -> None:
    router = Router(build_tags(), Instant())
    assert ask(router, request(0x4C, name("Count"), READ)) == "cc000000c4000d0c0b0a"
    assert ask(router, request(0x4C, "206b 2401", READ)) == "cc000500"
    assert ask(router, request(0x4C, name("Program:Main") + "206b 2401", READ)) == "cc0004010000"


def test_a_device_that_knows_no_names() -> None:
    router = Router(build_tags(), Instant())
    router.resolver.symbolic = False
    assert ask(router, request(0x4C, name("Count"), READ)) == "cc0004010000"


SEGMENTS = st.sampled_from(
    [name(text) for text in ("Program:Main", "Program:Idle", "P", "Plants", "Pumps", "Hist", "3", "Main.P", "Count")]
    + ["206b", "206c", "2400", "2401", "2403", "2405", "25002c01", "2800", "2801", "29000200", "2a0000000080"]
    + ["3001", "3008", "0100", "2c01", "340401000000000000000000"]
)


@given(
    st.lists(SEGMENTS, min_size=1, max_size=7),
    st.sampled_from((0x01, 0x03, 0x04, 0x0E, 0x10, 0x4C, 0x4D, 0x4E, 0x52, 0x53, 0x55)),
    st.binary(max_size=24),
    st.integers(16, 504),
)
def test_any_path_gets_a_reply(segments: list[str], service: int, data: bytes, limit: int) -> None:
    message = request(service, "".join(segments)) + data
    reply = SHAKEN.request(message, limit=limit)
    assert decode_reply(reply).service == service
    assert len(reply) <= limit
    assert SHAKEN.request(message, limit=limit) == reply or service in (0x04, 0x10, 0x4D, 0x4E, 0x53)
