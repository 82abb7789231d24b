"""Faults that are on: chosen once, told to nodes again and again, ended on time, known to the next supervisor."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any

import pytest

from farm.errors import FarmError
from farm.supervisor.events import EventLog
from farm.supervisor.faults import Faults, Wish, has_tag
from farm.supervisor.roster import UP, Roster
from farm.supervisor.telemetry import Telemetry
from node.config.model import ModbusConfig
from tests.farm.plan.plants import node

SLOW = {"kind": "slow", "seconds": 0.2}
FREEZE = {"kind": "freeze", "tag": "Level"}


class World:
    """Ten pumps that take faults, and a meter that has other tags."""

    def __init__(self) -> None:
        self.now = 100.0
        self.saved = 0
        self.events = EventLog(wall=lambda: 1_000_000_000.0)
        self.roster = Roster(self.events, Telemetry())
        nodes = [node(f"pump-{number}") for number in range(1, 11)]
        self.roster.want([*nodes, node("meter-99", tags=("Power",))])
        for member in self.roster.members.values():
            member.state, member.listening = UP, True
        self.nodes: dict[str, dict[int, Mapping[str, Any]]] = {name: {} for name in self.roster.members}
        self.refusing: set[str] = set()
        self.hanging: dict[str, asyncio.Event] = {}
        self.faults = self.supervised()

    def supervised(self) -> Faults:
        return Faults(
            self.roster,
            self.tell,
            self.events,
            self.save,
            clock=lambda: self.now,
            wall=lambda: 1_000_000_000.0 + self.now,
        )

    async def save(self) -> None:
        self.saved += 1

    async def tell(self, name: str, path: str, value: Any) -> Any:
        await asyncio.sleep(0)
        if name in self.hanging:
            await self.hanging[name].wait()
        has = self.nodes[name]
        if path == "faults":
            return [dict(each) for each in has.values()]
        if path == "faults/add":
            if name in self.refusing:
                raise FarmError(f"{name}: it will not")
            has[value["id"]] = value
        else:
            _, number, action = path.split("/")
            assert action == "clear"
            has.pop(int(number), None)
        return None

    async def add(self, spec: Mapping[str, Any], *nodes: str, **more: Any) -> dict[str, Any]:
        rows = [
            {"name": name, "kind": member.config.kind, "state": member.state}
            for name, member in self.roster.members.items()
        ]
        return await self.faults.add(Wish(spec, nodes, **more), rows, "works", "cli")

    def having(self, number: int) -> list[str]:
        return [name for name, has in self.nodes.items() if number in has]


async def until_told(world: World, number: int, nodes: list[str]) -> None:
    """Waits until a fault is on these nodes, as they have it."""
    for _ in range(1000):
        if world.having(number) == nodes:
            return
        await asyncio.sleep(0)
    assert world.having(number) == nodes


def run(work: Callable[[World], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(work(World()))


@pytest.mark.parametrize("spec", [{"kind": "wrong-unit"}, {"kind": "exception", "code": 4}])
def test_what_is_of_modbus_alone_is_put_on_who_speaks_it(spec: dict[str, Any]) -> None:
    async def work(world: World) -> None:
        with pytest.raises(FarmError, match="none of these nodes speaks Modbus"):
            await world.add(spec, "pump-*")
        for name in ("pump-2", "pump-4"):
            member = world.roster.members[name]
            member.config = replace(member.config, modbus=ModbusConfig())
        assert (await world.add(spec, "pump-*"))["nodes"] == ["pump-2", "pump-4"]
        with pytest.raises(FarmError, match="pump-1 speaks no Modbus, and fault"):
            await world.add(spec, "pump-1", "pump-2")

    run(work)


def test_a_fault_is_put_on_listed_and_cleared() -> None:
    async def work(world: World) -> None:
        shown = await world.add(SLOW, "pump-[123]", seconds=60.0)
        assert (shown["id"], shown["kind"], shown["seconds"]) == (1, "slow", 0.2)
        assert shown["nodes"] == ["pump-1", "pump-2", "pump-3"] == world.having(1)
        assert (shown["for_s"], shown["left_s"], shown["actor"], shown["where"]) == (60.0, 60.0, "cli", "pump-[123]")
        assert world.nodes["pump-1"][1]["for"] == 60.0
        assert (world.faults.on("pump-1"), world.faults.on("pump-4"), world.faults.count) == ([1], [], 1)
        world.now += 20
        assert world.faults.listed()[0]["left_s"] == 40.0
        assert await world.faults.clear([1], "dashboard") == [1]
        assert (world.having(1), world.faults.listed(), world.faults.on("pump-1")) == ([], [], [])
        kinds = {(event["kind"], event["actor"]) for event in world.events.recent()}
        assert kinds == {("fault", "cli"), ("fault", "dashboard")}
        assert world.saved == 2

    run(work)


def test_it_ends_on_time() -> None:
    async def work(world: World) -> None:
        await world.add(SLOW, "pump-1", seconds=10.0)
        await world.add(SLOW, "pump-1")
        world.now += 9.9
        await world.faults.tick()
        assert world.having(1) == ["pump-1"]
        world.now += 0.2
        await world.faults.tick()
        await until_told(world, 1, [])
        assert world.having(2) == ["pump-1"]
        assert world.events.recent()[-1]["text"].startswith("over: ")

    run(work)


def test_a_node_that_does_not_answer_holds_up_nobody_when_a_fault_ends() -> None:
    """Frames are made by who ends faults on time."""

    async def work(world: World) -> None:
        await world.add(SLOW, "pump-1", seconds=10.0)
        world.hanging["pump-1"] = asyncio.Event()
        world.now += 11
        await asyncio.wait_for(world.faults.tick(), 1)
        assert (world.faults.count, world.having(1)) == (0, ["pump-1"])
        world.hanging.pop("pump-1").set()
        await until_told(world, 1, [])

    run(work)


def test_a_fault_that_was_cleared_while_nodes_were_told_of_it_does_not_come_back() -> None:
    async def work(world: World) -> None:
        for refusing in (("pump-1",), ("pump-1", "pump-2")):
            world.refusing = set(refusing)
            world.hanging["pump-2"] = asyncio.Event()
            adding = asyncio.create_task(world.add(SLOW, "pump-[12]"))
            await asyncio.sleep(0)
            clearing = asyncio.create_task(world.faults.clear(None, "dashboard"))
            await asyncio.sleep(0)
            world.hanging.pop("pump-2").set()
            await clearing
            with contextlib.suppress(FarmError):
                await adding
            assert (world.faults.listed(), world.faults.on("pump-2")) == ([], [])

    run(work)


def test_a_share_of_the_nodes_is_drawn_by_the_seed() -> None:
    async def work(world: World) -> None:
        first = await world.add(SLOW, "pump-*", percent=30, seed=5)
        again = await world.add(SLOW, "pump-*", percent=30, seed=5)
        other = await world.add(SLOW, "pump-*", percent=30, seed=6)
        assert len(first["nodes"]) == 3
        assert first["nodes"] == again["nodes"] != other["nodes"]
        assert len((await world.add(SLOW, "pump-*", percent=1))["nodes"]) == 1
        assert world.nodes[first["nodes"][0]][1]["seed"] == 5

    run(work)


def test_nodes_are_those_that_have_the_tag() -> None:
    async def work(world: World) -> None:
        assert len((await world.add(FREEZE))["nodes"]) == 10
        assert (await world.add({"kind": "freeze", "tag": "*"}, where=["name=m*"]))["nodes"] == ["meter-99"]

    run(work)


def test_a_path_behind_a_tag_is_the_tag() -> None:
    config = node("pump-1", tags=("Level", "Line"))
    assert [has_tag(config, tag) for tag in ("level", "Line[3].Speed", "Level.3", "Lev", "Levels", "*")] == [
        *(True, True, True),
        *(False, False, True),
    ]


@pytest.mark.parametrize(
    ("spec", "more", "error", "hint"),
    [
        ({"kind": "slwo"}, {}, "slwo", ""),
        (SLOW, {"nodes": ["pmup-1"]}, "there is no node 'pmup-1' in works", "did you mean 'pump-1'?"),
        (SLOW, {"where": ["state=down"]}, "no node of works is so: state=down", "`farm ps` shows how they are"),
        (SLOW, {"where": ["colour=red"]}, "colour=red: wanted FIELD=VALUE", ""),
        (SLOW, {"percent": 0.0}, "0 per cent of the nodes", ""),
        (SLOW, {"seconds": 0.0}, "for 0 seconds: wanted a time above 0", ""),
        ({"kind": "freeze", "tag": "Levl"}, {"nodes": ["pump-1"]}, "pump-1 has no tag 'Levl'", "did you mean 'Level'?"),
        (FREEZE, {"nodes": ["pump-1", "meter-99"]}, "meter-99 has no tag 'Level'", "`farm tags meter-99` lists them"),
        (
            {"kind": "freeze", "tag": "X"},
            {},
            "there is on none of these nodes a tag 'X'",
            "`farm tags pump-1` lists them",
        ),
    ],
)
def test_a_wish_that_cannot_be_is_one_line(spec: dict[str, Any], more: dict[str, Any], error: str, hint: str) -> None:
    async def work(world: World) -> None:
        with pytest.raises(FarmError) as caught:
            await world.add(spec, *more.pop("nodes", ()), **more)
        assert error in str(caught.value)
        assert hint in caught.value.hint
        assert world.faults.count == 0

    run(work)


def test_a_node_that_refuses_is_left_out_and_where_all_do_there_is_no_fault() -> None:
    async def work(world: World) -> None:
        world.refusing = {"pump-2"}
        shown = await world.add(SLOW, "pump-[12]")
        assert (shown["nodes"], world.faults.on("pump-2")) == (["pump-1"], [])
        assert any("not taken" in event["text"] for event in world.events.recent())
        with pytest.raises(FarmError, match="pump-2: it will not"):
            await world.add(SLOW, "pump-2")
        assert world.faults.count == 1

    run(work)


def test_a_node_that_was_started_anew_is_told_again_with_what_is_left() -> None:
    async def work(world: World) -> None:
        await world.add(SLOW, "pump-1", seconds=60.0)
        world.nodes["pump-1"].clear()
        world.now += 45
        await world.faults.play(world.roster.members["pump-1"])
        assert world.nodes["pump-1"][1]["for"] == 15.0

    run(work)


def test_a_node_that_is_down_is_told_when_it_is_ready() -> None:
    async def work(world: World) -> None:
        world.roster.members["pump-2"].listening = False
        await world.add(SLOW, "pump-[12]")
        assert world.having(1) == ["pump-1"]
        await world.faults.play(world.roster.members["pump-2"])
        assert world.having(1) == ["pump-1", "pump-2"]

    run(work)


def test_another_supervisor_knows_them_and_a_node_that_served_on_is_not_told_twice() -> None:
    async def work(world: World) -> None:
        await world.add(SLOW, "pump-[12]", seconds=60.0, percent=100.0, seed=3)
        await world.add({"kind": "offline"}, "pump-3")
        kept = world.faults.encode()
        for member in world.roster.members.values():
            member.hiding = False
        world.faults = world.supervised()
        world.faults.restore(kept)
        assert world.faults.encode() == kept
        assert world.roster.members["pump-3"].hiding
        world.nodes["pump-2"][9] = {"id": 9, **SLOW}  # of a fault that ended while nobody was there to say so
        told = dict(world.nodes["pump-1"])
        for name in ("pump-1", "pump-2"):
            await world.faults.play(world.roster.members[name])
        assert (world.nodes["pump-1"], set(world.nodes["pump-2"])) == (told, {1})
        assert (await world.add(SLOW, "pump-5"))["id"] == 3, "numbers go on"

    run(work)


def test_what_cannot_be_a_fault_is_not_taken_up_from_disk() -> None:
    async def work(world: World) -> None:
        for body in ({}, {"id": 1, "spec": {"kind": "nonsense"}, "nodes": []}, "no map"):
            world.faults.restore([body])  # type: ignore[list-item]
        assert world.faults.count == 0

    run(work)


def test_a_node_that_hides_is_not_asked_whether_it_is_up() -> None:
    async def work(world: World) -> None:
        await world.add({"kind": "refuse"}, "pump-1")
        await world.add({"kind": "offline"}, "pump-1", "pump-2")
        assert [world.roster.members[name].hiding for name in ("pump-1", "pump-2", "pump-3")] == [True, True, False]
        await world.faults.clear([2], "")
        assert [world.roster.members[name].hiding for name in ("pump-1", "pump-2")] == [True, False]
        await world.faults.clear(None, "")
        assert not world.roster.members["pump-1"].hiding

    run(work)


def test_nodes_that_are_no_longer_wanted_have_none() -> None:
    async def work(world: World) -> None:
        await world.add(SLOW, "pump-[12]")
        await world.add(SLOW, "pump-1")
        world.faults.keep(["pump-2"])
        assert [each["nodes"] for each in world.faults.listed()] == [["pump-2"]]

    run(work)


def test_clearing_what_is_not_there_says_what_is() -> None:
    async def work(world: World) -> None:
        with pytest.raises(FarmError, match=r"there is no fault 7 \(there is none\)"):
            await world.faults.clear([7], "")

    run(work)
