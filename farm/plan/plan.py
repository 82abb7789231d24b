"""What is to be done to come from what runs to what is wanted: operations, why each, and in which order.

A plan is data. It prints itself one operation a line, which is what `farm plan` shows and what its tests compare; it is
carried out by `execute`, which decides nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from farm.backends.observed import ObservedShard, ShardSpec
from farm.topology.wiring import LinkQuality, RouterSpec, Segment
from node.config.model import NodeConfig

START = "start"
"""Write the shard's file and start its process."""
STOP = "stop"
"""End the shard's process and take its files away."""
CHANGE = "change"
"""Write the file of a shard that runs anew, and have it end and start only the nodes that differ."""
REMOVE = "remove"
"""Take away the files of a shard whose process is gone."""
KILL = "kill"
"""End a process that bears the run's mark and belongs to no shard."""
CREATE_NETWORK = "create"
"""Make a network, or a router between networks."""
REMOVE_NETWORK = "remove network"
"""Take it away; whoever is on it was ended before."""
SHAPE = "shape"
"""Make a node's link as good or as bad as it is wanted."""

SHOWN = 3
"""Nodes, and operations waited for, that a line names before it counts."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One step. `target` names the shard, process, network or node, `after` the operations that must have succeeded
    before.

    `spec` is what the shard is to serve from then on (START, CHANGE), `running` what was observed of it, if anything.
    `segment` is the network or router to make or that was observed, `quality` what a node's link is to be (SHAPE) and
    `before` what it was.
    """

    number: int
    verb: str
    target: str
    cause: str
    after: tuple[int, ...] = ()
    spec: ShardSpec | None = None
    running: ObservedShard | None = None
    segment: Segment | None = None
    quality: LinkQuality | None = None
    before: LinkQuality | None = None

    @property
    def nodes(self) -> tuple[NodeConfig, ...]:
        """The nodes that it is about: those that will be served, or else those that were."""
        if self.spec is not None:
            return self.spec.nodes
        return self.running.nodes if self.running is not None else ()

    def __str__(self) -> str:
        if self.segment is not None:
            kind = "router" if isinstance(self.segment, RouterSpec) else "network"
            verb = "remove" if self.verb == REMOVE_NETWORK else self.verb
        else:
            kind = {KILL: "process", SHAPE: "link of"}.get(self.verb, "shard")
            verb = self.verb
        names = [node.name for node in self.nodes]
        served = f" ({_listed(names)})" if names else ""
        order = f", after {_listed(map(str, self.after))}" if self.after else ""
        return f"[{self.number}] {verb} {kind} {self.target}{served}{order}: {self.cause}"


@dataclass(frozen=True, slots=True)
class Plan:
    """Operations in an order in which they could be done one by one."""

    operations: tuple[Operation, ...] = ()

    def __len__(self) -> int:
        return len(self.operations)

    def __iter__(self) -> Iterator[Operation]:
        return iter(self.operations)

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """The plan as it prints, a line an operation."""
        return [str(operation) for operation in self.operations] or ["nothing to do"]

    def count(self, *verbs: str) -> int:
        """How many operations have one of `verbs`."""
        return sum(operation.verb in verbs for operation in self.operations)


def _listed(names: Iterable[str]) -> str:
    """`a, b, c and 7 more`."""
    items = list(names)
    if len(items) <= SHOWN + 1:
        return ", ".join(items)
    return f"{', '.join(items[:SHOWN])} and {len(items) - SHOWN} more"
