"""A Modbus node for foreign clients, in a process of its own: all four tables, and a REAL in each word order."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from node.config.load import dump
from node.config.model import ModbusConfig, NodeConfig, RegisterBlock, TagConfig, UnitConfig

ROOT = Path(__file__).parents[2]
HOST = "127.64.33.24"

REALS = {"ABCD": 200, "CDAB": 300}
"""Word order to the wire address of ten holding and ten input registers that hold 1234.5, 0, 0 ..."""

CONFIG = NodeConfig(
    name="meter",
    kind="modbus",
    profile="generic",
    address=HOST,
    tags=(
        TagConfig("WORDS", "UINT", (125,), tuple(range(125))),
        TagConfig("FIXED", "UINT", (1,), 7, access="read only"),
        TagConfig("FLAGS", "BOOL", (100,), tuple(k % 3 == 0 for k in range(100))),
        TagConfig("CONTACTS", "BOOL", (100,), tuple(k % 5 == 0 for k in range(100))),
        *(TagConfig(f"REALS_{order}", "REAL", (5,), (1234.5, 0.0, 0.0, 0.0, 0.0)) for order in REALS),
    ),
    modbus=ModbusConfig(
        port=1502,
        units=(
            UnitConfig(
                1,
                (
                    RegisterBlock("holding", 0, 125, "WORDS"),
                    RegisterBlock("holding", 125, 1, "FIXED"),
                    RegisterBlock("input", 0, 125, "WORDS"),
                    RegisterBlock("coils", 0, 100, "FLAGS"),
                    RegisterBlock("discrete", 0, 100, "CONTACTS"),
                    *(RegisterBlock("holding", at, 10, f"REALS_{order}", order) for order, at in REALS.items()),
                    *(RegisterBlock("input", at, 10, f"REALS_{order}", order) for order, at in REALS.items()),
                ),
            ),
        ),
        device_id=((0, "Maker"), (1, "Code"), (2, "1.0"), (4, "Meter")),
    ),
)


@contextmanager
def modbus_node(folder: Path) -> Iterator[int]:
    """Starts it from a file in `folder`; gives its port."""
    file = folder / "meter.json"
    file.write_text(json.dumps(dump(CONFIG)))
    command = [sys.executable, "-m", "node", "run", str(file)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(rf"{HOST}:(\d+)", line)
            assert found, f"the node did not begin to serve: {line!r}"
            yield int(found[1])
        finally:
            process.terminate()
            process.wait(60)
