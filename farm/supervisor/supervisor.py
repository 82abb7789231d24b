"""One farm: what is wanted of it, and the way from there to what runs. Every command of `farm` that changes something
is the same four steps here: observe, reconcile, execute, wait until the nodes answer.

One such command works at a time; others wait. What is wanted is written down before the first process is started, so
that a supervisor that comes after this one's sudden death knows what to complete.
"""

import asyncio
import contextlib
import dataclasses
import gc
import logging
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

from farm.backends.backend import Backend, Placing
from farm.errors import FarmError
from farm.plan.execute import Execution
from farm.plan.plan import Plan
from farm.supervisor import descriptors
from farm.supervisor.anew import plan_restart
from farm.supervisor.changes import COMPLETING, Changes
from farm.supervisor.commands import Commands
from farm.supervisor.control import ControlStreams, Session
from farm.supervisor.ending import end_processes, nothing, remove_files
from farm.supervisor.events import COMMAND, CONFIG, EventLog
from farm.supervisor.faults import Faults
from farm.supervisor.fleet import Fleet
from farm.supervisor.keeper import PATIENCE, Keeper, Probe
from farm.supervisor.links import Links
from farm.supervisor.monitor import Monitor
from farm.supervisor.pace import Pace
from farm.supervisor.probe import probe_node
from farm.supervisor.progress import Progress, Tell
from farm.supervisor.reach import ELSEWHERE, way
from farm.supervisor.recordings import Recordings
from farm.supervisor.roster import STARTING, UP, Member, Roster
from farm.supervisor.run_directory import RunDirectory
from farm.supervisor.state import Identity, RunState, write_atomically
from farm.supervisor.telemetry import Telemetry
from farm.topology.plant import Plant
from farm.topology.wiring import GOOD, Shaping, changed_quality
from node.config.load import dump
from node.config.model import NodeConfig
from node.control.messages import SHARD_START

log = logging.getLogger(__name__)

TIMEOUT = 30.0
TIMEOUT_EACH = 0.05
"""Seconds for all nodes to be up, and what each adds."""
FARTHER = 45.0
"""Seconds more where nodes are on several machines: what one has not heard of another's addresses in an overlay it is
told again after half a minute; an image is fetched for a cluster's relay, too."""
HEAL_AFTER = 0.3
"""Seconds a new supervisor waits for a command before it starts what is missing: it may be told `down`."""
ADOPTION = 3.0
"""Seconds for nodes that were found running to answer, for those who ask how they are."""
SAVE_AFTER = 0.5
MANY = 1000
"""Nodes from which on what is kept of them is put out of the collector's sight: it would look at all of it, again and
again, for as long as a frame may take to come."""


class FarmGone(FarmError):
    """The farm went down before it was this command's turn."""


class Supervisor:
    """Owns a run as long as its process holds the lock. `probe` and `clock` are the world, for tests."""

    def __init__(
        self,
        run: RunDirectory,
        identity: Identity,
        backend: Backend,
        *,
        probe: Probe | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.run = run
        self.identity = identity
        self.backend = backend
        self.clock = clock
        self.state = RunState.read(run, identity)
        self.events = EventLog(run.events_file)
        self.telemetry = Telemetry(Pace())
        self.roster = Roster(self.events, self.telemetry)
        self.streams = ControlStreams(run.control_socket, identity.token, self)
        self.keeper = Keeper(
            backend,
            self.roster,
            self.state.stopped,
            watcher=backend.watch,
            probe=probe or (lambda config: probe_node(config, inside=backend.inside)),
            find_session=self.streams.session,
            restarted=self._save_soon,
            listens=self._node_listens,
            clock=clock,
            patience=PATIENCE + self._farther(),
        )
        self.links = Links(self.roster, self._tell_node, leads=self._leads_to)
        self.faults = Faults(self.roster, self._tell_node, self.events, self._keep_state, clock=self._now)
        self.monitor = self._monitor_of(backend)
        self.fleet = self._gather_fleet()
        self.changes = self._changes_on(backend)
        self.commands = Commands(
            self.roster,
            self.keeper,
            self.streams,
            self.events,
            self.monitor.watching,
            self.state.stopped,
            keep=self._keep_state,
            clock=self._now,
        )
        self.ended = asyncio.Event()
        """Set when the farm went down: nothing is left to supervise."""
        self.recordings = Recordings(self.roster, self._tell_node, self.events, self.ended)
        self._turn = asyncio.Lock()
        self._busy_with = ""
        self._healing: asyncio.Task[None] | None = None
        self._saving: asyncio.TimerHandle | None = None
        self._writes: set[asyncio.Task[None]] = set()
        self._ticking: asyncio.Task[None] | None = None

    def _monitor_of(self, backend: Backend) -> Monitor:
        placing = backend if isinstance(backend, Placing) else None
        return Monitor(self.roster, self.telemetry, self.events, self.faults.on, placing=placing, clock=self._now)

    def _changes_on(self, backend: Backend) -> Changes:
        return Changes(
            backend,
            self.roster,
            self.keeper,
            self.events,
            tell=self._tell_shard,
            forget=self.streams.forget,
            shaped=self._shaped,
        )

    def _gather_fleet(self) -> Fleet:
        return Fleet(
            self.run.name,
            self.backend,
            self.roster,
            self.telemetry,
            self.monitor,
            self.events,
            plant=lambda: self.state.plant,
            faults=lambda: self.faults.count,
        )

    def _now(self) -> float:
        return self.clock()

    def _farther(self) -> float:
        """Seconds that nodes of other machines are waited for beyond those of this one. A platform that looks after
        nodes itself has machines of its own."""
        return FARTHER if isinstance(self.backend, Placing) or self.backend.restarts else 0.0

    def _leads_to(self, config: NodeConfig) -> bool:
        """Whether a node can be asked from here whether it is up."""
        return way(self.backend, bool(config.outside)) != ELSEWHERE

    async def _tell_node(self, node: str, path: str, value: Any) -> Any:
        return await self.commands.tell_node(node, path, value)

    async def _tell_shard(self, shard: str, node: str, path: str, value: Any) -> Any:
        return await self.commands.tell_shard(shard, node, path, value)

    @property
    def gone(self) -> bool:
        """Whether the farm went down."""
        return self.ended.is_set()

    @property
    def empty(self) -> bool:
        """Whether nothing is wanted here, and nobody is about to change that."""
        return self.state.plant is None and not self._turn.locked()

    async def start(self) -> None:
        """Listens for shards, adopts those that run, and sees to the rest soon."""
        await self.streams.start()
        self._want(self.state.plant)
        self.faults.restore(self.state.faults)
        for name, count in self.state.restarts.items():
            if name in self.roster.members:
                self.roster.members[name].restarts = count
        observed = await asyncio.to_thread(self.backend.observe)
        self.links.adopt(observed.links)
        found = [shard for shard in observed.shards if shard.alive]
        for shard in found:
            self.keeper.adopt(shard)
        self.keeper.ask_all()
        if found:
            self.events.farm(f"adopted {len(found)} shards that were running")
        if observed.shards or observed.strays or self.state.plant is not None:
            self._healing = asyncio.create_task(self._heal_soon())
        self._ticking = asyncio.create_task(self._tick())

    async def stop(self) -> None:
        """Leaves everything as it is; nodes serve on."""
        for task in (self._healing, self._ticking):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        await self.keeper.close()
        await self.streams.stop()
        if self._saving is not None:
            self._saving.cancel()
            if not self.gone:
                await self._save()
        self.events.close()

    async def apply(
        self,
        wanted: Plant,
        tell: Tell,
        *,
        dry_run: bool,
        seconds: float | None,
        encoded: bytes = b"",
        patient: bool = False,
    ) -> dict[str, Any]:
        """Makes what runs be `wanted`, all or nothing. `encoded` is it as JSON, where it came so; a `patient` caller
        does without hosts that are gone. What it is done with: see `link`."""
        if isinstance(wanted.shard, int) and wanted.shard > 0:
            descriptors.check(-(-len(wanted.nodes) // wanted.shard))
        began = self.clock()
        async with self._alone("apply", tell):
            plan = await self._planned(wanted, tell, changing=not dry_run, patient=patient)
            if dry_run:
                return {"plan": plan.lines(), "changes": len(plan)}
            previous = self.state.plant
            if wanted != previous:
                self.state.want(wanted, encoded)
                await self._save()  # before the first fork
            self._want(wanted)
            execution = self.changes.execution(plan)
            try:
                patience = seconds or TIMEOUT + TIMEOUT_EACH * len(wanted.nodes) + self._farther()
                await self.changes.carry_out(execution, plan, tell, patience, total=seconds is not None)
            except BaseException as exc:
                await asyncio.shield(self._go_back(execution, previous, str(exc) or "interrupted"))
                raise
            if len(wanted.nodes) >= MANY:
                gc.freeze()
            if plan:
                text = f"applied {len(plan)} operations in {self.clock() - began:.1f} s"
                self.events.farm(text, kind=CONFIG, actor="cli")
            rows = self.rows()
            done = {"plan": plan.lines(), "changes": len(plan), "rows": rows, "seconds": self.clock() - began}
            return done | ({"leads": self.backend.leads()} if isinstance(self.backend, Placing) else {})

    async def _planned(self, wanted: Plant, tell: Tell, *, changing: bool, patient: bool) -> Plan:
        """The plan, for hosts that are ready for it; when there is none to be had they are as they were."""
        previous = self.state.plant
        try:
            await self.changes.prepare(wanted, tell, changing=changing, patient=patient)
            return await self.changes.plan(wanted, take=changing)
        except BaseException:
            if previous is None:
                await asyncio.shield(self.changes.release())
            elif changing:
                await asyncio.shield(self.changes.prepare(previous, lambda event: None, patient=True))
            raise

    async def down(self, tell: Tell) -> dict[str, Any]:
        """Ends everything and removes all files but the lock. After it the process has only to end."""
        began, nodes = self.clock(), len(self.roster.members)
        async with self._alone("down", tell):
            self.state.plant = None
            with contextlib.suppress(FarmError):  # a full disk must not keep a farm up
                await self._save()
            plan = await self.changes.plan(nothing(self.run.name))
            self._want(None)
            execution = self.changes.execution(plan, keep_going=True)
            async with Progress(tell, [("stop", lambda: execution.finished, len(plan))]).shown(self.events):
                await execution.run()
            await asyncio.to_thread(end_processes, self.backend)
            left = await asyncio.to_thread(self.backend.observe)
            if left.strays or any(shard.alive for shard in left.shards):
                raise execution.failures[0] if execution.failures else FarmError("processes stay; see the log")
            self.ended.set()
            await self.keeper.close()
            await self.streams.stop()
            self.events.close()
            await asyncio.to_thread(remove_files, self.run)
        return {"nodes": nodes, "seconds": self.clock() - began}

    async def restart(self, nodes: Sequence[str], tell: Tell, actor: str = "") -> None:
        """Ends nodes and starts them again, several at once; in a shard of more, those alone."""
        async with self._alone("restart", tell):
            members = [self.roster.member(node) for node in dict.fromkeys(nodes)]
            names = [member.config.name for member in members]
            await self.keeper.pause()
            plan, told = plan_restart(members, self.roster, self.keeper.running)
            for member in members:
                self.state.stopped.discard(member.config.name)
                member.listening = False
                self.roster.set_state(member, STARTING)
                self.events.node(member.config.name, STARTING, "restarted by command", COMMAND, actor)
            self.changes.take(plan)
            await asyncio.gather(*(self._start_in(shard, inside) for shard, inside in told.items()))
            self.keeper.ask_all()
            seconds = TIMEOUT + TIMEOUT_EACH * len(members) + self._farther()
            await self.changes.carry_out(self.changes.execution(plan), plan, tell, seconds, names)

    async def _start_in(self, shard: str, members: list[Member]) -> None:
        for member in members:
            await self.commands.tell_shard(shard, member.config.name, SHARD_START, dump(member.config))

    def rows(self) -> list[dict[str, Any]]:
        """A row for each node: `farm ps`."""
        return self.fleet.rows.all()

    def status(self) -> dict[str, Any]:
        """How the farm is as a whole, and what each node reported last."""
        now, members = self.clock(), self.roster.members
        return {
            "farm": self.run.name,
            "run": str(self.run.path),
            "pid": os.getpid(),
            "backend": self.backend.name,
            "file": self.state.plant.file if self.state.plant is not None else "",
            "nodes": len(members),
            "up": sum(member.state == UP for member in members.values()),
            "uptime_s": round(now - self.identity.epoch, 1),
            "telemetry": {name: self.telemetry.of(name, now) for name in members},
        }

    async def settled(self) -> None:
        """Returns when the nodes that were found running have answered, or have had the time to."""
        names = [name for name, member in self.roster.members.items() if member.pid and member.state == STARTING]
        if names and self._busy_with in ("", COMPLETING):
            with self.roster.settle(names) as settling, contextlib.suppress(FarmError):
                await settling.wait(ADOPTION)

    async def link(self, nodes: Sequence[str], changes: Mapping[str, Any], tell: Tell) -> None:
        """Changes the links of nodes while they serve; what the file says is back with the next `farm up`."""
        if self.state.plant is None:
            raise FarmError(f"{self.run.name} has no nodes; `farm up` starts them")
        links = dict(self.state.plant.links)
        for node in nodes:
            member = self.roster.member(node)
            quality = changed_quality(links.pop(node, GOOD), changes)
            if quality != GOOD:
                links[member.config.name] = quality
        wanted = dataclasses.replace(self.state.plant, links=links)
        await self.apply(wanted, tell, dry_run=False, seconds=None, patient=True)

    def shard_said_hello(self, session: Session) -> None:
        """What it serves follows."""

    def node_spoke(self, session: Session, node: str) -> None:
        """A node listens, or cannot."""
        if node in self.roster.members:
            self.keeper.heard(session, self.roster.members[node])

    def _node_listens(self, node: str) -> None:
        """It may have been started anew, and then remembers nothing of what it had been told."""
        member = self.roster.members[node]
        self.monitor.watching.again(node)
        if self.links.plays(node):
            self.keeper.spawn(self._play(member, self.links.play))
        if self.faults.on(node):
            self.keeper.spawn(self._play(member, self.faults.play))

    async def _play(self, member: Member, play: Callable[[Member], Awaitable[None]]) -> None:
        """Tells the node what it has to play."""
        try:
            await play(member)
        except FarmError as exc:
            self.events.node(member.config.name, member.state, str(exc))

    def nodes_reported(self, nodes: dict[str, Any]) -> None:
        """Counters came."""
        self.monitor.report(nodes)

    async def _tick(self) -> None:
        """Once a second, at the same point of each: what has been reported is brought up to date, and told."""
        began, number = self.clock(), 0
        while True:
            number = max(number + 1, int(self.clock() - began))
            await asyncio.sleep(began + number - self.clock())
            try:
                self.monitor.tick()
                self.fleet.tick()
                await self.faults.tick()
            except Exception:
                log.exception("a bug in the supervisor")

    @contextlib.asynccontextmanager
    async def _alone(self, what: str, tell: Tell) -> AsyncIterator[None]:
        """One command at a time. Completing what a killed supervisor left gives way to a new wish."""
        if self._healing is not None and what in ("apply", "down"):
            self._healing.cancel()
            self._healing = None
        if self._turn.locked():
            tell({"event": "waiting", "text": f"{self.run.name}: waiting for another command ({self._busy_with})"})
        async with self._turn:
            if self.gone:
                raise FarmGone(f"{self.run.name} went down meanwhile")
            self._busy_with = what
            try:
                yield
            finally:
                self._busy_with = ""
                self.keeper.give_back()

    def _shaped(self, node: str, shaping: Shaping) -> None:
        played = self.links.plays(node)
        self.links.shaped(node, shaping)
        member = self.roster.members.get(node)
        if member is not None:
            self.events.node(node, member.state, f"link: {member.link or 'good'}")
            if member.listening and (played or self.links.plays(node)):
                self.keeper.spawn(self._play(member, self.links.play))

    async def _go_back(self, execution: Execution, previous: Plant | None, reason: str) -> None:
        """Undoes what a command began. The state says so first: a death in the middle of this must not complete what
        failed."""
        self.events.farm(f"rolled back: {reason}")
        self.state.plant = previous
        with contextlib.suppress(FarmError):
            await self._save()
        undoing = execution.undo()
        self._want(previous)
        self.changes.take(undoing)
        await self.changes.execution(undoing, keep_going=True).run()
        await self.changes.complete(self.state.plant or nothing(self.run.name))
        if previous is None:
            await self.changes.release()

    async def _heal_soon(self) -> None:
        await asyncio.sleep(HEAL_AFTER)
        async with self._alone(COMPLETING, lambda event: None):
            await self.changes.complete(self.state.plant or nothing(self.run.name))

    def _want(self, plant: Plant | None) -> None:
        """These nodes are wanted."""
        nodes = plant.nodes if plant is not None else ()
        self.roster.want(nodes)
        self.links.want(plant)
        self.faults.keep(self.roster.members)
        self.monitor.keep(self.roster.members)
        self._keep_pace(plant)
        self.fleet.changed()
        self.state.stopped.intersection_update(self.roster.members)  # in place: the keeper has the same set

    def _keep_pace(self, plant: Plant | None) -> None:
        """Nodes report as often as so many of them may."""
        nodes = len(self.roster.members)
        each = plant.shard if plant is not None and isinstance(plant.shard, int) else 1
        pace, stale = self.telemetry.pace, self.telemetry.pace.stale
        if pace.suit(nodes, -(-nodes // each)):
            self.telemetry.paced(stale, self.clock())
            self.monitor.paced()
            self.streams.pace(pace.every)

    async def _save(self) -> None:
        """Writes the state. Raises `FarmError`."""
        if self._saving is not None:
            self._saving.cancel()
            self._saving = None
        self.state.faults = self.faults.encode()
        self.state.restarts = {name: member.restarts for name, member in self.roster.members.items() if member.restarts}
        await asyncio.to_thread(write_atomically, self.run.state_file, self.state.encode())

    async def _keep_state(self) -> None:
        """Writes the state where that is possible: what was done is done, also on a full disk."""
        try:
            await self._save()
        except FarmError as exc:
            log.warning("%s", exc)

    def _save_soon(self) -> None:
        """One write for all that changes within half a second."""
        if self._saving is None and not self.gone:
            self._saving = asyncio.get_running_loop().call_later(SAVE_AFTER, self._save_now)

    def _save_now(self) -> None:
        self._saving = None
        if self.gone:
            return
        task = asyncio.get_running_loop().create_task(self._save())
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)
        task.add_done_callback(_log_failure)


def _log_failure(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and task.exception() is not None:
        log.warning("%s", task.exception())
