"""Structures as bytes and as values."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.predefined import STRING, TIMER
from node.cip.status import NOT_ENOUGH_DATA, CipError
from node.cip.structure_values import (
    StructureValue,
    decode_structure,
    decode_structures,
    decode_text,
    encode_structure,
    encode_text,
    lay_over,
)
from node.cip.template import Declared, Template, lay_out, string_template
from node.cip.types import BOOL, DINT, INT, LINT, REAL, SINT
from node.errors import LocalProtocolError
from tests.vectors import check_codec, survives

NAME = string_template("Name", 0x100, 6)
MOTOR = lay_out(
    "Motor",
    0x101,
    [
        Declared("Run", BOOL),
        Declared("Fault", BOOL),
        Declared("Speed", REAL),
        Declared("History", INT, 3),
        Declared("Flags", BOOL, 33),
        Declared("Label", NAME),
    ],
)
LINE = lay_out("Line", 0x102, [Declared("Id", SINT), Declared("Motors", MOTOR, 2), Declared("Total", LINT)])

MOTOR_BYTES = bytes.fromhex("02000000 0000c03f 0100feff03000000 01000080 01000000 02000000 6f6b0000 00000000")
MOTOR_VALUE: StructureValue = {
    "Run": False,
    "Fault": True,
    "Speed": 1.5,
    "History": [1, -2, 3],
    "Flags": [True, *[False] * 30, True, True],
    "Label": "ok",
}


def encoder(template: Template) -> Callable[[StructureValue], bytes]:
    return lambda value: encode_structure(template, value)


def test_a_structure_is_its_members_at_their_places() -> None:
    check_codec(MOTOR_BYTES, MOTOR_VALUE, lambda data: decode_structure(MOTOR, data), encoder(MOTOR), tail="ignored")


def test_structures_nest() -> None:
    value = {"Id": -1, "Motors": [MOTOR_VALUE, MOTOR_VALUE], "Total": 1 << 40}
    data = b"\xff\0\0\0" + MOTOR_BYTES * 2 + b"\0\0\0\0" + (1 << 40).to_bytes(8, "little")
    assert encode_structure(LINE, value) == data
    assert decode_structure(LINE, b"x" + data, 1) == value
    assert decode_structures(LINE, data * 2) == [value, value]


def test_member_names_know_no_case() -> None:
    assert encode_structure(TIMER, {"pre": 5, "Acc": 6, "en": True, "TT": False, "dn": True}) == bytes.fromhex(
        "000000a0 05000000 06000000"
    )


def test_hidden_bits_stay_where_values_are_laid_over() -> None:
    held = bytes.fromhex("ffffffff 05000000 06000000")
    assert lay_over(TIMER, held, {"EN": False, "ACC": 7}) == bytes.fromhex("ffffff7f 05000000 07000000")
    assert decode_structure(TIMER, held) == {"PRE": 5, "ACC": 6, "EN": True, "TT": True, "DN": True}


def test_a_part_of_a_nested_structure_is_laid_over() -> None:
    held = encode_structure(LINE, {"Id": 1, "Motors": [MOTOR_VALUE, MOTOR_VALUE], "Total": 2})
    value = decode_structure(LINE, lay_over(LINE, held, {"Motors": [{}, {"Speed": 2, "Label": "new"}]}))
    assert isinstance(MOTOR_VALUE, dict)
    assert value == {"Id": 1, "Motors": [MOTOR_VALUE, {**MOTOR_VALUE, "Speed": 2.0, "Label": "new"}], "Total": 2}


def test_a_logix_string_takes_88_bytes() -> None:
    data = b"\x03\0\0\0abc" + bytes(81)
    check_codec(data, "abc", lambda data: str(decode_structure(STRING, data)), encoder(STRING), tail="ignored")


@pytest.mark.parametrize(("length", "shown"), [(-1, ""), (6, "abcdef"), (7, "abcdef"), (1 << 30, "abcdef")])
def test_a_length_out_of_range_shows_what_there_is(length: int, shown: str) -> None:
    data = length.to_bytes(4, "little", signed=True) + b"abcdef\0\0"
    assert decode_text(NAME, data) == shown


def test_the_same_text_laid_over_a_string_changes_no_byte() -> None:
    held = b"\x02\0\0\0okrest\0\0"
    assert lay_over(NAME, held, "ok") is held
    assert lay_over(NAME, held, "no") == b"\x02\0\0\0no\0\0\0\0\0\0"
    assert lay_over(NAME, held, {"LEN": 4}) == b"\x04\0\0\0okrest\0\0"


@pytest.mark.parametrize(
    ("template", "value", "message"),
    [
        (MOTOR, 5, "5 where the members of Motor were wanted"),
        (MOTOR, {"Run": True}, "Motor without Fault, Speed, History, Flags, Label"),
        (TIMER, {"CTL": 1}, "TIMER has no member 'CTL'; it has PRE, ACC, EN, TT, DN"),
        (TIMER, {5: 1}, "TIMER has no member 5"),
        (NAME, "x" * 7, "a text of 7 characters: Name holds 6"),
        (NAME, "\u20ac", "a character outside ISO-8859-1, all that Name can hold"),
        (NAME, 5, "5 where a text was wanted, for Name"),
    ],
)
def test_values_that_are_no_structure(template: Template, value: object, message: str) -> None:
    with pytest.raises(LocalProtocolError, match=message):
        encode_structure(template, value)


@pytest.mark.parametrize(
    ("member", "message"),
    [
        ({"Speed": "fast"}, "'fast' where a value of REAL was wanted, for Speed"),
        ({"History": [1, 2]}, r"\[1, 2\] where a list of 3 was wanted, for History"),
        ({"History": "123"}, "'123' where a list of 3 was wanted, for History"),
        ({"History": [1, 2, 1 << 15]}, "32768 does not fit INT"),
        ({"Flags": [True]}, "where a list of 33 was wanted, for Flags"),
        ({"Label": 5}, "where a text was wanted, for Name"),
    ],
)
def test_members_that_do_not_fit(member: dict[str, object], message: str) -> None:
    with pytest.raises(LocalProtocolError, match=message):
        lay_over(MOTOR, MOTOR_BYTES, member)


def test_bytes_that_are_no_whole_structure() -> None:
    with pytest.raises(CipError) as caught:
        decode_structures(MOTOR, MOTOR_BYTES + b"\0")
    assert caught.value.general == NOT_ENOUGH_DATA


@given(st.text(st.characters(max_codepoint=255), max_size=6))
def test_texts_come_back(text: str) -> None:
    assert decode_text(NAME, encode_text(NAME, text)) == text


MOTORS = st.fixed_dictionaries(
    {
        "Run": st.booleans(),
        "Fault": st.booleans(),
        "Speed": st.floats(width=32, allow_nan=False),
        "History": st.lists(st.integers(-32768, 32767), min_size=3, max_size=3),
        "Flags": st.lists(st.booleans(), min_size=33, max_size=33),
        "Label": st.text(st.characters(max_codepoint=255), max_size=6),
    }
)


@given(MOTORS, MOTORS)
def test_values_that_are_encoded_decode_to_themselves(value: StructureValue, other: StructureValue) -> None:
    data = encode_structure(MOTOR, value)
    assert decode_structure(MOTOR, data) == value
    assert lay_over(MOTOR, data, other) == encode_structure(MOTOR, other)


@given(st.binary(max_size=2 * LINE.size))
def test_any_bytes_are_structures_or_refused(data: bytes) -> None:
    assert survives(lambda data: decode_structures(LINE, data), data) in (True, False)


def test_a_member_of_a_whole_number_takes_bools_as_they_are() -> None:
    template = lay_out("T", 0x110, [Declared("n", DINT), Declared("b", BOOL)])
    assert encode_structure(template, {"n": True, "b": 7}) == b"\1\0\0\0\1\0\0\0"
