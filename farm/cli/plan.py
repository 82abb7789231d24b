"""`farm plan`: what `farm up` would do, and why; nothing is changed."""

from typing import Annotated

import typer

from farm.cli import options, plants
from farm.cli.address_rows import address_rows, address_table
from farm.cli.planning import plan_lines
from farm.cli.terminal import say, say_json


def plan(
    plant_file: options.PlantFile = None,
    backend: options.Backend = None,
    shard: options.Shard = None,
    settings: options.Settings = None,
    name: options.NewName = None,
    addresses: Annotated[
        bool, typer.Option("--addresses", help="Print instead where each node is: in the file, and on this backend.")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Print what `farm up` would do, one operation a line with its cause."""
    plant = plants.load(plant_file, settings=settings or (), backend=backend, shard=shard, name=name)
    if addresses:
        rows = address_rows(plant)
        if as_json:
            say_json(rows)
        else:
            say(address_table(plant.backend, rows))
        return
    lines = plan_lines(plant)
    if as_json:
        say_json([] if lines == ["nothing to do"] else lines)
    else:
        say("\n".join(lines or ["nothing to do"]))
