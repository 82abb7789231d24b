"""How far a command has come, said ten times a second at most to the one who gave it.

    {"event": "progress", "phase": "start", "done": 3, "total": 12}

One phase is shown at a time, the first that is not complete, though a node may listen while others are being started.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from farm.supervisor.events import EventLog

Tell = Callable[[dict[str, Any]], None]
"""Says something to whoever asked; never blocks."""

Count = tuple[str, Callable[[], int], int]
"""A phase, how much of it is done, and its total."""

INTERVAL = 0.1


class Progress:
    """Tells of `phases`, in their order."""

    def __init__(self, tell: Tell, phases: list[Count]) -> None:
        self._tell = tell
        self._phases = [phase for phase in phases if phase[2]]
        self._said: dict[str, int] = {}

    @contextlib.asynccontextmanager
    async def shown(self, events: EventLog) -> AsyncIterator[None]:
        """Tells of progress and of events while the context lasts, and how it ended."""
        ticking = asyncio.create_task(self._tick())
        try:
            with events.heard_by(self._tell):
                yield
            self.show()
        finally:
            ticking.cancel()

    def show(self) -> None:
        """Tells what has changed."""
        for name, count, total in self._phases:
            done = count()
            if self._said.get(name) != done:
                self._said[name] = done
                self._tell({"event": "progress", "phase": name, "done": done, "total": total})
            if done < total:
                return

    async def _tick(self) -> None:
        while True:
            self.show()
            await asyncio.sleep(INTERVAL)
