"""Nodes as containers: one each, on networks of the plant's own, found by their labels and by nothing else.

What runs is asked of the daemon. The run's folder holds what a container is given (`container_files`): without these
files it is a stray, and is ended as one. Docker restarts nothing: that is the supervisor's, by the rules that it has
for every backend.
"""

import contextlib
import logging
import math
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from docker.errors import APIError

from farm.backends import docker_containers as containers
from farm.backends import docker_labels as labels
from farm.backends import limits, pids
from farm.backends.container_files import ContainerFiles
from farm.backends.docker_engine import Engine, is_conflict, is_gone, one_line
from farm.backends.docker_images import Images
from farm.backends.docker_link import set_link
from farm.backends.docker_networks import Networks
from farm.backends.docker_watch import Watches
from farm.backends.observed import Observed, ObservedShard, ShardSpec
from farm.backends.watch import Watch
from farm.errors import BackendError
from farm.topology.wiring import GOOD, LinkQuality, Segment, Shaping
from node.config.load import dump
from node.control.messages import ShardFile, digest_nodes, shard_token, start_time

log = logging.getLogger(__name__)

ENDING_AT_ONCE = 4
"""Containers stopped and removed at once: more make dockerd forget endpoints (moby#42119), and are no faster."""
LISTING_AT_ONCE = 8
LAST_WORDS = 5


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
        self._epoch = epoch
        self._control = control
        self._secret = secret
        self._host_file = directory / "docker-host"
        self._engine = Engine(self._kept_host())
        self.inside = self._engine.local
        self._files = ContainerFiles(directory, run_id)
        self._images = Images(self._engine)
        self._networks = Networks(self._engine, run_id, self._farm)
        self._watches = Watches(self._engine, run_id, self._runs)
        self._ending = threading.Semaphore(ENDING_AT_ONCE)

    def observe(self) -> Observed:
        """The daemon's containers and networks of this run, and shards that have files and no container."""
        found = {_node(container): container for container in self._inspected()}
        shards, strays, links = [], [], {}
        for name in sorted({*self._files.names(), *found}):
            shard = self._observe(name, found.get(name))
            if shard.alive and self._files.read(name) is None:
                strays.append(shard.pid)
                continue
            shards.append(shard)
            quality = self._files.link(name)
            if quality is not None:
                links[name] = _shaping(quality)
        return Observed(tuple(shards), tuple(sorted(strays)), self._networks.observe(), links)

    def create_network(self, segment: Segment) -> None:
        """A bridge or macvlan network; there are no routers."""
        self._keep_host()
        self._networks.create(segment)

    def remove_network(self, network: str) -> None:
        """Take it away, with whatever of this run is on it disconnected first."""
        self._networks.remove(network)

    def create(self, shard: ShardSpec) -> None:
        """Write the shard's file, which its container is given when it starts. One that runs serves what it serves."""
        if len(shard.nodes) != 1 or shard.nodes[0].name != shard.name:
            raise BackendError(
                shard.name, "create", f"a container serves one node of its name, not {len(shard.nodes)}: use shard: 1"
            )
        limits.check_size(shard.nodes, limits.hard_limit())
        self._keep_host()
        node = shard.nodes[0]
        body = (dict(dump(node)),)
        self._files.write(ShardFile(shard.name, self._run, self._epoch, "", body, everywhere=bool(node.outside)))

    def start(self, shard: str) -> ObservedShard:
        """Make its container and start it, in place of one that ended. Builds the image when it is missing."""
        file = self._files.read(shard)
        nodes = self._files.nodes(file)
        if file is None or len(nodes) != 1:
            raise BackendError(shard, "start", f"{self._files.path(shard)} is missing or damaged: create it first")
        digest = digest_nodes(file.nodes)
        for container in self._inspected(shard):
            found = self._observe(shard, container)
            if found.alive:
                if found.nodes != nodes:
                    raise BackendError(shard, "start", f"process {found.pid} serves something else: stop it first")
                return found
            self._remove(container["Id"], shard)
        place = containers.Place(
            self._run,
            self._farm,
            self._files.path(shard).absolute(),
            self._files.log(shard).absolute(),
            self._control.absolute(),
            shard_token(self._secret, shard),
            digest,
            self._images.ready(),
            self._networks.outside() if nodes[0].outside else "",
        )
        pid = self._run_container(shard, lambda: containers.create(self._engine.api, nodes[0], place))
        started = self._started(pid)
        self._files.remember(shard, pid, started, digest)
        quality = self._files.link(shard)
        if quality is not None and not quality.up:
            set_link(shard, pid, up=False)
        return ObservedShard(shard, pid, started, alive=True, nodes=nodes)

    def stop(self, shard: ObservedShard, grace: float) -> None:
        """End that very process; a stray's container is taken away with it."""
        with self._ending:
            for container in self._inspected("" if shard.started == 0 else shard.name):
                pid = int(container["State"]["Pid"])
                if pid != shard.pid or pid == 0:
                    continue
                name = _node(container)
                with self._engine.told(name, "stop"):
                    self._engine.api.stop(container["Id"], timeout=math.ceil(grace))
                if self._files.read(name) is None:
                    self._remove(container["Id"], name)

    def remove(self, shard: str) -> None:
        """Take away its files but its log, and its container if that has ended."""
        self._files.forget(shard)
        with self._ending:
            for container in self._inspected(shard):
                if not container["State"]["Running"]:
                    self._remove(container["Id"], shard)

    def logs(self, node: str) -> Path:
        """A file that its container writes; it outlives the container and the supervisor."""
        return self._files.log(node)

    def shape(self, node: str, quality: LinkQuality) -> Shaping:
        """Pull its cable or plug it in, as root; a delay is left to the node. Loss and rate cannot be had."""
        if quality.loss or quality.rate or ((quality.delay or quality.jitter) and quality.kernel):
            raise BackendError(
                node, "shape", "backend docker has no loss, rate or delay by the kernel: use backend netns for them"
            )
        before = self._files.link(node) or GOOD
        if quality.up != before.up:
            for container in self._inspected(node):
                if container["State"]["Running"]:
                    set_link(node, int(container["State"]["Pid"]), up=quality.up)
        self._files.shape(node, None if quality == GOOD else quality)
        return _shaping(quality)

    def watch(self, shard: ObservedShard, gone: Callable[[], None]) -> Watch:
        """By the daemon's events, one stream for all."""
        return self._watches.add(shard, gone)

    def end_all(self, grace: float = 2.0) -> int:
        """End every container of the run and take it away with the networks; then whatever else bears the run's mark.
        How many ran."""
        found = list(self._inspected())

        def end(container: dict[str, Any]) -> None:
            with self._engine.told(_node(container), "stop"):
                if container["State"]["Running"]:
                    self._engine.api.stop(container["Id"], timeout=math.ceil(grace))
            self._remove(container["Id"], _node(container))

        with ThreadPoolExecutor(ENDING_AT_ONCE) as crew:
            for _ in crew.map(end, found):
                pass
        self._networks.remove_all()
        running = sum(bool(container["State"]["Running"]) for container in found)
        return running + pids.end_marked(self._run, grace)

    def close(self) -> None:
        """Follow events no longer."""
        self._watches.close()
        self._engine.close()

    def _run_container(self, shard: str, create: Callable[[], str]) -> int:
        """The pid of a container that `create` makes. Nothing of it is left when it does not run."""
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
                        self._images.forget()
                    raise
                self._engine.api.start(container)
                state = self._engine.api.inspect_container(container)["State"]
                if not state["Running"]:
                    raise BackendError(shard, "start", f"it ended at once: {self._last_words(container, state)}")
                return int(state["Pid"])
        except BaseException:
            with contextlib.suppress(BackendError):
                for left in self._inspected(shard):
                    self._remove(left["Id"], shard)
            raise

    def _last_words(self, container: str, state: dict[str, Any]) -> str:
        said = self._engine.api.logs(container, tail=LAST_WORDS).decode(errors="replace").strip()
        return one_line(said.rpartition("\n")[2] or str(state.get("Error") or f"exit code {state['ExitCode']}"))

    def _remove(self, container: str, name: str) -> None:
        """Not an error when it is gone, or is being removed already."""
        with self._engine.told(name, "remove"):
            try:
                self._engine.api.remove_container(container, force=True, v=True)
            except APIError as exc:
                if not is_gone(exc) and "already in progress" not in str(exc.explanation):
                    raise

    def _inspected(self, node: str = "") -> Iterable[dict[str, Any]]:
        """The run's containers, of one node or all, as they are now."""
        filters = labels.of_run(self._run)
        if node:
            filters["label"].append(f"{labels.NODE}={node}")
        with self._engine.told(node or "containers", "list"):
            found = [container["Id"] for container in self._engine.api.containers(all=True, filters=filters)]
            if len(found) <= 1:
                inspected = [self._inspect(container) for container in found]
            else:
                with ThreadPoolExecutor(LISTING_AT_ONCE) as crew:
                    inspected = list(crew.map(self._inspect, found))
        return [container for container in inspected if container is not None]

    def _inspect(self, container: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._engine.api.inspect_container(container)
        except APIError as exc:
            if is_gone(exc):
                return None
            raise
        return found

    def _observe(self, name: str, container: dict[str, Any] | None) -> ObservedShard:
        file = self._files.read(name)
        nodes = self._files.nodes(file)
        if container is not None and container["State"]["Running"]:
            pid = int(container["State"]["Pid"])
            started = self._started(pid)
            if started or not self._engine.local:
                same = file is not None and _label(container, labels.DIGEST) == digest_nodes(file.nodes)
                return ObservedShard(name, pid, started, alive=True, nodes=nodes if same else ())
        pid, started = self._files.process(name)
        return ObservedShard(name, pid, started, alive=False, nodes=nodes)

    def _started(self, pid: int) -> int:
        """Clock ticks since boot, 0 for a process that is gone or on another machine."""
        return start_time(pid) if self._engine.local and pid else 0

    def _runs(self, shard: ObservedShard) -> bool:
        if self._engine.local:
            return pids.alive(shard.pid, shard.started)
        return any(
            container["State"]["Running"] and int(container["State"]["Pid"]) == shard.pid
            for container in self._inspected(shard.name)
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


def _node(container: dict[str, Any]) -> str:
    return _label(container, labels.NODE)


def _label(container: dict[str, Any], label: str) -> str:
    return str((container["Config"].get("Labels") or {}).get(label, ""))


def _shaping(quality: LinkQuality) -> Shaping:
    left = LinkQuality(delay=quality.delay, jitter=quality.jitter)
    return Shaping(quality, "" if quality.up else "its port is down", left)
