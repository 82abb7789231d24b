"""Register numbers: the table of the seed, its edges, and what is said of the rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.config.model import TABLES
from node.modbus.ranges import (
    BIT_TABLES,
    COILS,
    DISCRETE,
    HOLDING,
    INPUT,
    NUMBERING,
    Range,
    RangeError,
    adjoining,
    parse_range,
    parse_ranges,
    register_number,
    register_text,
    wire_address,
)


def test_the_tables_are_those_of_a_configuration() -> None:
    assert (COILS, DISCRETE, INPUT, HOLDING) == TABLES


@pytest.mark.parametrize(
    ("number", "table", "address"),
    [
        (1, COILS, 0),
        (9999, COILS, 9998),
        (10001, DISCRETE, 0),
        (19999, DISCRETE, 9998),
        (100001, DISCRETE, 0),
        (165536, DISCRETE, 65535),
        (30001, INPUT, 0),
        (39999, INPUT, 9998),
        (300001, INPUT, 0),
        (365536, INPUT, 65535),
        (40001, HOLDING, 0),
        (99999, HOLDING, 59998),
        (400001, HOLDING, 0),
        (465536, HOLDING, 65535),
    ],
)
def test_numbers_and_wire_addresses(number: int, table: str, address: int) -> None:
    assert wire_address(number) == (table, address)


@pytest.mark.parametrize("number", [0, 10000, 20000, 30000, 40000, 100000, 165537, 300000, 365537, 400000, 465537])
def test_numbers_that_name_nothing(number: int) -> None:
    with pytest.raises(RangeError, match=str(number)):
        wire_address(number)


@given(st.sampled_from([row for row in NUMBERING if row.last < 100000]), st.data())
def test_an_address_has_the_number_it_came_from(row: object, data: st.DataObject) -> None:
    assert row in NUMBERING
    index = NUMBERING.index(row)  # type: ignore[arg-type]
    number = data.draw(st.integers(NUMBERING[index].first, NUMBERING[index].last))
    assert register_number(*wire_address(number)) == number


def test_a_coil_that_has_no_number() -> None:
    with pytest.raises(RangeError, match="9999"):
        register_number(COILS, 9999)
    assert register_number(DISCRETE, 9999) == 110000


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("40001-40100=99", Range(HOLDING, 0, (99,) * 100)),
        ("10001", Range(DISCRETE, 0, (0,))),
        ("1-16=0,1", Range(COILS, 0, (0, 1) * 8)),
        ("1-3=1,0,1", Range(COILS, 0, (1, 0, 1))),
        ("40010=1,2,3", Range(HOLDING, 9, (1, 2, 3))),
        ("30001=-1,0x10", Range(INPUT, 0, (0xFFFF, 16))),
        ("465535-465536=65535", Range(HOLDING, 65534, (65535, 65535))),
        (" 40001 - 40002 = 7 ", Range(HOLDING, 0, (7, 7))),
    ],
)
def test_ranges(text: str, wanted: Range) -> None:
    assert parse_range(text) == wanted


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no register number"),
        ("x", "no register number"),
        ("-1", "no register number"),
        ("40001-", "no register number"),
        ("4\u0660001", "no register number"),
        ("4000100", "no register number"),
        ("0", "0 is no register number"),
        ("9999-10001", "beyond 9999"),
        ("99999-100001", "beyond 99999"),
        ("40002-40001", "before it starts"),
        ("40001=", "no whole number"),
        ("40001=1.5", "no whole number"),
        ("40001=65536", "does not fit"),
        ("40001=-32769", "does not fit"),
        ("1=2", "holds 0 and 1"),
        ("40001-40003=1,2", "2 values do not fill 3"),
        ("40001-40002=1,2,3", "3 values do not fill 2"),
        ("465536=1,2", "beyond 465536"),
    ],
)
def test_ranges_that_are_refused(text: str, said: str) -> None:
    with pytest.raises(RangeError, match=said) as caught:
        parse_range(text)
    assert "\n" not in str(caught.value)


@given(st.text(alphabet="0123456789-=,x ", max_size=20))
def test_any_text_is_a_range_or_a_range_error(text: str) -> None:
    try:
        found = parse_range(text)
    except RangeError:
        return
    limit = 1 if found.table in BIT_TABLES else 0xFFFF
    assert found.stop <= 65536
    assert all(0 <= value <= limit for value in found.values)


def test_a_register_given_twice() -> None:
    with pytest.raises(RangeError, match="40003 is given twice"):
        parse_ranges(["40001-40005", "400003=1"])
    assert len(parse_ranges(["40001-40005 40006", "1", "10001", "30001"])) == 5


def test_neighbours_are_joined() -> None:
    ranges = parse_ranges(["40003=3", "40001-40002=1,2", "40005=5", "1=1"])
    assert adjoining(ranges) == [Range(COILS, 0, (1,)), Range(HOLDING, 0, (1, 2, 3)), Range(HOLDING, 4, (5,))]


@pytest.mark.parametrize(
    ("table", "start", "count", "text"),
    [
        (COILS, 0, 16, "00001-00016"),
        (COILS, 9998, 1, "09999"),
        (COILS, 9998, 2, "009999-010000"),
        (COILS, 65535, 1, "065536"),
        (DISCRETE, 0, 1, "10001"),
        (DISCRETE, 9990, 20, "109991-110010"),
        (INPUT, 9999, 1, "310000"),
        (HOLDING, 10, 2, "40011-40012"),
        (HOLDING, 65534, 2, "465535-465536"),
    ],
)
def test_registers_are_written_as_a_plant_file_takes_them(table: str, start: int, count: int, text: str) -> None:
    assert register_text(table, start, count) == text
