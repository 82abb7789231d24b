"""The burden of a dashboard, small and short: what does not depend on how quick the machine is."""

from pathlib import Path

import pytest

from tests.bench.scale import plant_of
from tests.dashboard.browser.served import served, until
from tests.soak.dashboard import VIEWERS, bereaved, crowd
from tests.soak.streams import Streams

pytestmark = [pytest.mark.net, pytest.mark.timeout(180)]


def test_streams_beyond_the_cap_are_refused_cleanly_and_viewers_survive_the_supervisor(tmp_path: Path) -> None:
    file = tmp_path / "plant.yaml"
    file.write_text(plant_of(10))
    with served(file) as plant:
        with Streams(plant.url, VIEWERS) as streams:
            until(lambda: len(streams.ages) > 2 * VIEWERS, "two frames for everybody")
        node = next(row for row in plant.rows().values() if "enip" in row["ports"])
        found = {each.what: each for each in crowd(plant, node["name"]) + bereaved(plant, node["address"], "LevelSP")}
    timed = {what for what, each in found.items() if each.unit == "ms"}
    assert {what: each.value for what, each in found.items() if what not in timed and not each.good} == {}
