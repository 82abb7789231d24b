"""`farm render`: a plant as files for tools that start containers without a farm."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from farm import topology
from farm.backends.docker_recipes import context_files, node_tag
from farm.cli import options
from farm.cli.plants import MODBUS_PORT, parse_settings
from farm.cli.terminal import node_count, note, say, warn
from farm.errors import FarmError
from farm.render.compose import Composed, compose
from farm.render.documents import yaml_text
from farm.topology.plant import Plant

app = typer.Typer(help="Write a plant as files for other tools, which run it without a farm.", no_args_is_help=True)

STANDARD_OUTPUT = "-"
COMPOSE_FILE = "compose.yaml"
YAML = (".yaml", ".yml")
WIRED = "netns"
"""The backend with all that a plant file can wire: what the target cannot is left out and said, and no error."""

Image = Annotated[
    str | None, typer.Option("--image", metavar="IMAGE", help="Of a node [default: plcfarm/node of this version].")
]


@app.command("compose")
def render_compose(
    plant_file: options.PlantFile = None,
    target: Annotated[
        str,
        typer.Option("--output", "-o", metavar="FOLDER|FILE|-", help="Where to: a folder, FILE.yaml, - to print it."),
    ] = STANDARD_OUTPUT,
    image: Image = None,
    publish: Annotated[
        bool,
        typer.Option("--publish", help="Publish ports of nodes that the machine may reach, on its addresses of 127/8."),
    ] = False,
    understood: options.RealNetwork = False,
    settings: options.Settings = None,
) -> None:
    """Write a Compose file: a service a node, hardened as on backend docker."""
    plant = wired_plant(plant_file, settings or (), backend=WIRED, outside=publish)
    _allow_uplinks(plant, understood)
    one_file = target == STANDARD_OUTPUT or target.endswith(YAML)
    composed = compose(plant, node_image(image), inline=one_file)
    text = yaml_text(composed.body, _head(plant, composed))
    if one_file:
        write_files({Path(target).name: text}, None if target == STANDARD_OUTPUT else Path(target).parent)
    else:
        write_files({COMPOSE_FILE: text, **composed.files}, Path(target))
    for line in composed.missing:
        warn(f"not in it: {line}")


def wired_plant(plant_file: Path | None, settings: Sequence[str], *, backend: str, outside: bool = False) -> Plant:
    """The plant of a file, or of the one in this folder, as it is on `backend`: each node with interfaces of its own,
    and Modbus at its own port whoever asks. `outside` gives every node an address of 127/8 too. Its warnings have been
    printed. Raises `TopologyProblems`."""
    file = plant_file if plant_file is not None else topology.find_plant(Path())
    if file.is_dir():
        file = topology.find_plant(file)
    plant = topology.load_plant(
        file,
        settings=parse_settings(settings),
        environ=os.environ,
        modbus_port=MODBUS_PORT,
        backend=backend,
        shard=1,
        outside=outside,
    )
    for warning in plant.warnings:
        note(warning)
    return plant


def node_image(image: str | None) -> str:
    """The image that was asked for, else that of this very code."""
    return image or node_tag(context_files())


def write_files(files: Mapping[str, str], folder: Path | None) -> None:
    """Writes texts by their paths into `folder`, readable for whoever the nodes run as; prints them without one. Raises
    `FarmError`."""
    if folder is None:
        for text in files.values():
            say(text.rstrip("\n"))
        return
    try:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            path.chmod(0o644)
    except OSError as exc:
        raise FarmError(f"cannot write {exc.filename}: {exc.strerror}") from exc
    names = list(files)
    shown = ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")
    note(f"{folder / names[0] if len(names) == 1 else f'{shown} in {folder}'}")


def _head(plant: Plant, composed: Composed) -> list[str]:
    """What stands above a Compose file."""
    head = [
        f"{plant.name}: {node_count(len(plant.nodes))} of {Path(plant.file).name}, written by `farm render compose`.",
        "`docker compose up -d` starts them, `docker compose down` takes them away.",
    ]
    return head + (["", "Not in it:", *(f"- {line}" for line in composed.missing)] if composed.missing else [])


def _allow_uplinks(plant: Plant, understood: bool) -> None:
    """Raises `FarmError` for a plant that would answer on a real network, unless that was `understood`."""
    uplinks = [f"{spec.name} on {spec.uplink}" for spec in plant.networks if spec.uplink]
    if uplinks and not understood:
        raise FarmError(
            f"{plant.name} would answer on a real network (network {', '.join(uplinks)}): "
            "--i-understand-real-network writes it"
        )
