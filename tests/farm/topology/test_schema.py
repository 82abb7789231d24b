"""The JSON Schema and the loader: made of one table, and here held to the same answers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from farm.topology import schema
from farm.topology.keys import PLANT
from farm.topology.shapes import Key, NotYet, Section, sections
from tests.farm.topology.plants import HEAD, problems

ROOT = Path(__file__).resolve().parents[3]
PLANTS = sorted((ROOT / "topologies").glob("*.yaml"))


class TextKeys(yaml.SafeLoader):
    """YAML as an editor's schema check sees it: keys are texts."""


def _mapping(loader: TextKeys, node: yaml.MappingNode) -> dict[str, Any]:
    return {key.value: loader.construct_object(value, deep=True) for key, value in node.value}


TextKeys.add_constructor("tag:yaml.org,2002:map", _mapping)


def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema())


def valid(text: str) -> bool:
    return bool(validator().is_valid(yaml.load(text, Loader=TextKeys)))


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("path", PLANTS, ids=lambda path: path.name)
def test_shipped_plants_are_valid(path: Path) -> None:
    found = [
        f"{error.json_path}: {error.message}"
        for error in validator().iter_errors(yaml.load(path.read_text(), TextKeys))
    ]
    assert found == []


def places() -> Iterator[tuple[Section, str]]:
    """Every section, and a plant file with a %s where a key of that section may stand."""
    texts = {
        "plant": "%s\nnodes: {p: {kind: logix}}",
        "network": "networks: {default: {subnet: 127.64.0.0/10, %s}}\nnodes: {p: {kind: logix}}",
        "host": "hosts: {h: {url: 'unix:///h', %s}}\nnodes: {p: {kind: logix}}",
        "gateway": "gateways: {fw: {between: [a, b], %s}}\nnodes: {p: {kind: logix}}",
        "link": "links: {p: {%s}}\nnodes: {p: {kind: logix}}",
        "interface": "nodes: {p: {kind: logix, interfaces: {default: {%s}}}}",
        "defaults": "defaults: {kind: logix, %s}\nnodes: {p: {}}",
        "kind": "kinds: {k: {extends: logix, %s}}\nnodes: {p: {kind: logix}}",
        "template": "templates: {t: {%s}}\nnodes: {p: {kind: logix}}",
        "group": "groups: {g: {count: 1, kind: logix, %s}}",
        "node": "nodes: {p: {kind: logix, %s}}",
        "tag": "nodes: {p: {kind: logix, tags: {T: {type: REAL, %s}}}}",
        "member": "nodes: {p: {kind: logix, tags: {T: {type: TIMER, members: {PRE: {%s}}}}}}",
        "program": "nodes: {p: {kind: logix, programs: {Main: {%s}}}}",
        "block": "nodes: {p: {kind: modbus, holding: {'40001': {%s}}}}",
        "unit": "nodes: {p: {kind: modbus, units: {1: {%s}}}}",
        "identity": "nodes: {p: {kind: logix, identity: {%s}}}",
        "device_id": "nodes: {p: {kind: modbus, device_id: {%s}}}",
        "enip": "nodes: {p: {kind: logix, enip: {%s}}}",
        "modbus": "nodes: {p: {kind: modbus, modbus: {%s}}}",
        "serial": "nodes: {p: {kind: modbus, modbus: {serial: {device: /dev/ttyS0, %s}}}}",
        "tls": "nodes: {p: {kind: modbus, modbus: {tls: {certificate: a, key: b, %s}}}}",
        "signal": "nodes: {p: {kind: logix, tags: {T: {type: REAL, signal: {%s}}}}}",
    }
    for section in sections(PLANT):
        name, _, wave = section.name.partition("-")
        yield section, HEAD + (texts[name].replace("{%s}", f"{{{wave}: {{%s}}}}") if wave else texts[name])


def test_every_section_is_tried() -> None:
    assert {section.name for section, _ in places()} == set(schema()["$defs"])  # type: ignore[call-overload]


@pytest.mark.parametrize(("section", "text"), list(places()), ids=lambda value: getattr(value, "name", ""))
def test_a_key_unknown_to_one_is_unknown_to_the_other(tmp_path: Path, section: Section, text: str) -> None:
    text = text % "nonsense: 1"
    assert not valid(text)
    assert [problem.code for problem in problems(tmp_path, text) if "nonsense" in problem.message] == ["F010"]


@pytest.mark.parametrize(("section", "text"), list(places()), ids=lambda value: getattr(value, "name", ""))
def test_keys_known_to_one_are_known_to_the_other(tmp_path: Path, section: Section, text: str) -> None:
    defined: dict[str, Any] = schema()["$defs"][section.name]  # type: ignore[index]
    assert list(defined["properties"]) == [key.name for key in section.keys]
    assert defined["additionalProperties"] is False


@pytest.mark.parametrize(
    "key", [key for key in PLANT.keys if isinstance(key.shape, NotYet)], ids=lambda key: str(key.name)
)
def test_keys_of_a_later_release_are_refused_by_both(tmp_path: Path, key: Key) -> None:
    text = f"{HEAD}{key.name}: {{}}\nnodes: {{p: {{kind: logix}}}}\n"
    assert not valid(text)
    (found,) = problems(tmp_path, text)
    assert found.code == "F014" and "not there yet" in found.message


@pytest.mark.parametrize(
    "node",
    [
        "{kind: logix, tags: {A: FLOAT}}",
        "{kind: logix, tags: {A: {type: REAL, writable: 1}}}",
        "{kind: logix, tags: {A: {type: REAL, signal: sinus}}}",
        "{kind: logix, enip: {port: 70000}}",
        "{kind: logix, enip: {idle_timeout: soon}}",
        "{kind: logix, identity: {revision: x}}",
        "{kind: modbus, holding: {'40001': {order: ABDC}}}",
        "{kind: modbus, modbus: {framing: udp}}",
        "{kind: modbus, modbus: {serial: {device: /dev/ttyS0, baud: 9601}}}",
        "{kind: modbus, modbus: {serial: {device: COM1}}}",
        "{kind: modbus, modbus: {serial: {device: /dev/ttyS0, format: 8X1}}}",
        "{kind: logix, profile: S7}",
        "{kind: logix, latency: soon}",
        "{kind: logix, loss: 2}",
        "{kind: logix, link: {rate: fast}}",
        "{kind: logix, link: {require: node}}",
        "{kind: logix, mac: '02:fa'}",
        "{kind: logix, interfaces: {super: [10.30.0.1]}}",
        "{kind: logix, hostname: a b}",
        "[logix]",
    ],
)
def test_values_refused_by_both(tmp_path: Path, node: str) -> None:
    text = f"{HEAD}nodes: {{p: {node}}}\n"
    assert not valid(text)
    assert problems(tmp_path, text)


@pytest.mark.parametrize(
    "node",
    [
        "null",
        "{kind: logix, tags: {A: null}}",
        '{kind: logix, tags: {A: {type: REAL, init: "${X:-1}"}}}',
        "{kind: logix, enip: {idle_timeout: 5m, max_connections: '${X:-1}'}}",
        "{kind: modbus, holding: {'40001-40002': [1, 2], '@7': {order: cdab}, 40009: REAL, '40020': int16}}",
        "{kind: modbus, modbus: {serial: {device: '/dev/ttyS${i}', baud: 9600, format: 8N2, pty: false}, udp: true}}",
        "{kind: logix, use: tank}",
        "{kind: logix, use: [tank]}",
        "{kind: logix, latency: 40ms±10ms, loss: 0.5%, rate: 9.6kbit}",
        "{kind: logix, link: {delay: 40ms+-10ms, up: false, require: kernel}}",
        "{kind: logix, mac: '02-FA-00-00-00-01', hostname: '${name}.plant', gateway: none}",
        "{kind: logix, interfaces: {super: 10.30.0.1, cell: {mac: '02:fa:00:00:00:02'}, dmz: {}, it: null}}",
    ],
)
def test_values_taken_by_the_schema(node: str) -> None:
    assert valid(f"{HEAD}nodes: {{p: {node}}}\n")
