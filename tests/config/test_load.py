"""Configurations as JSON and back, and what is said of JSON that is none."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.config.load import dump, load
from node.config.model import NodeConfig
from node.errors import ConfigError
from tests.config.configs import GATEWAY, nodes

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(nodes())
def test_what_was_dumped_loads_as_it_was(config: NodeConfig) -> None:
    assert load(json.loads(json.dumps(dump(config))), "node.json") == config


def test_every_field_survives() -> None:
    assert load(json.loads(json.dumps(dump(GATEWAY))), "node.json") == GATEWAY


def test_what_is_as_the_model_has_it_is_left_out() -> None:
    tag = dump(GATEWAY)["tags"]
    assert isinstance(tag, list)
    assert tag[2] == {"name": "Name", "type": "SSTRING", "initial": "pump", "access": "read only"}


@given(plain)
def test_anything_else_is_a_config_error(body: object) -> None:
    with pytest.raises(ConfigError):
        load(body, "node.json")


@given(st.data())
def test_a_damaged_one_loads_or_is_a_config_error(data: st.DataObject) -> None:
    body: Any = json.loads(json.dumps(dump(GATEWAY)))
    place = body
    while True:
        keys = sorted(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(plain)
    try:
        config = load(body, "node.json")
    except ConfigError as exc:
        assert str(exc).startswith("node.json: ")
    else:
        assert load(dump(config), "again") == config


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("addres",), "x", "unknown key 'addres'; known: name kind profile address tags enip modbus"),
        (("tags", 0, "kind"), 1, "unknown key 'tags[0].kind'; known: name type dimensions"),
        (("tags", 0, "name"), 5, "tags[0].name: got 5, wanted a text"),
        (("tags", 0, "dimensions"), 5, "tags[0].dimensions: got 5, wanted a list"),
        (("tags", 0, "dimensions"), [True], "tags[0].dimensions[0]: got True, wanted a whole number"),
        (("tags", 0, "address"), [1, 2], "tags[0].address: got 2 values, wanted 3"),
        (("tags", 0, "initial"), {}, "tags[0].initial: got {}, wanted a list"),
        (("tags", 0, "signal"), "sine", "tags[0].signal: got 'sine', wanted an object"),
        (("tags", 0, "signal", "kind"), "sinus", "tags.Level.signal: signal 'sinus' is unknown"),
        (("tags", 0, "type"), "FLOAT", "tags.Level.type: type 'FLOAT' is unknown"),
        (("enip", "port"), "x", "enip.port: got 'x', wanted a whole number"),
        (("enip", "idle_timeout"), None, "enip.idle_timeout: got null, wanted a number"),
        (("enip", "identity"), [], "enip.identity: got [], wanted an object"),
        (("modbus", "units", 0, "unit_id"), 300, "modbus.units.300: a unit id is 0 to 255"),
        (("name",), None, "name: got null, wanted a text"),
    ],
)
def test_errors_name_the_place_and_what_was_wanted(path: tuple[str | int, ...], value: object, said: str) -> None:
    body: Any = json.loads(json.dumps(dump(GATEWAY)))
    place = body
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(ConfigError) as caught:
        load(body, "node.json")
    assert said in caught.value.message
    assert caught.value.source == "node.json"


def test_a_missing_key_is_named() -> None:
    body = dump(GATEWAY)
    del body["address"]
    with pytest.raises(ConfigError, match="key 'address' is missing"):
        load(body, "node.json")


def test_a_whole_number_does_for_a_number() -> None:
    body = dump(GATEWAY)
    assert isinstance(body["enip"], dict)
    body["enip"]["idle_timeout"] = 5
    loaded = load(body, "node.json")
    assert loaded.enip is not None
    assert loaded.enip.idle_timeout == 5.0
