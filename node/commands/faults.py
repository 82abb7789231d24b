"""The group `faults` of a node's commands: what goes wrong with it on purpose (`node.config.faults`).

    faults              those that are on, each with its id, its text, and the seconds that are `left` of it (or null)
    faults/add          puts one on; with an `id` that another one has, in its place
    faults/ID/clear     takes it off; 1, or 0 where there is none
    faults/clear        takes all off; how many that were

A fault that is to last a time ends by itself, by the node's own clock.
"""

from collections.abc import Callable, Iterable
from dataclasses import field
from random import Random
from typing import Protocol

from node.cip.status import SUCCESS
from node.commands.errors import CommandError
from node.commands.tags import TagCommands
from node.config import faults as kinds
from node.config.faults import FaultSpec, parse_fault
from node.config.model import Json
from node.errors import ConfigError, NodeError
from node.exchange import faults as frames
from node.exchange.exchange import CLOSE, RESET, Interceptor
from node.memory.attribute import Attribute
from node.memory.effects import Bad, Biased, Effected, Frozen, Refused, Spiked, has_numbers, put, take_away
from node.memory.tags import TagTable
from node.record import dataclass

MOST = 100
"""Faults of one node at a time."""
TRANSACTIONS = {"enip": 12, "modbus": 0}
"""The first byte of what tells a reply's request: the sender's context, or the transaction id."""
UNIT = 6
"""Of a Modbus frame."""
HEADERS = {"enip": 24, "modbus": 7}
"""Bytes before what a frame is about; framing hangs on them."""


class Ports(Protocol):
    """The ports of a node."""

    def hide(self, hidden: bool) -> None:
        """Closes all and resets every connection, until it is told to hide no more."""

    def refuse(self, refusing: bool) -> None:
        """Has new connections reset, or takes them again."""


class Timer(Protocol):
    """What will happen."""

    def cancel(self) -> None:
        """It will not."""


Later = Callable[[float, Callable[[], None]], Timer]
"""Has something done in so many seconds."""


@dataclass(slots=True)
class Active:
    """A fault that is on, until the instant `ends` (None for ever)."""

    spec: FaultSpec
    ends: float | None
    effects: list[Effected] = field(default_factory=list)
    interceptors: dict[str, Interceptor] = field(default_factory=dict)
    timer: Timer | None = None


class FaultCommands:
    """The faults of one node, with the tags of `table`. `changed` is called when there are others, `now` gives the
    instant."""

    def __init__(
        self,
        tags: TagCommands,
        table: TagTable,
        ports: Ports,
        changed: Callable[[], None],
        now: Callable[[], float],
        later: Later,
    ) -> None:
        self._tags = tags
        self._table = table
        self._ports = ports
        self._changed = changed
        self._now = now
        self._later = later
        self._active: dict[int, Active] = {}

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._active)

    def interceptors(self, protocol: str) -> Iterable[Interceptor]:
        """What the frames of one port meet."""
        return [each.interceptors[protocol] for each in self._active.values() if protocol in each.interceptors]

    def stop(self) -> None:
        """Nothing ends by itself until it goes on: the node does not serve."""
        for active in self._active.values():
            if active.timer is not None:
                active.timer.cancel()

    def go_on(self) -> None:
        """Has what is to last a time end again, at once where that time is over."""
        for number, active in self._active.items():
            self._arm(number, active)

    def run(self, path: str, value: Json = None) -> Json:
        """What stands at `path`, or was done there. Raises `CommandError`."""
        if not path:
            return [self._row(number, active) for number, active in self._active.items()]
        if path == "add":
            return self._add(value)
        if path == "clear":
            cleared = list(self._active)
            for number in cleared:
                self._clear(number)
            return len(cleared)
        which, _, action = path.partition("/")
        if action != "clear" or not which.isdecimal() or len(which) > 9:
            raise CommandError(f"there is no faults/{path}; there is add, clear and ID/clear")
        return int(self._clear(int(which)))

    def _row(self, number: int, active: Active) -> Json:
        left = None if active.ends is None else round(max(0.0, active.ends - self._now()), 3)
        return {**active.spec.dump(), "id": number, "text": active.spec.text, "left": left}

    def _add(self, value: Json) -> Json:
        body = dict(value) if isinstance(value, dict) else value
        number = body.pop("id", None) if isinstance(body, dict) else None
        if number is None:
            number = max(self._active, default=0) + 1
        if isinstance(number, bool) or not isinstance(number, int) or not 0 < number < 10**9:
            raise CommandError(f"fault: id: got {number!r:.60}; wanted a number above 0")
        try:
            spec = parse_fault(body)
        except ConfigError as exc:
            raise CommandError(str(exc)) from exc
        if len(self._active) >= MOST and number not in self._active:
            raise CommandError(f"there are {MOST} faults on this node; clear some of them")
        active = Active(spec, None if spec.lasts is None else self._now() + spec.lasts)
        active.effects = self._effects(spec)
        active.interceptors = {protocol: made for protocol in HEADERS if (made := interceptor(spec, protocol))}
        self._clear(number)
        self._active[number] = active
        for effect in active.effects:
            put(effect)
        self._arm(number, active)
        self._moved(spec)
        return self._row(number, active)

    def _clear(self, number: int) -> bool:
        active = self._active.pop(number, None)
        if active is None:
            return False
        if active.timer is not None:
            active.timer.cancel()
        for effect in active.effects:
            take_away(effect)
        self._moved(active.spec)
        return True

    def _arm(self, number: int, active: Active) -> None:
        """Has it end when its time is over."""
        if active.ends is not None:
            left = min(max(0.0, active.ends - self._now()), LONGEST_SLEEP)
            active.timer = self._later(left, lambda: self._due(number, active))

    def _due(self, number: int, active: Active) -> None:
        if self._active.get(number) is not active or active.ends is None:
            return
        if active.ends > self._now():
            self._arm(number, active)
        else:
            self._clear(number)

    def _moved(self, spec: FaultSpec) -> None:
        """Tells whom it concerns that a fault of this kind came or went."""
        on = {active.spec.kind for active in self._active.values()}
        if spec.kind == kinds.OFFLINE:
            self._ports.hide(kinds.OFFLINE in on)
        elif spec.kind == kinds.REFUSE:
            self._ports.refuse(kinds.REFUSE in on)
        self._changed()

    def _effects(self, spec: FaultSpec) -> list[Effected]:
        """What befalls its tags. Raises `CommandError`."""
        if not spec.tag:
            return []
        if spec.tag != kinds.ALL_TAGS:
            target = self._tags.target(spec.tag)
            try:
                return [self._effect(spec, target.attribute, target.start, target.stop)]
            except NodeError as exc:
                raise CommandError(f"{spec.text}: {exc}") from exc
        every = [attribute.unpacked for _, attribute in self._table]
        if spec.kind in kinds.NUMERIC:
            every = [attribute for attribute in every if has_numbers(attribute.type)]
        return [self._effect(spec, attribute, 0, attribute.length) for attribute in every]

    def _effect(self, spec: FaultSpec, attribute: Attribute, start: int, stop: int) -> Effected:
        match spec.kind:
            case kinds.STATUS:
                return Refused(attribute, start, stop, spec.code)
            case kinds.FREEZE:
                return Frozen(attribute, start, stop, self._now())
            case kinds.BIAS:
                return Biased(attribute, start, stop, spec.by)
            case kinds.SPIKE:
                return Spiked(attribute, start, stop, spec.by, spec.percent, spec.seed)
            case _:
                return Bad(attribute, start, stop)


LONGEST_SLEEP = 86_400.0
"""Seconds that a timer is set for at a time."""


def interceptor(spec: FaultSpec, protocol: str) -> Interceptor | None:
    """What has the frames of a protocol meet the fault; None for one that does not befall frames, or none of these."""
    if spec.kind in kinds.MODBUS_FAULTS and protocol != "modbus":
        return None
    picked = frames.Picked(spec.percent, spec.every, spec.seed)
    match spec.kind:
        case kinds.SLOW:
            most = kinds.LONGEST if spec.most is None else spec.most
            return frames.Late(draw_of(spec), spec.seed, most, spec.every)
        case kinds.DROP:
            return frames.Lost(picked)
        case kinds.RESET | kinds.CLOSE:
            return frames.Reset(spec.after, RESET if spec.kind == kinds.RESET else CLOSE)
        case kinds.STATUS if not spec.tag:
            return frames.Refused(spec.code)
        case kinds.EXCEPTION:
            return frames.Refused((SUCCESS, *spec.code), picked)
        case kinds.TRUNCATE:
            return frames.Cut(picked, spec.keep)
        case kinds.CORRUPT:
            return frames.Spoilt(picked, HEADERS[protocol])
        case kinds.WRONG_TRANSACTION:
            return frames.Misnamed(picked, TRANSACTIONS[protocol], frames.far_off)
        case kinds.WRONG_UNIT:
            return frames.Misnamed(picked, UNIT, frames.next_unit)
    return None


def draw_of(spec: FaultSpec) -> Callable[[Random], float]:
    """How late replies are, in seconds."""
    if spec.distribution == kinds.NORMAL:
        return lambda random: random.gauss(spec.mean, spec.deviation)
    if spec.distribution == kinds.PARETO:
        return lambda random: spec.scale * random.paretovariate(spec.shape)
    return lambda random: spec.seconds
