"""The objects that make an EtherNet/IP device, wired together: the one place that knows which there are."""

from dataclasses import dataclass

from node.memory.attribute import Instant
from node.memory.tags import TagTable
from node.objects.connection_manager import ConnectionManager, Route
from node.objects.connections import Connections
from node.objects.ethernet_link import ethernet_link_object
from node.objects.identity import IdentityValues, identity_object
from node.objects.message_router import message_router_object
from node.objects.router import Router
from node.objects.tcpip import tcpip_object


@dataclass(slots=True)
class Device:
    """`router` answers CIP requests, `connections` wants its `poll(now)` called, `identity` tells who it is."""

    router: Router
    connections: Connections
    identity: IdentityValues
    instant: Instant


def build_device(
    identity: IdentityValues,
    tags: TagTable,
    instant: Instant,
    *,
    address: str = "",
    host_name: str = "",
    route_path: Route | None = None,
    max_cip_connections: int = 64,
) -> Device:
    """A device that serves `tags`. `address` is its IPv4 address ("" where it has several), `route_path` None takes any
    route, () only an empty one."""
    connections = Connections(instant, max_cip_connections)
    router = Router(tags, instant)
    router.add(identity_object(identity))
    router.add(message_router_object(router, connections))
    router.add(ConnectionManager(connections, identity, route_path).object())
    router.add(tcpip_object(address or "0.0.0.0", host_name=host_name))
    router.add(ethernet_link_object(identity.serial))
    return Device(router, connections, identity, instant)
