"""`farm enter`: a shell, or a command, from where a farm's nodes are reached at their own addresses."""

from typing import Annotated

import typer

from farm.backends.netns_visit import visit
from farm.cli import options
from farm.cli.reach import PLACES, way_to
from farm.cli.terminal import note, program
from farm.cli.whereabouts import become, enter_holder, shell
from farm.cli.wire_access import running_plant
from farm.errors import FarmError
from farm.supervisor.link import Link, run_named
from farm.supervisor.reach import DOCKER, ELSEWHERE, OUTSIDE, SWARM
from farm.topology.wiring import MACVLAN


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
        note(f"{standing(link)}; the command runs here")
    become(command or shell(), extra)


def standing(link: Link) -> str:
    """What this machine reaches of the farm."""
    way = way_to(link)
    if way == OUTSIDE:
        return f"this machine reaches the nodes at their OUTSIDE addresses alone (`{program()} hosts --outside`)"
    if way == ELSEWHERE:
        which = "OUTSIDE addresses" if link.backend == SWARM else "addresses"
        return f"this machine does not reach the nodes: their {which} are {PLACES[link.backend]}"
    closed = closed_networks(link)
    if not closed:
        return "this machine reaches the nodes itself"
    cure = f", which `{program()} enter --network` stands in" if link.backend == "netns" else " (macvlan)"
    return f"this machine does not reach network {', '.join(closed)}{cure}"


def closed_networks(link: Link) -> list[str]:
    """Those of the plant that this machine is not on, though the others are here."""
    if link.backend == "netns":
        return [each.name for each in running_plant(link, []).networks if not each.host]
    if link.backend == DOCKER:
        return [each.name for each in running_plant(link, []).networks if each.driver == MACVLAN]
    return []


def stand_in(link: Link, network: str) -> dict[str, str]:
    """Goes to where the farm's networks are; what to say of it in the environment. Raises `FarmError`."""
    networks = {each.name: each for each in running_plant(link, []).networks}
    if link.backend != "netns":
        raise FarmError(f"backend {link.backend} has no place of its own for networks: --network needs netns")
    if network not in networks:
        raise FarmError(f"there is no network {network!r} in {link.run.name}; there is {', '.join(networks) or 'none'}")
    visit(int(link.ask("status")["pid"]), network)
    return {"PLCFARM_NETWORK": network, "PLCFARM_ADDRESS": networks[network].watch}
