"""From the file to `NodeConfig`: kinds, profiles, identity, ports, and serial numbers."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from farm.topology import load_plant
from node.config.load import dump
from node.config.load import load as load_config
from node.config.model import EnipConfig, IdentityConfig, ModbusConfig, NodeConfig, UnitConfig
from node.config.schema import PROFILES, identity, stable_serial
from tests.farm.topology.plants import headlines, load, node, write


def test_the_three_nodes_of_the_reference(tmp_path: Path) -> None:
    text = (
        "farm: 1\nname: demo\nnodes:\n"
        "  plc1: {kind: logix, tags: {Level: REAL, Pump: BOOL}}\n"
        '  plc2: {kind: logix, tags: {SCADA: "DINT[1000]"}}\n'
        '  rtu1: {kind: modbus, holding: {"40001-40010": 7}}\n'
    )
    plant = load_plant(write(tmp_path, text), modbus_port=1502)
    plc1, plc2, rtu1 = plant.nodes
    assert (plant.name, plant.backend, plant.shard, plant.warnings) == ("demo", "process", 1, ())
    assert [each.address for each in plant.nodes] == ["127.64.0.1", "127.64.0.2", "127.64.0.3"]
    assert plc1.enip == EnipConfig(identity("1756-L61", stable_serial("demo", "plc1")))
    assert (plc2.tags[0].length, plc2.modbus) == (1000, None)
    assert rtu1.enip is None and rtu1.ports == {"modbus": 1502}


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile(tmp_path: Path, name: str) -> None:
    config = node(tmp_path, f"nodes: {{plc1: {{kind: logix, profile: {name}}}}}\n")
    assert config.enip is not None and config.profile == name
    assert config.enip.identity == identity(name, stable_serial("demo", "plc1"))
    assert config.enip.route_path == (None if PROFILES[name].routes else ())


def test_faces_and_identity_as_the_file_says(tmp_path: Path) -> None:
    text = """
farm: 1
name: demo
shard: auto
nodes:
  gw:
    kind: gateway
    address: 127.64.3.4
    identity: {vendor: 2, device_type: 3, product_code: 4, revision: 5.10, status: 0x60, state: 1, serial: 7,
               product_name: Mine}
    enip: {port: 44819, route_path: 1/0, max_connections: 5, max_cip_connections: 6, idle_timeout: 2m}
    modbus: {port: 5020, max_connections: 8, idle_timeout: 500ms}
"""
    (config,) = (plant := load(tmp_path, text)).nodes
    assert plant.shard == "auto"
    assert config == NodeConfig(
        "gw",
        "gateway",
        "1756-L61",
        "127.64.3.4",
        (),
        EnipConfig(
            IdentityConfig(2, 3, 4, (5, 10), 0x60, 7, "Mine", 1),
            port=44819,
            route_path=((1, 0),),
            max_connections=5,
            max_cip_connections=6,
            idle_timeout=120.0,
        ),
        ModbusConfig(5020, (UnitConfig(1),), ((0, "plcfarm"), (1, "generic"), (2, "v1.0")), 8, 0.5),
    )


def test_what_comes_out_survives_a_trip_to_a_node(tmp_path: Path) -> None:
    text = (
        "nodes: {gw: {kind: gateway,"
        " tags: {A: {type: 'REAL[2]', init: [1, 2], signal: noise}, S: {type: STRING, init: x}},"
        " holding: {'40001': {tag: A, order: CDAB}}, enip: {route_path: '1/0,2/10.0.0.1'}}}\n"
    )
    config = node(tmp_path, text)
    assert load_config(json.loads(json.dumps(dump(config))), "gw") == config


def test_serial_numbers_are_stable_and_never_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "groups: {g: {count: 500, kind: logix}}\n"
    serials = {each.name: each.enip.identity.serial for each in load(tmp_path, text).nodes if each.enip}
    assert len({*serials.values()}) == 500 and 0 not in serials.values()
    alone = node(tmp_path, "nodes: {g-77: {kind: logix}}\n")
    assert alone.enip is not None and alone.enip.identity.serial == serials["g-77"]
    monkeypatch.setattr("farm.topology.identities.stable_serial", lambda *parts: len(parts))
    clashing = [
        each.enip.identity.serial
        for each in load(tmp_path, "groups: {g: {count: 2, kind: logix}}\n").nodes
        if each.enip
    ]
    assert clashing == [2, 3]


def test_what_stands_in_defaults_may_be_of_no_use_to_some_kinds(tmp_path: Path) -> None:
    text = (
        "defaults: {enip: {max_connections: 5}, modbus: {port: 5020}}\n"
        "nodes: {plc: {kind: logix}, rtu: {kind: modbus}}\n"
    )
    plc, rtu = load(tmp_path, text).nodes
    assert plc.modbus is None and rtu.enip is None
    assert plc.enip is not None and plc.enip.max_connections == 5 and rtu.ports == {"modbus": 5020}


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("kind: logix, holding: {'40001': 1}", "'holding' is of no use: kind logix speaks EtherNet/IP only"),
        ("kind: logix, units: {1: {}}", "'units' is of no use: kind logix"),
        ("kind: logix, modbus: {port: 5020}", "'modbus' is of no use: kind logix"),
        ("kind: logix, profile: M340", "profile M340 is none of kind logix"),
        ("kind: logix, profile: 1756-L84", "did you mean '1756-L83E'? [F034]"),
        ("kind: logix, enip: {port: 0}", "wanted a whole number from 1 to 65535 [F013]"),
        ("kind: logix, enip: {max_conections: 5}", "did you mean 'max_connections'?"),
        ("kind: logix, identity: {name: x}", "did you mean 'product_name'?"),
        ("kind: logix, identity: {product_name: " + "x" * 33 + "}", "a product name of at most 32 characters"),
        ("kind: gateway, enip: {port: 502}", "port 502 is given to both EtherNet/IP and Modbus"),
        ("kind: logix, external: 192.168.1.10", "devices outside the farm are not there yet"),
        ("kind: logix, restart: always", "restart policies are not there yet"),
    ],
)
def test_what_is_refused(tmp_path: Path, body: str, wanted: str) -> None:
    found = headlines(tmp_path, f"nodes: {{plc1: {{{body}}}}}\n")
    assert any(wanted in line for line in found), found


def test_a_serial_number_given_twice(tmp_path: Path) -> None:
    (found,) = headlines(tmp_path, "groups: {g: {count: 3, kind: logix, identity: {serial: 5}}}\n")
    assert "serial number 5 of 'g-2' is already that of 'g-1' (in 'g-2' and 1 more)" in found


def test_a_plant_compares_by_value(tmp_path: Path) -> None:
    text = "nodes: {plc: {kind: logix, tags: {A: REAL}}}\n"
    assert load(tmp_path, text) == load(tmp_path, text)
    assert load(tmp_path, text) != replace(load(tmp_path, text), name="other")
