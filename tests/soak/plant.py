"""The plant that is attacked: a ControlLogix and a MicroLogix, both as a farm makes them, with nothing set apart.

They hold the tags that clients were logged with (`tests/frames`), so that the logged requests are conversations here,
and one tag each that clients cannot write, for a good client to read.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from farm.supervisor.link import Link, run_directory
from tests.soak.kills import a_farm

NAME = "soak"
LOGIX, MICROLOGIX = "127.64.227.1", "127.64.227.2"
PORT = 44818
VALUE = 20161122
"""What the good client reads."""

PLANT = f"""\
farm: 1
name: {NAME}
types:
  Inner: {{x: INT, y: INT}}
  Recipe: {{d: DINT, b0: BOOL, b1: BOOL, s: STRING, arr: "INT[3]", r: REAL, in: Inner}}
nodes:
  logix:
    kind: logix
    profile: 1756-L73
    address: {LOGIX}
    tags:
      SCADA: DINT
      ARR: "DINT[1000]"
      Tiny: SINT
      Word: INT
      Long: LINT
      Speed: REAL
      Flag: BOOL
      Cube: "DINT[2,3,4]"
      BA: "BOOL[96]"
      STR: STRING
      Fixed: {{type: DINT, init: 1, access: read only}}
      U: Recipe
      UA: "Recipe[3]"
      BIG: "DINT[5000]"
      T000: DINT
      T001: DINT
      T002: DINT
      Ramp: {{type: REAL, signal: {{ramp: {{min: 0, max: 100, period: 10}}}}}}
      GOOD: {{type: DINT, init: {VALUE}, access: read only}}
    programs:
      MainProgram:
        tags: {{P1: DINT, U: Recipe}}
  micrologix:
    kind: logix
    profile: 1766-L32BXB
    address: {MICROLOGIX}
    tags:
      N7: "INT[64]"
      ST9: "SLC_STRING[5]"
      L10: "DINT[4]"
      N17: {{type: INT, init: 2016, access: read only}}
"""


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the plant that runs."""

    name: str
    host: str
    pid: int

    def memory(self) -> float:
        """Resident memory in MiB."""
        return int(self._status("VmRSS").split()[0]) / 1024

    def threads(self) -> int:
        """How many it has."""
        return int(self._status("Threads"))

    def pin(self, core: int) -> None:
        """Keeps it on one core."""
        os.sched_setaffinity(self.pid, {core})

    def _status(self, key: str) -> str:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            name, _, value = line.partition(":")
            if name == key:
                return value.strip()
        raise LookupError(key)


@dataclass(frozen=True, slots=True)
class Target:
    """The plant: its nodes, and what the farm counts of them."""

    link: Link
    nodes: dict[str, Node]

    def counted(self, what: str) -> int:
        """One counter of all nodes together, as the farm was last told."""
        told = self.link.ask("status")["telemetry"]
        return sum(int(told[name][what]) for name in self.nodes)

    def restarts(self) -> int:
        """How often a node had to be started again."""
        return sum(int(row["restarts"]) for row in self.link.ask("ps")["rows"])


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Target]:
    """The plant, up; down again after it. Raises `AssertionError` when it does not come up."""
    with a_farm(folder / "run", PLANT) as farm:
        code, output = farm.run("up", str(farm.plant))
        if code:
            raise AssertionError(f"farm up: exit {code}: {output}")
        link = Link.open(run_directory(NAME, farm.run_root))
        rows = link.ask("ps")["rows"]
        yield Target(link, {row["name"]: Node(row["name"], row["address"], row["pid"]) for row in rows})
