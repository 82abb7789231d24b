"""Which nodes of a farm a verb is about: the arguments and options that say so (`farm.supervisor.selection`)."""

from collections.abc import Iterable, Sequence
from typing import Annotated

import typer

from farm.cli.usage import UsageError
from farm.errors import FarmError
from farm.supervisor import selection
from farm.supervisor.selection import FIELDS, Row, choose, where

__all__ = ["FIELDS", "Nodes", "Where", "choose", "chosen", "parse_where", "require_choice", "where"]

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


def parse_where(texts: Iterable[str]) -> dict[str, list[str]]:
    """`["kind=modbus,state=down"]` as field to the patterns of which one is to match. Raises `UsageError`."""
    try:
        return selection.parse_where(texts)
    except selection.SelectionError as exc:
        raise UsageError(f"--where {exc}") from exc


def require_choice(nodes: Sequence[str] | None, which: Sequence[str] | None) -> None:
    """Raises `UsageError` where nothing says which nodes are meant, or `which` makes no sense."""
    if not nodes and not which:
        raise UsageError("which nodes? Name them, or say which by --where, as in --where state=down")
    parse_where(which or ())


def chosen(rows: Sequence[Row], nodes: Sequence[str] | None, which: Sequence[str] | None, farm: str) -> list[str]:
    """The nodes of `farm` that are named (all, where none is) and of which all of `which` is so. Raises `FarmError`
    where there is none."""
    wanted = parse_where(which or ())
    named = set(choose(rows, nodes or ["*"], farm))
    names = [str(row["name"]) for row in where(rows, wanted) if row["name"] in named]
    if not names:
        raise FarmError(f"no node of {farm} is so: {', '.join(which or ())}; `farm ps` shows how they are")
    return names
