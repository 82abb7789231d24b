"""The seam between a plan and a platform: nine methods and one flag. A tenth needs a decision record."""

from pathlib import Path
from typing import Protocol

from farm.backends.observed import Observed, ObservedShard, ShardSpec


class Backend(Protocol):
    """A platform that runs shards. Every method may block, may be called from several threads at once for different
    shards, and raises `farm.errors.BackendError`. `restarts` is true where the platform itself restarts what died."""

    name: str
    restarts: bool

    def observe(self) -> Observed:
        """What is there now, read from the platform and not from memory."""

    def create_network(self, network: str) -> None:
        """Make a network of the plant; nothing where all share one."""

    def remove_network(self, network: str) -> None:
        """Take it away; not an error when it is gone."""

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

    def shape(self, node: str, quality: str) -> None:
        """Make a node's link worse or well again."""
