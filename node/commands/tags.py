"""Tags as plain JSON values: what they are, what they hold, and writing them.

A path goes on behind a tag's name as in any client: `Tank1.Level`, `Line[3].Motor.Run`, `Word.3`, `Grid[1,2]`. One
index counts through all dimensions, and through the BOOLs of an array of them.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from node.cip.status import ATTRIBUTE_NOT_SETTABLE, INVALID_ATTRIBUTE_VALUE, CipError
from node.cip.template import Template
from node.commands.errors import CommandError
from node.commands.values import shown, value_of
from node.config.model import Json, TagConfig
from node.config.places import Spot, find, root
from node.config.tag_check import split_path
from node.errors import ConfigError
from node.memory.attribute import Attribute, Value
from node.memory.hooks import HookWaits
from node.memory.part import Part
from node.memory.place import Place
from node.memory.structured import StructuredAttribute
from node.memory.tag_gate import onlooking
from node.memory.tags import TagTable
from node.record import dataclass
from node.tag_memory import NO_TEMPLATES, tag_place

LISTED = 100
"""Elements of an array that a list of all tags shows."""

ASKED = 10_000
"""Elements that one command reads or writes."""

BY_NAME = "its own code takes its time; ask for it by name"

_ELEMENTS = re.compile(r"(?P<tag>.+)\[(?P<first>\d{1,9})(?:-(?P<last>\d{1,9}))?\]")


@dataclass(frozen=True, slots=True)
class Target:
    """What `text` names: elements [`start`, `stop`) of `attribute`, which `spot` describes; `chosen` when elements were
    named, and not all of it."""

    text: str
    config: TagConfig
    spot: Spot
    attribute: Attribute
    start: int
    stop: int
    chosen: bool = False


class Facts(Protocol):
    """What is known of tags beside their values."""

    def of(self, attribute: Attribute, start: int, stop: int) -> dict[str, Json]:
        """Of some elements of one, for its row."""


class TagCommands:
    """The group `tags` of a node. `configs` describe the tags of `table` and `templates` their own structures, `now`
    gives the instant of an access, `facts` what is known of a tag beside its value."""

    def __init__(
        self,
        table: TagTable,
        configs: Iterable[TagConfig],
        now: Callable[[], float],
        templates: Mapping[str, Template] = NO_TEMPLATES,
        facts: Callable[[], Facts] | None = None,
    ) -> None:
        self._table = table
        self._configs = {config.name.casefold(): config for config in configs}
        self._templates = templates
        self._now = now
        self._facts = facts

    @property
    def names(self) -> Iterable[str]:
        """Of all tags."""
        return [config.name for config in self._configs.values()]

    def list(self) -> list[Json]:
        """Every tag with its value; of a long array the first `LISTED` elements."""
        found = [self.target(config.name) for config in self._configs.values()]
        return [self._listed(replace(target, stop=min(target.stop, target.start + LISTED))) for target in found]

    def read(self, text: str) -> Json:
        """One tag, what is within one (`NAME.Member`), or with `NAME[3]` or `NAME[3-5]` some elements. Raises
        `CommandError`."""
        target = self.target(text)
        if target.stop - target.start > ASKED:
            count = target.stop - target.start
            raise CommandError(f"{text}: {count} elements; ask for at most {ASKED}, as {text}[0-{ASKED - 1}]")
        return self._row(target, element=target.chosen and target.stop - target.start == 1)

    def value(self, text: str) -> Json:
        """The value alone, None where it cannot be read; of a long array the first `LISTED` elements. Raises
        `CommandError`."""
        target = self.target(text)
        stop = min(target.stop, target.start + LISTED)
        one = target.chosen and stop - target.start == 1
        return self._row(replace(target, stop=stop), element=one, known=False)["value"]

    def glance(self, target: Target, most: int) -> Json:
        """The value of its first elements, `most` of them; None where it cannot be read."""
        stop = min(target.stop, target.start + most)
        try:
            values = _values(target, stop, self._now())
        except CipError:
            return None
        return values if target.spot.dimensions else values[0]

    def write(self, text: str, value: Json) -> Json:
        """Writes a scalar tag, an element (`NAME[3]`), a member or, with a list, elements from there on; of a structure
        the members that a map names. The tag as it reads after. Raises `CommandError`."""
        target, values = self.parsed(text, value)
        self._put(target, values)
        return self._row(target, element=not isinstance(value, list))

    def parsed(self, text: str, value: Json) -> tuple[Target, Sequence[Value]]:
        """The elements that `text` names and `value`, one or a list of them, is for, and their values; of a structure
        those of some members. Raises `CommandError`."""
        target = self.target(text)
        length, start = target.spot.length, target.start
        if target.spot.dimensions and not target.chosen and not isinstance(value, list):
            raise CommandError(f"{text} is an array of {length}; name an element, as {target.text}[0], or give a list")
        given = value if isinstance(value, list) else [value]
        stop = target.stop if target.chosen and target.stop > start + 1 else start + len(given)
        if stop - start != len(given) or stop > self._end(target):
            raise CommandError(f"{text}: {len(given)} values for {min(stop, self._end(target)) - start} elements")
        several = bool(target.spot.dimensions)
        return replace(target, stop=stop), [
            value_of(target.spot.kind, item, f"{target.text}[{index}]" if several else target.text)
            for index, item in enumerate(given, start)
        ]

    def _put(self, target: Target, values: Sequence[Value]) -> None:
        attribute, now = target.attribute, self._now()
        try:
            if isinstance(attribute, StructuredAttribute) and not attribute.type.capacity:
                for index, value in enumerate(values, target.start):
                    attribute.write_part(index, value, now)
            else:
                attribute.write(target.start, values, now)
        except CipError as exc:
            raise CommandError(f"{target.text}: {_reason(attribute, exc)}") from exc

    def target(self, text: str) -> Target:
        """What `text` names. Raises `CommandError`."""
        elements = _ELEMENTS.fullmatch(text)
        if elements is not None:
            whole = self._place(elements["tag"])
            if whole.spot.dimensions:
                first, last = int(elements["first"]), int(elements["last"] or elements["first"])
                if not first <= last < whole.spot.length:
                    raise CommandError(f"{text}: elements are 0 to {whole.spot.length - 1}")
                return replace(whole, start=first, stop=last + 1, chosen=True)
        return self._place(text)

    def _place(self, text: str) -> Target:
        found = split_path(text, self._configs)
        if found is None:
            raise CommandError(f"there is no tag {text.partition('[')[0]!r}; `tags` lists them")
        config, path = found
        try:
            whole = root(config, self._templates)
            assert whole is not None
            spot = find(whole, path)
            place = tag_place(text, self._configs, self._table, self._templates)
        except ConfigError as exc:
            name = config.name
            hint = f"names no element; wanted {name}[3] or {name}[3-5]" if path.startswith("[") else exc.message
            raise CommandError(f"{text!r} {hint}" if path.startswith("[") else f"{text}: {hint}") from exc
        if spot.packed:
            place = Place(place.attribute.unpacked)
        stop = place.start + spot.length
        return Target(config.name + spot.path, config, spot, place.attribute, place.start, stop)

    def _end(self, target: Target) -> int:
        """The element after the last one that `target`'s tag or member has."""
        return target.stop if not target.spot.dimensions else target.spot.length

    def _listed(self, target: Target) -> dict[str, Json]:
        """Its row among all others, which no hook is to hold up."""
        try:
            return self._row(target)
        except HookWaits:
            return {**self._described(target, True), "error": BY_NAME}

    def _row(self, target: Target, *, element: bool = False, known: bool = True) -> dict[str, Json]:
        """`value` is a list for an array, but for one `element` of it that was asked for alone. With `known` what is
        known besides is there too."""
        spot = target.spot
        row = self._described(target, known)
        try:
            values = _values(target, target.stop, self._now())
        except CipError as exc:
            return {**row, "error": str(exc)}
        row["value"] = values if spot.dimensions and not element else values[0]
        return row

    def _described(self, target: Target, known: bool) -> dict[str, Json]:
        """The row without a value."""
        attribute, config, spot = target.attribute, target.config, target.spot
        row: dict[str, Json] = {
            "name": target.text,
            "type": spot.kind.name,
            "dimensions": list(spot.dimensions),
            "address": "@" + "/".join(map(str, config.address)) if config.address and not spot.path else None,
            "value": None,
            "unit": config.unit,
            "writable": attribute.settable,
            "signal": config.signal.kind if config.signal else None,
        }
        if known and self._facts is not None:
            row |= self._facts().of(attribute, target.start, target.stop)
        return row


def _values(target: Target, stop: int, now: float) -> list[Json]:
    """Those up to `stop`, as they are behind the error that clients get. Raises `CipError`."""
    attribute = target.attribute
    with onlooking(attribute.root if isinstance(attribute, Part) else attribute):
        read = attribute.read(target.start, stop, now)
    return [shown(target.spot.kind, value) for value in read]


def _reason(attribute: Attribute, exc: CipError) -> str:
    if exc.general == ATTRIBUTE_NOT_SETTABLE:
        return "may not be written" if not attribute.writable else "its signal refuses writes (on_write: refuse)"
    if exc.general == INVALID_ATTRIBUTE_VALUE:
        return f"a value that does not fit {attribute.type.name}"
    return str(exc)
