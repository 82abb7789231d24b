"""Recordings of a farm on their way: nodes keep what was, here it is fetched once a second and handed on to whoever
writes it. What is played back passes the other way, some seconds ahead.

A node keeps a record until it is asked for a later one, so nothing is lost on the way, also when a supervisor dies or a
node does not answer for a while. A node that was started anew begins anew, with all its values. Who asked and has hung
up ends its recording; where a supervisor was killed, nodes end it by themselves.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from farm.errors import FarmError
from farm.supervisor.events import COMMAND, EventLog
from farm.supervisor.roster import Roster
from farm.supervisor.wire import pack

EVERY = 1.0
"""Seconds from one fetching to the next."""

TellNode = Callable[[str, str, Any], Awaitable[Any]]
"""Sends a command to a node: node, path, value. Raises `FarmError`."""


class Caller(Protocol):
    """Who asked for a recording, and writes it."""

    async def send(self, line: bytes) -> None:
        """Sends a packed line once those before it are on their way. Raises `ConnectionError` when nobody is there."""


@dataclass(slots=True)
class Recording:
    """One that runs: `spec` as nodes take it (`node.commands.recordings`), `after` the number of the last record that
    was handed on of each node."""

    nodes: Sequence[str]
    spec: Mapping[str, Any]
    after: dict[str, int]
    begun: set[str] = field(default_factory=set)
    """Nodes that have said that they record."""
    tags: dict[str, int] = field(default_factory=dict)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def key(self) -> str:
        """What nodes know it by."""
        return str(self.spec["key"])


class Recordings:
    """Those of one farm, and its `replays`. `ended` is set when the farm went down."""

    def __init__(self, roster: Roster, tell: TellNode, events: EventLog, ended: asyncio.Event) -> None:
        self.replays = Replays(roster, tell, events)
        self._roster = roster
        self._tell = tell
        self._events = events
        self._ended = ended
        self._running: dict[str, Recording] = {}

    async def run(self, recording: Recording, caller: Caller, actor: str) -> dict[str, Any]:
        """Hands on records until it is told to end, or the caller hangs up; what nodes have then comes last. How many
        tags of each node are recorded. Raises `FarmError` for what nodes refuse."""
        key = recording.key
        if key in self._running:
            raise FarmError(f"there is a recording {key!r} already")
        self._running[key] = recording
        said = False
        try:
            await self._begin(recording)
            what = f"{sum(recording.tags.values())} tags of {len(recording.nodes)} nodes"
            if not recording.after:
                self._events.farm(f"recording {what}", kind=COMMAND, actor=actor)
            said = True
            await caller.send(pack({"event": "begun", "tags": recording.tags}))
            while not self._over(recording):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(recording.over.wait(), EVERY)
                await self._fetch(recording, caller)
        finally:
            del self._running[key]
            if said:
                self._events.farm("a recording has ended", kind=COMMAND, actor=actor)
            if not self._ended.is_set():
                await asyncio.shield(self._stop_nodes(recording))
        return {"tags": recording.tags}

    def stop(self, key: str | None) -> int:
        """Has it end, or all of them; how many that are."""
        found = [each for each in self._running.values() if key in (None, each.key)]
        for each in found:
            each.over.set()
        return len(found)

    def _over(self, recording: Recording) -> bool:
        return recording.over.is_set() or self._ended.is_set()

    async def _begin(self, recording: Recording) -> None:
        """Has all nodes that serve begin; the others do so later."""
        there = [node for node in recording.nodes if self._serves(node)]
        answers = await asyncio.gather(*(self._start(recording, node) for node in there), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        if there and not any(recording.tags.values()):
            raise FarmError(
                f"none of these nodes has a tag {' or '.join(recording.spec['tags'])}", "`farm tags` lists them"
            )

    async def _start(self, recording: Recording, node: str) -> None:
        answer = await self._tell(node, "record/start", dict(recording.spec))
        recording.tags[node] = int(answer["tags"])
        recording.begun.add(node)
        if not answer["known"]:
            recording.after.pop(node, None)

    async def _fetch(self, recording: Recording, caller: Caller) -> None:
        """What has come since the last time, of all nodes, and a sign that that was all."""
        there = [node for node in recording.nodes if self._serves(node)]
        answers = await asyncio.gather(*(self._read(recording, node, caller) for node in there), return_exceptions=True)
        for node, answer in zip(there, answers, strict=True):
            if isinstance(answer, FarmError):
                recording.begun.discard(node)
            elif isinstance(answer, BaseException):
                raise answer
        await caller.send(pack({"event": "fetched", "nodes": len(there)}))

    async def _read(self, recording: Recording, node: str, caller: Caller) -> None:
        if node not in recording.begun:
            await self._start(recording, node)
            if node not in recording.after:
                await caller.send(pack({"event": "anew", "node": node}))
        more = True
        while more:
            answer = await self._tell(node, f"record/{recording.key}/read", recording.after.get(node))
            found = answer["records"]
            if found:
                line = {"event": "records", "node": node, "records": found, "lost": answer["lost"]}
                await caller.send(pack(line))
                recording.after[node] = int(found[-1][0])
            more = bool(answer["more"])

    async def _stop_nodes(self, recording: Recording) -> None:
        told = [self._tell(node, f"record/{recording.key}/stop", None) for node in recording.begun]
        await asyncio.gather(*told, return_exceptions=True)

    def _serves(self, node: str) -> bool:
        member = self._roster.members.get(node)
        return member is not None and bool(member.pid) and member.listening


class Replays:
    """What is played into the tags of a farm's nodes (`node.commands.replays`)."""

    def __init__(self, roster: Roster, tell: TellNode, events: EventLog) -> None:
        self._roster = roster
        self._tell = tell
        self._events = events

    async def put(self, nodes: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
        """Tells each node its values, in as many messages as there are of it. `refused` says which tags of which nodes
        are not played and why, `again` which nodes are to be told all values, `away` which are not there."""
        outcome: dict[str, Any] = {"refused": {}, "again": [], "away": []}
        there = [node for node in nodes if node in self._roster.members and self._roster.members[node].listening]
        outcome["away"] = [node for node in nodes if node not in there]
        told = await asyncio.gather(*(self._put(node, nodes[node]) for node in there), return_exceptions=True)
        for node, answers in zip(there, told, strict=True):
            if isinstance(answers, FarmError) and not await self._answers(node):
                outcome["away"].append(node)
            elif isinstance(answers, BaseException):
                raise answers
            elif any(answer.get("again") for answer in answers):
                outcome["again"].append(node)
            else:
                refused = {tag: why for answer in answers for tag, why in answer["refused"].items()}
                if refused:
                    outcome["refused"][node] = refused
        return outcome

    async def stop(self, key: str | None, nodes: Sequence[str] | None, actor: str) -> int:
        """Ends it, or all that is played, on these nodes or on all; on how many it was."""
        names = [node for node in nodes or self._roster.members if node in self._roster.members]
        there = [node for node in names if self._roster.members[node].listening]
        value = None if key is None else {"key": key}
        answers = await asyncio.gather(
            *(self._tell(node, "replay/stop", value) for node in there), return_exceptions=True
        )
        ended = sum(1 for answer in answers if isinstance(answer, dict) and answer["tags"])
        if ended:
            self._events.farm(f"a replay into {ended} nodes has ended", kind=COMMAND, actor=actor)
        return ended

    def begun(self, nodes: int, text: str, actor: str) -> None:
        """Says that one begins."""
        self._events.farm(f"replaying {text} into {nodes} nodes", kind=COMMAND, actor=actor)

    async def _put(self, node: str, messages: Sequence[Any]) -> list[dict[str, Any]]:
        return [await self._tell(node, "replay/put", message) for message in messages]

    async def _answers(self, node: str) -> bool:
        """Whether it is there at all: if not, that is why it has not taken what it was told."""
        with contextlib.suppress(FarmError):
            await self._tell(node, "replay", None)
            return True
        return False
