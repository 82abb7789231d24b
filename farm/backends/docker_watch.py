"""Tells when containers end: one stream of the daemon's events for a whole run, followed by one thread.

Whoever waits is looked at when he comes, when an event about his container does, and whenever the stream had to be
opened anew: a daemon that was stopped says nothing of what ended meanwhile.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from docker.errors import DockerException

from farm.backends import docker_labels as labels
from farm.backends.docker_engine import Engine
from farm.backends.observed import ObservedShard
from farm.backends.waiting import Waiter, Waiting
from farm.errors import FarmError

AGAIN = 0.5
"""Seconds before a stream that broke is opened again."""
ENDINGS = ["die", "destroy"]

Runs = Callable[[ObservedShard], bool]
"""Whether that very process runs, as far as can be known; may ask the daemon."""


class Watches(Waiting):
    """Everybody who waits for containers of the run `run_id`."""

    def __init__(self, engine: Engine, run_id: str, runs: Runs) -> None:
        super().__init__("docker-events")
        self._engine = engine
        self._run = run_id
        self._runs = runs
        self._stream: Any = None

    def add(self, shard: ObservedShard, gone: Callable[[], None]) -> Waiter:
        """Waits from now on. Never blocks: the first look is another thread's."""
        waiter = super().add(shard, gone)
        asyncio.get_running_loop().run_in_executor(None, self._look, [waiter])
        return waiter

    def begin_anew(self, engine: Engine) -> None:
        """Whoever is at the other end of the stream may be gone without a word: it is opened again, at `engine`."""
        self._engine = engine
        self._hang_up()

    def close(self, seconds: float = AGAIN * 4) -> None:
        """Ends the stream and its thread."""
        self._closed.set()  # before the stream, which would be opened again
        self._hang_up()
        super().close(seconds)

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
            self._look([waiter for waiter in self._all() if waiter.shard.name == node])
            if self._closed.is_set():
                return

    def _look(self, waiters: list[Waiter]) -> None:
        for waiter in waiters:
            with contextlib.suppress(FarmError):  # nobody can say now: the stream's next start will
                if not self._runs(waiter.shard):
                    waiter.ring()

    def _hang_up(self) -> None:
        stream = self._stream
        if stream is not None:
            with contextlib.suppress(Exception):  # whatever the SDK finds wrong with a stream that is being read
                stream.close()
