"""The nodes of a plant: the members of its groups, each with what overrides it, then its single nodes.

groups:  mixer: {count: 400, name: "mix-${i:03d}", …}         a member for each number, or
         drive: {for: {line: 1..20, i: 1..4}, …}              a member for each combination
nodes:   mix-007: {tags: {Level: {init: 55}}}                 an override says only what differs
         mix-013: null                                        and null takes a member out
         old-plc: {kind: logix}                               anything else is a node of its own
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from farm.topology.document import ListNode, MapNode, Node, Scalar, Source, count_dollars, is_null, shown
from farm.topology.inherit import Base, Library, empty_map
from farm.topology.keys import COUNT, FOR_RANGE
from farm.topology.merge import merge_maps
from farm.topology.problem import Place, Report, TooManyError, suggestion
from farm.topology.scalars import BadValueError, whole
from farm.topology.shapes import read
from farm.topology.substitute import Scope, Value
from farm.topology.types import tag_maps
from farm.topology.vocabulary import FARM_NAME
from node.config.schema import TABLES

MAX_WEIGHT = 1_000_000
"""Tags, register blocks and `${…}` of all nodes together."""


@dataclass(slots=True)
class Member:
    """A node to be, filled in. `place` is what messages about it point at, `units` are not filled in yet: their
    bodies may use `${unit}`, for which `scope` has the member's other variables. `weight` is what it takes to build.
    `group` is the name of its group, "" for a single node; `own` what stands under its own name in `nodes`, as written,
    None when nothing does."""

    name: str
    place: Node
    kind: str
    body: MapNode
    units: MapNode | None
    scope: Scope
    weight: int
    group: str = ""
    own: MapNode | None = None


@dataclass(slots=True)
class Roster:
    """Makes the members of a plant's tree, in the order of the file. `room` is how many nodes are allowed, `counts` how
    many members groups have instead of what the file says; `absent` are the names of those that have none now."""

    root: MapNode
    room: int
    library: Library
    scope: Scope
    report: Report
    counts: Mapping[str, int] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)
    places: dict[str, Node] = field(default_factory=dict)
    overrides: dict[str, tuple[Scalar, Node]] = field(default_factory=dict)
    matched: set[str] = field(default_factory=set)
    ranges: list[str] = field(default_factory=list)
    merged: dict[tuple[int, int], "_Inherited"] = field(default_factory=dict)
    weights: dict[int, tuple[MapNode, int]] = field(default_factory=dict)
    weighed: int = 0

    def members(self) -> list[Member]:
        """Every node, with all faults noted that keep some from being made."""
        nodes = self.root.map("nodes") or empty_map(self.root)
        self.overrides = dict(self.scope.fill_map(nodes).entries) if "$" in "".join(nodes.entries) else nodes.entries
        grouped: list[Member] = []
        groups = self.root.map("groups") or empty_map(self.root)
        for name, key, group in groups.items():
            if isinstance(group, MapNode):
                grouped += self.group(name, key, group)
        self.unknown_counts(groups)
        singles: list[Member] = []
        for name, (key, body) in self.overrides.items():
            self.report.subject = ""
            if name not in self.matched and name not in self.absent:
                singles += self.single(name, key, body)
        sections = list(self.root.entries)
        nodes_first = groups.entries and nodes.entries and sections.index("nodes") < sections.index("groups")
        return [*singles, *grouped] if nodes_first else [*grouped, *singles]

    def unknown_counts(self, groups: MapNode) -> None:
        """Find numbers for groups that there are not."""
        self.report.subject = ""
        for name in self.counts:
            if groups.map(name) is None:
                hint = suggestion(name, groups.entries) or f"known: {', '.join(groups.entries) or 'none'}"
                self.report.error("F072", Place(Source("farm scale")), f"there is no group {shown(name)}", hint)

    def group(self, group: str, key: Scalar, body: MapNode) -> Iterator[Member]:
        """The members of one group."""
        self.report.subject = ""
        combinations = self.scaled(group, body, key, self.combinations(body, key))
        if combinations is None or not self.fits(combinations, key):
            return
        pattern = body.scalar("name")
        first = last = ""
        left = math.prod(len(values) for values in combinations.values())
        for own in itertools.product(*combinations.values()):
            self.report.subject = ""
            scope = self.scope.inside({**dict(zip(combinations, own, strict=True)), "group": group})
            name = self.name(pattern, default_name(group, own), key, scope)
            if name is None:
                continue
            first, last = first or name, name
            scope.own = {**scope.own, "name": name}
            member = self.member(name, pattern or key, body, scope)
            if member is not None:
                self.charge(member, left, key)
                yield member
            left -= 1
        if first:
            self.ranges.append(f"group '{group}' makes {first} … {last}")

    def combinations(self, body: MapNode, key: Scalar) -> dict[str, list[Value]] | None:
        """Variable to its values, of `count` or `for`; None, with an error noted, when there are none."""
        count, loops = body.scalar("count"), body.map("for")
        if (count is None) == (loops is None):
            both = "has both 'count' and 'for'" if count is not None else "has neither 'count' nor 'for'"
            if (body.get("count") is None and body.get("for") is None) or count is not None:
                self.report.error("F011", key, f"group {shown(key.text)} {both}", "give one of them")
            return None
        if count is not None:
            count = self.scope.fill_scalar(count)
            number = None if count.dollar else read(count, COUNT, "'count'", self.report)
            return None if number is None else {"i": list(range(1, number + 1))}
        values = {name: self.loop(value) for name, _, value in (loops or body).items()}
        return {name: found for name, found in values.items() if found} if all(values.values()) else None

    def scaled(
        self, group: str, body: MapNode, key: Scalar, combinations: dict[str, list[Value]] | None
    ) -> dict[str, list[Value]] | None:
        """The combinations of a group that has another number of members now; None, with an error noted, when it cannot
        have another."""
        number = self.counts.get(group)
        if number is None or combinations is None:
            return combinations
        loops = body.map("for")
        ranges = [isinstance(value, Scalar) for _, _, value in loops.items()] if loops is not None else [True]
        variable, values = next(iter(combinations.items()), ("", []))
        if ranges != [True] or values[:1] != [1]:
            message = f"group {shown(group)} has no single number of members to change"
            self.report.error("F072", key, message, "'count' is one, or a single range from 1 under 'for'")
            return None
        pattern = body.scalar("name")
        for value in values[number:]:
            scope = self.scope.inside({variable: value, "group": group})
            default = default_name(group, (value,))
            self.absent.add(scope.fill_scalar(pattern).text if pattern is not None else default)
        return {variable: list(range(1, number + 1))}

    def loop(self, node: Node) -> list[Value]:
        """The values of one `for` variable: a range, or a list."""
        node = self.scope.fill(node)
        if isinstance(node, Scalar):
            found = None if node.dollar else read(node, FOR_RANGE, "the range", self.report)
            if found is not None and found[1] - found[0] >= self.room:
                self.too_many(found[1] - found[0] + 1, node)
                return []
            return list(range(found[0], found[1] + 1)) if found is not None else []
        items = node.items if isinstance(node, ListNode) else []
        texts = [item.text for item in items if isinstance(item, Scalar)]
        return [text if (number := whole(text)) is None else number for text in texts]

    def fits(self, combinations: dict[str, list[Value]], key: Scalar) -> bool:
        """Whether so many more nodes are allowed; found before they are made."""
        number = math.prod(len(values) for values in combinations.values())
        if len(self.places) + number > self.room:
            self.too_many(len(self.places) + number, key)
            return False
        return True

    def too_many(self, number: int, place: Node) -> None:
        self.report.error("F037", place, f"makes {number:,} nodes; allowed are {self.room:,}", "raise 'max_nodes'")

    def name(self, pattern: Scalar | None, default: str, key: Scalar, scope: Scope) -> str | None:
        """A member's name, None with an error noted when it cannot be used or is taken."""
        written = (
            scope.fill_scalar(pattern)
            if pattern is not None
            else Scalar(default, True, key.source, key.line, key.column)
        )
        if written.dollar:
            return None
        try:
            name = FARM_NAME.read(written)
        except BadValueError as exc:
            self.report.error("F016", written, exc.about("node name"), exc.hint)
            return None
        return name if self.claim(name, written) else None

    def claim(self, name: str, place: Node) -> bool:
        """Take a name for a node at `place`; an error when it is taken."""
        other = self.places.get(name)
        if other is None:
            self.places[name] = place
            return True
        same = (other.source, other.line, other.column) == (place.source, place.line, place.column)
        where = "by the same pattern" if same else f"at {other.source.name}:{other.line}"
        hint = "use the group's variables in 'name'" if same else ""
        self.report.error("F036", place, f"two nodes are called '{name}'; the first is made {where}", hint)
        return False

    def member(self, name: str, place: Node, group: MapNode, scope: Scope) -> Member | None:
        """One member of a group with what overrides it; None when it is taken out or has no usable kind."""
        override: MapNode | None = None
        if name in self.overrides:
            self.matched.add(name)
            key, node = self.overrides[name]
            if is_null(node):
                del self.places[name]
                return None
            override, place = (node if isinstance(node, MapNode) else None), key
        return self.make(name, place, group, override, scope)

    def single(self, name: str, key: Scalar, node: Node) -> Iterator[Member]:
        """A node of its own."""
        if key.dollar or read(key, FARM_NAME, "node name", self.report) is None or not self.claim(name, key):
            return
        if len(self.places) > self.room:
            self.too_many(len(self.places), key)
            return
        body = node if isinstance(node, MapNode) else empty_map(key)
        member = self.make(name, key, body, None, self.scope.inside({"name": name}))
        if member is not None:
            self.charge(member, 1, key)
            yield member

    def charge(self, member: Member, left: int, place: Node) -> None:
        """Count what a member will take to build. Raises `TooManyError`, with an error noted, when it and the `left`
        ones like it would be more than allowed."""
        weight = member.weight
        self.weighed += weight
        if self.weighed + weight * (left - 1) > MAX_WEIGHT:
            self.report.subject = ""
            message = f"the nodes have more than {MAX_WEIGHT:,} tags and registers together"
            self.report.error("F037", place, message, "make fewer nodes, or smaller ones")
            raise TooManyError

    def weight(self, body: MapNode) -> int:
        """Tags, register blocks and `${…}` of a body, or of all units."""
        known = self.weights.get(id(body))
        if known is None:
            inner = [found for name in TABLES if (found := body.map(name)) is not None]
            tags = list(tag_maps(body))
            known = (body, sum(len(found.entries) for found in inner) + sum(map(_tags, tags)) + count_dollars(body))
            if not inner and not tags and body.get("programs") is None:
                units = (value for _, _, value in body.items() if isinstance(value, MapNode))
                known = (body, sum(self.weight(unit) for unit in units))
            self.weights[id(body)] = known
        return known[1]

    def make(self, name: str, place: Node, group: MapNode, override: MapNode | None, scope: Scope) -> Member | None:
        """A node from its group's body (or its own) and an override, on top of what it inherits."""
        layers = [group] if override is None else [override, group]
        kind = next((found for layer in layers if (found := layer.scalar("kind"))), None)
        kind = kind or self.library.defaults.scalar("kind")
        if kind is None:
            if group.get("kind") is None:
                self.kindless(name, place)
            return None
        self.report.subject = name
        use = next((named for layer in layers if (named := layer.get("use"))), None)
        base = self.library.base(kind, use, scope)
        if base is None:
            return None
        inherited = self.inherited(base, group)
        body, units = scope.fill_map(inherited.body), inherited.units
        if override is not None:
            body = merge_maps(body, scope.fill_map(_without(override, _APART)))
            raw = [found for found in (inherited.raw_units, override.map("units")) if found is not None]
            units = self.library.units(raw[0] if len(raw) == 1 else merge_maps(*raw)) if raw else None
        weight = self.weight(inherited.body) + (self.weight(units) if units is not None else 0)
        grouped = scope.own.get("group")
        own = override if grouped is not None else group
        return Member(name, place, base.kind, body, units, scope, weight, str(grouped or ""), own)

    def inherited(self, base: Base, group: MapNode) -> "_Inherited":
        """The merged body of a group's members, made once for all that share kind and templates."""
        known = self.merged.get((id(base), id(group)))
        if known is None:
            body = merge_maps(base.body, group)
            raw = body.map("units")
            units = self.library.units(raw) if raw is not None else None
            known = _Inherited(base, group, _without(body, _APART), raw, units)
            self.merged[(id(base), id(group))] = known
        return known

    def kindless(self, name: str, place: Node) -> None:
        """The error for a node without a kind: most often the override of a member that does not exist."""
        hint = "; ".join(self.ranges[:3]) or "give it 'kind: logix', 'modbus' or 'gateway'"
        wrong = "overrides nothing and has no 'kind'" if self.ranges else "has no 'kind'"
        self.report.error("F035", place, f"node '{name}' {wrong}", hint)


def default_name(group: str, own: Sequence[Value]) -> str:
    """The name of a member whose group gives no pattern."""
    return "-".join(map(str, (group, *own)))


_APART = frozenset(("units", "count", "for", "use", "name", "extends"))
"""Keys of a body that are dealt with before the node is built."""


@dataclass(frozen=True, slots=True)
class _Inherited:
    base: Base
    group: MapNode
    body: MapNode
    raw_units: MapNode | None
    units: MapNode | None


def _tags(tags: MapNode) -> int:
    """Tags, with what is said of their members."""
    members = [entry.map("members") for _, (_, entry) in tags.entries.items() if isinstance(entry, MapNode)]
    return len(tags.entries) + sum(len(found.entries) for found in members if found is not None)


def _without(body: MapNode, names: frozenset[str]) -> MapNode:
    entries = {key: entry for key, entry in body.entries.items() if key not in names}
    return MapNode(entries, body.source, body.line, body.column)
