"""Arguments and options that several verbs share, so that they are called alike everywhere."""

from pathlib import Path
from typing import Annotated

import typer

PlantFile = Annotated[
    Path | None,
    typer.Argument(metavar="[PLANT]", help="Plant file; without one, plant.yaml or the only *.farm.yaml here."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Set a variable of the plant file; may be repeated."),
]
Backend = Annotated[
    str | None,
    typer.Option(
        "--backend", "-b", metavar="NAME", help="process, netns, docker or kubernetes [default: the plant file's]."
    ),
]
Shard = Annotated[
    str | None,
    typer.Option(
        "--shard", metavar="K|auto", help="Nodes a process serves; the plant file's, else 1; 1 on netns and swarm."
    ),
]
NewName = Annotated[str | None, typer.Option("--name", "-n", metavar="NAME", help="Run it under another name.")]
FarmName = Annotated[
    str | None, typer.Option("--name", "-n", metavar="NAME", help="Which farm; needed where several run.")
]
NodeName = Annotated[str, typer.Argument(metavar="NODE", help="Name of a node.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a script.")]
Output = Annotated[str | None, typer.Option("--output", "-o", metavar="json", help="Print JSON for a script.")]
Timeout = Annotated[float | None, typer.Option("--timeout", metavar="SECONDS", min=0.1, help="Give up after so long.")]
AllowCode = Annotated[bool, typer.Option("--allow-code", help="Let tags run the code that the plant file names.")]
RealNetwork = Annotated[
    bool,
    typer.Option(
        "--i-understand-real-network", help="Let networks with an uplink answer on the real network it names."
    ),
]
BesideControllers = Annotated[
    bool, typer.Option("--beside-controllers", help="Do so even where real controllers were seen there.")
]
