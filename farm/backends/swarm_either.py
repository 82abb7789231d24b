"""Backend swarm, whoever places the nodes: the plant file (`swarm`), or the engine (`placement: engine`).

Where it is the engine, a node is a service of one task (`swarm_services`). All else is as the file's placement has it:
hosts, images, overlays, the relay and its network. What a node's address is now, the engine says; the relay leads to
where that is, so that this machine's addresses of nodes stay what they are.
"""

import contextlib
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path

from farm.backends import docker_labels as labels
from farm.backends.docker_lifetime import Container, label
from farm.backends.observed import Observed, ObservedShard
from farm.backends.swarm import SwarmBackend, borne
from farm.backends.swarm_hosts import Hosts
from farm.backends.swarm_networks import Overlays
from farm.backends.swarm_services import ServicePlace, Services, constraints
from farm.backends.swarm_tasks import Task, TaskWatches
from farm.backends.watch import Watch
from farm.errors import BackendError
from farm.topology.placement import ENGINE
from farm.topology.plant import Plant
from node.config.model import NodeConfig
from node.control.messages import ShardFile, digest_nodes, instance_number, shard_token

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
        self._addresses: dict[str, str] = {}
        self._gone: dict[str, str] = {}
        self._members: dict[str, str] = {}
        self._foreseen = ""
        self._lock = threading.Lock()

    @property
    def _kind(self) -> str:
        return self._foreseen or self._hosts.placement.kind

    @property
    def by_engine(self) -> bool:
        """Whether the engine places the nodes."""
        return self._hosts.placement.kind == ENGINE

    def prepare(self, plant: Plant, say: Say, *, changing: bool = True, patient: bool = False) -> None:
        """As `SwarmBackend`; when it is `changing` anything, services that the file's placement has no use for end, and
        others may be where the file says now. The engine does without a host that is gone: nothing new is put there."""
        self._members, self._foreseen = {}, ""
        if changing and not patient and self.by_engine and plant.placement.kind != ENGINE and self._services.listed():
            what = "the engine has placed its nodes, at addresses that the file gives to others"
            raise BackendError(plant.name, "prepare", f"{what}: `farm down {plant.name}`, then `farm up`")
        super().prepare(plant, say, changing=changing, patient=patient)
        if not changing:
            self._foreseen = plant.placement.kind
        elif self.by_engine:
            with borne(patient):
                self._allow(plant)
        else:
            with contextlib.suppress(BackendError):  # a manager that is gone is told by what wants it
                if self._services.listed():
                    say("the plant places its nodes itself now: its services end")
                    self._services.remove_all()

    def _look_at(self, hosts: Hosts, plant: Plant, say: Say) -> None:
        gone = hosts.check(without=plant.placement.kind == ENGINE)
        if hosts is self._hosts:
            self._gone = gone
        for host, why in gone.items():
            say(f"host {host}: {why}; nothing is put there until the next `farm up` finds it back")

    def host_of(self, node: str) -> str:
        """The host that a node is on; of one that the plant has no name for, the Swarm's id of it."""
        if not self.by_engine:
            return super().host_of(node)
        task = self._known.get(node)
        return self._named(task.member) if task is not None else ""

    def address_of(self, node: str) -> str:
        """Where the engine has put a node, "" where that is the plant's own doing or not known."""
        return self._addresses.get(node, "") if self.by_engine else ""

    def absent(self, node: str) -> str:
        """As `SwarmBackend`; where the engine places, a node of a host that is gone is elsewhere soon, and only the
        relay's matters."""
        return self._relay.lost if self.by_engine else super().absent(node)

    def observe(self) -> Observed:
        """The services of the run and their tasks, where the engine places, or will by the plan that is looked at. What
        the plant placed before is no node of it any more."""
        try:
            return self._observe_placed() if self._kind == ENGINE else super().observe()
        finally:
            self._foreseen = ""

    def _observe_placed(self) -> Observed:
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
        for node, _, container in self._found()[0]:
            if node and container["State"]["Running"]:
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
        with contextlib.suppress(BackendError):  # a node waits for a relay whose host is away
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

    def _keeps(self, host: str) -> bool:
        """Where the engine places, it ends itself what a host had that comes back; but for the relay."""
        if not self.by_engine:
            return super()._keeps(host)
        with contextlib.suppress(BackendError):
            return host == self._relay.host
        return True

    def _found(self) -> tuple[list[tuple[str, str, Container]], Collection[str]]:
        """But for those of tasks, which the engine has made."""
        found, lost = super()._found()
        return [each for each in found if not label(each[2], SERVICE_TASK)], lost

    def _overlays(self) -> Overlays:
        overlays = super()._overlays()
        overlays.spare = self._kind != ENGINE
        return overlays

    def _place(self, shard: str, file: ShardFile) -> ServicePlace:
        network, control = self._relay.place()
        return ServicePlace(
            self._run,
            self._farm,
            replace(file, everywhere=True, placed=True).encode(),
            shard_token(self._secret, shard),
            digest_nodes(file.nodes),
            self._images.name,
            control,
            network,
            self._constraints(shard),
        )

    def _constraints(self, node: str) -> tuple[str, ...]:
        """Where the engine may put a node now. Raises `BackendError` where that is nowhere."""
        placement = self._hosts.placement
        if not placement.hosts:
            return ()
        allowed = placement.homes.get(node) or tuple(self._hosts.wanted)
        there = [host for host in allowed if host not in self._gone]
        if not there:
            raise BackendError(node, "place", f"it may be on {' or '.join(allowed)} only: {self._gone[allowed[0]]}")
        if not self._members:
            self._members = self._asked_members()
        return constraints(there, self._members)

    def _allow(self, plant: Plant) -> None:
        """Services that are there may be where this plant says, once all hosts are there; a node that may not stay
        where it is, the plan ends. Raises `BackendError` for one that is nowhere and may be nowhere."""
        tasks = self._services.tasks()
        where = {}
        for node in plant.nodes:
            task = tasks.get(node.name)
            runs = task is not None and task.runs
            stays = task is not None and plant.placement.allows(node.name, self._named(task.member))
            if not runs or (stays and not self._gone):
                where[node.name] = self._constraints(node.name)
        if not self._gone:
            self._services.allow(where)

    def _seen(self) -> dict[str, Task]:
        """The tasks of all nodes now; the relay leads to them."""
        tasks = self._services.tasks()
        self._note(tasks)
        return tasks

    def _looked(self) -> dict[str, Task]:
        """The same, every now and then; the relay is seen to along with them."""
        with contextlib.suppress(BackendError):
            self._relay.tend()
        return self._seen()

    def _note(self, tasks: Mapping[str, Task]) -> None:
        """What is known of tasks from now on. A task that runs no more is known until another does."""
        with self._lock:
            for name, task in tasks.items():
                if task.runs or name not in self._known:
                    self._known[name] = task
            configs = {node.name: node for node in self._relay.nodes}
            found = {name: _address(configs.get(name), task, self._run) for name, task in self._known.items()}
            self._addresses = {name: address for name, address in found.items() if address}
        with contextlib.suppress(BackendError):  # it is tried again with the next look
            self._relay.lead(self._addresses)

    def _asked_members(self) -> dict[str, str]:
        """The Swarm's ids of its hosts, by their names in the plant, or by these ids. Raises `BackendError`."""
        wanted, known = self._hosts.wanted, self._hosts.members
        members = {host: known[host] for host in wanted if host in known}
        engine = self._hosts.engine(self._hosts.manager())
        with engine.told("hosts", "list"):
            ids = [str(node["ID"]) for node in engine.api.nodes()]
        return members | {member: member for member in ids if member not in members.values()}

    def _named(self, member: str) -> str:
        known = self._hosts.members
        return next((host for host in self._hosts.all if known.get(host) == member), member) if member else ""

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
