"""`farm down`: ends a farm and leaves nothing; it needs no plant file, and asks no memory but the run's own."""

from typing import Annotated

import typer

from farm.cli.follow import end_farm
from farm.cli.terminal import note
from farm.cli.usage import UsageError
from farm.supervisor.link import find_runs, run_named, run_root


def down(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Which farm; needed where several run.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every farm of this user.")] = False,
) -> None:
    """Stop a farm and take away all it made."""
    if every and name is not None:
        raise UsageError(f"--all is every farm, and {name} is one: give either")
    runs = find_runs()
    if not runs and name is None:
        note(f"no farm is running under {run_root()}")
        return
    for run in runs if every else [run_named(name)]:
        end_farm(run)
