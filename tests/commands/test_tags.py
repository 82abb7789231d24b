"""Tags as plain JSON: shown, written, refused."""

import json
import math

import pytest

from node.cip.status import CipError
from node.commands.errors import CommandError
from node.commands.tags import ASKED, LISTED, TagCommands
from node.config.load import Json
from node.config.model import SignalConfig, TagConfig
from node.controller import build_tags
from node.memory.attribute import Attribute, Value

CONFIGS = (
    TagConfig("Level", "REAL", initial=0.1, unit="%", address=(22, 1, 1)),
    TagConfig("Count", "DINT", (5,), initial=(1, 2, 3, 4, 5)),
    TagConfig("Run", "BOOL"),
    TagConfig("Name", "SSTRING", initial="pump"),
    TagConfig("Serial", "DINT", initial=7, access="read only"),
    TagConfig("Clock", "INT", signal=SignalConfig("counter", on_write="refuse")),
    TagConfig("Long", "LREAL", (ASKED + 1,)),
)


def commands(now: float = 0.0) -> TagCommands:
    return TagCommands(build_tags(CONFIGS, 0.0), CONFIGS, lambda: now)


def value(row: Json) -> Json:
    assert isinstance(row, dict)
    return row["value"]


def test_the_list_says_what_each_tag_is() -> None:
    rows = commands(9.5).list()
    assert rows[0] == {
        "name": "Level",
        "type": "REAL",
        "dimensions": [],
        "address": "@22/1/1",
        "value": 0.1,
        "unit": "%",
        "writable": True,
        "signal": None,
    }
    shown = {row["name"]: row for row in rows if isinstance(row, dict)}
    assert shown["Count"]["value"] == [1, 2, 3, 4, 5]
    assert shown["Run"]["value"] is False
    assert shown["Name"]["value"] == "pump"
    assert not shown["Serial"]["writable"]
    assert (shown["Clock"]["value"], shown["Clock"]["signal"], shown["Clock"]["writable"]) == (9, "counter", False)
    assert shown["Long"]["value"] == [0.0] * LISTED
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows


@pytest.mark.parametrize(
    ("text", "shown"), [("level", 0.1), ("Count", [1, 2, 3, 4, 5]), ("Count[3]", 4), ("COUNT[1-2]", [2, 3])]
)
def test_read(text: str, shown: Json) -> None:
    assert value(commands().read(text)) == shown


@pytest.mark.parametrize(
    ("text", "given", "shown"),
    [
        ("Level", 2, 2.0),
        ("Level", "3.25", 3.25),
        ("Level", 1e-3, 0.001),
        ("Count[2]", -5, -5),
        ("Count[2]", "0x10", 16),
        ("Count", [9, 8], [9, 8]),
        ("Count[3-4]", [9, 8], [9, 8]),
        ("Count[3]", [9, 8], [9, 8]),
        ("Run", True, True),
        ("Run", "on", True),
        ("Run", 1, True),
        ("Name", "fan", "fan"),
        ("Name", "5", "5"),
    ],
)
def test_write(text: str, given: Json, shown: Json) -> None:
    assert value(commands().write(text, given)) == shown


@pytest.mark.parametrize(
    ("text", "given", "said"),
    [
        ("Nope", 1, "there is no tag 'Nope'"),
        ("Count", 1, "Count is an array of 5; name an element, as Count[0], or give a list"),
        ("Count[5]", 1, "Count[5]: elements are 0 to 4"),
        ("Count[3-1]", 1, "elements are 0 to 4"),
        ("Count[x]", 1, "'Count[x]' names no element; wanted Count[3] or Count[3-5]"),
        ("Count[1", 1, "names no element"),
        ("Count[3]", [1, 2, 3], "3 values for 2 elements"),
        ("Count[0-2]", [1], "1 values for 3 elements"),
        ("Count[0]", 2**31, "does not fit DINT; wanted -2147483648 to 2147483647"),
        ("Count[0]", 1.5, "1.5 does not fit DINT"),
        ("Count[0]", "abc", "'abc' does not fit DINT"),
        ("Count[0]", {}, "{} is no value of DINT"),
        ("Run", "maybe", "'maybe' does not fit BOOL"),
        ("Name", 5, "5 does not fit SSTRING; wanted a text"),
        ("Name", "x" * 256, "wanted a text of at most 255"),
        ("Serial", 1, "Serial: may not be written"),
        ("Clock", 1, "Clock: its signal refuses writes"),
    ],
)
def test_what_cannot_be_written_is_said_in_a_line(text: str, given: Json, said: str) -> None:
    tags = commands()
    before = tags.list()
    with pytest.raises(CommandError) as caught:
        tags.write(text, given)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert tags.list() == before


def test_a_huge_array_is_asked_for_in_parts() -> None:
    with pytest.raises(CommandError, match=rf"Long: {ASKED + 1} elements; ask for at most {ASKED}"):
        commands().read("Long")
    part = value(commands().read(f"Long[1-{ASKED}]"))
    assert isinstance(part, list)
    assert len(part) == ASKED


def test_a_float_that_is_no_number_is_null() -> None:
    table = build_tags(CONFIGS, 0.0)
    level = table.by_name("Level")
    assert level is not None
    level[0] = math.nan
    assert value(TagCommands(table, CONFIGS, lambda: 0.0).read("Level")) is None


class Broken:
    """A gate that admits nobody."""

    def admit(self, attribute: Attribute, now: float, start: int, stop: int, writing: bool) -> None:
        raise CipError(0x08)

    def shown(self, attribute: Attribute, now: float, start: int, values: list[Value]) -> list[Value]:
        return values


def test_a_tag_in_error_is_listed_with_its_error() -> None:
    table = build_tags(CONFIGS, 0.0)
    level = table.by_name("Level")
    assert level is not None
    level.gate = Broken()  # type: ignore[assignment]
    rows = TagCommands(table, CONFIGS, lambda: 0.0).list()
    assert isinstance(rows[0], dict)
    assert rows[0]["value"] is None
    assert "service not supported" in str(rows[0]["error"])
