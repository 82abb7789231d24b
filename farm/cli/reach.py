"""Where a node is reached from here: at its own address, at one of this machine's, or only from within its network."""

import os

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
    if link.backend != "netns" or node.outside or not node.interfaces:
        return
    hidden = {network.name for network in plant.networks if not network.host}
    if os.geteuid() == 0 and node.interfaces[0].network not in hidden:
        return
    visit(int(link.ask("status")["pid"]), node.name)  # the supervisor is on every network
