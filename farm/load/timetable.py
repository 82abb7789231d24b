"""The next beats of many clients, earliest first, with one timer of the loop for all: asyncio compares its own timers
in Python, ten times a beat where there are five hundred."""

import asyncio
from collections.abc import Callable
from heapq import heappop, heappush, heapreplace

Beat = Callable[[float], float | None]
"""Does what is due by now, the argument, and gives when it is due again; None for never."""


class Timetable:
    """Times are those of the loop's clock."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._entries: list[tuple[float, int, Beat]] = []
        self._added = 0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, due: float, beat: Beat) -> None:
        """Has `beat` called when it is due, and whenever it says that it is again."""
        self._added += 1
        heappush(self._entries, (due, self._added, beat))
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._entries[0][0], self._run) if self._entries else None

    def _run(self) -> None:
        self._timer = None
        entries, clock = self._entries, self._loop.time
        now = clock()
        while entries and entries[0][0] <= now:
            _, number, beat = entries[0]
            again = beat(now)
            if again is None:
                heappop(entries)
            else:
                heapreplace(entries, (again, number, beat))
            now = clock()
            if again is not None and again <= now:
                break  # answers must have their turn as well
        self._set_timer()
