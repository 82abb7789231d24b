"""Structures that the tests of memory and of tag services share.

Motor   Run, Fault BOOL | Speed REAL | History INT[3] | Flags BOOL[40] | Label Name       36 bytes
Name    a string of 6 characters                                                          12 bytes
Line    Id SINT | Motors Motor[2] | Total LINT                                            88 bytes
"""

from node.cip.template import Declared, lay_out, string_template
from node.cip.types import BOOL, INT, LINT, REAL, SINT
from node.memory.attribute import Value

NAME = string_template("Name", 0x100, 6)
MOTOR = lay_out(
    "Motor",
    0x101,
    [
        Declared("Run", BOOL),
        Declared("Fault", BOOL),
        Declared("Speed", REAL),
        Declared("History", INT, 3),
        Declared("Flags", BOOL, 40),
        Declared("Label", NAME),
    ],
)
LINE = lay_out("Line", 0x102, [Declared("Id", SINT), Declared("Motors", MOTOR, 2), Declared("Total", LINT)])


def motor(speed: float = 0.0, run: bool = False, label: str = "") -> dict[str, Value]:
    """A Motor with these members, the others 0."""
    return {
        "Run": run,
        "Fault": False,
        "Speed": speed,
        "History": [0, 0, 0],
        "Flags": [False] * 40,
        "Label": label,
    }


def line(*motors: Value, ident: int = 0, total: int = 0) -> dict[str, Value]:
    """A Line of two motors."""
    return {"Id": ident, "Motors": [*motors], "Total": total}
