"""Where the members of structures lie, and under what handle they travel."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.predefined import CONTROL, COUNTER, PID, PREDEFINED, STRING, TIMER, predefined_by_name
from node.cip.template import Declared, Template, crc16, lay_out, string_template, type_encoding
from node.cip.types import BOOL, DINT, DWORD, ELEMENTARY, INT, LINT, LREAL, REAL, SINT, Type
from node.errors import NodeError

INNER = lay_out("Inner", 0x100, [Declared("a", SINT), Declared("b", INT)])
WIDE = lay_out("Wide", 0x101, [Declared("a", SINT), Declared("b", LINT)])


def placed(*members: Declared) -> tuple[list[tuple[str, int, int | None]], int]:
    """(name, offset, bit) of the members, and the size."""
    template = lay_out("T", 0x110, members)
    return [(member.name, member.offset, member.bit) for member in template.members], template.size


LAYOUTS: dict[str, tuple[list[Declared], list[tuple[str, int, int | None]], int]] = {
    "numbers at multiples of their size": (
        [Declared("a", SINT), Declared("b", INT), Declared("c", SINT), Declared("d", DINT), Declared("e", REAL)],
        [("a", 0, None), ("b", 2, None), ("c", 4, None), ("d", 8, None), ("e", 12, None)],
        16,
    ),
    "the size is rounded up to 4": ([Declared("a", DINT), Declared("b", SINT)], [("a", 0, None), ("b", 4, None)], 8),
    "64 bits at 8, and the size with them": (
        [Declared("a", DINT), Declared("b", LINT), Declared("c", SINT)],
        [("a", 0, None), ("b", 8, None), ("c", 16, None)],
        24,
    ),
    "BOOLs share a byte": (
        [Declared("a", BOOL), Declared("b", BOOL), Declared("c", DINT), Declared("d", BOOL)],
        [
            ("ZZZZZZZZZZT0", 0, None),
            ("a", 0, 0),
            ("b", 0, 1),
            ("c", 4, None),
            ("ZZZZZZZZZZT1", 8, None),
            ("d", 8, 0),
        ],
        12,
    ),
    "the ninth BOOL begins another byte": (
        [Declared(f"b{index}", BOOL) for index in range(9)],
        [
            ("ZZZZZZZZZZT0", 0, None),
            *((f"b{index}", 0, index) for index in range(8)),
            ("ZZZZZZZZZZT1", 1, None),
            ("b8", 1, 0),
        ],
        4,
    ),
    "a BOOL right behind a SINT": (
        [Declared("a", SINT), Declared("b", BOOL), Declared("c", SINT)],
        [("a", 0, None), ("ZZZZZZZZZZT0", 1, None), ("b", 1, 0), ("c", 2, None)],
        4,
    ),
    "arrays at 4": (
        [Declared("a", SINT), Declared("b", SINT, 3), Declared("c", INT, 3), Declared("d", SINT)],
        [("a", 0, None), ("b", 4, None), ("c", 8, None), ("d", 14, None)],
        16,
    ),
    "an array of 64 bits at 8": (
        [Declared("a", SINT), Declared("b", LREAL, 2)],
        [("a", 0, None), ("b", 8, None)],
        24,
    ),
    "BOOL arrays in DWORDs": (
        [Declared("a", SINT), Declared("b", BOOL, 33), Declared("c", BOOL)],
        [("a", 0, None), ("b", 4, None), ("ZZZZZZZZZZT0", 12, None), ("c", 12, 0)],
        16,
    ),
    "structures at 4": (
        [Declared("a", SINT), Declared("b", INNER), Declared("c", SINT), Declared("d", INNER, 2), Declared("e", SINT)],
        [("a", 0, None), ("b", 4, None), ("c", 8, None), ("d", 12, None), ("e", 20, None)],
        24,
    ),
    "a structure with 64 bits at 8": (
        [Declared("a", DINT), Declared("b", WIDE), Declared("c", SINT)],
        [("a", 0, None), ("b", 8, None), ("c", 24, None)],
        32,
    ),
}


@pytest.mark.parametrize("case", LAYOUTS)
def test_members_lie_where_logix_puts_them(case: str) -> None:
    declared, members, size = LAYOUTS[case]
    assert placed(*declared) == (members, size)


def test_an_array_of_bools_keeps_how_many_they_are() -> None:
    member = lay_out("T", 0x110, [Declared("b", BOOL, 33)]).members[0]
    assert (member.type, member.length, member.bits, member.size) == (DWORD, 2, 33, 8)


@pytest.mark.parametrize(("capacity", "size"), [(1, 8), (4, 8), (5, 12), (20, 24), (82, 88), (480, 484)])
def test_a_string_is_its_length_and_characters(capacity: int, size: int) -> None:
    template = string_template("Text", 0x110, capacity)
    assert [(member.name, member.offset, member.length) for member in template.members] == [
        ("LEN", 0, 0),
        ("DATA", 4, capacity),
    ]
    assert (template.size, template.capacity) == (size, capacity)


def test_the_crc_is_the_common_one() -> None:
    assert crc16(b"123456789") == 0xBB3D
    assert crc16(b"") == 0


UDT3 = lay_out("UDT3", 0x100, [Declared("U3A", SINT), Declared("U3B", SINT, 4)])
UDT2 = lay_out(
    "UDT2", 0x101, [Declared("U2A", DINT), Declared("U2B", SINT, 3), Declared("U2C", UDT3), Declared("U2D", UDT3, 2)]
)


@pytest.mark.parametrize(
    ("template", "text", "handle"),
    [
        # the worked example of Rockwell's paper
        (
            lay_out(
                "UDT1",
                0x102,
                [Declared("U1A", SINT), Declared("U1B", SINT, 2), Declared("U1C", UDT2), Declared("U1D", UDT3, 4)],
            ),
            "UDT1,SINT,SINT[2],UDT2,DINT,SINT[3],UDT3,SINT,SINT[4],UDT3,SINT,SINT[4][2],UDT3,SINT,SINT[4][4]",
            0x5F58,
        ),
        # the structure that 1756-PM020 reads whole
        (
            lay_out(
                "STRUCT_B",
                0x110,
                [Declared("pilot_on", BOOL), Declared("hourlyCount", INT, 12), Declared("rate", REAL)],
            ),
            "STRUCT_B,SINT,INT[12],REAL",
            0x9ECD,
        ),
        # read from controllers
        (lay_out("TimerWrapper", 0x110, [Declared("TON", TIMER)]), "TimerWrapper,TIMER,DINT,DINT,DINT", 0xC23B),
        (lay_out("CounterWrapper", 0x110, [Declared("C", COUNTER)]), "CounterWrapper,COUNTER,DINT,DINT,DINT", 0x8436),
        (lay_out("ControlWrapper", 0x110, [Declared("C", CONTROL)]), "ControlWrapper,CONTROL,DINT,DINT,DINT", 0x6207),
        (lay_out("StringWrapper", 0x110, [Declared("S", STRING)]), "StringWrapper,STRING,DINT,SINT[82]", 0x45FD),
        (
            lay_out(
                "TypeWithTimer",
                0x110,
                [
                    Declared("Field0", DINT),
                    Declared("Flag1", BOOL),
                    Declared("Flag2", BOOL),
                    Declared("Timer", TIMER),
                    Declared("Field1", DINT),
                ],
            ),
            "TypeWithTimer,DINT,SINT,TIMER,DINT,DINT,DINT,DINT",
            0x9A39,
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Template) else "",
)
def test_a_handle_is_the_crc_of_what_the_structure_is_made_of(template: Template, text: str, handle: int) -> None:
    assert type_encoding(template.name, template.members) == text
    assert template.handle == handle
    assert template.type_bytes == b"\xa0\x02" + handle.to_bytes(2, "little")


def test_a_member_is_found_in_any_case() -> None:
    assert INNER.member("B") is INNER.members[1]
    assert INNER.member("c") is None
    template = lay_out("T", 0x110, [Declared("Run", BOOL), Declared("Speed", REAL)])
    assert [member.name for member in template.visible] == ["Run", "Speed"]


@pytest.mark.parametrize(
    ("declared", "message"),
    [([], "has no members"), ([Declared("a", DINT), Declared("A", INT)], "is there twice")],
)
def test_structures_that_cannot_be(declared: list[Declared], message: str) -> None:
    with pytest.raises(NodeError, match=message):
        lay_out("T", 0x110, declared)


@pytest.mark.parametrize(
    ("template", "instance", "size", "names"),
    [
        (STRING, 0xFCE, 88, "LEN DATA"),
        (TIMER, 0xF83, 12, "PRE ACC EN TT DN"),
        (COUNTER, 0xF82, 12, "PRE ACC CU CD DN OV UN"),
        (CONTROL, 0xF81, 12, "LEN POS EN EU DN EM ER UL IN FD"),
    ],
    ids=lambda value: value.name if isinstance(value, Template) else "",
)
def test_predefined_structures(template: Template, instance: int, size: int, names: str) -> None:
    assert (template.instance, template.handle, template.size) == (instance, instance, size)
    assert [member.name for member in template.visible] == names.split()


def test_the_bits_of_a_timer_are_the_highest_of_its_control_word() -> None:
    places = {member.name: (member.offset, member.bit) for member in TIMER.members if member.bit is not None}
    assert places == {"EN": (3, 7), "TT": (3, 6), "DN": (3, 5)}


def test_the_bits_of_pid_lie_within_its_control_word_each_at_its_own_place() -> None:
    places = [(member.offset, member.bit) for member in PID.members if member.bit is not None]
    assert len(set(places)) == len(places) == 21
    assert all(0 <= offset < 4 for offset, _ in places)


def test_predefined_members_do_not_overlap() -> None:
    for template in PREDEFINED:
        ends = sorted((member.offset, member.offset + member.size) for member in template.members if member.size)
        assert all(before[1] <= after[0] for before, after in pairwise(ends))
        assert ends[-1][1] <= template.size


def test_predefined_structures_are_found_by_name_in_any_case() -> None:
    assert predefined_by_name("timer") is TIMER
    assert predefined_by_name("Nothing") is None


@st.composite
def declarations(draw: st.DrawFn) -> list[Declared]:
    kinds: st.SearchStrategy[Type | Template] = st.sampled_from([*ELEMENTARY, INNER, WIDE, STRING, TIMER])
    chosen = draw(st.lists(st.tuples(kinds, st.integers(0, 40)), min_size=1, max_size=20))
    return [Declared(f"m{index}", kind, length) for index, (kind, length) in enumerate(chosen)]


@given(declarations())
def test_members_are_aligned_and_do_not_overlap(declared: list[Declared]) -> None:
    template = lay_out("T", 0x110, declared)
    assert [member.name for member in template.visible] == [item.name for item in declared]
    end = 0
    for member in template.members:
        if member.bit is not None:
            assert 0 <= member.bit < 8
            continue
        size = member.type.alignment if isinstance(member.type, Template) else member.type.size
        assert member.offset % max(size, 4 if member.length else 1) == 0
        assert member.offset >= end
        end = member.offset + member.size
    assert end <= template.size < end + template.alignment
    assert template.size % template.alignment == 0
