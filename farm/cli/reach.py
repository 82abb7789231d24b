"""Where a node is reached from here: at its own address, at one of this machine's, or only from within its network."""

import os
import socket
from collections.abc import Iterable

from farm.backends.netns_visit import visit
from farm.cli.terminal import program
from farm.errors import FarmError
from farm.supervisor.link import Link
from farm.supervisor.probe import endpoint
from farm.supervisor.reach import CLUSTER, DOCKER, OUTSIDE, OWN, SWARM
from farm.topology.plant import Plant
from node.config.model import NodeConfig

KNOCK = 1.5
"""Seconds for a connection to a node that is not expected to be reached: a tunnel may lead to it all the same."""
PLACES = {SWARM: "of the relay's host", CLUSTER: "within the cluster", DOCKER: "on the engine's machine"}
"""Backend to where the addresses are that are not this machine's."""


def way_to(link: Link) -> str:
    """How clients on this machine come to the farm's nodes, as `farm.supervisor.reach` has it."""
    return str(link.ask("plant", nodes=[]).get("way", OWN)) if link.backend in PLACES else OWN


def reached_at(node: NodeConfig, protocol: str, port: int) -> tuple[str, int]:
    """(address, port) for a client on this machine, or for one that `stand_by` has moved."""
    return endpoint(node, protocol, port, inside=False)


def stand_by(link: Link, plant: Plant, node: NodeConfig) -> None:
    """Moves this process, which must have one thread, to where the node is reached, if it is not from here. Raises
    `FarmError`."""
    if not _reached_here(link, plant, node):
        visit(int(link.ask("status")["pid"]), node.name)  # the supervisor is on every network
    elif link.backend in PLACES:
        _look_for(link, node)


def stand_by_all(link: Link, plant: Plant, nodes: Iterable[NodeConfig]) -> bool:
    """The same for several nodes, from one place; whether they are to be asked at their own addresses there, and not at
    those that they have on this machine. Raises `FarmError`."""
    meant = list(nodes)
    hidden = [node for node in meant if not _reached_here(link, plant, node)]
    for node in hidden[:1] or sorted(meant, key=lambda each: not each.outside)[:1]:
        stand_by(link, plant, node)
    return bool(hidden)


def _reached_here(link: Link, plant: Plant, node: NodeConfig) -> bool:
    if link.backend != "netns" or node.outside or not node.interfaces:
        return True
    hidden = {network.name for network in plant.networks if not network.host}
    return os.geteuid() == 0 and node.interfaces[0].network not in hidden


def _look_for(link: Link, node: NodeConfig) -> None:
    """Raises `FarmError` with what to do where a node of another machine does not answer here."""
    way = way_to(link)
    if way == OWN or (way == OUTSIDE and node.outside):
        return
    if not node.outside and (way == OUTSIDE or link.backend == SWARM):
        only = ", ".join(interface.network for interface in node.interfaces) or "none"
        cure = f"ask it from a container on its network; {_by(node)}"
        raise FarmError(f"{node.name} is not reached from here: it is on network {only} alone; {cure}")
    protocol = next(iter(node.ports), "")
    address, port = reached_at(node, protocol, node.ports.get(protocol, 0))
    if protocol == "modbus" and node.modbus is not None and not node.modbus.tcp:
        return
    try:
        socket.create_connection((address, port), KNOCK).close()
    except OSError as exc:
        where = f"{address}:{port} is an address {PLACES[link.backend]}"
        raise FarmError(f"{node.name} is not reached from here: {where}; {_cure(link, node, address, port)}") from exc


def _cure(link: Link, node: NodeConfig, address: str, port: int) -> str:
    if link.backend == SWARM and node.outside:
        tunnel = f"`ssh -L {address}:{port}:{address}:{port} HOST` brings it here"
        return f"{tunnel}, `{program()} hosts --relay ADDRESS:PORT` leads others to it, and {_by(node)}"
    return f"ask it {'from a pod in it' if link.backend == CLUSTER else 'there'}; {_by(node)}"


def _by(node: NodeConfig) -> str:
    return f"`{program()} tags {node.name}` shows its values"
