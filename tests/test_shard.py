"""A shard starts what it can, says what it cannot, changes one node of several, and ends when told."""

import contextlib
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from farm.backends import pids
from farm.backends.observed import ShardSpec
from node import shard
from node.config.load import dump
from node.config.model import ModbusConfig, NodeConfig, RegisterBlock, SerialConfig, TagConfig, UnitConfig
from node.control.messages import SHARD_START, SHARD_STOP, Pace, ShardFile, digest_nodes, start_time
from tests.backends.conftest import run as run
from tests.backends.contract import Run, a_node, address, one
from tests.test_nursery import is_gone

pytestmark = pytest.mark.net


@contextlib.contextmanager
def taken(node: NodeConfig) -> Iterator[None]:
    """Somebody else serves the node's port."""
    with socket.socket() as other:
        other.bind((node.address, node.ports["enip"]))
        other.listen()
        yield


def answers(node: NodeConfig) -> bool:
    """Whether the node takes connections."""
    try:
        with socket.create_connection((node.address, node.ports["enip"]), 5):
            return True
    except ConnectionRefusedError:
        return False


def log_of(run: Run, node: str) -> str:
    return run.backend.logs(node).read_text()


def test_a_node_that_cannot_bind_ends_a_shard_of_one(run: Run) -> None:
    with taken(a_node(1)):
        (shard,) = run.up(one(1))
        assert is_gone(shard.pid)
    reason = f"{address(1)}:44818: address in use: another program serves this TCP port; `ss -lnp` shows which"
    assert run.farm.failed == {"plc-1": reason}
    assert reason in log_of(run, "plc-1")


def test_only_its_own_process_opens_what_is_the_machines(tmp_path: Path) -> None:
    """A nursery that made such a node ahead would hold its line for ever, and every neighbour's after it."""
    link = tmp_path / "line"
    assert a_node(1).modbus is None
    units = (UnitConfig(1, (RegisterBlock("holding", 0, 1, "Word"),)),)
    modbus = ModbusConfig(0, units, serial=SerialConfig(str(link), pty=True))
    tags = (*a_node(1).tags, TagConfig("Word", "UINT"))
    nodes = (dump(a_node(2)), dump(replace(a_node(1), kind="gateway", tags=tags, modbus=modbus)))
    content = ShardFile("s", "", 0.0, "", nodes).encode()
    prepared = shard.prepare("s", content)
    assert set(prepared.controllers) == {"plc-2"}
    shard._claim(prepared)
    assert prepared.controllers["plc-1"].lines == (str(link.readlink()),)


def test_the_others_go_on_where_there_are_several(run: Run) -> None:
    nodes = (a_node(1), a_node(2), a_node(3))
    with taken(nodes[1]):
        (shard,) = run.up(ShardSpec("shard-001", nodes))
    assert set(run.farm.ready) == {"plc-1", "plc-3"}
    assert set(run.farm.failed) == {"plc-2"}
    assert answers(nodes[0])
    assert answers(nodes[2])
    assert run.backend.observe().shards == (shard,)
    refused = run.farm.ask("plc-2", "tags", shard="shard-001")["error"]
    assert refused.startswith("no node 'plc-2' is running here: ")
    assert run.backend.logs("plc-2") == run.backend.logs("plc-3")
    assert "plc-2: " in log_of(run, "plc-2")


def test_a_node_of_several_is_replaced_alone(run: Run) -> None:
    nodes = (a_node(1), a_node(2))
    (shard,) = run.up(ShardSpec("shard-001", nodes))
    moved = a_node(3, name="plc-2")
    with socket.create_connection((nodes[0].address, 44818), 5) as neighbour:
        assert run.farm.ask("plc-2", SHARD_START, dump(moved), shard="shard-001")["value"] == {"enip": 44818}
        neighbour.sendall(bytes.fromhex("6500 0400 00000000 00000000 0000000000000000 00000000 0100 0000"))
        assert neighbour.recv(28)[:2] == b"\x65\0", "a neighbour's client must not notice"
    assert answers(moved)
    assert not answers(nodes[1])
    assert run.backend.observe().shards[0].nodes == (), "the file says what it served before"
    run.backend.create(ShardSpec("shard-001", (nodes[0], moved)))
    (observed,) = run.backend.observe().shards
    assert (observed.pid, observed.nodes) == (shard.pid, (nodes[0], moved))


def test_nodes_come_and_go(run: Run) -> None:
    nodes = (a_node(1), a_node(2))
    run.up(ShardSpec("shard-001", nodes[:1]))
    assert "value" in run.farm.ask("plc-2", SHARD_START, dump(nodes[1]), shard="shard-001")
    assert answers(nodes[1])
    assert run.farm.ask("plc-1", SHARD_STOP, shard="shard-001")["value"] is True
    assert run.farm.ask("plc-1", SHARD_STOP, shard="shard-001")["value"] is False
    assert not answers(nodes[0])
    written = json.loads((run.folder / "shards" / "shard-001.pid").read_bytes())
    assert written["digest"] == digest_nodes([dump(nodes[1])])


def test_a_node_that_is_told_to_start_and_cannot(run: Run) -> None:
    run.up(ShardSpec("shard-001", (a_node(1),)))
    with taken(a_node(2)):
        assert "in use" in run.farm.ask("plc-2", SHARD_START, dump(a_node(2)), shard="shard-001")["error"]
    assert "configuration is wanted" in run.farm.ask("plc-2", SHARD_START, 5, shard="shard-001")["error"]
    assert "unknown key" in run.farm.ask("plc-2", SHARD_START, {"colour": 1}, shard="shard-001")["error"]
    other = run.farm.ask("plc-2", SHARD_START, dump(a_node(2, name="plc-9")), shard="shard-001")["error"]
    assert other == "the configuration is for 'plc-9' and not for 'plc-2'"
    assert "value" in run.farm.ask("plc-2", SHARD_START, dump(a_node(2)), shard="shard-001")


def test_commands_reach_the_controller(run: Run) -> None:
    run.up(one(1))
    assert run.farm.ask("plc-1", "tags/SCADA", 7)
    tags = run.farm.ask("plc-1", "tags")["value"]
    assert [tag["name"] for tag in tags] == ["SCADA", "Level"]
    assert "error" in run.farm.ask("plc-1", "nonsense/path")


def test_telemetry_is_of_each_node(run: Run) -> None:
    run.up(ShardSpec("shard-001", (a_node(1), a_node(2))))
    run.farm.wait_for(lambda: set(run.farm.telemetry) == {"plc-1", "plc-2"})
    assert {"requests", "errors", "bugs", "connections", "uptime"} <= set(run.farm.telemetry["plc-1"])


def test_telemetry_comes_as_often_as_the_farm_says(run: Run) -> None:
    run.up(ShardSpec("both", (a_node(1), a_node(2))))
    run.farm.wait_for(lambda: run.farm.reports["plc-2"])
    run.farm.tell("both", Pace(0.02, 0.0).encode())
    run.farm.wait_for(lambda: min(run.farm.reports[name] for name in ("plc-1", "plc-2")) >= 20, patience=10)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_its_clients(run: Run, signum: int) -> None:
    (shard,) = run.up(one(1))
    with socket.create_connection((address(1), 44818), 5) as client:
        os.kill(shard.pid, signum)
        assert client.recv(1) == b""
    assert is_gone(shard.pid)
    nursery_log = (run.folder / "nursery.log").read_text()
    assert nursery_log == "", "exit code 0 is not worth a line"


def test_what_was_asked_before_a_signal_is_answered(run: Run) -> None:
    (shard,) = run.up(ShardSpec("plc-1", (replace(a_node(1), delay=(1.0, 1.0)),)))
    register = bytes.fromhex("6500 0400 00000000 00000000 0000000000000000 00000000 0100 0000")
    with socket.create_connection((address(1), 44818), 5) as client:
        client.sendall(register)
        time.sleep(0.2)
        os.kill(shard.pid, signal.SIGTERM)
        client.settimeout(5)
        assert client.recv(28)[:2] == register[:2]
    assert is_gone(shard.pid)


def test_a_pid_file_that_cannot_be_written_is_the_reason_of_all(run: Run) -> None:
    run.backend.create(one(1))
    config = run.folder / "shards" / "plc-1.json"
    config.write_text(config.read_text().replace(f"{run.folder}/shards/plc-1.pid", "/dev/full"))
    shard = run.backend.start("plc-1")
    run.farm.wait_for(lambda: run.farm.failed)
    assert run.farm.failed["plc-1"].startswith("cannot write the pid file: ")
    assert is_gone(shard.pid)
    assert not answers(a_node(1))


def test_it_serves_without_a_farm_and_reports_to_the_next(run: Run) -> None:
    (shard,) = run.up(one(1))
    run.farm.close()
    assert answers(a_node(1))
    farm = run.another_farm()
    farm.wait_for(lambda: "plc-1" in farm.ready)
    assert farm.hellos["plc-1"]["pid"] == shard.pid
    assert start_time(shard.pid) == shard.started
    assert pids.marked(run.id)
