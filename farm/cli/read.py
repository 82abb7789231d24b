"""`farm read`: a tag's value, asked of the node over the wire."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from farm.cli import options
from farm.cli.tag_places import find_place
from farm.cli.terminal import say, say_json
from farm.cli.wire_access import asked, reached_node, read_place
from farm.supervisor.link import Link, run_named

TIMEOUT = 5.0

TagName = Annotated[str, typer.Argument(metavar="TAG", help="Level, SCADA[3], SCADA[3-7], Tank1.Level or Word.3.")]


def read(
    node: options.NodeName,
    tag: TagName,
    as_json: options.AsJson = False,
    timeout: options.Timeout = TIMEOUT,
    name: options.FarmName = None,
) -> None:
    """Read a tag, or what is within one, over the wire; one element or member a line."""
    place = find_place(reached_node(Link.open(run_named(name)), node), tag)
    values = [plain(value) for value in asked(place, read_place(place, timeout or TIMEOUT))]
    if as_json:
        say_json(values if place.spot.dimensions else values[0])
    else:
        say(lines(values))


def plain(value: Any) -> Any:
    """A value as JSON can carry it: bytes as hex."""
    return value.hex() if isinstance(value, bytes) else value


def lines(values: list[Any]) -> str:
    """One value a line; of structures one member a line, its path first."""
    if not any(isinstance(value, dict) for value in values):
        return "\n".join(text(value) for value in values)
    rows = [row for at, value in enumerate(values) for row in members(value, f"[{at}]" if len(values) > 1 else "")]
    width = max(len(path) for path, _ in rows)
    return "\n".join(f"{path:{width}}  {shown}" for path, shown in rows)


def members(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """(path, value) of all that is in a structure; an array of plain values on one line."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from members(member, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for at, item in enumerate(value):
            yield from members(item, f"{path}[{at}]")
    else:
        yield path, " ".join(map(text, value)) if isinstance(value, list) else text(value)


def text(value: Any) -> str:
    """A value as `farm write` takes it back."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.9g}" if isinstance(value, float) else str(value)
