"""`farm write`: writes a tag over the wire, as a client would, and shows what the node holds then."""

from typing import Annotated

import typer

from farm.cli import options
from farm.cli.read import TIMEOUT, TagName, text
from farm.cli.tag_places import Place, find_place
from farm.cli.terminal import say
from farm.cli.wire_access import asked, reached_node, read_place, write_place
from farm.supervisor.link import Link, run_named
from node.client.tag_values import Value


def write(
    node: options.NodeName,
    tag: TagName,
    values: Annotated[
        list[str], typer.Argument(metavar="VALUE...", help="One value, or one for each element from the first on.")
    ],
    timeout: options.Timeout = TIMEOUT,
    name: options.FarmName = None,
) -> None:
    """Write a tag, or what is within one, over the wire and print what it holds then."""
    found = reached_node(Link.open(run_named(name)), node)
    place = find_place(found, tag, len(values))
    held = asked(place, write_and_read(place, values, timeout or TIMEOUT))
    say("\n".join(text(value) for value in held))


async def write_and_read(place: Place, values: list[str], seconds: float) -> list[Value]:
    """Writes, and reads back the same elements: a tag with a signal goes on moving, and the reader should see it."""
    await write_place(place, values, seconds)
    return await read_place(place, seconds)
