"""One frame a second for everybody who follows, and no work for nobody."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from farm.backends.memory import MemoryBackend
from farm.supervisor import fleet as module
from farm.supervisor.events import EventLog
from farm.supervisor.fleet import FRAMES, FULL_EVERY, Fleet
from farm.supervisor.monitor import Monitor
from farm.supervisor.reach import reach
from farm.supervisor.roster import UP, Roster
from farm.supervisor.telemetry import Telemetry
from farm.topology.plant import Plant, Whereabouts
from farm.topology.wiring import NetworkSpec
from tests.farm.plan.plants import node, plant

NODES = [node(f"pump-{number}") for number in range(1, 5)]
PLANT = replace(plant(*NODES), whereabouts={"pump-1": Whereabouts("pump", ("cell",), "10.1.0.0/16", 1.0)})


class World:
    """A fleet of four nodes that are up, and a clock that moves when a test says so."""

    def __init__(self, path: Any) -> None:
        self.now = 100.0
        self.faults: dict[str, list[int]] = {}
        self.events = EventLog(wall=lambda: 1_000_000_000.0)
        telemetry = Telemetry()
        self.roster = Roster(self.events, telemetry)
        self.monitor = Monitor(
            self.roster,
            telemetry,
            self.events,
            lambda name: self.faults.get(name, []),
            clock=lambda: self.now,
            wall=lambda: 1_000_000_000.0 + self.now,
        )
        self.fleet = Fleet(
            "works",
            MemoryBackend(path),
            self.roster,
            telemetry,
            self.monitor,
            self.events,
            plant=lambda: PLANT,
            faults=lambda: len(self.faults),
        )
        self.want(*NODES)

    def want(self, *nodes: Any) -> None:
        self.roster.want(nodes)
        self.monitor.keep(self.roster.members)
        self.fleet.changed()
        for member in self.roster.members.values():
            member.state, member.pid = UP, 1
        self.report(**{each.name: 0 for each in nodes})

    def report(self, **requests: int | None) -> None:
        self.monitor.report(
            {
                name.replace("_", "-"): None if count is None else {"requests": count, "errors": 0, "uptime": self.now}
                for name, count in requests.items()
            }
        )

    def second(self, **requests: int | None) -> None:
        self.now += 1.0
        self.report(**{each.name: None for each in NODES} | requests)
        self.monitor.tick()
        self.fleet.tick()


@pytest.fixture
def world(tmp_path: Any) -> World:
    return World(tmp_path)


def run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(work(), 20))


async def frame(lines: Any) -> dict[str, Any]:
    line = json.loads(await anext(lines))
    assert line["event"] == "fleet", line
    found: dict[str, Any] = line["frame"]
    return found


def test_whoever_follows_gets_all_and_then_what_changed(world: World) -> None:
    async def work() -> None:
        lines = world.fleet.follow()
        first = await frame(lines)
        assert (first["full"], [entry[0] for entry in first["nodes"]]) == (True, [0, 1, 2, 3])
        world.second()
        assert (await frame(lines))["full"], "a change between the first and the next is not lost"
        world.second()
        assert (await frame(lines))["nodes"] == []
        world.second(**{"pump-2": 50})
        changed = await frame(lines)
        assert [entry[:3] for entry in changed["nodes"]] == [[1, "up", 16.7]], (
            "50 requests in the three seconds that it is known"
        )
        assert changed["farm"]["requests_per_s"] == 16.7
        assert changed["farm"]["conditions"]["up"] == 4
        assert changed["seq"] > first["seq"]
        await lines.aclose()
        assert world.fleet.watched == 0

    run(work)


def test_all_of_them_come_again_now_and_then_and_when_the_plant_changes(world: World) -> None:
    async def work() -> None:
        lines = world.fleet.follow()
        await anext(lines)
        full = []
        for _ in range(2 * FULL_EVERY):
            world.second()
            full.append((await frame(lines))["full"])
        assert full.count(True) == 3
        generation = world.fleet.generation
        world.want(*NODES[:2])
        world.second()
        changed = await frame(lines)
        assert (changed["full"], len(changed["nodes"]), changed["generation"] > generation) == (True, 2, True)

    run(work)


def test_a_node_that_does_not_report_is_news_each_second(world: World) -> None:
    async def work() -> None:
        lines = world.fleet.follow()
        await anext(lines)
        seen = []
        for _ in range(15):
            world.now += 1.0
            world.report(**{each.name: None for each in NODES[1:]})
            world.monitor.tick()
            world.fleet.tick()
            seen.append(await frame(lines))
        conditions = [next((entry[1] for entry in each["nodes"] if entry[0] == 0), None) for each in seen]
        assert conditions[1:3] == [None, None]
        assert conditions[3:9] == ["stale"] * 6
        assert conditions[10] == "down"
        assert world.fleet.rows.one("pump-1")["error"] == "no report for 15 s"
        assert seen[-1]["farm"]["conditions"]["down"] == 1

    run(work)


def test_a_fault_shows_at_once(world: World) -> None:
    world.faults["pump-3"] = [7]
    world.second()
    row = world.fleet.rows.one("pump-3")
    assert (row["condition"], row["faults"]) == ("fault", [7])
    assert world.fleet.farm()["conditions"]["fault"] == 1


def test_one_line_is_made_for_all_and_none_for_nobody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    packed: list[bytes] = []
    pack = module._pack

    def counted(body: dict[str, Any]) -> bytes:
        packed.append(pack(body))
        return packed[-1]

    monkeypatch.setattr(module, "_pack", counted)

    async def work() -> None:
        world.second()
        assert packed == []
        followers = [world.fleet.follow() for _ in range(20)]
        for each in followers:
            await anext(each)
        world.second()
        for each in followers:
            await anext(each)
        packed.clear()
        world.second(**{"pump-1": 5})
        lines = {await anext(each) for each in followers}
        assert (len(packed), len(lines)) == (1, 1)

    run(work)


def test_a_follower_that_does_not_read_keeps_little_and_delays_nobody(world: World) -> None:
    async def work() -> None:
        asleep, awake = world.fleet.follow(), world.fleet.follow()
        await anext(asleep)
        await anext(awake)
        for number in range(500):
            world.events.farm(f"event {number}")
            world.second(**{"pump-1": number})
            heard = [json.loads(await anext(awake)) for _ in range(2)]
            assert [each["event"] for each in heard] == ["log", "fleet"]
        kept = [len(each._frames) for each in world.fleet._followers]
        assert max(kept) <= FRAMES
        for number in range(1500):
            world.events.farm(f"event {number}")
        assert max(len(each._entries) for each in world.fleet._followers) == module.LOG_ENTRIES
        for follower in world.fleet._followers:
            while follower._entries or follower._frames:
                await follower.take()
        world.second()
        assert (await frame(asleep))["full"], "what it missed it gets whole"

    run(work)


def test_events_are_told_as_they_happen(world: World) -> None:
    async def work() -> None:
        lines = world.fleet.follow()
        await anext(lines)
        world.events.node("pump-1", "down", "it broke", actor="dashboard")
        told = json.loads(await anext(lines))
        assert (told["event"], told["entry"]["text"], told["entry"]["id"]) == ("log", "it broke", world.events.last)

    run(work)


def test_a_row_says_where_a_node_belongs(world: World) -> None:
    world.second(**{"pump-1": 50})
    row = world.fleet.rows.all()[0]
    assert (row["group"], row["network"], row["subnet"], row["level"]) == ("pump", "cell", "10.1.0.0/16", 1.0)
    assert (row["requests_per_s"], row["last_request_s"], row["requests"], row["id"]) == (50.0, 0.0, 50, 0)
    assert (world.fleet.rows.one("pump-2")["group"], world.fleet.rows.one("pump-2")["level"]) == ("", None)
    assert json.loads(json.dumps(row)) == row


def test_who_knows_what_does_not_move_of_rows_is_told_the_rest(world: World) -> None:
    world.second(**{"pump-1": 50})
    first = world.fleet.rows.since("")
    again = world.fleet.rows.since(first["edition"])
    assert (again["fixed"], again["edition"]) == (None, first["edition"])
    moving = [dict(zip(again["fields"], values, strict=True)) for values in again["moving"]]
    assert [fixed | rest for fixed, rest in zip(first["fixed"], moving, strict=True)] == world.fleet.rows.all()
    world.want(*NODES[1:], node("pump-1"))
    other = world.fleet.rows.since(first["edition"])
    assert [row["name"] for row in other["fixed"]] == ["pump-2", "pump-3", "pump-4", "pump-1"]
    assert [row["id"] for row in other["fixed"]] == [0, 1, 2, 3]
    assert [world.fleet.rows.one(name)["id"] for name in ("pump-1", "pump-2")] == [3, 0]
    world.want(*[member.config for member in world.roster.members.values()])
    assert world.fleet.rows.since(other["edition"])["fixed"] is None, "the same nodes, wanted once more"
    changed = replace(NODES[1], profile="1756-L83E")
    world.want(changed, *NODES[2:], node("pump-1"))
    last = world.fleet.rows.since(other["edition"])
    assert last["fixed"][0]["profile"] == "1756-L83E"


def test_no_edition_of_one_supervisor_is_one_of_another(world: World, tmp_path: Any) -> None:
    known = world.fleet.rows.since("")["edition"]
    assert World(tmp_path).fleet.rows.since(known)["fixed"] is not None


def test_from_where_nodes_are_reached(tmp_path: Any) -> None:
    class Spaces(MemoryBackend):
        whereabouts = "pf-12345678"

    uplink = NetworkSpec("wire", "10.0.0.0/24", "10.0.0.253", uplink="eth1")
    real = Plant("works", "", "netns", 1, (), networks=(uplink,))
    docker = MemoryBackend(tmp_path)
    docker.name = "docker"
    assert reach(MemoryBackend(tmp_path), None) == ("loopback only", "loopback")
    assert reach(Spaces(tmp_path), None) == ("namespace pf-12345678", "namespace")
    assert reach(Spaces(tmp_path), real) == ("bridged to eth1", "real")
    assert reach(docker, None) == ("docker", "docker")


def large(world: World) -> None:
    """The four nodes report every two seconds, as many would."""
    world.monitor.pace.every = 2
    world.monitor.paced()


def test_of_nodes_that_report_every_few_seconds_a_frame_looks_at_some(world: World) -> None:
    large(world)

    async def work() -> None:
        lines = world.fleet.follow()
        await anext(lines)
        world.second()
        assert (await frame(lines))["full"]
        seen = []
        for second in range(1, 5):
            world.second(**{each.name: 50 * second for each in NODES})
            seen.append({entry[0] for entry in (await frame(lines))["nodes"]})
        assert seen[1] | seen[2] == {0, 1, 2, 3}, "after as many seconds as lie between two reports all were looked at"
        assert all(len(each) <= 2 for each in seen)
        assert world.fleet.rows.one("pump-1")["requests_per_s"] > 0

    run(work)


def test_a_state_that_changes_shows_at_once_in_a_large_farm_too(world: World) -> None:
    large(world)

    async def work() -> None:
        lines = world.fleet.follow()
        await anext(lines)
        world.second()
        await anext(lines)
        for member in world.roster.members.values():
            world.roster.set_state(member, "down", "it broke")
        world.second()
        await anext(lines)  # events first
        found = [json.loads(await anext(lines)) for _ in range(4)]
        (last,) = [each["frame"] for each in found if each["event"] == "fleet"]
        assert [entry[:2] for entry in last["nodes"]] == [[number, "down"] for number in range(4)]

    run(work)


def test_what_nobody_followed_is_not_gone_on_with(world: World) -> None:
    large(world)

    async def work() -> None:
        first = world.fleet.follow()
        await anext(first)
        world.second()
        await first.aclose()
        for second in range(1, 4):
            world.second(**{each.name: 70 * second for each in NODES})
        again = world.fleet.follow()
        begun = await frame(again)
        assert all(entry[2] > 0 for entry in begun["nodes"])
        world.second(**{each.name: 280 for each in NODES})
        whole = await frame(again)
        assert whole["full"] and all(entry[2] > 0 for entry in whole["nodes"])

    run(work)
