"""The faults that are on: what, on which nodes, until when. Nodes play them; here it is known which, and they are told.

Which nodes a fault is on is decided once, when it is put on. A node that was started anew remembers none, so it is told
again; one that served on while its supervisor was replaced is asked which it has. A node that hides (`HIDING`) is not
asked whether it is up, for it would not answer, and that is what is wanted of it.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from farm.errors import FarmError
from farm.supervisor import selection
from farm.supervisor.events import FAULT, EventLog
from farm.supervisor.roster import Member, Roster
from farm.topology.problem import suggestion
from node.config.faults import MODBUS_FAULTS, FaultSpec, parse_fault
from node.config.model import NodeConfig
from node.errors import NodeError

TellNode = Callable[[str, str, Any], Awaitable[Any]]
"""Sends a command to a node: node, path, value. Raises `FarmError`."""

HIDING = frozenset({"offline", "refuse"})
ALL_TAGS = "*"
NAMED_IN_EVENTS = 20
"""Nodes of one fault that get an event of their own."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that is on. `spec` is plain JSON as nodes take it, without `for`; `ends` an instant of the monotonic
    clock of this boot, None for never; `where` and `percent` say how its nodes were chosen."""

    id: int
    spec: Mapping[str, Any]
    nodes: tuple[str, ...]
    where: str = ""
    percent: float = 100.0
    seed: int = 0
    for_s: float | None = None
    ends: float | None = None
    since: str = ""
    actor: str = ""

    @property
    def text(self) -> str:
        """`slow by 200 ms on 12 nodes`."""
        on = self.nodes[0] if len(self.nodes) == 1 else f"{len(self.nodes)} nodes"
        return f"{parse_fault(dict(self.spec)).text} on {on}"

    def shown(self, now: float) -> dict[str, Any]:
        """As it is listed: its parameters, alone as `spec` too, for `percent` beside them is the share of nodes."""
        return {
            **self.spec,
            "spec": dict(self.spec),
            "id": self.id,
            "nodes": list(self.nodes),
            "where": self.where,
            "percent": self.percent,
            "seed": self.seed,
            "for_s": self.for_s,
            "left_s": None if self.ends is None else round(max(0.0, self.ends - now), 1),
            "since": self.since,
            "actor": self.actor,
            "text": self.text,
        }

    def encode(self) -> dict[str, Any]:
        """As plain JSON, for the state on disk."""
        return {field: getattr(self, field) for field in self.__slots__} | {"nodes": list(self.nodes)}

    @classmethod
    def decode(cls, body: Mapping[str, Any]) -> "Fault":
        """The fault back. Raises KeyError, TypeError, ValueError or `NodeError` for what is none."""
        parse_fault(dict(body["spec"]))
        return cls(**{**body, "nodes": tuple(map(str, body["nodes"]))})


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants: `nodes` are names and patterns (none: all), `where` narrows them as `farm ps --where` does,
    `percent` of what is left is taken. `shown` is what the choice is called where somebody else has made it."""

    spec: Mapping[str, Any]
    nodes: Sequence[str] = ()
    where: Sequence[str] = ()
    percent: float = 100.0
    seed: int = 0
    seconds: float | None = None
    shown: str = ""


class Faults:
    """The faults of one farm. `saved` writes down what must outlive this process."""

    def __init__(
        self,
        roster: Roster,
        tell: TellNode,
        events: EventLog,
        saved: Callable[[], Awaitable[None]],
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._roster = roster
        self._tell = tell
        self._events = events
        self._saved = saved
        self._clock = clock
        self._wall = wall
        self._faults: dict[int, Fault] = {}
        self._on: dict[str, list[int]] = {}
        self._last = 0
        self._telling: set[asyncio.Task[None]] = set()

    def restore(self, bodies: Iterable[Mapping[str, Any]]) -> None:
        """Those that an earlier supervisor knew of; what is none, of another version perhaps, is left out."""
        for body in bodies:
            with contextlib.suppress(KeyError, TypeError, ValueError, NodeError):
                fault = Fault.decode(body)
                self._faults[fault.id] = fault
                self._last = max(self._last, fault.id)
        self._spread()

    def encode(self) -> list[dict[str, Any]]:
        """All of them, for the state on disk."""
        return [fault.encode() for fault in self._faults.values()]

    def listed(self) -> list[dict[str, Any]]:
        """All of them, as they are shown."""
        now = self._clock()
        return [fault.shown(now) for fault in self._faults.values()]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._faults)

    def on(self, node: str) -> list[int]:
        """Ids of those on a node."""
        return self._on.get(node, [])

    async def add(self, wish: Wish, rows: Sequence[selection.Row], farm: str, actor: str) -> dict[str, Any]:
        """Puts a fault on, and tells those nodes that can be told now. As it is shown. Raises `FarmError`."""
        spec = read_spec(wish)
        names = self._choose(wish, spec, rows, farm)
        self._last += 1
        fault = Fault(
            self._last,
            spec.dump(),
            tuple(names),
            wish.shown or " ".join([*wish.nodes, *wish.where]),
            wish.percent,
            wish.seed,
            wish.seconds,
            None if wish.seconds is None else self._clock() + wish.seconds,
            datetime.fromtimestamp(self._wall()).astimezone().isoformat(timespec="seconds"),
            actor,
        )
        self._faults[fault.id] = fault
        self._spread()
        refused = await self._put_on(fault)
        if refused and fault.id in self._faults:  # and not cleared meanwhile
            fault = self._without(fault, refused)
        await self._saved()
        self._say(fault, "", actor)
        return fault.shown(self._clock())

    async def clear(self, ids: Sequence[int] | None, actor: str) -> list[int]:
        """Takes faults off, all of them with None. Raises `FarmError` for an id that there is not."""
        wanted = list(self._faults) if ids is None else list(dict.fromkeys(ids))
        for number in wanted:
            if number not in self._faults:
                known = ", ".join(map(str, self._faults)) or "none"
                raise FarmError(f"there is no fault {number} (there is {known})", "`farm fault ls` lists them")
        await self._tell_end(await self._end(wanted, "cleared", actor))
        return wanted

    async def tick(self) -> None:
        """Takes off what has lasted as long as it was to. Nodes know when that is, and are not waited for."""
        now = self._clock()
        over = [fault.id for fault in self._faults.values() if fault.ends is not None and fault.ends <= now]
        if over:
            task = asyncio.create_task(self._tell_end(await self._end(over, "over", "")))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def play(self, member: Member) -> None:
        """Has the node have those faults that are on it and no others. Raises `FarmError`."""
        node = member.config.name
        wanted = self.on(node)
        has = {int(each["id"]) for each in await self._tell(node, "faults", None)}
        for number in sorted(has - set(wanted)):
            await self._tell(node, f"faults/{number}/clear", None)
        for number in wanted:
            if number not in has and number in self._faults:
                await self._tell(node, "faults/add", self._told(self._faults[number]))

    def keep(self, nodes: Iterable[str]) -> None:
        """Forgets all nodes but these, and faults that are on none."""
        kept = set(nodes)
        for fault in list(self._faults.values()):
            gone = set(fault.nodes) - kept
            if gone == set(fault.nodes):
                del self._faults[fault.id]
            elif gone:
                self._faults[fault.id] = _on(fault, [name for name in fault.nodes if name in kept])
        self._spread()

    def _choose(self, wish: Wish, spec: FaultSpec, rows: Sequence[selection.Row], farm: str) -> list[str]:
        """The nodes that a fault is to be on: those that have its tag, if it is about one."""
        names = set(selection.choose(rows, wish.nodes or [ALL_TAGS], farm))
        wanted = selection.parse_where(wish.where)
        names &= {str(row["name"]) for row in selection.where(rows, wanted)}
        if not names:
            raise FarmError(f"no node of {farm} is so: {', '.join(wish.where)}", "`farm ps` shows how they are")
        tag = str(spec.dump().get("tag") or ALL_TAGS)
        found = [name for name in self._roster.members if name in names]
        having = [name for name in found if has_tag(self._roster.members[name].config, tag)]
        lacking = [name for name in found if name in wish.nodes and name not in having]
        if spec.kind in MODBUS_FAULTS:
            speaking = [name for name in found if self._roster.members[name].config.modbus is not None]
            mute = [name for name in found if name in wish.nodes and name not in speaking]
            if mute or not speaking:
                who = mute[0] if mute else "none of these nodes"
                raise FarmError(f"{who} speaks {'no ' if mute else ''}Modbus, and fault {spec.kind} is of that alone")
            having = speaking
        elif lacking or not having:
            known = self._roster.members[(lacking or found)[0]].config
            where = "there is on none of these nodes a" if not lacking and len(found) > 1 else f"{known.name} has no"
            tags = [each.name for each in known.tags]
            raise FarmError(f"{where} tag {tag!r}", suggestion(tag, tags) or f"`farm tags {known.name}` lists them")
        return selection.share(having, wish.percent, wish.seed)

    async def _put_on(self, fault: Fault) -> dict[str, str]:
        """Tells the nodes that listen; those that refuse, and why. Raises `FarmError` when all do."""
        told = [name for name in fault.nodes if self._roster.members[name].listening]
        answers = await asyncio.gather(
            *(self._tell(name, "faults/add", self._told(fault)) for name in told), return_exceptions=True
        )
        refused: dict[str, str] = {}
        for name, answer in zip(told, answers, strict=True):
            if isinstance(answer, FarmError):
                refused[name] = str(answer)
            elif isinstance(answer, BaseException):
                raise answer
        if len(refused) == len(fault.nodes):
            self._faults.pop(fault.id, None)
            self._spread()
            raise FarmError(next(iter(refused.values())))
        return refused

    def _without(self, fault: Fault, refused: Mapping[str, str]) -> Fault:
        """The fault on those nodes that took it."""
        fault = self._faults[fault.id] = _on(fault, [name for name in fault.nodes if name not in refused])
        self._spread()
        for name, why in refused.items():
            self._events.node(name, self._roster.members[name].state, f"fault {fault.id} not taken: {why}", FAULT)
        return fault

    async def _end(self, numbers: Sequence[int], why: str, actor: str) -> list[Fault]:
        ended = [self._faults.pop(number) for number in numbers]
        self._spread()
        for fault in ended:  # at once: whoever sees that it is gone finds why
            self._say(fault, f"{why}: ", actor)
        await self._saved()
        return ended

    async def _tell_end(self, ended: Sequence[Fault]) -> None:
        """Has those nodes end the faults that can be told now; the others are told when they are ready."""
        told = [
            self._tell(name, f"faults/{fault.id}/clear", None)
            for fault in ended
            for name in fault.nodes
            if name in self._roster.members and self._roster.members[name].listening
        ]
        await asyncio.gather(*told, return_exceptions=True)

    def _say(self, fault: Fault, prefix: str, actor: str) -> None:
        self._events.farm(f"{prefix}{fault.text} (fault {fault.id})", kind=FAULT, actor=actor)
        text = parse_fault(dict(fault.spec)).text
        for name in fault.nodes if len(fault.nodes) <= NAMED_IN_EVENTS else ():
            member = self._roster.members.get(name)
            if member is not None:
                self._events.node(name, member.state, f"{prefix}{text} (fault {fault.id})", FAULT, actor)

    def _told(self, fault: Fault) -> dict[str, Any]:
        """As the node is told of it: it ends it by itself where nobody tells it to."""
        left = {} if fault.ends is None else {"for": max(0.001, round(fault.ends - self._clock(), 3))}
        return {**fault.spec, **left, "id": fault.id}

    def _spread(self) -> None:
        """Brings up to date which nodes have which faults, and which of them hide."""
        self._on = {}
        hiding: set[str] = set()
        for fault in self._faults.values():
            for name in fault.nodes:
                self._on.setdefault(name, []).append(fault.id)
            if fault.spec["kind"] in HIDING:
                hiding.update(fault.nodes)
        for name, member in self._roster.members.items():
            member.hiding = name in hiding


def read_spec(wish: Wish) -> FaultSpec:
    """What a wish is about. Raises `FarmError` for a fault that there is not."""
    if wish.seconds is not None and not 0 < wish.seconds < float("inf"):
        raise FarmError(f"for {wish.seconds:g} seconds: wanted a time above 0")
    body = {name: value for name, value in wish.spec.items() if name not in ("for", "id")}
    try:
        return parse_fault({"seed": wish.seed, **body})
    except NodeError as exc:
        raise FarmError(str(exc)) from exc


def has_tag(config: NodeConfig, tag: str) -> bool:
    """Whether a node has the tag that a path such as `Line[3].Speed` begins with."""
    if tag == ALL_TAGS:
        return True
    wanted = tag.casefold()
    for each in config.tags:
        name = each.name.casefold()
        if wanted == name or (wanted.startswith(name) and wanted[len(name)] in ".["):
            return True
    return False


def _on(fault: Fault, nodes: Sequence[str]) -> Fault:
    return Fault(**{**{name: getattr(fault, name) for name in Fault.__slots__}, "nodes": tuple(nodes)})
