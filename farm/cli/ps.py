"""`farm ps`: which nodes there are and how they are."""

from typing import Annotated

import typer

from farm.cli import options
from farm.cli.rows import node_table
from farm.cli.terminal import note, say, say_json
from farm.cli.usage import UsageError
from farm.cli.watch import watch
from farm.supervisor.link import Link, find_runs, run_named, run_root


def ps(
    name: options.FarmName = None,
    as_json: options.AsJson = False,
    output: options.Output = None,
    follow: Annotated[
        bool, typer.Option("--watch", "-w", help="Show them anew each second, the abnormal first, until Ctrl-C.")
    ] = False,
) -> None:
    """List the nodes that run."""
    if output not in (None, "json"):
        raise UsageError(f"--output {output}: there is json")
    if follow and (as_json or output):
        raise UsageError("--watch is for people; a script follows the dashboard's stream, or asks again")
    if follow:
        watch(run_named(name))
        return
    runs = find_runs() if name is None else [run_named(name)]
    if as_json or output == "json":
        if len(runs) > 1:
            run_named(None)
        say_json(Link.open(runs[0]).ask("ps")["rows"] if runs else [])
        return
    if not runs:
        note(f"no farm is running under {run_root()}; start one with `farm up`")
    for run in runs:
        done = Link.open(run).ask("ps")
        if len(runs) > 1:
            say(f"{run.name}:")
        say(node_table(done["rows"], wide=True))
        for row in done["rows"]:
            if row.get("error"):
                note(f"{row['name']}: {row['error']}")
