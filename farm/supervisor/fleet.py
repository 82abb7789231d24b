"""The fleet as it is shown: a row for each node, a line for the farm, and one frame a second for everybody who follows.

A frame is made and serialised once, whoever watches, and not at all when nobody does. It holds the nodes of which
something changed since the last one, and all of them each `FULL_EVERY` seconds; who begins to follow, or did not read
for a while, gets a full one. Nobody is waited for: of what a follower has not taken, the oldest is dropped.

In a farm so large that nodes report every few seconds only (`pace`), a frame looks at as many nodes as can have
reported since the last one, turn by turn, and at those whose state is another.
"""

import asyncio
import json
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

from farm import __version__
from farm.backends.backend import Backend
from farm.supervisor.condition import CONDITIONS, SILENT
from farm.supervisor.events import Event, EventLog
from farm.supervisor.monitor import Monitor
from farm.supervisor.percentiles import percentiles, total
from farm.supervisor.reach import reach
from farm.supervisor.roster import Member, Roster
from farm.supervisor.rows import Rows, to_three_figures
from farm.supervisor.telemetry import Telemetry
from farm.supervisor.usage import OwnUsage
from farm.topology.plant import Plant

FULL_EVERY = 30
"""Frames from one full one to the next."""
FRAMES = 3
"""Frames that wait for a follower."""
LOG_ENTRIES = 1000
"""Events that wait for one."""

Entry = list[Any]
"""A node in a frame: id, condition, requests a second, p50 and p99 in ms, connections, errors a minute, restarts, age
in seconds, number of faults."""


class Follower:
    """Somebody who follows the fleet: what is waiting for it, packed."""

    def __init__(self) -> None:
        self.behind = True
        """Whether the next frame must be a full one."""
        self._frames: deque[bytes] = deque()
        self._entries: deque[bytes] = deque(maxlen=LOG_ENTRIES)
        self._news = asyncio.Event()

    def frame(self, line: bytes) -> None:
        """A frame for it. One too many takes the place of all that wait, and is worth nothing without a full one."""
        if len(self._frames) >= FRAMES:
            self._frames.clear()
            self.behind = True
            return
        self._frames.append(line)
        self._news.set()

    def entry(self, event: Event) -> None:
        """An event for it."""
        self._entries.append(_pack({"event": "log", "entry": event}))
        self._news.set()

    async def take(self) -> bytes:
        """The first line that waits for it, as soon as there is one: events before frames."""
        while not self._entries and not self._frames:
            self._news.clear()
            await self._news.wait()
        return (self._entries or self._frames).popleft()


class Fleet:
    """Rows and frames of one farm. `plant` gives what is wanted now."""

    def __init__(
        self,
        name: str,
        backend: Backend,
        roster: Roster,
        telemetry: Telemetry,
        monitor: Monitor,
        events: EventLog,
        plant: Callable[[], Plant | None],
        faults: Callable[[], int],
    ) -> None:
        self.generation = int(monitor.wall())
        """Changes when names or what does not move of a node change, and with the supervisor."""
        self.own = OwnUsage(monitor.clock)
        self._name = name
        self._backend = backend
        self._roster = roster
        self._telemetry = telemetry
        self._monitor = monitor
        self._events = events
        self._plant = plant
        self.rows = Rows(roster, telemetry, monitor, plant)
        self._faults = faults
        self._followers: set[Follower] = set()
        self._sequence = 0
        self._sent: list[Entry] = []
        self._sent_of = 0
        self._states: list[str] = []
        """The states of nodes as of what was sent."""

    def changed(self) -> None:
        """Other nodes are wanted, or they are otherwise than before."""
        self.generation += 1

    def tick(self) -> None:
        """A second passed: everybody who follows gets a frame."""
        self.own.tick()
        if not self._followers:
            self._sent_of = 0  # and is too old to be gone on with
            return
        self._sequence += 1
        entries = self._entries(self._sent if self._sent_of == self.generation else [])
        farm = self._farm(Counter(entry[1] for entry in entries))
        due = self._sequence % FULL_EVERY == 0 or self._sent_of != self.generation
        whole = self._line(farm, entries) if due or any(follower.behind for follower in self._followers) else b""
        line = whole if due else self._line(farm, self._different(entries), full=False)
        for follower in self._followers:
            behind, follower.behind = follower.behind, False
            follower.frame(whole if behind else line)
        self._sent, self._sent_of = entries, self.generation
        self._states = [member.state for member in self._roster.members.values()]

    async def follow(self) -> AsyncGenerator[bytes, None]:
        """A full frame, then one a second, and events as they happen: packed lines."""
        follower = Follower()
        entries = self._entries()
        follower.frame(self._line(self._farm(Counter(entry[1] for entry in entries)), entries))
        self._followers.add(follower)
        try:
            with self._events.heard_by(follower.entry):
                while True:
                    yield await follower.take()
        finally:
            self._followers.discard(follower)

    @property
    def watched(self) -> int:
        """How many follow."""
        return len(self._followers)

    def farm(self) -> dict[str, Any]:
        """The line of the farm as a whole."""
        now = self._monitor.clock()
        conditions = [self._monitor.look(member, now).condition for member in self._roster.members.values()]
        return self._farm(Counter(conditions))

    def _farm(self, conditions: Counter[str]) -> dict[str, Any]:
        meters = [self._monitor.meter(name) for name in self._roster.members]
        busy = [meter for meter in meters if meter.active]
        p50, p99 = percentiles(total(meter.recent for meter in busy))
        plant = self._plant()
        where, kind = reach(self._backend, plant)
        return {
            "farm": self._name,
            "backend": self._backend.name,
            "file": plant.file if plant is not None else "",
            "reach": where,
            "reach_kind": kind,
            "nodes": len(meters),
            "report_every_s": self._telemetry.pace.every,
            "conditions": {name: conditions[name] for name in reversed(CONDITIONS)},
            "requests_per_s": round(sum(meter.requests_per_s for meter in busy), 1),
            "errors_per_s": round(sum(meter.errors_per_s for meter in busy), 2),
            "p50_ms": to_three_figures(p50),
            "p99_ms": to_three_figures(p99),
            "clients": self._monitor.clients.count,
            "faults": self._faults(),
            "supervisor": self.own.shown(),
            "version": __version__,
        }

    def _entries(self, sent: Sequence[Entry] = ()) -> list[Entry]:
        """An entry for each node: of those whose turn it is not, what was `sent`, if anything was."""
        now, every, turn = self._monitor.clock(), self._telemetry.pace.every, self._sequence
        found: list[Entry] = []
        for number, member in enumerate(self._roster.members.values()):
            if sent and (number + turn) % every and member.state == self._states[number]:
                found.append(sent[number])
            else:
                found.append(self._entry(number, member, now))
        return found

    def _entry(self, number: int, member: Member, now: float) -> Entry:
        monitor, name = self._monitor, member.config.name
        meter, look = monitor.meter(name), monitor.look(member, now)
        return [
            number,
            look.condition,
            round(meter.requests_per_s, 1),
            to_three_figures(meter.p50),
            to_three_figures(meter.p99),
            meter.connections,
            look.errors,
            member.restarts,
            None if look.age is None else round(look.age, 1),
            len(monitor.faults_of(name)),
        ]

    def _different(self, entries: list[Entry]) -> list[Entry]:
        """Those that are not as they were sent last; an age is news of one that does not report only."""
        return [
            entry
            for entry, sent in zip(entries, self._sent, strict=True)
            if entry is not sent and (entry[:8] != sent[:8] or entry[9] != sent[9] or entry[1] == SILENT)
        ]

    def _line(self, farm: dict[str, Any], entries: list[Entry], full: bool = True) -> bytes:
        frame = {
            "t": round(self._monitor.wall(), 3),
            "seq": self._sequence,
            "generation": self.generation,
            "full": full,
            "farm": farm,
            "nodes": entries,
        }
        return _pack({"event": "fleet", "frame": frame})


def _pack(body: dict[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode() + b"\n"
