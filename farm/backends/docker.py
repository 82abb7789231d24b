"""Nodes as containers, on networks of the plant's own, or many to one, found by their labels and by nothing else.

What runs is asked of the daemon. The run's folder holds what a container is given (`container_files`): without these
files it is a stray, and is ended as one. Docker restarts nothing: that is the supervisor's, by the rules that it has
for every backend.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from docker.errors import APIError, NotFound

from farm.backends import docker_containers as containers
from farm.backends import docker_labels as labels
from farm.backends import limits, pids
from farm.backends.docker_doorway import FILE as DOORWAY_FILE
from farm.backends.docker_doorway import DockerDoorway
from farm.backends.docker_engine import Engine, is_conflict, is_gone, one_line
from farm.backends.docker_files import ContainerFiles, has_own_network
from farm.backends.docker_images import Images
from farm.backends.docker_link import left_to_node, played, shape_link
from farm.backends.docker_networks import Networks
from farm.backends.docker_watch import Watches
from farm.backends.link_files import LinkFiles
from farm.backends.observed import Observed, ObservedShard, ShardSpec
from farm.backends.watch import Watch
from farm.errors import BackendError
from farm.topology.wiring import GOOD, LinkQuality, Segment, Shaping
from node.control.messages import digest_nodes, shard_token, start_time

log = logging.getLogger(__name__)

STARTING_AT_ONCE = 8
"""Containers; more at once are not sooner there, for the daemon has one lock for networks."""
ENDING_AT_ONCE = 4
"""Containers stopped and removed at once: more make dockerd forget endpoints (moby#42119), and are no faster."""
LISTING_AT_ONCE = 8
LAST_WORDS = 5
TELL_AGAIN, LOOK_AGAIN = 0.25, 0.02
KILL_SECONDS = 10


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
        self._networks = Networks(self._engine, run_id, self._farm)
        self._watches = Watches(self._engine, run_id, self._runs)
        self._doorway = DockerDoorway(
            control.parent / DOORWAY_FILE, secret, lambda shard: self._files.nodes(self._files.read(shard))
        )
        self._starting = threading.Semaphore(STARTING_AT_ONCE)
        self._ending = threading.Semaphore(ENDING_AT_ONCE)

    def observe(self) -> Observed:
        """The daemon's containers and networks of this run, and shards that have files and no container."""
        found = {_node(container): container for container in self._inspected()}
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
            pid = self._run_container(shard, make)
        started = self._started(pid)
        try:
            self._files.started(shard, digest, pid, started)
        except OSError as exc:
            self._end_left(shard)
            raise BackendError(shard, "start", f"cannot write its pid file: {exc}") from exc
        self._shape_again(shard, pid)
        return ObservedShard(shard, pid, started, alive=True, nodes=nodes)

    def stop(self, shard: ObservedShard, grace: float) -> None:
        """End that very process; a stray's container is taken away with it."""
        with self._ending:
            for container in self._inspected("" if shard.started == 0 else shard.name):
                pid = int(container["State"]["Pid"])
                if pid != shard.pid or pid == 0:
                    continue
                name = _node(container)
                self._end(container, grace)
                if self._files.read(name) is None:
                    self._remove(container["Id"], name)

    def remove(self, shard: str) -> None:
        """Take away its files but its log, and its container if that has ended."""
        self._files.remove(shard)
        with self._ending:
            for container in self._inspected(shard):
                if not container["State"]["Running"]:
                    self._remove(container["Id"], shard)

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
            running = [found for found in self._inspected(node) if found["State"]["Running"]]
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
        found = list(self._inspected())

        def end(container: dict[str, Any]) -> None:
            self._end(container, grace)
            self._remove(container["Id"], _node(container))

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
            raise BackendError(shard, "start", f"{self._doorway.path}: {exc.strerror}") from exc

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
            self._end_left(shard)
            raise

    def _end_left(self, shard: str) -> None:
        """Takes away what a start that failed has made, if the daemon can be asked."""
        with contextlib.suppress(BackendError):
            for left in self._inspected(shard):
                self._remove(left["Id"], shard)

    def _end(self, container: dict[str, Any], grace: float) -> None:
        """SIGTERM, after `grace` seconds SIGKILL; returns when the daemon knows that it ended.

        The first process of a container is deaf to SIGTERM until it has said how it wants to hear it, so one that is
        still starting is told again.
        """
        if not container["State"]["Running"]:
            return
        name, pid = _node(container), int(container["State"]["Pid"])
        shard = ObservedShard(name, pid, self._started(pid), alive=True, nodes=())
        give_up = time.monotonic() + grace
        with self._engine.told(name, "stop"):
            while True:
                left = give_up - time.monotonic()
                signum = "SIGTERM" if left > 0 else "SIGKILL"
                try:
                    self._engine.api.kill(container["Id"], signum)
                except APIError as exc:
                    if not is_conflict(exc) and not is_gone(exc):
                        raise
                    break  # it has ended
                if signum == "SIGKILL" or self._ends_within(shard, min(left, TELL_AGAIN)):
                    break
            with contextlib.suppress(NotFound):
                self._engine.api.wait(container["Id"], timeout=KILL_SECONDS)

    def _ends_within(self, shard: ObservedShard, seconds: float) -> bool:
        give_up = time.monotonic() + seconds
        while self._runs(shard):
            if time.monotonic() >= give_up:
                return False
            time.sleep(LOOK_AGAIN)
        return True

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
        with self._engine.told(node or "containers", "list"):
            if node:  # the daemon looks at every container for a list, and many of them are asked for at once
                named = self._inspect(labels.container_name(self._run, node))
                ours = named is not None and _label(named, labels.RUN) == self._run
                return [named] if named is not None and ours else []
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

    def _shape_again(self, node: str, pid: int) -> None:
        """What was made of a link went with the container before this one. Raises `BackendError`; nothing runs then."""
        shaping = self._links.read().get(node)
        if shaping is None or left_to_node(shaping.quality):
            return
        try:
            self._links.write(node, shape_link(node, pid, shaping.quality))
        except BackendError:
            self._end_left(node)
            raise

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
