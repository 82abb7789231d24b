"""A controller that is large to browse: thousands of tags, and structures of every make, in a process of its own."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from node.config.load import dump
from node.config.model import EnipConfig, IdentityConfig, MemberConfig, NodeConfig, TagConfig, TypeConfig

ROOT = Path(__file__).parents[2]
HOST = "127.102.0.1"

MANY = 5000
"""Tags of the controller's scope that are named `Tag_00000` and so on."""

_ATOMIC = ("BOOL", "SINT", "INT", "DINT", "LINT", "REAL", "LREAL", "STRING", "TIMER", "COUNTER")
_LENGTHS = (0, 0, 0, 1, 3, 32, 40)

Value = bool | int | float | str | list["Value"] | dict[str, "Value"]


def build_types(count: int = 40) -> tuple[TypeConfig, ...]:
    """Structures with members of every kind in random order, each of which may hold those before it."""
    dice = random.Random(20)
    types = [TypeConfig("Text20", string=20), TypeConfig("Text3", string=3)]
    for number in range(count):
        own = [made.name for made in types[-4:]]
        members = []
        for index in range(dice.randint(1, 12)):
            kind = dice.choice((*_ATOMIC, *own, "BOOL", "BOOL"))
            length = dice.choice(_LENGTHS[:4] if kind in own else _LENGTHS)
            members.append(MemberConfig(f"m{index}", kind, 32 if kind == "BOOL" and length else length))
        types.append(TypeConfig(f"Type{number}", tuple(members)))
    return tuple(types)


TYPES = build_types()

CONFIG = NodeConfig(
    "large",
    "logix",
    "1756-L83E",
    HOST,
    (
        *(TagConfig(f"Tag_{index:05}", "DINT", initial=index) for index in range(MANY)),
        *(TagConfig(f"S_{made.name}", made.name) for made in TYPES),
        *(TagConfig(f"Program:Main.P_{index}", "REAL", (2,)) for index in range(300)),
        TagConfig("Program:Main.Own", TYPES[-1].name),
    ),
    EnipConfig(IdentityConfig(1, 14, 166, (28, 13), 0x3060, 0x12345, "1756-L83E/B"), 44818),
    types=TYPES,
    programs=("Main", "Idle"),
)


def sample(name: str, length: int, dice: random.Random) -> Value:
    """A value of a type, as pycomm3 takes and gives it."""
    if length:
        return [sample(name, 0, dice) for _ in range(length)]
    made = next((made for made in TYPES if made.name == name), None)
    if made is not None and made.members:
        return {member.name: sample(member.type, member.length, dice) for member in made.members}
    capacity = made.string if made is not None else 82
    plain: dict[str, Value] = {
        "BOOL": dice.random() < 0.5,
        "SINT": dice.randint(-128, 127),
        "INT": dice.randint(-32768, 32767),
        "DINT": dice.randint(-(2**31), 2**31 - 1),
        "LINT": dice.randint(-(2**63), 2**63 - 1),
        "REAL": dice.randint(-(2**20), 2**20) / 8,
        "LREAL": dice.uniform(-1e9, 1e9),
        "TIMER": {"PRE": 5000, "ACC": dice.randint(0, 99), "EN": True, "TT": False, "DN": dice.random() < 0.5},
        "COUNTER": {"PRE": 3, "ACC": -1, "CU": True, "CD": False, "DN": True, "OV": False, "UN": dice.random() < 0.5},
    }
    return plain.get(name, "".join(dice.choices("abcXYZ 123", k=dice.randint(0, capacity))))


@contextmanager
def browse_node(folder: Path) -> Iterator[str]:
    """Starts it from a file in `folder`; gives its address."""
    file = folder / "large.json"
    file.write_text(json.dumps(dump(CONFIG)))
    command = [sys.executable, "-m", "node", "run", str(file)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert re.search(rf"{HOST}:44818", line), f"the node did not begin to serve: {line!r}"
            yield HOST
        finally:
            process.terminate()
            process.wait(60)
