"""When a shard that died is started again: soon at first, then less and less often; pure, `now` is an argument.

A node that cannot live must not eat the machine by being born: five deaths in a minute are a crash loop, shown as such
and tried once a minute until it has lived for one.
"""

from collections import deque

FIRST = 1.0
FACTOR = 2.0
CEILING = 60.0
CRASHES = 5
WINDOW = 60.0
HEALTHY = 60.0


class RestartPolicy:
    """The deaths of one shard. Times in seconds of any one clock."""

    __slots__ = ("_attempt", "_deaths", "_started", "crash_loop")

    def __init__(self) -> None:
        self.crash_loop = False
        """Whether it died `CRASHES` times within `WINDOW` seconds, and has not lived `HEALTHY` seconds since."""
        self._attempt = 0
        self._deaths: deque[float] = deque(maxlen=CRASHES)
        self._started: float | None = None

    def started(self, now: float) -> None:
        """It runs (again)."""
        self._started = now

    def died(self, now: float) -> float:
        """It died, or could not be started: seconds to wait before the next attempt."""
        if self._started is not None and now - self._started >= HEALTHY:
            self.forget()
        self._started = None
        self._deaths.append(now)
        if len(self._deaths) == CRASHES and now - self._deaths[0] <= WINDOW:
            self.crash_loop = True
        delay = CEILING if self.crash_loop else min(FIRST * FACTOR**self._attempt, CEILING)
        self._attempt += 1
        return delay

    def forget(self) -> None:
        """As if it had never died."""
        self.crash_loop = False
        self._attempt = 0
        self._deaths.clear()
