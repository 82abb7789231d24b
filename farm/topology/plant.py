"""What a plant file comes to: every node complete, each value with the place it came from."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from farm.topology.placement import ANYWHERE, Placement
from farm.topology.wiring import LinkQuality, NetworkSpec, RouterSpec, Segment
from node.config.model import NodeConfig


@dataclass(frozen=True, slots=True)
class Origin:
    """A place in a plant file: path as given, line and column counted from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a node belongs, for people: its `group` in the file, "" for a single node; the declared `networks` it is
    on, the main one first, on every backend; the main one's `subnet` on this backend and its Purdue `level`."""

    group: str = ""
    networks: tuple[str, ...] = ()
    subnet: str = ""
    level: float | None = None


NOWHERE = Whereabouts()


@dataclass(frozen=True, slots=True)
class Plant:
    """The wanted state. `shard` is nodes a worker or "auto"; `origins` maps node name, then a dotted path of a value
    (`tags.Level.type`), to where it stands; `warnings` are lines for the operator. `networks` and `routers` are those
    that the backend makes, `links` the quality of each node's link that is not a good one. `settings` (`--set`) and
    `counts` (`farm scale`) are what the file was read with, so that it can be read again in the same way. `written`
    maps node or router, then network, to the address in the file's own terms, the same for every backend. `whereabouts`
    are by node name. `placement` says on which machines they are, for a backend that has several."""

    name: str
    file: str
    backend: str
    shard: int | str
    nodes: tuple[NodeConfig, ...]
    origins: Mapping[str, Mapping[str, Origin]] = field(default_factory=dict, compare=False, repr=False)
    warnings: tuple[str, ...] = ()
    networks: tuple[NetworkSpec, ...] = ()
    routers: tuple[RouterSpec, ...] = ()
    links: Mapping[str, LinkQuality] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict, compare=False)
    counts: Mapping[str, int] = field(default_factory=dict, compare=False)
    written: Mapping[str, Mapping[str, str]] = field(default_factory=dict, compare=False, repr=False)
    whereabouts: Mapping[str, Whereabouts] = field(default_factory=dict, compare=False, repr=False)
    placement: Placement = ANYWHERE

    def only(self, names: Collection[str]) -> "Plant":
        """The same plant with no other nodes than those of these names."""
        kept = frozenset(names)
        return replace(
            self,
            nodes=tuple([node for node in self.nodes if node.name in kept]),
            origins={name: self.origins[name] for name in names if name in self.origins},
            links={name: self.links[name] for name in names if name in self.links},
            whereabouts={name: self.whereabouts[name] for name in names if name in self.whereabouts},
        )

    @property
    def segments(self) -> tuple[Segment, ...]:
        """What must be there before the nodes: networks, then routers."""
        return (*self.networks, *self.routers)
