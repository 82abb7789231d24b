"""What a backend sees: data only, so that a plan can be made, printed and tested without a platform."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from farm.topology.wiring import Segment, Shaping
from node.config.model import NodeConfig


@dataclass(frozen=True, slots=True)
class ShardSpec:
    """A worker to be: its name (the node's own name when it serves one) and the nodes it serves."""

    name: str
    nodes: tuple[NodeConfig, ...]


@dataclass(frozen=True, slots=True)
class ObservedShard:
    """A worker that was started. `pid` and `started` (clock ticks since boot) say which process it is; `alive` is
    false when that process is gone and only its files are left. `host` is the machine that it is on, "" where a backend
    has no other than this one."""

    name: str
    pid: int
    started: int
    alive: bool
    nodes: tuple[NodeConfig, ...]
    host: str = ""


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything of one run: its shards by name order, processes that carry its mark but belong to no shard file,
    networks and routers as they were made (for backends that make them; one that is damaged is not among them), and how
    the links of nodes were shaped, by node name, where they are not left alone. `in_place` is false where a shard that
    runs cannot be told to serve others than it was made for."""

    shards: tuple[ObservedShard, ...] = ()
    strays: tuple[int, ...] = ()
    networks: tuple[Segment, ...] = ()
    links: Mapping[str, Shaping] = field(default_factory=dict)
    in_place: bool = field(default=True, compare=False)
