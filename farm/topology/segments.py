"""What there must be before the nodes: the networks and routers of a plant, as a backend makes them."""

from farm.topology.addresses import Addresses
from farm.topology.flows import Flows
from farm.topology.interfaces import Interfaces, dots
from farm.topology.networks import Network
from farm.topology.wiring import NetworkSpec, RouterSpec


def network_specs(addresses: Addresses) -> tuple[NetworkSpec, ...]:
    """The networks that any node or router is on, in the order of the file."""
    return tuple(
        network_spec(network, addresses)
        for network in addresses.used
        if network.name in addresses.hosts and network.name in addresses.watches
    )


def network_spec(network: Network, addresses: Addresses) -> NetworkSpec:
    """One network where it is on the backend."""
    traits = network.traits
    return NetworkSpec(
        network.name,
        str(network.image),
        watch=dots(network.here(addresses.watches[network.name])),
        host="" if traits.internal else dots(network.here(addresses.hosts[network.name])),
        purdue=traits.purdue,
        internal=traits.internal,
        mtu=traits.mtu,
        ipv6="" if traits.ipv6 is None else str(traits.ipv6),
        uplink=traits.uplink,
        driver=traits.driver,
    )


def router_specs(interfaces: Interfaces, flows: Flows) -> tuple[RouterSpec, ...]:
    """The routers, in the order of the file."""
    found = []
    for gateway in interfaces.gateways:
        own, routes = interfaces.of_router(gateway)
        found.append(RouterSpec(gateway.name, own, flows.rules(gateway), routes))
    return tuple(found)
