"""Which nodes of a plant nothing tells apart: those on the same networks, with the same ports, that the rules of all
routers name together. A zone's nodes may share pods, and one policy says who reaches them.

A cluster has no routers. What a router lets through becomes what a zone may ask of another: of each router on the way,
one rule at least must allow it. ICMP is none of it, for the address of a service answers no ping.
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from farm.backends.kubernetes_names import Names, dns_name
from farm.topology.wiring import FlowRule, NetworkSpec, RouterSpec
from node.config.model import NodeConfig

Port = tuple[str, int]
"""`tcp` or `udp`, and a number as the file has it."""
Key = tuple[tuple[str, ...], tuple[Port, ...], frozenset[str]]
"""Networks, ports, and what of the rules is about a node."""


@dataclass(frozen=True, slots=True)
class Zone:
    """Nodes that nothing tells apart: on `networks`, with `ports`, named by `ends` of rules. Clients of a network are a
    zone without nodes. One is `open` that has a network which is not internal: whoever is no node reaches it, as the
    machine does on other backends."""

    name: str
    networks: tuple[str, ...]
    nodes: tuple[NodeConfig, ...] = ()
    ports: tuple[Port, ...] = ()
    ends: frozenset[str] = frozenset()
    open: bool = False


@dataclass(frozen=True, slots=True)
class Zones:
    """Those of a plant, and the `clients` of each of its networks. `flows` maps the names of two to the ports of the
    second that the first may ask, where they share no network. `apart` says whether there is anything to be kept
    apart."""

    zones: tuple[Zone, ...]
    clients: tuple[Zone, ...]
    flows: Mapping[tuple[str, str], tuple[Port, ...]]
    apart: bool


def find_zones(nodes: Sequence[NodeConfig], networks: Sequence[NetworkSpec], routers: Sequence[RouterSpec]) -> Zones:
    """The zones of a plant, in the order of its nodes."""
    rules = _Rules(routers)
    classes: dict[Key, list[NodeConfig]] = {}
    for node in nodes:
        on = tuple(interface.network for interface in node.interfaces)
        named = rules.naming(interface.address for interface in node.interfaces)
        classes.setdefault((on, offered(node), named), []).append(node)
    names = Names()
    outer = {network.name for network in networks if not network.internal}
    zones = tuple(
        Zone(names.of(_called(key, members, classes)), key[0], tuple(members), key[1], key[2], bool(outer & {*key[0]}))
        for key, members in classes.items()
    )
    clients = tuple(
        Zone(f"clients of {dns_name(network.name)}", (network.name,), ends=rules.naming_all(network.subnet))
        for network in networks
    )
    flows = {}
    for target in zones:
        for source in (*zones, *clients):
            ports = rules.passing(source, target)
            if ports:
                flows[source.name, target.name] = ports
    apart = bool(routers) or len(networks) > 1 or any(network.internal for network in networks)
    return Zones(zones, clients, flows, apart)


def offered(node: NodeConfig) -> tuple[Port, ...]:
    """What a node serves."""
    found: list[Port] = []
    if node.enip is not None:
        found += [("tcp", node.enip.port), ("udp", node.enip.port)]
    if node.modbus is not None:
        found += [("tcp", node.modbus.port)] if node.modbus.tcp else []
        found += [("udp", node.modbus.port)] if node.modbus.udp else []
    return tuple(found)


def _called(key: Key, members: Sequence[NodeConfig], classes: Iterable[Key]) -> str:
    """A name for people: the network's; where it has several zones, with what they speak, or with a node of theirs."""
    network = "-".join(key[0]) or "plant"
    beside = [other for other in classes if other[0] == key[0]]
    if len(beside) == 1:
        return network
    if len([other for other in beside if other[1] == key[1]]) == 1:
        return "-".join((network, *members[0].ports))
    return f"{network}-{members[0].name}"


@dataclass(slots=True)
class _Rules:
    """What the routers of a plant let through. Ends of rules that occur in the same company are one: adjacent addresses
    of a group come as several subnets. Those of IPv6 are left out, for services here have IPv4 alone."""

    routers: Sequence[RouterSpec]
    _subnets: dict[str, tuple[int, int]] = field(default_factory=dict)
    """End to its mask and address."""
    _ends: dict[str, str] = field(default_factory=dict)
    """End to the first that is like it."""
    _ways: dict[tuple[str, str], tuple[RouterSpec, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        company: dict[str, set[object]] = {}
        for router in self.routers:
            for rule in router.allow:
                about = (router.name, rule.protocol, rule.ports)
                company.setdefault(rule.source, set()).add(("to", rule.target, *about))
                company.setdefault(rule.target, set()).add(("from", rule.source, *about))
        first: dict[frozenset[object], str] = {}
        for end, found in company.items():
            if ":" not in end:
                subnet = ipaddress.IPv4Network(end)
                self._subnets[end] = int(subnet.netmask), int(subnet.network_address)
                self._ends[end] = first.setdefault(frozenset(found), end)

    def naming(self, addresses: Iterable[str]) -> frozenset[str]:
        """The ends that somebody with one of these addresses is meant by."""
        numbers = [int(ipaddress.IPv4Address(address)) for address in addresses]
        found = (end for end, (mask, subnet) in self._subnets.items() if any(each & mask == subnet for each in numbers))
        return frozenset(self._ends[end] for end in found)

    def naming_all(self, text: str) -> frozenset[str]:
        """The ends that everybody in a subnet is meant by."""
        whole = ipaddress.IPv4Network(text)
        first, last = int(whole.network_address), int(whole.broadcast_address)
        found = (end for end, (mask, subnet) in self._subnets.items() if first & mask == subnet == last & mask)
        return frozenset(self._ends[end] for end in found)

    def passing(self, source: Zone, target: Zone) -> tuple[Port, ...]:
        """The ports of `target` that `source` may ask, where they share no network: those for which there is a way,
        with a rule of each router on it."""
        if set(source.networks) & set(target.networks):
            return ()
        ways = [way for first in source.networks for last in target.networks if (way := self._way(first, last))]
        return tuple(port for port in target.ports if any(self._lets(way, source, target, port) for way in ways))

    def _lets(self, way: Iterable[RouterSpec], source: Zone, target: Zone, port: Port) -> bool:
        return all(any(self._allows(rule, source, target, port) for rule in router.allow) for router in way)

    def _allows(self, rule: FlowRule, source: Zone, target: Zone, port: Port) -> bool:
        protocol, number = port
        return (
            self._ends.get(rule.source) in source.ends
            and self._ends.get(rule.target) in target.ends
            and rule.protocol in (protocol, "any")
            and (not rule.ports or number in rule.ports)
        )

    def _way(self, first: str, last: str) -> tuple[RouterSpec, ...]:
        """The routers from network to network, by the shortest way; none where there is no way."""
        if (first, last) not in self._ways:
            ways: dict[str, tuple[RouterSpec, ...]] = {first: ()}
            waiting = [first]
            for network in waiting:
                for router in self.routers:
                    on = [interface.network for interface in router.interfaces]
                    for beyond in on if network in on else ():
                        if beyond not in ways:
                            ways[beyond] = (*ways[network], router)
                            waiting.append(beyond)
            self._ways.update({(first, beyond): way for beyond, way in ways.items()})
            self._ways.setdefault((first, last), ())
        return self._ways[first, last]
