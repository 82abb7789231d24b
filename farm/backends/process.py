"""Shards as processes of this machine, on addresses of 127/8: needs no rights and no daemon.

Where the farm is root's, a shard is a user of its own and keeps one capability of all, to listen on ports below 1024
whenever it is told to; in any case it can gain none (`node.privileges`). Files: `farm.backends.shard_files`.
"""

from pathlib import Path

from farm.backends.forked import ForkedShards, own_user
from farm.backends.link_files import LinkFiles
from farm.backends.observed import Observed
from farm.errors import BackendError
from farm.topology.wiring import GOOD, LinkQuality, Segment, Shaping
from node.config.model import NodeConfig
from node.control.messages import Place

NET_BIND_SERVICE = 10
"""The capability's number (capabilities(7))."""


class ProcessBackend(ForkedShards):
    """All nodes share the loopback interface."""

    name = "process"
    inside = True

    def __init__(self, directory: Path, run_id: str, epoch: float, control: Path, secret: str) -> None:
        super().__init__(directory, run_id, epoch, control, secret)
        self._links = LinkFiles(directory)

    def observe(self) -> Observed:
        """The shards that have files, and marked processes that are none of them."""
        shards = self.files.observe()
        return Observed(shards=shards, strays=self.strays(shards), links=self._links.read())

    def create_network(self, segment: Segment) -> None:
        """Nothing: all nodes share the loopback interface."""

    def remove_network(self, network: str) -> None:
        """Nothing: all nodes share the loopback interface."""

    def place(self, shard: str, nodes: tuple[NodeConfig, ...]) -> Place:
        """In this network."""
        return Place(user=own_user(self.run_id, shard), keep=(NET_BIND_SERVICE,))

    def shape(self, node: str, quality: LinkQuality) -> Shaping:
        """Loopback has no links of its own: the node itself can play a delay, and nothing else can be had."""
        own = LinkQuality(delay=quality.delay, jitter=quality.jitter)
        if quality not in (GOOD, own):
            raise BackendError(
                node, "shape", "nodes on loopback share one link: only a delay can be had, the rest on backend netns"
            )
        shaping = Shaping(quality, left=own)
        self._links.write(node, shaping)
        return shaping
