"""How often nodes report, and from when on a report is old: one rule, so that telemetry has a price that is known.

A report costs the node that counts, and a message the two processes that write and read it. Up to `NODES` nodes in up
to `SHARDS` processes report once a second. Beyond, so many seconds lie between two reports that no more come than that:
5,000 nodes on auto shards report every 2 seconds, 10,000 every 4, and 5,000 with a process or a container each every 5.
What a node counts are sums, so nothing is lost between two reports; it is only told later.
"""

NODES = 2500
"""Nodes that report within a second at most."""
SHARDS = 1000
"""Processes that do, a message each."""


class Pace:
    """Seconds between two reports of a node, the same for all of a farm. It begins as that of a small farm."""

    __slots__ = ("every",)

    def __init__(self, every: int = 1) -> None:
        self.every = every

    def suit(self, nodes: int, shards: int) -> bool:
        """Becomes that of so many nodes in so many processes; whether it is another now."""
        before, self.every = self.every, max(1, -(-nodes // NODES), -(-shards // SHARDS))
        return self.every != before

    @property
    def stale(self) -> int:
        """Seconds after which a report no longer says how its node is: one was missed, and another is late."""
        return 2 * self.every + 1

    @property
    def silent(self) -> int:
        """Seconds without a report after which a node that was up counts as down: it hangs, or is suspended."""
        return 4 * self.every + 6
