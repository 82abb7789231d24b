"""Whatever a plant file holds, the loader makes a plant of it that nodes accept, or says what is wrong."""

import copy
import ipaddress
import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farm.supervisor.wire import decode_plant, encode_plant
from farm.topology import Plant, TopologyProblems, load_plant
from farm.topology.keys import PLANT
from farm.topology.shapes import sections
from node.config.schema import problems
from node.controller import Controller

BASE = """
farm: 1
name: demo
vars: {lines: 2}
backend: netns
networks:
  cell: {subnet: 127.70.0.0/16, purdue: 1, internal: true, oui: rockwell, mtu: 1400, ipv6: "fd00:1::/64"}
  far: {subnet: 10.80.0.0/24, ipv6: "fd00:2::/64"}
gateways:
  fw: {between: [cell, far], addresses: {far: 10.80.0.1}, allow: ["far -> cell tcp 502", "drive -> gw any"]}
links: {"mixer-*": {delay: 5ms±1ms}, group:drive: {loss: 2%, rate: 9600bit, up: false}}
defaults: {network: cell}
kinds: {both: {extends: gateway, profile: 1756-L83E}}
types: {Motor: {Speed: REAL, Run: BOOL, Hours: "DINT[4]", Label: S8}, S8: {string: 8}}
templates:
  tank:
    tags: {Level: {type: REAL, signal: {sine: {min: 1, phase: "${i}s"}}}, Batch: {type: "DINT[4]", init: [1, 2, 3, 4]}}
  valve: {holding: {"40001-40002": REAL, "@10": 7}}
groups:
  mixer: {count: 2, kind: logix, use: [tank], address: "127.70.1.${i}"}
  drive: {for: {line: "1..${lines}"}, kind: modbus, holding: {"40001": {type: uint16, name: Speed, signal: ramp}}}
nodes:
  mixer-2: {tags: {Level: {init: 5, signal: square}, Batch: null, Any: {alias: "Batch2[1]"}, Batch2: "INT[4]"}}
  gw: {kind: both, unit: 9, tags: {Door: BOOL}, coils: {"00001": {tag: Door}}, units: {1..2: {use: valve}},
       programs: {Main: {tags: {M: {type: "Motor[2]", members: {Speed: {signal: noise}, "[1].Hours[2]": 7}}}}},
       delay: 1ms..2ms, objects: {TCPIP: {TTL: 3}}, identity: {serial: 5, revision: 3.1},
       enip: {port: 5000, onward: 127.70.2.0/24}, hostname: "${name}.x", mac: "02:00:00:00:00:01", gateway: fw,
       interfaces: {far: {address: 10.80.0.9}}, latency: 3ms, link: {require: kernel},
       modbus: {port: 5001}, device_id: {revision: v1}}
"""

KEYS = sorted(
    {key.name for section in sections(PLANT) for key in section.keys}
    | {
        "A${i}",
        "@5",
        "40003",
        "2",
        "mixer-1",
        "Speed",
        "[1].Run",
        "Motor",
        "string",
        "cell",
        "far",
        "group:drive",
        "*-?",
    }
)

VALUES: list[Any] = [
    None,
    True,
    0,
    1,
    -5,
    3.5,
    "x",
    "REAL",
    "DINT[2]",
    "${i}",
    "${name}",
    "${A:-5}",
    "${1 + i}",
    "${unit}",
]
VALUES += [
    "$",
    "$${",
    "1..3",
    "@0-9",
    "40001",
    [],
    {},
    [1, 2],
    ["tank"],
    {"sine": {"min": 1}},
    {"a": None},
    "logix",
    "both",
]
VALUES += [
    "127.70.0.7",
    "any",
    {"type": "REAL"},
    {"tag": "Door"},
    [{"a": 1}],
    [[1]],
    {"1..3": {}},
    {"use": "valve"},
    "1e400",
    "Motor",
    "Motor[3]",
    "S8",
    "TIMER",
    "M.Speed",
    "Program:Main.M[1].Run",
    "typical",
    "read only",
    {"string": 5},
    {"X": "Motor"},
    {"alias": "Door"},
    {"type": "Motor", "members": {"Speed": 1}},
    {"Main": {"tags": {"A": "Motor"}}},
    "process",
    "docker",
    "far",
    "fw",
    "none",
    "10.80.0.0/24",
    "10.80.0.1",
    "fd00:1::/48",
    "02:00:00:00:00:01",
    "siemens",
    "macvlan",
    "40ms±10ms",
    "2%",
    "9600bit",
    "far -> mixer any",
    "group:mixer",
    {"far": None},
    {"far": "10.80.0.1"},
    {"between": ["cell", "far"]},
    {"delay": "1ms", "jitter": "${i}ms"},
]


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value below the root."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    found = [path] if path else []
    for key, value in inner:
        found += places(value, (*path, key))
    return found


@st.composite
def plants(draw: st.DrawFn) -> str:
    """A sound plant with a few values replaced, removed or called something else."""
    tree = yaml.safe_load(BASE)
    for _ in range(draw(st.integers(1, 3))):
        *path, last = draw(st.sampled_from(places(tree)))
        parent = tree
        for key in path:
            parent = parent[key]
        change = draw(st.sampled_from(["replace", "replace", "rename", "add", "remove"]))
        if change == "replace" or not isinstance(parent, dict):
            parent[last] = copy.deepcopy(draw(st.sampled_from(VALUES)))
        elif change == "remove":
            del parent[last]
        else:
            parent[draw(st.sampled_from(KEYS))] = (
                parent.pop(last) if change == "rename" else copy.deepcopy(draw(st.sampled_from(VALUES)))
            )
    return str(yaml.safe_dump(tree, sort_keys=False, default_flow_style=draw(st.booleans())))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plants())
def test_a_plant_or_its_faults(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plant.yaml"
        path.write_text(text)
        try:
            plant = load_plant(path)
        except TopologyProblems as exc:
            assert any(problem.severity == "error" for problem in exc.problems)
            return
    assert [(node.name, problem) for node in plant.nodes for problem in problems(node)] == []
    for node in plant.nodes:
        Controller(node)
    assert set(plant.origins) == {node.name for node in plant.nodes}
    assert all(plant.origins[node.name] for node in plant.nodes)
    wired(plant)


def wired(plant: Plant) -> None:
    """What backends rely on: no two MACs or addresses alike, and everything inside its network."""
    subnets = {network.name: ipaddress.IPv4Network(network.subnet) for network in plant.networks}
    held = [each for holder in (*plant.nodes, *plant.routers) for each in holder.interfaces]
    assert len({each.mac for each in held}) == len(held)
    addresses = [node.address for node in plant.nodes] if not held else [each.address for each in held]
    farm = [each for network in plant.networks for each in (network.host, network.watch) if each]
    assert len({*addresses, *farm}) == len(addresses) + len(farm)
    assert all(ipaddress.IPv4Address(each.address) in subnets[each.network] for each in held)
    assert all(node.address == node.interfaces[0].address for node in plant.nodes if node.interfaces)
    assert set(plant.links) <= {node.name for node in plant.nodes}
    assert decode_plant(encode_plant(plant)) == plant
