"""`farm clean`: takes away what farms left whose supervisor is gone, whatever files are lost."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Annotated

import typer

from farm.cli import options
from farm.cli.sweepers import SWEEPERS, Finding, Living, Sweeper, end_living
from farm.cli.terminal import fail, note, say, say_json, table
from farm.errors import FarmError

SHOWN = 3
"""Names of one kind that a line holds."""


def clean(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what there is and change nothing.")] = False,
    every: Annotated[bool, typer.Option("--all", help="End the farms that run, too: all of every farm goes.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Take away what farms without a supervisor left: processes, namespaces, links, containers, networks, folders."""
    failures: list[str] = []
    found = list(running(failures, dry_run)) if every else []
    found += sweep(Living.now(), failures, dry_run)
    if as_json:
        say_json([{"run": each.run, "what": each.what, "names": list(each.names)} for each in found])
    elif found:
        say(table(["RUN", "WHAT", "COUNT", "NAMES"], [line(each) for each in found]))
    else:
        note("nothing is left of any farm")
    for failure in failures:
        fail(failure)
    if failures:
        raise typer.Exit(1)
    if found and not dry_run:
        note("all of it was taken away")


def running(failures: list[str], dry_run: bool) -> Iterator[Finding]:
    """Farms that have a supervisor, each ended before it is told of."""
    for run_id, run in Living.now().runs.items():
        found = Finding(run_id, "farm that runs", tuple(map(str, run.folders)), partial(end_living, run))
        if not dry_run:
            attempt(found.remove, failures)
        yield found


def sweep(living: Living, failures: list[str], dry_run: bool) -> Iterator[Finding]:
    """What is left, each taken away before it is told of. What cannot be is in `failures`, a line each."""
    for sweeper in SWEEPERS:
        for each in looked(sweeper, living, failures):
            if not dry_run:
                attempt(each.remove, failures)
            yield each


def looked(sweeper: Sweeper, living: Living, failures: list[str]) -> list[Finding]:
    """What one sweeper finds; nothing, and a failure, where it cannot look."""
    try:
        return list(sweeper(living))
    except FarmError as exc:
        failures.append(str(exc))
        return []


def attempt(work: Callable[[], object], failures: list[str]) -> None:
    """Notes a failure and lets the rest go on."""
    try:
        work()
    except FarmError as exc:
        failures.append(str(exc))


def line(found: Finding) -> Sequence[str]:
    """A line of the table."""
    names = ", ".join(found.names[:SHOWN]) + (", ..." if len(found.names) > SHOWN else "")
    return [found.run, found.what, str(len(found.names)), names]
