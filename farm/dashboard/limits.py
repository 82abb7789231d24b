"""How much one may ask for: a runaway script must not take the server from everybody else."""

import threading
import time
from collections.abc import Callable

from farm.dashboard.refusal import Refusal

BODY = 1 << 20
"""Bytes of a request's body."""
CHANGES = 600
"""Changes a minute: values written, nodes restarted, faults put on, connections ended."""
NODES_UNCONFIRMED = 10
"""Nodes that are stopped or restarted at once without being counted by whoever wants it."""
WRITES = 500
"""Values in one batch."""
TREND_TAGS = 16
"""Tags of one trend."""
STREAM_NODES = 16
"""Nodes of one stream."""


class ChangeRate:
    """`CHANGES` at once, and as many again within a minute, for all who ask together. What is more than that in itself,
    as an act on every node of a large plant, takes all there are."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._left = float(CHANGES)
        self._at = clock()

    def take(self, count: int = 1) -> None:
        """Counts so many. Raises `Refusal` 429 when they are too many."""
        count = min(count, CHANGES)
        with self._lock:
            now = self._clock()
            self._left = min(float(CHANGES), self._left + (now - self._at) * CHANGES / 60)
            self._at = now
            if count > self._left:
                wait = int((count - self._left) * 60 / CHANGES) + 1
                raise Refusal(429, f"more than {CHANGES} changes within a minute", "ask for less", retry_after=wait)
            self._left -= count
