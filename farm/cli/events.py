"""`farm events`: what happened to the nodes of a farm, and what happens now."""

from typing import Annotated

import typer

from farm.cli import options
from farm.cli.follow import follow as follow_events
from farm.cli.follow import print_events
from farm.supervisor.link import Link, run_named


def events(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as they happen, until Ctrl-C.")] = False,
    name: options.FarmName = None,
) -> None:
    """Print what happened to the nodes."""
    link = Link.open(run_named(name))
    if follow:
        follow_events(link)
    else:
        print_events(link.ask("events", follow=False)["events"])
