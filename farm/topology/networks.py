"""The networks of a plant: a name and a subnet each, and which addresses of it a node may have."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from farm.topology.document import MapNode, Node, Scalar, shown
from farm.topology.keys import SUBNET
from farm.topology.plant import Origin
from farm.topology.problem import Report, suggestion
from farm.topology.shapes import take

DEFAULT_NETWORK = "default"
DEFAULT_SUBNET = ipaddress.IPv4Network("127.64.0.0/10")
LOOPBACK = ipaddress.IPv4Network("127.0.0.0/8")
LOCALHOST = int(ipaddress.IPv4Address("127.0.0.1"))
SMALLEST_PREFIX = 8
LARGEST_PREFIX = 30


@dataclass(frozen=True, slots=True)
class Network:
    """A network: `place` is its subnet in the file, None for the default one that no file declares."""

    name: str
    subnet: ipaddress.IPv4Network
    place: Node | None = None

    @property
    def origin(self) -> Origin:
        """Where an address that came out of it has its origin."""
        if self.place is None:
            return Origin(f"default network {self.subnet}", 0, 0)
        return Origin(self.place.source.name, self.place.line, self.place.column)

    def allows(self, address: int) -> bool:
        """Whether a node may be given this address by hand: inside, and not the network's own two."""
        return int(self.subnet.network_address) < address < int(self.subnet.broadcast_address)

    def free(self) -> Iterator[int]:
        """The addresses nodes get by themselves, in order. Those ending in .0 and .255 are left out, for software
        takes them for networks and broadcasts even where they are not, and so is 127.0.0.1."""
        for address in range(int(self.subnet.network_address) + 1, int(self.subnet.broadcast_address)):
            if address & 0xFF not in (0, 0xFF) and address != LOCALHOST:
                yield address


def read_networks(settings: MapNode, backend: str, report: Report) -> dict[str, Network]:
    """The networks a plant declares, and `default`."""
    networks: dict[str, Network] = {}
    declared = settings.map("networks")
    for name, _, body in declared.items() if declared is not None else ():
        subnet = take(body, "subnet", SUBNET, None, report) if isinstance(body, MapNode) else None
        if subnet is None or not isinstance(body, MapNode):
            continue
        network = Network(name, subnet, body.get("subnet"))
        if _usable(network, backend, networks, report):
            networks[name] = network
    declares_default = declared is not None and declared.get(DEFAULT_NETWORK) is not None
    if not declares_default:
        networks.setdefault(DEFAULT_NETWORK, Network(DEFAULT_NETWORK, DEFAULT_SUBNET))
    return networks


def _usable(network: Network, backend: str, others: dict[str, Network], report: Report) -> bool:
    subnet, place = network.subnet, network.place
    if place is None:
        return True
    if not SMALLEST_PREFIX <= subnet.prefixlen <= LARGEST_PREFIX:
        report.error("F040", place, f"subnet {subnet} is not from /{SMALLEST_PREFIX} to /{LARGEST_PREFIX}")
        return False
    if backend == "process" and not subnet.subnet_of(LOOPBACK):
        hint = f"use one inside {DEFAULT_SUBNET}"
        report.error("F040", place, f"backend process serves {LOOPBACK} only, not {subnet}", hint)
        return False
    for other in others.values():
        if subnet.overlaps(other.subnet):
            line = f" (line {other.place.line})" if other.place is not None else ""
            report.error("F040", place, f"subnet {subnet} overlaps {other.subnet} of network '{other.name}'{line}")
            return False
    return True


def network_of(name: Scalar | None, networks: dict[str, Network], report: Report) -> Network | None:
    """The network a node names, or `default`; None, with an error noted, when there is none of that name."""
    if name is None:
        return networks.get(DEFAULT_NETWORK)
    if name.dollar:
        return None
    if name.text not in networks:
        hint = suggestion(name.text, networks) or f"known: {', '.join(networks)}"
        report.error("F033", name, f"network {shown(name.text)} is unknown", hint)
    return networks.get(name.text)
