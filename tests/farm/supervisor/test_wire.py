"""A plant survives the way to its supervisor and back; whatever else comes is one clear error."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farm.errors import FarmError
from farm.supervisor.wire import decode_plant, encode_plant, pack, unpack
from farm.topology.plant import Origin
from tests.farm.plan.plants import node, plant

SHARED = {"tags.Level.type": Origin("plant.yaml", 7, 3), "profile": Origin("kinds.yaml", 2, 5)}
PLANT = replace(
    plant(node("pump-1"), node("pump-2"), node("meter-1", "127.64.2.1", modbus=True), shard="auto"),
    origins={"pump-1": SHARED, "pump-2": dict(SHARED), "meter-1": {"address": Origin("plant.yaml", 9, 1)}},
    warnings=("port 502 is not allowed",),
)


def test_a_plant_comes_back_as_it_was() -> None:
    assert decode_plant(unpack(pack(encode_plant(PLANT)))) == PLANT


def test_equal_tags_travel_once() -> None:
    body = encode_plant(PLANT)
    assert [tag["name"] for tag in body["tags"]] == ["Level"]
    assert [each["tags"] for each in body["nodes"]] == [[0]] * 3
    found = decode_plant(body).nodes
    assert found[0].tags[0] is found[1].tags[0]


def test_a_plant_with_all_tags_in_its_nodes_is_one_too() -> None:
    body = encode_plant(PLANT)
    tags = body.pop("tags")
    body["nodes"] = [{**each, "tags": [tags[number] for number in each["tags"]]} for each in body["nodes"]]
    assert decode_plant(body) == PLANT


def test_a_plant_that_was_kept_by_the_release_before_is_one_too() -> None:
    """A supervisor of this release that is started beside a farm of that one must not take it for no plant at all."""
    body = encode_plant(PLANT)
    del body["placement"]
    assert decode_plant(body) == PLANT


def test_equal_origins_travel_once() -> None:
    assert len(encode_plant(PLANT)["origins"]) == 2


@pytest.mark.parametrize("missing", sorted(set(encode_plant(PLANT)) - {"whereabouts", "placement"}))
def test_a_plant_with_something_missing_is_refused(missing: str) -> None:
    body = encode_plant(PLANT)
    del body[missing]
    with pytest.raises(FarmError, match="not a plant"):
        decode_plant(body)


def test_a_node_that_is_none_is_refused() -> None:
    body = encode_plant(PLANT)
    body["nodes"] = [{"name": "pump-1"}]
    with pytest.raises(FarmError, match="not a plant: ConfigError"):
        decode_plant(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(encode_plant(PLANT), JSON)))
def test_no_body_is_worse_than_an_error(body: dict[str, object]) -> None:
    try:
        decode_plant(body)
    except FarmError:
        return
    assert body.keys() | {"whereabouts", "tags", "placement"} == encode_plant(PLANT).keys()


@given(st.binary(max_size=60))
def test_no_line_is_worse_than_an_error(line: bytes) -> None:
    try:
        assert isinstance(unpack(line), dict)
    except FarmError as exc:
        assert "a line that is" in str(exc)
