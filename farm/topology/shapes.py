"""What a value of a plant file may be when it is not a single one: lists, maps, sections, and what comes later.

A shape checks a value as written (`check`), before anything is inherited or filled in, so that a fault in a template is
found once and where it stands, also when no node uses it. It says the same in JSON Schema (`schema`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from farm.topology.arithmetic import ExpressionError
from farm.topology.document import ListNode, MapNode, Node, Scalar, is_null, kind_of, shown
from farm.topology.problem import Report, suggestion
from farm.topology.scalars import BadValueError, JsonSchema, ScalarShape
from farm.topology.substitute import compile_text

T = TypeVar("T")


class Shape(Protocol):
    """A kind of value, single or not."""

    @property
    def wanted(self) -> str:
        """The kind in words, for messages and the reference."""

    def check(self, node: Node, where: str, report: Report) -> None:
        """Note every fault of `node`, which messages call `where`."""

    def schema(self) -> JsonSchema:
        """The same rule as JSON Schema."""


@dataclass(frozen=True)
class One:
    """A single value."""

    scalar: ScalarShape[object]

    @property
    def wanted(self) -> str:
        return self.scalar.wanted

    def check(self, node: Node, where: str, report: Report) -> None:
        if not isinstance(node, Scalar):
            report.error("F012", node, f"{where} is {kind_of(node)}; wanted {self.wanted}")
        elif node.dollar:
            _check_expression(node, report)
        elif not node.is_null:
            read(node, self.scalar, where, report)

    def schema(self) -> JsonSchema:
        return self.scalar.schema()


def read(node: Scalar, shape: ScalarShape[T], where: str, report: Report) -> T | None:
    """The value of a scalar, None with an error noted when it has none."""
    try:
        return shape.read(node)
    except BadValueError as exc:
        report.error(exc.code, node, exc.about(where), exc.hint)
        return None


def take(body: MapNode | None, key: str, shape: ScalarShape[T], default: T, report: Report) -> T:
    """The value of a key of a map that was checked and filled in; `default` when it is missing or of no use."""
    if body is None or key not in body.entries:  # as nearly always
        return default
    node = body.scalar(key)
    if node is None or node.dollar:
        return default
    try:
        return shape.read(node)
    except BadValueError as exc:
        report.error(exc.code, node, exc.about(f"'{key}'"), exc.hint)
        return default


def _check_expression(node: Scalar, report: Report) -> None:
    """What a `${…}` will be is not known yet; that it can be read is."""
    try:
        compile_text(node.text)
    except ExpressionError as exc:
        report.error("F020", node, f"{shown(node.text)}: {exc}")


@dataclass(frozen=True)
class ListOf:
    """A list of single values; one alone needs no brackets."""

    item: ScalarShape[object]

    @property
    def wanted(self) -> str:
        return f"a list; each {self.item.wanted}"

    def check(self, node: Node, where: str, report: Report) -> None:
        if isinstance(node, MapNode):
            report.error("F012", node, f"{where} is a map; wanted {self.wanted}")
            return
        for item in node.items if isinstance(node, ListNode) else [node]:
            One(self.item).check(item, where, report)

    def schema(self) -> JsonSchema:
        item = self.item.schema()
        return {"anyOf": [item, {"type": "array", "items": item}]}


@dataclass(frozen=True)
class AnyValue:
    """Whatever YAML can say; what it means is decided elsewhere."""

    wanted: str = "a value, a list or a map"

    def check(self, node: Node, where: str, report: Report) -> None:
        inner: list[Node] = [node]
        while inner:
            value = inner.pop()
            if isinstance(value, Scalar):
                if value.dollar:
                    _check_expression(value, report)
            else:
                inner += value.items if isinstance(value, ListNode) else [each for _, each in value.entries.values()]

    def schema(self) -> JsonSchema:
        return {}


@dataclass(frozen=True)
class MapOf:
    """A map whose keys are chosen by the file. `what` is one entry in words; `named` rules its key."""

    value: Shape
    what: str
    named: ScalarShape[object] | None = None

    @property
    def wanted(self) -> str:
        return f"a map: {self.what} to {self.value.wanted}"

    def check(self, node: Node, where: str, report: Report) -> None:
        if not isinstance(node, MapNode):
            report.error("F012", node, f"{where} is {kind_of(node)}; wanted {self.wanted}")
            return
        for text, (key, value) in node.entries.items():
            here = f"{self.what} {shown(text)}"
            if self.named is not None and "$" not in text:
                read(key, self.named, here, report)
            if not is_null(value):
                self.value.check(value, here, report)

    def schema(self) -> JsonSchema:
        value: JsonSchema = {"anyOf": [self.value.schema(), {"type": "null"}]}
        return {"type": ["object", "null"], "additionalProperties": value}


@dataclass(frozen=True)
class NotYet:
    """A key of a later release: known, and refused with one clear message."""

    what: str
    hint: str = "leave it out in this release"

    @property
    def wanted(self) -> str:
        return "nothing yet"

    def check(self, node: Node, where: str, report: Report) -> None:
        report.error("F014", node, f"{where}: {self.what} are not there yet", self.hint)

    def schema(self) -> JsonSchema:
        return {"not": {}, "description": f"{self.what}: not in this release"}


@dataclass(frozen=True)
class Key:
    """A key of a section: what it takes, what it means and what it is when left out, as the reference prints it."""

    name: str
    shape: Shape
    meaning: str
    default: str = ""
    required: bool = False


@dataclass(frozen=True)
class Section:
    """A map with known keys. `name` is its heading in the reference and its `$defs` entry in the schema."""

    name: str
    title: str
    keys: tuple[Key, ...]
    _by_name: dict[str, Key] = field(default_factory=dict, compare=False, repr=False)

    @property
    def wanted(self) -> str:
        return f"a map, see {self.name}"

    @property
    def by_name(self) -> dict[str, Key]:
        """The keys by name."""
        if not self._by_name:
            self._by_name.update({key.name: key for key in self.keys})
        return self._by_name

    def check(self, node: Node, where: str, report: Report) -> None:
        if not isinstance(node, MapNode):
            report.error("F012", node, f"{where} is {kind_of(node)}; wanted a map with {self._some()}")
            return
        for text, (written, value) in node.entries.items():
            key = self.by_name.get(text)
            if key is None:
                hint = suggestion(text, self.by_name) or f"known: {self._some()}"
                if text == "<<":
                    hint = "YAML merge keys are not known here; use templates"
                report.error("F010", written, f"unknown key {shown(text)} in {where}", hint)
            elif isinstance(key.shape, NotYet):
                key.shape.check(written, f"'{text}' in {where}", report)
            elif not is_null(value):
                inner = where if isinstance(key.shape, MapOf) else f"'{text}' in {where}"
                key.shape.check(value, inner, report)
        for key in self.keys:
            if key.required and node.get(key.name) is None:
                report.error("F011", node, f"{where} has no '{key.name}'", key.meaning)

    def schema(self) -> JsonSchema:
        return {"$ref": f"#/$defs/{self.name}"}

    def definition(self) -> JsonSchema:
        """The `$defs` entry: the same keys, nothing else."""
        properties = {key.name: self._property(key) for key in self.keys}
        definition: JsonSchema = {"type": "object", "properties": properties, "additionalProperties": False}
        required = [key.name for key in self.keys if key.required]
        return {**definition, "required": required} if required else definition

    def _property(self, key: Key) -> JsonSchema:
        if isinstance(key.shape, NotYet):
            return key.shape.schema()
        described: JsonSchema = {"description": key.meaning}
        return {**described, "anyOf": [key.shape.schema(), {"type": "null"}]}

    def _some(self) -> str:
        names = [key.name for key in self.keys if not isinstance(key.shape, NotYet)]
        return ", ".join(names[:12]) + (" …" if len(names) > 12 else "")


@dataclass(frozen=True)
class ShortOr:
    """A single value as the short form of a map with known keys; with `many`, also a list of single values."""

    short: ScalarShape[object]
    section: Section
    many: bool = False

    @property
    def wanted(self) -> str:
        return f"{self.short.wanted}, or {self.section.wanted}"

    def check(self, node: Node, where: str, report: Report) -> None:
        if isinstance(node, MapNode):
            self.section.check(node, where, report)
        elif isinstance(node, ListNode) and self.many:
            ListOf(self.short).check(node, where, report)
        else:
            One(self.short).check(node, where, report)

    def schema(self) -> JsonSchema:
        short = ListOf(self.short).schema() if self.many else self.short.schema()
        return {"anyOf": [short, self.section.schema()]}


def sections(shape: Shape) -> Iterator[Section]:
    """Every section reachable from a shape, each once."""
    seen: set[str] = set()
    open_shapes = [shape]
    while open_shapes:
        current = open_shapes.pop(0)
        if isinstance(current, MapOf):
            open_shapes.append(current.value)
        elif isinstance(current, ShortOr):
            open_shapes.append(current.section)
        elif isinstance(current, Section) and current.name not in seen:
            seen.add(current.name)
            yield current
            open_shapes += [key.shape for key in current.keys]
