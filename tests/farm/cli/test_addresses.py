"""`farm plan --addresses` and `farm inspect`: where the nodes of a plant are on each backend, and whence each value."""

import json
from pathlib import Path

import pytest

from farm.cli import app, backends, plants
from tests.architecture.sources import ROOT

TEXT = """
farm: 1
name: works
networks: {cell: {subnet: 10.20.0.0/16}, super: {subnet: 127.30.0.0/24}}
defaults: {kind: gateway, network: cell}
nodes:
  a: {interfaces: {super: {}}, latency: 5ms}
  b: {network: super}
"""


@pytest.fixture
def plant(tmp_path: Path) -> str:
    path = tmp_path / "plant.yaml"
    path.write_text(TEXT)
    return str(path)


def test_addresses_of_the_file_and_of_the_backend(plant: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["plan", plant, "--addresses", "--backend", "netns"]) == 0
    table = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert table[1:] == [
        ["a", "cell", "10.20.0.1", "10.20.0.1"],
        ["a", "super", "127.30.0.1", "10.30.0.1"],
        ["b", "super", "127.30.0.2", "10.30.0.2"],
    ]
    assert app.run(["plan", plant, "--addresses"]) == 0
    table = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert table[0] == ["NODE", "NETWORK", "IN", "THE", "FILE", "ON", "PROCESS"]
    assert table[1:3] == [["a", "cell", "10.20.0.1", "127.20.0.1"], ["a", "super", "127.30.0.1", "-"]]


def test_outside_addresses_where_the_backend_is_not_reached_itself(
    plant: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("farm.cli.plants.served_outside", lambda backend: backend == "netns")
    assert app.run(["plan", plant, "--addresses", "--json", "-b", "netns"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["outside"] for row in rows] == ["127.20.0.1", "", "127.30.0.2"]
    text = Path(plant)
    text.write_text(TEXT.replace("name: works", "name: works\nbackend: netns"))
    assert [bool(node.outside) for node in plants.load(text).nodes] == [True, True]
    assert not any(node.outside for node in plants.load(text, backend="docker").nodes)


def test_routers_have_addresses_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["plan", str(ROOT / "topologies" / "purdue.yaml"), "--addresses"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["fw-cell", "supervision", "10.20.0.254", "10.20.0.254"] in lines


def test_a_plant_with_gateways_fails_on_loopback_in_one_message_a_place(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["up", str(ROOT / "topologies" / "purdue.yaml"), "--backend", "process"]) == 1
    shown = capsys.readouterr().err
    assert "purdue.yaml:20:3: error: backend process cannot route between networks - use --backend netns" in shown
    assert shown.count("error:") == 3 and shown.endswith("3 errors\n")


def test_inspect_knows_links_and_interfaces_with_their_places(plant: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(plant).write_text(TEXT.replace("name: works", "name: works\nbackend: docker"))
    assert app.run(["inspect", "a", "--file", plant, "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["link.delay"] == {"value": 0.005, "origin": f"{plant}:8:41"}
    assert values["interfaces.super.address"] == {"value": "10.30.0.1", "origin": f"{plant}:5:58"}
    assert values["modbus.port"]["value"] == 502


@pytest.mark.parametrize(("shard", "code"), [("4", 1), ("1", 0), ("auto", 0), ("none", 2)])
def test_a_worker_of_a_namespace_is_one_node(
    plant: str, shard: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.run(["plan", plant, "-b", "netns", "--addresses", "--shard", shard]) == code
    if code == 1:
        assert "--shard: error: shard 4 on backend netns: each node has a network namespace" in capsys.readouterr().err


def test_every_backend_has_a_home() -> None:
    assert backends.BACKENDS == ("process", "netns", "docker", "swarm", "kubernetes")
    assert not backends.served_outside("process")


def test_modbus_has_its_port_where_each_node_has_its_own(plant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plants, "can_bind_modbus", lambda: False)
    assert {node.ports["modbus"] for node in plants.load(Path(plant)).nodes} == {1502}
    netns = plants.load(Path(plant), backend="netns")
    assert {node.ports["modbus"] for node in netns.nodes} == {502}
    assert plants.port_warning(netns) is None
