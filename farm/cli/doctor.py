"""`farm doctor`: what this machine allows, what is missing, and the exact command that cures it."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from farm.backends.limits import auto_size_of, hard_limit
from farm.cli import options, plants
from farm.cli.backends import check_backend
from farm.cli.checks import BAD, GOOD, LIMITED, Need
from farm.cli.readiness import all_checks
from farm.cli.terminal import say, say_json, table
from farm.cli.usage import UsageError
from farm.topology.territory import OWN_NETWORKS

COLOURS = {GOOD: "green", LIMITED: "yellow", BAD: "red"}


def doctor(
    plant_file: Annotated[
        Path | None, typer.Argument(metavar="[PLANT]", help="What this plant file needs; without one, any farm.")
    ] = None,
    nodes: Annotated[
        int | None, typer.Option("--nodes", metavar="N", min=1, help="What so many small nodes need.")
    ] = None,
    backend: options.Backend = None,
    shard: options.Shard = None,
    settings: options.Settings = None,
    as_json: options.AsJson = False,
) -> None:
    """Look at this machine and say what a farm can have here; exit code 1 when something it needs is missing."""
    if plant_file is not None and nodes is not None:
        raise UsageError("a plant file says how many nodes it has: give it, or --nodes")
    checks = list(all_checks(meant(plant_file, nodes, backend, shard, settings or [])))
    if as_json:
        say_json([asdict(check) for check in checks])
    else:
        say(table(["CHECK", "STATE", "FOUND"], [[check.what, check.state, check.found] for check in checks], COLOURS))
        cures = [check for check in checks if check.cure]
        if cures:
            say("\n" + table(["TO CURE", "DO"], [[check.what, check.cure] for check in cures]))
    if any(check.state == BAD for check in checks):
        raise typer.Exit(1)


def meant(
    plant_file: Path | None, nodes: int | None, backend: str | None, shard: str | None, settings: list[str]
) -> Need:
    """What is needed: by a plant, by a number of nodes, or by nobody in particular."""
    if backend is not None:
        check_backend(backend)
    if plant_file is not None:
        return Need.of_plant(plants.load(plant_file, settings=settings, backend=backend, shard=shard))
    return Need.of_nodes(backend or "", nodes or 0, in_a_process(shard, nodes or 0, backend))


def in_a_process(shard: str | None, nodes: int, backend: str | None) -> int:
    """How many of so many nodes share a process."""
    each = plants.parse_shard(shard) if shard is not None else 1
    if backend in OWN_NETWORKS:
        return 1
    return each if isinstance(each, int) else auto_size_of(nodes, hard_limit())
