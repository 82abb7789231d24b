"""The group `record` of a node's commands: what its tags hold over time, and what clients do with them.

    record              the recordings that run: key, tags, every, accesses, and how often there was no room
    record/start        begins one, or finds the one of that key: {"key": "k1", "tags": ["SC*"], "every": 1.0,
                        "accesses": false}; {"tags": how many, "known": whether it was there}
    record/k1/read      what came after the number that is the value: {"records": [[number, seconds since 1970, text]],
                        "more": true or false, "lost": n}; what has a lower number is forgotten
    record/k1/stop      ends it

A record's text is JSON: [serial, data], as in a line of a history (`node.history.record_line`), an access with its
`peer`. The first one holds all values; later ones those that have changed, looked at each `every` seconds (null: none
are recorded). What is not read waits, within bounds; where they are reached values are looked at less often, and
accesses are counted as lost. One that is not read for half a minute ends by itself.
"""

import json
import re
from collections import deque
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import Any, Protocol

from node.cip.status import CipError
from node.commands.errors import CommandError
from node.commands.tags import TagCommands, Target
from node.commands.values import shown
from node.config.model import Json
from node.exchange.exchange import Exchange
from node.exchange.recorder import Recorder, Serial
from node.memory.part import place_of
from node.memory.tag_gate import onlooking

MOST = 4
"""Recordings of one node at a time."""
KEPT = 1 << 20
"""Characters of records that are kept until they are read."""
ANSWER = 256 << 10
"""Characters of records in one answer, but for one that is longer."""
LONGEST = 1 << 20
"""Characters of the values of all tags of one recording."""
FASTEST, SLOWEST = 0.05, 3600.0
"""Seconds between two looks at values."""
FORGOTTEN = 30.0
"""Seconds after which a recording that nobody reads ends."""
LOOKED_AFTER = 10.0
"""Seconds between two looks at whether somebody reads, where no values are looked at."""

_KEY = re.compile(r"[0-9A-Za-z_.-]{1,60}")


class Timer(Protocol):
    """What will happen."""

    def cancel(self) -> None:
        """It will not."""


Later = Callable[[float, Callable[[], None]], Timer]
"""Has something done in so many seconds."""


class RecordCommands:
    """The recordings of one node. `changed` is called when there are others; `clock` and `wall` give the instant on the
    node's clock and in seconds since 1970."""

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
        self._epoch = wall() - clock()
        self._later = later
        self._recordings: dict[str, Recording] = {}

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._recordings)

    @property
    def interceptors(self) -> Iterable[Recorder]:
        """What sees the exchanges of a port."""
        return [each.recorder for each in self._recordings.values() if each.recorder is not None]

    def stop(self) -> None:
        """Nothing is looked at until it goes on: the node does not serve."""
        for recording in self._recordings.values():
            recording.pause()

    def go_on(self) -> None:
        """Values are looked at again."""
        for recording in self._recordings.values():
            recording.go_on()

    def run(self, path: str, value: Json = None) -> Json:
        """What stands at `path`, or was done there. Raises `CommandError`."""
        if not path:
            return [recording.describe() for recording in self._recordings.values()]
        if path == "start":
            return self._start(value)
        key, _, action = path.partition("/")
        recording = self._recordings.get(key)
        if recording is None or action not in ("read", "stop"):
            raise CommandError(f"there is no record/{path}; there is start, KEY/read and KEY/stop")
        if action == "stop":
            self._end(recording)
            return {"lost": recording.lost}
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise CommandError(f"record/{path}: got {value!r:.60}; wanted the number of a record")
        return recording.read(value or 0)

    def _start(self, value: Json) -> Json:
        key, patterns, every, accesses = _asked(value)
        known = self._recordings.get(key)
        if known is not None:
            return {"tags": len(known.tags), "known": True}
        if len(self._recordings) >= MOST:
            raise CommandError(f"there are {MOST} recordings of this node; end one, or wait half a minute")
        tags = self._choose(patterns)
        recording = Recording(key, tags, every, accesses, self._clock, self._epoch, self._later, self._end)
        self._recordings[key] = recording
        recording.go_on()
        self._changed()
        return {"tags": len(tags), "known": False}

    def _choose(self, patterns: list[str]) -> list[Target]:
        wanted = [pattern.casefold() for pattern in patterns]
        found = []
        for name in self._tags.names:
            if any(fnmatchcase(name.casefold(), pattern) for pattern in wanted):
                target = self._tags.target(name)
                if not target.config.alias and target.attribute.readable:
                    found.append(target)
        return found

    def _end(self, recording: "Recording") -> None:
        recording.pause()
        if self._recordings.pop(recording.key, None) is not None:
            self._changed()


class Looked:
    """A tag whose value is looked at: `seen` is what was there the last time."""

    __slots__ = ("_attribute", "_kind", "_several", "_start", "_stop", "name", "root", "seen")

    def __init__(self, target: Target) -> None:
        self.name = target.text
        self.seen: bytes | None = b"\0never"
        self._attribute = target.attribute
        self.root, _ = place_of(target.attribute, 0)
        self._start, self._stop = target.start, target.stop
        self._kind = target.spot.kind
        self._several = bool(target.spot.dimensions)

    def at(self, now: float) -> bytes | None:
        """What clients see of it, as bytes; None where they are refused it."""
        try:
            if self.root.gate is None:
                return self._attribute.dump(self._start, self._stop, now)
            with onlooking(self.root):
                return self._attribute.dump(self._start, self._stop, now)
        except CipError:
            return None

    def value(self, raw: bytes) -> Json:
        """That as JSON."""
        values = [shown(self._kind, value) for value in self._attribute.decode(raw)]
        return values if self._several else values[0]


class Recording:
    """One of `tags`. `epoch` is seconds since 1970 when the clock was at 0, `forget` is called when nobody reads.

    Raises `CommandError` where its values are too many."""

    def __init__(
        self,
        key: str,
        tags: list[Target],
        every: float | None,
        accesses: bool,
        clock: Callable[[], float],
        epoch: float,
        later: Later,
        forget: "Callable[[Recording], None]",
    ) -> None:
        self.key = key
        self.tags = tags
        self.lost = 0
        """Accesses that there was no room for."""
        self.late = 0
        """How often values were not looked at, for the same reason."""
        self._every = every
        self._clock = clock
        self._epoch = epoch
        self._later = later
        self._forget = forget
        self._read_at = clock()
        self._due = self._read_at
        self._timer: Timer | None = None
        self._kept: deque[tuple[int, float, str]] = deque()
        self._size = 0
        self._number = 0
        self._looked = [Looked(target) for target in tags]
        chosen = {looked.root.name for looked in self._looked}
        self.recorder = Recorder(self._accessed, chosen.__contains__) if accesses else None
        if every is not None:
            self._look(self._read_at)

    def describe(self) -> Json:
        """As it is listed."""
        return {
            "key": self.key,
            "tags": len(self.tags),
            "every": self._every,
            "accesses": self.recorder is not None,
            "lost": self.lost,
            "late": self.late,
        }

    def read(self, after: int) -> Json:
        """The records behind the number `after`; those before it are forgotten."""
        self._read_at = self._clock()
        kept = self._kept
        while kept and kept[0][0] <= after:
            self._size -= len(kept.popleft()[2])
        found: list[Json] = []
        length = 0
        for number, time, text in kept:
            if found and length + len(text) > ANSWER:
                break
            found.append([number, round(self._epoch + time, 3), text])
            length += len(text)
        return {"records": found, "more": len(found) < len(kept), "lost": self.lost, "late": self.late}

    def pause(self) -> None:
        """Looks at nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def go_on(self) -> None:
        """Looks again when it is time."""
        self.pause()
        every = self._every or LOOKED_AFTER
        now = self._clock()
        self._due += every * max(1, -((self._due - now) // every))  # no look twice, and none for what was missed
        self._timer = self._later(max(0.0, self._due - now), self._tick)

    def _tick(self) -> None:
        now = self._clock()
        if now - self._read_at > FORGOTTEN:
            self._forget(self)
            return
        if self._every is not None:
            self._look(now)
        self.go_on()

    def _look(self, now: float) -> None:
        """Keeps what has changed."""
        if self._size > KEPT:
            self.late += 1
            return
        changed: dict[str, Json] = {}
        for looked in self._looked:
            raw = looked.at(now)
            if raw != looked.seen:
                looked.seen = raw
                changed[looked.name] = None if raw is None else looked.value(raw)
        if changed:
            text = _text(None, changed)
            if not self._number and len(text) > LONGEST:
                raise CommandError(
                    f"the values of its {len(self.tags)} tags are {len(text)} characters, and {LONGEST} is the most; "
                    "record fewer of them"
                )
            self._keep(now, text)

    def _accessed(self, exchange: Exchange, serial: Serial, data: dict[str, Any]) -> None:
        if self._size > KEPT:
            self.lost += 1
        else:
            self._keep(exchange.now, _text(serial, {**data, "peer": exchange.peer}))

    def _keep(self, now: float, text: str) -> None:
        self._number += 1
        self._size += len(text)
        self._kept.append((self._number, now, text))


def _asked(value: Json) -> tuple[str, list[str], float | None, bool]:
    """What `start` was told. Raises `CommandError`."""
    asked: dict[str, Any] = value if isinstance(value, dict) else {}
    key, patterns, every = asked.get("key"), asked.get("tags", ["*"]), asked.get("every", 1.0)
    accesses = asked.get("accesses", False)
    timely = every is None or (isinstance(every, int | float) and not isinstance(every, bool))
    if (
        not (isinstance(key, str) and _KEY.fullmatch(key) and key != "start")
        or not (isinstance(patterns, list) and all(isinstance(each, str) for each in patterns))
        or not isinstance(accesses, bool)
        or not timely
    ):
        wanted = '{"key": NAME, "tags": [PATTERN], "every": seconds or null, "accesses": false}'
        raise CommandError(f"record/start: got {value!r:.120}; wanted {wanted}")
    if every is not None and not FASTEST <= every <= SLOWEST:
        raise CommandError(f"record/start: every {every:g} s; wanted {FASTEST:g} to {SLOWEST:g}")
    return key, patterns, every, accesses


def _text(serial: Json, data: Json) -> str:
    return json.dumps([serial, data], separators=(",", ":"))
