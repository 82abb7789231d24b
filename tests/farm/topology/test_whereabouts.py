"""Where nodes belong, for people: the same on every backend, and over the wire."""

from pathlib import Path

import pytest

from farm.supervisor.wire import decode_plant, encode_plant
from farm.topology import load_plant
from farm.topology.plant import Whereabouts

PLANT = """
farm: 1
name: works
networks:
  cell: {subnet: 10.10.0.0/16, purdue: 1}
  dmz: {subnet: 10.35.0.0/24, purdue: 3.5}
groups:
  pump: {count: 2, name: "pump-${i}", kind: logix, network: cell, tags: {Level: REAL}}
nodes:
  gate: {kind: gateway, network: dmz, interfaces: {cell: {}}, tags: {Level: REAL}, holding: {"40001": {tag: Level}}}
  free: {kind: logix, tags: {Level: REAL}}
"""


@pytest.mark.parametrize(
    ("backend", "subnets"),
    [
        ("netns", ("10.10.0.0/16", "10.35.0.0/24", "10.64.0.0/10")),
        ("process", ("127.10.0.0/16", "127.35.0.0/24", "127.64.0.0/10")),
    ],
)
def test_a_node_has_a_group_networks_and_a_level(tmp_path: Path, backend: str, subnets: tuple[str, ...]) -> None:
    (tmp_path / "plant.yaml").write_text(PLANT)
    plant = load_plant(tmp_path / "plant.yaml", backend=backend)
    cell, dmz, default = subnets
    assert plant.whereabouts == {
        "pump-1": Whereabouts("pump", ("cell",), cell, 1.0),
        "pump-2": Whereabouts("pump", ("cell",), cell, 1.0),
        "gate": Whereabouts("", ("dmz", "cell"), dmz, 3.5),
        "free": Whereabouts("", (), default, None),
    }
    body = encode_plant(plant)
    assert decode_plant(body).whereabouts == plant.whereabouts
    del body["whereabouts"]
    assert decode_plant(body).whereabouts == {}, "a state on disk of an older version"
