"""The group `replay` of a node's commands: a recording that is played into its tags, told some seconds ahead.

    replay              what is played: {"key": "k1", "tags": [NAME], "left": seconds until it ends by itself}, or null
    replay/put          {"key": "k1", "records": [[seconds since 1970, {NAME: value} or that as text], ...],
                        "first": true, "lease": 10}: has the tags be so from then on; a value null means nothing.
                        {"refused": {NAME: why}}, or {"again": true} where nothing of that key is played and this is
                        not the first: it is to be told all values. What a tag cannot be is refused by its first value
    replay/stop         ends it, of {"key": "k1"} or any: the tags are what they were, and signals go on

One that is not told of more within its lease ends by itself.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from node.cip.status import CipError
from node.commands.errors import CommandError
from node.commands.recordings import Later, Timer
from node.commands.tags import TagCommands, Target
from node.commands.values import value_of
from node.config.model import Json
from node.memory.attribute import Value
from node.memory.part import place_of
from node.signals.replayed import Replayed

WAITING = 100_000
"""Values that may be yet to come."""
LEASE = 10.0
LONGEST_LEASE = 3600.0


class ReplayCommands:
    """What is played into the tags of one node. `changed` is called when it begins and ends; `clock` and `wall` give
    the instant on the node's clock and in seconds since 1970."""

    def __init__(
        self,
        tags: TagCommands,
        changed: Callable[[], None],
        clock: Callable[[], float],
        wall: Callable[[], float],
        later: Later,
    ) -> None:
        self._tags = tags
        self._changed = changed
        self._clock = clock
        self._wall = wall
        self._later = later
        self._key = ""
        self._until = 0.0
        self._played: dict[str, Replayed] = {}
        self._refused: dict[str, str] = {}
        self._timer: Timer | None = None

    @property
    def count(self) -> int:
        """How many tags are played."""
        return len(self._played)

    def stop(self) -> None:
        """The node does not serve: it ends."""
        self._end()

    def run(self, path: str, value: Json = None) -> Json:
        """What stands at `path`, or was done there. Raises `CommandError`."""
        if not path:
            left = round(max(0.0, self._until - self._clock()), 3)
            return {"key": self._key, "tags": list(self._played), "left": left} if self._key else None
        if path == "put":
            return self._put(value)
        if path == "stop":
            key = value.get("key") if isinstance(value, dict) else None
            if key is None or key == self._key:
                return {"tags": self._end()}
            return {"tags": 0}
        raise CommandError(f"there is no replay/{path}; there is put and stop")

    def _put(self, value: Json) -> Json:
        key, records, first, lease = _asked(value)
        if self._key and self._key != key:
            raise CommandError("another recording is played into its tags; `farm replay --stop` ends that")
        if not self._key and not first:
            return {"again": True}
        before = self.count
        self._key = key
        refused: dict[str, Json] = {}
        epoch = self._wall() - self._clock()
        for seconds, values in records:
            for name, item in values.items():
                why = self._take(name, item, seconds - epoch)
                if why:
                    refused[name] = why
        self._hold(lease)
        if self.count != before:
            self._changed()
        return {"refused": refused}

    def _take(self, name: str, item: Json, due: float) -> str:
        """Has a tag be `item` from the instant `due` on; why not, where that cannot be, the first time."""
        if item is None or name in self._refused:
            return ""
        replayed = self._played.get(name)
        if replayed is None:
            try:
                replayed = self._begin(name, item)
            except CommandError as exc:
                self._refused[name] = str(exc)
                return str(exc)
        replayed.put(due, item)
        if replayed.waiting > WAITING:
            raise CommandError(f"replay/put: over {WAITING} values of {name} are yet to come; tell them later")
        return ""

    def _begin(self, name: str, item: Json) -> Replayed:
        """Takes the tag over, if `item` can be a value of it. Raises `CommandError`."""
        target = self._tags.target(name)
        if target.chosen or target.spot.path or target.config.alias:
            raise CommandError(f"{name} is within a tag; whole tags are played")
        root, _ = place_of(target.attribute, 0)
        if isinstance(root.source, Replayed):
            raise CommandError(f"{name} is played already, by another name")
        _values(target, item)

        def read(recorded: Json) -> list[Value] | None:
            try:
                return _values(target, recorded)
            except CommandError:
                return None  # a tag that was another one, later in the recording

        replayed = self._played[name] = Replayed(target.attribute, read)
        return replayed

    def _hold(self, lease: float) -> None:
        """For so many seconds more."""
        if self._timer is not None:
            self._timer.cancel()
        self._until = self._clock() + lease
        self._timer = self._later(lease, self._over)

    def _over(self) -> None:
        """Nobody has told it of more."""
        self._end()

    def _end(self) -> int:
        """How many tags were given back."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        played = list(self._played.values())
        self._key, self._played, self._refused = "", {}, {}
        for replayed in played:
            replayed.end()
        if played:
            self._changed()
        return len(played)


def _values(target: Target, item: Json) -> list[Value]:
    """The elements that were recorded. Raises `CommandError` for what the tag cannot be."""
    several = bool(target.spot.dimensions)
    given = item if several and isinstance(item, list) else [item]
    if len(given) != target.spot.length:
        raise CommandError(f"{target.text} has {target.spot.length} elements, and {len(given)} are recorded")
    values = [value_of(target.spot.kind, each, target.text) for each in given]
    try:
        target.attribute.encode(values)
    except CipError as exc:
        raise CommandError(f"{target.text}: the recorded value is none of {target.attribute.type.name}") from exc
    return values


def _asked(value: Json) -> tuple[str, list[tuple[float, dict[str, Any]]], bool, float]:
    """What `put` was told. Raises `CommandError`."""
    asked: dict[str, Any] = value if isinstance(value, dict) else {}
    key, lease, first = asked.get("key"), asked.get("lease", LEASE), asked.get("first", False)
    try:
        if not isinstance(key, str) or not key or not isinstance(first, bool) or isinstance(lease, bool):
            raise ValueError(f"{value!r:.120}")
        if not 0 < lease <= LONGEST_LEASE:
            raise ValueError(f"a lease of {lease} s")
        return key, [*_records(asked["records"])], first, float(lease)
    except (ValueError, TypeError, KeyError) as exc:
        wanted = '{"key": NAME, "records": [[seconds since 1970, {NAME: value}]], "first": true, "lease": 10}'
        raise CommandError(f"replay/put: got {exc}; wanted {wanted}") from exc


def _records(given: Any) -> Iterator[tuple[float, dict[str, Any]]]:
    for seconds, values in given:
        data = json.loads(values) if isinstance(values, str) else values
        if not isinstance(data, dict):
            raise ValueError(f"{values!r:.80}")
        yield float(seconds), data
