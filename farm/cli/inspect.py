"""`farm inspect`: a node as defaults, kind, templates and group make it, and where each value comes from."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from farm.cli import options, plants
from farm.cli.terminal import say, say_json, table
from farm.cli.wire_access import running_plant
from farm.errors import FarmError
from farm.supervisor.link import Link, find_runs, run_named
from farm.topology.plant import Origin, Plant


def inspect(
    node: options.NodeName,
    plant_file: Annotated[
        Path | None, typer.Option("--file", "-f", metavar="PLANT", help="Of this file, instead of what runs.")
    ] = None,
    settings: options.Settings = None,
    origin: Annotated[bool, typer.Option("--origin", help="Show the file and line each value comes from.")] = False,
    as_json: options.AsJson = False,
    name: options.FarmName = None,
) -> None:
    """Print everything a node is told, value by value."""
    plant = meant_plant(plant_file, settings or [], name)
    config = next((each for each in plant.nodes if each.name == node), None)
    if config is None:
        raise FarmError(f"there is no node {node!r} in {plant.file or plant.name}")
    places = plant.origins.get(node, {})
    values = [*flatten(config), *flatten(plant.links.get(node), "link")]
    if as_json:
        say_json({path: {"value": value, "origin": place(places, path)} for path, value in values})
    elif origin:
        say(table(["VALUE OF", "IS", "FROM"], [[path, show(value), place(places, path)] for path, value in values]))
    else:
        say(table(["VALUE OF", "IS"], [[path, show(value)] for path, value in values]))


def meant_plant(file: Path | None, settings: list[str], name: str | None) -> Plant:
    """The plant of `file`; without one the plant that runs; where none runs, that of the file in this folder."""
    if file is None and (name is not None or find_runs()):
        return running_plant(Link.open(run_named(name)))
    return plants.load(file, settings=settings)


def flatten(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted path, value) of everything in nested dataclasses. Members of a list go by what they are
    called, else by their number; a list of plain values is one value, and what is not there, or not so, is left
    out."""
    if is_dataclass(value):
        for field in fields(value):
            inner = getattr(value, field.name)
            if inner is not False or field.default is not False:
                yield from flatten(inner, f"{path}.{field.name}" if path else field.name)
    elif isinstance(value, tuple) and any(is_dataclass(item) for item in value):
        for number, item in enumerate(value):
            yield from flatten(item, f"{path}.{called(item, number)}")
    elif value not in (None, (), ""):
        yield path, value


def called(item: Any, number: int) -> str:
    """What a member of a list goes by: `Host Name` of `TCPIP`, a tag, a unit, a path behind a tag, a network, else its
    number."""
    for name in ("name", "unit_id", "path", "network"):
        if hasattr(item, name):
            section = getattr(item, "section", "")
            return f"{section}.{getattr(item, name)}" if section else f"{getattr(item, name)}"
    return str(number)


def place(places: Mapping[str, Origin], path: str) -> str:
    """Where a value stands, or where the nearest value around it stands; "built in" for what no file says."""
    while path:
        if path in places:
            return str(places[path])
        path = path.rpartition(".")[0]
    return "built in"


def show(value: Any) -> str:
    """One value on one line."""
    text = " ".join(str(item) for item in value) if isinstance(value, list | tuple) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
