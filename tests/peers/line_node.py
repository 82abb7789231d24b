"""The Modbus node for foreign clients again, reached otherwise than by Modbus/TCP: as units 1 and 100."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from node.config.load import dump
from node.config.model import UnitConfig
from tests.peers.modbus_node import CONFIG, ROOT

HOST = "127.64.33.30"
READY = re.compile(
    rf"^(?P<name>Modbus/[A-Za-z/ ]+) device generic on (?:{HOST}:(?P<port>\d+))?(?: and )?(?P<path>/\S+?)?;"
)


@contextmanager
def line_node(folder: Path, *, delay: tuple[float, float] = (0.0, 0.0), **carried: Any) -> Iterator[re.Match[str]]:
    """Starts it from a file in `folder`, its `ModbusConfig` changed by `carried`; gives where it is. It ends well."""
    assert CONFIG.modbus is not None
    (unit,) = CONFIG.modbus.units
    modbus = replace(CONFIG.modbus, units=(unit, UnitConfig(100, unit.blocks)), **carried)
    file = folder / "meter.json"
    file.write_text(json.dumps(dump(replace(CONFIG, address=HOST, delay=delay, modbus=modbus))))
    command = [sys.executable, "-m", "node", "run", str(file)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = READY.search(line)
            assert found, f"the node did not begin to serve: {line!r}"
            yield found
        finally:
            process.terminate()
            assert process.wait(10) == 0
