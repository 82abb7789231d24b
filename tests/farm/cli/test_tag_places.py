"""Tags as people name them, and where they lie on the wire."""

import pytest

from farm.cli.tag_places import address, find_place
from farm.cli.tags import shorten, tag_row
from farm.errors import FarmError
from tests.farm.cli.plants import METER, TANK


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
        ("Grid[", "wanted one like Level"),
    ],
)
def test_what_is_no_place_is_said(text: str, said: str) -> None:
    with pytest.raises(FarmError, match=said.replace("[", r"\[")):
        find_place(TANK, text)


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
        "address": "Grid[2,3] @22/1/1",
    }


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (1 / 3, "0.3333333"), ("a b", '"a b"'), ([1, 2], "1 2"), (list(range(11)), ...)]
)
def test_values_in_a_table_are_short(value: object, text: object) -> None:
    assert shorten(value) == (text if text is not ... else "0 1 2 3 4 5 6 7 8 ...")
