"""Where values come from: paths as in `NodeConfig`, places as in the files."""

from pathlib import Path

from tests.farm.topology.plants import load

TEXT = """
farm: 1
name: demo
defaults: {enip: {max_connections: 5}}
templates:
  tank: {tags: {Level: {type: "REAL[2]", unit: m, signal: {sine: {min: 1}}}}}
groups:
  g:
    count: 2
    kind: gateway
    profile: 1769-L24ER
    use: tank
    holding: {"40001": {type: REAL, init: 5}, "40011": {tag: Level}}
    units: {3: {coils: {"00001": true}}}
    device_id: {vendor_name: Us}
    identity: {vendor: 2}
nodes:
  g-2: {tags: {Level: {unit: mm}}, address: 127.64.0.9}
"""


def test_each_value_has_its_place(tmp_path: Path) -> None:
    plant = load(tmp_path, TEXT)
    places = {path: (place.line, place.column) for path, place in plant.origins["g-2"].items()}
    assert places == {
        "name": (18, 3),
        "address": (18, 45),
        "kind": (10, 11),
        "profile": (11, 14),
        "enip.identity": (11, 14),
        "enip.identity.vendor": (16, 24),
        "enip.max_connections": (4, 36),
        "modbus.device_id": (15, 16),
        "tags.Level": (18, 23),
        "tags.Level.type": (6, 31),
        "tags.Level.dimensions": (6, 31),
        "tags.Level.unit": (18, 30),
        "tags.Level.signal": (6, 60),
        "modbus.units.1.blocks.0": (13, 15),
        "modbus.units.1.blocks.1": (13, 47),
        "tags.HR40001": (13, 24),
        "tags.HR40001.type": (13, 31),
        "tags.HR40001.dimensions": (13, 31),
        "tags.HR40001.initial": (13, 43),
        "modbus.units.3.blocks.0": (14, 25),
        "tags.U3_CO00001": (14, 34),
        "tags.U3_CO00001.initial": (14, 34),
    }


def test_an_address_from_a_network_comes_from_its_subnet(tmp_path: Path) -> None:
    assert str(load(tmp_path, TEXT).origins["g-1"]["address"]) == "default network 127.64.0.0/10"
    declared = load(tmp_path, "networks: {default: {subnet: 127.70.0.0/16}}\nnodes: {p: {kind: logix}}\n")
    assert str(declared.origins["p"]["address"]).endswith("plant.yaml:3:30")


def test_there_is_one_for_each_node_and_no_other(tmp_path: Path) -> None:
    plant = load(tmp_path, TEXT)
    assert list(plant.origins) == ["g-1", "g-2"] and len(plant.origins) == 2
    assert plant.origins.get("g-3") is None
