"""Histories as tables and drawings."""

from node.history.plot import plot
from node.history.record_line import Record
from node.history.table import accesses_of, names_of, rows_of

RECORDS = [
    Record(1.0, None, {"a": 1, "b": True, "c": None}),
    Record(1.0, None, {"a": 2}),
    Record(2.0, ["a", [0, 3]], {"write": [1, 2, 3, 4]}),
    Record(2.0, None, "a note"),
    Record(3.0, None, {"b": False, "d": [1]}),
    Record(4.0, None, {"a": 2.5, "e": "x", "f": 1}),
    Record(5.0, None, {"f": "one"}),
]


def test_a_column_has_the_type_that_holds_all_its_values() -> None:
    assert names_of(RECORDS) == {"a": float, "b": bool, "c": bool, "d": str, "e": str, "f": str}


def test_a_row_has_the_last_value_of_everything() -> None:
    assert [*rows_of(RECORDS, ["b", "a", "f"])] == [
        (1.0, [True, 2, None]),
        (3.0, [False, 2, None]),
        (4.0, [False, 2.5, 1]),
        (5.0, [False, 2.5, "one"]),
    ]
    assert [*rows_of(RECORDS, ["d"])] == [(3.0, [[1]])]
    assert [*rows_of([], ["d"])] == []


def test_accesses_that_others_wrote_are_understood_as_far_as_may_be() -> None:
    records = [
        RECORDS[2],
        Record(3.0, ["a", [5, 5]], {"read": None, "error": 8, "peer": "x"}),
        Record(4.0, "tag", {"set": 1}),
        Record(5.0, 17, {}),
        Record(6.0, ["a", "b"], {"write": 1}),
    ]
    assert [tuple(access) for access in accesses_of(records)] == [
        (2.0, "a", 0, 3, "write", [1, 2, 3, 4], None, None),
        (3.0, "a", 5, 5, "read", None, 8, "x"),
        (4.0, "tag", None, None, "set", 1, None, None),
        (5.0, "17", None, None, "", None, None, None),
        (6.0, "a", None, None, "write", 1, None, None),
    ]


def test_a_drawing_has_steps_and_axes() -> None:
    assert plot("Valve", [0.0, 30.0, 60.0], [0, 10, 10], 40, height=3) == [
        "Valve",
        " 10.0 ┤" + "⠀" * 16 + "⡏" + "⠉" * 16,
        "  5.0 ┤" + "⠀" * 16 + "⡇",
        "  0.0 ┤" + "⣀" * 16 + "⡇",
        "      └" + "─" * 33,
        "       1970-01-01 00:00:00      00:01:00",
    ]


def test_what_has_no_height_or_length_is_drawn_all_the_same() -> None:
    flat = plot("a", [0.0, 60.0], [7, 7], 60)
    assert (flat[1].split()[0], flat[12].split()[0]) == ("7.70", "6.30")
    one = plot("a", [0.0], [7], 60)
    assert len(one) == len(flat) == 15
    assert plot("a", [0.0], [float("nan")], 60) == ["a: nothing to be drawn"]
    assert plot("a", [], [], 60) == ["a: nothing to be drawn"]
    assert len(plot("a", [0.0, 1.0], [-1e300, 1e300], 20)) == 15
    assert len(plot("a", [0.0, 1.0], [1e-300, 2e-300], 20)) == 15
