"""The brewery in real namespaces: who reaches whom over its routers, and who does not."""

import contextlib
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from farm.backends.netns_spaces import Spaces, inside
from farm.supervisor.link import run_directory
from tests.backends.conftest import need_root
from tests.conftest import ROOT, Outcome
from tests.machine_routes import leads_into_a_plant

pytestmark = [pytest.mark.net, pytest.mark.root, pytest.mark.slow]

PLANT = str(ROOT / "topologies" / "purdue.yaml")
DOORS = {
    "fermenter-1": ("10.10.1.1", 44818),
    "drive-1": ("10.10.2.1", 502),
    "brewhouse": ("10.10.0.10", 44818),
    "historian": ("10.20.0.10", 44818),
    "replica": ("10.35.0.10", 44818),
    "office": ("10.40.0.10", 44818),
}
OPEN = {
    "historian": {"fermenter-1", "drive-1", "brewhouse", "historian"},
    "panel": {"brewhouse", "historian"},
    "replica": {"historian", "replica"},
    "office": {"replica", "office"},
    "fermenter-1": {"fermenter-1", "drive-1", "brewhouse"},
}
SOON = 1.0
"""Seconds in which a door that is open opens: what a router drops is never answered."""


@pytest.fixture
def spaces(farm: Callable[..., Outcome], run_root: Path) -> Iterator[Spaces]:
    need_root()
    up = farm("up", PLANT)
    assert up.rc == 0, up.err
    yield Spaces(run_directory("brewery", run_root).run_id)
    assert farm("down", "brewery").rc == 0


def opens(door: tuple[str, int]) -> bool:
    with contextlib.suppress(OSError):
        socket.create_connection(door, SOON).close()
        return True
    return False


def reached(spaces: Spaces, node: str) -> set[str]:
    """The doors that open from where a node is; all are tried at once."""

    def from_there(door: tuple[str, int]) -> bool:
        return inside(spaces.pin(f"node.{node}"), lambda: opens(door))

    with ThreadPoolExecutor(len(DOORS)) as pool:
        return {name for name, open_ in zip(DOORS, pool.map(from_there, DOORS.values()), strict=True) if open_}


def test_zones_are_real(spaces: Spaces, farm: Callable[..., Outcome]) -> None:
    assert {node: reached(spaces, node) for node in OPEN} == OPEN
    assert opens(DOORS["office"])
    assert [leads_into_a_plant(DOORS[node][0]) for node in ("office", "replica", "brewhouse")] == [True, False, False]
