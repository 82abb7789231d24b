"""A smaller plant in namespaces: a client for each node, and a segment that answers a broadcast whole."""

from pathlib import Path

import pytest

from tests.bench.scale import plant_of
from tests.soak import endurance, plant_load, plants

pytestmark = [pytest.mark.net, pytest.mark.timeout(180)]
NODES = 60


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    reason = plants.runs_here("netns")
    if reason:
        pytest.skip(reason)
    return Path(tmp_path_factory.mktemp("l"))


@pytest.mark.quiet
def test_every_node_serves_its_client_and_nothing_is_dropped(folder: Path) -> None:
    with plant_load.plant(folder, plant_of(NODES), "netns") as rows:
        assert len({row["address"] for row in rows}) == NODES
        assert all(row["address"].startswith("10.65.") for row in rows)
        assert {port for row in rows for port in row["ports"].values()} == {44818, 502}
        found = plant_load.load(rows, 2.0, 3.0)
    assert found.errors == []
    assert found.drops == {"backlog": 0, "neighbours": 0}
    assert len(found.seconds) >= NODES * 5


def test_a_broadcast_is_answered_by_every_node_of_the_segment_with_its_own_identity(folder: Path) -> None:
    with plant_load.plant(folder, plant_load.logix_plant(NODES, "10.66.0.0/16"), "netns") as rows:
        found = plant_load.broadcast("10.66.255.255", seconds=30, enough=NODES)
    assert found.keys() == {row["address"] for row in rows}
    assert len(set(found.values())) == NODES


def test_growth_is_that_of_the_line_through_the_samples() -> None:
    steady = endurance.Endurance([(at, 100.0 + at % 2) for at in range(0, 600, 10)])
    growing = endurance.Endurance([(at, 100.0 + at / 100) for at in range(0, 1200, 10)])
    assert abs(steady.growth(100)) < 0.001
    assert growing.growth(600) == pytest.approx(0.05, abs=0.01)
    assert endurance.Endurance([(1.0, 5.0)]).growth(0) == 0.0
