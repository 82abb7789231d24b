"""The burden of a dashboard, small and short: what does not depend on how quick the machine is."""

from pathlib import Path

import pytest

from tests.bench.scale import plant_of
from tests.dashboard.browser.served import served
from tests.soak.dashboard import GIVEN_UP_S, VIEWERS, bereaved, crowd
from tests.soak.streams import Streams
from tests.waiting import until

pytestmark = [pytest.mark.net, pytest.mark.timeout(180)]


def test_streams_beyond_the_cap_are_refused_cleanly_and_viewers_survive_the_supervisor(tmp_path: Path) -> None:
    file = tmp_path / "plant.yaml"
    file.write_text(plant_of(10))
    with served(file) as plant:
        with Streams(plant.url, VIEWERS) as streams:
            until(lambda: len(streams.ages) > 2 * VIEWERS, "two frames for everybody")
        node = next(row for row in plant.rows().values() if "enip" in row["ports"])
        found = crowd(plant, node["name"], seconds=1.0) + bereaved(plant, node["address"], "LevelSP")
    timed = [each for each in found if each.unit in ("ms", "s")]
    assert {each.what: each.value for each in found if each not in timed and not each.good} == {}
    assert [each.value for each in timed if each.unit == "s" and each.value >= GIVEN_UP_S] == []
