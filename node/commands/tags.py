"""Tags as plain JSON values: what they are, what they hold, and writing them.

One place turns elements into JSON and back, so that what `farm tags` shows can be given to `farm write`. A REAL is
shown with as few digits as tell it from its neighbours, a float that is not a number as null.
"""

import math
from array import array
from collections.abc import Callable, Iterable

from node.cip.status import ATTRIBUTE_NOT_SETTABLE, INVALID_ATTRIBUTE_VALUE, CipError
from node.cip.template import Kind, Template
from node.cip.types import BOOL, REAL, Type
from node.commands.errors import CommandError
from node.config.tag_check import misfit
from node.config.load import Json
from node.config.model import TagConfig
from node.memory.attribute import Attribute, Value
from node.memory.tags import TagTable

LISTED = 100
"""Elements of an array that a list of all tags shows."""

ASKED = 10_000
"""Elements that one command reads or writes."""

_WORDS: dict[str, bool] = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}


class TagCommands:
    """The group `tags` of a node. `configs` describe the tags of `table`, `now` gives the instant of an access."""

    def __init__(self, table: TagTable, configs: Iterable[TagConfig], now: Callable[[], float]) -> None:
        self._table = table
        self._configs = {config.name.casefold(): config for config in configs}
        self._now = now

    def list(self) -> list[Json]:
        """Every tag with its value; of a long array the first `LISTED` elements."""
        return [self._row(attribute, 0, min(len(attribute), LISTED)) for _, attribute in self._table]

    def read(self, text: str) -> Json:
        """One tag, or with `NAME[3]` or `NAME[3-5]` some of its elements. Raises `CommandError`."""
        attribute, span = self._find(text)
        start, stop = span or (0, len(attribute))
        if stop - start > ASKED:
            raise CommandError(f"{text}: {stop - start} elements; ask for at most {ASKED}, as {text}[0-{ASKED - 1}]")
        return self._row(attribute, start, stop, element=span is not None and stop - start == 1)

    def write(self, text: str, value: Json) -> Json:
        """Writes a scalar tag, an element (`NAME[3]`) or, with a list, elements from there on; the tag as it reads
        after. Raises `CommandError`."""
        attribute, span = self._find(text)
        start = span[0] if span else 0
        if attribute.dimensions and span is None and not isinstance(value, list):
            example = f"{attribute.name}[0]"
            raise CommandError(f"{text} is an array of {len(attribute)}; name an element, as {example}, or give a list")
        given = value if isinstance(value, list) else [value]
        stop = span[1] if span and span[1] > start + 1 else start + len(given)
        if stop - start != len(given) or stop > len(attribute):
            raise CommandError(f"{text}: {len(given)} values for {min(stop, len(attribute)) - start} elements")
        values = [_value_of(attribute, item) for item in given]
        try:
            attribute.write(start, values, self._now())
        except CipError as exc:
            raise CommandError(f"{text}: {_reason(attribute, exc)}") from exc
        return self._row(attribute, start, stop, element=not isinstance(value, list))

    def _find(self, text: str) -> tuple[Attribute, tuple[int, int] | None]:
        name, bracket, rest = text.partition("[")
        attribute = self._table.by_name(name)
        if attribute is None:
            raise CommandError(f"there is no tag {name!r}; `tags` lists them")
        if not bracket:
            return attribute, None
        first, dash, last = rest.removesuffix("]").partition("-")
        if not (rest.endswith("]") and first.isdecimal() and (last.isdecimal() or not dash)):
            raise CommandError(f"{text!r} names no element; wanted {name}[3] or {name}[3-5]")
        start, stop = int(first), int(last if dash else first) + 1
        if not start < stop <= len(attribute):
            raise CommandError(f"{text}: elements are 0 to {len(attribute) - 1}")
        return attribute, (start, stop)

    def _row(self, attribute: Attribute, start: int, stop: int, *, element: bool = False) -> dict[str, Json]:
        """`value` is a list for an array, but for one `element` of it that was asked for alone."""
        config = self._configs.get(attribute.name.casefold())
        address = self._table.address_of(attribute)
        row: dict[str, Json] = {
            "name": attribute.name,
            "type": attribute.type.name,
            "dimensions": list(attribute.dimensions),
            "address": "@" + "/".join(map(str, address)) if address else None,
            "value": None,
            "unit": config.unit if config else "",
            "writable": attribute.settable,
            "signal": config.signal.kind if config and config.signal else None,
        }
        try:
            values = [_shown(attribute.type, value) for value in attribute.read(start, stop, self._now())]
        except CipError as exc:
            return {**row, "error": str(exc)}
        row["value"] = values if attribute.dimensions and not element else values[0]
        return row


def _shown(kind: Kind, value: Value) -> Json:
    if isinstance(value, list):
        return [_shown(kind, item) for item in value]
    if isinstance(value, dict):
        assert isinstance(kind, Template)
        return {member.name: _shown(member.type, value[member.name]) for member in kind.visible}
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        return None
    if kind is REAL:
        for digits in range(6, 9):
            short = float(f"{value:.{digits}g}")
            if array("f", [short])[0] == value:
                return short
    return value


def _value_of(attribute: Attribute, given: Json) -> Value:
    """`given` as a value of the attribute's type; text is read as a person types it."""
    kind = attribute.type
    value = _parsed(attribute, given) if isinstance(given, str) and isinstance(kind, Type) else given
    if value is None or isinstance(value, list | dict):
        raise CommandError(f"{attribute.name}: {given!r} is no value of {kind.name}")
    wanted = misfit(kind, value)
    if wanted:
        raise CommandError(f"{attribute.name}: {given!r} does not fit {kind.name}; wanted {wanted}")
    return value


def _parsed(attribute: Attribute, text: str) -> bool | int | float | str | None:
    if attribute.type is BOOL:
        return _WORDS.get(text.lower(), text)
    try:
        return int(text, 0)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


def _reason(attribute: Attribute, exc: CipError) -> str:
    if exc.general == ATTRIBUTE_NOT_SETTABLE:
        return "may not be written" if not attribute.writable else "its signal refuses writes (on_write: refuse)"
    if exc.general == INVALID_ATTRIBUTE_VALUE:
        return f"a value that does not fit {attribute.type.name}"
    return str(exc)
