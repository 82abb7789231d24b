"""A plant as it is drawn: networks by Purdue level, what is on them, and the routers between them.

A drawing of 500 nodes that shows 500 boxes shows nothing, so nodes of one network whose names differ in numbers alone
are one group there, with the first and the last of them.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

from farm.topology.plant import Plant
from farm.topology.wiring import FlowRule, NetworkSpec, RouterSpec
from node.config.model import NodeConfig
from node.config.transports import spoken

SINGLE = 12
"""Nodes of a network up to which each is drawn by itself."""
LOOPBACK = NetworkSpec("loopback", "127.0.0.0/8", "")


@dataclass(frozen=True, slots=True)
class Group:
    """`count` nodes of a network that are alike: name and address of the first and the last, and what they are."""

    first: str
    last: str
    count: int
    low: str
    high: str
    what: str

    @property
    def name(self) -> str:
        """`plc-1`, or `plc-1 … plc-9 (9)`."""
        return self.first if self.count == 1 else f"{self.first} … {self.last} ({self.count})"

    @property
    def address(self) -> str:
        """`10.0.0.1`, or `10.0.0.1 … 10.0.0.9`."""
        return self.low if self.count == 1 else f"{self.low} … {self.high}"


@dataclass(frozen=True, slots=True)
class Zone:
    """A network with what is on it."""

    network: NetworkSpec
    groups: tuple[Group, ...]

    @property
    def title(self) -> str:
        """`level 2: cell-1, 10.20.0.0/24`, and that the machine does not reach it where that is so."""
        level = "" if self.network.purdue is None else f"level {self.network.purdue:g}: "
        closed = ", closed to the machine" if self.network.internal else ""
        uplink = f", on {self.network.uplink}" if self.network.uplink else ""
        return f"{level}{self.network.name}, {self.network.subnet}{closed}{uplink}"


@dataclass(frozen=True, slots=True)
class Crossing:
    """A router: its networks with its addresses there, and what it lets through, a line each."""

    name: str
    addresses: tuple[tuple[str, str], ...]
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlantGraph:
    """Everything that is drawn. Zones stand from the highest level down, those without a level last."""

    title: str
    zones: tuple[Zone, ...]
    crossings: tuple[Crossing, ...]


def build_graph(plant: Plant) -> PlantGraph:
    """The graph of a plant; one whose backend makes no networks has a single one."""
    networks = sorted(plant.networks, key=lambda network: (network.purdue is None, -(network.purdue or 0.0)))
    zones = [Zone(network, groups_on(plant.nodes, network.name)) for network in networks]
    if not networks:
        zones = [Zone(LOOPBACK, _grouped([(node, node.address) for node in plant.nodes]))]
    names = _names(plant)
    crossings = tuple(_crossing(router, names) for router in plant.routers)
    return PlantGraph(f"{plant.name}: {len(plant.nodes)} nodes on {plant.backend}", tuple(zones), crossings)


def groups_on(nodes: Sequence[NodeConfig], network: str) -> tuple[Group, ...]:
    """The nodes of one network."""
    there = [
        (node, interface.address) for node in nodes for interface in node.interfaces if interface.network == network
    ]
    return _grouped(there)


def _grouped(there: list[tuple[NodeConfig, str]]) -> tuple[Group, ...]:
    found: dict[tuple[str, str], list[tuple[NodeConfig, str]]] = {}
    for node, address in there:
        stem = node.name if len(there) <= SINGLE else re.sub(r"\d+", "#", node.name)
        found.setdefault((stem, _what(node)), []).append((node, address))
    groups = []
    for (_, what), members in found.items():
        addresses = sorted((address for _, address in members), key=_number)
        first, last = members[0][0].name, members[-1][0].name
        groups.append(Group(first, last, len(members), addresses[0], addresses[-1], what))
    return tuple(groups)


def _what(node: NodeConfig) -> str:
    protocols = "+".join(each for names in spoken(node).values() for each in names)
    return f"{node.profile} {protocols}".strip()


def _number(address: str) -> int:
    try:
        return int(ipaddress.ip_address(address))
    except ValueError:
        return 0


def _names(plant: Plant) -> dict[str, str]:
    """What subnets and addresses of rules are called."""
    named = {network.subnet: network.name for network in plant.networks}
    for node in plant.nodes:
        for interface in node.interfaces:
            named[interface.address] = named[f"{interface.address}/32"] = node.name
    return named


def _crossing(router: RouterSpec, names: dict[str, str]) -> Crossing:
    rules = dict.fromkeys(_rule(rule, names) for rule in router.allow)
    return Crossing(router.name, tuple((each.network, each.address) for each in router.interfaces), tuple(rules))


def _rule(rule: FlowRule, names: dict[str, str]) -> str:
    ports = " " + ",".join(map(str, rule.ports)) if rule.ports else ""
    source, target = (names.get(each, each) for each in (rule.source, rule.target))
    return f"{source} -> {target}: {rule.protocol}{ports}"
