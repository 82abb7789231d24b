"""What must happen while time passes and no frame comes: connections that time out, peers that stall.

One timer a controller, running only while a step says it is needed, so that hundreds of idle nodes wake nothing.
"""

import asyncio
import time
from collections.abc import Callable

from node.beat import Beat

Step = Callable[[float], bool]
"""Given `now`; True when it wants to be called again."""


class Ticker:
    """Calls every step each `interval` seconds, from `wake` on until none of them needs it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, interval: float = 1.0) -> None:
        self.interval = interval
        self._clock = clock
        self._steps: list[Step] = []
        self._timer: asyncio.TimerHandle | None = None
        self._beat: Beat | None = None

    @property
    def running(self) -> bool:
        """Whether the timer is set."""
        return self._timer is not None

    def add(self, step: Step) -> None:
        """Adds a step; it is called after the next `wake`."""
        self._steps.append(step)

    def wake(self) -> None:
        """Starts the timer unless it runs. Call it inside the loop."""
        if self._timer is None:
            if self._beat is None:
                self._beat = Beat()
            self._timer = self._beat.call(self.interval, self._tick)

    def stop(self) -> None:
        """Ends the timer; `wake` starts it again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = self._beat = None

    def _tick(self) -> None:
        self._timer = None
        now = self._clock()
        needed = [step(now) for step in self._steps]
        if any(needed):
            self.wake()
