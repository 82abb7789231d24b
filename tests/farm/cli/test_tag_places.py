"""Tags as people name them, and where they lie on the wire."""

from dataclasses import replace

import pytest

from farm.cli.read import lines
from farm.cli.tag_places import Word, address, find_place
from farm.cli.tags import shorten, tag_row
from farm.errors import FarmError
from node.config.model import TagConfig
from tests.farm.cli.plants import LINE, METER, TANK


@pytest.mark.parametrize(
    ("text", "path", "count"),
    [("Level", "Level", 1), ("level", "Level", 1), ("Grid", "Grid[0,0]", 6), ("Grid[4]", "Grid[1,1]", 1)],
)
def test_a_place_is_a_path_and_a_count(text: str, path: str, count: int) -> None:
    place = find_place(TANK, text)
    assert (place.path, place.count) == (path, count)


def test_a_range() -> None:
    place = find_place(TANK, "Grid[2-4]")
    assert (place.first, place.count) == (2, 3)
    assert find_place(TANK, "Grid[2]", 3) == place


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Lev", "tank has no tag 'Lev'; `farm tags tank` lists them"),
        ("Grid[6]", "Grid has elements 0 to 5"),
        ("Grid[3-2]", "Grid has elements 0 to 5"),
        ("Grid[", "wanted indices as [3]"),
        ("Level.Speed", "REAL has no members"),
        ("Level.3", "REAL has no bits"),
    ],
)
def test_what_is_no_place_is_said(text: str, said: str) -> None:
    with pytest.raises(FarmError, match=said.replace("[", r"\[")):
        find_place(TANK, text)


@pytest.mark.parametrize(
    ("text", "path", "count", "kind"),
    [
        ("M", "M[0]", 3, "Motor"),
        ("m[1]", "M[1]", 1, "Motor"),
        ("M[1].Speed", "M[1].Speed", 1, "REAL"),
        ("M[2].run", "M[2].Run", 1, "BOOL"),
        ("Program:Main.T", "Program:Main.T", 1, "TIMER"),
        ("program:main.t.ACC", "Program:Main.T.ACC", 1, "DINT"),
        ("Go", "Go", 1, "BOOL"),
        ("Grid[1,2]", "Grid[1,2]", 1, "DINT"),
    ],
)
def test_what_is_within_a_tag(text: str, path: str, count: int, kind: str) -> None:
    place = find_place(TANK if text.startswith("Grid") else LINE, text)
    assert (place.path, place.count, place.spot.kind.name, place.words) == (path, count, kind, ())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Flags", (Word("Flags[0]", range(32), 4), Word("Flags[1]", range(8), 4))),
        ("Flags[37]", (Word("Flags[1]", range(5, 6), 4),)),
        ("Flags[30-33]", (Word("Flags[0]", range(30, 32), 4), Word("Flags[1]", range(2), 4))),
        ("M[2].Bits[39]", (Word("M[2].Bits[1]", range(7, 8), 4),)),
        ("Word.3", (Word("Word", range(3, 4), 1),)),
        ("Word.63", (Word("Word", range(63, 64), 8),)),
    ],
)
def test_bits_are_bits_of_words(text: str, words: tuple[Word, ...]) -> None:
    assert find_place(LINE, text).words == words


def test_addresses_to_paste_into_a_client() -> None:
    assert [address(TANK, tag) for tag in TANK.tags] == ["Level", "Grid[2,3] @22/1/1"]
    assert [address(METER, tag) for tag in METER.tags] == ["40001-40004/1 30009-30010/2", "00001/1"]


def test_a_tag_for_scripts() -> None:
    row = {
        "node": "tank",
        "name": "Grid",
        "type": "DINT",
        "value": [0] * 6,
        "dimensions": [2, 3],
        "address": [22, 1, 1],
    }
    assert tag_row(row, {"tank": TANK}) == {
        "node": "tank",
        "name": "Grid",
        "type": "DINT[2,3]",
        "value": [0] * 6,
        "unit": "",
        "address": "Grid[2,3] @22/1/1",
        "source": "",
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (1 / 3, "0.3333333"),
        ("a b", '"a b"'),
        ([1, 2], "1 2"),
        (list(range(11)), ...),
        (None, "-"),
        ({"Speed": 1.5, "Run": True, "Hours": [0, 7]}, "Speed=1.5 Run=true Hours=(0 7)"),
        ([{"A": 1}, {"A": 2}], "(A=1) (A=2)"),
        ({"A" * 30: 1, "B" * 30: 2}, f"{'A' * 30}=1 ..."),
    ],
)
def test_values_in_a_table_are_short(value: object, text: object) -> None:
    assert shorten(value) == (text if text is not ... else "0 1 2 3 4 5 6 7 8 ...")


def test_a_structure_is_one_member_a_line() -> None:
    motor = {"Speed": 1.5, "Hours": [0, 7], "Pump": {"Run": True}}
    assert lines([motor]) == "Speed     1.5\nHours     0 7\nPump.Run  true"
    assert lines([{"A": 1}, {"A": [{"B": "x"}]}]) == "[0].A       1\n[1].A[0].B  x"
    assert lines([1, True, "a b"]) == "1\ntrue\na b"


def test_data_files_are_reached_as_such() -> None:
    tags = (
        TagConfig("N7", "INT", (100,)),
        TagConfig("S2", "INT", (66,)),
        TagConfig("L9", "DINT"),
        TagConfig("X", "INT"),
    )
    node = replace(TANK, profile="1766-L32BXB", tags=tags)
    assert [address(node, tag) for tag in node.tags] == ["N7:0-99", "S:0-65", "L9:0", ""]
