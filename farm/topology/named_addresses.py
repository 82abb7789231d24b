"""Addresses of the plant that a node's settings name, as subnets and routes do: where they are on the backend.

What is on no network of the plant is left alone: it may be a real device.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field

from farm.topology import territory
from farm.topology.document import Node
from farm.topology.network_rules import Ranges
from farm.topology.networks import DEFAULT_NETWORK, Network
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
    _ranges: Ranges = field(default_factory=Ranges)

    def __post_init__(self) -> None:
        for network in self.networks.values():
            if network.place is not None:
                self._ranges.add(network.name, network.subnet)

    def on(self, first: int, last: int) -> list[Network]:
        """The networks that have any of these addresses; the default one last, for others may lie in it."""
        found = [self.networks[name] for name in self._ranges.within(first, last)]
        default = self.networks.get(DEFAULT_NETWORK)
        if default is not None and default.place is None and last >= int(default.subnet.network_address):
            found += [default] if first <= int(default.subnet.broadcast_address) else []
        return found

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
        touched = self.on(int(subnet.network_address), int(subnet.broadcast_address))
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
        networks = self.on(number, number)
        return f"{ipaddress.IPv4Address(networks[0].here(number))}{colon}{port}" if networks else text
