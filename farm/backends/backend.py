"""The seam between a plan and a platform: ten methods and two flags, and five more methods of a platform that is on
several machines. Another needs a decision record."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, runtime_checkable

from farm.backends.observed import Observed, ObservedShard, ShardSpec
from farm.backends.watch import Watch
from farm.topology.plant import Plant
from farm.topology.wiring import LinkQuality, Segment, Shaping


class Backend(Protocol):
    """A platform that runs shards. Every method may block, may be called from several threads at once for different
    shards, and raises `farm.errors.BackendError`. `restarts` is true where the platform itself restarts what died;
    `inside` where this process reaches nodes at their own addresses, and not only at their `outside` ones."""

    name: str
    restarts: bool
    inside: bool

    def observe(self) -> Observed:
        """What is there now, read from the platform and not from memory."""

    def create_network(self, segment: Segment) -> None:
        """Make a network of the plant, or a router between networks that are there; nothing where all share one.
        Replaces what is there under its name."""

    def remove_network(self, network: str) -> None:
        """Take a network or router away; not an error when it is gone."""

    def create(self, shard: ShardSpec) -> None:
        """Write what the shard needs to start. Replaces what an earlier one of that name left."""

    def start(self, shard: str) -> ObservedShard:
        """Start it and say which process it is. It may not listen yet: ask its control stream."""

    def stop(self, shard: ObservedShard, grace: float) -> None:
        """End that very process: asked first, killed after `grace` seconds. Returns when it is gone."""

    def remove(self, shard: str) -> None:
        """Take away its files; its log stays until the farm goes down."""

    def logs(self, node: str) -> Path:
        """The log file of a node."""

    def shape(self, node: str, quality: LinkQuality) -> Shaping:
        """Make a node's link worse or well again; says by which means, and what is left for the node to play."""

    def watch(self, shard: ObservedShard, gone: Callable[[], None]) -> Watch:
        """Have `gone` called, once and from the running loop, when that very process is gone. Never blocks."""


@runtime_checkable
class Placing(Protocol):
    """A backend whose nodes are on several machines, some of which may not be there."""

    def prepare(self, plant: Plant, say: Callable[[str], None], *, changing: bool, patient: bool) -> None:
        """Before a plan to this plant is made: finds its hosts and says which node is on which; when something is to be
        `changing`, makes on them what nodes need, and tells what takes long to `say`. Raises `BackendError` for a host
        that cannot be had; a `patient` caller does without."""

    def release(self) -> None:
        """Takes away what nodes needed when there are none any more."""

    def host_of(self, node: str) -> str:
        """The host that a node is on, "" while it has none."""

    def address_of(self, node: str) -> str:
        """Where the platform has put a node, "" where it is at the address that the plant gives it."""

    def leads(self) -> bool:
        """Whether the outside addresses of nodes are this machine's. Never blocks."""

    def absent(self, node: str) -> str:
        """Why the host of a node is not reached, "" where it is. Never blocks, and asks nobody."""
