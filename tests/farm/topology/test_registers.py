"""Register keys: the one rule, at its limits, and what is said where it is broken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.topology.document import Scalar, Source
from farm.topology.registers import RegisterKey, number, tag_name
from farm.topology.scalars import BadValueError

TABLES = ("coils", "discrete", "input", "holding")


def read(table: str, text: str) -> tuple[int, int | None]:
    return RegisterKey(table).read(Scalar(text, False, Source("plant.yaml"), 1, 1))


@pytest.mark.parametrize(
    ("table", "text", "wanted"),
    [
        ("holding", "40001", (0, None)),
        ("holding", "400001", (0, None)),
        ("holding", "40001-40010", (0, 10)),
        ("holding", "99999", (59998, None)),
        ("holding", "465536", (65535, None)),
        ("holding", "@0", (0, None)),
        ("holding", "@40000-40010", (40000, 11)),
        ("holding", "@10-@11", (10, 2)),
        ("input", "30001-39999", (0, 9999)),
        ("input", "365536", (65535, None)),
        ("discrete", "10001", (0, None)),
        ("discrete", "165536", (65535, None)),
        ("coils", "00001-00008", (0, 8)),
        ("coils", "09999", (9998, None)),
        ("coils", "065536", (65535, None)),
    ],
)
def test_both_ways_of_counting(table: str, text: str, wanted: tuple[int, int | None]) -> None:
    assert read(table, text) == wanted


@pytest.mark.parametrize(
    ("table", "text", "message", "hint"),
    [
        ("holding", "0", "could be a register number or a wire address", '"40001" or "@0" for wire address 0'),
        ("coils", "10", "could be a register number or a wire address", '"00011" or "@10" for wire address 10'),
        ("holding", "30001", "is no register number of 'holding'", "that is one of 'input'"),
        ("input", "400001", "is no register number of 'input'", "that is one of 'holding'"),
        ("holding", "40000", "is no register number", ""),
        ("input", "40000", "is no register number", ""),
        ("coils", "00000", "is no register number", ""),
        ("holding", "@65536", "is beyond wire address 65535", ""),
        ("holding", "40010-40001", "runs backwards", "write the lower one first"),
        ("holding", "40001-@9", "mixes both ways of counting", '"40001-40010" or "@0-9"'),
        ("holding", "forty", "is no register", '"40001-40010" or "@0-9"'),
        ("holding", "40001-", "is no register", ""),
    ],
)
def test_what_is_refused(table: str, text: str, message: str, hint: str) -> None:
    with pytest.raises(BadValueError) as caught:
        read(table, text)
    assert caught.value.message.startswith(message)
    assert hint in caught.value.hint
    assert caught.value.code == "F060"


@given(st.sampled_from(TABLES), st.integers(0, 65535))
def test_numbers_and_wire_addresses_are_each_others_inverse(table: str, wire: int) -> None:
    assert read(table, number(table, wire)) == (wire, None) == read(table, f"@{wire}")
    assert tag_name(table, wire)[2:] == number(table, wire)


@given(st.sampled_from(TABLES), st.text(max_size=20))
def test_any_text_is_a_key_or_a_bad_value(table: str, text: str) -> None:
    try:
        start, count = read(table, text)
    except BadValueError:
        return
    assert 0 <= start <= 65535 and (count is None or start + count <= 65536)
