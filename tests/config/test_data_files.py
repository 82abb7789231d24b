"""Tags that are data files: their name and their type must go together."""

from dataclasses import replace

import pytest

from node.config.check import problems
from node.config.data_files import data_file_problems
from node.config.model import EnipConfig, ModbusConfig, NodeConfig, RegisterBlock, TagConfig, UnitConfig
from node.config.schema import identity
from node.controller import Controller

MICROLOGIX = NodeConfig(
    "ml-1",
    "logix",
    "1766-L32BXB",
    "127.64.0.9",
    tags=(
        TagConfig("N7", "INT", (100,), initial=5),
        TagConfig("B3", "WORD", (16,)),
        TagConfig("F8", "REAL", (10,)),
        TagConfig("T4", "SLC_TIMER", (8,)),
        TagConfig("ST9", "SLC_STRING", (5,), initial="text"),
        TagConfig("L10", "DINT"),
        TagConfig("n255", "INT", (1,)),
        TagConfig("Level", "REAL", address=(22, 1, 1)),
    ),
    enip=EnipConfig(identity("1766-L32BXB", 7), port=0, route_path=()),
)


def said(*tags: TagConfig, profile: str = "1766-L32BXB") -> list[str]:
    """What is said of these tags."""
    return [str(problem) for problem in data_file_problems(replace(MICROLOGIX, tags=tags, profile=profile))]


def test_a_good_one_has_no_problems_and_can_be_made() -> None:
    assert problems(MICROLOGIX) == []
    table = Controller(MICROLOGIX).tags
    there = dict(table)
    assert set(there) == {"N7", "B3", "F8", "T4", "ST9", "L10", "n255", "Level", "O0", "I1", "S2", "C5", "R6"}
    assert there["ST9"][4] == "text"
    assert len(there["C5"]) == 8
    assert there["S2"][0:3] == [0, 6, 0]


def test_a_tag_that_nothing_leads_to_is_told_of() -> None:
    lost = replace(MICROLOGIX, tags=(TagConfig("Level", "REAL"),))
    assert [str(problem) for problem in problems(lost)] == [
        "tags.Level: 1766-L32BXB has no tags by name; wanted an address as @147/1/10"
    ]


def test_a_register_block_may_show_a_file_that_is_always_there() -> None:
    block = RegisterBlock("holding", 0, 8, "F8")
    config = replace(MICROLOGIX, tags=(), modbus=ModbusConfig(port=0, units=(UnitConfig(1, (block,)),)))
    assert problems(config) == []
    assert Controller(config).ports.keys() == {"enip", "modbus"}


@pytest.mark.parametrize(
    ("tag", "message"),
    [
        (TagConfig("N7", "DINT", (100,)), "is DINT[100]; a data file N is INT[elements]"),
        (TagConfig("T4", "TIMER", (8,)), "is TIMER[8]; a data file T is SLC_TIMER[elements]"),
        (TagConfig("ST9", "STRING"), "is STRING; a data file ST is SLC_STRING[elements]"),
        (TagConfig("B3", "BOOL", (64,), packed=True), "is BOOL[64]; a data file B is INT[elements]"),
        (TagConfig("N9", "INT", (2, 3)), "is INT[2,3]; a data file N is INT[elements]"),
        (TagConfig("N3", "INT", (4,)), "file 3 of an SLC or MicroLogix is B3; N files are 9 to 255"),
        (TagConfig("S9", "INT", (4,)), "there is one file S and it is S2; give the tag another name"),
        (TagConfig("N9", "INT", alias="Level"), "is the name of a data file and cannot be another name for Level"),
    ],
    ids=lambda value: value.name if isinstance(value, TagConfig) else None,
)
def test_what_a_file_cannot_be_is_said_in_a_line(tag: TagConfig, message: str) -> None:
    assert said(tag) == [f"tags.{tag.name}: {message}"]


def test_a_number_is_given_once() -> None:
    tags = TagConfig("N9", "INT", (4,)), TagConfig("F9", "REAL", (4,))
    assert said(*tags) == ["tags.F9: file 9 is N9 already; a number is given once"]


def test_other_controllers_have_no_data_files() -> None:
    assert said(TagConfig("N7", "DINT", (4,)), profile="1756-L61") == []
    assert said(TagConfig("Timer", "SLC_TIMER"), profile="1756-L61") == [
        "tags.Timer.type: SLC_TIMER is a type of SLC and MicroLogix data files; profile 1756-L61 has none"
    ]
