"""Which nodes something is about: names, patterns such as `drv-*`, and what a field of a row is to say.

Pure, over the rows that `farm ps` shows: the command line and the supervisor choose alike.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from farm.errors import FarmError
from farm.topology.problem import suggestion

Row = Mapping[str, Any]

FIELDS = (
    "name",
    "kind",
    "profile",
    "state",
    "condition",
    "address",
    "network",
    "group",
    "level",
    "link",
    "restarts",
    "pid",
)
"""What `where` may ask for."""


class SelectionError(FarmError):
    """A choice that nobody can make sense of."""


def choose(rows: Sequence[Row], patterns: Iterable[str], farm: str, kind: str = "node") -> list[str]:
    """The nodes that `patterns` name, in the order of the farm. Raises `FarmError` for a pattern that names none, and
    says what `kind` of thing was looked for."""
    names = [str(row["name"]) for row in rows]
    chosen: set[str] = set()
    for pattern in patterns:
        found = [name for name in names if fnmatchcase(name, pattern)]
        if not found:
            what = f"no {kind} that matches" if is_pattern(pattern) else f"no {kind}"
            raise FarmError(f"there is {what} {pattern!r} in {farm}; `farm ps` lists them", suggestion(pattern, names))
        chosen.update(found)
    return [name for name in names if name in chosen]


def parse_where(texts: Iterable[str]) -> dict[str, list[str]]:
    """`["kind=modbus,state=down"]` as field to the patterns of which one is to match. Raises `SelectionError`."""
    wanted: dict[str, list[str]] = {}
    for text in texts:
        for part in text.split(","):
            field, equals, pattern = part.partition("=")
            if not equals or field not in FIELDS:
                raise SelectionError(f"{part}: wanted FIELD=VALUE, with a field of {', '.join(FIELDS)}")
            wanted.setdefault(field, []).append(pattern)
    return wanted


def where(rows: Iterable[Row], wanted: Mapping[str, Sequence[str]]) -> list[Row]:
    """The rows of which all is so that is `wanted`."""
    return [
        row
        for row in rows
        if all(
            any(fnmatchcase(value, pattern) for value in _values(row, field) for pattern in patterns)
            for field, patterns in wanted.items()
        )
    ]


def share(names: Sequence[str], percent: float, seed: int) -> list[str]:
    """So many of the names, at least one of those there are, and the same for one seed; in their order.

    Raises `SelectionError` for a percentage that is none."""
    if not 0 < percent <= 100:
        raise SelectionError(f"{percent:g} per cent of the nodes: wanted above 0, and 100 at most")
    if percent == 100 or not names:
        return list(names)
    count = max(1, round(len(names) * percent / 100))
    drawn = set(random.Random(seed).sample(range(len(names)), count))
    return [name for number, name in enumerate(names) if number in drawn]


def is_pattern(text: str) -> bool:
    """Whether it may stand for several names."""
    return any(character in text for character in "*?[")


def _values(row: Row, field: str) -> list[str]:
    """What the row says of a field; nothing where it says nothing."""
    if field == "network":
        return [str(network) for network in row.get("networks", ())]
    value = row.get(field)
    return [] if value is None else [f"{value:g}" if isinstance(value, float) else str(value)]
