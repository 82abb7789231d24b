"""Paths within a tag, and what lies at their ends."""

from collections.abc import Sequence

import pytest

from node.cip.epath import Class, Element, Segment, Symbolic
from node.cip.predefined import STRING, TIMER
from node.cip.status import CipError
from node.cip.text import SSTRING
from node.cip.types import BOOL, DINT, REAL, SINT
from node.errors import NodeError
from node.memory.attribute import Attribute, Value
from node.memory.place import Place, follow, follow_from
from node.memory.text_attribute import create_attribute
from tests.memory.structures import LINE, MOTOR, line, motor


def path(*parts: str | int) -> list[Segment]:
    """Names and indexes as segments."""
    return [Symbolic(part) if isinstance(part, str) else Element(part) for part in parts]


def lines() -> Attribute:
    """Lines[2,3] of two motors; the speed of motor m of line i, j is 100 i + 10 j + m."""
    values: list[Value] = [
        line(motor(100 * i + 10 * j), motor(100 * i + 10 * j + 1, label="m"), ident=i)
        for i in range(2)
        for j in range(3)
    ]
    return create_attribute(LINE, (2, 3), values, "Lines")


PLACES: dict[str, tuple[list[Segment], str, Value | list[Value]]] = {
    "nothing more": ([], "Lines", []),
    "a member": (path(1, 2, "Id"), "Lines[1,2].Id", [1]),
    "in any case": (path(1, 2, "ID"), "Lines[1,2].Id", [1]),
    "of an array that is not indexed": (path("Motors", 1, "Speed"), "Lines[0,0].Motors[1].Speed", [1.0]),
    "nested": (path(1, 2, "Motors", 1, "Speed"), "Lines[1,2].Motors[1].Speed", [121.0]),
    "a nested array that is not indexed": (path(1, 2, "Motors", "Speed"), "Lines[1,2].Motors[0].Speed", [120.0]),
    "a nested structure": (path(0, 1, "Motors", 1), "Lines[0,1].Motors[1]", [motor(11.0, label="m")]),
    "an array": (path(0, 0, "Motors", 0, "History"), "Lines[0,0].Motors[0].History", [0, 0, 0]),
    "a string": (path(0, 0, "Motors", 1, "Label"), "Lines[0,0].Motors[1].Label", ["m"]),
    "its length": (path(0, 0, "Motors", 1, "Label", "LEN"), "Lines[0,0].Motors[1].Label.LEN", [1]),
    "its characters": (
        path(0, 0, "Motors", 1, "Label", "DATA"),
        "Lines[0,0].Motors[1].Label.DATA",
        [0x6D, 0, 0, 0, 0, 0],
    ),
    "one of them": (path(0, 0, "Motors", 1, "Label", "DATA", 0), "Lines[0,0].Motors[1].Label.DATA[0]", [0x6D]),
    "a BOOL": (path(0, 0, "Motors", 1, "Run"), "Lines[0,0].Motors[1].Run", [False]),
    "packed BOOLs": (path("Motors", "Flags"), "Lines[0,0].Motors[0].Flags", [0, 0]),
    "a bit of a number": (path(1, 0, "Id", "0"), "Lines[1,0].Id.0", [True]),
    "element 0 of a number": (path(1, 0, "Id", 0), "Lines[1,0].Id", [1]),
}


@pytest.mark.parametrize("case", PLACES)
def test_a_path_leads_to_a_place(case: str) -> None:
    segments, name, values = PLACES[case]
    tag = lines()
    place = follow(tag, segments)
    assert place.name == name
    if segments:
        assert place.attribute[place.start : place.stop] == values
    else:
        assert (place.attribute, place.start, place.stop, place.indexed) == (tag, 0, 6, False)


WRONG: dict[str, tuple[list[Segment], int, int]] = {
    "an unknown member": (path(0, 0, "Nothing"), 0x04, 0),
    "a hidden member": (path("Motors", "ZZZZZZZZZZMotor0"), 0x04, 0),
    "a member of a number": (path("Id", "Speed"), 0x04, 0),
    "a bit past the end": (path("Id", "8"), 0x04, 0),
    "a bit far past the end": (path("Id", "9" * 5000), 0x04, 0),
    "a bit of a float": (path("Motors", "Speed", "0"), 0x04, 0),
    "a bit of a BOOL": (path("Motors", "Run", "0"), 0x04, 0),
    "a bit of a structure": (path(0, 0, "0"), 0x04, 0),
    "too few indexes": (path(1, "Id"), 0x04, 0),
    "too many indexes": (path(1, 1, 1), 0x04, 0),
    "an index of a scalar": (path("Id", 1), 0xFF, 0x2105),
    "an index past the end": (path(1, 3, "Id"), 0xFF, 0x2105),
    "a nested index past the end": (path("Motors", 2, "Run"), 0xFF, 0x2105),
    "neither name nor index": ([Class(1)], 0x04, 0),
}


@pytest.mark.parametrize("case", WRONG)
def test_paths_that_lead_nowhere(case: str) -> None:
    segments, general, extended = WRONG[case]
    with pytest.raises(CipError) as caught:
        follow(lines(), segments)
    assert (caught.value.general, caught.value.extended) == (general, (extended,))


def test_a_text_has_no_members() -> None:
    with pytest.raises(CipError):
        follow(create_attribute(SSTRING, (), "x"), path("LEN"))


def test_a_string_tag_has_its_members() -> None:
    tag = create_attribute(STRING, (2,), ["ab", "c"], "Names")
    assert follow(tag, path(0, "LEN")).attribute[0] == 2
    place = follow(tag, path(1, "DATA", 1))
    place.attribute.write(place.start, [0x64])
    assert tag[1] == "c"
    follow(tag, path(1, "LEN")).attribute[0] = 2
    assert tag[1] == "cd"


def test_a_path_goes_on_from_a_place() -> None:
    place = follow(lines(), path(1, 2))
    assert follow_from(place, path("Id")).attribute[0] == 1
    assert follow_from(place, path(0)).start == 5
    with pytest.raises(CipError):
        follow_from(place, path(1))


@pytest.mark.parametrize(
    ("tag", "segments", "name", "value"),
    [
        (create_attribute(DINT, (2, 3), range(6), "T"), path(1, 2), "T[1,2]", 5),
        (create_attribute(STRING, (3,), ["a", "b", "c"], "T"), path(1), "T[1]", "b"),
        (create_attribute(BOOL, (70,), [False] * 69 + [True], "T", packed=True), path(2), "T[2]", 32),
        (create_attribute(SINT, (), 4, "T"), path("2"), "T.2", True),
        (create_attribute(SINT, (), 4, "T"), [], "T", 4),
        (lines(), path(1, 0, "Motors", 1), "Lines[1,0].Motors[1]", motor(101.0, label="m")),
    ],
    ids=["element", "structure", "word", "bit", "whole", "member"],
)
def test_a_place_stands_alone(tag: Attribute, segments: Sequence[Segment], name: str, value: Value) -> None:
    alone = follow(tag, segments).alone()
    assert (alone.name, alone.dimensions, alone[:]) == (name, (), [value])


def test_the_last_word_of_packed_bools_alone_has_what_is_left() -> None:
    tag = create_attribute(BOOL, (70,), [False] * 69 + [True], "T", packed=True)
    alone = follow(tag, path(2)).alone()
    assert (alone.bits, alone.unpacked[:]) == (6, [False] * 5 + [True])


def test_a_flag_stands_alone() -> None:
    tag = create_attribute(BOOL, (70,), [False] * 69 + [True], "T", packed=True)
    alone = Place(tag.unpacked, 69, True).alone()
    alone[0] = False
    assert (alone.name, tag[:]) == ("T[69]", [0, 0, 0])


def test_one_text_of_several_cannot_stand_alone() -> None:
    tag = create_attribute(SSTRING, (2,), "x", "T")
    with pytest.raises(NodeError, match=r"T\[1\]: one SSTRING of several"):
        follow(tag, path(1)).alone()


def test_names_are_given_to_what_is_within() -> None:
    timer = create_attribute(TIMER, (), None, "Timer")
    assert follow(timer, path("dn")).attribute.name == "Timer.DN"
    assert follow(timer, path("ACC", "3")).attribute.name == "Timer.ACC.3"
    assert follow(create_attribute(REAL, (2,), None, "R"), path(1)).name == "R[1]"
    assert follow(create_attribute(MOTOR, (), None, "M"), path("Flags", 1)).name == "M.Flags[1]"
