"""The tags of a node: from their maps in the tree to `TagConfig`.

Members of a group share most tags, and a tag that needed nothing filled in is one and the same map in all of them: it
is built and checked once, and only a signal's seed is each node's own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from farm.topology.document import ListNode, MapNode, Node, Scalar
from farm.topology.keys import (
    ENGINEERING_UNIT,
    NUMBER,
    SEED,
    TAG_ADDRESS,
    TAG_TYPE,
    TIME,
    TRUTH,
    WRITES,
)
from farm.topology.problem import Report
from farm.topology.scalars import number, truth, whole
from farm.topology.shapes import read, take
from farm.topology.vocabulary import SIGNAL_NAME
from node.config.model import Scalar as TagValue
from node.config.model import SignalConfig, TagConfig
from node.config.schema import MAX_ELEMENTS, SECONDS, SIGNALS, TEXT_TYPES, check_name, stable_serial, tag_problems
from node.errors import ConfigError

_PLACES = {"initial": ("init", "F052"), "signal": ("signal", "F051"), "address": ("address", "F013")}
"""Field of a tag to its key in the file and the code of a fault in it."""


@dataclass(slots=True)
class TagBuilder:
    """Builds tags. `seed` is the plant's."""

    seed: int
    report: Report
    _known: dict[tuple[int, str], tuple[Node, TagConfig | None]] = field(default_factory=dict)

    def tags(self, member: str, body: MapNode) -> dict[str, tuple[TagConfig, Node]]:
        """Name in lower case to (tag, its place), of a node's `tags`."""
        found: dict[str, tuple[TagConfig, Node]] = {}
        tags = body.map("tags")
        for name, key, entry in tags.items() if tags is not None else ():
            if isinstance(entry, MapNode):
                tag = self.known(name, entry, key)
                if tag is not None:
                    self.add(found, self.seeded(member, tag, entry), key)
        return found

    def known(self, name: str, entry: MapNode, key: Scalar) -> TagConfig | None:
        """The tag of a map, built once however many nodes share the map; one with faults is built for each of them, so
        that their number is known."""
        known = self._known.get((id(entry), name))
        if known is None:
            noted = self.report.noted
            known = (entry, self.build(name, entry, key))
            if self.report.noted == noted:
                self._known[(id(entry), name)] = known
        return known[1]

    def add(self, found: dict[str, tuple[TagConfig, Node]], tag: TagConfig, place: Node) -> None:
        """Add a tag to a node's, unless there is one of its name; tag names know no case."""
        lower = tag.name.casefold()
        if lower in found:
            other = found[lower][1]
            where = f"{other.source.name}, line {other.line}"
            self.report.error("F053", place, f"tag '{tag.name}' is there already ({where})", "give it another name")
            return
        found[lower] = (tag, place)

    def build(self, name: str, entry: MapNode, key: Scalar) -> TagConfig | None:
        """A tag as the file describes it; None, with errors noted, when it has no usable type."""
        if "$" in name or not self.named(name, key):
            return None
        if entry.get("type") is None:
            self.report.error("F011", entry, f"tag '{name}' has no 'type'", "such as REAL, DINT[10] or STRING")
            return None
        cip_type = take(entry, "type", TAG_TYPE, None, self.report)
        if cip_type is None:
            return None
        tag = TagConfig(name, *cip_type, address=take(entry, "address", TAG_ADDRESS, None, self.report))
        return self.finish(tag, entry)

    def named(self, name: str, place: Node) -> bool:
        """Whether a tag can have this name."""
        try:
            check_name(name, "")
        except ConfigError as exc:
            self.report.error("F016", place, exc.message)
            return False
        return True

    def finish(self, tag: TagConfig, entry: MapNode) -> TagConfig:
        """A tag with what tags and register blocks have in common, checked."""
        tag = replace(
            tag,
            initial=self.initial(entry.get("init"), tag.type),
            signal=self.signal(entry),
            access="read/write" if take(entry, "writable", TRUTH, True, self.report) else "read only",
            unit=take(entry, "unit", ENGINEERING_UNIT, "", self.report),
        )
        for problem in tag_problems(tag, "", {}):
            key, code = _PLACES.get(problem.path.lstrip("."), ("type", "F050"))
            self.report.error(code, entry.get(key) or entry, f"tag '{tag.name}': {problem.message}")
        return tag

    def initial(self, node: Node | None, cip_type: str) -> TagValue | tuple[TagValue, ...] | None:
        """`init`: one value, or one an element."""
        if node is None:
            return None
        if isinstance(node, ListNode):
            if len(node.items) > MAX_ELEMENTS:
                return None
            return tuple(value(item, cip_type) for item in node.items if isinstance(item, Scalar))
        return value(node, cip_type) if isinstance(node, Scalar) and not node.dollar else None

    def signal(self, entry: MapNode) -> SignalConfig | None:
        """The signal of a tag, without a seed of the node's own."""
        signal = entry.map("signal")
        entries = list(signal.items()) if signal is not None else []
        if signal is None or not entries:
            return None
        if len(entries) > 1:
            names = ", ".join(name for name, _, _ in entries)
            self.report.error("F051", signal, f"a tag has one signal, not {len(entries)}: {names}")
            return None
        written, key, parameters = entries[0]
        name = written.lower()
        if name not in SIGNALS:
            if key.filled:
                read(key, SIGNAL_NAME, "the signal", self.report)
            return None
        body = parameters if isinstance(parameters, MapNode) else None
        return SignalConfig(
            name,
            tuple(self.parameters(name, body)),
            take(body, "seed", SEED, 0, self.report),
            take(entry, "on_write", WRITES, "overwrite", self.report),
        )

    def parameters(self, name: str, body: MapNode | None) -> Iterator[tuple[str, float]]:
        """The parameters that are given, in the signal's own order."""
        for parameter in SIGNALS[name].parameters:
            if body is not None and body.get(parameter.name) is not None:
                shape = TIME if parameter.unit == SECONDS else NUMBER
                given = take(body, parameter.name, shape, None, self.report)
                if given is not None:
                    yield parameter.name, given

    def seeded(self, member: str, tag: TagConfig, entry: MapNode) -> TagConfig:
        """The tag with chance of its own: made of the plant's seed, the node and the tag, unless the file gives one."""
        signal = tag.signal
        if signal is None or not SIGNALS[signal.kind].seeded:
            return tag
        waves = entry.map("signal")
        parameters = waves.map(signal.kind) if waves is not None else None
        if parameters is not None and parameters.get("seed") is not None:
            return tag
        seed = stable_serial(str(self.seed), member, tag.name)
        return replace(tag, signal=replace(signal, seed=seed))


def value(scalar: Scalar, cip_type: str) -> TagValue:
    """An initial value as its tag's type wants it; what does not fit is left for the check to refuse."""
    text = scalar.text
    if cip_type in TEXT_TYPES or not scalar.plain:
        return text
    boolean = truth(text)
    if boolean is not None:
        return boolean
    integer = whole(text)
    if cip_type in ("REAL", "LREAL"):
        real = number(text)
        return text if real is None else real
    if integer is None:
        real = number(text)
        return text if real is None else real
    return bool(integer) if cip_type == "BOOL" and integer in (0, 1) else integer
