"""From what is wanted and what is there to a plan; pure, so that every case is a test without a process.

Only what must change does. A shard of one node is replaced when its configuration differs; a larger one that runs is
told which of its nodes to end and to start, where it can be, so that their neighbours keep their clients. An address
that moves from one shard to another is given up before it is taken. A network that changes is made anew, and whoever is
on it is ended before and started after; a link is shaped when its shard runs. `down` is this function with a plant of
no nodes.
"""

from dataclasses import fields

from farm.backends.observed import Observed, ObservedShard, ShardSpec
from farm.errors import PlanError
from farm.plan.assign import assign
from farm.plan.plan import (
    CHANGE,
    CREATE_NETWORK,
    KILL,
    REMOVE,
    REMOVE_NETWORK,
    SHAPE,
    START,
    STOP,
    Operation,
    Plan,
)
from farm.topology.plant import Plant
from farm.topology.wiring import GOOD, LinkQuality, NetworkSpec, RouterSpec, Segment
from node.config.model import NodeConfig

Endpoint = tuple[str, int]


def reconcile(wanted: Plant, observed: Observed) -> Plan:
    """The plan from `observed` to `wanted`, whose `shard` is a number by now.

    Raises `PlanError` when two nodes want the same address and port, or the shard size is none.
    """
    size = wanted.shard
    if not isinstance(size, int) or size < 1:
        raise PlanError(f"shard: got {size!r}, wanted a number of nodes from 1 on")
    _refuse_shared_endpoints(wanted.nodes)
    specs = assign(wanted.nodes, observed.shards, size)
    return _Reconciliation(specs, observed, wanted).plan()


class _Reconciliation:
    """One run of `reconcile`: the operations so far, and who waits for whom."""

    def __init__(self, specs: list[ShardSpec], observed: Observed, wanted: Plant) -> None:
        self._specs = specs
        self._observed = observed
        self._wanted = wanted
        self._rewired = _rewired(wanted, observed)
        self._made: tuple[int, ...] = ()
        self._starts: dict[str, int] = {}
        self._seen = {shard.name: shard for shard in observed.shards}
        self._operations: list[Operation] = []
        self._freed: dict[Endpoint, int] = {}
        self._kills: tuple[int, ...] = ()
        self._stops: dict[str, int] = {}

    def plan(self) -> Plan:
        """Kills first, then stops and removals, networks, changes of shards that run, starts, and links."""
        self._kill_strays()
        wanted = {spec.name for spec in self._specs}
        for shard in self._observed.shards:
            if shard.name not in wanted:
                self._end(shard, "not in the plant")
        differing = [(spec, self._seen[spec.name]) for spec in self._specs if self._differs(spec)]
        moving = _moving_endpoints(differing)
        changes = [
            (spec, shard) for spec, shard in differing if self._observed.in_place and _in_place(spec, shard, moving)
        ]
        changed = {spec.name for spec, _ in changes}
        for spec, shard in differing:
            if spec.name not in changed:
                self._end(shard, self._cause(spec, shard))
        self._wire()
        for spec, shard in changes:
            self._change(spec, shard)
        for spec in self._specs:
            self._start(spec)
        self._shape_links()
        return Plan(tuple(self._operations))

    def _wire(self) -> None:
        """Networks and routers that are gone, changed or new. Routers go first and come last."""
        seen = {segment.name: segment for segment in self._observed.networks}
        ended = tuple(self._stops.values())
        removed: dict[str, int] = {}
        for kind in (RouterSpec, NetworkSpec):
            for segment in self._observed.networks:
                if isinstance(segment, kind) and segment.name in self._rewired:
                    after = (*self._kills, *ended, *removed.values())
                    cause = "it changes" if segment in self._changing(seen) else "not in the plant"
                    removed[segment.name] = self._add(REMOVE_NETWORK, segment.name, cause, after, segment=segment)
        made: list[int] = []
        for segment in self._wanted.segments:
            if seen.get(segment.name) != segment or segment.name in removed:
                after = (*self._kills, *removed.values(), *(made if isinstance(segment, RouterSpec) else ()))
                made.append(self._add(CREATE_NETWORK, segment.name, "not there", after, segment=segment))
        self._made = tuple(made)

    def _changing(self, seen: dict[str, Segment]) -> list[Segment]:
        names = {segment.name for segment in self._wanted.segments}
        return [segment for name, segment in seen.items() if name in names]

    def _shape_links(self) -> None:
        """The links of nodes that are started, where they are to be bad, and of others where they are to change."""
        for spec in self._specs:
            started = self._starts.get(spec.name)
            for node in spec.nodes:
                shaping = self._observed.links.get(node.name)
                before = shaping.quality if shaping is not None else GOOD
                quality = self._wanted.links.get(node.name, GOOD)
                if quality != before or (started is not None and quality != GOOD):
                    after = () if started is None else (started,)
                    cause = "made good" if quality == GOOD else f"wanted {described(quality)}"
                    self._add(SHAPE, node.name, cause, after, quality=quality, before=before)

    def _kill_strays(self) -> None:
        for pid in self._observed.strays:
            stray = ObservedShard(f"process-{pid}", pid, 0, alive=True, nodes=())
            self._add(KILL, str(pid), "of this farm, but of none of its shards", running=stray)
        self._kills = tuple(operation.number for operation in self._operations)

    def _end(self, shard: ObservedShard, cause: str) -> None:
        if not shard.alive:
            self._add(REMOVE, shard.name, f"{cause}, and its process is gone", running=shard)
            return
        number = self._add(STOP, shard.name, cause, running=shard)
        self._stops[shard.name] = number
        for node in shard.nodes:
            self._freed.update(dict.fromkeys(_endpoints(node), number))

    def _change(self, spec: ShardSpec, shard: ObservedShard) -> None:
        cause = difference(shard.nodes, spec.nodes)
        number = self._add(CHANGE, spec.name, cause, self._waits_for(spec), spec=spec, running=shard)
        kept = {end for node in spec.nodes for end in _endpoints(node)}
        freed = [end for node in shard.nodes for end in _endpoints(node) if end not in kept]
        self._freed.update(dict.fromkeys(freed, number))

    def _start(self, spec: ShardSpec) -> None:
        shard = self._seen.get(spec.name)
        after = (*self._waits_for(spec), *self._made)
        if shard is None:
            self._starts[spec.name] = self._add(START, spec.name, "not running", after, spec=spec)
        elif not shard.alive:
            cause = "its process is gone"
            self._starts[spec.name] = self._add(START, spec.name, cause, after, spec=spec, running=shard)
        elif spec.name in self._stops:
            cause = self._cause(spec, shard)
            self._starts[spec.name] = self._add(START, spec.name, cause, after, spec=spec)

    def _differs(self, spec: ShardSpec) -> bool:
        """Whether a shard that runs serves something else than `spec`; the order of nodes plays no part."""
        shard = self._seen.get(spec.name)
        if shard is None or not shard.alive:
            return False
        if self._strays(spec, shard):
            return True
        if any(interface.network in self._rewired for node in shard.nodes for interface in node.interfaces):
            return True
        return shard.nodes != spec.nodes and _by_name(shard.nodes) != _by_name(spec.nodes)

    def _strays(self, spec: ShardSpec, shard: ObservedShard) -> bool:
        """Whether a shard is on a host where one of its nodes may not be."""
        return bool(shard.host) and not all(self._wanted.placement.allows(node.name, shard.host) for node in spec.nodes)

    def _cause(self, spec: ShardSpec, shard: ObservedShard) -> str:
        """Why a shard that runs is ended and started."""
        if shard.nodes and self._strays(spec, shard):
            return f"it may not stay on host {shard.host}"
        return difference(shard.nodes, spec.nodes) or "its network changes"

    def _waits_for(self, spec: ShardSpec) -> tuple[int, ...]:
        found = {self._freed[end] for node in spec.nodes for end in _endpoints(node) if end in self._freed}
        if spec.name in self._stops:
            found.add(self._stops[spec.name])
        return (*self._kills, *sorted(found))

    def _add(
        self,
        verb: str,
        target: str,
        cause: str,
        after: tuple[int, ...] = (),
        spec: ShardSpec | None = None,
        running: ObservedShard | None = None,
        segment: Segment | None = None,
        quality: LinkQuality | None = None,
        before: LinkQuality | None = None,
    ) -> int:
        number = len(self._operations) + 1
        operation = Operation(number, verb, target, cause, after, spec, running, segment, quality, before)
        self._operations.append(operation)
        return number


def described(quality: LinkQuality) -> str:
    """`delay 0.2 s, loss 2 %, down`."""
    parts = [f"delay {quality.delay:g} s"] if quality.delay else []
    parts += [f"jitter {quality.jitter:g} s"] if quality.jitter else []
    parts += [f"loss {quality.loss:g} %"] if quality.loss else []
    parts += [f"rate {quality.rate} bit/s"] if quality.rate else []
    parts += [] if quality.up else ["down"]
    return ", ".join(parts) or "good"


def _rewired(wanted: Plant, observed: Observed) -> set[str]:
    """Networks and routers that were made and are not to stay as they are, and routers on those."""
    kept = set(wanted.segments)
    changed = {segment.name for segment in observed.networks if segment not in kept}
    for segment in observed.networks:
        if isinstance(segment, RouterSpec) and any(each.network in changed for each in segment.interfaces):
            changed.add(segment.name)
    return changed


def difference(old: tuple[NodeConfig, ...], new: tuple[NodeConfig, ...]) -> str:
    """What differs between two configurations of a shard, as a cause: `pump-1: tags; pump-9: new`."""
    before, after = _by_name(old), _by_name(new)
    if not before:
        return "serves something else than its file says"
    parts = [f"{name}: no longer in this shard" for name in before if name not in after]
    for name, node in after.items():
        if name not in before:
            parts.append(f"{name}: new")
        elif node != before[name]:
            parts.append(f"{name}: {_changed_fields(before[name], node)}")
    if len(before) == len(after) == 1 and len(parts) == 1:
        return parts[0].partition(": ")[2]
    return "; ".join(parts[:3]) + (f"; and {len(parts) - 3} more" if len(parts) > 3 else "")


def _changed_fields(old: NodeConfig, new: NodeConfig) -> str:
    """`address 127.64.0.1 -> 127.64.0.2, tags changed`."""
    parts = []
    for field in fields(NodeConfig):
        before, after = getattr(old, field.name), getattr(new, field.name)
        if before != after:
            short = isinstance(before, str) and isinstance(after, str)
            parts.append(f"{field.name} {before} -> {after}" if short else f"{field.name} changed")
    return ", ".join(parts)


def _moving_endpoints(differing: list[tuple[ShardSpec, ObservedShard]]) -> set[Endpoint]:
    """Endpoints that a node of one running shard gives up and a node of another takes: told in place, the two would
    have to wait for each other."""
    held: dict[Endpoint, str] = {}
    for _, shard in differing:
        held.update({end: shard.name for node in shard.nodes for end in _endpoints(node)})
    return {
        end
        for spec, _ in differing
        for node in spec.nodes
        for end in _endpoints(node)
        if held.get(end, spec.name) != spec.name
    }


def _in_place(spec: ShardSpec, shard: ObservedShard, moving: set[Endpoint]) -> bool:
    """Whether a shard that runs can be told what changes, instead of being replaced with all its nodes."""
    kept = _by_name(spec.nodes).keys() & _by_name(shard.nodes).keys()
    if not kept or max(len(spec.nodes), len(shard.nodes)) == 1:
        return False
    ends = {end for node in (*spec.nodes, *shard.nodes) for end in _endpoints(node)}
    return not ends & moving


def _by_name(nodes: tuple[NodeConfig, ...]) -> dict[str, NodeConfig]:
    return {node.name: node for node in nodes}


def _endpoints(node: NodeConfig) -> list[Endpoint]:
    return [(node.address, port) for port in node.ports.values()]


def _refuse_shared_endpoints(nodes: tuple[NodeConfig, ...]) -> None:
    takers: dict[Endpoint, str] = {}
    for node in nodes:
        for end in _endpoints(node):
            other = takers.setdefault(end, node.name)
            if other != node.name:
                raise PlanError(f"{node.name} and {other} both want {end[0]}:{end[1]}: give one another address")
