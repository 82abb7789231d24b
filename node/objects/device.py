"""The objects that make an EtherNet/IP device, wired together: the one place that knows which there are.

Every device has Identity, Message Router, Connection Manager, TCP/IP Interface, Ethernet Link and Port. The rest is the
family's of its profile: a Logix controller has symbols, templates and a wall clock, a Micro800 the first two, an SLC or
MicroLogix data files, an adapter assemblies, a drive parameters.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import field

from node.cip.services import (
    CONNECTION_MANAGER_CLASS,
    ETHERNET_LINK_CLASS,
    IDENTITY_CLASS,
    MESSAGE_ROUTER_CLASS,
    PORT_CLASS,
    PROGRAM_NAME_CLASS,
    SYMBOL_CLASS,
    TAG_VERSION_CLASS,
    TCPIP_CLASS,
    TEMPLATE_CLASS,
    WALL_CLOCK_CLASS,
)
from node.cip.template import Template
from node.memory.attribute import Instant
from node.memory.tags import TagTable
from node.objects.attribute_names import Setting, configure
from node.objects.connection_manager import ConnectionManager
from node.objects.connections import Connections
from node.objects.ethernet_link import InterfaceCounters, Traffic, ethernet_link_object
from node.objects.identity import FACTORY_BUT_NETWORK, POWER_CYCLE, Identity, IdentityValues, identity_object
from node.objects.message_router import message_router_object
from node.objects.object import Object, Requester
from node.objects.port import port_object
from node.objects.profiles import ADAPTER, DEFAULT_PROFILE, DRIVE, LOGIX, MICRO800, PCCC, PROFILES, Profile
from node.objects.program_name import program_name_object
from node.objects.router import Router
from node.objects.routes import Route, Routes, Subnet
from node.objects.symbol import SymbolObject
from node.objects.tag_version import tag_version_object
from node.objects.tcpip import DEFAULT_INACTIVITY, MAX_INACTIVITY, NO_ADDRESS, tcpip_object
from node.objects.template import TemplateObject
from node.objects.wall_clock import WallClock, wall_clock_object
from node.record import dataclass

RESTART_TIME = 1.0
"""Seconds from a Reset to the end of the connections of who asked for it."""

_NETWORK = (TCPIP_CLASS, ETHERNET_LINK_CLASS)


@dataclass(slots=True)
class Device:
    """`router` answers CIP requests, `identity` tells who it is, and `poll` wants to be called as time passes.

    A Reset ends the CIP connections of its own session only: a simulator serves others at the same time, whose
    connections a power cycle would end too.
    """

    router: Router
    connections: Connections
    identity: Identity
    instant: Instant
    volatile: list[Callable[[], None]] = field(default_factory=list)
    _leaving: list[tuple[float, Requester]] = field(default_factory=list)

    def poll(self, now: float) -> bool:
        """Ends connections that timed out, or whose session asked for a Reset. True while there is any to watch."""
        for entry in [entry for entry in self._leaving if entry[0] <= now]:
            self._leaving.remove(entry)
            self.connections.leave(entry[1])
        return self.connections.poll(now) or bool(self._leaving)

    def reset(self, kind: int, origin: Requester | None = None) -> None:
        """Restarts as a Reset of type `kind` does: counters from 0, and with factory defaults all that clients have set
        in objects as it was configured."""
        for restart in self.volatile:
            restart()
        for item in self.router.objects.made():
            if kind != POWER_CYCLE and not (kind == FACTORY_BUT_NETWORK and item.class_id in _NETWORK):
                item.restore()
        if origin is not None:
            self._leaving.append((self.instant.now + RESTART_TIME, origin))


def build_device(
    identity: IdentityValues,
    tags: TagTable,
    instant: Instant,
    *,
    profile: Profile = PROFILES[DEFAULT_PROFILE],
    address: str = "",
    mask: str = "255.255.255.0",
    host_name: str = "",
    gateway: str = "",
    mac: str = "",
    controller_name: str = "",
    route_path: Route | None = None,
    onward: Subnet | None = None,
    max_cip_connections: int = 64,
    templates: Sequence[Template] = (),
    settings: Iterable[Setting] = (),
    traffic: Callable[[], Traffic] = Traffic,
    wall: Callable[[], float] = lambda: 0.0,
    idle_timeout: float = 0.0,
) -> Device:
    """A device of `profile` that serves `tags`, which may be of `templates`. `address` is its IPv4 address ("" where it
    has several), `gateway` the next hop to others, `mac` as `02:fa:00:00:00:01` ("" for one made of the serial number),
    `controller_name` what its program is called where that is not `host_name`. `route_path` None takes any route, ()
    only an empty one; `onward` are the addresses a route may lead on to. `settings` replace what its objects say,
    `traffic` gives what it has received and sent, `wall` the seconds since 1970, `idle_timeout` the seconds after which
    it ends a silent session, 0 for never. Raises `ConfigError` for a setting that does not fit."""
    who = Identity.of(identity)
    connections = Connections(instant, max_cip_connections)
    router = Router(tags, instant)
    router.resolver.symbolic = profile.symbols
    device = Device(router, connections, who, instant)
    counters = InterfaceCounters(traffic)
    device.volatile.append(counters.clear)
    router.offer(IDENTITY_CLASS, lambda: identity_object(who, device.reset))
    router.offer(MESSAGE_ROUTER_CLASS, lambda: message_router_object(router, connections, profile.multiple))
    routes = Routes(route_path, onward, address)
    router.offer(
        CONNECTION_MANAGER_CLASS,
        lambda: ConnectionManager(
            connections, who, routes, largest=profile.largest, large=profile.large, slot=profile.family == PCCC
        ).object(),
    )
    ip, silence = address or NO_ADDRESS, _inactivity(idle_timeout)
    router.offer(TCPIP_CLASS, lambda: tcpip_object(ip, mask, host_name, inactivity=silence, gateway=gateway))
    router.offer(ETHERNET_LINK_CLASS, lambda: ethernet_link_object(lambda: who.serial, counters, mac))
    router.offer(PORT_CLASS, lambda: port_object(address, profile.routes))
    if profile.family in (LOGIX, MICRO800):
        router.offer(SYMBOL_CLASS, lambda: SymbolObject(tags))
        router.offer(TEMPLATE_CLASS, lambda: TemplateObject(templates))
    if profile.family == LOGIX:
        router.offer(WALL_CLOCK_CLASS, lambda: wall_clock_object(WallClock(wall)))
        router.offer(PROGRAM_NAME_CLASS, lambda: program_name_object(controller_name or host_name or profile.name))
        router.offer(TAG_VERSION_CLASS, lambda: tag_version_object(tags, templates))
    for item in _family_objects(profile, device):
        router.add(item)
    changes = tuple(settings)
    if changes:
        configure(router.objects.values(), changes)
    return device


def _inactivity(idle_timeout: float) -> int:
    """As a device tells it, in whole seconds; one without a time-out of its own tells the usual one."""
    return min(max(1, round(idle_timeout)), MAX_INACTIVITY) if idle_timeout else DEFAULT_INACTIVITY


def _family_objects(profile: Profile, device: Device) -> Iterable[Object]:
    """What only few devices have."""
    if profile.family == PCCC:
        from node.objects.pccc import pccc_object

        yield pccc_object(device.router.tags, device.identity.product_name)
    if profile.family == ADAPTER:
        from node.objects.assembly import assembly_object, sample_assemblies

        yield assembly_object(sample_assemblies().items())
    if profile.family in (ADAPTER, DRIVE):
        from node.objects.file import file_object

        yield file_object()
    if profile.family == DRIVE:
        from node.objects.drive_parameter import drive_parameter_object, drive_values
        from node.objects.parameter import parameter_object

        values = drive_values(device.instant)
        device.volatile.extend(value.restart for value in values)
        yield drive_parameter_object(values)
        yield parameter_object(values)
