"""Which nodes something is about."""

import pytest

from farm.errors import FarmError
from farm.supervisor.selection import SelectionError, choose, parse_where, share, where

ROWS = [
    {"name": "pump-1", "kind": "logix", "condition": "up", "group": "pump", "level": 1.0, "networks": ["cell", "dmz"]},
    {"name": "pump-2", "kind": "logix", "condition": "down", "group": "pump", "level": 1.0, "networks": ["cell"]},
    {"name": "meter", "kind": "modbus", "condition": "up", "group": "", "level": None, "networks": []},
]


def test_names_and_patterns_are_in_the_order_of_the_farm() -> None:
    assert choose(ROWS, ["meter", "pump-*"], "works") == ["pump-1", "pump-2", "meter"]
    with pytest.raises(FarmError, match="there is no node 'pumpe-1' in works") as caught:
        choose(ROWS, ["pumpe-1"], "works")
    assert caught.value.hint == "did you mean 'pump-1'?"


def test_fields_are_those_of_a_row() -> None:
    assert [row["name"] for row in where(ROWS, parse_where(["condition=up,group=pump"]))] == ["pump-1"]
    assert [row["name"] for row in where(ROWS, parse_where(["level=1", "network=dmz"]))] == ["pump-1"]
    with pytest.raises(SelectionError, match=r"colour=red: wanted FIELD=VALUE, with a field of name,"):
        parse_where(["colour=red"])


def test_a_share_is_the_same_for_one_seed_and_at_least_one() -> None:
    names = [f"pump-{number}" for number in range(200)]
    tenth = share(names, 10, 3)
    assert tenth == share(names, 10, 3)
    assert (len(tenth), tenth) == (20, sorted(tenth, key=names.index))
    assert share(names, 10, 4) != tenth
    assert len(share(names, 0.1, 0)) == 1
    assert share(names, 100, 0) == names
    assert share([], 10, 0) == []
    for percent in (0, -1, 100.5, float("nan")):
        with pytest.raises(SelectionError, match="per cent of the nodes: wanted above 0"):
            share(names, percent, 0)
