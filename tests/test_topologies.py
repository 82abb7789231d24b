"""The plants that come with the package: what they are made of, and that a node can be made of every one."""

import ipaddress
import time
from pathlib import Path

import pytest

from farm.topology import Plant, TopologyProblems, load_plant
from node.config.model import NodeConfig
from node.config.schema import MODBUS_PROFILES, TYPES, problems

FOLDER = Path(__file__).resolve().parent.parent / "topologies"


def plant(name: str) -> Plant:
    return load_plant(FOLDER / name, environ={})


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.name)
def test_every_plant_loads_without_a_word(path: Path) -> None:
    found = load_plant(path, environ={})
    assert found.warnings == ()
    assert [(node.name, problem) for node in found.nodes for problem in problems(node)] == []
    wanted = {network.name: ipaddress.IPv4Network(network.subnet) for network in found.networks}
    for node in found.nodes:
        assert node.address.startswith("127.6") if not wanted else node.interfaces
        assert all(ipaddress.IPv4Address(each.address) in wanted[each.network] for each in node.interfaces)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.name)
def test_no_plant_needs_a_lock_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.mkstemp", None)
    load_plant(path, environ={}, write_lock=True)
    assert not path.with_suffix(".lock").exists()


def test_the_water_works_is_twelve_nodes_of_three_kinds() -> None:
    nodes = plant("plant.yaml").nodes
    kinds = [node.kind for node in nodes]
    assert (len(nodes), kinds.count("logix"), kinds.count("modbus"), kinds.count("gateway")) == (12, 8, 3, 1)
    assert len({node.profile for node in nodes}) >= 6
    assert {node.name for node in nodes} >= {"intake", "dosing", "filter-1", "filter-2", "tower-level", "outstation"}


def test_every_node_of_the_water_works_moves() -> None:
    assert [node.name for node in plant("plant.yaml").nodes if not any(tag.signal for tag in node.tags)] == []


def test_one_controller_has_a_tag_of_every_type() -> None:
    lab = next(node for node in plant("plant.yaml").nodes if node.name == "lab")
    tags = {tag.name: tag for tag in lab.tags}
    for name in TYPES:
        assert (tags[f"Test_{name}"].type, tags[f"Test_{name}"].dimensions) == (name, ())
    assert (tags["Test_REALS"].type, tags["Test_REALS"].dimensions) == ("REAL", (1000,))
    assert tags["Test_Cube"].dimensions == (2, 3, 4)
    assert tags["SCADA"].address == (0x93, 1, 10)


def test_controllers_have_structures_programs_and_other_names() -> None:
    nodes = {node.name: node for node in plant("plant.yaml").nodes}
    lab, clearwell = nodes["lab"], nodes["clearwell"]
    assert [each.name for each in lab.types] == ["STR20", "Pump"]
    assert [each.name for each in clearwell.types] == ["STR20", "Pump", "PumpGroup"]
    tags = {tag.name: tag for tag in (*lab.tags, *clearwell.tags)}
    assert tags["Test_Flags"].packed and tags["Test_Flags"].dimensions == (70,)
    assert (tags["Test_Alias"].type, tags["Test_Bit"].type, tags["DutySpeed"].type) == ("REAL", "BOOL", "REAL")
    assert any(part.signal for part in tags["HighLift"].parts)
    assert (tags["Test_Constant"].writable, tags["Test_Hidden"].access) == (False, "none")
    for node in nodes.values():
        if node.enip is not None:
            assert node.programs == ("MainProgram",)
            assert any(tag.name == "Program:MainProgram.StepTimer" and tag.type == "TIMER" for tag in node.tags)


def test_the_gateway_shows_one_set_of_tags_over_both_protocols() -> None:
    gateway = next(node for node in plant("plant.yaml").nodes if node.kind == "gateway")
    assert gateway.enip is not None and gateway.modbus is not None
    shown = {block.tag for unit in gateway.modbus.units for block in unit.blocks}
    assert {"PIT701_Pressure", "FIT701_Flow", "Setpoints", "Doors"} <= shown <= {tag.name for tag in gateway.tags}
    assert [unit.unit_id for unit in gateway.modbus.units] == [1, 11, 12]


def test_both_word_orders_and_all_four_tables_are_there() -> None:
    blocks = [
        block
        for node in plant("plant.yaml").nodes
        if node.modbus is not None
        for unit in node.modbus.units
        for block in unit.blocks
    ]
    assert {block.table for block in blocks} == {"coils", "discrete", "input", "holding"}
    assert {block.order for block in blocks} >= {"ABCD", "CDAB"}


def test_the_tank_farm_is_five_hundred_nodes_in_one_screen_and_quick_to_read() -> None:
    lines = [line for line in (FOLDER / "tank-farm-500.yaml").read_text().splitlines() if line.strip()]
    start = time.process_time()
    nodes = plant("tank-farm-500.yaml").nodes
    assert time.process_time() - start < 3.0  # some 0.1 s; more than ten times that is another order
    assert len(nodes) == 500 and len(lines) <= 60
    assert sum(node.kind == "modbus" for node in nodes) == 100


def test_one_tank_overflows() -> None:
    nodes: dict[str, NodeConfig] = {node.name: node for node in plant("tank-farm-500.yaml").nodes}
    level = next(tag for tag in nodes["tank-07-3"].tags if tag.name == "LIT_Level")
    assert (level.signal, level.initial) == (None, 99.5)
    other = next(tag for tag in nodes["tank-07-4"].tags if tag.name == "LIT_Level")
    assert other.signal is not None and other.initial is None


def test_the_meters_are_one_of_each_profile_and_devices_out_of_a_table() -> None:
    found = plant("meters.yaml")
    nodes = {node.name: node for node in found.nodes}
    profiles = [node.profile for node in found.nodes]
    assert sorted(profiles) == sorted([*MODBUS_PROFILES, "generic"])
    boiler = {tag.name: tag for tag in nodes["boiler"].tags}
    assert (boiler["FlowTemperature"].unit, boiler["Volume"].type, boiler["Serial"].initial) == (
        "°C",
        "LREAL",
        "HM-20-00471",
    )
    assert str(found.origins["boiler"]["tags.Serial"]).endswith("topologies/heat-meter.csv:12:1")
    cellar = nodes["cellar"].modbus
    assert cellar is not None and [unit.unit_id for unit in cellar.units] == [1, 2, 3, 20]
    assert {"CellarInterval", "U20_Flow"} <= {tag.name for tag in nodes["cellar"].tags}
    assert "U20_Interval" not in {tag.name for tag in nodes["cellar"].tags}


@pytest.mark.parametrize("backend", ["netns", "docker"])
@pytest.mark.parametrize("name", ["plant.yaml", "tank-farm-500.yaml", "meters.yaml"])
def test_plants_of_loopback_are_the_same_ones_on_other_backends(name: str, backend: str) -> None:
    here = load_plant(FOLDER / name, environ={}, backend=backend)
    for node, other in zip(plant(name).nodes, here.nodes, strict=True):
        assert other.address == f"10.{node.address.partition('.')[2]}" == other.interfaces[0].address
        assert other.modbus is None or other.modbus.port == 502
        assert (other.tags, other.kind, other.profile) == (node.tags, node.kind, node.profile)
    assert here.warnings == ()


def test_the_brewery_is_four_zones_and_two_routers() -> None:
    found = plant("purdue.yaml")
    assert [(network.name, network.purdue, bool(network.host)) for network in found.networks] == [
        ("enterprise", 4.0, True),
        ("dmz", 3.5, False),
        ("supervision", 2.0, False),
        ("cell", 1.0, False),
    ]
    assert [router.name for router in found.routers] == ["fw-plant", "fw-cell"]
    assert len(found.nodes) == 11 and {len(node.interfaces) for node in found.nodes} == {1}
    passing = {(rule.source, rule.target) for router in found.routers for rule in router.allow}
    assert ("10.40.0.0/24", "10.10.0.0/16") not in passing
    assert ("10.20.0.10", "10.10.0.0/16") in passing
    macs = [each.mac for node in found.nodes for each in node.interfaces if each.network == "cell"]
    assert all(mac.startswith("00:00:bc:") for mac in macs) and len(set(macs)) == len(macs) == 7


@pytest.mark.parametrize("backend", ["process", "docker"])
def test_the_brewery_needs_a_backend_that_routes(backend: str) -> None:
    with pytest.raises(TopologyProblems) as caught:
        load_plant(FOLDER / "purdue.yaml", environ={}, backend=backend)
    first = caught.value.problems[0]
    assert first.message == f"backend {backend} cannot route between networks"
    assert (first.code, first.hint) == ("F071", "use --backend netns, or leave gateways out")


def test_ten_thousand_nodes_are_one_small_file() -> None:
    path = FOLDER / "large" / "tank-farm-10000.yaml"
    text = path.read_text()
    assert (len(text) < 3000, "vars: {sites: 1000}" in text) == (True, True)
    found = load_plant(path, environ={}, settings={"sites": "260"})
    assert (found.shard, found.warnings, len(found.nodes)) == ("auto", (), 2600)
    assert len({node.address for node in found.nodes}) == 2600
    by_name = {node.name: node for node in found.nodes}
    assert by_name["tank-0250-8"].address == "127.65.250.8"
    assert by_name["gauge-0251-2"].address == "127.66.1.102"
    assert [problem for name in ("tank-0007-3", "gauge-0260-1") for problem in problems(by_name[name])] == []
