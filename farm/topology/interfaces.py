"""How nodes and routers are on their networks: addresses where they are on the backend, MACs, next hops."""

import ipaddress
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from farm.topology.addresses import Addresses
from farm.topology.document import MapNode, Node, Scalar, shown
from farm.topology.gateways import Gateway
from farm.topology.groups import Member
from farm.topology.lock import ROUTER
from farm.topology.macs import Macs
from farm.topology.networks import DEFAULT_NETWORK, Network
from farm.topology.problem import Report, TooManyError, suggestion
from farm.topology.routing import Routing
from farm.topology.shapes import take
from farm.topology.wiring import ipv6_of
from farm.topology.wiring_keys import MAC
from node.config.model import InterfaceConfig

MAX_STEPS = 500_000
"""Interfaces of routers looked at, and routes made, to find all ways."""

NO_GATEWAY = "none"

Route = tuple[str, str]
"""Subnet and next hop."""

Place = tuple[Network, MapNode | None]
"""A network somebody is on, and the map of the file that says how."""


@dataclass(frozen=True, slots=True)
class Way:
    """A default gateway: its address, the network it is on, and the router it is, "" for another."""

    address: str = ""
    network: str = ""
    router: str = ""


def dots(address: int) -> str:
    """An IPv4 address as text."""
    return str(ipaddress.IPv4Address(address))


def ipv6_hop(network: Network, address: str) -> str:
    """The IPv6 address of who has this IPv4 one, on a network that has IPv6."""
    return ipv6_of(str(network.traits.ipv6), address).partition("/")[0]


def networks_of(member: Member, networks: Mapping[str, Network]) -> list[Place]:
    """The networks of a node, the main one first."""
    name = member.body.scalar("network")
    main = networks.get(name.text if name is not None else DEFAULT_NETWORK)
    if main is None:
        return []
    found: list[Place] = [(main, member.body)]
    interfaces = member.body.map("interfaces")
    for text, _, body in interfaces.items() if interfaces is not None else ():
        if text in networks and text != main.name:
            found.append((networks[text], body if isinstance(body, MapNode) else None))
    return found


@dataclass(slots=True)
class Interfaces:
    """Makes the interfaces of one plant's nodes and routers, all of whose addresses are given. `refused` are the names
    of gateways that have errors already, and that a node may name all the same."""

    farm: str
    networks: Mapping[str, Network]
    addresses: Addresses
    gateways: Sequence[Gateway]
    refused: Collection[str]
    report: Report
    macs: Macs = field(init=False)
    routing: Routing = field(init=False)
    left: int = MAX_STEPS
    _routes: dict[tuple[tuple[str, ...], str], dict[str, tuple[Route, ...]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.macs = Macs(self.farm, self.report)
        self.routing = Routing({each.name: tuple(wish.network.name for wish in each.wishes) for each in self.gateways})

    def take_macs(self, members: Iterable[Member]) -> None:
        """Note the MAC addresses that the file gives, before any is made up."""
        for member in members:
            self.report.subject = member.name
            for network, body in networks_of(member, self.networks):
                written = body.scalar("mac") if body is not None else None
                mac = take(body, "mac", MAC, "", self.report)
                if mac and written is not None:
                    self.macs.by_hand(member.name, network, mac, written)
        self.report.subject = ""

    def of_node(self, member: Member) -> tuple[InterfaceConfig, ...]:
        """The interfaces of a node, the main one first; none when one has no address, which is an error already."""
        places = networks_of(member, self.networks)
        if not places or not all(self.addresses.of(member.name, network.name) for network, _ in places):
            return ()
        way = self.way(member, places)
        routes = self.routes(tuple(network.name for network, _ in places), way.router, member.place)
        found = []
        for network, body in places:
            own, gateway = routes.get(network.name, ()), ""
            if network.name == way.network:
                gateway = way.address
                if network.traits.ipv6 is not None:
                    own = (*own, ("::/0", ipv6_hop(network, gateway)))
            mac = take(body, "mac", MAC, "", self.report)
            found.append(self.interface(member.name, network, mac, gateway, own))
        return tuple(found)

    def of_router(self, gateway: Gateway) -> tuple[tuple[InterfaceConfig, ...], tuple[Route, ...]]:
        """The interfaces of a router, and its routes to networks that it is not on."""
        networks = [
            wish.network for wish in gateway.wishes if self.addresses.of(ROUTER + gateway.name, wish.network.name)
        ]
        own = tuple(network.name for network in networks)
        routes = [route for each in self.routes(own, "", gateway.key).values() for route in each]
        return tuple(self.interface(ROUTER + gateway.name, network) for network in networks), tuple(routes)

    def interface(
        self, owner: str, network: Network, mac: str = "", gateway: str = "", routes: tuple[Route, ...] = ()
    ) -> InterfaceConfig:
        """An interface of somebody who has an address there."""
        address = self.here(owner, network)
        traits = network.traits
        ipv6 = ipv6_of(str(traits.ipv6), address) if traits.ipv6 is not None else ""
        mac = mac or self.macs.derived(owner, network)
        return InterfaceConfig(network.name, address, network.image.prefixlen, mac, traits.mtu, gateway, ipv6, routes)

    def here(self, owner: str, network: Network) -> str:
        """The address of a node or router on the backend, "" when it has none."""
        given = self.addresses.of(owner, network.name)
        return dots(network.here(given.address)) if given is not None else ""

    def way(self, member: Member, places: Sequence[Place]) -> Way:
        """The default gateway of a node: what the file says, else the only router of its main network."""
        written = member.body.scalar("gateway")
        if written is None:
            main = places[0][0]
            beside = self.routing.beside(main.name)
            return self.to_router(beside[0], main) if len(beside) == 1 else Way()
        if written.dollar or written.text == NO_GATEWAY or written.text in self.refused:
            return Way()
        networks = [network for network, _ in places]
        if written.text in self.routing.routers:
            on = self.routing.routers[written.text]
            network = next((network for network in networks if network.name in on), None)
            if network is not None:
                return self.to_router(written.text, network)
        return self.to_address(member, written, networks)

    def to_router(self, router: str, network: Network) -> Way:
        return Way(self.here(ROUTER + router, network), network.name, router)

    def to_address(self, member: Member, written: Scalar, networks: Sequence[Network]) -> Way:
        """A default gateway given by its address; an error when it is none that the node can reach."""
        routers = dict.fromkeys(router for network in networks for router in self.routing.beside(network.name))
        try:
            address = int(ipaddress.IPv4Address(written.text))
        except ValueError:
            hint = suggestion(written.text, routers) or f"it can reach {', '.join(routers) or 'no router'}"
            message = f"gateway {shown(written.text)} of '{member.name}' is no address, and no router of its networks"
            self.report.error("F048", written, message, hint)
            return Way()
        network = next((network for network in networks if network.allows(address)), None)
        if network is None or self.here(member.name, network) == dots(network.here(address)):
            message = f"gateway {written.text} of '{member.name}' is on no network of it"
            if network is not None:
                message = f"gateway {written.text} of '{member.name}' is its own address"
            self.report.error("F048", written, message)
            return Way()
        here = dots(network.here(address))
        router = next((each for each in routers if self.here(ROUTER + each, network) == here), "")
        return Way(here, network.name, router)

    def routes(self, own: tuple[str, ...], default: str, place: Node) -> dict[str, tuple[Route, ...]]:
        """For somebody on the networks `own`, by each of these the subnets beyond it and the next hop towards each; not
        those that the router `default` leads to."""
        known = self._routes.get((own, default))
        if known is not None:
            return known
        self.left -= self.routing.size
        if self.left < 0:
            message = "there are too many ways from network to network"
            self.report.error("F037", place, message, "use fewer gateways, or give nodes fewer interfaces")
            raise TooManyError
        found: dict[str, list[Route]] = {}
        for beyond, hop in self.routing.ways(own).items():
            if hop.router != default:
                on, target = self.networks[hop.network], self.networks[beyond]
                next_hop = self.here(ROUTER + hop.router, on)
                found.setdefault(hop.network, []).append((str(target.image), next_hop))
                if target.traits.ipv6 is not None and on.traits.ipv6 is not None:
                    found[hop.network].append((str(target.traits.ipv6), ipv6_hop(on, next_hop)))
        self.left -= sum(map(len, found.values()))
        self._routes[own, default] = {network: tuple(routes) for network, routes in found.items()}
        return self._routes[own, default]
