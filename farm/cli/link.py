"""`farm link`: how good the links of nodes are, and making them worse or well again while they serve."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from farm.cli import options
from farm.cli.node_choice import Nodes, choose
from farm.cli.progress import Progress
from farm.cli.terminal import STATE_COLOURS, note, say, say_json, table
from farm.cli.usage import UsageError
from farm.errors import FarmError
from farm.supervisor.link import Link, run_named
from farm.topology.link_text import parse_delay, parse_loss, parse_rate, parse_time

GOOD = {"delay": 0.0, "jitter": 0.0, "loss": 0.0, "rate": 0, "up": True}
"""What `--reset` begins with."""


def link(
    nodes: Nodes = None,
    delay: Annotated[
        str | None,
        typer.Option(
            "--delay", metavar="TIME", help="What comes from the node comes so much later: 200ms, 40ms+-10ms."
        ),
    ] = None,
    jitter: Annotated[
        str | None, typer.Option("--jitter", metavar="TIME", help="The delay varies by so much to either side.")
    ] = None,
    loss: Annotated[
        str | None, typer.Option("--loss", metavar="PERCENT", help="So much of all packets is lost, as 2%.")
    ] = None,
    rate: Annotated[
        str | None, typer.Option("--rate", metavar="RATE", help="No more than so much passes, as 1mbit; 0: no limit.")
    ] = None,
    up: Annotated[bool, typer.Option("--up", help="Plug it in.")] = False,
    down: Annotated[bool, typer.Option("--down", help="Pull it out.")] = False,
    reset: Annotated[bool, typer.Option("--reset", help="Make it a good link first.")] = False,
    as_json: options.AsJson = False,
    name: options.FarmName = None,
) -> None:
    """Change the links of nodes while they serve, or list them."""
    if up and down:
        raise UsageError("--up and --down: a link is one or the other")
    changes = parse_changes(delay, jitter, loss, rate)
    if up or down:
        changes["up"] = up
    if reset:
        changes = {**GOOD, **changes}
    if changes and not nodes:
        raise UsageError("the links of which nodes? Name them; '*' is all")
    supervisor = Link.open(run_named(name))
    rows = supervisor.ask("ps")["rows"]
    names = choose(rows, nodes or ["*"], supervisor.run.name)
    if changes:
        with Progress(quiet=len(names) == 1) as progress:
            rows = supervisor.ask("link", progress, nodes=names, changes=changes)["rows"]
    show([row for row in rows if row["name"] in names and (nodes or row.get("link"))], as_json)


def parse_changes(delay: str | None, jitter: str | None, loss: str | None, rate: str | None) -> dict[str, Any]:
    """The fields of a `LinkQuality` that are to change. Raises `UsageError` for a value that is none."""
    changes: dict[str, Any] = {}
    try:
        if delay is not None:
            changes["delay"], spread = parse_delay(delay)
            changes |= {} if spread is None else {"jitter": spread}
        for field, text, parse in (
            ("jitter", jitter, parse_time),
            ("loss", loss, parse_loss),
            ("rate", rate, parse_rate),
        ):
            if text is not None:
                changes[field] = parse(text)
    except FarmError as exc:
        raise UsageError(str(exc)) from exc
    return changes


def show(rows: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    """The links of these nodes."""
    if as_json:
        say_json([{"name": row["name"], "link": row.get("link", "")} for row in rows])
    elif rows:
        lines = [[row["name"], row["state"], row.get("link") or "good"] for row in rows]
        say(table(["NAME", "STATE", "LINK"], lines, STATE_COLOURS))
    else:
        note("every link is good")
