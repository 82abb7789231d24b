"""`farm up` on a real network: not without being told, not over somebody else, and gone afterwards."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from farm.backends.netns_spaces import inside
from tests.backends.real_segment import NODES, REAL, Segment, ip
from tests.backends.shaped_link import WHY_NOT
from tests.conftest import ROOT, Outcome

pytestmark = [pytest.mark.net, pytest.mark.root, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]

PLANT = f"""\
farm: 1
name: joined
backend: netns
networks:
  cell: {{subnet: 10.64.252.0/24, uplink: {REAL}}}
nodes:
  a: {{kind: logix, network: cell, address: {NODES["a"][0]}, tags: {{X: DINT}}}}
  b: {{kind: modbus, network: cell, address: {NODES["b"][0]}, holding: {{"40001-40010": 7}}}}
"""
UNDERSTOOD = "--i-understand-real-network"
Farm = Callable[..., Outcome]


@pytest.fixture
def farm_there(segment: Segment, run_root: Path, tmp_path: Path) -> Iterator[Farm]:
    """Runs `farm ARGUMENTS…` on the machine of the segment, beside a plant file that is joined to it."""
    (tmp_path / "plant.yaml").write_text(PLANT)

    def run(*arguments: str) -> Outcome:
        environ = {**os.environ, "PLCFARM_RUN": str(run_root), "PYTHONPATH": str(ROOT)}
        command = ["nsenter", f"--net={segment.machine}", sys.executable, "-m", "farm", *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60)
        return Outcome(done.returncode, done.stdout, done.stderr)

    yield run
    run("down", "--all")


def test_a_plant_is_not_joined_to_a_real_network_unless_told(farm_there: Farm, segment: Segment) -> None:
    before = segment.interface()
    outcome = farm_there("up")
    assert outcome.rc == 1
    (line,) = outcome.err.splitlines()
    assert "network cell on lan1: 4 addresses from 10.64.252.11 on, EtherNet/IP 44818, Modbus/TCP 502" in line
    assert UNDERSTOOD in line
    assert farm_there("ps").out.count("\n") <= 1
    assert segment.interface() == before


def test_a_plant_that_is_joined_answers_there_and_is_gone_after_down(farm_there: Farm, segment: Segment) -> None:
    before = segment.interface()
    outcome = farm_there("up", UNDERSTOOD)
    assert outcome.rc == 0, outcome.err
    assert "network cell on lan1: 4 addresses will answer there" in outcome.err
    assert "10.64.252.12  b  Modbus/TCP 502" in outcome.err
    assert segment.heard().keys() == {address for address, _ in NODES.values()}
    with inside(segment.pc, lambda: socket.create_connection((NODES["a"][0], 44818), 5)) as link:
        link.sendall(bytes.fromhex("65000400" + "00" * 20 + "01000000"))
        assert link.recv(100)[:2] == b"\x65\0"
    again = farm_there("up", UNDERSTOOD)
    assert (again.rc, "nothing to do" in again.err) == (0, True), again.err
    assert farm_there("down").rc == 0
    assert segment.heard() == {}
    assert segment.interface() == before


def test_a_plant_does_not_take_an_address_that_somebody_has(farm_there: Farm, segment: Segment) -> None:
    address = NODES["b"][0]
    inside(segment.pc, lambda: ip(f"address add {address}/24 dev pc0", "link set pc0 address 02:00:5e:00:00:01"))
    outcome = farm_there("up", UNDERSTOOD)
    assert outcome.rc == 1
    assert f"{address} (b) is 02:00:5e:00:00:01" in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert segment.heard() == {}


def test_a_plant_is_not_put_beside_real_controllers_unless_told(farm_there: Farm, segment: Segment) -> None:
    inside(segment.pc, lambda: ip("link set pc0 address 5c:88:16:00:00:01"))
    outcome = farm_there("up", UNDERSTOOD)
    assert outcome.rc == 1
    assert "5c:88:16:00:00:01 (Rockwell Automation)" in outcome.err
    assert farm_there("up", UNDERSTOOD, "--beside-controllers").rc == 0
