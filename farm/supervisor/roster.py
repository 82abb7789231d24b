"""Every node that is wanted: which process serves it, how it is, how often it was restarted.

starting     its process runs, or is about to; it has not answered yet
up           it has answered a real request on each of its ports
down         it cannot serve, and `error` says why
restarting   its process died and is started again soon
crash-loop   the same, five times in a minute: tried once a minute
stopped      it was told not to serve
"""

import asyncio
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from farm.backends.observed import ObservedShard
from farm.errors import FarmError
from farm.supervisor.events import EventLog
from farm.supervisor.telemetry import Telemetry
from node.config.model import NodeConfig

STARTING = "starting"
UP = "up"
DOWN = "down"
RESTARTING = "restarting"
CRASH_LOOP = "crash-loop"
STOPPED = "stopped"


@dataclass(slots=True)
class Member:
    """A wanted node. `shard` and `pid` say who serves it (pid 0: nobody), `started` is in ticks since boot. One that is
    not `reachable`, for its link is down on purpose, or `hiding`, for a fault has it so, counts as up when it listens;
    `link` says how its link is."""

    config: NodeConfig
    state: str = STARTING
    shard: str = ""
    pid: int = 0
    started: int = 0
    restarts: int = 0
    error: str = ""
    listening: bool = False
    reachable: bool = True
    hiding: bool = False
    link: str = ""
    ports: dict[str, int] = field(default_factory=dict)


class Roster:
    """Nodes by name, in plant order. States change here and nowhere else."""

    def __init__(self, events: EventLog, telemetry: Telemetry) -> None:
        self.members: dict[str, Member] = {}
        self._shards: dict[str, dict[str, Member]] = {}
        self._events = events
        self._telemetry = telemetry
        self._settlings: set[Settling] = set()

    def want(self, nodes: Iterable[NodeConfig]) -> None:
        """These nodes and no others are wanted from now on."""
        before, self.members, self._shards = self.members, {}, {}
        for config in nodes:
            member = before.get(config.name)
            if member is None or member.config != config:
                restarts = member.restarts if member is not None else 0
                member = Member(config, restarts=restarts, link=member.link if member is not None else "")
            self.members[config.name] = member
            self._put(member, member.shard)
        self._telemetry.keep(self.members)

    def member(self, name: str) -> Member:
        """The node `name`. Raises `FarmError`."""
        found = self.members.get(name)
        if found is None:
            raise FarmError(f"no node named {name!r} in this farm; `farm ps` lists them")
        return found

    def of_shard(self, shard: str) -> list[Member]:
        """The nodes that the shard serves, or served last."""
        return list(self._shards.get(shard, {}).values())

    def assign(self, shard: str, nodes: Iterable[NodeConfig]) -> None:
        """The shard is to serve these nodes."""
        for node in nodes:
            if node.name in self.members:
                self._put(self.members[node.name], shard)

    def serve(self, shard: ObservedShard) -> list[Member]:
        """The shard's process runs: its nodes are on their way up."""
        served = [self.members[node.name] for node in shard.nodes if node.name in self.members]
        for member in served:
            same = member.pid == shard.pid and member.started == shard.started
            self._put(member, shard.name)
            member.pid, member.started = shard.pid, shard.started
            if not same:
                member.listening = False
                self._telemetry.forget(member.config.name)
                self.set_state(member, STARTING)
        return served

    def _put(self, member: Member, shard: str) -> None:
        """The member is that shard's."""
        name = member.config.name
        if member.shard != shard:
            self._shards.get(member.shard, {}).pop(name, None)
        member.shard = shard
        if shard:
            self._shards.setdefault(shard, {})[name] = member

    def set_state(self, member: Member, state: str, error: str = "", text: str = "") -> None:
        """The node is in `state` now, for the reason `error` if it is a bad one."""
        changed = (member.state, member.error) != (state, error)
        member.state, member.error = state, error
        if changed and (state != STARTING or text):
            self._events.node(member.config.name, state, text or error or state)
        for settling in list(self._settlings):
            settling.look(member)

    def listens(self, member: Member, ports: dict[str, int]) -> None:
        """The node listens, and is asked next."""
        member.listening, member.ports = True, ports
        for settling in list(self._settlings):
            settling.look(member)

    def settle(self, names: Iterable[str]) -> "Settling":
        """Somebody who waits until these nodes are up; a context."""
        return Settling(self, self._settlings, [self.members[name] for name in names])


class Settling:
    """Waits for nodes to be up (or stopped, where that is wanted), counts them, and knows the first that cannot."""

    def __init__(self, roster: Roster, all_settlings: "set[Settling]", members: list[Member]) -> None:
        self._all = all_settlings
        self._roster = roster
        self._waiting = {member.config.name for member in members}
        self._deaf = {member.config.name for member in members}
        self._done = asyncio.Event()
        self.total = len(members)
        self.failure: FarmError | None = None

    def __enter__(self) -> "Settling":
        self._all.add(self)
        for name in list(self._waiting):
            self.look(self._roster.members[name])
        if not self._waiting:
            self._done.set()
        return self

    def __exit__(self, *exc: object) -> None:
        self._all.discard(self)

    @property
    def listening(self) -> int:
        """Nodes that listen."""
        return self.total - len(self._deaf)

    @property
    def up(self) -> int:
        """Nodes that have answered."""
        return self.total - len(self._waiting)

    def look(self, member: Member) -> None:
        """The member changed."""
        name = member.config.name
        if name not in self._waiting:
            return
        if member.listening or member.state in (UP, STOPPED):
            self._deaf.discard(name)
        if member.state in (UP, STOPPED):
            self._waiting.discard(name)
        elif member.state == DOWN and self.failure is None:
            self.failure = FarmError(f"{name}: {member.error}")
            self._done.set()
        if not self._waiting:
            self._done.set()

    async def wait(self, seconds: float, after: "asyncio.Future[None] | None" = None) -> None:
        """Until all have settled, `seconds` at most, which count from the end of `after` if it is given.

        Raises `FarmError` for the first that failed, or for those that are late.
        """
        settled = asyncio.create_task(self._done.wait())
        try:
            if after is not None:
                await asyncio.wait((settled, after), return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait_for(settled, seconds)
        except TimeoutError:
            self.failure = self._late(seconds)
        finally:
            settled.cancel()
        if self.failure is not None:
            raise self.failure

    def _late(self, seconds: float) -> FarmError:
        names = [name for name in self._roster.members if name in self._waiting]
        first = self._roster.members[names[0]]
        got = first.error or (
            "it listens but has not answered" if first.listening else "it has not said that it listens"
        )
        others = f" (and {len(names) - 1} more)" if len(names) > 1 else ""
        return FarmError(f"{names[0]}{others}: not up within {seconds:.0f} s: {got}")


def uptime(started: int) -> float | None:
    """Seconds since a process started `started` clock ticks after boot; None where that cannot be known."""
    if not started or not hasattr(time, "CLOCK_BOOTTIME"):
        return None
    return round(max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - started / os.sysconf("SC_CLK_TCK")), 1)
