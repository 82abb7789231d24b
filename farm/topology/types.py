"""The types of a plant's own: read once for all nodes, put in an order in which each comes after what it is made of.

A type may be declared before or after those it holds, in this file or another. A node gets the ones its tags use and no
more, so that adding a type restarts nobody who does not use it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from farm.topology.document import MapNode, Node, Scalar, shown
from farm.topology.problem import Report
from farm.topology.shapes import read, take
from farm.topology.structure import MEMBER_TYPE, STRING_KEY, STRING_LENGTH, is_string
from farm.topology.tag_keys import TAG_TYPE
from farm.topology.vocabulary import Type
from node.config.model import MemberConfig, TypeConfig
from node.config.schema import MAX_TYPES, TYPES, Template, check_type, identifier_fault, lay_out_types, type_name_fault
from node.errors import ConfigError

MAX_NESTING = 32
"""Types that contain each other in a row."""

MAX_NAMED = 200
"""Types that a message looks through for the one that was meant."""


@dataclass(slots=True)
class Types:
    """`configs` are the types that can be had, in order, by name without case, `templates` what they come to, `places`
    the dotted path of each and of its members (`types.Motor.members.Speed`) to where it stands. Tags of a type in
    `broken` need no further message."""

    report: Report
    configs: dict[str, TypeConfig] = field(default_factory=dict)
    templates: Mapping[str, Template] = field(default_factory=dict)
    places: dict[str, Node] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    _used: dict[frozenset[str], tuple[TypeConfig, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, declared: MapNode | None, report: Report) -> "Types":
        """The types of a plant's `types`, filled in; every fault is noted."""
        types = cls(report)
        if declared is not None and len(declared.entries) > MAX_TYPES:
            report.error("F037", declared, f"{len(declared.entries):,} types; allowed are {MAX_TYPES:,}")
            types.broken.update(name.casefold() for name in declared.entries)
            return types
        found: dict[str, TypeConfig] = {}
        for name, key, body in declared.items() if declared is not None else ():
            if isinstance(body, MapNode) and types.named(name, key, found):
                config = types.config(name, key, body)
                found[name.casefold()] = config
        types.order(found)
        return types

    def named(self, name: str, key: Scalar, found: dict[str, TypeConfig]) -> bool:
        """Whether a type can have this name."""
        fault = type_name_fault(name)
        if name.casefold() in found:
            fault = f"type '{name}' is there already, as '{found[name.casefold()].name}'"
        if fault:
            self.report.error("F016", key, fault)
            self.broken.add(name.casefold())
        return not fault

    def config(self, name: str, key: Scalar, body: MapNode) -> TypeConfig:
        """One type as the file describes it; members of no type are left out, and the type is broken."""
        self.places[f"types.{name}"] = key
        if is_string(body):
            self.places[f"types.{name}.string"] = body.entries[STRING_KEY][1]
            return TypeConfig(name, string=take(body, STRING_KEY, STRING_LENGTH, 1, self.report))
        members: list[MemberConfig] = []
        for member, written, value in body.items():
            self.places[f"types.{name}.members.{member}"] = written
            fault = identifier_fault(member, "member")
            if fault:
                self.report.error("F016", written, fault)
            kind = read(value, MEMBER_TYPE, f"member '{member}'", self.report) if isinstance(value, Scalar) else None
            if fault or kind is None:
                self.broken.add(name.casefold())
            else:
                members.append(MemberConfig(member, kind[0], kind[1][0] if kind[1] else 0))
        return TypeConfig(name, tuple(members))

    def order(self, found: dict[str, TypeConfig]) -> None:
        """Take each type after those it is made of."""
        for lower in found:
            self.visit(lower, found, [])
        self.templates, faults = lay_out_types(tuple(self.configs.values()))
        for path, message in faults:
            lower = path.split(".")[1].casefold()
            if lower not in self.broken:
                self.report.error("F057", self.places[path], f"type '{path.split('.')[1]}': {message}")
                self.broken.add(lower)
                del self.configs[lower]

    def visit(self, lower: str, found: dict[str, TypeConfig], trail: list[str]) -> None:
        """Take a type after its members' types; `trail` are those that led here."""
        if lower in self.configs or lower in self.broken:
            return
        config = found[lower]
        if len(trail) == MAX_NESTING:
            place = self.places[f"types.{config.name}"]
            self.report.error("F057", place, f"types contain each other more than {MAX_NESTING} deep")
            self.broken.add(lower)
            return
        members: list[MemberConfig] = []
        for member in config.members:
            spelt = self.spelling(member.type, found, self.places[f"types.{config.name}.members.{member.name}"])
            inner = spelt.casefold()
            if inner == lower or inner in trail:
                circle = [*trail[trail.index(inner) if inner in trail else len(trail) :], lower, inner]
                names = " -> ".join(found[each].name for each in circle)
                place = self.places[f"types.{config.name}.members.{member.name}"]
                self.report.error("F057", place, f"types contain each other in a circle: {names}")
                self.broken.add(lower)
            elif inner in found or inner in self.broken:
                self.visit(inner, found, [*trail, lower])
            if not spelt or inner in self.broken:
                self.broken.add(lower)
            members.append(MemberConfig(member.name, spelt, member.length))
        if lower not in self.broken:
            self.configs[lower] = TypeConfig(config.name, tuple(members), config.string)

    def spelling(self, name: str, found: dict[str, TypeConfig], place: Node) -> str:
        """A type's name as it is declared, "" with an error noted for one that is not."""
        if name in TYPES:
            return name
        lower = name.casefold()
        if lower in self.broken:
            return name
        if lower in found:
            return found[lower].name
        return self.built_in(name, place)

    def resolve(self, kind: Type, place: Node) -> Type | None:
        """A tag's type with its name as it is declared; None, with an error noted, for one that is not."""
        name, dimensions = kind
        if name in TYPES:
            return kind
        known = self.configs.get(name.casefold())
        if known is not None:
            return known.name, dimensions
        spelt = self.built_in(name, place) if name.casefold() not in self.broken else ""
        return (spelt, dimensions) if spelt else None

    def built_in(self, name: str, place: Node) -> str:
        """The spelling of a type that every controller has, "" with an error noted for one that none has."""
        own = [config.name for config in self.configs.values()]
        try:
            return check_type(name, "", own[:MAX_NAMED])
        except ConfigError as exc:
            self.report.error("F050", place, exc.message)
            return ""

    def used(self, names: Iterable[str]) -> tuple[TypeConfig, ...]:
        """The types that tags of these types need, each after those it is made of."""
        wanted = frozenset(lower for name in names if (lower := name.casefold()) in self.configs)
        if wanted not in self._used:
            needed = set(wanted)
            for lower, config in reversed(self.configs.items()):
                if lower in needed:
                    needed.update(member.type.casefold() for member in config.members)
            self._used[wanted] = tuple(config for lower, config in self.configs.items() if lower in needed)
        return self._used[wanted]

    def check_tags(self, root: MapNode) -> None:
        """Find types of tags that are not declared, also in templates and kinds that no node uses."""
        for body in _bodies(root):
            for entry in _tag_entries(body):
                written = entry.scalar("type") if isinstance(entry, MapNode) else None
                if written is not None and not written.dollar and written.text not in TYPES:
                    kind = read(written, TAG_TYPE, shown(written.text), self.report)
                    if kind is not None:
                        self.resolve(kind, written)


def _bodies(root: MapNode) -> Iterator[MapNode]:
    """Everything that may hold tags: defaults, kinds, templates, groups, nodes."""
    defaults = root.map("defaults")
    if defaults is not None:
        yield defaults
    for section in ("kinds", "templates", "groups", "nodes"):
        found = root.map(section)
        for _, _, body in found.items() if found is not None else ():
            if isinstance(body, MapNode):
                yield body


def _tag_entries(body: MapNode) -> Iterator[Node]:
    for tags in tag_maps(body):
        for _, _, entry in tags.items():
            yield entry


def tag_maps(body: MapNode) -> Iterator[MapNode]:
    """The `tags` of a node's body, then those of its programs."""
    own = body.map("tags")
    if own is not None:
        yield own
    programs = body.map("programs")
    for _, _, program in programs.items() if programs is not None else ():
        tags = program.map("tags") if isinstance(program, MapNode) else None
        if tags is not None:
            yield tags
