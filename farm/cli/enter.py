"""`farm enter`: a shell, or a command, from where a farm's nodes are reached at their own addresses."""

from typing import Annotated

import typer

from farm.backends.netns_visit import visit
from farm.cli import options
from farm.cli.terminal import note
from farm.cli.whereabouts import become, enter_holder, shell
from farm.cli.wire_access import running_plant
from farm.errors import FarmError
from farm.supervisor.link import Link, run_named


def enter(
    command: Annotated[
        list[str] | None, typer.Argument(metavar="[CMD]...", help="A command; without one, your shell.")
    ] = None,
    network: Annotated[
        str | None,
        typer.Option("--network", metavar="NETWORK", help="Stand in this network, also a closed one."),
    ] = None,
    name: options.FarmName = None,
) -> None:
    """Run a client where nodes are reached; its exit code is this one's."""
    link = Link.open(run_named(name))
    extra = {"PLCFARM_FARM": link.run.name}
    if network is not None:
        extra |= stand_in(link, network)
    elif link.backend != "netns" or not enter_holder(link.run):
        note("this machine reaches the nodes itself; the command runs here")
    become(command or shell(), extra)


def stand_in(link: Link, network: str) -> dict[str, str]:
    """Goes to where the farm's networks are; what to say of it in the environment. Raises `FarmError`."""
    networks = {each.name: each for each in running_plant(link, []).networks}
    if link.backend != "netns":
        raise FarmError(f"backend {link.backend} has no place of its own for networks: --network needs netns")
    if network not in networks:
        raise FarmError(f"there is no network {network!r} in {link.run.name}; there is {', '.join(networks) or 'none'}")
    visit(int(link.ask("status")["pid"]), network)
    return {"PLCFARM_NETWORK": network, "PLCFARM_ADDRESS": networks[network].watch}
