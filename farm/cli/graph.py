"""`farm graph`: the networks of a plant, what is on them and what passes between them, drawn."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from farm.cli import options, plants
from farm.cli.graph_svg import as_svg
from farm.cli.graph_text import as_dot, as_mermaid, as_text
from farm.cli.plant_graph import build_graph
from farm.cli.terminal import say
from farm.cli.usage import UsageError
from farm.cli.wire_access import running_plant
from farm.supervisor.link import Link, find_runs, run_named
from farm.topology.plant import Plant

FORMATS = ("text", "dot", "mermaid", "svg")


def graph(
    plant_file: Annotated[
        Path | None, typer.Argument(metavar="[PLANT]", help="Plant file; without one, what runs, else as for farm up.")
    ] = None,
    form: Annotated[
        str, typer.Option("--format", metavar="FORM", help="text, dot, mermaid or svg; to a file by `> plant.svg`.")
    ] = "text",
    backend: options.Backend = None,
    settings: options.Settings = None,
    name: options.FarmName = None,
) -> None:
    """Draw the networks of a plant."""
    if form not in FORMATS:
        raise UsageError(f"--format {form}: there is {', '.join(FORMATS)}")
    drawn = build_graph(meant(plant_file, backend, settings or [], name))
    if form == "text":
        say(as_text(drawn, shutil.get_terminal_size((100, 24)).columns))
    else:
        say({"dot": as_dot, "mermaid": as_mermaid, "svg": as_svg}[form](drawn))


def meant(plant_file: Path | None, backend: str | None, settings: list[str], name: str | None) -> Plant:
    """The plant of a file, if one is named or nothing runs; else that of the farm that runs."""
    if plant_file is None and backend is None and not settings and (name is not None or find_runs()):
        return running_plant(Link.open(run_named(name)))
    return plants.load(plant_file, settings=settings, backend=backend)
