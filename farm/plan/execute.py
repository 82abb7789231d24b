"""Carries out a plan: in order where it says so, several at once where it does not; decides nothing.

What was done is written down as it is done, so that a failure half-way can be undone by a plan of the opposite
operations, carried out by the same code. Backend calls block, so each runs in a thread; one that has begun is waited
for even when the caller has lost interest, or nobody would know what it left behind.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from farm.backends.backend import Backend
from farm.backends.observed import ObservedShard, ShardSpec
from farm.errors import BackendError, FarmError, PlanError
from farm.plan.plan import (
    CHANGE,
    CREATE_NETWORK,
    KILL,
    REMOVE,
    REMOVE_NETWORK,
    SHAPE,
    START,
    STOP,
    Operation,
    Plan,
)
from farm.topology.wiring import Shaping
from node.config.load import dump
from node.control.messages import SHARD_START, SHARD_STOP

Report = Callable[[Operation, str], None]
"""Called with an operation and `begin`, `end` or `fail`."""

Tell = Callable[[str, str, str, Any], Awaitable[Any]]
"""Sends a command to a running shard: shard, node, path, value. Raises `FarmError`."""

WORKERS = 32
"""Operations at once: what is asked of a nursery together is made together, and shares more memory."""
GRACE = 2.0
"""Seconds between asking a process to end and killing it."""


async def execute(plan: Plan, backend: Backend, report: Report | None = None, tell: Tell | None = None) -> None:
    """Carries out `plan`, all or nothing: when an operation fails, what this call began is undone and the failure
    raised, with the node and the operation in it."""
    execution = Execution(plan, backend, report=report, tell=tell)
    try:
        await execution.run()
    except BaseException:
        await asyncio.shield(execution.roll_back())
        raise


class Execution:
    """One walk through a plan. `started` holds the processes it started, by shard, `shaped` what became of links, by
    node."""

    def __init__(
        self,
        plan: Plan,
        backend: Backend,
        *,
        report: Report | None = None,
        tell: Tell | None = None,
        keep_going: bool = False,
    ) -> None:
        """`keep_going` does what can be done in spite of failures, and leaves them in `failures`."""
        self.started: dict[str, ObservedShard] = {}
        self.shaped: dict[str, Shaping] = {}
        self.failures: list[FarmError] = []
        self._plan = plan
        self._backend = backend
        self._report = report or (lambda operation, stage: None)
        self._tell = tell
        self._keep_going = keep_going
        self.finished = 0
        """How many operations are done."""
        self._halted = False
        self._begun: list[Operation] = []

    async def run(self) -> None:
        """Raises the first failure once everything that had begun by then has ended."""
        ready: asyncio.Queue[Operation | None] = asyncio.Queue()
        order = _Order(self._plan, ready)
        crew = [asyncio.create_task(self._work(ready, order)) for _ in range(min(WORKERS, len(self._plan)))]
        together = asyncio.gather(*crew)
        try:
            await asyncio.shield(together)
        except asyncio.CancelledError:
            self._halted = True
            order.close()
            await together
            raise
        if self.failures and not self._keep_going:
            raise self.failures[0]

    async def roll_back(self) -> list[FarmError]:
        """Undoes what `run` began, as far as it goes; what could not be undone."""
        undoing = Execution(self.undo(), self._backend, report=self._report, tell=self._tell, keep_going=True)
        await undoing.run()
        return undoing.failures

    def undo(self) -> Plan:
        """The plan that leads back to before `run`."""
        undone: list[Operation] = []
        stops: dict[str, int] = {}
        cause = "the farm could not be brought up as a whole"
        for operation in reversed(self._begun):
            number, target = len(undone) + 1, operation.target
            if operation.verb == START:
                shard = self.started.get(target)
                verb = STOP if shard is not None else REMOVE
                undone.append(Operation(number, verb, target, cause, running=shard))
                stops[target] = number
            elif operation.verb == CHANGE and operation.running is not None and operation.spec is not None:
                was = ShardSpec(target, operation.running.nodes)
                now = ObservedShard(
                    target, operation.running.pid, operation.running.started, alive=True, nodes=operation.spec.nodes
                )
                undone.append(Operation(number, CHANGE, target, cause, spec=was, running=now))
                stops[target] = number
        waits = self._undo_networks(undone, cause, tuple(stops.values()))
        starts: dict[str, int] = {}
        for operation in self._begun:
            if operation.verb == STOP and operation.running is not None and operation.running.nodes:
                was = ShardSpec(operation.target, operation.running.nodes)
                undone.append(Operation(len(undone) + 1, START, operation.target, cause, waits, spec=was))
                starts.update({node.name: len(undone) for node in was.nodes})
        for operation in self._begun:
            if operation.verb == SHAPE and operation.target not in self._fresh():
                after = (starts[operation.target],) if operation.target in starts else ()
                quality = operation.before
                undone.append(Operation(len(undone) + 1, SHAPE, operation.target, cause, after, quality=quality))
        return Plan(tuple(undone))

    def _undo_networks(self, undone: list[Operation], cause: str, stopped: tuple[int, ...]) -> tuple[int, ...]:
        """Adds to `undone` what takes away the networks that were made and makes those that were taken away, one after
        the other; the operations that the nodes' restart waits for."""
        last = stopped
        for operation in reversed(self._begun):
            if operation.verb in (CREATE_NETWORK, REMOVE_NETWORK) and operation.segment is not None:
                verb = REMOVE_NETWORK if operation.verb == CREATE_NETWORK else CREATE_NETWORK
                number = len(undone) + 1
                undone.append(Operation(number, verb, operation.target, cause, last, segment=operation.segment))
                last = (number,)
        return last

    def _fresh(self) -> set[str]:
        """Nodes of shards that were not there before: their links go with them."""
        stopped = {operation.target for operation in self._begun if operation.verb == STOP}
        starts = [operation for operation in self._begun if operation.verb == START and operation.target not in stopped]
        return {node.name for operation in starts for node in operation.nodes}

    async def _work(self, ready: "asyncio.Queue[Operation | None]", order: "_Order") -> None:
        while (operation := await ready.get()) is not None:
            if self._halted:
                continue
            self._begun.append(operation)
            self._report(operation, "begin")
            try:
                await self._perform(operation)
            except FarmError as exc:
                self._fail(operation, exc, order)
            except Exception as exc:
                failure = BackendError(operation.target, operation.verb, f"{type(exc).__name__}: {exc}")
                failure.__cause__ = exc
                self._fail(operation, failure, order)
            else:
                self.finished += 1
                self._report(operation, "end")
                order.finish(operation)

    def _fail(self, operation: Operation, failure: FarmError, order: "_Order") -> None:
        self.failures.append(failure)
        self._report(operation, "fail")
        if self._keep_going:
            order.finish(operation)
        else:
            self._halted = True
            order.close()

    async def _perform(self, operation: Operation) -> None:
        backend, shard, spec = self._backend, operation.running, operation.spec
        if operation.verb == START and spec is not None:
            self.started[operation.target] = await asyncio.to_thread(self._create_and_start, spec)
        elif operation.verb == STOP and shard is not None:
            await asyncio.to_thread(backend.stop, shard, GRACE)
            await asyncio.to_thread(backend.remove, operation.target)
        elif operation.verb == REMOVE:
            await asyncio.to_thread(backend.remove, operation.target)
        elif operation.verb == KILL and shard is not None:
            await asyncio.to_thread(backend.stop, shard, GRACE)
        elif operation.verb == CHANGE and shard is not None and spec is not None:
            await asyncio.to_thread(backend.create, spec)
            await self._change(shard, spec)
        elif operation.verb == CREATE_NETWORK and operation.segment is not None:
            await asyncio.to_thread(backend.create_network, operation.segment)
        elif operation.verb == REMOVE_NETWORK:
            await asyncio.to_thread(backend.remove_network, operation.target)
        elif operation.verb == SHAPE and operation.quality is not None:
            self.shaped[operation.target] = await asyncio.to_thread(backend.shape, operation.target, operation.quality)
        else:
            raise PlanError(f"{operation}: an operation that nobody knows how to do")

    def _create_and_start(self, spec: ShardSpec) -> ObservedShard:
        self._backend.create(spec)
        return self._backend.start(spec.name)

    async def _change(self, shard: ObservedShard, spec: ShardSpec) -> None:
        if self._tell is None:
            raise BackendError(shard.name, CHANGE, "there is no way to tell a running shard what to serve")
        before = {node.name: node for node in shard.nodes}
        after = {node.name: node for node in spec.nodes}
        # All that ends does so first: a node may take the address of its neighbour.
        for name in before:
            if after.get(name) != before[name]:
                await self._tell(shard.name, name, SHARD_STOP, None)
        for name, node in after.items():
            if before.get(name) != node:
                await self._tell(shard.name, name, SHARD_START, dump(node))


class _Order:
    """Which operations may begin: hands them to the queue when those before them are done, and None to every worker
    when nothing is left."""

    def __init__(self, plan: Plan, ready: "asyncio.Queue[Operation | None]") -> None:
        self._ready = ready
        self._left = len(plan)
        self._closed = False
        self._operations = {operation.number: operation for operation in plan}
        self._missing = {operation.number: len(operation.after) for operation in plan}
        self._followers: dict[int, list[int]] = {}
        for operation in plan:
            for number in operation.after:
                self._followers.setdefault(number, []).append(operation.number)
            if not operation.after:
                ready.put_nowait(operation)

    def finish(self, operation: Operation) -> None:
        """`operation` is done: what waited for it may begin."""
        self._left -= 1
        for number in self._followers.get(operation.number, ()):
            self._missing[number] -= 1
            if not self._missing[number]:
                self._ready.put_nowait(self._operations[number])
        if not self._left:
            self.close()

    def close(self) -> None:
        """Sends the workers home."""
        if not self._closed:
            self._closed = True
            for _ in range(WORKERS):
                self._ready.put_nowait(None)
