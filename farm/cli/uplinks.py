"""Networks of a plant that are joined to a real one: never by accident, and not before it was looked at.

A simulator that answers for a real controller can move machinery, so the file alone does not do: whoever starts the
plant says so too, is told what will answer there, and is refused where somebody is at one of these addresses.
"""

from collections.abc import Iterator

from farm.backends.netns_uplink import Answering, check_uplink
from farm.cli.rows import FIRST, LONG
from farm.cli.terminal import note, program
from farm.errors import FarmError
from farm.topology.plant import Plant
from farm.topology.wiring import MACVLAN, NetworkSpec
from node.config.transports import spoken

UNDERSTOOD = "--i-understand-real-network"


def allow_uplinks(plant: Plant, *, understood: bool, beside_controllers: bool = False) -> None:
    """Lets a plant pass that has no uplink; else asks each real segment, and prints what will answer there.

    Raises `FarmError` with one line when it was not `understood`, `BackendError` for a segment that cannot be joined
    (`check_uplink`).
    """
    uplinks = [(network, list(answering(plant, network))) for network in plant.networks if network.uplink]
    if uplinks and not understood:
        what = "; ".join(f"network {network.name} on {network.uplink}: {brief(each)}" for network, each in uplinks)
        raise FarmError(f"{plant.name} would answer on a real network ({what}): {program()} up {UNDERSTOOD} does it")
    for network, each in uplinks:
        shared = plant.backend == "docker" and network.driver == MACVLAN
        lines = check_uplink(network, each, shared=shared, beside_controllers=beside_controllers)
        shown = lines if len(lines) <= LONG else [*lines[: FIRST + 1], f"... {len(lines) - 1 - FIRST} more"]
        for line in shown:
            note(line)


def answering(plant: Plant, network: NetworkSpec) -> Iterator[Answering]:
    """What of a plant has an address on a network: nodes with their protocols, routers, the farm and the machine."""
    for node in plant.nodes:
        protocols = tuple(f"{'+'.join(names)} {node.ports[port]}" for port, names in spoken(node).items())
        for interface in node.interfaces:
            if interface.network == network.name:
                yield Answering(interface.address, node.name, protocols)
    for router in plant.routers:
        for interface in router.interfaces:
            if interface.network == network.name:
                yield Answering(interface.address, f"router {router.name}")
    if plant.backend != "docker":
        yield Answering(network.watch, "the farm itself")
        if network.host:
            yield Answering(network.host, "this machine")


def brief(each: list[Answering]) -> str:
    """Them in a few words."""
    protocols = sorted({protocol for one in each for protocol in one.protocols})
    count = f"{len(each)} addresses" if len(each) != 1 else "1 address"
    return f"{count} from {each[0].address} on, {', '.join(protocols) or 'ARP and ping'}" if each else count
