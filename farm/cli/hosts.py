"""`farm hosts`: names for the addresses of a farm's nodes, as lines of /etc/hosts, or a way to them from elsewhere."""

import ipaddress
import json
from collections.abc import Iterator, Mapping
from typing import Annotated

import typer

from farm.cli import options
from farm.cli.reach import way_to
from farm.cli.terminal import note, say
from farm.cli.usage import UsageError
from farm.cli.wire_access import running_plant
from farm.errors import FarmError
from farm.supervisor.link import Link, run_named
from farm.supervisor.reach import ELSEWHERE, SWARM
from farm.topology.plant import Plant
from node.config.model import NodeConfig

LAST_PORT = 65535

Line = tuple[str, list[str]]
"""An address and its names, the first of them the one that people use."""


def hosts(
    outside: Annotated[
        bool,
        typer.Option(
            "--outside", help="The addresses of this machine, or the relay's, at which nodes are served as well."
        ),
    ] = False,
    relay: Annotated[
        str | None,
        typer.Option(
            "--relay",
            metavar="ADDRESS:PORT",
            help="A relay's file: ports of that address, counted from that one, lead to the nodes.",
        ),
    ] = None,
    name: options.FarmName = None,
) -> None:
    """Print lines for /etc/hosts, or a file for `python -m node relay`."""
    link = Link.open(run_named(name))
    plant = running_plant(link)
    found = {row["name"]: row["address"] for row in link.ask("ps")["rows"]} if plant.backend == "swarm" else {}
    far = plant.backend == SWARM and (outside or relay is not None) and way_to(link) == ELSEWHERE
    whose = "the relay's host" if far else "this machine"
    if relay is not None:
        if far:
            note(f"# {plant.name}: for `python -m node relay` on {whose}, whose addresses the nodes have")
        show_relay(plant, found, *listening(relay))
        return
    lines = list(outer_lines(plant) if outside else inner_lines(plant, found))
    if not lines:
        raise FarmError(f"no node of {plant.name} is served at an address of {whose}; leave out --outside")
    note(f"# {plant.name}{f', at addresses of {whose}' if outside else ''}: {append(outside, far)}")
    width = max(len(address) for address, _ in lines)
    say("\n".join(f"{address:{width}}  {' '.join(names)}" for address, names in lines))


def append(outside: bool, far: bool) -> str:
    """What to do with the lines."""
    if far:
        return "append it to /etc/hosts there"
    return f"append it to /etc/hosts, as in `farm hosts{' --outside' if outside else ''} | sudo tee -a /etc/hosts`"


def show_relay(plant: Plant, found: Mapping[str, str], address: str, port: int) -> None:
    """Prints a relay's file, and beside it which port is whose."""
    rows: list[list[str | int]] = []
    for number, (node, protocol, there, own) in enumerate(ways(plant, found), port):
        note(f"# {address}:{number}  {node.name} {protocol}")
        both = protocol == "enip" or (node.modbus is not None and node.modbus.udp)
        rows += [[transport, address, number, there, own] for transport in (("tcp", "udp") if both else ("tcp",))]
    if rows and int(rows[-1][2]) > LAST_PORT:
        raise FarmError(f"{plant.name} has ports up to {rows[-1][2]} from {port} on: begin lower")
    lines = ",\n".join(f"  {json.dumps(row)}" for row in rows)
    say(f'{{"forwards": [\n{lines}\n]}}')


def ways(plant: Plant, found: Mapping[str, str]) -> Iterator[tuple[NodeConfig, str, str, int]]:
    """(node, protocol, address, port) of all that this machine reaches, outside where a node is served there."""
    for node in plant.nodes:
        outside = {protocol: (address, port) for protocol, address, port in node.outside}
        for protocol, port in node.ports.items():
            yield node, protocol, *outside.get(protocol, (found.get(node.name, node.address), port))


def listening(text: str) -> tuple[str, int]:
    """`10.0.0.1:20001` as an address and a port. Raises `UsageError`."""
    address, _, port = text.rpartition(":")
    try:
        found = str(ipaddress.IPv4Address(address)), int(port)
    except ValueError as exc:
        raise UsageError(f"--relay {text}: wanted an address and a port, as in --relay 10.0.0.1:20001") from exc
    if not 0 < found[1] <= LAST_PORT:
        raise UsageError(f"--relay {text}: a port is 1 to {LAST_PORT}")
    return found


def inner_lines(plant: Plant, found: Mapping[str, str] | None = None) -> Iterator[Line]:
    """Every address of nodes and routers on their networks. Nodes that a platform has put elsewhere are where they were
    `found`; of those the first address alone is known."""
    for node in plant.nodes:
        address = (found or {}).get(node.name, node.address)
        yield address, names(node, plant.name)
        for interface in node.interfaces[1:] if address == node.address else ():
            yield interface.address, [f"{node.name}.{interface.network}.{plant.name}"]
    for router in plant.routers:
        for interface in router.interfaces:
            yield interface.address, [f"{router.name}.{interface.network}.{plant.name}"]


def outer_lines(plant: Plant) -> Iterator[Line]:
    """The addresses of this machine that lead to nodes, or of the relay's host."""
    for node in plant.nodes:
        for address in dict.fromkeys(address for _, address, _ in node.outside):
            yield address, names(node, plant.name)


def names(node: NodeConfig, farm: str) -> list[str]:
    """What a node is called: its host name, its name, and its name within its farm."""
    return list(dict.fromkeys((node.hostname or node.name, node.name, f"{node.name}.{farm}")))
