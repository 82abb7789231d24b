"""The life of a farm against a platform without processes: up, changed, failed, killed, adopted, down."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from farm.backends.observed import ObservedShard
from farm.errors import BackendError, FarmError
from farm.supervisor import pace, restart
from farm.supervisor import supervisor as module
from farm.supervisor.keeper import LAST_WORDS
from farm.supervisor.state import Identity, RunState
from farm.supervisor.supervisor import FarmGone, Supervisor
from farm.topology.plant import Plant
from tests.farm.plan.plants import node, plant
from tests.farm.supervisor.platform import Platform, new_platform, supervisor
from tests.waiting import eventually

pytestmark = pytest.mark.net

NODES = [node(f"pump-{number}") for number in range(1, 5)]
WORKS = plant(*NODES)
CHANGED = plant(*NODES[:2], node("pump-3", tags=("Flow",)), node("pump-9"))


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    platform = new_platform(tmp_path)
    yield platform
    platform.close()


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restart, "FIRST", 0.01)
    monkeypatch.setattr(module, "HEAL_AFTER", 0.01)


def live(platform: Platform, work: Callable[[Supervisor], Coroutine[Any, Any, None]]) -> None:
    """Runs `work` with a supervisor of the platform."""

    async def whole() -> None:
        async with supervisor(platform) as found:
            await work(found)

    asyncio.run(whole())


async def apply(farm: Supervisor, wanted: Plant, seconds: float = 5.0, dry_run: bool = False) -> dict[str, Any]:
    return await farm.apply(wanted, lambda event: None, dry_run=dry_run, seconds=seconds)


def states(farm: Supervisor) -> dict[str, str]:
    return {row["name"]: row["state"] for row in farm.rows()}


def saved(platform: Platform) -> RunState:
    identity = Identity.read(platform.run)
    assert identity is not None
    return RunState.read(platform.run, identity)


def test_up_is_when_every_node_has_answered(platform: Platform) -> None:
    async def work(farm: Supervisor) -> None:
        events: list[dict[str, Any]] = []
        done = await farm.apply(WORKS, events.append, dry_run=False, seconds=5)
        assert done["plan"][0] == "[1] start shard pump-1 (pump-1): not running"
        assert {row["state"] for row in done["rows"]} == {"up"}
        assert sorted(platform.probed) == [each.name for each in NODES]
        last = {e["phase"]: (e["done"], e["total"]) for e in events if e["event"] == "progress"}
        assert last == {"start": (4, 4), "ready": (4, 4), "probe": (4, 4)}
        assert [e["node"] for e in events if e["event"] == "node"]
        assert platform.stopped_in_time, "what is wanted is on disk before anything starts"

    live(platform, work)


def test_a_second_up_does_nothing(platform: Platform) -> None:
    async def work(farm: Supervisor) -> None:
        await apply(farm, WORKS)
        before = len(platform.operations), len(platform.probed)
        assert (await apply(farm, WORKS))["plan"] == ["nothing to do"]
        assert (len(platform.operations), len(platform.probed)) == before

    live(platform, work)


def test_a_dry_run_changes_nothing(platform: Platform) -> None:
    async def work(farm: Supervisor) -> None:
        done = await apply(farm, WORKS, dry_run=True)
        assert (done["changes"], platform.operations, farm.empty) == (4, [], True)

    live(platform, work)


def test_a_changed_plant_changes_what_it_must(platform: Platform) -> None:
    async def work(farm: Supervisor) -> None:
        await apply(farm, WORKS)
        before = platform.running()
        await apply(farm, CHANGED)
        after = platform.running()
        assert set(after) == {"pump-1", "pump-2", "pump-3", "pump-9"}
        assert [before[name] == after[name] for name in ("pump-1", "pump-2", "pump-3")] == [True, True, False]
        assert set(states(farm).values()) == {"up"}

    live(platform, work)


class SeveralHosts(Platform):
    """One whose nodes are on hosts, which are made ready for a plant; those of a node `far` cannot be had."""

    ready: Plant | None = None
    gone = False

    def prepare(self, plant: Plant, say: Callable[[str], None], *, changing: bool, patient: bool = False) -> None:
        if changing:
            self.ready = plant
        if (self.gone or any(each.name == "far" for each in plant.nodes)) and not patient:
            raise BackendError("south", "reach", "no engine answers")

    def release(self) -> None:
        self.ready = None

    def host_of(self, node: str) -> str:
        return "north"

    def address_of(self, node: str) -> str:
        return ""

    def leads(self) -> bool:
        return True

    def absent(self, node: str) -> str:
        return ""


def test_hosts_are_as_they_were_when_those_of_another_plant_cannot_be_had(tmp_path: Path) -> None:
    platform = new_platform(tmp_path, SeveralHosts)

    async def work(farm: Supervisor) -> None:
        for wanted in (plant(*NODES, node("far", "127.64.1.99")), plant(*NODES, node("twin", NODES[0].address))):
            with pytest.raises(FarmError, match=r"no engine answers|both want"):
                await apply(farm, wanted)
            assert platform.ready is None
        await apply(farm, WORKS)
        for wanted in (plant(*NODES, node("far", "127.64.1.99")), plant(*NODES, node("twin", NODES[0].address))):
            with pytest.raises(FarmError, match=r"no engine answers|both want"):
                await apply(farm, wanted)
            assert platform.ready == WORKS
        await apply(farm, CHANGED, dry_run=True)
        assert platform.ready == WORKS
        platform.gone = True
        await farm.link(["pump-1"], {"delay": 0.2}, lambda event: None)
        assert platform.observe().links["pump-1"].quality.delay == 0.2, "links of other hosts' nodes can be changed"

    try:
        live(platform, work)
    finally:
        platform.close()


@pytest.mark.parametrize("failing", range(1, 9))
def test_a_failure_at_any_operation_leads_back(platform: Platform, failing: int) -> None:
    async def work(farm: Supervisor) -> None:
        await apply(farm, WORKS)
        platform.fail_at = failing
        with pytest.raises(FarmError, match=r"^pump-\d: \w+: told to fail$"):
            await apply(farm, CHANGED)
        await eventually(lambda: set(states(farm).values()) == {"up"})
        assert set(platform.running()) == {each.name for each in NODES}
        assert saved(platform).plant == WORKS
        assert (await apply(farm, WORKS))["plan"] == ["nothing to do"]

    live(platform, work)


@pytest.mark.parametrize("failing", range(1, 9))
def test_a_first_up_that_fails_leaves_nothing_running(platform: Platform, failing: int) -> None:
    async def work(farm: Supervisor) -> None:
        platform.fail_at = failing
        with pytest.raises(FarmError, match="told to fail"):
            await apply(farm, WORKS)
        assert platform.observe().shards == ()
        assert farm.empty
        assert saved(platform).plant is None

    live(platform, work)


def test_a_taken_port_is_said_at_once(platform: Platform) -> None:
    async def work(farm: Supervisor) -> None:
        platform.failing["pump-3"] = "127.64.1.3:44818: address in use by another program"
        with pytest.raises(FarmError, match=r"^pump-3: 127\.64\.1\.3:44818: address in use"):
            await apply(farm, WORKS, seconds=60)
        assert platform.running() == {}

    live(platform, work)


def test_a_node_that_never_answers_says_what_was_got(platform: Platform) -> None:
    async def work(farm: Supervisor) -> None:
        platform.silent.add("pump-2")
        with pytest.raises(FarmError, match=r"^pump-2: not up within 0 s: .*no answer within 5 s$"):
            await apply(farm, WORKS, seconds=0.3)
        assert platform.running() == {}

    live(platform, work)


def test_the_end_of_a_process_that_is_no_shards_any_more_is_not_that_of_the_next(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = platform.stop

    def stop_slowly(shard: ObservedShard, grace: float) -> None:
        stop(shard, grace)
        time.sleep(3 * LAST_WORDS)  # others end more slowly, and the next begins when all have

    monkeypatch.setattr(platform, "stop", stop_slowly)

    async def work(farm: Supervisor) -> None:
        await apply(farm, WORKS)
        for each in NODES:
            platform.disown(each.name)
        done = await apply(farm, WORKS)
        assert sum("of none of its shards" in line for line in done["plan"]) == 4
        assert set(states(farm).values()) == {"up"}
        assert {row["restarts"] for row in farm.rows()} == {0}

    live(platform, work)


def test_a_process_that_ends_while_it_starts_fails_the_whole(platform: Platform) -> None:
    async def work(farm: Supervisor) -> None:
        platform.logs("pump-2").write_text("one\nTraceback: the last line\n")
        platform.stillborn.add("pump-2")
        platform.silent.add("pump-2")
        match = r"^pump-2: its process \(\d+\) ended while it was starting: Traceback: the last line$"
        with pytest.raises(FarmError, match=match):
            await apply(farm, WORKS)
        assert platform.running() == {}

    live(platform, work)


def test_a_client_that_leaves_undoes_what_was_begun(platform: Platform) -> None:
    async def work(farm: Supervisor) -> None:
        platform.silent.add("pump-2")
        task = asyncio.create_task(apply(farm, WORKS))
        await eventually(lambda: "pump-2" in platform.probed)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (platform.running(), farm.empty) == ({}, True)

    live(platform, work)


def test_a_node_that_dies_is_started_again(platform: Platform) -> None:
    async def work(farm: Supervisor) -> None:
        await apply(farm, WORKS)
        before = platform.running()
        platform.die("pump-2")
        await eventually(lambda: states(farm)["pump-2"] == "restarting")
        await eventually(lambda: states(farm)["pump-2"] == "up")
        after = platform.running()
        assert [name for name in before if before[name] != after[name]] == ["pump-2"]
        assert {row["name"]: row["restarts"] for row in farm.rows()}["pump-2"] == 1
        told = [event["state"] for event in farm.events.recent() if event.get("node") == "pump-2"]
        assert told == ["up", "restarting", "up"]

    live(platform, work)
    assert saved(platform).restarts == {"pump-2": 1}


def test_a_node_that_dies_again_and_again_is_shown_as_a_crash_loop(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restart, "FACTOR", 1.0)

    async def work(farm: Supervisor) -> None:
        await apply(farm, WORKS)
        platform.stillborn.add("pump-2")
        platform.silent.add("pump-2")
        platform.die("pump-2")
        await eventually(lambda: states(farm)["pump-2"] == "crash-loop")
        assert farm.rows()[1]["restarts"] == 4
        assert [state for name, state in states(farm).items() if name != "pump-2"] == ["up"] * 3
        platform.stillborn.clear()
        platform.silent.clear()
        assert (await apply(farm, WORKS))["plan"] == ["[1] start shard pump-2 (pump-2): its process is gone"]
        assert states(farm)["pump-2"] == "up"

    live(platform, work)


def test_a_restart_that_fails_is_tried_again(platform: Platform) -> None:
    async def work(farm: Supervisor) -> None:
        await apply(farm, WORKS)
        platform.fail_at = 2
        platform.die("pump-2")
        await eventually(lambda: states(farm)["pump-2"] == "up" and len(platform.running()) == 4)
        assert any("told to fail" in event["text"] for event in farm.events.recent())

    live(platform, work)


def test_what_runs_is_adopted(platform: Platform) -> None:
    async def bring_up(farm: Supervisor) -> None:
        await apply(farm, WORKS)

    async def come_back(farm: Supervisor) -> None:
        assert platform.running() == before
        await farm.settled()
        assert set(states(farm).values()) == {"up"}
        assert (await apply(farm, WORKS))["plan"] == ["nothing to do"]
        assert len(platform.operations) == operations
        platform.die("pump-1")
        await eventually(lambda: platform.running().get("pump-1", before["pump-1"]) != before["pump-1"])

    live(platform, bring_up)
    before, operations = platform.running(), len(platform.operations)
    live(platform, come_back)


def test_what_died_meanwhile_is_started(platform: Platform) -> None:
    async def bring_up(farm: Supervisor) -> None:
        await apply(farm, WORKS)

    async def come_back(farm: Supervisor) -> None:
        await eventually(lambda: set(states(farm).values()) == {"up"})
        assert set(platform.running()) == {each.name for each in NODES}

    live(platform, bring_up)
    platform.die("pump-3")
    live(platform, come_back)


def test_an_up_that_was_cut_short_is_completed(platform: Platform) -> None:
    async def come_back(farm: Supervisor) -> None:
        await eventually(lambda: set(states(farm).values()) == {"up"})
        assert set(platform.running()) == {each.name for each in NODES}

    RunState(Identity.new(platform.run, "memory"), WORKS).write(platform.run)
    live(platform, come_back)


def test_a_down_that_was_cut_short_is_completed(platform: Platform) -> None:
    async def bring_up(farm: Supervisor) -> None:
        await apply(farm, WORKS)

    async def come_back(farm: Supervisor) -> None:
        await eventually(lambda: platform.observe().shards == ())
        assert farm.rows() == []

    live(platform, bring_up)
    identity = Identity.read(platform.run)
    assert identity is not None
    RunState(identity).write(platform.run)
    live(platform, come_back)


def test_down_leaves_nothing_but_the_lock(platform: Platform) -> None:
    async def work(farm: Supervisor) -> None:
        await apply(farm, WORKS)
        platform.run.lock_file.touch()
        done = await farm.down(lambda event: None)
        assert (done["nodes"], platform.observe().shards, farm.gone) == (4, (), True)
        assert [path.name for path in platform.run.path.iterdir()] == ["lock"]
        with pytest.raises(FarmGone):
            await apply(farm, WORKS)

    live(platform, work)
    assert [path.name for path in platform.run.path.iterdir()] == ["lock"]


def test_down_does_not_wait_for_what_is_being_completed(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEAL_AFTER", 30)

    async def come_back(farm: Supervisor) -> None:
        await farm.down(lambda event: None)
        assert platform.operations == []

    RunState(Identity.new(platform.run, "memory"), WORKS).write(platform.run)
    live(platform, come_back)


def test_a_second_command_waits_and_says_so(platform: Platform) -> None:
    async def work(farm: Supervisor) -> None:
        events: list[dict[str, Any]] = []
        platform.silent.add("pump-1")
        first = asyncio.create_task(apply(farm, WORKS))
        await eventually(lambda: "pump-1" in platform.probed)
        second = asyncio.create_task(farm.apply(CHANGED, events.append, dry_run=False, seconds=5))
        await eventually(lambda: bool(events))
        assert events[0] == {"event": "waiting", "text": "works: waiting for another command (apply)"}
        platform.silent.clear()
        await first
        assert (await second)["changes"] == 4
        assert set(platform.running()) == {each.name for each in CHANGED.nodes}

    live(platform, work)


def test_a_restart_touches_one_node(platform: Platform) -> None:
    async def work(farm: Supervisor) -> None:
        await apply(farm, WORKS)
        before = platform.running()
        await farm.restart(["pump-2"], lambda event: None)
        after = platform.running()
        assert [name for name in before if before[name] != after[name]] == ["pump-2"]
        assert [(each["state"], each["restarts"]) for each in farm.rows()][1] == ("up", 0)
        with pytest.raises(FarmError, match="no node named 'pump-99' in this farm"):
            await farm.restart(["pump-99"], lambda event: None)

    live(platform, work)


def test_a_node_that_hangs_is_not_called_up(platform: Platform) -> None:
    async def work(farm: Supervisor) -> None:
        await apply(farm, WORKS)
        now = farm.clock()
        platform.say("pump-1", {"type": "telemetry", "nodes": {"pump-1": {"requests": 3}}})
        await eventually(lambda: farm.telemetry.of("pump-1", now) is not None)
        assert farm.status()["telemetry"]["pump-1"]["requests"] == 3
        farm.clock = lambda: now + 60
        assert farm.rows()[0]["state"] == "down"
        assert farm.rows()[0]["error"].startswith("no report for ")

    live(platform, work)


def test_shards_of_several_nodes_go_the_same_way(platform: Platform) -> None:
    async def work(farm: Supervisor) -> None:
        await apply(farm, replace(WORKS, shard=3))
        assert set(platform.running()) == {"shard-001", "shard-002"}
        platform.die("shard-001")
        await eventually(lambda: states(farm)["pump-1"] == "restarting")
        await eventually(lambda: set(states(farm).values()) == {"up"})
        assert [row["restarts"] for row in farm.rows()] == [1, 1, 1, 0]

    live(platform, work)


def test_a_large_farm_is_told_to_report_more_rarely(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "NODES", 2)

    async def work(farm: Supervisor) -> None:
        await apply(farm, plant(*NODES[:2]))
        assert farm.telemetry.pace.every == 1
        await apply(farm, WORKS)
        assert platform.told("pump-1") == platform.told("pump-4") == [("pace", 2)]
        platform.say("pump-1", {"type": "telemetry", "nodes": {"pump-1": {"requests": 7}}})
        await eventually(lambda: farm.telemetry.of("pump-1", farm.clock()) is not None)
        found = farm.telemetry.of("pump-1", farm.clock() + 4.0)
        assert found is not None and not found["stale"]
        await apply(farm, plant(*NODES[:1]))
        assert platform.told("pump-1") == [("pace", 1)]

    live(platform, work)
