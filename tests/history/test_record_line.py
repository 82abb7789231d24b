"""A line of a history and the record that it is, both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.history.record_line import Record, RecordError, comment_line, decode, encode

VECTORS = [
    ("values", '2023-11-14 22:13:21.010\tnull\t{"40002": 1}', Record(1700000001.01, None, {"40002": 1})),
    (
        "several, of all kinds",
        '2023-11-14 22:13:20.000\tnull\t{"a": -1.5, "b": true, "c": "x\\ty\\u00e9", "d": [1, null], '
        '"e": {"f": 2}, "g": 3}',
        Record(1700000000.0, None, {"a": -1.5, "b": True, "c": "x\tyé", "d": [1, None], "e": {"f": 2}, "g": 3}),
    ),
    (
        "an access",
        '2014-07-15 22:03:44.186\t["Tag_Name", [0, 3]]\t{"write": [0, 1, 2, 3]}',
        Record(1405461824.186, ["Tag_Name", [0, 3]], {"write": [0, 1, 2, 3]}),
    ),
    ("a note", '2014-07-15 22:03:44.186\tnull\t"serviced"', Record(1405461824.186, None, "serviced")),
    ("nothing", "2014-07-15 22:03:44.186\tnull\t{}", Record(1405461824.186, None, {})),
    ("before 1970", '1969-12-31 23:59:59.999\tnull\t{"a": 0}', Record(-0.001, None, {"a": 0})),
]


@pytest.mark.parametrize(("line", "record"), [case[1:] for case in VECTORS], ids=[case[0] for case in VECTORS])
def test_a_line_is_a_record(line: str, record: Record) -> None:
    assert encode(record) == line + "\n"
    assert decode(line + "\n") == record
    assert decode(line) == record
    assert decode(line.replace("\t", "  ", 1).replace("\t", " \t ", 1) + " \r\n") == record


@pytest.mark.parametrize(("line", "record"), [case[1:] for case in VECTORS], ids=[case[0] for case in VECTORS])
def test_a_line_that_breaks_off_is_no_record(line: str, record: Record) -> None:
    for size in range(1, len(line)):
        with pytest.raises(RecordError):
            decode(line[:size])


def test_the_manual_s_lines_are_read() -> None:
    """As its section 2.1.3 prints them."""
    assert decode("# 2014-07-15 22:03:35.945: Started recording Tag: Tag_Name") is None
    record = decode('2014-07-15 22:03:44.186 ["Tag_Name", [0, 3]]      {"write": [0, 1, 2, 3]}')
    assert record == VECTORS[2][2]


def test_numbers_of_registers_are_names() -> None:
    assert encode(Record(1700000001.01, None, {40002: 1})) == VECTORS[0][1] + "\n"


@pytest.mark.parametrize("line", ["", "\n", "  \t\n", "# 2014-07-15 22:03:35.945: hello", "#"])
def test_comments_and_blanks_are_nothing(line: str) -> None:
    assert decode(line) is None


def test_a_comment_is_one_line() -> None:
    line = comment_line(1405461815.945, "Started recording\n2014-07-15 22:03:44.186\tnull\t{}")
    assert line == "# 2014-07-15 22:03:35.945: Started recording 2014-07-15 22:03:44.186 null {}\n"
    assert decode(line) is None


@pytest.mark.parametrize(
    "line",
    [
        "2014-07-15 22:03:44.186",
        "2014-07-15 22:03:44.186\tnull",
        "2014-07-15 22:03:44.186\tnull\tnull",
        "2014-07-15 22:03:44.186\tnull\t5",
        "2014-07-15 22:03:44.186\tnull\t[1]",
        "2014-07-15 22:03:44.186\tnull\t{} {}",
        "2014-07-15 22:03:44.186\tnull\t{}}",
        "2014-13-15 22:03:44.186\tnull\t{}",
        "2014-02-30 22:03:44.186\tnull\t{}",
        "2014-07-15 24:03:44.186\tnull\t{}",
        "2014-07-15 22:03:60.186\tnull\t{}",
        "2014-07-15T22:03:44.186\tnull\t{}",
        "2014-07-15 22:03:44.1867\tnull\t{}",
        "x2014-07-15 22:03:44.186\tnull\t{}",
        "2014-07-15 22:03:44.186\tnull\t" + "[" * 100_000,
        "2014-07-15 22:03:44.186\tnull\t{'a': 1}",
        "\0" * 100,
    ],
)
def test_what_is_no_record_is_refused(line: str) -> None:
    with pytest.raises(RecordError):
        decode(line)


@pytest.mark.parametrize("data", [{"a": b"bytes"}, {"a": object()}, {"a": {1, 2}}])
def test_what_json_has_no_words_for_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(RecordError, match="cannot be written"):
        encode(Record(0.0, None, data))
    with pytest.raises(RecordError, match="cannot be written"):
        encode(Record(1e15, None, {}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(st.integers(-(10**12), 10**14), JSON, st.dictionaries(st.text(), JSON, max_size=7) | st.text())
def test_records_come_back_as_they_went(millisecond: int, serial: object, data: object) -> None:
    record = Record(millisecond / 1000, serial, data)
    line = encode(record)
    assert line.count("\n") == 1
    assert decode(line) == record


@given(st.text())
def test_no_text_is_worse_than_no_record(text: str) -> None:
    try:
        found = decode(text)
    except RecordError:
        return
    assert found is None or isinstance(found, Record)
