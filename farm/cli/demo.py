"""`farm demo`: a plant without a file, for a first look: the water works that comes with the package."""

from typing import Annotated

import typer

from farm.cli import options, plants
from farm.cli.follow import follow
from farm.cli.terminal import note, program
from farm.cli.up import bring_up, warn_about

PLANT = "plant.yaml"


def demo(
    attach: Annotated[
        bool, typer.Option("--attach", help="Follow events until Ctrl-C, then take the farm down.")
    ] = False,
    timeout: options.Timeout = None,
) -> None:
    """Start the small water works that comes with plcfarm."""
    plant = plants.load(plants.packaged(PLANT))
    warn_about(plant)
    link = bring_up(plant, timeout=timeout)
    logix = next((node for node in plant.nodes if node.enip is not None), None)
    if logix is not None:
        tag = logix.tags[0].name if logix.tags else "TAG"
        farm = program()
        note(f"try: {farm} tags {logix.name}; {farm} read {logix.name} {tag}")
    if attach:
        follow(link, take_down=True)
