"""A YAML document as a tree in which every value knows where it stands.

Plain dicts and lists would lose the line, the quotes and the difference between `1.10` and 1.1; every message of this
package needs the first, and every conversion one of the others.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field

from farm.topology.plant import Origin

NULLS = frozenset(("", "~", "null", "Null", "NULL"))


@dataclass(slots=True, eq=False)
class Source:
    """One file: its path as shown to people, and its lines for excerpts."""

    name: str
    lines: list[str] = field(default_factory=list, repr=False)


@dataclass(slots=True, eq=False)
class Scalar:
    """A text as written. `plain` is without quotes; `filled` says that it came out of a `${…}`, so that quotes
    (which `${…}` needs inside braces) no longer tell a text from a number. `line` and `column` count from 1."""

    text: str
    plain: bool
    source: Source
    line: int
    column: int
    filled: bool = False

    @property
    def is_null(self) -> bool:
        return self.plain and not self.filled and self.text in NULLS

    @property
    def dollar(self) -> bool:
        """Whether it may need substitution."""
        return not self.filled and "$" in self.text


@dataclass(slots=True, eq=False)
class ListNode:
    """A YAML sequence."""

    items: list["Node"]
    source: Source
    line: int
    column: int
    _dollar: bool | None = None

    @property
    def dollar(self) -> bool:
        if self._dollar is None:
            self._dollar = any(item.dollar for item in self.items)
        return self._dollar


@dataclass(slots=True, eq=False)
class MapNode:
    """A YAML mapping: key text to (the key as written, its value). `exclusive` maps hold one alternative of several
    (a signal's waveform): another alternative replaces it instead of joining it."""

    entries: dict[str, tuple[Scalar, "Node"]]
    source: Source
    line: int
    column: int
    exclusive: bool = False
    _dollar: bool | None = None
    _values: int = 0

    @property
    def dollar(self) -> bool:
        if self._dollar is None:
            self._dollar = any("$" in key or value.dollar for key, (_, value) in self.entries.items())
        return self._dollar

    def get(self, key: str) -> "Node | None":
        """The value of a key; None when it is missing or null."""
        entry = self.entries.get(key)
        if entry is None or (isinstance(entry[1], Scalar) and entry[1].is_null):
            return None
        return entry[1]

    def map(self, key: str) -> "MapNode | None":
        """The value of a key when it is a map."""
        entry = self.entries.get(key)
        return entry[1] if entry is not None and isinstance(entry[1], MapNode) else None

    def scalar(self, key: str) -> Scalar | None:
        """The value of a key when it is a scalar."""
        entry = self.entries.get(key)
        return entry[1] if entry is not None and isinstance(entry[1], Scalar) and not entry[1].is_null else None

    def key(self, key: str) -> Scalar:
        """The key itself, as a place for messages."""
        return self.entries[key][0]

    def items(self) -> Iterator[tuple[str, Scalar, "Node"]]:
        """(key text, key, value) of each entry whose value is not null."""
        for text, (key, value) in self.entries.items():
            if not is_null(value):
                yield text, key, value


Node = Scalar | ListNode | MapNode


def is_null(node: Node) -> bool:
    """Whether a value is YAML's null, which in a plant file means: not here, not even if inherited."""
    return isinstance(node, Scalar) and node.is_null


def said_in(node: Node) -> Hashable:
    """What a tree says, without where it stands: equal for two that come to the same."""
    if isinstance(node, Scalar):
        return node.text, node.plain, node.filled
    if isinstance(node, MapNode):
        return tuple([(key, said_in(value)) for key, (_, value) in node.entries.items()])
    return (None, *map(said_in, node.items))


def count_values(node: Node) -> int:
    """How many values a tree has; a map's is counted once."""
    if isinstance(node, MapNode):
        if not node._values:
            node._values = 1 + sum(count_values(value) for _, value in node.entries.values())
        return node._values
    return len(node.items) + 1 if isinstance(node, ListNode) else 1


def count_dollars(node: Node) -> int:
    """How many values and keys of a tree need substitution."""
    if not node.dollar:
        return 0
    if isinstance(node, MapNode):
        return sum(("$" in key) + count_dollars(value) for key, (_, value) in node.entries.items())
    return sum(map(count_dollars, node.items)) if isinstance(node, ListNode) else 1


def origin(node: Node) -> Origin:
    """The place of a value, as a plant keeps it."""
    return Origin(node.source.name, node.line, node.column)


def kind_of(node: Node) -> str:
    """What a value is, in words for a message."""
    if isinstance(node, MapNode):
        return "a map"
    if isinstance(node, ListNode):
        return "a list"
    return "nothing" if node.is_null else shown(node.text)


def shown(text: str, limit: int = 60) -> str:
    """A text of the file in a message: quoted, without control characters, cut when long."""
    quoted = repr(text)
    return quoted if len(quoted) <= limit else f"{quoted[: limit - 2]}…'"
