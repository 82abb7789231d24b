"""Tells when a process is gone, without being its parent and without asking again and again.

A pidfd becomes readable when its process ends; it is opened first and the start time looked at after, so that a pid
that was used again in between is not taken for ours. Where there are no pidfds (macOS) the pid is looked at twice a
second.
"""

import asyncio
import os
from collections.abc import Callable
from typing import Protocol

from farm.backends.observed import ObservedShard
from node.control.messages import start_time

POLL = 0.5


class Watch(Protocol):
    """Somebody who waits for the end of a process."""

    def close(self) -> None:
        """Waits no longer."""


Watcher = Callable[[ObservedShard, Callable[[], None]], Watch]
"""Starts to wait: the shard, and what to call, once and from the loop, when its process is gone."""


def watch_process(shard: ObservedShard, gone: Callable[[], None]) -> Watch:
    """Waits for the end of the shard's process on the running loop."""
    if not hasattr(os, "pidfd_open"):
        return PollWatch(shard.pid, gone)
    try:
        descriptor = os.pidfd_open(shard.pid)
    except ProcessLookupError:
        descriptor = -1
    watch = PidfdWatch(descriptor, gone)
    if descriptor < 0 or (shard.started and start_time(shard.pid) != shard.started):
        watch.ring()
    return watch


class PidfdWatch:
    """Waits on a descriptor, which it closes in the end."""

    def __init__(self, descriptor: int, gone: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._gone: Callable[[], None] | None = gone
        self._loop = asyncio.get_running_loop()
        if descriptor >= 0:
            self._loop.add_reader(descriptor, self._end)

    def ring(self) -> None:
        """The process is gone already."""
        self._loop.call_soon(self._end)

    def close(self) -> None:
        """Waits no longer."""
        self._gone = None
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    def _end(self) -> None:
        gone = self._gone
        self.close()
        if gone is not None:
            gone()


class PollWatch:
    """Looks at a pid again and again."""

    def __init__(self, pid: int, gone: Callable[[], None]) -> None:
        self._pid = pid
        self._gone = gone
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(POLL, self._look)

    def close(self) -> None:
        """Waits no longer."""
        self._timer.cancel()

    def _look(self) -> None:
        try:
            os.kill(self._pid, 0)
        except ProcessLookupError:
            self._gone()
        else:
            self._timer = self._loop.call_later(POLL, self._look)
