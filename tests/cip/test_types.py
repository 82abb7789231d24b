"""Elementary types: sizes, ranges, and values to bytes and back."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.status import NOT_ENOUGH_DATA, CipError
from node.cip.types import (
    BOOL,
    DINT,
    ELEMENTARY,
    INT,
    LREAL,
    REAL,
    UINT,
    Type,
    Value,
    by_code,
    by_name,
    decode_values,
    encode_values,
    parse_value,
)
from node.errors import LocalProtocolError

CODES = {
    "BOOL": (0xC1, 1),
    "SINT": (0xC2, 1),
    "INT": (0xC3, 2),
    "DINT": (0xC4, 4),
    "LINT": (0xC5, 8),
    "USINT": (0xC6, 1),
    "UINT": (0xC7, 2),
    "UDINT": (0xC8, 4),
    "ULINT": (0xC9, 8),
    "REAL": (0xCA, 4),
    "LREAL": (0xCB, 8),
    "BYTE": (0xD1, 1),
    "WORD": (0xD2, 2),
    "DWORD": (0xD3, 4),
    "LWORD": (0xD4, 8),
}


def test_codes_and_sizes_are_the_specification_s() -> None:
    assert {kind.name: (kind.code, kind.size) for kind in ELEMENTARY} == CODES


@pytest.mark.parametrize("kind", ELEMENTARY, ids=lambda kind: kind.name)
def test_a_type_is_found_by_code_and_by_name_in_any_case(kind: Type) -> None:
    assert by_code(kind.code) is kind
    assert by_name(kind.name.lower()) is kind


def test_an_unknown_type_is_none() -> None:
    assert by_code(0xDA) is None
    assert by_name("SSTRING") is None


def test_values_are_little_endian() -> None:
    assert encode_values(INT, [1, -2]).hex() == "0100feff"
    assert encode_values(REAL, [1.0]).hex() == "0000803f"
    assert decode_values(DINT, bytes.fromhex("78563412")) == [0x12345678]


def test_a_true_bool_is_ff_on_the_wire_and_any_other_byte_is_true_too() -> None:
    assert encode_values(BOOL, [True, False, 1]) == b"\xff\0\xff"
    assert decode_values(BOOL, b"\x01\0\x80") == [True, False, True]


@pytest.mark.parametrize("kind", [kind for kind in ELEMENTARY if isinstance(kind.low, int)], ids=lambda kind: kind.name)
def test_the_ends_of_a_range_fit_and_one_more_does_not(kind: Type) -> None:
    ends: list[Value] = [kind.low, kind.high]
    assert decode_values(kind, encode_values(kind, ends)) == ends
    if kind is not BOOL:
        for beyond in (kind.low - 1, kind.high + 1):
            with pytest.raises(LocalProtocolError, match=f"{kind.name}: it holds"):
                encode_values(kind, [0, beyond])


def test_a_value_of_another_kind_is_refused_with_what_was_wanted() -> None:
    with pytest.raises(LocalProtocolError, match=r"1\.5 does not fit INT: it holds -32768 to 32767"):
        encode_values(INT, [1, 1.5])


def test_a_real_too_large_becomes_infinite_as_in_a_controller() -> None:
    (value,) = decode_values(REAL, encode_values(REAL, [1e300]))
    assert math.isinf(value)


def test_half_an_element_is_not_enough_data() -> None:
    with pytest.raises(CipError) as caught:
        decode_values(INT, b"\0\0\0")
    assert caught.value.general == NOT_ENOUGH_DATA


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (DINT, "12", 12),
        (DINT, " -0x1F ", -31),
        (REAL, "2.5", 2.5),
        (LREAL, "1e3", 1000.0),
        (BOOL, "TRUE", True),
        (BOOL, "0", False),
        (BOOL, "off", False),
    ],
)
def test_values_are_read_as_people_type_them(kind: Type, text: str, value: Value) -> None:
    assert parse_value(kind, text) == value


@pytest.mark.parametrize(
    ("kind", "text", "wanted"), [(UINT, "1.5", "a whole number"), (REAL, "hot", "a number"), (BOOL, "maybe", "true")]
)
def test_what_is_no_value_says_what_was_wanted(kind: Type, text: str, wanted: str) -> None:
    with pytest.raises(LocalProtocolError, match=wanted):
        parse_value(kind, text)


def values_of(kind: Type) -> st.SearchStrategy[list[Value]]:
    """Lists of values a type holds exactly."""
    single: st.SearchStrategy[Value]
    if kind is BOOL:
        single = st.booleans()
    elif isinstance(kind.low, int):
        single = st.integers(int(kind.low), int(kind.high))
    else:
        single = st.floats(width=32 if kind is REAL else 64, allow_nan=False)
    return st.lists(single, max_size=20)


@given(st.sampled_from(ELEMENTARY).flatmap(lambda kind: st.tuples(st.just(kind), values_of(kind))))
def test_what_is_encoded_decodes_to_itself(typed: tuple[Type, list[Value]]) -> None:
    kind, values = typed
    data = encode_values(kind, values)
    assert len(data) == kind.size * len(values)
    assert decode_values(kind, data) == values


@given(st.sampled_from(ELEMENTARY), st.binary(max_size=64))
def test_any_bytes_are_values_or_too_few(kind: Type, data: bytes) -> None:
    if len(data) % kind.size:
        with pytest.raises(CipError):
            decode_values(kind, data)
    else:
        assert len(decode_values(kind, data)) == len(data) // kind.size
