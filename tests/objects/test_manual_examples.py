"""The requests and replies that Rockwell's manual prints, with its tags and their values (1756-PM020)."""

import pytest

from node.cip.predefined import TIMER
from node.cip.template import Declared, lay_out
from node.cip.types import BOOL, DINT, INT, REAL, SINT
from node.memory.attribute import Instant, Value
from node.memory.tags import TagTable
from node.memory.text_attribute import create_attribute
from node.objects.device import Device, build_device
from tests.objects.devices import IDENTITY, ask
from tests.vectors import read_vectors

STRUCT_A = lay_out(
    "STRUCT_A",
    0x100,
    [
        Declared("limit4", BOOL),
        Declared("limit7", BOOL),
        Declared("travel", DINT),
        Declared("errors", SINT),
        Declared("wear", REAL),
    ],
)
STRUCT_B = lay_out(
    "STRUCT_B", 0x101, [Declared("pilot_on", BOOL), Declared("hourlyCount", INT, 12), Declared("rate", REAL)]
)
STRUCT_C = lay_out(
    "STRUCT_C",
    0x102,
    [
        Declared("hours_full", BOOL),
        Declared("today", STRUCT_B),
        Declared("sampleTime", DINT),
        Declared("shipped", DINT),
    ],
)


def manual() -> Device:
    """The tags of Rockwell's examples, with the values they have there."""
    one: Value = {"limit4": True, "limit7": True, "travel": 85, "errors": 119, "wear": 10.7}
    other: Value = {"limit4": False, "limit7": False, "travel": 9999, "errors": 0, "wear": 0.0}
    counts: list[Value] = [*range(12)]
    summary: Value = {"pilot_on": True, "hourlyCount": counts, "rate": 1.0}
    today: Value = {"pilot_on": True, "hourlyCount": [number + 1 for number in range(12)], "rate": 16.0}
    tags = TagTable()
    tags.add("struct1", create_attribute(STRUCT_A, (), one))
    tags.add("str1Array", create_attribute(STRUCT_A, (10,), other))
    tags.add("struct2", create_attribute(STRUCT_B, (), today))
    tags.add(
        "struct3", create_attribute(STRUCT_C, (), {"hours_full": 0, "today": today, "sampleTime": 0, "shipped": 0})
    )
    tags.add("dwell3", create_attribute(TIMER, (), {"PRE": 0, "ACC": 549, "EN": False, "TT": False, "DN": False}))
    tags.add("MachineSummary", create_attribute(STRUCT_B, (), summary))
    return build_device(IDENTITY, tags, Instant())


VECTORS = read_vectors("logix_structures")


@pytest.mark.parametrize("example", [name for name in VECTORS if not name.endswith("asked")])
def test_the_examples_of_the_manual(example: str) -> None:
    assert ask(manual(), VECTORS[f"{example} asked"].data) == VECTORS[example].data.hex()
