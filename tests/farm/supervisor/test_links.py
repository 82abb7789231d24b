"""Links of a living farm: shaped by plan and by command, played by nodes where the platform cannot, and told again."""

import json
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from farm.backends.observed import ObservedShard
from farm.errors import FarmError
from farm.supervisor.links import described, rate_text
from farm.supervisor.supervisor import Supervisor
from farm.topology.wiring import GOOD, LinkQuality, Shaping
from tests.farm.plan.plants import node, plant
from tests.farm.supervisor.platform import Platform, new_platform
from tests.farm.supervisor.test_supervisor import apply, live
from tests.waiting import eventually

pytestmark = pytest.mark.net

WORKS = plant(replace(node("pump-1"), delay=(0.1, 0.2)), node("pump-2"))
SLOW = LinkQuality(delay=0.5, jitter=0.1)


class Telling(Platform):
    """Answers every command of the supervisor, and remembers it."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.told: list[tuple[str, str, Any]] = []

    def listen(self, shard: str) -> None:
        """Answers the commands that have come."""
        stream: socket.socket = self._streams[shard]
        stream.setblocking(False)
        try:
            lines = stream.recv(65536).splitlines()
        except BlockingIOError:
            return
        for line in lines:
            message = json.loads(line)
            self.told.append((message["node"], message["path"], message["value"]))
            self.say(shard, {"type": "answer", "id": message["id"], "value": None})


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Telling]:
    found = new_platform(tmp_path)
    telling = Telling(found.run)
    yield telling
    telling.close()


async def told(platform: Telling, count: int) -> None:
    def heard() -> bool:
        for shard in platform.running():
            platform.listen(shard)
        return len(platform.told) >= count

    await eventually(heard)


def row(farm: Supervisor, name: str) -> dict[str, Any]:
    return next(each for each in farm.rows() if each["name"] == name)


def test_a_node_plays_what_is_left_to_it_beside_its_own_delay(platform: Telling) -> None:
    async def work(farm: Supervisor) -> None:
        await apply(farm, replace(WORKS, links={"pump-1": SLOW}))
        await told(platform, 1)
        (name, path, value), *_ = platform.told
        assert (name, path, value) == ("pump-1", "options/delay", [pytest.approx(0.5), pytest.approx(0.8)])
        assert row(farm, "pump-1")["link"] == "delay 500 ms ± 100 ms (by the node) [in a dict]"
        assert row(farm, "pump-2")["link"] == ""

    live(platform, work)


def test_a_node_that_is_started_again_is_told_again(platform: Telling) -> None:
    async def work(farm: Supervisor) -> None:
        await apply(farm, replace(WORKS, links={"pump-2": SLOW}))
        await told(platform, 1)
        platform.die("pump-2")
        await eventually(lambda: row(farm, "pump-2")["state"] == "up" and row(farm, "pump-2")["restarts"] == 1)
        await told(platform, 2)
        assert platform.told[-1] == ("pump-2", "options/delay", [pytest.approx(0.4), pytest.approx(0.6)])

    live(platform, work)


@pytest.mark.parametrize("again", [False, True], ids=["at first", "again"])
def test_a_node_that_is_quicker_than_its_platform_says_is_told(platform: Telling, again: bool) -> None:
    """It listens before the supervisor knows of its process."""

    def slow_start(shard: str) -> ObservedShard:
        found = start(shard)
        time.sleep(0.2)  # in a thread: the supervisor reads on
        return found

    async def work(farm: Supervisor) -> None:
        if not again:
            platform.start = slow_start  # type: ignore[method-assign]
        await apply(farm, replace(WORKS, links={"pump-2": SLOW}))
        await told(platform, 1)
        if again:
            platform.start = slow_start  # type: ignore[method-assign]
            platform.die("pump-2")
            await told(platform, 2)
        assert {name for name, _, _ in platform.told} == {"pump-2"}

    start = platform.start
    live(platform, work)


def test_a_link_is_changed_by_command_and_is_back_with_the_file(platform: Telling) -> None:
    async def work(farm: Supervisor) -> None:
        await apply(farm, WORKS)
        await farm.link(["pump-1", "pump-2"], {"loss": 2.0}, lambda event: None)
        assert [row(farm, name)["link"] for name in ("pump-1", "pump-2")] == ["loss 2 % [in a dict]"] * 2
        await farm.link(["pump-1"], {"rate": 9600}, lambda event: None)
        assert row(farm, "pump-1")["link"] == "loss 2 %, rate 9.6 kbit/s [in a dict]"
        done = await apply(farm, WORKS)
        assert [line.split(maxsplit=1)[1] for line in done["plan"]] == [
            "shape link of pump-1: made good",
            "shape link of pump-2: made good",
        ]
        assert row(farm, "pump-1")["link"] == ""

    live(platform, work)


def test_a_node_behind_a_link_that_is_down_counts_as_up_when_it_listens(platform: Telling) -> None:
    platform.silent = {"pump-2"}

    async def work(farm: Supervisor) -> None:
        await apply(farm, replace(WORKS, links={"pump-2": LinkQuality(up=False)}))
        assert row(farm, "pump-2")["state"] == "up"
        assert row(farm, "pump-2")["link"] == "down [in a dict]"
        assert "pump-2" not in platform.probed

    live(platform, work)


def test_a_supervisor_that_comes_after_knows_the_links(platform: Telling) -> None:
    async def first(farm: Supervisor) -> None:
        await apply(farm, replace(WORKS, links={"pump-1": SLOW}))

    async def second(farm: Supervisor) -> None:
        assert row(farm, "pump-1")["link"].startswith("delay 500 ms")

    live(platform, first)
    live(platform, second)


def test_an_unknown_node_and_an_impossible_link_are_refused(platform: Telling) -> None:
    async def work(farm: Supervisor) -> None:
        await apply(farm, WORKS)
        with pytest.raises(FarmError, match="no node named 'pump-9'"):
            await farm.link(["pump-9"], {"loss": 2.0}, lambda event: None)
        with pytest.raises(FarmError, match="a link cannot be"):
            await farm.link(["pump-1"], {"loss": 200}, lambda event: None)
        assert farm.state.plant is not None
        assert farm.state.plant.links == {}

    live(platform, work)


@pytest.mark.parametrize(
    ("shaping", "text"),
    [
        (Shaping(GOOD, "by nothing"), ""),
        (Shaping(LinkQuality(delay=0.04), "delay by netem"), "delay 40 ms [delay by netem]"),
        (Shaping(LinkQuality(rate=9600, up=False), "rate by tbf"), "rate 9.6 kbit/s, down [rate by tbf]"),
    ],
)
def test_how_a_link_is_described(shaping: Shaping, text: str) -> None:
    assert described(shaping) == text


@pytest.mark.parametrize(
    ("rate", "text"), [(300, "300 bit/s"), (9600, "9.6 kbit/s"), (10**6, "1 Mbit/s"), (10**9, "1 Gbit/s")]
)
def test_rates_are_written_as_people_do(rate: int, text: str) -> None:
    assert rate_text(rate) == text
