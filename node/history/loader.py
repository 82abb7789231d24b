"""Plays a history against a clock: which of its records are due, at any speed, from any instant of it on.

historical ───────────── position = historical + (now - basis) * factor ─────────────▶
basis      ─────────────────────────── now ──────────────────────────────────────────▶
"""

import logging
import os
import time
from bisect import bisect_right
from collections.abc import Callable
from enum import IntEnum
from math import inf
from operator import itemgetter
from typing import Any

from node.history.history_files import HistoryError
from node.history.reader import Reader
from node.history.record_line import Json, Record

log = logging.getLogger(__name__)


class State(IntEnum):
    """How far a loader is; those from `COMPLETE` on are ends."""

    INITIAL = 0
    """Nothing was asked for yet."""
    STREAMING = 2
    """Records come."""
    EXHAUSTED = 3
    """All was read, and some of it is not due yet."""
    AWAITING = 4
    """All that is there was given, and more may be written."""
    COMPLETE = 5
    """All was given."""
    FAILED = 6
    """It could not be read; the error was raised."""


_time = itemgetter(0)


class Loader:
    """The history at `path` from `historical` on (seconds since 1970; its first record, when None), whose first instant
    is due at `basis` (on `clock`; the first `load`, when None).

    `factor` historical seconds pass in a second, more than 0; infinite for all at once. `duration` is historical
    seconds after which it ends. `lookahead` historical seconds are read ahead into `future`. `follow`, `tell` and
    `strict` are those of `Reader`.

    Raises `HistoryError` for a factor, lookahead or duration that cannot be.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        historical: float | None = None,
        basis: float | None = None,
        factor: float = 1.0,
        lookahead: float = 0.0,
        duration: float | None = None,
        *,
        follow: bool = False,
        tell: Callable[[str], None] = log.warning,
        strict: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not factor > 0:
            raise HistoryError(f"factor {factor:g}; wanted more than 0: historical seconds in a second")
        if not lookahead >= 0:
            raise HistoryError(f"lookahead {lookahead:g}; wanted 0 or more historical seconds")
        if duration is not None and not duration >= 0:
            raise HistoryError(f"duration {duration:g}; wanted 0 or more historical seconds")
        self.factor = factor
        self.basis = basis
        self.lookahead = lookahead
        self.state = State.INITIAL
        self.values: dict[str, Json] = {}
        """What the records that were given made of everything, by name."""
        self.future: list[Record] = []
        """Records that were read and are not due yet, in order."""
        self._wanted = historical
        self._historical = historical
        self._duration = duration
        self._end = inf
        self._begun = False
        self._clock = clock
        self._reader = Reader(path, follow=follow, tell=tell, strict=strict)

    def __bool__(self) -> bool:
        """Whether there may be more."""
        return self.state < State.COMPLETE

    @property
    def historical(self) -> float | None:
        """Where it begins; None until it is known."""
        return self._historical

    def position(self, now: float | None = None) -> float:
        """The instant of the history that is reached at `now`: minus infinity until its beginning is known."""
        if self._historical is None or self.basis is None:
            return -inf
        passed = (self._clock() if now is None else now) - self.basis
        return self._historical + (passed * self.factor if passed else 0.0)

    def real(self, historical: float) -> float:
        """When an instant of the history is due, on the clock. Raises `HistoryError` while its beginning is unknown."""
        if self._historical is None or self.basis is None:
            raise HistoryError(f"{self._reader.path}: nothing of it was loaded yet")
        return self.basis + (historical - self._historical) / self.factor

    def load(self, limit: int | None = None, now: float | None = None) -> tuple[float, list[Record]]:
        """(position, the records that are due and were not given yet, at most `limit` of them).

        What stands before the beginning, in the file that it is in, comes as one record of all values at the beginning.
        Raises `HistoryError` where there is no history and, of a strict one, `RecordError`.
        """
        if now is None:
            now = self._clock()
        if self.basis is None:
            self.basis = now
        if not self:
            return self.position(now), []
        try:
            self._read(now)
        except Exception:
            self.state = State.FAILED
            self._reader.close()
            raise
        position = self.position(now)
        due = bisect_right(self.future, position, key=_time)
        if limit is not None:
            due = min(due, limit)
        records = self.future[:due]
        del self.future[:due]
        for record in records:
            if record.serial is None and record.data.__class__ is dict:
                self.values.update(record.data)
        if self._reader.ended:
            self.state = State.EXHAUSTED if self.future else State.COMPLETE
        else:
            self.state = State.STREAMING if self.future else State.AWAITING
        return position, records

    def restart(self, basis: float | None = None) -> None:
        """Begins anew, at `basis`; the next `load` when None."""
        self._reader.close()
        self._reader.ended = False
        self._historical = self._wanted
        self.basis = basis
        self.values, self.future = {}, []
        self._end = inf
        self._begun = False
        self.state = State.INITIAL

    def close(self) -> None:
        """Lets go of files; there is no more."""
        self._reader.close()
        self.state = max(self.state, State.COMPLETE)

    def _read(self, now: float) -> None:
        """Reads until something lies further ahead than is wanted, or no more is there."""
        if not self._begun and not self._begin():
            return
        ahead = self.position(now) + self.lookahead
        while not self._reader.ended and not (self.future and self.future[-1].time > ahead):
            records = self._reader.read()
            if not records:
                return
            self._add(records)

    def _begin(self) -> bool:
        """Reads up to where it begins; whether there is anything yet."""
        if self._reader.file is None and not self._reader.seek(self._wanted):
            return False
        values: dict[str, Any] = {}
        while records := self._reader.read():
            if self._historical is None:
                self._historical = records[0].time
            first = bisect_right(records, self._historical, key=_time)
            while first and records[first - 1].time >= self._historical:
                first -= 1
            for record in records[:first]:
                if record.serial is None and record.data.__class__ is dict:
                    values.update(record.data)
            if first < len(records):
                break
        if self._historical is None:
            return False
        if self._duration is not None:
            self._end = self._historical + self._duration
        if values:
            self.future.append(Record(self._historical, None, values))
        self._add(records[first:] if records else [])
        self._begun = True
        return True

    def _add(self, records: list[Record]) -> None:
        if records and records[-1].time > self._end:
            records = records[: bisect_right(records, self._end, key=_time)]
            self._reader.ended = True
            self._reader.close()
        self.future += records
