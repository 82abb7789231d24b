"""Everybody who waits for the end of shards that only a platform can tell of, and the one thread that listens to it for
all of them."""

import asyncio
import contextlib
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable

from farm.backends.observed import ObservedShard


class Waiter:
    """Somebody who waits for the end of a shard; a `Watch`."""

    def __init__(self, waiting: "Waiting", shard: ObservedShard, gone: Callable[[], None]) -> None:
        self.shard = shard
        self._waiting = waiting
        self._gone: Callable[[], None] | None = gone
        self._loop = asyncio.get_running_loop()

    def ring(self) -> None:
        """It is gone. From any thread."""
        with contextlib.suppress(RuntimeError):  # a loop that is closed has nobody left to tell
            self._loop.call_soon_threadsafe(self._end)

    def close(self) -> None:
        """Waits no longer."""
        self._gone = None
        self._waiting.forget(self)

    def _end(self) -> None:
        gone = self._gone
        self.close()
        if gone is not None:
            gone()


class Waiting(ABC):
    """Those who wait for shards of a run. The thread is there from the first of them on."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._waiters: set[Waiter] = set()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, shard: ObservedShard, gone: Callable[[], None]) -> Waiter:
        """Waits from now on; `gone` is called once and from the running loop. Never blocks."""
        waiter = Waiter(self, shard, gone)
        with self._lock:
            self._waiters.add(waiter)
            if self._thread is None and not self._closed.is_set():
                self._thread = threading.Thread(target=self._follow, name=self._name, daemon=True)
                self._thread.start()
        return waiter

    def forget(self, waiter: Waiter) -> None:
        """Nobody waits for it any more."""
        with self._lock:
            self._waiters.discard(waiter)

    def close(self, seconds: float = 0.0) -> None:
        """Listens no more; the thread is waited for so long."""
        self._closed.set()
        thread, self._thread = self._thread, None
        if thread is not None and seconds:
            thread.join(seconds)

    def _all(self) -> list[Waiter]:
        with self._lock:
            return list(self._waiters)

    @abstractmethod
    def _follow(self) -> None:
        """The thread: rings those whose shards are gone, until `_closed` is set."""
