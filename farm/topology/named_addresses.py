"""Addresses of the plant that a node's settings name, as subnets and routes do: where they are on the backend.

What is on no network of the plant is left alone: it may be a real device.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field

from farm.topology import territory
from farm.topology.document import Node
from farm.topology.networks import Network
from farm.topology.problem import Report
from farm.topology.vocabulary import Route

FIRST_BYTE = 8
"""Bits that a rule of `territory` changes; a shorter subnet has all addresses before and after."""


@dataclass(slots=True)
class NamedAddresses:
    """Moves addresses of these networks to where they are on `backend`."""

    networks: Mapping[str, Network]
    backend: str
    report: Report
    _known: dict[ipaddress.IPv4Network, tuple[ipaddress.IPv4Network, str]] = field(default_factory=dict)

    def subnet(self, subnet: ipaddress.IPv4Network, place: Node) -> ipaddress.IPv4Network:
        """A subnet; an error is noted when it holds a network of the plant that goes elsewhere."""
        if subnet not in self._known:
            self._known[subnet] = self._moved(subnet)
        moved, astray = self._known[subnet]
        if astray:
            message = f"{subnet} is {moved} on backend {self.backend}, where network '{astray}' is not in it"
            self.report.error("F040", place, message, "name the networks one by one, or move them to another subnet")
        return moved

    def _moved(self, subnet: ipaddress.IPv4Network) -> tuple[ipaddress.IPv4Network, str]:
        """Where a subnet is, and a network in it that is elsewhere."""
        if subnet.prefixlen < FIRST_BYTE:
            return subnet, ""
        touched = [network for network in self.networks.values() if network.subnet.overlaps(subnet)]
        if not touched:
            return subnet, ""
        if subnet.subnet_of(touched[0].subnet):
            return ipaddress.IPv4Network((touched[0].here(int(subnet.network_address)), subnet.prefixlen)), ""
        moved = territory.image(subnet, self.backend)
        return moved, next((network.name for network in touched if not network.image.subnet_of(moved)), "")

    def route(self, route: Route) -> Route:
        """A route: links that are addresses, alone or with a port behind a colon."""
        return route and tuple((port, link if isinstance(link, int) else self.link(link)) for port, link in route)

    def link(self, text: str) -> str:
        """A link of a route."""
        address, colon, port = text.partition(":")
        try:
            number = int(ipaddress.IPv4Address(address))
        except ValueError:
            return text
        network = next((each for each in self.networks.values() if each.allows(number)), None)
        return text if network is None else f"{ipaddress.IPv4Address(network.here(number))}{colon}{port}"
