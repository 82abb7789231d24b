"""One beat for what a process does each second, so that it is woken once for all of it.

To be woken costs an idle node more than what it is woken for. The beats of two processes have nothing to do with each
other, so that the nodes of a plant are not all awake at one time; nor is all of a process that has hundreds.
"""

import asyncio
from collections.abc import Callable
from weakref import WeakKeyDictionary

SECOND = 1.0
TOGETHER = 8
"""Of one loop that have a beat in common."""
GOLDEN = 0.618034
"""Of a second, between the beats of one such group and the next: so far apart, any number of them are spread evenly."""

_joined: "WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[float, int]]" = WeakKeyDictionary()
"""By loop, when its first beat was and how many have one."""


class Beat:
    """An instant of each second, of the running loop."""

    __slots__ = ("_loop", "_phase")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        begun, before = _joined.get(self._loop, (self._loop.time(), 0))
        _joined[self._loop] = begun, before + 1
        self._phase = begun + before // TOGETHER * GOLDEN % SECOND

    def call(self, seconds: float, act: Callable[[], object]) -> asyncio.TimerHandle:
        """Calls `act` at the beat that is nearest to so many seconds from now; below one second, just then."""
        if seconds < SECOND:
            return self._loop.call_later(seconds, act)
        return self._loop.call_at(self._phase + round(self._loop.time() + seconds - self._phase), act)
