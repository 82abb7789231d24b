"""A row for each node: what the farm tells of it, in `farm ps`, in the API and on the page.

A third of a row does not move while the node is what it is. Whoever asks each second for all of them, as the dashboard
does, gets that part once and then, by its `edition`, the rest alone: half of the work on both sides, and of the bytes.
"""

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from farm.supervisor.monitor import Monitor, count
from farm.supervisor.roster import UP, Member, Roster, uptime
from farm.supervisor.telemetry import Telemetry
from farm.topology.plant import NOWHERE, Plant
from node.config.model import NodeConfig
from node.config.transports import spoken
from node.control.messages import PIDS

Row = dict[str, Any]

MOVING = (
    "ports",
    "state",
    "condition",
    "error",
    "link",
    "pid",
    "restarts",
    "uptime_s",
    "connections",
    "requests_per_s",
    "errors_per_min",
    "p50_ms",
    "p99_ms",
    "bytes_in_per_s",
    "bytes_out_per_s",
    "bugs",
    "requests",
    "errors",
    "last_request_s",
    "rss_mib",
    "age_s",
    "stale",
    "faults",
    "forced",
    "recording",
    "replayed",
    "host",
)
"""Fields of a row that change while the node is what it is, in the order of `Rows.moving`."""


class Rows:
    """The rows of one farm. `plant` gives what is wanted now."""

    def __init__(
        self, roster: Roster, telemetry: Telemetry, monitor: Monitor, plant: Callable[[], Plant | None]
    ) -> None:
        self._roster = roster
        self._telemetry = telemetry
        self._monitor = monitor
        self._plant = plant
        self._of: tuple[Plant | None, list[NodeConfig]] = (None, [])
        self._members: Mapping[str, Member] = {}
        self._numbers: dict[str, int] = {}
        self._places: list[str] = []
        self._fixed: list[Row] = []
        self._edition = 0
        self._farm = secrets.token_hex(4)  # so that no edition of another supervisor's is taken for one of this

    def all(self) -> list[Row]:
        """A row for each node, in plant order."""
        now = self._monitor.clock()
        members = self._roster.members.values()
        return [self._whole(row, member, now) for row, member in zip(self._settled(), members, strict=True)]

    def one(self, node: str) -> Row:
        """The row of one node. Raises `FarmError`."""
        member = self._roster.member(node)
        return self._whole(self._settled()[self._numbers[node]], member, self._monitor.clock())

    def since(self, edition: str) -> dict[str, Any]:
        """All rows for somebody who knows what does not move as of `edition`, "" for nobody: {edition, fixed, fields,
        moving}. `fixed` is None where that edition is still so; `moving` is a list for each node, by `fields`."""
        now = self._monitor.clock()
        fixed = self._settled()
        latest = f"{self._farm}-{self._edition}"
        moving = [self._moving(member, now) for member in self._roster.members.values()]
        return {"edition": latest, "fixed": None if edition == latest else fixed, "fields": MOVING, "moving": moving}

    def _settled(self) -> list[Row]:
        """What does not move of each node; made anew when another plant is wanted, a node is another, or a platform has
        put it elsewhere."""
        plant, before = self._plant(), self._of[1]
        members, places = self._roster.members, self._monitor.addresses()
        same = self._of[0] is plant and places == self._places
        if same and members is self._members:  # others are wanted by another
            return self._fixed
        configs = [member.config for member in members.values()]
        same = same and len(configs) == len(before)
        if not (same and all(config is known for config, known in zip(configs, before, strict=True))):
            self._fixed = [_fixed(number, config, plant) for number, config in enumerate(configs)]
            self._of, self._places = (plant, configs), places
            for row, place in zip(self._fixed, places, strict=False):
                row["address"] = place or row["address"]
            self._edition += 1
        self._members, self._numbers = members, {name: number for number, name in enumerate(members)}
        return self._fixed

    def _whole(self, fixed: Row, member: Member, now: float) -> Row:
        return fixed | dict(zip(MOVING, self._moving(member, now), strict=True))

    def _moving(self, member: Member, now: float) -> list[Any]:
        monitor, name = self._monitor, member.config.name
        meter, look = monitor.meter(name), monitor.look(member, now)
        age, counters = look.age, look.counters
        error = look.missed if look.state != UP else ""
        return [
            {name: port or member.ports.get(name, 0) for name, port in member.config.ports.items()},
            look.state,
            look.condition,
            error or (f"no report for {age:.0f} s" if look.silent else member.error),
            member.link,
            member.pid if 0 < member.pid < PIDS and not monitor.host_of(name) else None,
            member.restarts,
            uptime(member.started) if member.pid else None,
            meter.connections,
            round(meter.requests_per_s, 1),
            look.errors,
            to_three_figures(meter.p50),
            to_three_figures(meter.p99),
            round(meter.bytes_in_per_s),
            round(meter.bytes_out_per_s),
            count(counters, "bugs"),
            count(counters, "requests"),
            count(counters, "errors"),
            None if meter.last_request is None else round(now - meter.last_request, 1),
            monitor.memory.of(member.pid),
            None if age is None else round(age, 1),
            age is not None and age > self._telemetry.pace.stale,
            monitor.faults_of(name),
            count(counters, "forced"),
            count(counters, "recording"),
            count(counters, "replayed"),
            monitor.host_of(name),
        ]


def _fixed(number: int, config: NodeConfig, plant: Plant | None) -> Row:
    place = plant.whereabouts.get(config.name, NOWHERE) if plant is not None else NOWHERE
    networks = [interface.network for interface in config.interfaces] or list(place.networks)
    return {
        "id": number,
        "name": config.name,
        "kind": config.kind,
        "profile": config.profile,
        "protocols": list(config.ports),
        "speaks": [each for names in spoken(config).values() for each in names],
        "address": config.address,
        "networks": networks,
        "network": networks[0] if networks else "",
        "subnet": place.subnet,
        "level": place.level,
        "group": place.group,
        "outside": [f"{address}:{port}" for _, address, port in config.outside],
    }


def to_three_figures(milliseconds: float | None) -> float | None:
    """A latency as it is told: more figures it is not worth."""
    return None if milliseconds is None else float(f"{milliseconds:.3g}")
