"""A plant file to a plant: read, include, check, inherit, fill in, give addresses, build; and every fault at once."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from farm.errors import TopologyError
from farm.topology import territory
from farm.topology.build import ModbusPorts, NodeBuilder
from farm.topology.collector import paused_collection
from farm.topology.document import MapNode, Scalar, Source
from farm.topology.groups import Member, Roster
from farm.topology.hosts import read_placement
from farm.topology.include import PlantFile, read_plant
from farm.topology.inherit import Library
from farm.topology.keys import BACKEND, COUNT, MAX_NODES, SHARD, VERSION
from farm.topology.links import LinkBuilder
from farm.topology.lock import lock_path, read_lock, write_lock
from farm.topology.named_addresses import NamedAddresses
from farm.topology.origins import Origins
from farm.topology.own_code import OwnCode
from farm.topology.plant import Plant
from farm.topology.problem import Place, Report, TooManyError, suggestion
from farm.topology.register_maps import MapReader
from farm.topology.seating import Seating
from farm.topology.shapes import take
from farm.topology.substitute import Scope
from farm.topology.tag_keys import SEED
from farm.topology.types import Types
from farm.topology.vocabulary import FARM_NAME
from node.config.model import NodeConfig

FARM_VERSION = 1

OWN_MODBUS_PORT = 502
"""Of nodes that have a network of their own, where every port is free."""

_SETTINGS = (
    *("farm", "name", "seed", "max_nodes", "backend", "shard", "networks", "gateways", "links", "types"),
    *("hosts", "placement", "image"),
)


def load_plant(
    path: Path,
    *,
    settings: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
    modbus_port: int = 502,
    backend: str | None = None,
    shard: int | str | None = None,
    counts: Mapping[str, int] | None = None,
    outside: bool = False,
    write_lock: bool = False,
    allow_code: bool | None = None,
) -> Plant:
    """The plant that a file describes, every node complete.

    `settings` are variables that win over the file's (`--set NAME=VALUE`), `environ` those below them. `modbus_port`
    is the port, on this machine's own addresses, of nodes whose file gives none. `backend` and `shard` replace the
    file's; that there is such a backend is not checked here. `counts` maps groups to how many members they have now.
    `outside` gives nodes that have a network of their own an address of 127/8 and ports on this machine too.
    `write_lock` keeps the addresses given here for the next time; a folder that cannot be written is a warning.
    `allow_code` says whether tags may run code of somebody's own; with None each that would is a warning.

    Raises `TopologyProblems` with every fault found; nothing is written then.
    """
    options = _Options(modbus_port, backend, shard, dict(counts or {}), outside, allow_code)
    loader = _Loader(path, dict(settings or {}), dict(environ or {}), options)
    try:
        with paused_collection():
            plant = loader.plant()
    except TooManyError:
        plant = None
    loader.report.raise_errors()
    if plant is None:
        raise TopologyError(f"{path}: cannot be loaded")
    if write_lock:
        loader.keep()
    return replace(plant, warnings=tuple(str(problem) for problem in loader.report.problems()))


@dataclass(frozen=True, slots=True)
class _Options:
    modbus_port: int
    backend: str | None
    shard: int | str | None
    counts: dict[str, int]
    outside: bool
    allow_code: bool | None


@dataclass(slots=True)
class _Loader:
    path: Path
    settings: dict[str, str]
    environ: dict[str, str]
    options: _Options
    report: Report = field(default_factory=Report)
    kept: dict[tuple[str, str], int] = field(default_factory=dict)

    def plant(self) -> Plant | None:
        """The plant, or None with errors noted."""
        file = read_plant(self.path, self.report)
        if file is None or not self.version(file.root):
            return None
        root, scope = file.root, self.scope(file)
        head = scope.fill_map(MapNode({key: root.entries[key] for key in _SETTINGS if key in root.entries}, *_at(root)))
        backend = self.options.backend or take(head, "backend", BACKEND, territory.PROCESS, self.report)
        shard = self.shard(head, backend)
        ground = territory.ground(backend, shard)
        own = ground in territory.OWN_NETWORKS
        name = take(head, "name", FARM_NAME, "", self.report)
        seating = Seating.of(head, name, ground, own and self.options.outside, self.report)
        types = Types.of(head.map("types"), self.report)
        types.check_tags(root)
        library = Library.of(root, self.report)
        room = take(head, "max_nodes", COUNT, MAX_NODES, self.report)
        roster = Roster(root, room, library, scope, self.report, self.options.counts)
        members = roster.members()
        seats = seating.seat(members, read_lock(lock_path(self.path), self.report))
        self.kept = seating.addresses.kept
        groups = root.map("groups")
        links = LinkBuilder(
            head.map("links"), ground, groups.entries if groups is not None else (), roster.absent, self.report
        )
        named = NamedAddresses(seating.networks, ground, self.report)
        maps = MapReader(self.path.parent, self.report)
        ports = ModbusPorts(OWN_MODBUS_PORT if own else self.options.modbus_port, self.options.modbus_port)
        seed = take(head, "seed", SEED, 0, self.report)
        code = OwnCode(backend, str(self.path.parent.absolute()), self.options.allow_code, self.report)
        builder = NodeBuilder(name, seed, ports, library.defaults, types, named, maps, code, self.report)
        nodes = builder.nodes(members, seats)
        if ground != backend:
            self.sent_nowhere(members, nodes)
        qualities = links.links(members)
        self.unused_settings(file)
        return Plant(
            name,
            str(self.path),
            backend,
            shard,
            tuple(nodes),
            Origins(members, seating, links, builder),
            networks=seating.network_specs(),
            routers=seating.router_specs(members),
            links=qualities,
            settings=self.settings,
            counts=self.options.counts,
            written=seating.written(),
            whereabouts=seating.whereabouts(members),
            placement=read_placement(head, members, self.path.parent, self.report),
        )

    def shard(self, head: MapNode, backend: str) -> int | str:
        """Nodes a worker. One where each node has a network of its own; containers and pods may serve several."""
        shard = take(head, "shard", SHARD, 1, self.report)
        place = head.get("shard") or Place(Source("--shard"))
        if self.options.shard is not None:
            shard, place = self.options.shard, Place(Source("--shard"))
        if backend not in territory.OWN_NETWORKS or backend == territory.KUBERNETES or shard == 1:
            return shard
        if backend == territory.DOCKER and shard != "auto":
            return shard
        if shard != "auto":
            what = "a container is one node" if backend == "swarm" else "each node has a network namespace of its own"
            message = f"shard {shard} on backend {backend}: {what}, so a worker serves 1"
            self.report.error("F071", place, message, "leave 'shard' out, or say --shard 1")
        return 1

    def sent_nowhere(self, members: list[Member], nodes: Sequence[NodeConfig]) -> None:
        """Find nodes that send messages on, which a container without a network cannot."""
        onward = {node.name for node in nodes if node.enip is not None and node.enip.onward}
        for member in members:
            if member.name in onward:
                message = f"'{member.name}' sends messages onward, and a container of several nodes has no network"
                self.report.error("F071", member.place, message, "leave 'shard' out, or use backend process")

    def version(self, root: MapNode) -> bool:
        """Whether this release knows the file's version; a newer file may mean anything by anything."""
        written = root.scalar("farm")
        if written is None:
            return True
        if written.dollar:
            self.report.error(
                "F015", written, "the version of a plant file is no variable", f"write farm: {FARM_VERSION}"
            )
            return False
        version = take(root, "farm", VERSION, FARM_VERSION, self.report)
        if version == FARM_VERSION:
            return True
        hint = "a newer plcfarm may" if version > FARM_VERSION else f"write farm: {FARM_VERSION}"
        self.report.error("F015", written, f"this plcfarm does not know version {version} of plant files", hint)
        return False

    def scope(self, file: PlantFile) -> Scope:
        """The variables outside groups."""
        declared = file.root.map("vars")
        found = declared.items() if declared is not None else ()
        variables = {name: value for name, _, value in found if isinstance(value, Scalar)}
        return Scope(self.report, self.settings, variables, self.environ)

    def unused_settings(self, file: PlantFile) -> None:
        """Find settings that no `${…}` of any file asks for: a slip in their name would go unseen."""
        asked: set[str] = set()
        for source in file.sources:
            for line in source.lines:
                if "${" in line:
                    asked.update(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", " ".join(re.findall(r"\$\{([^}]*)", line))))
        for name in self.settings:
            if name not in asked:
                self.report.error(
                    "F022", Place(Source("--set")), f"no ${{{name}}} in the plant", suggestion(name, asked)
                )

    def keep(self) -> None:
        """Write the lock file."""
        path = lock_path(self.path)
        reason = write_lock(path, self.path.name, self.kept)
        if reason:
            hint = "the next change of the file may move nodes to other addresses"
            self.report.warning("F044", Place(Source(str(path))), f"cannot be written: {reason}", hint)


def _at(node: MapNode) -> tuple[Source, int, int]:
    return node.source, node.line, node.column
