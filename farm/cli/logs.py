"""`farm logs`: what a node printed, also after it died; no supervisor is needed for it."""

import os
import select
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from farm.cli import options
from farm.cli.backends import make_backend
from farm.errors import FarmError
from farm.supervisor.link import Link, RunDirectory, run_named
from farm.supervisor.state import Identity, RunState

INTERVAL = 0.2
"""Seconds between two looks at a log that is followed."""


def logs(
    node: options.NodeName,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as it grows, until Ctrl-C.")] = False,
    name: options.FarmName = None,
) -> None:
    """Print what a node logged."""
    find = log_of(run_named(name), node)
    position = show(find(), 0)
    while follow:
        select.select([], [], [], INTERVAL)
        position = show(find(), position)


def log_of(run: RunDirectory, node: str) -> Callable[[], Path]:
    """What gives the log of `node` as it is by then. Raises `FarmError` where there is no such node."""
    identity = Identity.read(run)
    if identity is None:
        raise FarmError(f"{run.path} does not say how {run.name} was started; see {run.log_file}")
    plant = RunState.read(run, identity).plant
    if plant is None:
        plant_nodes = [row["name"] for row in Link.open(run).ask("ps")["rows"]]
    else:
        plant_nodes = [each.name for each in plant.nodes]
    if node not in plant_nodes:
        raise FarmError(f"there is no node {node!r} in {run.name}; `farm ps` lists them")
    backend = make_backend(run, identity)
    return lambda: backend.logs(node)


def show(path: Path, position: int) -> int:
    """Copies what `path` holds from byte `position` on; returns where it ends. A log that shrank begins anew."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size < position:
                position = 0
            file.seek(position)
            data = file.read()
    except FileNotFoundError:
        return position
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
    return position + len(data)
