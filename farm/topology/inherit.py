"""What a node inherits: defaults, then its kind and what that extends, then its templates in the order of `use`.

Done before any `${…}` is filled in and once for all nodes that share kind and templates, so that a group of thousands
costs one merge.
"""

from dataclasses import dataclass, field

from farm.topology.document import ListNode, MapNode, Node, Scalar, count_values, shown
from farm.topology.keys import UNIT
from farm.topology.merge import merge_maps
from farm.topology.problem import Place, Report, TooManyError, suggestion
from farm.topology.substitute import Scope
from node.config.schema import KINDS

OF_UNITS = tuple(key.name for key in UNIT.keys if key.name != "use")
"""Keys that a template for a Modbus unit may have."""

MAX_CHAIN = 20
"""Kinds that extend one another in a row."""

MAX_USE = 50
"""Templates of one node."""

MAX_MERGED = 500_000
"""Values that all merging of kinds and templates may touch."""


@dataclass(frozen=True, slots=True)
class Base:
    """What comes of a kind and templates: the built-in kind and the merged body, not yet filled in."""

    kind: str
    body: MapNode


def empty_map(place: Node | Place) -> MapNode:
    """A map without entries."""
    return MapNode({}, place.source, place.line, place.column)


@dataclass(slots=True)
class Library:
    """The `defaults`, `kinds` and `templates` of a plant."""

    defaults: MapNode
    kinds: MapNode
    templates: MapNode
    report: Report
    merged: int = 0
    _bases: dict[tuple[str, tuple[str, ...]], Base | None] = field(default_factory=dict)

    @classmethod
    def of(cls, root: MapNode, report: Report) -> "Library":
        """The library of a plant's tree; also finds faults in kinds that no node uses."""
        empty = empty_map(root)
        defaults, kinds, templates = (root.map(name) or empty for name in ("defaults", "kinds", "templates"))
        library = cls(defaults, kinds, templates, report)
        for name, key, _ in library.kinds.items():
            if name in KINDS:
                report.error("F016", key, f"kind '{name}' is built in", "give yours another name and extend it")
            else:
                library.chain(name, key)
        for _, _, template in library.templates.items():
            if isinstance(template, MapNode) and (units := template.map("units")) is not None:
                library.units(units)
        return library

    def base(self, kind: Scalar, use: Node | None, scope: Scope) -> Base | None:
        """What a node of `kind` that uses these templates inherits; None, with an error noted, when it cannot."""
        kind = scope.fill_scalar(kind)
        used = scope.fill(use) if use is not None else None
        items = used.items if isinstance(used, ListNode) else []
        if len(items) > MAX_USE:
            self.report.error("F037", items[0], f"uses {len(items)} templates; allowed are {MAX_USE}")
            return None
        names = [item for item in items if isinstance(item, Scalar)]
        if kind.dollar or any(item.dollar for item in names):
            return None
        known = (kind.text, tuple(item.text for item in names))
        if known not in self._bases:
            self._bases[known] = self._base(kind, names)
        elif self._bases[known] is None:
            self._base(kind, names)
        return self._bases[known]

    def _base(self, kind: Scalar, names: list[Scalar]) -> Base | None:
        built_in, layers = self.chain(kind.text, kind)
        layers = [self.defaults, *layers, *self.used(names)]
        self.merged += sum(map(count_values, layers))
        if self.merged > MAX_MERGED:
            self.report.error("F037", kind, f"merging kinds and templates touches more than {MAX_MERGED:,} values")
            raise TooManyError
        if not built_in:
            return None
        body = empty_map(kind)
        for layer in layers:
            body = merge_maps(body, layer)
        return Base(built_in, body)

    def chain(self, name: str, place: Node) -> tuple[str, list[MapNode]]:
        """The built-in kind that a kind comes to ("" with an error noted), and its layers from the root up."""
        layers: list[MapNode] = []
        names: list[str] = []
        while name not in KINDS:
            if len(names) == MAX_CHAIN:
                self.report.error("F031", place, f"kinds extend each other more than {MAX_CHAIN} deep")
                return "", []
            body = self.kinds.map(name)
            if name in names:
                circle = " -> ".join([*names[names.index(name) :], name])
                self.report.error("F031", place, f"kinds extend each other in a circle: {circle}")
                return "", []
            if body is None:
                known = [*KINDS, *self.kinds.entries]
                hint = suggestion(name, known) or f"known: {', '.join(known[:20])}"
                self.report.error("F030", place, f"kind {shown(name)} is unknown", hint)
                return "", []
            names.append(name)
            layers.insert(0, body)
            extends = body.scalar("extends")
            if extends is None:
                return "", []
            name, place = extends.text, extends
        return name, layers

    def used(self, names: list[Scalar]) -> list[MapNode]:
        """The templates of a `use`, in its order."""
        layers: list[MapNode] = []
        for item in names:
            template = self.templates.map(item.text)
            if template is None and self.templates.get(item.text) is None:
                known = list(self.templates.entries)
                hint = suggestion(item.text, known) or (f"known: {', '.join(known[:20])}" if known else "")
                self.report.error("F032", item, f"template {shown(item.text)} is unknown", hint)
            elif template is not None:
                layers.append(template)
        return layers

    def units(self, units: MapNode) -> MapNode:
        """The `units` of a body, each with the register blocks of the templates it uses."""
        entries = dict(units.entries)
        for unit, key, value in units.items():
            if isinstance(value, MapNode) and isinstance(use := value.get("use"), ListNode):
                merged = empty_map(value)
                for template in self.used([item for item in use.items if isinstance(item, Scalar)]):
                    merged = merge_maps(merged, self.blocks_only(template, use))
                entries[unit] = (key, merge_maps(merged, value))
        return MapNode(entries, units.source, units.line, units.column)

    def blocks_only(self, template: MapNode, use: Node) -> MapNode:
        """A template as a unit may use it: register blocks, files and the like, and nothing else."""
        for text, _, _ in template.items():
            if text not in OF_UNITS:
                hint = f"a unit takes {', '.join(OF_UNITS[:-1])} and {OF_UNITS[-1]}"
                self.report.error("F010", use, f"a template for a unit cannot have {shown(text)}", hint)
                return empty_map(template)
        return template
