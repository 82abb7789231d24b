"""Tells when containers end, on every host: an engine's events each (`docker_watch`), and a thread that sees whether it
is there at all. What ended on a host that was away is told when it is back."""

import contextlib
import logging
import threading
from collections.abc import Callable
from functools import partial

from farm.backends.docker_watch import ContainerWatch, Watches
from farm.backends.observed import ObservedShard
from farm.backends.swarm_hosts import Hosts
from farm.errors import BackendError

log = logging.getLogger(__name__)

EVERY = 2.0
"""Seconds between two looks whether a host is there."""

Runs = Callable[[str, ObservedShard], bool]
"""Whether that very container runs on that host. Raises `BackendError` where nobody can say."""
Beside = Callable[[], None]
"""What is seen to along with the hosts. Raises `BackendError`."""


class HostWatches:
    """Everybody who waits for containers of the run `run_id`; `beside` is called every now and then."""

    def __init__(self, hosts: Hosts, run_id: str, runs: Runs, beside: Beside) -> None:
        self._hosts = hosts
        self._run = run_id
        self._runs = runs
        self._beside = beside
        self._lock = threading.Lock()
        self._watches: dict[str, Watches] = {}
        self._threads: list[threading.Thread] = []
        self._closed = threading.Event()

    def add(self, host: str, shard: ObservedShard, gone: Callable[[], None]) -> ContainerWatch:
        """Waits from now on. Never blocks."""
        with self._lock:
            watches = self._watches.get(host)
            if watches is None:
                watches = Watches(self._hosts.engine(host), self._run, partial(self._runs, host))
                self._watches[host] = watches
                thread = threading.Thread(target=self._see, args=(host, watches), name=f"host-{host}", daemon=True)
                self._threads.append(thread)
                thread.start()
        return watches.add(shard, gone)

    def close(self) -> None:
        """Ends the streams and all threads."""
        self._closed.set()
        with self._lock:
            watches, threads = list(self._watches.values()), list(self._threads)
            self._watches.clear()
        for each in watches:
            each.close()
        for thread in threads:
            thread.join(EVERY)

    def _see(self, host: str, watches: Watches) -> None:
        there = True
        while not self._closed.wait(EVERY):
            was, there = there, self._answers(host)
            if was and not there:
                log.warning("host %s does not answer", host)
                watches.begin_anew()
            elif there and not was:
                log.info("host %s is back", host)
            if there:
                with contextlib.suppress(BackendError):
                    self._beside()

    def _answers(self, host: str) -> bool:
        try:
            self._hosts.engine(host).reach(anew=True)
        except BackendError:
            return False
        return True
