"""Everything that is known of nodes from what they report: once a second all of it is brought up to that second.

What costs something is done for nodes of which something changed; an idle node costs a line of its history.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from farm.backends.backend import Placing
from farm.supervisor.clients import Clients
from farm.supervisor.condition import condition
from farm.supervisor.events import CLIENT, WRITE, EventLog
from farm.supervisor.history import History
from farm.supervisor.meter import Meter
from farm.supervisor.roster import SILENT, STARTING, UP, Member, Roster
from farm.supervisor.telemetry import STALE, Telemetry
from farm.supervisor.usage import NodeMemory
from farm.supervisor.watching import Watching
from node.config.transports import spoken

MINUTE = 60.0


class Monitor:
    """The meters, the history, the clients and the watched tags of a farm. `faults_of` gives the ids of the faults that
    are active on a node, `placing` on which hosts they are, on a backend that has any."""

    def __init__(
        self,
        roster: Roster,
        telemetry: Telemetry,
        events: EventLog,
        faults_of: Callable[[str], list[int]],
        *,
        placing: Placing | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.clock = clock
        self.wall = wall
        self.history = History()
        self.clients = Clients()
        self.watching = Watching()
        self.memory = NodeMemory()
        self.faults_of = faults_of
        self._placing = placing
        self._roster = roster
        self._telemetry = telemetry
        self._events = events
        self._meters: dict[str, Meter] = {}

    def report(self, nodes: Mapping[str, Any]) -> None:
        """Takes the `nodes` of a telemetry message."""
        now = self.clock()
        self._telemetry.report(nodes, now)
        for name, counters in nodes.items():
            if isinstance(counters, dict) and name in self._roster.members:
                self._take(name, counters, now)

    def tick(self) -> None:
        """A second passed."""
        now, wall = self.clock(), self.wall()
        self.history.turn(wall)
        for name, member in self._roster.members.items():
            meter = self.meter(name)
            if not member.pid and (meter.active or meter.connections):
                meter.ended()
                self.clients.ended(name, now)
            if meter.active:
                meter.tick(now)
            age = self._telemetry.age(name, now)
            known = age is not None and age <= STALE and member.pid
            self.history.note(
                name, meter.requests, meter.errors, meter.p50, meter.p99, meter.connections if known else None
            )
        self.watching.tick(now, wall)
        for address in self.clients.leave(now):
            self._events.farm(f"{address} has left", kind=CLIENT, actor=address)
        self.memory.tick(list({member.pid for member in self._roster.members.values() if member.pid}))

    def keep(self, nodes: Iterable[str]) -> None:
        """Forgets all nodes but these."""
        kept = set(nodes)
        self._meters = {name: meter for name, meter in self._meters.items() if name in kept}
        self.history.keep(kept)
        self.clients.keep(kept, self.clock())
        self.watching.keep(kept)

    def meter(self, node: str) -> Meter:
        """The meter of a node."""
        found = self._meters.get(node)
        if found is None:
            found = self._meters[node] = Meter()
        return found

    def counter(self, node: str, name: str) -> int:
        """What the node itself counted last; 0 when it never reported."""
        value = self._telemetry.last(node).get(name, 0)
        return int(value) if isinstance(value, int | float) else 0

    def errors_per_minute(self, node: str, now: float) -> tuple[int, int]:
        """Errors and requests of the last minute; (0, 0) where there was no error."""
        at = self.meter(node).last_error
        if at is None or now - at > MINUTE:
            return 0, 0
        requests, errors = self.history.last_minute(node)
        return errors, requests

    def state_of(self, member: Member, age: float | None) -> str:
        """The member's state; one that was up and is silent is not, nor is one of a host that is not reached."""
        if member.state in (UP, STARTING) and self.missed(member.config.name, age):
            return "down"
        return "down" if member.state == UP and age is not None and age > SILENT else member.state

    def missed(self, node: str, age: float | None) -> str:
        """Why a node's host is not reached, where the node does not report either; "" for all others."""
        if self._placing is None or (age is not None and age <= STALE):
            return ""
        return self._placing.absent(node)

    def host_of(self, node: str) -> str:
        """The host that a node is on, "" where there is this machine alone."""
        return self._placing.host_of(node) if self._placing is not None else ""

    def addresses(self) -> list[str]:
        """Where the platform has put each node, in plant order, "" for one that is where the plant wants it; none where
        there is this machine alone."""
        placing = self._placing
        return [placing.address_of(name) for name in self._roster.members] if placing is not None else []

    def condition_of(self, member: Member, now: float) -> str:
        """One of `condition.CONDITIONS`."""
        name = member.config.name
        age = self._telemetry.age(name, now)
        errors, requests = self.errors_per_minute(name, now)
        return condition(
            self.state_of(member, age),
            age,
            faults=len(self.faults_of(name)),
            forced=self.counter(name, "forced"),
            bad_link=bool(member.link),
            bugs=self.counter(name, "bugs"),
            errors=errors,
            requests=requests,
        )

    def _services(self, name: str) -> dict[str, str]:
        """What the protocols of a node's connections are called."""
        member = self._roster.members.get(name)
        return {port: names[0] for port, names in spoken(member.config).items() if names} if member is not None else {}

    def _take(self, name: str, counters: dict[str, Any], now: float) -> None:
        self.meter(name).report(counters, now)
        peers = counters.get("peers")
        if peers is not None:
            for address in self.clients.report(name, peers, now, self._services(name)):
                self._events.farm(f"{address} connects, to {name} first", kind=CLIENT, actor=address)
        if counters.get("tags"):
            self.watching.report(name, counters["tags"], self.wall())
        for _, peer, tag, value in counters.get("writes", ()):
            state = self._roster.members[name].state
            self._events.node(name, state, f"{tag} = {value}", kind=WRITE, actor=str(peer))
