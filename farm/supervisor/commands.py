"""Commands to nodes: said to the shard that serves them, and what follows of those that change something.

A node that was told to stop serving is not to be asked whether it is up, and must not serve again when its process is
started anew: that is kept before whoever asked is answered.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from farm.errors import FarmError
from farm.supervisor.command_events import change_text, changes
from farm.supervisor.control import COMMAND_SECONDS, ControlStreams
from farm.supervisor.events import EventLog
from farm.supervisor.keeper import SERVER_START, SERVER_STOP, Keeper
from farm.supervisor.roster import STARTING, STOPPED, Member, Roster
from farm.supervisor.watching import Watching

SWITCHED = 30.0
"""Seconds for nodes to have opened or closed their ports."""


class Commands:
    """What is said to the nodes of one farm. `stopped` are those that are not to serve; `keep` writes that down."""

    def __init__(
        self,
        roster: Roster,
        keeper: Keeper,
        streams: ControlStreams,
        events: EventLog,
        watching: Watching,
        stopped: set[str],
        *,
        keep: Callable[[], Awaitable[None]],
        clock: Callable[[], float],
    ) -> None:
        self._roster = roster
        self._keeper = keeper
        self._streams = streams
        self._events = events
        self._watching = watching
        self._stopped = stopped
        self._keep = keep
        self._clock = clock

    async def switch(self, nodes: Sequence[str], on: bool, actor: str = "") -> None:
        """Has nodes stop or start to serve, and returns when they do: their memory lives on.

        Raises `FarmError` with the first that did not.
        """
        members = [self._roster.member(node) for node in dict.fromkeys(nodes)]
        path = SERVER_START if on else SERVER_STOP
        names = [member.config.name for member in members]
        answers = await asyncio.gather(
            *(self.command(name, path, None, actor) for name in names), return_exceptions=True
        )
        failed = [answer for answer in answers if isinstance(answer, BaseException)]
        if failed:
            raise failed[0]
        with self._roster.settle(names) as settling:
            await settling.wait(SWITCHED)

    async def command(self, node: str, path: str, value: Any, actor: str = "") -> Any:
        """What a node answers. Raises `FarmError`."""
        member = self._roster.member(node)
        answer = await self.tell_shard(member.shard, node, path, value)
        if path in (SERVER_STOP, SERVER_START):
            await self._switched(member, path == SERVER_START)
        elif path.startswith("api/") and "server" in path:
            state = await self.tell_shard(member.shard, node, "server", None)
            if not state["switching"] and state["listening"] == (node in self._stopped):
                await self._switched(member, bool(state["listening"]))
        kind = changes(path, value)
        if kind:
            self._events.node(node, member.state, change_text(path, value), kind, actor)
        return answer

    async def _switched(self, member: Member, on: bool) -> None:
        if on:
            self._stopped.discard(member.config.name)
            self._roster.set_state(member, STARTING)
            self._keeper.ask_all()
        else:
            self._stopped.add(member.config.name)
            self._roster.set_state(member, STOPPED)
        await self._keep()

    async def watch(self, node: str, tags: Sequence[str]) -> None:
        """Has a node report these tags for a while. Raises `FarmError`."""
        member = self._roster.member(node)
        wanted = self._watching.wants(node, tags, self._clock())
        if wanted is not None:
            try:
                await self.tell_shard(member.shard, node, "watch", wanted)
            except FarmError:
                self._watching.again(node)
                raise

    async def tell_node(self, node: str, path: str, value: Any) -> Any:
        """What the shard of a node answers for it. Raises `FarmError`."""
        return await self.tell_shard(self._roster.member(node).shard, node, path, value)

    async def tell_shard(self, shard: str, node: str, path: str, value: Any) -> Any:
        """What a shard answers; one that has not dialled yet is waited for. Raises `FarmError`."""
        give_up = self._clock() + COMMAND_SECONDS
        while True:
            running = self._keeper.running.get(shard)
            session = self._streams.session(shard, running.pid) if running is not None else None
            if session is not None and session.open:
                return await session.command(node, path, value)
            if running is None or self._clock() >= give_up:
                member = self._roster.members.get(node)
                state = member.state if member is not None else "unknown"
                raise FarmError(f"{node}: not to be reached, it is {state}")
            await asyncio.sleep(0.05)
