"""`farm image`: the image that nodes of the Docker backend run in, and a base for it where there is no registry."""

import contextlib
import datetime
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from farm.cli import options
from farm.cli.terminal import note, say, say_json, table
from farm.errors import FarmError

app = typer.Typer(help="The image that nodes in containers run in.", no_args_is_help=True)

MIB = 1 << 20


@app.command()
def build(
    base: Annotated[
        str | None,
        typer.Option("--base", metavar="IMAGE", help="What it is built on: any with Python 3.11."),
    ] = None,
    context: Annotated[
        Path | None,
        typer.Option("--context", metavar="FOLDER", help="Only write what it is built from, for `docker build`."),
    ] = None,
) -> None:
    """Build the image of this version's nodes, without a network."""
    with the_sdk():
        from farm.backends.docker_engine import Engine
        from farm.backends.docker_images import Images, write_context
    if context is not None:
        files = write_context(context)
        note(f"{', '.join(files)} are in {context}; `docker build {context}` makes the image")
        return
    say(Images(Engine()).build(base or "", note))


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
    with the_sdk():
        from farm.backends.docker_engine import Engine
        from farm.backends.docker_images import Images, make_rootfs
    with tempfile.TemporaryDirectory(prefix="plcfarm-") as folder:
        file = rootfs or keep or Path(folder) / "rootfs.tar"
        if rootfs is None:
            note("unpacking Debian's python3 and what it stands on")
            make_rootfs(file)
        say(Images(Engine()).import_base(file))


@app.command()
def ls(as_json: options.AsJson = False) -> None:
    """List the images that farm made."""
    with the_sdk():
        from farm.backends.docker_engine import Engine
        from farm.backends.docker_images import Images
    rows = Images(Engine()).rows()
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


@contextlib.contextmanager
def the_sdk() -> Iterator[None]:
    """Imports in here stand on an extra that may not be there, and is large: verbs alone import it."""
    try:
        yield
    except ModuleNotFoundError as exc:
        raise FarmError(f'{exc.name} is missing, images stand on it: pip install "plcfarm[docker]"') from exc
