"""An address in the cluster's range of services for every node: always the same one for the same address of the file.

A node whose address lies in the range has it. Every other keeps the low bits of its own: 10.20.1.7 is 10.100.1.7 in
10.96.0.0/12, and 10.43.1.7 in 10.43.0.0/16. So addresses do not move when nodes come and go; only where two come to
one, the later one in the file gets the next that is free.
"""

import ipaddress
from collections.abc import Sequence

from farm.errors import FarmError
from node.config.model import NodeConfig

SERVICE_CIDR = "10.96.0.0/12"
"""What kubeadm gives a cluster that is told nothing."""
KEPT = 16
"""Addresses at the start of the range that a cluster has for itself: the first is its API, the tenth its DNS."""


def parse_range(text: str, name: str = "--service-cidr") -> ipaddress.IPv4Network:
    """A range of services, as `name` gives it. Raises `FarmError` for what is none."""
    try:
        found = ipaddress.IPv4Network(text)
    except ValueError as exc:
        raise FarmError(f"{name} {text}: wanted a range of IPv4 addresses, as in {SERVICE_CIDR} ({exc})") from exc
    if found.num_addresses <= 2 * KEPT:
        raise FarmError(f"{name} {text}: {found.num_addresses} addresses are too few; /26 is the smallest")
    return found


def onward_range(onward: str, services: ipaddress.IPv4Network) -> str:
    """Where the addresses of a subnet are in `services`, for messages that are sent on there; "" for none."""
    if not onward:
        return ""
    subnet = ipaddress.IPv4Network(onward)
    if subnet.subnet_of(services):
        return onward
    if subnet.prefixlen < services.prefixlen:
        return str(services)
    low = int(subnet.network_address) & int(services.hostmask)
    return str(ipaddress.IPv4Network((int(services.network_address) | low, subnet.prefixlen)))


def cluster_addresses(nodes: Sequence[NodeConfig], services: ipaddress.IPv4Network) -> dict[str, str]:
    """Node name to its address in `services`. Raises `FarmError` where there are too few of them."""
    first, last = int(services.network_address) + KEPT, int(services.broadcast_address) - 1
    size = last - first + 1
    if len(nodes) > size:
        raise FarmError(f"{len(nodes)} nodes need as many addresses, and {services} has {size}: use a larger range")
    wanted = {node.name: int(ipaddress.IPv4Address(node.address)) for node in nodes}
    found = {name: address for name, address in wanted.items() if first <= address <= last}
    taken = set(found.values())
    for name, address in wanted.items():
        if name in found:
            continue
        here = int(services.network_address) | (address & int(services.hostmask))
        while here in taken or not first <= here <= last:
            here = here + 1 if first <= here < last else first
        found[name] = here
        taken.add(here)
    return {name: str(ipaddress.IPv4Address(found[name])) for name in wanted}
