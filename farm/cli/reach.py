"""Where a node is reached from here: at its own address, at one of this machine's, or only from within its network."""

import os
from collections.abc import Iterable

from farm.backends.netns_visit import visit
from farm.supervisor.link import Link
from farm.supervisor.probe import endpoint
from farm.topology.plant import Plant
from node.config.model import NodeConfig


def reached_at(node: NodeConfig, protocol: str, port: int) -> tuple[str, int]:
    """(address, port) for a client on this machine, or for one that `stand_by` has moved."""
    return endpoint(node, protocol, port, inside=False)


def stand_by(link: Link, plant: Plant, node: NodeConfig) -> None:
    """Moves this process, which must have one thread, to where the node is reached, if it is not from here. Raises
    `FarmError`."""
    if not _reached_here(link, plant, node):
        visit(int(link.ask("status")["pid"]), node.name)  # the supervisor is on every network


def stand_by_all(link: Link, plant: Plant, nodes: Iterable[NodeConfig]) -> bool:
    """The same for several nodes, from one place; whether they are to be asked at their own addresses there, and not at
    those that they have on this machine. Raises `FarmError`."""
    hidden = [node for node in nodes if not _reached_here(link, plant, node)]
    if hidden:
        stand_by(link, plant, hidden[0])
    return bool(hidden)


def _reached_here(link: Link, plant: Plant, node: NodeConfig) -> bool:
    if link.backend != "netns" or node.outside or not node.interfaces:
        return True
    hidden = {network.name for network in plant.networks if not network.host}
    return os.geteuid() == 0 and node.interfaces[0].network not in hidden
