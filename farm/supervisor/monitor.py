"""Everything that is known of nodes from what they report: each time that all have reported (`pace`), once a second in
farms that are not very large, all of it is brought up to that second.

What costs something is done for nodes of which something changed; an idle node costs a line of its history.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from farm.backends.backend import Placing
from farm.supervisor.clients import Clients
from farm.supervisor.condition import condition
from farm.supervisor.events import CLIENT, WRITE, EventLog
from farm.supervisor.history import History
from farm.supervisor.meter import Meter
from farm.supervisor.roster import DOWN, STARTING, UP, Member, Roster
from farm.supervisor.telemetry import Telemetry
from farm.supervisor.usage import NodeMemory
from farm.supervisor.watching import Watching
from node.config.model import NodeConfig
from node.config.transports import spoken

MINUTE = 60.0


class Look(NamedTuple):
    """How a node is at an instant: the `age` of its last report in seconds, None for none, and whether it is `silent`,
    so that its `state` is no longer what the roster has; its `condition`, why its host is `missed`, "" where that is
    not so, the errors of the last minute, and the counters that it reported last."""

    age: float | None
    silent: bool
    state: str
    condition: str
    missed: str
    errors: int
    counters: Mapping[str, Any]


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
        self.pace = telemetry.pace
        self.history = History(self.pace.every)
        self.clients = Clients(self.pace)
        self.watching = Watching()
        self.memory = NodeMemory()
        self.faults_of = faults_of
        self._placing = placing
        self._roster = roster
        self._telemetry = telemetry
        self._events = events
        self._meters: dict[str, Meter] = {}
        self._spoken: dict[str, tuple[NodeConfig, dict[str, str]]] = {}
        self._seconds = 0

    def paced(self) -> None:
        """Nodes report at another pace from now on: what has been kept of them was at the one before."""
        self.history.begin(self.pace.every)
        self._seconds = 0

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
        if self._seconds % self.pace.every == 0:
            self._bring_up(now, wall)
        self._seconds += 1
        self.watching.tick(now, wall)
        for address in self.clients.leave(now):
            self._events.farm(f"{address} has left", kind=CLIENT, actor=address)
        self.memory.tick(list({member.pid for member in self._roster.members.values() if member.pid}))

    def _bring_up(self, now: float, wall: float) -> None:
        """Every node's numbers are made those of `now`."""
        self.history.turn(wall)
        for name, member in self._roster.members.items():
            meter = self.meter(name)
            if not member.pid and (meter.active or meter.connections):
                meter.ended()
                self.clients.ended(name, now)
            if meter.active:
                meter.tick(now, self.pace.every)
            age = self._telemetry.age(name, now)
            known = age is not None and age <= self.pace.stale and member.pid
            self.history.note(
                name, meter.requests, meter.errors, meter.p50, meter.p99, meter.connections if known else None
            )

    def keep(self, nodes: Iterable[str]) -> None:
        """Forgets all nodes but these."""
        kept = set(nodes)
        self._meters = {name: meter for name, meter in self._meters.items() if name in kept}
        self._spoken = {name: found for name, found in self._spoken.items() if name in kept}
        self.history.keep(kept)
        self.clients.keep(kept, self.clock())
        self.watching.keep(kept)

    def meter(self, node: str) -> Meter:
        """The meter of a node."""
        found = self._meters.get(node)
        if found is None:
            found = self._meters[node] = Meter()
        return found

    def errors_per_minute(self, node: str, now: float) -> tuple[int, int]:
        """Errors and requests of the last minute; (0, 0) where there was no error."""
        at = self.meter(node).last_error
        if at is None or now - at > MINUTE:
            return 0, 0
        requests, errors = self.history.last_minute(node)
        return errors, requests

    def missed(self, node: str, age: float | None) -> str:
        """Why a node's host is not reached, where the node does not report either; "" for all others."""
        if self._placing is None or (age is not None and age <= self.pace.stale):
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

    def look(self, member: Member, now: float) -> Look:
        """How the member is; one that was up and is silent is not, nor is one of a host that is not reached."""
        name = member.config.name
        age, counters = self._telemetry.age(name, now), self._telemetry.last(name)
        silent = member.state == UP and age is not None and age > self.pace.silent
        missed = self.missed(name, age)
        away = bool(missed) and member.state in (UP, STARTING)
        state = DOWN if silent or away else member.state
        errors, requests = self.errors_per_minute(name, now)
        word = condition(
            state,
            age,
            pace=self.pace,
            faults=len(self.faults_of(name)),
            forced=count(counters, "forced"),
            bad_link=bool(member.link),
            bugs=count(counters, "bugs"),
            errors=errors,
            requests=requests,
        )
        return Look(age, silent, state, word, missed, errors, counters)

    def _services(self, name: str) -> dict[str, str]:
        """What the protocols of a node's connections are called; found out once, for each report asks."""
        config = self._roster.members[name].config
        known = self._spoken.get(name)
        if known is None or known[0] is not config:
            names = {port: services[0] for port, services in spoken(config).items() if services}
            known = self._spoken[name] = config, names
        return known[1]

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


def count(counters: Mapping[str, Any], name: str) -> int:
    """What a node counted; 0 where it has not said."""
    value = counters.get(name, 0)
    return int(value) if isinstance(value, int | float) else 0
