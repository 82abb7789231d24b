"""The four steps of every change: observe, reconcile, execute, wait until the nodes answer.

Whoever plans here decides what is wanted and what becomes of a failure; here roster and keeper are kept in step with
what is being done.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from farm.backends.backend import Backend, Placing
from farm.backends.observed import ObservedShard
from farm.plan.execute import Execution
from farm.plan.plan import CHANGE, KILL, SHAPE, START, STOP, Operation, Plan
from farm.plan.reconcile import reconcile
from farm.supervisor.events import EventLog
from farm.supervisor.keeper import Keeper
from farm.supervisor.progress import Progress, Tell
from farm.supervisor.roster import STARTING, STOPPED, UP, Roster, Settling
from farm.topology.plant import Plant
from farm.topology.wiring import Shaping

log = logging.getLogger(__name__)

COMPLETING = "completing what was begun"

TellShard = Callable[[str, str, str, Any], Awaitable[Any]]
"""Sends a command: shard, node, path, value. Raises `FarmError`."""


class Changes:
    """Makes plans and carries them out. `forget` is told of a shard that is no longer wanted, `shaped` of a link that
    was changed."""

    def __init__(
        self,
        backend: Backend,
        roster: Roster,
        keeper: Keeper,
        events: EventLog,
        *,
        tell: TellShard,
        forget: Callable[[str], None],
        shaped: Callable[[str, Shaping], None],
    ) -> None:
        self._backend = backend
        self._roster = roster
        self._keeper = keeper
        self._events = events
        self._tell = tell
        self._forget = forget
        self._shaped = shaped

    async def prepare(self, wanted: Plant, tell: Tell, *, changing: bool = True, patient: bool = False) -> None:
        """Has a backend that is on several machines make them ready for a plan to `wanted`. Raises `FarmError`; what it
        had begun by then has ended."""
        backend = self._backend
        if not isinstance(backend, Placing):
            return
        loop = asyncio.get_running_loop()

        def say(line: str) -> None:
            loop.call_soon_threadsafe(tell, {"event": "waiting", "text": line})

        work = asyncio.create_task(asyncio.to_thread(backend.prepare, wanted, say, changing=changing, patient=patient))
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait([work])
            raise

    async def release(self) -> None:
        """Has it take away what it made ready, for no node is wanted."""
        if isinstance(self._backend, Placing):
            await asyncio.to_thread(self._backend.release)

    async def plan(self, wanted: Plant, take: bool = True) -> Plan:
        """Observes and reconciles; the shards of the plan are this command's from then on."""
        await self._keeper.pause()
        try:
            observed = await asyncio.to_thread(self._backend.observe)
            plan = reconcile(wanted, observed)
            if take:
                self.take(plan)
        finally:
            self._keeper.resume()
        targets = {operation.target for operation in plan}
        for shard in observed.shards:
            if shard.alive and shard.name not in targets and shard.name not in self._keeper.running:
                self._keeper.adopt(shard)
        return plan

    def take(self, plan: Plan) -> None:
        """The shards of the plan are whoever's it is who carries it out, until the keeper is given them back."""
        self._keeper.taken |= {operation.target for operation in plan}
        self._keeper.resume()

    def execution(self, plan: Plan, keep_going: bool = False) -> Execution:
        """What carries the plan out; with `keep_going` past what fails."""

        def report(operation: Operation, stage: str) -> None:
            self._follow(execution, operation, stage, keep_going)

        execution = Execution(plan, self._backend, report=report, tell=self._tell, keep_going=keep_going)
        return execution

    def _follow(self, execution: Execution, operation: Operation, stage: str, keep_going: bool) -> None:
        """Keeps roster and keeper in step with the plan."""
        target, spec, running = operation.target, operation.spec, operation.running
        if stage == "begin":
            if spec is not None:
                self._roster.assign(target, spec.nodes)
            if operation.verb in (START, STOP):
                self._keeper.release(target)
            elif operation.verb == KILL and running is not None:
                self._keeper.release_process(running.pid)
        elif stage == "end" and operation.verb == STOP:
            self._forget(target)
        elif stage == "end" and operation.verb == START:
            self._keeper.adopt(execution.started[target])
        elif stage == "end" and operation.verb == CHANGE and spec is not None and running is not None:
            self._keeper.adopt(ObservedShard(target, running.pid, running.started, alive=True, nodes=spec.nodes))
        elif stage == "end" and operation.verb == SHAPE:
            self._shaped(target, execution.shaped[target])
        elif stage == "fail":
            log.warning("failed: %s: %s", operation, execution.failures[-1])
            if operation.verb == START and keep_going:
                for member in self._roster.of_shard(target):
                    member.error = str(execution.failures[-1])

    async def carry_out(
        self,
        execution: Execution,
        plan: Plan,
        tell: Tell,
        seconds: float,
        names: Sequence[str] | None = None,
        total: bool = False,
    ) -> None:
        """Executes, and waits until `names`, or else every node that is not up by now, have answered. Raises the first
        failure, at once and with nothing of it still going on."""
        self._expect(plan)
        if names is None:
            names = [name for name, member in self._roster.members.items() if member.state not in (UP, STOPPED)]
        with self._roster.settle(names) as settling:
            phases = [
                ("start", lambda: execution.finished, len(plan)),
                ("ready", lambda: settling.listening, settling.total),
                ("probe", lambda: settling.up, settling.total),
            ]
            async with Progress(tell, phases).shown(self._events):
                await _both(execution, settling, seconds, total)

    def _expect(self, plan: Plan) -> None:
        """What a node was before says nothing about a node that is about to be started."""
        for operation in plan:
            for node in operation.spec.nodes if operation.spec is not None else ():
                member = self._roster.members.get(node.name)
                if member is not None and (operation.verb == START or member.state not in (UP, STOPPED)):
                    self._roster.set_state(member, STARTING)

    async def complete(self, wanted: Plant) -> None:
        """Makes what runs be `wanted`, as far as it goes; what does not start is tried again by its policy."""
        if wanted.nodes:
            await self.prepare(wanted, lambda event: None, patient=True)
        plan = await self.plan(wanted)
        if plan:
            self._events.farm(f"{COMPLETING}: {len(plan)} operations")
            execution = self.execution(plan, keep_going=True)
            await execution.run()
            for operation in plan:
                if operation.verb == START and operation.running is not None and operation.target in execution.started:
                    self._keeper.count_restart(operation.target)


async def _both(execution: Execution, settling: Settling, seconds: float, total: bool) -> None:
    """Runs the plan and waits for its nodes; a failure of either ends the other, and is raised. The `seconds` are for
    all of it (`total`), or for nodes to answer once the plan is carried out: platforms differ in how long that takes.
    """
    running = asyncio.create_task(execution.run())
    tasks = running, asyncio.create_task(settling.wait(seconds, None if total else running))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            if not task.done():
                task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    errors = [result for result in results if isinstance(result, Exception)]
    if errors:
        raise errors[0]
