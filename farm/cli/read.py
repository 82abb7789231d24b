"""`farm read`: a tag's value, asked of the node over the wire."""

from typing import Annotated, Any

import typer

from farm.cli import options
from farm.cli.tag_places import find_place
from farm.cli.terminal import say, say_json
from farm.cli.wire_access import asked, read_place, running_node
from farm.supervisor.link import Link, run_named

TIMEOUT = 5.0

TagName = Annotated[str, typer.Argument(metavar="TAG", help="Level, SCADA[3] or SCADA[3-7].")]


def read(
    node: options.NodeName,
    tag: TagName,
    as_json: options.AsJson = False,
    timeout: options.Timeout = TIMEOUT,
    name: options.FarmName = None,
) -> None:
    """Read a tag over the wire; one element a line."""
    place = find_place(running_node(Link.open(run_named(name)), node), tag)
    values = [plain(value) for value in asked(place, read_place(place, timeout or TIMEOUT))]
    if as_json:
        say_json(values if place.tag.dimensions else values[0])
    else:
        say("\n".join(text(value) for value in values))


def plain(value: Any) -> Any:
    """A value as JSON can carry it: bytes as hex."""
    return value.hex() if isinstance(value, bytes) else value


def text(value: Any) -> str:
    """A value as `farm write` takes it back."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.9g}" if isinstance(value, float) else str(value)
