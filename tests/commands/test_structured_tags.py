"""Structures, members, bits and aliases as plain JSON: shown, written, refused."""

import json

import pytest

from node.commands import forces as forces_module
from node.commands.errors import CommandError
from node.commands.forces import ForceCommands
from node.commands.tags import TagCommands
from node.config.load import Json
from node.config.model import MemberConfig, PartConfig, SignalConfig, TagConfig, TypeConfig
from node.config.structures import build_templates
from node.tag_memory import build_tags

TEMPLATES = build_templates(
    (
        TypeConfig("S8", string=8),
        TypeConfig("Pump", (MemberConfig("Speed", "REAL"), MemberConfig("Run", "BOOL"), MemberConfig("Name", "S8"))),
        TypeConfig("Line", (MemberConfig("Pumps", "Pump", 2), MemberConfig("Bits", "BOOL", 33))),
    )
)
PUMP: dict[str, Json] = {"Speed": 0.5, "Run": False, "Name": "P-1"}

CONFIGS = (
    TagConfig("P", "Pump", unit="-", address=(22, 1, 1), parts=(PartConfig("Speed", 0.5), PartConfig("Name", "P-1"))),
    TagConfig("L", "Line", (2,), parts=(PartConfig("[1].Pumps[0].Speed", 0.1),)),
    TagConfig("Flags", "BOOL", (40,), packed=True, parts=(PartConfig("[37]", True),)),
    TagConfig("Word", "DINT", initial=5),
    TagConfig("Grid", "INT", (2, 3), initial=(1, 2, 3, 4, 5, 6)),
    TagConfig("Other", "REAL", alias="L[1].Pumps[0].Speed", unit="rpm"),
    TagConfig("Program:Main.T", "TIMER"),
    TagConfig("Secret", "INT", access="none"),
    TagConfig("Fixed", "Pump", constant=True),
    TagConfig("Moving", "Pump", parts=(PartConfig("Speed", signal=SignalConfig("ramp", on_write="refuse")),)),
)


def commands() -> TagCommands:
    return TagCommands(build_tags(CONFIGS, 0.0, TEMPLATES), CONFIGS, lambda: 0.0, TEMPLATES)


def value(row: Json) -> Json:
    assert isinstance(row, dict)
    return row["value"]


def test_the_list_has_all_of_them() -> None:
    rows = commands().list()
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows
    shown = {row["name"]: row for row in rows if isinstance(row, dict)}
    assert list(shown) == [config.name for config in CONFIGS]
    assert shown["P"] == {
        "name": "P",
        "type": "Pump",
        "dimensions": [],
        "address": "@22/1/1",
        "value": PUMP,
        "unit": "-",
        "writable": True,
        "signal": None,
    }
    assert (shown["Flags"]["type"], shown["Flags"]["dimensions"]) == ("BOOL", [40])
    assert (shown["Other"]["value"], shown["Other"]["unit"]) == (0.1, "rpm")
    assert shown["Secret"]["value"] is None and "no access" in str(shown["Secret"]["error"])
    assert [name for name, row in shown.items() if not row["writable"]] == ["Secret", "Fixed", "Moving"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("P", PUMP),
        ("p.name", "P-1"),
        ("L[1].Pumps[0].Speed", 0.1),
        ("L[1].Pumps", [{"Speed": 0.1, "Run": False, "Name": ""}, {"Speed": 0.0, "Run": False, "Name": ""}]),
        ("L[0-1].Bits[3]", None),
        ("L[1].Bits[32]", False),
        ("Flags[37]", True),
        ("Flags[36-38]", [False, True, False]),
        ("Word.0", True),
        ("Word.1", False),
        ("Grid[1,2]", 6),
        ("Grid[5]", 6),
        ("Other", 0.1),
        ("program:main.t.pre", 0),
    ],
)
def test_read(text: str, shown: Json) -> None:
    if shown is None:
        with pytest.raises(CommandError):
            commands().read(text)
    else:
        assert value(commands().read(text)) == shown


@pytest.mark.parametrize(
    ("text", "given", "shown"),
    [
        ("P.Speed", "3.25", 3.25),
        ("P", {"Speed": 7}, {**PUMP, "Speed": 7.0}),
        ("P", {"run": "on", "Name": "x"}, {**PUMP, "Run": True, "Name": "x"}),
        ("P.Name", "fan", "fan"),
        ("L[0].Pumps[1].Run", True, True),
        ("L[0]", {"Bits": [True] * 33}, None),
        ("Flags[3]", True, True),
        ("Flags[31-32]", [1, "true"], [True, True]),
        ("Word.31", True, True),
        ("Grid[1,0]", 9, 9),
        ("Other", 2, 2.0),
        ("Moving.Run", True, True),
    ],
)
def test_write(text: str, given: Json, shown: Json) -> None:
    tags = commands()
    written = value(tags.write(text, given))
    assert written == value(tags.read(text))
    if shown is not None:
        assert written == shown
    else:
        assert isinstance(written, dict) and written["Bits"] == [True] * 33


def test_an_error_and_a_force_are_of_a_place_whatever_it_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    tags = commands()
    forces = ForceCommands(tags, lambda: None)
    assert forces.run("L[1].Pumps[0].Speed/error", 8) == forces.run("Other/error") == 8
    assert tags.read("Other")["value"] == tags.read("L[1].Pumps[0].Speed")["value"]  # type: ignore[call-overload,index]
    assert forces.run("other/error", 0) == forces.run("L[1].Pumps[0].Speed/error") == 0
    monkeypatch.setattr(forces_module, "MOST", 1)
    forces.run("Other/force", 5)
    forces.run("L[1].Pumps[0].Speed/force", 6)
    assert (forces.count, tags.value("Other")) == (1, 6)
    with pytest.raises(CommandError, match="1 places are forced"):
        forces.run("L[1].Pumps[1].Speed/force", 6)
    assert forces.run("Other/release") == 1


def test_a_bit_is_one_of_its_word_and_an_alias_is_what_it_names() -> None:
    tags = commands()
    tags.write("Word.31", True)
    assert value(tags.read("Word")) == 5 - 2**31
    tags.write("Other", 4)
    assert value(tags.read("L[1].Pumps[0].Speed")) == 4.0


@pytest.mark.parametrize(
    ("text", "given", "said"),
    [
        ("P.Sped", 1, "P.Sped: Pump has no member 'Sped'; did you mean Speed?"),
        ("P", 5, "P: 5 does not fit Pump; wanted a value for each member by itself"),
        ("P", {"Sped": 5}, "P: Pump has no member 'Sped'; it has Speed, Run, Name"),
        ("P", {"Speed": "fast"}, "P.Speed: 'fast' does not fit REAL"),
        ("P.Name", "x" * 9, "does not fit S8; wanted a text of at most 8"),
        ("L[0]", {"Bits": [True]}, "L[0].Bits: [True] where a list of 33 was wanted"),
        ("L[0]", {"Pumps": [{"Speed": 1}, {"Speed": "x"}]}, "Pumps[1].Speed: 'x' does not fit REAL"),
        ("L.Bits", True, "an index is missing"),
        ("Flags[40]", True, "Flags[40]: elements are 0 to 39"),
        ("Word.32", True, "DINT has bits 0 to 31"),
        ("Fixed.Speed", 1, "Fixed.Speed: may not be written"),
        ("Moving.Speed", 1, "Moving.Speed: its signal refuses writes"),
        ("Moving", {"Run": True}, "Moving: its signal refuses writes"),
        ("Secret", 1, "Secret: "),
    ],
)
def test_what_cannot_be_written_is_said_in_a_line(text: str, given: Json, said: str) -> None:
    tags = commands()
    before = tags.list()
    with pytest.raises(CommandError) as caught:
        tags.write(text, given)
    assert said in str(caught.value) and "\n" not in str(caught.value)
    assert tags.list() == before
