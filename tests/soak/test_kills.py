"""A few rounds of what `make soak` does fifty times, and the node that comes back while its neighbour is read."""

import random
from pathlib import Path

import pytest

from tests.soak import kills, plants


@pytest.mark.net
@pytest.mark.timeout(240)
@pytest.mark.parametrize("backend", ["process", "netns"])
def test_kill_at_random_moments_leaves_nothing(tmp_path_factory: pytest.TempPathFactory, backend: str) -> None:
    reason = plants.runs_here(backend)
    if reason:
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("k")
    with plants.decoys():
        farm = kills.Farm(Path(folder) / "run", plants.PLANTS[backend], backend)
        spans = kills.spans(farm)
        chance = random.Random(20161122)
        rounds = [kills.one(farm, chance, spans) for _ in range(5)]
    assert [str(outcome) for outcome in rounds if not outcome.clean] == []
