"""`farm events`: what happened to the nodes of a farm, and what happens now."""

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Any

import typer

from farm.cli import options
from farm.cli.follow import print_events
from farm.cli.usage import UsageError
from farm.supervisor.events import KINDS
from farm.supervisor.link import Link, run_named

ACTOR = "cli"
"""Who the command line is, in events."""


def events(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as they happen, until Ctrl-C.")] = False,
    kinds: Annotated[
        list[str] | None,
        typer.Option("--kind", metavar="KIND", help=f"Only these: {', '.join(KINDS)}; may be repeated."),
    ] = None,
    nodes: Annotated[
        list[str] | None,
        typer.Option("--node", metavar="NODE", help="Only of these nodes; patterns allowed, may be repeated."),
    ] = None,
    name: options.FarmName = None,
) -> None:
    """Print what happened to the nodes."""
    for kind in kinds or ():
        if kind not in KINDS:
            raise UsageError(f"--kind {kind}: there is {', '.join(KINDS)}")
    link = Link.open(run_named(name))
    found: Iterable[Mapping[str, Any]]
    found = link.call("events", follow=True) if follow else link.ask("events", follow=False)["events"]
    print_events(wanted(found, kinds or (), nodes or ()))


def wanted(
    events: Iterable[Mapping[str, Any]], kinds: Iterable[str], nodes: Iterable[str]
) -> Iterator[Mapping[str, Any]]:
    """Those of these kinds and nodes; none of either means all."""
    kinds, nodes = set(kinds), list(nodes)
    for event in events:
        of_node = str(event.get("node", ""))
        if kinds and event.get("kind") not in kinds:
            continue
        if nodes and not any(of_node and fnmatchcase(of_node, pattern) for pattern in nodes):
            continue
        yield event
