"""A plan is carried out whole, or what was begun is undone."""

import asyncio
import threading
from dataclasses import replace
from typing import Any

import pytest

from farm.backends.memory import MemoryBackend
from farm.backends.observed import Observed, ObservedShard, ShardSpec
from farm.errors import BackendError, FarmError
from farm.plan.execute import WORKERS, Execution, execute
from farm.plan.plan import Operation, Plan
from farm.plan.reconcile import reconcile
from farm.topology.plant import Plant
from node.config.model import NodeConfig
from tests.farm.plan.plants import node, plant


def apply(wanted: Plant, backend: MemoryBackend, **more: Any) -> None:
    asyncio.run(execute(reconcile(wanted, backend.observe()), backend, **more))


def served(backend: MemoryBackend) -> dict[str, NodeConfig]:
    return {each.name: each for shard in backend.observe().shards if shard.alive for each in shard.nodes}


def test_a_plan_is_carried_out_and_reported() -> None:
    backend, told = MemoryBackend(), []
    nodes = [node(f"pump-{number}") for number in range(1, 20)]
    apply(plant(*nodes), backend, report=lambda operation, stage: told.append((operation.number, stage)))
    assert served(backend) == {each.name: each for each in nodes}
    assert sorted(told) == sorted((number, stage) for number in range(1, 20) for stage in ("begin", "end"))
    apply(plant(), backend)
    assert backend.observe() == Observed()


def test_order_is_kept() -> None:
    backend, told = MemoryBackend(), []
    one, two = node("pump-1", "127.64.1.1"), node("pump-2", "127.64.1.2")
    apply(plant(one, two), backend)
    swapped = plant(replace(one, address="127.64.1.2"), replace(two, address="127.64.1.1"))
    apply(swapped, backend, report=lambda operation, stage: told.append(f"{operation.verb} {stage}"))
    assert told[:4].count("stop end") == 2
    assert set(told[4:]) == {"start begin", "start end"}


def test_an_empty_plan_does_nothing() -> None:
    backend = MemoryBackend()
    asyncio.run(execute(Plan(), backend))
    assert backend.operations == []


class Slow(MemoryBackend):
    """Counts the calls that are on their way at once, and lets the first wait for others."""

    def __init__(self) -> None:
        super().__init__()
        self.together = 0
        self.most = 0
        self.began = threading.Event()
        self.met = threading.Event()

    def start(self, shard: str) -> ObservedShard:
        self.together += 1
        self.began.set()
        self.most = max(self.most, self.together)
        if self.most > 1:
            self.met.set()
        self.met.wait(5)
        self.together -= 1
        return super().start(shard)


def test_what_may_be_done_at_once_is() -> None:
    backend = Slow()
    apply(plant(*(node(f"pump-{number}") for number in range(1, 30))), backend)
    assert 2 <= backend.most <= WORKERS


BEFORE = plant(node("pump-1"), node("pump-2"), node("pump-3"))
AFTER = plant(node("pump-1"), node("pump-2", tags=("Flow",)), node("pump-4", "127.64.1.3"), node("pump-5"))


def count_operations() -> int:
    backend = MemoryBackend()
    apply(BEFORE, backend)
    before = len(backend.operations)
    apply(AFTER, backend)
    return len(backend.operations) - before


@pytest.mark.parametrize("failing", range(1, count_operations() + 1))
def test_a_failure_anywhere_leads_back_to_what_was(failing: int) -> None:
    backend = MemoryBackend()
    apply(BEFORE, backend)
    backend.fail_at = failing
    with pytest.raises(BackendError, match=r"^(pump-\d): (create|start|stop|remove): told to fail") as caught:
        apply(AFTER, backend)
    assert caught.value.node.startswith("pump-")
    assert served(backend) == {each.name: each for each in BEFORE.nodes}
    assert not reconcile(BEFORE, backend.observe())


def test_a_bug_names_the_node_and_the_operation() -> None:
    class Broken(MemoryBackend):
        def start(self, shard: str) -> ObservedShard:
            raise ZeroDivisionError("told to break")

    backend = Broken()
    with pytest.raises(BackendError, match="pump-1: start: ZeroDivisionError: told to break"):
        apply(plant(node("pump-1")), backend)
    assert backend.observe() == Observed()


def test_nothing_new_begins_after_a_failure() -> None:
    backend = MemoryBackend()
    backend.fail_at = 1
    nodes = [node(f"pump-{number}") for number in range(1, 251)]
    with pytest.raises(BackendError):
        apply(plant(*nodes), backend)
    started = [name for operation, name in backend.operations if operation == "start"]
    assert len(started) <= WORKERS, "those that had begun"
    assert backend.observe() == Observed()


def test_keep_going_does_the_rest() -> None:
    backend = MemoryBackend()
    nodes = [node(f"pump-{number}") for number in range(1, 6)]
    apply(plant(*nodes), backend)
    backend.fail_at = 1

    async def take_down() -> list[FarmError]:
        execution = Execution(reconcile(plant(), backend.observe()), backend, keep_going=True)
        await execution.run()
        return execution.failures

    assert len(asyncio.run(take_down())) == 1
    assert len(served(backend)) == 1


def test_a_caller_that_leaves_waits_for_what_began() -> None:
    backend = Slow()

    async def leave() -> None:
        wanted = plant(*(node(f"pump-{number}") for number in range(1, 30)))
        task = asyncio.create_task(execute(reconcile(wanted, backend.observe()), backend))
        assert await asyncio.to_thread(backend.began.wait, 5)
        task.cancel()
        backend.met.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(leave())
    assert backend.observe() == Observed()


def test_a_shard_that_runs_is_told_what_changes() -> None:
    backend = MemoryBackend()
    nodes = [node(f"pump-{number}") for number in range(1, 4)]
    apply(plant(*nodes, shard=3), backend)
    said: list[tuple[str, str, str]] = []

    async def tell(shard: str, name: str, path: str, value: Any) -> None:
        said.append((shard, name, path))
        assert (path == "shard/start") == (value is not None)

    wanted = plant(nodes[0], replace(nodes[1], tags=()), node("pump-9"), shard=3)
    apply(wanted, backend, tell=tell)
    assert said == [
        ("shard-001", "pump-2", "shard/stop"),
        ("shard-001", "pump-3", "shard/stop"),
        ("shard-001", "pump-2", "shard/start"),
        ("shard-001", "pump-9", "shard/start"),
    ]
    assert backend.operations[-1] == ("create", "shard-001"), "its file says what it serves from now on"


def test_a_shard_that_refuses_a_change_is_told_the_old_again() -> None:
    backend = MemoryBackend()
    nodes = [node(f"pump-{number}") for number in range(1, 3)]
    apply(plant(*nodes, shard=2), backend)
    said: list[tuple[str, str, Any]] = []

    async def tell(shard: str, name: str, path: str, value: Any) -> None:
        said.append((name, path, value and value.get("tags")))
        if path == "shard/start" and len(said) == 2:
            raise FarmError("shard-001: pump-2: the port is taken")

    with pytest.raises(FarmError, match="the port is taken"):
        apply(plant(nodes[0], replace(nodes[1], tags=()), shard=2), backend, tell=tell)
    assert [(name, path) for name, path, _ in said] == [("pump-2", "shard/stop"), ("pump-2", "shard/start")] * 2
    assert said[-1][2] is not None, "with the tags it had"


def test_an_unknown_operation_is_an_error() -> None:
    odd = Plan((Operation(1, "fold", "pump-1", "for no reason", spec=ShardSpec("pump-1", ())),))
    with pytest.raises(FarmError, match="fold shard pump-1: for no reason"):
        asyncio.run(execute(odd, MemoryBackend()))
