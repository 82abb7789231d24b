"""A whole plant in namespaces for a user without root, seen from the machine: its clients, its deaths and its end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pylogix import PLC
from pymodbus.client import ModbusTcpClient

from tests import ordinary_user

pytestmark = [pytest.mark.net, pytest.mark.root, pytest.mark.timeout(120)]

PLANT = """\
farm: 1
name: works
networks:
  cell: {subnet: 10.228.1.0/24}
  office: {subnet: 10.228.2.0/24, internal: true}
gateways:
  fw: {between: [cell, office], allow: ["office -> cell tcp 44818"]}
defaults: {network: cell}
nodes:
  plc: {kind: logix, tags: {Level: {type: REAL, init: 2.5}}}
  meter: {kind: modbus, holding: {"40001-40010": 7}}
  historian: {kind: logix, network: office, tags: {Count: DINT}}
"""
ENIP, MODBUS = ("127.228.1.1", 44818), ("127.228.1.2", 1502)


@dataclass(frozen=True)
class User:
    """A user without rights, with a folder of his own for runs."""

    folder: Path

    def farm(self, *arguments: str) -> str:
        """What `farm` prints; the test fails when it does."""
        command = [sys.executable, "-m", "farm", *arguments]
        code, output = ordinary_user.run(command, {"PLCFARM_RUN": str(self.folder / "run")})
        assert code == 0, output
        return output

    def processes(self) -> dict[int, str]:
        """His living processes and their names."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                state, name = (folder / "stat").read_text().rpartition(")")[2].split()[0], (folder / "comm").read_text()
                if folder.stat().st_uid == ordinary_user.UID and state != "Z":
                    found[int(folder.name)] = name.strip()
            except OSError:
                continue
        return found

    def kill(self, name: str) -> None:
        """`kill -9` of his process of that name."""
        os.kill(next(pid for pid, found in self.processes().items() if found == name), signal.SIGKILL)

    def kill_supervisor(self) -> None:
        """`kill -9` of his farm's supervisor."""
        for pid, name in self.processes().items():
            if name == "python" and b"supervise" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)

    def row(self, node: str) -> dict[str, Any]:
        """A row of `farm ps`."""
        rows: list[dict[str, Any]] = json.loads(self.farm("ps", "--json"))
        return next(row for row in rows if row["name"] == node)


@pytest.fixture(scope="module")
def user() -> Iterator[User]:
    """A user whose plant is up, and who has nothing left after `farm down`."""
    if os.geteuid() != 0:
        pytest.skip("need root, to become a user without rights")
    folder = Path(tempfile.mkdtemp(prefix="pf-", dir="/tmp"))
    (folder / "plant.yaml").write_text(PLANT)
    for path in (folder, folder / "plant.yaml"):
        os.chown(path, ordinary_user.UID, ordinary_user.UID)
    found = User(folder)
    try:
        assert found.processes() == {}
        found.farm("up", str(folder / "plant.yaml"), "--backend", "netns")
        yield found
        found.farm("down")
        assert found.processes() == {}
        assert list((folder / "run").iterdir()) == []
    finally:
        for pid in found.processes():
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(folder)


def soon(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, "it did not happen"
        time.sleep(0.05)


def level() -> float | None:
    with PLC(ENIP[0]) as plc:
        value: float | None = plc.Read("Level").Value
    plc.conn.msg_socket.close()  # made by pylogix, and never closed by it
    return value


def registers() -> list[int]:
    client = ModbusTcpClient(MODBUS[0], port=MODBUS[1])
    try:
        assert client.connect()
        return list(client.read_holding_registers(0, count=3, device_id=1).registers)
    finally:
        client.close()


def test_clients_of_the_machine_reach_nodes_at_loopback_addresses(user: User) -> None:
    assert level() == 2.5
    assert registers() == [7, 7, 7]
    assert user.farm("read", "plc", "Level").strip() == "2.5"
    row = user.row("plc")
    assert (row["address"], row["outside"]) == ("10.228.1.1", [f"{ENIP[0]}:{ENIP[1]}"])


def test_a_node_of_a_closed_network_is_read_from_within(user: User) -> None:
    assert user.farm("write", "historian", "Count", "41").strip() == "41"
    assert user.row("historian")["outside"] == []


def test_a_node_that_was_killed_is_back_at_both_its_addresses(user: User) -> None:
    user.kill("plc:plc")
    soon(lambda: user.row("plc")["state"] == "up" and user.row("plc")["restarts"] == 1)
    assert level() == 2.5


def test_nodes_serve_on_and_are_adopted_when_their_supervisor_is_killed(user: User) -> None:
    before = {node: user.row(node)["pid"] for node in ("plc", "meter", "historian")}
    user.kill_supervisor()
    assert level() == 2.5
    assert {node: user.row(node)["pid"] for node in before} == before


def test_nodes_serve_on_without_what_keeps_the_namespaces_and_so_does_down(user: User) -> None:
    for keeper in ("plc-holder", "plc-doorway"):
        user.kill(keeper)
    user.kill_supervisor()
    assert level() == 2.5
    assert user.row("historian")["state"] == "up"
    user.farm("down")
    assert user.processes() == {}
    user.farm("up", str(user.folder / "plant.yaml"), "--backend", "netns")
    assert level() == 2.5
