"""Where a Swarm has put the nodes of a run: the task of each service, on which host and at which addresses it is.

A task never moves: when its container ends, or its host is gone, the engine makes another, which has another id and as
a rule another address. One that the engine wants to run and that runs is the node; all others are its past.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from farm.backends import docker_labels as labels
from farm.backends.docker_engine import Engine
from farm.backends.waiting import Waiter, Waiting
from farm.errors import BackendError
from node.control.messages import instance_number

log = logging.getLogger(__name__)

RUNNING = "running"
EVERY = 1.0
"""Seconds between two looks at all tasks, where there are few."""
EACH = 0.002
"""More for each: a list of a thousand is four megabytes."""


@dataclass(frozen=True, slots=True)
class Task:
    """One of `node`. `member` is the Swarm's id of the host it is on, `container` the engine's of what runs there, ""
    before it does; `addresses` are by network, of `overlay_name`. `wanted` says that the engine wants it to run."""

    id: str
    node: str
    member: str
    state: str
    wanted: bool
    error: str = ""
    container: str = ""
    addresses: Mapping[str, str] = field(default_factory=dict)

    @property
    def number(self) -> int:
        """What stands for its pid."""
        return instance_number(self.id)

    @property
    def runs(self) -> bool:
        """Whether it is the node."""
        return self.wanted and self.state == RUNNING


def read_task(body: Mapping[str, Any]) -> Task:
    """A task as the engine tells it."""
    status, spec = body.get("Status") or {}, body.get("Spec") or {}
    told = (spec.get("ContainerSpec") or {}).get("Labels") or {}
    addresses: dict[str, str] = {}
    for attached in body.get("NetworksAttachments") or ():
        name = str((((attached.get("Network") or {}).get("Spec")) or {}).get("Name", ""))
        for address in attached.get("Addresses") or ():
            addresses.setdefault(name, str(address).partition("/")[0])
    return Task(
        str(body["ID"]),
        str(told.get(labels.NODE, "")),
        str(body.get("NodeID") or ""),
        str(status.get("State", "")),
        body.get("DesiredState") == RUNNING,
        str(status.get("Err") or ""),
        str((status.get("ContainerStatus") or {}).get("ContainerID") or ""),
        addresses,
    )


def read_tasks(engine: Engine, run_id: str, node: str = "") -> dict[str, Task]:
    """The tasks of a run's nodes, or of one of them, by node: of each the one that the engine wants, the newest
    otherwise. Raises `BackendError`."""
    filters = labels.of_run(run_id)
    filters["label"] += [f"{labels.NODE}={node}"] if node else []
    with engine.told(node or "services", "list the tasks"):
        listed: list[dict[str, Any]] = engine.api.tasks(filters=filters)  # type: ignore[no-untyped-call]
    return current(listed)


def current(listed: Iterable[Mapping[str, Any]]) -> dict[str, Task]:
    """Of the tasks that an engine tells, for each node the one that counts."""
    found: dict[str, Task] = {}
    for body in sorted(listed, key=lambda each: str(each.get("CreatedAt", ""))):
        task = read_task(body)
        before = found.get(task.node)
        if task.node and (before is None or task.wanted or not before.wanted):
            found[task.node] = task
    return found


class TaskWatches(Waiting):
    """Everybody who waits for tasks. `look` gives the tasks by node and may raise `BackendError`; a manager that does
    not answer says nothing of nodes."""

    def __init__(self, look: Callable[[], Mapping[str, Task]]) -> None:
        super().__init__("tasks")
        self._look = look

    def close(self, seconds: float = EVERY * 4) -> None:
        """Looks no more."""
        super().close(seconds)

    def _follow(self) -> None:
        while not self._closed.wait(EVERY + EACH * len(self._waiters)):
            try:
                self.see()
            except BackendError as exc:
                log.debug("%s", exc)  # a manager that does not answer says nothing of nodes
            except Exception:
                log.exception("a bug in the backend")

    def see(self) -> None:
        """Tells those whose task is not the node any more. Whoever comes during the look waits for the next: what is
        told may be older than his task."""
        waiting = self._all()
        if waiting:
            for waiter in ended(waiting, self._look()):
                waiter.ring()


def ended(waiting: Iterable[Waiter], tasks: Mapping[str, Task]) -> list[Waiter]:
    """Those of them whose task runs no more, or was never the node's."""
    found = []
    for waiter in waiting:
        task = tasks.get(waiter.shard.name)
        if task is None or not task.runs or task.number != waiter.shard.pid:
            found.append(waiter)
    return found
