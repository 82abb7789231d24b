"""`farm supervise`: how the supervisor of a run is started, by `Link.open` and by nobody else."""

from pathlib import Path
from typing import Annotated

import typer

from farm.cli.backends import check_backend, make_supervised
from farm.supervisor.allocation import for_this_one_alone
from farm.supervisor.daemon import serve
from farm.supervisor.link import RunDirectory


def supervise(
    directory: Annotated[Path, typer.Argument(metavar="DIR")],
    backend: Annotated[str, typer.Option("--backend", metavar="NAME")] = "process",
) -> None:
    """Keep the nodes of one run alive."""
    for_this_one_alone()
    serve(RunDirectory(directory), check_backend(backend), make_supervised)
