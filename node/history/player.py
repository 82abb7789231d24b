"""Plays a history into whatever has values: asked with an instant, it says what is to be put in place.

There is no clock, thread or socket here. Who plays asks `due(now)` when `wake(now)` says, or at any pace of its own.
"""

from collections.abc import Callable
from math import inf

from node.history.loader import Loader, State
from node.history.record_line import Json, Record


class Player:
    """What `loader` gives, of the names that `wanted` says yes to, all by default. With `loop` it begins anew each time
    it has come to the end; a history without length is played once."""

    def __init__(self, loader: Loader, *, wanted: Callable[[str], bool] | None = None, loop: bool = False) -> None:
        self._loader = loader
        self._wanted = wanted
        self._known: dict[str, bool] = {}
        self._loop = loop
        self._position = -inf
        self._last = -inf
        self.rounds = 0
        """How many times it came to the end."""

    def __bool__(self) -> bool:
        """Whether there may be more."""
        return bool(self._loader)

    @property
    def position(self) -> float:
        """The instant of the history that was played last, in seconds since 1970; minus infinity before."""
        return self._position

    @property
    def values(self) -> dict[str, Json]:
        """What everything is at that instant, by name; not to be changed."""
        return self._loader.values

    def due(self, now: float, limit: int | None = None) -> list[Record]:
        """The records that are due and were not given yet, at most `limit`, those of `wanted` names alone. Accesses
        are given whatever their names are, notes not at all. Raises `HistoryError`."""
        position, records = self._loader.load(limit, now)
        self._position = position
        if records:
            self._last = records[-1].time
        if self._loop and self._loader.state is State.COMPLETE:
            self._again(now)
        wanted = self._wanted
        found = []
        for record in records:
            if record.data.__class__ is not dict:
                continue
            if wanted is not None and record.serial is None:
                data = {name: value for name, value in record.data.items() if self._is_wanted(name)}
                if not data:
                    continue
                record = Record(record.time, None, data)
            found.append(record)
        return found

    def due_values(self, now: float, limit: int | None = None) -> dict[str, Json]:
        """The same put together: the last value that is due of each name; accesses left out."""
        values: dict[str, Json] = {}
        for record in self.due(now, limit):
            if record.serial is None:
                values.update(record.data)
        return values

    def wake(self, now: float) -> float | None:
        """Seconds until something is due, 0 when it is; None when nothing is known to come."""
        if not self or self._loader.state is State.INITIAL:
            return 0.0 if self else None
        if not self._loader.future:
            return None
        return max(0.0, self._loader.real(self._loader.future[0].time) - now)

    def close(self) -> None:
        """Lets go of files."""
        self._loader.close()

    def _again(self, now: float) -> None:
        """From the beginning, which is due when the end was."""
        begin = self._loader.historical
        if begin is None or self._last <= begin:
            return
        self.rounds += 1
        self._loader.restart(self._loader.real(self._last))

    def _is_wanted(self, name: str) -> bool:
        known = self._known.get(name)
        if known is None:
            assert self._wanted is not None
            known = self._known[name] = self._wanted(name)
        return known
