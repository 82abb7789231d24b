"""How long a call may wait, from its first moment to its last: one deadline for connecting, sending, every byte and
every retry, so that a device that trickles is as late as one that is silent.

Waiting is done in slices, between which a `service_actions` of the caller's is run: it may look at signals, feed a
watchdog, or raise to end the call.
"""

import selectors
import time
from collections.abc import Callable
from typing import Protocol

SLICE = 0.05
"""Seconds that are waited at once, at most."""

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE

# Not epoll, which costs three system calls a wait, and not select, which knows no descriptor over 1023.
_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)

Actions = Callable[[], object]


class File(Protocol):
    """A socket, or a serial device."""

    def fileno(self) -> int:
        """Its descriptor."""
        ...


class OutOfTime(Exception):
    """It was waited long enough. No `TimeoutError`: that is an `OSError`, and pymodbus swallows it."""


class Patience:
    """`seconds` from now on, in which `actions` is run from time to time."""

    def __init__(
        self, seconds: float, actions: Actions | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.seconds = seconds
        self.deadline = clock() + seconds
        self._actions = actions
        self._clock = clock

    @property
    def late(self) -> bool:
        """Is it over?"""
        return self._clock() >= self.deadline

    def within(self, seconds: float) -> "Patience":
        """A part of it: `seconds` from now on, and never more than is left of this."""
        left = self.deadline - self._clock()
        return Patience(max(0.0, min(seconds, left)), self._actions, self._clock)

    def prolong(self, seconds: float) -> None:
        """So much more of it: for a wait that is not the device's fault."""
        self.deadline += seconds

    def check(self) -> None:
        """Runs the actions. Raises `OutOfTime` when it is over, and what the actions raise."""
        if self._actions is not None:
            self._actions()
        if self.late:
            raise OutOfTime(f"no answer within {self.seconds:g} s")

    def wait(self, file: File, event: int = READ) -> None:
        """Returns when `file` can be read, or written. Raises `OutOfTime`."""
        with _Selector() as selector:
            selector.register(file, event)
            self.check()
            while not selector.select(max(0.0, min(SLICE, self.deadline - self._clock()))):
                self.check()

    def pause(self, seconds: float) -> None:
        """Does nothing for `seconds`. Raises `OutOfTime`."""
        until = self._clock() + seconds
        while (left := until - self._clock()) > 0:
            self.check()
            time.sleep(min(SLICE, left, max(0.0, self.deadline - self._clock())))
