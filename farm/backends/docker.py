"""Nodes as containers, on networks of the plant's own, or many to one, found by their labels and by nothing else.

What runs is asked of the daemon. The run's folder holds what a container is given (`container_files`): without these
files it is a stray, and is ended as one. Docker restarts nothing: that is the supervisor's, by the rules that it has
for every backend.
"""

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from farm.backends import docker_containers as containers
from farm.backends import docker_labels as labels
from farm.backends import limits, pids
from farm.backends.docker_doorway import FILE as DOORWAY_FILE
from farm.backends.docker_doorway import DockerDoorway
from farm.backends.docker_engine import Engine
from farm.backends.docker_files import ContainerFiles, has_own_network
from farm.backends.docker_images import Images
from farm.backends.docker_lifetime import Container, Lifetimes, label, node_of
from farm.backends.docker_link import left_to_node, played, shape_link
from farm.backends.docker_networks import Networks
from farm.backends.docker_watch import Watches
from farm.backends.link_files import LinkFiles
from farm.backends.observed import Observed, ObservedShard, ShardSpec
from farm.backends.watch import Watch
from farm.errors import BackendError
from farm.topology.wiring import GOOD, LinkQuality, Segment, Shaping
from node.control.messages import digest_nodes, shard_token, start_time

STARTING_AT_ONCE = 8
"""Containers; more at once are not sooner there, for the daemon has one lock for networks."""
ENDING_AT_ONCE = 4
"""Containers stopped and removed at once: more make dockerd forget endpoints (moby#42119), and are no faster."""


class DockerBackend:
    """The run in `directory`, on the daemon that `DOCKER_HOST` named when the run began. `run_id` marks all it makes,
    `epoch` is the plant's start on the monotonic clock, `control` the socket that shards dial, in a folder of its own,
    `secret` what their tokens are made from. `inside` is true on Linux, where the machine is on every bridge; elsewhere
    the daemon lives in a machine of its own."""

    name = "docker"
    restarts = False

    def __init__(self, directory: Path, run_id: str, epoch: float, control: Path, secret: str) -> None:
        self._run = run_id
        self._farm = directory.name
        self._control = control
        self._secret = secret
        self._host_file = directory / "docker-host"
        self._engine = Engine(self._kept_host())
        self.inside = self._engine.local
        self._files = ContainerFiles(directory, run_id, epoch)
        self._links = LinkFiles(directory)
        self._images = Images(self._engine)
        self._lifetimes = Lifetimes(self._engine, run_id, self._images.forget)
        self._networks = Networks(self._engine, run_id, self._farm)
        self._watches = Watches(self._engine, run_id, self._runs)
        self._doorway = DockerDoorway(control.parent / DOORWAY_FILE, secret, self._files.served_by)
        self._starting = threading.Semaphore(STARTING_AT_ONCE)
        self._ending = threading.Semaphore(ENDING_AT_ONCE)

    def observe(self) -> Observed:
        """The daemon's containers and networks of this run, and shards that have files and no container."""
        found = {node_of(container): container for container in self._lifetimes.inspected()}
        shards, strays = [], []
        for name in sorted({*self._files.names(), *found}):
            shard = self._observe(name, found.get(name))
            if shard.alive and self._files.read(name) is None:
                strays.append(shard.pid)
                continue
            shards.append(shard)
        links = self._links.read()
        return Observed(tuple(shards), tuple(sorted(strays)), self._networks.observe(), links, in_place=False)

    def create_network(self, segment: Segment) -> None:
        """A bridge or macvlan network; there are no routers."""
        self._keep_host()
        self._networks.create(segment)

    def remove_network(self, network: str) -> None:
        """Take it away, with whatever of this run is on it disconnected first."""
        self._networks.remove(network)

    def create(self, shard: ShardSpec) -> None:
        """Write the shard's file, which its container is given when it starts. One that runs serves what it serves."""
        alone = len(shard.nodes) == 1 and shard.nodes[0].name == shard.name
        if not alone and any(map(has_own_network, shard.nodes)):
            what = f"{len(shard.nodes)} nodes with networks of their own cannot share a container: use shard: 1"
            raise BackendError(shard.name, "create", what)
        if not alone and not self._engine.local:
            what = f"nodes that share a container want its daemon on this machine, not at {self._engine.url}"
            raise BackendError(shard.name, "create", f"{what}: use shard: 1")
        limits.check_size(shard.nodes, limits.hard_limit())
        self._keep_host()
        self._files.write(shard)

    def start(self, shard: str) -> ObservedShard:
        """Make its container and start it, in place of one that ended. Builds the image when it is missing."""
        file = self._files.read(shard)
        nodes = self._files.nodes(file)
        if file is None or not nodes:
            missing = self._files.path(shard, ".json")
            raise BackendError(shard, "start", f"{missing} is missing or damaged: create it first")
        digest = digest_nodes(file.nodes)
        for container in self._lifetimes.inspected(shard):
            found = self._observe(shard, container)
            if found.alive:
                if found.nodes != nodes:
                    raise BackendError(shard, "start", f"process {found.pid} serves something else: stop it first")
                return found
            self._lifetimes.remove(container["Id"], shard)
        place = containers.Place(
            self._run,
            self._farm,
            self._files.path(shard, ".json").absolute(),
            self._files.log(shard).absolute(),
            self._control.absolute(),
            shard_token(self._secret, shard),
            digest,
            self._images.ready(),
            self._networks.outside() if nodes[0].outside else "",
        )
        if file.handed:
            self._open_doorway(shard)
            make = partial(containers.create_shared, self._engine.api, shard, len(nodes), place)
        else:
            make = partial(containers.create, self._engine.api, nodes[0], place)
        with self._starting:
            made = self._lifetimes.run(shard, make)
        pid = int(made["State"]["Pid"])
        started = self._started(pid)
        try:
            self._files.started(shard, digest, pid, started)
        except OSError as exc:
            self._lifetimes.remove_left(shard)
            raise BackendError(shard, "start", f"cannot write its pid file: {exc}") from exc
        self._shape_again(shard, pid)
        return ObservedShard(shard, pid, started, alive=True, nodes=nodes)

    def stop(self, shard: ObservedShard, grace: float) -> None:
        """End that very process; a stray's container is taken away with it."""
        with self._ending:
            for container in self._lifetimes.inspected("" if shard.started == 0 else shard.name):
                pid = int(container["State"]["Pid"])
                if pid != shard.pid or pid == 0:
                    continue
                name = node_of(container)
                self._lifetimes.end(container, grace)
                if self._files.read(name) is None:
                    self._lifetimes.remove(container["Id"], name)

    def remove(self, shard: str) -> None:
        """Take away its files but its log, and its container if that has ended."""
        self._files.remove(shard)
        with self._ending:
            for container in self._lifetimes.inspected(shard):
                if not container["State"]["Running"]:
                    self._lifetimes.remove(container["Id"], shard)

    def logs(self, node: str) -> Path:
        """A file that its container writes; it outlives the container and the supervisor."""
        return self._files.log_of_node(node)

    def shape(self, node: str, quality: LinkQuality) -> Shaping:
        """By the kernel, as root; a delay the node can play itself. One that does not run is shaped when it starts."""
        left = left_to_node(quality)
        if not left and self._files.shard_of_node(node) != node:
            raise BackendError(
                node, "shape", "nodes that share a container share one link, of which only a delay can be had"
            )
        if left and not self._links.read().get(node, Shaping(GOOD)).kernel:
            shaping = played(quality)
        else:
            running = [found for found in self._lifetimes.inspected(node) if found["State"]["Running"]]
            shaping = Shaping(quality) if not running else shape_link(node, int(running[0]["State"]["Pid"]), quality)
        self._links.write(node, shaping)
        return shaping

    def watch(self, shard: ObservedShard, gone: Callable[[], None]) -> Watch:
        """By the daemon's events, one stream for all."""
        if self._engine.local and not any(map(has_own_network, shard.nodes)):
            with contextlib.suppress(BackendError):  # those that run have their sockets
                self._open_doorway(shard.name)
        return self._watches.add(shard, gone)

    def end_all(self, grace: float = 2.0) -> int:
        """End every container of the run and take it away with the networks; then whatever else bears the run's mark.
        How many ran."""
        found = self._lifetimes.inspected()

        def end(container: Container) -> None:
            self._lifetimes.end(container, grace)
            self._lifetimes.remove(container["Id"], node_of(container))

        with ThreadPoolExecutor(ENDING_AT_ONCE) as crew:
            for _ in crew.map(end, found):
                pass
        self._networks.remove_all()
        running = sum(bool(container["State"]["Running"]) for container in found)
        return running + pids.end_marked(self._run, grace)

    def close(self) -> None:
        """Follow events no longer."""
        self._doorway.close()
        self._watches.close()
        self._engine.close()

    def _open_doorway(self, shard: str) -> None:
        try:
            self._doorway.open()
        except OSError as exc:
            raise BackendError(shard, "start", f"{self._doorway.path}: {exc.strerror or exc}") from exc

    def _observe(self, name: str, container: Container | None) -> ObservedShard:
        file = self._files.read(name)
        nodes = self._files.nodes(file)
        if container is not None and container["State"]["Running"]:
            pid = int(container["State"]["Pid"])
            started = self._started(pid)
            if started or not self._engine.local:
                same = file is not None and label(container, labels.DIGEST) == digest_nodes(file.nodes)
                return ObservedShard(name, pid, started, alive=True, nodes=nodes if same else ())
        pid, started = self._files.process(name)
        return ObservedShard(name, pid, started, alive=False, nodes=nodes)

    def _shape_again(self, node: str, pid: int) -> None:
        """What was made of a link went with the container before this one. Raises `BackendError`; nothing runs then."""
        shaping = self._links.read().get(node)
        if shaping is None or left_to_node(shaping.quality):
            return
        try:
            self._links.write(node, shape_link(node, pid, shaping.quality))
        except BackendError:
            self._lifetimes.remove_left(node)
            raise

    def _started(self, pid: int) -> int:
        """Clock ticks since boot, 0 for a process that is gone or on another machine."""
        return start_time(pid) if self._engine.local and pid else 0

    def _runs(self, shard: ObservedShard) -> bool:
        if self._engine.local:
            return pids.alive(shard.pid, shard.started)
        return any(
            container["State"]["Running"] and int(container["State"]["Pid"]) == shard.pid
            for container in self._lifetimes.inspected(shard.name)
        )

    def _kept_host(self) -> str:
        """The daemon that the run began on, "" when none is known."""
        with contextlib.suppress(OSError):
            return self._host_file.read_text().strip()
        return ""

    def _keep_host(self) -> None:
        """A supervisor that is started by a command with another `DOCKER_HOST` has to find the same daemon."""
        if not self._host_file.exists():
            with contextlib.suppress(OSError):
                self._host_file.write_text(f"{self._engine.url}\n")
