"""What `farm up` says of a plant of thousands before it begins."""

from dataclasses import replace

import pytest

from farm.cli.up import large
from farm.topology.plant import Plant
from tests.farm.plan.plants import node, plant


def plant_of(nodes: int, shard: int | str) -> Plant:
    one = node("pump-1")
    return replace(plant(one), nodes=(one,) * nodes, shard=shard)


@pytest.mark.parametrize(("nodes", "shard"), [(12, 1), (1000, 1), (2500, 300)])
def test_of_most_plants_nothing_is_said(nodes: int, shard: int) -> None:
    assert large(plant_of(nodes, shard)) == ""


def test_of_thousands_it_says_how_often_they_report() -> None:
    assert large(plant_of(10_000, 300)) == "works: 10000 nodes in 34 processes, which report every 4 s"
    assert large(plant_of(1500, 1)) == "works: 1500 nodes in 1500 processes, which report every 2 s"
