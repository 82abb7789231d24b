"""Nodes as containers on several hosts that are one Docker Swarm: each at its address of the file, on overlays.

Placement, overlays and their addresses are the Swarm's; which host a node is on, the file says, or the farm, which then
leaves it there. Containers are made at the engine of their own host, since no service of a Swarm can have an address
that is known before (moby#24170). What runs is asked of the engines, by labels, as on backend docker; a host that does
not answer keeps what it had, and costs one short wait.
"""

import contextlib
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from farm.backends import docker_labels as labels
from farm.backends import limits, pids
from farm.backends import swarm_containers as containers
from farm.backends.docker_files import ContainerFiles
from farm.backends.docker_lifetime import Container, Lifetimes, label, node_of
from farm.backends.docker_link import left_to_node, played
from farm.backends.docker_networks import LOCAL, Networks
from farm.backends.link_files import LinkFiles
from farm.backends.observed import Observed, ObservedShard, ShardSpec
from farm.backends.swarm_hosts import Hosts, hosts_apart
from farm.backends.swarm_images import SpreadImages
from farm.backends.swarm_logs import FetchedLogs
from farm.backends.swarm_networks import Overlays
from farm.backends.swarm_relay import Relay, new_instance
from farm.backends.swarm_watch import HostWatches
from farm.backends.watch import Watch
from farm.errors import BackendError
from farm.topology.plant import Plant
from farm.topology.wiring import LinkQuality, NetworkSpec, Segment, Shaping
from node.control.messages import digest_nodes, instance_number, shard_token

log = logging.getLogger(__name__)

STARTING_AT_ONCE = 8
"""Containers a host; more at once are not sooner there."""
ENDING_AT_ONCE = 4
"""The same for ends (`docker.ENDING_AT_ONCE`)."""

Say = Callable[[str], None]


class SwarmBackend:
    """The run in `directory`. `run_id` marks all it makes, `epoch` is the plant's start on the monotonic clock,
    `control` the socket that the relay takes shards to, in a folder of its own, `secret` what their tokens are made
    from."""

    name = "swarm"
    restarts = False
    inside = False

    def __init__(self, directory: Path, run_id: str, epoch: float, control: Path, secret: str) -> None:
        self._run = run_id
        self._farm = directory.name
        self._secret = secret
        self._epoch = epoch
        self._files = ContainerFiles(directory, run_id, epoch)
        self._links = LinkFiles(directory)
        self._logs = FetchedLogs()
        self._hosts = Hosts(directory)
        self._images = SpreadImages(self._hosts)
        self._relay = Relay(self._hosts, run_id, self._farm, control, self._overlays)
        self._watches = HostWatches(self._hosts, run_id, self._runs, self._relay.tend)
        self._taken: frozenset[str] = frozenset()
        self._joined: set[tuple[str, str]] = set()
        self._joining = threading.Lock()
        self._starting: defaultdict[str, threading.Semaphore] = defaultdict(
            lambda: threading.Semaphore(STARTING_AT_ONCE)
        )
        self._ending: defaultdict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(ENDING_AT_ONCE))

    def prepare(self, plant: Plant, say: Say, *, changing: bool = True, patient: bool = False) -> None:
        """Finds the plant's hosts and gives each node one, spreads the image and makes the relay; when it is not
        `changing` anything, only looks whether the hosts can be had. Raises `BackendError` for the first that cannot,
        which a `patient` caller does without."""
        if not changing:
            with hosts_apart(plant.placement, self._hosts.members) as hosts:
                self._look_at(hosts, plant, say)
            return
        self._hosts.use(plant.placement)
        with borne(patient):
            self._look_at(self._hosts, plant, say)
        self._taken = frozenset(each.address for node in plant.nodes for each in node.interfaces)
        found, _ = self._found()
        self._hosts.settle((node.name for node in plant.nodes), {node: host for node, host, _ in found if node})
        self._hosts.keep()
        with borne(patient):
            self._images.ready(say)
        with borne(patient):
            self._relay.prepare(self._images.name, plant.nodes)

    def _look_at(self, hosts: Hosts, plant: Plant, say: Say) -> None:
        """Raises `BackendError` for the first host that cannot be had."""
        hosts.check()

    def host_of(self, node: str) -> str:
        """The host that a node is on, or was given."""
        return self._hosts.home(node)

    def address_of(self, node: str) -> str:
        """Its own, always."""
        return ""

    def leads(self) -> bool:
        """Whether the relay is on this machine, and publishes the nodes' outside addresses here."""
        return self._relay.near

    def absent(self, node: str) -> str:
        """Why the host of a node, or else the relay's, was not reached when it was asked last, "" where both were.
        Never blocks."""
        host = self._hosts.home(node)
        if not host or host not in self._hosts.all:
            return ""
        lost = self._hosts.engine(host).lost
        return f"host {host}: {lost}; what it ran may run on" if lost else self._relay.lost

    def release(self) -> None:
        """Takes away what is there for nodes, and no node needs any more: the relay and its network."""
        with contextlib.suppress(BackendError):
            self._relay.remove()
            self._overlays().remove_control()

    def observe(self) -> Observed:
        """The containers of all hosts that answer, and networks. What a host had that does not is taken to be there."""
        listed, lost = self._found()
        found: defaultdict[str, list[tuple[str, Container]]] = defaultdict(list)
        for node, host, container in listed:
            if node:
                found[node].append((host, container))
        shards, strays = [], []
        for name in sorted({*self._files.names(), *found}):
            best, others = self._best(name, found.get(name, []))
            strays += [_number(container) for _, container in others if container["State"]["Running"]]
            shard = self._observe(name, best, lost)
            if shard.alive and self._files.read(name) is None:
                strays.append(shard.pid)
                continue
            shards.append(shard)
        networks: tuple[Segment, ...] = ()
        with contextlib.suppress(BackendError):  # without a manager nothing can be done to them, and that is told then
            networks = self._overlays().observe() if self._hosts.all else ()
        return Observed(tuple(shards), tuple(sorted(strays)), networks, self._links.read())

    def create_network(self, segment: Segment) -> None:
        """An overlay, with the relay on it; there are no routers."""
        overlays = self._overlays()
        if isinstance(segment, NetworkSpec) and segment not in overlays.observe():
            self._relay.leave(segment.name)
            self._joined = {each for each in self._joined if each[1] != segment.name}
        overlays.create(segment)
        if isinstance(segment, NetworkSpec):
            self._relay.join(segment)

    def remove_network(self, network: str) -> None:
        """Take it away, once nobody is on it."""
        self._relay.leave(network)
        self._overlays().remove(network)

    def create(self, shard: ShardSpec) -> None:
        """Write the shard's file, which its container is given when it starts. One that runs serves what it serves."""
        if len(shard.nodes) != 1 or shard.nodes[0].name != shard.name:
            raise BackendError(
                shard.name, "create", f"a container serves one node of its name, not {len(shard.nodes)}: use shard: 1"
            )
        limits.check_size(shard.nodes, limits.hard_limit())
        self._files.write(shard, published=False)

    def start(self, shard: str) -> ObservedShard:
        """Make its container on its host and start it, in place of one that ended."""
        file = self._files.read(shard)
        nodes = self._files.nodes(file)
        if file is None or len(nodes) != 1:
            missing = self._files.path(shard, ".json")
            raise BackendError(shard, "start", f"{missing} is missing or damaged: create it first")
        host, digest = self._home(shard), digest_nodes(file.nodes)
        lifetimes = self._lifetimes(host)
        for container in lifetimes.inspected(shard):
            found = self._observe(shard, (host, container), ())
            if found.alive:
                if found.nodes != nodes:
                    raise BackendError(shard, "start", f"container {found.pid} serves something else: stop it first")
                return found
            self._fetch(shard, host, container)
            lifetimes.remove(container["Id"], shard)
        self._images.on(host)
        with contextlib.suppress(BackendError):  # a node waits for a relay whose host is away
            self._relay.ensure()
        network, control = self._relay.place()
        instance = new_instance()
        place = containers.Place(
            self._run,
            self._farm,
            file.encode(),
            shard_token(self._secret, shard),
            digest,
            instance,
            self._images.name,
            control,
            network,
            time.time() - (time.monotonic() - self._epoch),
        )
        api = self._hosts.engine(host).api
        on = {(host, each.network) for each in nodes[0].interfaces}
        with self._turn(host, on):
            lifetimes.run(shard, lambda: containers.create(api, nodes[0], place))
        number = instance_number(instance)
        try:
            self._files.started(shard, digest, number, 0)
        except OSError as exc:
            lifetimes.remove_left(shard)
            raise BackendError(shard, "start", f"cannot write its pid file: {exc}") from exc
        return ObservedShard(shard, number, 0, alive=True, nodes=nodes, host=host)

    def stop(self, shard: ObservedShard, grace: float) -> None:
        """End that very container; that of a stray, or on a host that is not its node's, is taken away with it."""
        failures = []
        for host in [shard.host] if shard.host else self._hosts.all:
            try:
                if self._stop_on(host, shard, grace):
                    return
            except BackendError as exc:
                failures.append(exc)
        if failures:  # it may be there
            raise failures[0]

    def _stop_on(self, host: str, shard: ObservedShard, grace: float) -> bool:
        """Ends it on one host; whether it was there."""
        lifetimes = self._lifetimes(host)
        for container in lifetimes.inspected(shard.name) or lifetimes.inspected():
            name = node_of(container)
            if not name or _number(container) != shard.pid:
                continue
            with self._ending[host]:
                lifetimes.end(container, grace)
                self._fetch(name, host, container)
                if self._files.read(name) is None or host != self._hosts.home(name):
                    lifetimes.remove(container["Id"], name)
            return True
        return False

    def remove(self, shard: str) -> None:
        """Take away its files but its log, and its containers that have ended. Where it has no host any more, one that
        does not answer may keep such."""
        home = self._hosts.home(shard)
        known = home in self._hosts.all
        for host in [home] if known else self._hosts.all:
            with borne(patient=not known), self._ending[host]:
                lifetimes = self._lifetimes(host)
                for container in lifetimes.inspected(shard):
                    if not container["State"]["Running"]:
                        self._fetch(shard, host, container)
                        lifetimes.remove(container["Id"], shard)
        self._files.remove(shard)

    def logs(self, node: str) -> Path:
        """A file with what its engine has kept of it up to now, and of those before it."""
        host = self._hosts.home(node)
        if host in self._hosts.all:
            with contextlib.suppress(BackendError):
                for container in self._lifetimes(host).inspected(node):
                    self._fetch(node, host, container)
        return self._files.log(node)

    def shape(self, node: str, quality: LinkQuality) -> Shaping:
        """A delay, which the node plays itself: a cable on another machine is not to be had from here."""
        if not left_to_node(quality):
            raise BackendError(node, "shape", "on backend swarm a link can be late, and nothing else: use netns for it")
        shaping = played(quality)
        self._links.write(node, shaping)
        return shaping

    def watch(self, shard: ObservedShard, gone: Callable[[], None]) -> Watch:
        """By the events of its host's engine, one stream a host."""
        return self._watches.add(shard.host or self._hosts.home(shard.name), shard, gone)

    def end_all(self, grace: float = 2.0) -> int:
        """End every container of the run and take it away, on every host that answers, then its networks; then whatever
        else bears the run's mark. How many ran. Raises `BackendError` when a host does not answer."""
        self._relay.dismiss()
        counted = self._hosts.each(lambda host: self._end_on(host, grace))
        refused = {host: error for host, error in counted.items() if isinstance(error, BackendError)}
        for host, error in refused.items():
            if self._keeps(host):
                raise BackendError(
                    host,
                    "clean",
                    f"{error.message}; what it has of this farm stays there: `farm down` again when it is back",
                )
            log.warning("host %s: %s; it may have something of this farm", host, error.message)
        if self._hosts.all:
            self._overlays().remove_all()
        ended = sum(count for count in counted.values() if isinstance(count, int))
        return ended + pids.end_marked(self._run, grace)

    def close(self) -> None:
        """Follow events no longer, and hang up."""
        self._watches.close()
        self._relay.close()
        self._hosts.close()

    @contextlib.contextmanager
    def _turn(self, host: str, on: set[tuple[str, str]]) -> Iterator[None]:
        """Room for one more start on a host. The first there on a network of `on` is the only one anywhere: hosts that
        come to an overlay at the same time may wait half a minute for each other's word (libnetwork's bulk sync)."""
        with self._starting[host]:
            with self._joining if on - self._joined else contextlib.nullcontext():
                if on - self._joined:
                    yield
                    self._joined |= on
                    return
            yield

    def _overlays(self) -> Overlays:
        """The networks, at a manager. Raises `BackendError` where there is none to be had."""
        overlays = Overlays(self._hosts.engine(self._hosts.manager()), self._run, self._farm)
        overlays.taken = self._taken
        overlays.patient = not any(self._hosts.engine(host).lost for host in self._hosts.all)
        return overlays

    def _lifetimes(self, host: str) -> Lifetimes:
        return Lifetimes(self._hosts.engine(host), self._run, self._images.forget)

    def _home(self, shard: str) -> str:
        """The host that a node was given; one that has none is given one now."""
        if not self._hosts.home(shard):
            raise BackendError(shard, "start", "it has no host: `farm up` gives it one")
        return self._hosts.home(shard)

    def _found(self) -> tuple[list[tuple[str, str, Container]], Collection[str]]:
        """The run's containers on all hosts that answer, each once with its node ("" for the relay) and its host, and
        the hosts that do not. An engine may have two names for a while, and the one of the plant now is the first."""
        listed = self._hosts.each(lambda host: self._lifetimes(host).inspected())
        found: dict[str, tuple[str, str, Container]] = {}
        for host, there in listed.items():
            if not isinstance(there, BackendError):
                for container in there:
                    found.setdefault(container["Id"], (node_of(container), host, container))
        return list(found.values()), [host for host, there in listed.items() if isinstance(there, BackendError)]

    def _best(
        self, name: str, candidates: list[tuple[str, Container]]
    ) -> tuple[tuple[str, Container] | None, list[tuple[str, Container]]]:
        """Of a node's containers the one that counts, and the others: one that runs, on its own host if any does."""
        home = self._hosts.home(name)
        ordered = sorted(candidates, key=lambda each: (not each[1]["State"]["Running"], each[0] != home))
        return (ordered[0], ordered[1:]) if ordered else (None, [])

    def _observe(self, name: str, found: tuple[str, Container] | None, lost: Collection[str]) -> ObservedShard:
        """How a shard is, given the container that counts; what a host had that is `lost` counts as alive."""
        file = self._files.read(name)
        nodes = self._files.nodes(file)
        if found is not None and found[1]["State"]["Running"]:
            host, container = found
            same = file is not None and label(container, labels.DIGEST) == digest_nodes(file.nodes)
            return ObservedShard(name, _number(container), 0, alive=True, nodes=nodes if same else (), host=host)
        pid, started = self._files.process(name)
        home = self._hosts.home(name)
        alive = bool(pid) and found is None and home in lost
        return ObservedShard(name, pid, started, alive=alive, nodes=nodes, host=home)

    def _runs(self, host: str, shard: ObservedShard) -> bool:
        """Whether that very container runs; what one that has ended said is fetched before it is told."""
        for container in self._lifetimes(host).inspected(shard.name):
            if _number(container) == shard.pid:
                if container["State"]["Running"]:
                    return True
                self._fetch(shard.name, host, container)
        return False

    def _fetch(self, node: str, host: str, container: Container) -> None:
        with contextlib.suppress(BackendError):
            self._logs.fetch(self._files.log(node), self._hosts.engine(host), container["Id"])

    def _keeps(self, host: str) -> bool:
        """Whether a host that does not answer has to be had back before the farm is down."""
        return host in self._hosts.wanted or any(self._hosts.home(node) == host for node in self._files.names())

    def _end_on(self, host: str, grace: float) -> int:
        """Ends all of the run on one host; how many ran there."""
        lifetimes = self._lifetimes(host)
        found = lifetimes.inspected()

        def end(container: Container) -> None:
            lifetimes.end(container, grace)
            lifetimes.remove(container["Id"], node_of(container) or "relay")

        with ThreadPoolExecutor(ENDING_AT_ONCE) as crew:
            for _ in crew.map(end, found):
                pass
        Networks(self._hosts.engine(host), self._run, self._farm).remove_all(LOCAL)
        return sum(bool(container["State"]["Running"]) for container in found)


def _number(container: Container) -> int:
    """What stands for its pid."""
    return instance_number(label(container, labels.INSTANCE))


@contextlib.contextmanager
def borne(patient: bool) -> Iterator[None]:
    """The patient hear in the log of what cannot be had now; for others it is raised."""
    try:
        yield
    except BackendError as exc:
        if not patient:
            raise
        log.warning("%s", exc)
