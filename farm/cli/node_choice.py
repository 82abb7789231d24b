"""Which nodes of a farm a verb is about: names, patterns such as `drv-*`, and what a field of `farm ps` is to say."""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Any

import typer

from farm.cli.usage import UsageError
from farm.errors import FarmError

Row = Mapping[str, Any]

FIELDS = ("name", "kind", "profile", "state", "address", "network", "link", "restarts", "pid")
"""What `--where` may ask for."""

Nodes = Annotated[
    list[str] | None, typer.Argument(metavar="[NODE]...", help="Names of nodes, or patterns such as 'drv-*'.")
]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="FIELD=VALUE[,...]",
        help="Only nodes of which this is so, as farm ps says; patterns allowed, may be repeated.",
    ),
]


def choose(rows: Sequence[Row], patterns: Iterable[str], farm: str, kind: str = "node") -> list[str]:
    """The nodes that `patterns` name, in the order of the farm. Raises `FarmError` for a pattern that names none, and
    says what `kind` of thing was looked for."""
    names = [str(row["name"]) for row in rows]
    chosen: set[str] = set()
    for pattern in patterns:
        found = [name for name in names if fnmatchcase(name, pattern)]
        if not found:
            what = f"no {kind} that matches" if _is_pattern(pattern) else f"no {kind}"
            raise FarmError(f"there is {what} {pattern!r} in {farm}; `farm ps` lists them")
        chosen.update(found)
    return [name for name in names if name in chosen]


def parse_where(texts: Iterable[str]) -> dict[str, list[str]]:
    """`["kind=modbus,state=down"]` as field to the patterns of which one is to match. Raises `UsageError`."""
    wanted: dict[str, list[str]] = {}
    for text in texts:
        for part in text.split(","):
            field, equals, pattern = part.partition("=")
            if not equals or field not in FIELDS:
                raise UsageError(f"--where {part}: wanted FIELD=VALUE, with a field of {', '.join(FIELDS)}")
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


def _values(row: Row, field: str) -> list[str]:
    """What the row says of a field; nothing where it says nothing."""
    if field == "network":
        return [str(network) for network in row.get("networks", ())]
    value = row.get(field)
    return [] if value is None else [str(value)]


def _is_pattern(text: str) -> bool:
    return any(character in text for character in "*?[")
