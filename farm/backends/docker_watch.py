"""Tells when containers end: one stream of the daemon's events for a whole run, followed by one thread.

Whoever waits is looked at when he comes, when an event about his container does, and whenever the stream had to be
opened anew: a daemon that was stopped says nothing of what ended meanwhile.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable
from typing import Any

from docker.errors import DockerException

from farm.backends import docker_labels as labels
from farm.backends.docker_engine import Engine
from farm.backends.observed import ObservedShard
from farm.errors import FarmError

log = logging.getLogger(__name__)

AGAIN = 0.5
"""Seconds before a stream that broke is opened again."""
ENDINGS = ["die", "destroy"]

Runs = Callable[[ObservedShard], bool]
"""Whether that very process runs, as far as can be known; may ask the daemon."""


class ContainerWatch:
    """Somebody who waits for the end of a container."""

    def __init__(self, watches: "Watches", shard: ObservedShard, gone: Callable[[], None]) -> None:
        self.shard = shard
        self._watches = watches
        self._gone: Callable[[], None] | None = gone
        self._loop = asyncio.get_running_loop()

    def ring(self) -> None:
        """The process is gone. From any thread."""
        with contextlib.suppress(RuntimeError):  # a loop that is closed has nobody left to tell
            self._loop.call_soon_threadsafe(self._end)

    def close(self) -> None:
        """Waits no longer."""
        self._gone = None
        self._watches.forget(self)

    def _end(self) -> None:
        gone = self._gone
        self.close()
        if gone is not None:
            gone()


class Watches:
    """Everybody who waits for containers of the run `run_id`."""

    def __init__(self, engine: Engine, run_id: str, runs: Runs) -> None:
        self._engine = engine
        self._run = run_id
        self._runs = runs
        self._lock = threading.Lock()
        self._waiting: set[ContainerWatch] = set()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._stream: Any = None

    def add(self, shard: ObservedShard, gone: Callable[[], None]) -> ContainerWatch:
        """Waits from now on. Never blocks: the first look is another thread's."""
        watch = ContainerWatch(self, shard, gone)
        with self._lock:
            self._waiting.add(watch)
            if self._thread is None and not self._closed.is_set():
                self._thread = threading.Thread(target=self._follow, name="docker-events", daemon=True)
                self._thread.start()
        asyncio.get_running_loop().run_in_executor(None, self._look, [watch])
        return watch

    def forget(self, watch: ContainerWatch) -> None:
        """Nobody waits for it any more."""
        with self._lock:
            self._waiting.discard(watch)

    def begin_anew(self, engine: Engine) -> None:
        """Whoever is at the other end of the stream may be gone without a word: it is opened again, at `engine`."""
        self._engine = engine
        self._hang_up()

    def close(self) -> None:
        """Ends the stream and its thread."""
        self._closed.set()
        thread, self._thread = self._thread, None
        self._hang_up()
        if thread is not None:
            thread.join(AGAIN * 4)

    def _follow(self) -> None:
        while not self._closed.is_set():
            with contextlib.suppress(FarmError, DockerException, OSError, ValueError):
                self._listen()
            self._look(self._all())
            self._closed.wait(AGAIN)

    def _listen(self) -> None:
        """Until the stream ends."""
        filters = {"type": "container", "event": ENDINGS, **labels.of_run(self._run)}
        self._stream = self._engine.api.events(filters=filters, decode=True)
        self._look(self._all())
        for event in self._stream:
            attributes = (event.get("Actor") or {}).get("Attributes") or {}
            node = attributes.get(labels.NODE, "")
            self._look([watch for watch in self._all() if watch.shard.name == node])
            if self._closed.is_set():
                return

    def _all(self) -> list[ContainerWatch]:
        with self._lock:
            return list(self._waiting)

    def _look(self, watches: list[ContainerWatch]) -> None:
        for watch in watches:
            with contextlib.suppress(FarmError):  # nobody can say now: the stream's next start will
                if not self._runs(watch.shard):
                    watch.ring()

    def _hang_up(self) -> None:
        stream = self._stream
        if stream is not None:
            with contextlib.suppress(Exception):  # whatever the SDK finds wrong with a stream that is being read
                stream.close()
