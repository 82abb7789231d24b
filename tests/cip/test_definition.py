"""Definitions of structures, their attributes, and Template Read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.browse import SymbolType
from node.cip.definition import (
    TEMPLATE_ATTRIBUTES,
    MemberInfo,
    decode_definition,
    decode_template_read,
    encode_definition,
    encode_template_read,
    read_definition,
    template_attribute,
)
from node.cip.predefined import PREDEFINED, STRING, TIMER
from node.cip.status import GENERAL_ERROR, OFFSET_PAST_END, CipError
from node.cip.template import Declared, Template, lay_out
from node.cip.types import BOOL, DINT, INT, LREAL, REAL, SINT
from node.errors import RemoteProtocolError
from tests.vectors import check_codec, read_vectors, survives

VECTORS = read_vectors("browse")

PUMP = lay_out(
    "Pump",
    0x100,
    (
        Declared("Speed", REAL),
        Declared("On", BOOL),
        Declared("Off", BOOL),
        Declared("Hist", INT, 3),
        Declared("Name", STRING),
    ),
)

PUMP_MEMBERS = [
    MemberInfo("Speed", 0, SymbolType(0xCA), 0),
    MemberInfo("ZZZZZZZZZZPump0", 0, SymbolType(0xC2), 4),
    MemberInfo("On", 0, SymbolType(0xC1), 4),
    MemberInfo("Off", 1, SymbolType(0xC1), 4),
    MemberInfo("Hist", 3, SymbolType(0xC3, dimensions=1), 8),
    MemberInfo("Name", 0, SymbolType(0xFCE, True), 16),
]


def attributes(template: Template) -> list[str]:
    """All attributes of a template, in hex."""
    definition = encode_definition(template)
    return [template_attribute(template, ident, definition).hex() for ident in TEMPLATE_ATTRIBUTES]


def test_a_definition_tells_every_member() -> None:
    data = VECTORS["pump_definition"].data
    check_codec(
        data,
        ("Pump", PUMP_MEMBERS),
        lambda data: decode_definition(data, 6),
        lambda _: encode_definition(PUMP),
        "ignored",
    )


def test_the_definition_of_string_has_the_name_that_clients_know() -> None:
    data = VECTORS["string_definition"].data
    assert encode_definition(STRING) == data
    name, members = decode_definition(data, 2)
    assert name == "ASCIISTRING82"
    assert [(member.name, member.info) for member in members] == [("LEN", 0), ("DATA", 82)]


def test_attributes_are_the_handle_the_members_and_two_sizes() -> None:
    assert attributes(STRING) == ["ce0f", "0200", "0000", "11000000", "58000000"]
    assert attributes(TIMER)[:3] == ["830f", "0600", "0000"]
    handle = PUMP.handle.to_bytes(2, "little").hex()
    size = -(-(len(VECTORS["pump_definition"].data) + 23) // 4)
    assert attributes(PUMP) == [handle, "0600", "0000", size.to_bytes(4, "little").hex(), "68000000"]


def test_access_of_a_member_is_where_clients_look_for_it() -> None:
    """One character after "n", two for each member: the low bits of the second are 0 for a hidden one."""
    marks = encode_definition(PUMP)[48:].split(b"\0")[0].split(b";")[1]
    assert marks.isascii()
    assert marks.decode().isprintable()
    hidden = [marks[1 + 2 * index + 1] & 3 == 0 for index in range(6)]
    assert hidden == [member.hidden for member in PUMP.members]


@pytest.mark.parametrize("template", [*PREDEFINED, PUMP], ids=lambda template: template.name)
def test_names_and_places_are_the_template_s(template: Template) -> None:
    _, members = decode_definition(encode_definition(template), len(template.members))
    assert [(member.name, member.offset) for member in members] == [
        (member.name, member.offset) for member in template.members
    ]


def test_a_read_asks_for_bytes_from_an_offset() -> None:
    asked = (0, 0x2F)
    check_codec(
        VECTORS["template_read"].data,
        asked,
        decode_template_read,
        lambda asked: encode_template_read(*asked),
        "ignored",
    )


@pytest.mark.parametrize("less", [23, 21, 20, 16])
def test_a_read_gives_exactly_what_clients_ask_for(less: int) -> None:
    definition = encode_definition(PUMP)
    words = int.from_bytes(template_attribute(PUMP, 4, definition), "little")
    data = read_definition(definition, 0, 4 * words - less)
    assert len(data) == 4 * words - less
    assert data.startswith(definition)
    assert not data[len(definition) :].strip(b"\0")


@given(st.integers(0, 300), st.integers(0, 0xFFFF))
def test_pieces_make_the_whole(offset: int, count: int) -> None:
    definition = encode_definition(PUMP)
    end = 4 * int.from_bytes(template_attribute(PUMP, 4, definition), "little")
    whole = definition.ljust(end, b"\0")
    if offset >= end:
        with pytest.raises(CipError) as caught:
            read_definition(definition, offset, count)
        assert (caught.value.general, caught.value.extended) == (GENERAL_ERROR, (OFFSET_PAST_END,))
    else:
        assert read_definition(definition, offset, count) == whole[offset : offset + count]


def test_a_definition_of_fewer_members_than_were_said() -> None:
    with pytest.raises(RemoteProtocolError, match="7 members"):
        decode_definition(VECTORS["pump_definition"].data, 7)


NAMES = st.lists(
    st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,20}", fullmatch=True), min_size=1, max_size=20, unique_by=str.casefold
)
KINDS = st.tuples(st.sampled_from((BOOL, SINT, DINT, LREAL, STRING, TIMER)), st.sampled_from((0, 0, 1, 7, 40)))


@given(NAMES, st.lists(KINDS, min_size=20, max_size=20))
def test_any_structure_is_told_as_it_is_laid_out(names: list[str], kinds: list[tuple[object, int]]) -> None:
    declared = [Declared(name, *kinds[index]) for index, name in enumerate(names)]  # type: ignore[arg-type]
    template = lay_out("Any", 0x100, declared)
    name, members = decode_definition(encode_definition(template), len(template.members))
    assert name == "Any"
    assert [(member.name, member.offset) for member in members] == [
        (member.name, member.offset) for member in template.members
    ]
    shown = [member.info for member, laid in zip(members, template.members, strict=True) if laid.bit is not None]
    assert shown == [laid.bit for laid in template.members if laid.bit is not None]


@given(st.binary(max_size=200), st.integers(0, 12))
def test_any_bytes_are_a_definition_or_refused(data: bytes, count: int) -> None:
    if survives(lambda data: decode_definition(data, count), data):
        assert len(decode_definition(data, count)[1]) == count
    assert survives(decode_template_read, data) == (len(data) >= 6)
