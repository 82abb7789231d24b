"""The containers of one run at one engine, from their start to their end: what ran, what failed to and what it said."""

import contextlib
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from docker.errors import APIError, NotFound

from farm.backends import docker_labels as labels
from farm.backends import pids
from farm.backends.docker_engine import Engine, is_conflict, is_gone, one_line
from farm.errors import BackendError
from node.control.messages import start_time

log = logging.getLogger(__name__)

LISTING_AT_ONCE = 8
LAST_WORDS = 5
TELL_AGAIN, LOOK_AGAIN = 0.25, 0.02
KILL_SECONDS = 10
UNATTACHED = "attaching to network failed"
ATTACHING = 3

Container = dict[str, Any]
"""As the engine inspects it."""


class Lifetimes:
    """Those of the run `run_id` at `engine`. `imageless` is called when the engine has lost the image."""

    def __init__(self, engine: Engine, run_id: str, imageless: Callable[[], None]) -> None:
        self._engine = engine
        self._run = run_id
        self._imageless = imageless

    def run(self, shard: str, create: Callable[[], str]) -> Container:
        """Starts the container that `create` makes; how it is. Nothing of it is left when it does not run."""
        name = labels.container_name(self._run, shard)
        try:
            with self._engine.told(shard, "start"):
                try:
                    container = create()
                except APIError as exc:
                    if is_conflict(exc) and "is already in use" in str(exc.explanation):
                        raise BackendError(
                            shard, "start", f"there is a container {name} which is not this farm's: rename or remove it"
                        ) from exc
                    if is_gone(exc) and "image" in str(exc.explanation).lower():
                        self._imageless()
                    raise
                attached(lambda: self._engine.api.start(container))
                found: Container = self._engine.api.inspect_container(container)
                if not found["State"]["Running"]:
                    raise BackendError(shard, "start", f"it ended at once: {self._last_words(found)}")
                return found
        except BaseException:
            self.remove_left(shard)
            raise

    def end(self, container: Container, grace: float) -> None:
        """SIGTERM, after `grace` seconds SIGKILL; returns when the engine knows that it ended.

        The first process of a container is deaf to SIGTERM until it has said how it wants to hear it, so one that is
        still starting is told again.
        """
        if not container["State"]["Running"]:
            return
        runs = self._asker(container)
        give_up = time.monotonic() + grace
        with self._engine.told(node_of(container), "stop"):
            while True:
                left = give_up - time.monotonic()
                signum = "SIGTERM" if left > 0 else "SIGKILL"
                try:
                    self._engine.api.kill(container["Id"], signum)
                except APIError as exc:
                    if not is_conflict(exc) and not is_gone(exc):
                        raise
                    break  # it has ended
                if signum == "SIGKILL" or _ends_within(runs, min(left, TELL_AGAIN)):
                    break
            with contextlib.suppress(NotFound):
                self._engine.api.wait(container["Id"], timeout=KILL_SECONDS)

    def remove(self, container: str, name: str) -> None:
        """Takes it away with its volumes. Not an error when it is gone, or is being removed already."""
        with self._engine.told(name, "remove"):
            try:
                self._engine.api.remove_container(container, force=True, v=True)
            except APIError as exc:
                if not is_gone(exc) and "already in progress" not in str(exc.explanation):
                    raise

    def remove_left(self, shard: str) -> None:
        """Takes away what a start that failed has made, if the engine can be asked."""
        with contextlib.suppress(BackendError):
            for left in self.inspected(shard):
                self.remove(left["Id"], shard)

    def inspected(self, node: str = "") -> list[Container]:
        """The run's containers, of one node or all, as they are now."""
        filters = labels.of_run(self._run)
        with self._engine.told(node or "containers", "list"):
            if node:  # the engine looks at every container for a list, and many of them are asked for at once
                named = self.inspect(labels.container_name(self._run, node))
                return [named] if named is not None and label(named, labels.RUN) == self._run else []
            found = [container["Id"] for container in self._engine.api.containers(all=True, filters=filters)]
            if len(found) <= 1:
                inspected = [self.inspect(container) for container in found]
            else:
                with ThreadPoolExecutor(LISTING_AT_ONCE) as crew:
                    inspected = list(crew.map(self.inspect, found))
        return [container for container in inspected if container is not None]

    def inspect(self, container: str) -> Container | None:
        """How one is, by name or id; None where there is none."""
        try:
            found: Container = self._engine.api.inspect_container(container)
        except APIError as exc:
            if is_gone(exc):
                return None
            raise
        return found

    def named(self, name: str) -> Container | None:
        """The container of that name, whoever's it is; None where there is none. Raises `BackendError`."""
        with self._engine.told(name, "look for"):
            return self.inspect(name)

    def _asker(self, container: Container) -> Callable[[], bool]:
        """What says whether its process still runs: this machine where it is one of its own, else the engine."""
        pid = int(container["State"]["Pid"])
        if self._engine.local:
            started = start_time(pid)
            return lambda: pids.alive(pid, started)

        def asked() -> bool:
            found = self.inspect(container["Id"])
            return found is not None and bool(found["State"]["Running"])

        return asked

    def _last_words(self, container: Container) -> str:
        state = container["State"]
        said = self._engine.api.logs(container["Id"], tail=LAST_WORDS).decode(errors="replace").strip()
        return one_line(said.rpartition("\n")[2] or str(state.get("Error") or f"exit code {state['ExitCode']}"))


def attached(work: Callable[[], object]) -> None:
    """Does `work`, which puts a container on an overlay, and again where that failed: the first one on a host may come
    there before the host has heard of its own address in that overlay ("failed to find a load balancer IP", says its
    engine's log), and fails after 20 seconds for that alone. Raises what `work` raises."""
    for attempt in range(ATTACHING):
        try:
            work()
        except APIError as exc:
            if attempt + 1 == ATTACHING or UNATTACHED not in str(exc.explanation):
                raise
            log.warning("%s; once more", one_line(str(exc.explanation)))
        else:
            return


def node_of(container: Container) -> str:
    """The node that it serves."""
    return label(container, labels.NODE)


def label(container: Container, name: str) -> str:
    """A label of it, "" where it has none of that name."""
    return str((container["Config"].get("Labels") or {}).get(name, ""))


def _ends_within(runs: Callable[[], bool], seconds: float) -> bool:
    give_up = time.monotonic() + seconds
    while runs():
        if time.monotonic() >= give_up:
            return False
        time.sleep(LOOK_AGAIN)
    return True
