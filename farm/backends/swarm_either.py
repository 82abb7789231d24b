"""Backend swarm, whoever places the nodes: the plant file (`swarm`), or the engine (`placement: engine`).

Where it is the engine, a node is a service of one task (`swarm_services`). All else is as the file's placement has it:
hosts, images, overlays, the relay and its network. What a node's address is now, the engine says; the relay leads to
where that is, so that this machine's addresses of nodes stay what they are.
"""

import contextlib
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from farm.backends import docker_labels as labels
from farm.backends.docker_lifetime import Container, label, node_of
from farm.backends.observed import Observed, ObservedShard
from farm.backends.swarm import SwarmBackend
from farm.backends.swarm_networks import Overlays
from farm.backends.swarm_services import ServicePlace, Services, constraints
from farm.backends.swarm_tasks import Task, TaskWatches
from farm.backends.watch import Watch
from farm.errors import BackendError
from farm.topology.placement import ENGINE
from farm.topology.plant import Plant
from node.config.model import NodeConfig
from node.control.messages import ShardFile, digest_nodes, instance_number, shard_token

log = logging.getLogger(__name__)

SERVICE_TASK = "com.docker.swarm.task.id"
"""On a container that the engine made for a task."""

Say = Callable[[str], None]


class EitherSwarmBackend(SwarmBackend):
    """As `SwarmBackend`."""

    def __init__(self, directory: Path, run_id: str, epoch: float, control: Path, secret: str) -> None:
        super().__init__(directory, run_id, epoch, control, secret)
        self._services = Services(lambda: self._hosts.engine(self._hosts.manager()), run_id)
        self._tasks = TaskWatches(self._looked)
        self._known: dict[str, Task] = {}
        self._members: dict[str, str] = {}
        self._lock = threading.Lock()

    @property
    def by_engine(self) -> bool:
        """Whether the engine places the nodes."""
        return self._hosts.placement.kind == ENGINE

    def prepare(self, plant: Plant, say: Say, *, changing: bool = True, patient: bool = False) -> None:
        """As `SwarmBackend`; when it is `changing` anything, services that the file's placement has no use for end."""
        super().prepare(plant, say, changing=changing, patient=patient)
        if not changing:
            return
        if not self.by_engine:
            with contextlib.suppress(BackendError):  # a manager that is gone is told by what wants it
                if self._services.listed():
                    say("the plant places its nodes itself now: its services end")
                    self._services.remove_all()
            return
        try:
            self._members = self._asked_members()
        except BackendError:
            if not patient:
                raise

    def host_of(self, node: str) -> str:
        """The host that a node is on; of one that the plant has no name for, the Swarm's id of it."""
        if not self.by_engine:
            return super().host_of(node)
        task = self._known.get(node)
        return self._named(task.member) if task is not None else ""

    def address_of(self, node: str) -> str:
        """Where the engine has put a node, "" where that is the plant's own doing or not known."""
        task = self._known.get(node) if self.by_engine else None
        config = next((each for each in self._relay.nodes if each.name == node), None) if task is not None else None
        return _address(config, task, self._run) if task is not None else ""

    def absent(self, node: str) -> str:
        """Nothing where the engine places: a node of a host that is gone is elsewhere soon."""
        return "" if self.by_engine else super().absent(node)

    def observe(self) -> Observed:
        """The services of the run and their tasks, where the engine places. What the plant placed before is no node of
        it any more."""
        if not self.by_engine:
            return super().observe()
        services, tasks = self._services.listed(), self._seen()
        shards, strays = [], []
        for name in sorted({*self._files.names(), *services}):
            file, task = self._files.read(name), tasks.get(name)
            runs = task is not None and task.runs
            if file is None:
                strays += [task.number] if runs and task is not None else []
                continue
            nodes = self._files.nodes(file)
            digest = str(services.get(name, {}).get("Spec", {}).get("Labels", {}).get(labels.DIGEST, ""))
            if runs and task is not None:
                same = digest == digest_nodes(file.nodes)
                host = self._named(task.member)
                shards.append(ObservedShard(name, task.number, 0, alive=True, nodes=nodes if same else (), host=host))
            else:
                pid, _ = self._files.process(name)
                shards.append(ObservedShard(name, pid, 0, alive=False, nodes=nodes))
        for _, container in self._found():
            if node_of(container) and not label(container, SERVICE_TASK) and container["State"]["Running"]:
                strays.append(instance_number(label(container, labels.INSTANCE)))
        return Observed(tuple(shards), tuple(sorted(strays)), self._overlays().observe(), self._links.read())

    def start(self, shard: str) -> ObservedShard:
        """Make its service unless it is there, and wait until the engine has it running."""
        if not self.by_engine:
            return super().start(shard)
        file = self._files.read(shard)
        nodes = self._files.nodes(file)
        if file is None or len(nodes) != 1:
            missing = self._files.path(shard, ".json")
            raise BackendError(shard, "start", f"{missing} is missing or damaged: create it first")
        self._relay.ensure()
        self._services.create(nodes[0], self._place(shard, file))
        task = self._services.running(shard)
        try:
            self._files.started(shard, digest_nodes(file.nodes), task.number, 0)
        except OSError as exc:
            raise BackendError(shard, "start", f"cannot write its pid file: {exc}") from exc
        self._note({shard: task})
        return ObservedShard(shard, task.number, 0, alive=True, nodes=nodes, host=self._named(task.member))

    def stop(self, shard: ObservedShard, grace: float) -> None:
        """Take its service away, which ends its task; `grace` is what every service has. A stray is known by its
        number, whoever placed it."""
        if not self.by_engine:
            super().stop(shard, grace)
            return
        known = self._files.read(shard.name) is not None
        for name, task in self._services.tasks(shard.name if known else "").items():
            if task.number == shard.pid:
                self._fetch_task(name, task)
                self._services.remove(name)
                return
        super().stop(replace(shard, host=""), grace)

    def remove(self, shard: str) -> None:
        """Take away its service and its files, but its log."""
        if not self.by_engine:
            super().remove(shard)
            return
        self._services.remove(shard)
        self._files.remove(shard)
        with self._lock:
            self._known.pop(shard, None)

    def logs(self, node: str) -> Path:
        """A file with what the engine of its host has kept of it up to now, and of those before it."""
        if not self.by_engine:
            return super().logs(node)
        task = self._known.get(node)
        if task is not None:
            self._fetch_task(node, task)
        return self._files.log(node)

    def watch(self, shard: ObservedShard, gone: Callable[[], None]) -> Watch:
        """By what a manager says of all tasks, asked every second or so; hosts are seen to as ever."""
        if not self.by_engine:
            return super().watch(shard, gone)
        return self._tasks.add(shard, gone)

    def end_all(self, grace: float = 2.0) -> int:
        """Services first: the engine would start anew what is ended before them."""
        ran = 0
        if self._hosts.all:
            with contextlib.suppress(BackendError):  # where there is no manager, there is nobody to start anything
                ran = self._services.remove_all()
        return ran + super().end_all(grace)

    def close(self) -> None:
        """As `SwarmBackend`."""
        self._tasks.close()
        super().close()

    def _overlays(self) -> Overlays:
        overlays = super()._overlays()
        overlays.spare = not self.by_engine
        return overlays

    def _place(self, shard: str, file: ShardFile) -> ServicePlace:
        network, control = self._relay.place()
        allowed = self._hosts.placement.homes.get(shard) or tuple(self._hosts.wanted)
        named = bool(self._hosts.placement.hosts)
        return ServicePlace(
            self._run,
            self._farm,
            replace(file, everywhere=True, placed=True).encode(),
            shard_token(self._secret, shard),
            digest_nodes(file.nodes),
            self._images.name,
            control,
            network,
            constraints(allowed, self._members) if named else (),
        )

    def _seen(self) -> dict[str, Task]:
        """The tasks of all nodes now; the relay leads to them."""
        tasks = self._services.tasks()
        self._note(tasks)
        return tasks

    def _looked(self) -> dict[str, Task]:
        """The same, every now and then; the relay is seen to along with them."""
        with contextlib.suppress(BackendError):
            self._relay.ensure()
            self._relay.carry()
        return self._seen()

    def _note(self, tasks: Mapping[str, Task]) -> None:
        """What is known of tasks from now on. A task that runs no more is known until another does."""
        with self._lock:
            for name, task in tasks.items():
                if task.runs or name not in self._known:
                    self._known[name] = task
            known = dict(self._known)
        configs = {node.name: node for node in self._relay.nodes}
        found = {name: _address(configs.get(name), task, self._run) for name, task in known.items()}
        with contextlib.suppress(BackendError):  # it is tried again with the next look
            self._relay.lead({name: address for name, address in found.items() if address})

    def _asked_members(self) -> dict[str, str]:
        """The Swarm's ids of its hosts, by their names in the plant, or by these ids."""
        found = self._hosts.each(self._hosts.swarm, self._hosts.wanted)
        members = {host: str(state["NodeID"]) for host, state in found.items() if isinstance(state, dict)}
        engine = self._hosts.engine(self._hosts.manager())
        with engine.told("hosts", "list"):
            ids = [str(node["ID"]) for node in engine.api.nodes()]
        return members | {member: member for member in ids if member not in members.values()}

    def _named(self, member: str) -> str:
        if member and not self._members:
            with contextlib.suppress(BackendError):
                self._members = self._asked_members()
        return next((host for host, each in self._members.items() if each == member), member)

    def _fetch_task(self, node: str, task: Task) -> None:
        host = self._named(task.member)
        if task.container and host in self._hosts.all:
            container: Container = {"Id": task.container}
            self._fetch(node, host, container)


def _address(node: NodeConfig | None, task: Task, run_id: str) -> str:
    """The address of a task on the main network of its node, "" while it has none."""
    if node is None or not node.interfaces:
        return next(iter(task.addresses.values()), "")
    return task.addresses.get(labels.overlay_name(run_id, node.interfaces[0].network), "")
