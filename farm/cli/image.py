"""`farm image`: the image that nodes of the Docker backend run in, those beside it, and a base where no registry is."""

import datetime
import importlib
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from farm.cli import options
from farm.cli.terminal import note, say, say_json, table
from farm.cli.usage import UsageError
from farm.cli.verbs import WholeHelp
from farm.errors import FarmError

app = typer.Typer(cls=WholeHelp, help="Images that nodes in containers run in, and farms.", no_args_is_help=True)

MIB = 1 << 20
IMAGES = ("node", "scada", "modbus", "farm")
"""Those of `docker_recipes`, which may not be imported yet."""


@app.command()
def build(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[IMAGE...]", help=f"Which, of {', '.join(IMAGES)}; {IMAGES[0]} when none is named."),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option("--base", metavar="IMAGE", help="What it is built on: any with Python 3.11."),
    ] = None,
    context: Annotated[
        Path | None,
        typer.Option("--context", metavar="FOLDER", help="Only write what it is built from, for `docker build`."),
    ] = None,
    wheels: Annotated[
        Path | None,
        typer.Option("--wheels", metavar="FOLDER", help="Where wheels of what a farm stands on are, or are put."),
    ] = None,
) -> None:
    """Build images of this version, without a network: of nodes, of lone simulators, of a farm."""
    wanted = names or [IMAGES[0]]
    for name in wanted:
        if name not in IMAGES:
            raise UsageError(f"{name}: there is no such image; wanted one of {', '.join(IMAGES)}")
    if context is not None:
        if len(wanted) > 1:
            raise UsageError(f"--context takes the files of one image, not of {', '.join(wanted)}")
        files = _images().write_context(context, wanted[0], wheels)
        note(f"{', '.join(files)} are in {context}; `docker build {context}` makes the image")
        return
    images = _images().Images()
    for name in wanted:
        say(images.build(base or "", note, name, wheels))


@app.command("base")
def make_base(
    rootfs: Annotated[
        Path | None, typer.Option("--rootfs", metavar="FILE", help="A root filesystem (tar) that was made before.")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option("--keep", metavar="FILE", help="Keep the root filesystem in this tar file.")
    ] = None,
) -> None:
    """Make a base image from Debian packages, where no registry is to be had; as root, with mmdebstrap."""
    with tempfile.TemporaryDirectory(prefix="plcfarm-") as folder:
        file = rootfs or keep or Path(folder) / "rootfs.tar"
        if rootfs is None:
            note("unpacking Debian's python3 and what it stands on")
            _images().make_rootfs(file)
        say(_images().Images().import_base(file))


@app.command()
def ls(as_json: options.AsJson = False) -> None:
    """List the images that farm made."""
    rows = _images().Images().rows()
    if as_json:
        say_json([{name: getattr(row, name) for name in ("tags", "kind", "id", "size", "created")} for row in rows])
        return
    cells = [
        [
            ", ".join(row.tags) or "-",
            row.kind,
            row.id,
            f"{row.size / MIB:.0f} MiB",
            datetime.datetime.fromtimestamp(row.created).isoformat(" ", "minutes"),
        ]
        for row in rows
    ]
    say(table(["IMAGE", "KIND", "ID", "SIZE", "MADE"], cells))


def _images() -> Any:
    """The module of images: imported when it is asked for, for its SDK is large and may not be there."""
    try:
        return importlib.import_module("farm.backends.docker_images")
    except ModuleNotFoundError as exc:
        raise FarmError(f'{exc.name} is not installed, images stand on it: pip install "plcfarm[docker]"') from exc
