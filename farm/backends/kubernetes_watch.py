"""Tells when shards are taken away: one watch of the run's StatefulSets, followed by one thread.

A pod that ends is the cluster's affair, which starts it again; a shard is gone when its set is. Whenever the watch had
to be begun anew, whoever waits for what is not there any more is told.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Iterable

from farm.backends.kubernetes_api import Cluster
from farm.backends.kubernetes_shards import INSTANCE, ROLE, SHARD, Run
from farm.backends.observed import ObservedShard
from farm.errors import FarmError
from node.control.messages import instance_number

log = logging.getLogger(__name__)

AGAIN = 1.0
"""Seconds before a watch that broke is begun again."""


class SetWatch:
    """Somebody who waits for the end of a shard."""

    def __init__(self, watches: "Watches", shard: ObservedShard, gone: Callable[[], None]) -> None:
        self.shard = shard
        self._watches = watches
        self._gone: Callable[[], None] | None = gone
        self._loop = asyncio.get_running_loop()

    def ring(self) -> None:
        """It is gone. From any thread."""
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
    """Everybody who waits for shards of a run."""

    def __init__(self, cluster: Cluster, run: Run) -> None:
        self._cluster = cluster
        self._run = run
        self._lock = threading.Lock()
        self._waiting: set[SetWatch] = set()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, shard: ObservedShard, gone: Callable[[], None]) -> SetWatch:
        """Waits from now on. Never blocks."""
        watch = SetWatch(self, shard, gone)
        with self._lock:
            self._waiting.add(watch)
            if self._thread is None and not self._closed.is_set():
                self._thread = threading.Thread(target=self._follow, name="kubernetes-watch", daemon=True)
                self._thread.start()
        return watch

    def forget(self, watch: SetWatch) -> None:
        """Nobody waits for it any more."""
        with self._lock:
            self._waiting.discard(watch)

    def close(self) -> None:
        """Watches no more; the thread ends with its next event, and is not waited for."""
        self._closed.set()

    def _follow(self) -> None:
        said = ""
        while not self._closed.is_set():
            try:
                self._listen()
                said = ""
            except (FarmError, ValueError, KeyError) as exc:
                if str(exc) != said:
                    said = str(exc)
                    log.warning("shards are not watched for now: %s", said)
            self._closed.wait(AGAIN)

    def _listen(self) -> None:
        """Until the server ends it, or says that it knows no more what was before."""
        labels = {**self._run.selector, ROLE: SHARD}
        with self._lock:
            waiting = set(self._waiting)  # whose shards were there before it is asked which are
        there, version = self._cluster.listed("StatefulSet", labels)
        numbers = {instance_number(_instance(body)) for body in there}
        _ring(watch for watch in waiting if watch.shard.pid not in numbers)
        for kind, body in self._cluster.watch("StatefulSet", labels, version):
            if self._closed.is_set() or kind == "ERROR":
                return
            if kind == "DELETED":
                number = instance_number(_instance(body))
                with self._lock:
                    waiting = set(self._waiting)
                _ring(watch for watch in waiting if watch.shard.pid == number)


def _ring(watches: Iterable[SetWatch]) -> None:
    for watch in watches:
        watch.ring()


def _instance(body: dict[str, dict[str, dict[str, str]]]) -> str:
    return body["metadata"]["labels"].get(INSTANCE, "")
