"""The tags of a node: from their maps in the tree to `TagConfig`.

Members of a group share most tags, and a tag that needed nothing filled in is one and the same map in all of them: it
is built and checked once, and only a signal's seed is each node's own.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field

from farm.topology.aliases import Alias, AliasResolver, Tags
from farm.topology.document import ListNode, MapNode, Node, Scalar, said_in, shown
from farm.topology.own_code import OwnCode
from farm.topology.problem import Report
from farm.topology.scalars import number, truth, whole
from farm.topology.shapes import take
from farm.topology.signals import SignalBuilder
from farm.topology.tag_keys import ENGINEERING_UNIT, RIGHTS, TAG_ADDRESS, TAG_PATH, TAG_TYPE, TRUTH
from farm.topology.types import Types
from node.config.model import ACCESS, PartConfig, TagConfig
from node.config.model import Scalar as TagValue
from node.config.schema import (
    MAX_ELEMENTS,
    Kind,
    Problem,
    check_name,
    identifier_fault,
    part_spots,
    root,
    tag_problems,
    takes_text,
)
from node.errors import ConfigError
from node.record import replace

_PLACES = {
    "initial": ("init", "F052"),
    "signal": ("signal", "F051"),
    "address": ("address", "F013"),
    "access": ("access", "F012"),
    "dimensions": ("type", "F050"),
    "parts": ("members", "F056"),
    "code": ("class", "F012"),
}
"""Field of a tag to its key in the file and the code of a fault in it."""

_NOT_OF_AN_ALIAS = (
    "type",
    "init",
    "signal",
    "on_write",
    "members",
    "writable",
    "access",
    "constant",
    "address",
    "class",
)


@dataclass(slots=True)
class TagBuilder:
    """Builds tags. `seed` is the plant's, `own_code` knows which of them may run code."""

    seed: int
    report: Report
    types: Types
    own_code: OwnCode
    signals: SignalBuilder = field(init=False)
    aliases: AliasResolver = field(init=False)
    _known: dict[tuple[int, str, bool], tuple[Node, TagConfig | None]] = field(default_factory=dict)
    _said: dict[tuple[Hashable, str, bool], TagConfig | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.signals = SignalBuilder(self.seed, self.report)
        self.aliases = AliasResolver(self.types, self.report)

    def tags(self, member: str, body: MapNode, packed: bool = False, programs: bool = True) -> Tags:
        """Name in lower case to (tag, its place), of a node's `tags` and, with `programs`, of those it has. `packed`
        lays BOOL arrays out in DWORDs."""
        found: Tags = {}
        aliases: list[Alias] = []
        for prefix, tags in self.scopes(body):
            for name, key, entry in tags.items() if programs or not prefix else ():
                if not isinstance(entry, MapNode):
                    continue
                written = entry.scalar("alias")
                tag = self.known(prefix + name, entry, key, packed)
                if tag is not None:
                    self.add(found, self.seeded(member, tag, entry), key)
                    if written is not None and found[tag.name.casefold()][1] is key:
                        aliases.append(Alias(tag.name, written, prefix))
        if aliases:
            self.aliases.resolve(found, aliases)
        return found

    def scopes(self, body: MapNode) -> Iterator[tuple[str, MapNode]]:
        """What stands before the names of a node's tags, and the tags: the node's own, then those of each program."""
        own = body.map("tags")
        if own is not None:
            yield "", own
        for name, _, program in self.program_bodies(body):
            tags = program.map("tags")
            if tags is not None:
                yield f"Program:{name}.", tags

    def program_bodies(self, body: MapNode) -> Iterator[tuple[str, Scalar, MapNode]]:
        """(name, key, body) of each program that can be."""
        programs = body.map("programs")
        seen: set[str] = set()
        for name, key, program in programs.items() if programs is not None else ():
            if "$" in name or not isinstance(program, MapNode):
                continue
            fault = identifier_fault(name, "program")
            if name.casefold() in seen:
                fault = f"program '{name}' is there already: case makes no difference"
            seen.add(name.casefold())
            if fault:
                self.report.error("F016", key, fault)
            else:
                yield name, key, program

    def known(self, name: str, entry: MapNode, key: Scalar, packed: bool) -> TagConfig | None:
        """The tag of a map, built once however many nodes share the map, or have one that says the same after it was
        filled in; one with faults is built for each of them, so that their number is known."""
        asked = (id(entry), name, packed)
        known = self._known.get(asked)
        if known is None:
            said = (said_in(entry), name, packed)
            tag = self._said.get(said)
            noted = self.report.noted
            known = (entry, tag or self.build(name, entry, key, packed))
            if self.report.noted == noted:
                self._known[asked] = known
                self._said[said] = known[1]
        return known[1]

    def add(self, found: Tags, tag: TagConfig, place: Node) -> None:
        """Add a tag to a node's, unless there is one of its name; tag names know no case."""
        lower = tag.name.casefold()
        if lower in found:
            other = found[lower][1]
            where = f"{other.source.name}, line {other.line}"
            self.report.error("F053", place, f"tag '{tag.name}' is there already ({where})", "give it another name")
            return
        found[lower] = (tag, place)

    def build(self, name: str, entry: MapNode, key: Scalar, packed: bool) -> TagConfig | None:
        """A tag as the file describes it; None, with errors noted, when it has no usable type. Of an alias the type
        follows from the tags of the node (`farm.topology.aliases`)."""
        if "$" in name or not self.named(name, key):
            return None
        if entry.get("alias") is not None:
            return self.alias(name, entry)
        if entry.get("type") is None:
            self.report.error("F011", entry, f"tag '{name}' has no 'type'", "such as REAL, DINT[10] or STRING")
            return None
        cip_type = take(entry, "type", TAG_TYPE, None, self.report)
        cip_type = self.types.resolve(cip_type, entry.get("type") or entry) if cip_type is not None else None
        if cip_type is None:
            return None
        tag = TagConfig(name, *cip_type, address=take(entry, "address", TAG_ADDRESS, None, self.report))
        return self.finish(tag, entry, packed)

    def named(self, name: str, place: Node) -> bool:
        """Whether a tag can have this name."""
        try:
            check_name(name, "")
        except ConfigError as exc:
            self.report.error("F016", place, exc.message)
            return False
        return True

    def alias(self, name: str, entry: MapNode) -> TagConfig | None:
        """Another name for a tag; it has nothing of its own but a unit."""
        text = take(entry, "alias", TAG_PATH, "", self.report)
        for key in _NOT_OF_AN_ALIAS:
            if entry.get(key) is not None:
                message = f"'{key}' is the business of what alias '{name}' names"
                self.report.error("F055", entry.key(key), message, "leave it out here")
        unit = take(entry, "unit", ENGINEERING_UNIT, "", self.report)
        return TagConfig(name, "", alias=text, unit=unit) if text else None

    def finish(self, tag: TagConfig, entry: MapNode, packed: bool) -> TagConfig:
        """A tag with what tags and register blocks have in common, checked."""
        if packed and tag.type == "BOOL" and len(tag.dimensions) == 1:
            tag = replace(tag, packed=True)
        whole_tag = root(tag, self.types.templates)
        tag = replace(
            tag,
            initial=self.initial(entry.get("init"), whole_tag.kind) if whole_tag is not None else None,
            signal=self.signals.signal(entry),
            access=self.access(entry),
            constant=take(entry, "constant", TRUTH, False, self.report),
            unit=take(entry, "unit", ENGINEERING_UNIT, "", self.report),
            code=self.own_code.of(tag.name, entry),
            parts=tuple(self.parts(tag, entry)),
        )
        for problem in tag_problems(tag, "", self.types.templates):
            self.misfit(problem, tag, entry)
        return tag

    def access(self, entry: MapNode) -> str:
        """`access`, or what `writable` says of it."""
        access = take(entry, "access", RIGHTS, "", self.report)
        writable = take(entry, "writable", TRUTH, None, self.report)
        if access and writable is not None and writable != (access == ACCESS[0]):
            message = f"'writable: {str(writable).lower()}' and 'access: {access}' contradict each other"
            self.report.error("F055", entry.key("writable"), message, "keep one of them")
        return access or (ACCESS[0] if writable is not False else ACCESS[1])

    def parts(self, tag: TagConfig, entry: MapNode) -> Iterator[PartConfig]:
        """What `members` says of members and elements."""
        members = entry.map("members")
        seen: set[str] = set()
        for path, key, body in members.items() if members is not None else ():
            if not isinstance(body, MapNode) or "$" in path:
                continue
            try:
                spot = next(part_spots(tag, path, self.types.templates))
            except ConfigError as exc:
                self.report.error("F056", key, f"tag '{tag.name}', {shown(path)}: {exc.message}")
                continue
            if not spot.path or spot.path in seen:
                what = f"{spot.path.lstrip('.')} is there already" if spot.path else f"{shown(path)} is no member"
                self.report.error("F056", key, f"tag '{tag.name}': {what}")
                continue
            seen.add(spot.path)
            yield PartConfig(path, self.initial(body.get("init"), spot.kind), self.signals.signal(body))

    def misfit(self, problem: Problem, tag: TagConfig, entry: MapNode) -> None:
        """Note what is wrong with a tag, at the key it concerns."""
        what, field_path = f"tag '{tag.name}'", problem.path.lstrip(".")
        body: MapNode | None = entry
        for part in tag.parts:
            rest = field_path.removeprefix(f"parts.{part.path}")
            if rest != field_path and rest in ("", ".initial", ".signal"):
                members = entry.map("members")
                body = members.map(part.path) if members is not None else None
                what, field_path = f"{what}, {shown(part.path)}", rest.lstrip(".")
        key, code = _PLACES.get(field_path, ("type", "F050"))
        place = body.get(key) if body is not None else None
        self.report.error(code, place or body or entry, f"{what}: {problem.message}")

    def initial(self, node: Node | None, kind: Kind) -> TagValue | tuple[TagValue, ...] | None:
        """`init`: one value, or one an element."""
        if node is None:
            return None
        if isinstance(node, ListNode):
            if len(node.items) > MAX_ELEMENTS:
                return None
            return tuple(value(item, kind) for item in node.items if isinstance(item, Scalar))
        return value(node, kind) if isinstance(node, Scalar) and not node.dollar else None

    def seeded(self, member: str, tag: TagConfig, entry: MapNode) -> TagConfig:
        """The tag with chance of its own, and so its members: made of the plant's seed, the node, the tag and the
        member's path."""
        if tag.signal is not None:
            signal = self.signals.seeded(tag.signal, entry, member, tag.name)
            if signal is not tag.signal:
                tag = replace(tag, signal=signal)
        if not tag.parts:
            return tag
        members = entry.map("members")
        parts = []
        for part in tag.parts:
            body = members.map(part.path) if members is not None else None
            signal = self.signals.seeded(part.signal, body, member, tag.name, part.path)
            parts.append(part if signal is part.signal else replace(part, signal=signal))
        return tag if all(map(_same, parts, tag.parts)) else replace(tag, parts=tuple(parts))


def _same(one: PartConfig, other: PartConfig) -> bool:
    return one is other


def value(scalar: Scalar, kind: Kind) -> TagValue:
    """An initial value as its tag's type wants it; what does not fit is left for the check to refuse."""
    text = scalar.text
    if takes_text(kind) or not scalar.plain:
        return text
    boolean = truth(text)
    if boolean is not None:
        return boolean
    integer = whole(text)
    if kind.name in ("REAL", "LREAL") or integer is None:
        real = number(text)
        return text if real is None else real
    return bool(integer) if kind.name == "BOOL" and integer in (0, 1) else integer
