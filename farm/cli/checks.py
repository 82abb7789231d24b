"""What this machine allows a farm, checked one by one: a fact, whether it is good, and the command that cures it.

A farm of 500 nodes should be refused by the limit that stops it, before it starts, and by name. So every check knows
what is needed (`Need`): with a plant, or a number of nodes, a limit is missing when it stops them; without, it is only
said.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from farm.backends.pids import marked
from farm.errors import FarmError
from farm.supervisor.link import run_directory
from farm.topology.placement import ANYWHERE, Placement
from farm.topology.plant import Plant
from node.config.model import NodeConfig

GOOD, LIMITED, BAD = "ok", "limited", "missing"


@dataclass(frozen=True, slots=True)
class Check:
    """One fact: `what`, one of the three words, what was `found`, and the `cure` ("" where none is needed)."""

    what: str
    state: str
    found: str
    cure: str = ""


@dataclass(frozen=True, slots=True)
class Need:
    """What is asked of the machine: the `backend` ("" for any), `nodes` to be started, of which `shard` share a
    process, and how many are on the `largest` network. `configs` are they themselves, where a plant is known,
    `routers` stand between their networks, and `placement` says on which hosts they may be."""

    backend: str = ""
    nodes: int = 0
    shard: int = 1
    largest: int = 0
    routers: int = 0
    configs: tuple[NodeConfig, ...] = ()
    placement: Placement = ANYWHERE

    @classmethod
    def of_nodes(cls, backend: str, nodes: int) -> "Need":
        """So many small nodes on one network, each in a process of its own."""
        return cls(backend, nodes, 1, nodes)

    @classmethod
    def of_plant(cls, plant: Plant) -> "Need":
        """What is to be started of a plant: what runs already is there."""
        counts: dict[str, int] = {}
        for node in plant.nodes:
            for interface in node.interfaces:
                counts[interface.network] = counts.get(interface.network, 0) + 1
        shard = plant.shard if isinstance(plant.shard, int) and plant.shard > 0 else 1
        running = 0
        run = run_directory(plant.name)
        if run.exists():
            running = len(marked(run.run_id)) * shard
        nodes = max(0, len(plant.nodes) - running)
        largest, routers = max(counts.values(), default=0), len(plant.routers)
        return cls(plant.backend, nodes, shard, largest, routers, plant.nodes, plant.placement)

    @property
    def processes(self) -> int:
        """Of nodes alone."""
        return -(-self.nodes // self.shard)

    def on(self, *backends: str) -> bool:
        """Whether something of one of these backends is needed; without a backend anything may be."""
        return not self.backend or self.backend in backends


def short(need: Need, wanted: int, there: float) -> str:
    """The state of a limit: enough, or what stops a farm."""
    return GOOD if not need.nodes or wanted <= there else BAD


def first_refusal(name: str, checks: Iterator[Check]) -> None:
    """Raises `FarmError` with the first check that something is missing for, and how many more there are."""
    missing = [check for check in checks if check.state == BAD]
    if not missing:
        return
    first = missing[0]
    cure = f"; `{first.cure}` cures it" if first.cure else ""
    more = f" (and {len(missing) - 1} more, see `farm doctor`)" if len(missing) > 1 else ""
    raise FarmError(f"{name} cannot be started here: {first.what}: {first.found}{cure}{more}")
