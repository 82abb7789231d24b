"""Tells when containers end, on every host: an engine's events each (`docker_watch`), and a thread that sees whether it
is there at all. What ended on a host that was away is told when it is back."""

import logging
import threading
from collections.abc import Callable
from functools import partial

from farm.backends.docker_watch import Watches
from farm.backends.observed import ObservedShard
from farm.backends.swarm_engines import HostEngine
from farm.backends.swarm_hosts import Hosts
from farm.backends.waiting import Waiter
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

    def add(self, host: str, shard: ObservedShard, gone: Callable[[], None]) -> Waiter:
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
        there, engine = True, self._hosts.engine(host)
        while not self._closed.wait(EVERY):
            try:
                before, engine = engine, self._hosts.engine(host)
                was, there = there, _answers(engine)
                if was and not there:
                    log.warning("host %s does not answer", host)
                elif there and not was:
                    log.info("host %s is back", host)
                if engine is not before or (was and not there):
                    watches.begin_anew(engine)
                if there:
                    self._beside()
            except BackendError as exc:
                log.debug("%s", exc)  # it is tried again with the next look
            except Exception:
                log.exception("a bug in the backend")


def _answers(engine: HostEngine) -> bool:
    try:
        engine.reach(anew=True)
    except BackendError:
        return False
    return True
