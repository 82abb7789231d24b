"""One controller, put together from its configuration: the only module that knows all the parts.

    tags, types ─▶ memory.TagTable ─┬─▶ objects.Device ─▶ EnipTcp, EnipUdp ─┐
    signals ─▶ their sources        │                                       ├─▶ Ports
                                    └─▶ modbus.Units ──▶ ModbusTcp ─────────┘

Both protocols look into the same table, the same instant and the same chain of interceptors. Nothing here or below is
process-global, so any number of controllers share a process and its loop and do not know each other.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from node.commands.errors import CommandError
from node.commands.tags import TagCommands
from node.commands.tree import CommandTree
from node.config.data_files import with_data_files
from node.config.model import EnipConfig, Json, ModbusConfig, NodeConfig
from node.config.structures import build_templates
from node.exchange.delay import check_delay, even_delay
from node.exchange.exchange import Interceptor, build_chain
from node.memory.attribute import Instant
from node.memory.hooks import HookTimeout, HookWaits
from node.memory.place import Place
from node.objects.device import Device, build_device
from node.objects.ethernet_link import Traffic
from node.objects.profiles import DEFAULT_PROFILE, PROFILES
from node.objects.routes import parse_subnet
from node.objects.tcpip import mask_of
from node.rooms import Rooms
from node.server.enip_tcp import EnipService, EnipTcp
from node.server.enip_udp import EnipUdp
from node.server.listener import Listener
from node.server.peer import Peer
from node.server.ports import Ports
from node.server.ticker import Ticker
from node.tag_memory import OwnClass, build_tags, tag_place
from node.telemetry import Report, Telemetry

if TYPE_CHECKING:
    from node.commands.api import Answer
    from node.server.doorway import Doorway
    from node.server.hook_pool import HookPool
    from node.server.modbus_tcp import ModbusService

T = TypeVar("T")


class Controller:
    """Serves `config`. `clock` gives seconds that never go back, `epoch` is the plant's start on it: signals count
    from there. `interceptors` see every exchange, the first of them nearest to the client. `everywhere` has its ports
    serve every interface, though `address` is still who it says it is: a container may have a leg of its own for
    clients outside. `own_class` gives the class whose hooks a tag has; by default it is the one that its configuration
    names.

    Raises `NodeError` for a configuration that `node.config.check` would not have let pass.
    """

    def __init__(
        self,
        config: NodeConfig,
        *,
        epoch: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        interceptors: Sequence[Interceptor] = (),
        everywhere: bool = False,
        own_class: OwnClass | None = None,
    ) -> None:
        self.config = config = with_data_files(config)
        self._host = "" if everywhere else config.address
        self._also = () if everywhere else further_addresses(config)
        self._wall = wall
        self._profile = PROFILES.get(config.profile, PROFILES[DEFAULT_PROFILE])
        self._templates = build_templates(config.types)
        if own_class is None and config.has_code:
            from node.tag_classes import configured_class

            own_class = configured_class(config)
        self.tags = build_tags(
            config.tags,
            epoch,
            self._templates,
            programs=config.programs,
            bool_true=self._profile.bool_true,
            own_class=own_class,
        )
        self._hooks = self._put_aside() if own_class is not None else None
        self._clock = clock
        self._instant = Instant(clock())
        self._started = clock()
        self._interceptors = tuple(interceptors)
        self._slow: dict[str, Interceptor] = {}
        self._rooms: Rooms | None = None
        self._ticker = Ticker(clock)
        self._enip: EnipService | None = None
        self._modbus: ModbusService | None = None
        listeners = {}
        if config.enip is not None:
            listeners["enip"] = self._listen_enip(config.enip)
        if config.modbus is not None:
            listeners["modbus"] = self._listen_modbus(config.modbus)
        self.server = Ports(listeners)
        rooms = Rooms(
            config, self.tags, self._templates, self.server, lambda: self._telemetry, self, self._attach, clock, wall
        )
        rooms.tags = tags = TagCommands(self.tags, config.tags, clock, self._templates, rooms.facts)
        counted = [listener.metrics for listener in listeners.values()]
        self._telemetry = Telemetry(counted, self.connections, tags.value, self._attach, lambda: self._started)
        self._rooms = rooms
        self.delay = config.delay
        self._commands = CommandTree(tags, self.server, self, self.connections, clock, self._telemetry, rooms.by_name)

    async def start(self) -> None:
        """Binds every port. Raises `ListenError` and leaves nothing bound when one of them cannot be had."""
        await self.server.open()
        if self._rooms is not None:
            self._rooms.start()
        self._started = self._clock()
        if self._enip is not None:
            self._enip.port = self.ports["enip"]

    async def stop(self) -> None:
        """Closes every port and connection. What the tags hold stays; `start` serves it again."""
        if self._rooms is not None:
            self._rooms.stop()
        await self.server.close()
        self._ticker.stop()
        if self._hooks is not None:
            self._hooks.close()

    def claim(self) -> None:
        """Opens its serial line now and holds it from then on, whether it is served or not: a node that gives up its
        rights can open it no more. Raises `ListenError`."""
        for listener in self.server.listeners.values():
            if listener.line is not None:
                listener.line.hold()

    def stand_in(self, doorway: "Doorway") -> None:
        """Has the ports serve the machine's own addresses too, from the next `start` on: `config.outside`."""
        for listener in self.server.listeners.values():
            listener.doorway = doorway

    @property
    def ports(self) -> dict[str, int]:
        """Protocol to port number, the real one after `start` where the configuration says 0."""
        return self.server.numbers

    @property
    def lines(self) -> tuple[str, ...]:
        """Paths of the serial lines that are served, as clients open them."""
        lines = (listener.line for listener in self.server.listeners.values())
        return tuple(line.path for line in lines if line is not None and line.path)

    @property
    def delay(self) -> tuple[float, float]:
        """The least and the greatest seconds that each reply waits. Raises `NodeError` for times that cannot be."""
        return self._delay

    @delay.setter
    def delay(self, delay: tuple[float, float]) -> None:
        low, high = delay
        check_delay(low, high)
        self._delay = (low, high)
        self._slow = {protocol: even_delay(low, high) for protocol in self.ports} if high else {}
        self._attach()

    def _attach(self) -> None:
        """Has every exchange from now on seen by what is to see it."""
        inner = (*self._interceptors, *self._telemetry.interceptors)
        for protocol, service in (("enip", self._enip), ("modbus", self._modbus)):
            if service is not None:
                asked = self._rooms.interceptors(protocol, self.ports[protocol]) if self._rooms is not None else ()
                slow = (self._slow[protocol],) if self._slow else ()
                service.chain = build_chain((*asked, *slow, *inner))

    def connections(self) -> Iterator[tuple[str, Peer]]:
        """(protocol, peer) of every live connection."""
        return self.server.connections()

    def telemetry(self, whole: bool = True) -> Report | None:
        """What both protocols counted since the node was made, connections open now, and seconds since `start`; None
        where nothing has changed since it was last asked, unless it is to be `whole`."""
        return self._telemetry.report(self._clock(), whole)

    def command(self, path: str, value: Json = None) -> Json:
        """What `node.commands.tree` has at `path`, after `value` was put there. Raises `CommandError`."""
        return self._commands.run(path, value)

    async def ask_api(self, path: str, value: Json = None) -> "Answer":
        """What is answered in the words of the web interface of 2016. Raises `CommandError` where a tag's hook takes
        too long."""
        assert self._rooms is not None
        api = self._rooms.api()
        return await self._patiently(lambda: api.answer(path, value))

    async def ask(self, path: str, value: Json = None) -> Json:
        """As `command`, where tags' hooks may take their time. Raises `CommandError`, also for one that takes too
        much."""
        return await self._patiently(lambda: self.command(path, value))

    async def _patiently(self, act: Callable[[], T]) -> T:
        try:
            return act()
        except HookWaits as waits:
            try:
                return await waits.aside.run(act, waits.seconds)
            except HookTimeout as exc:
                raise CommandError(str(exc)) from exc

    def place(self, text: str) -> Place:
        """What `SCADA`, `SCADA[3]` or `Pump.Speed` names. Raises `ConfigError`."""
        found = self.tags.by_name(text)
        if found is not None:
            return Place(found.unpacked)
        return tag_place(text, {tag.name.casefold(): tag for tag in self.config.tags}, self.tags, self._templates)

    @property
    def serves_here(self) -> bool:
        """Whether the calling thread, which is not the loop's, has the node to itself."""
        return self._hooks is not None and self._hooks.running

    def _put_aside(self) -> "HookPool | None":
        """Has the hooks that may block called in threads; None where there are none."""
        from node.server.hook_pool import HookPool

        hooked = [tag for _, tag in self.tags if tag.hooked]
        pool = HookPool() if any(tag.blocking for tag in hooked) else None
        for tag in hooked:
            tag.tags = self.tags
            tag.put_aside(pool)
        return pool

    def _listen_enip(self, enip: EnipConfig) -> Listener:
        device = self._build_device(enip)
        device.router.aside = self._hooks
        service = EnipService(device, self._clock, enip.port, self.config.address)
        self._enip = service
        listener = Listener(
            self._host,
            enip.port,
            lambda peers: EnipTcp(peers, service),
            udp=lambda: EnipUdp(service, listener.metrics),
            also=self._also,
            outside=outside_of(self.config, "enip"),
            max_connections=enip.max_connections or self._profile.sessions,
            idle_timeout=enip.idle_timeout,
            clock=self._clock,
            ticker=self._ticker,
        )
        self._ticker.add(device.poll)
        return listener

    def _build_device(self, enip: EnipConfig) -> Device:
        on = self.config.interfaces[0] if self.config.interfaces else None
        return build_device(
            enip.identity,
            self.tags,
            self._instant,
            profile=self._profile,
            address=self.config.address,
            mask=mask_of(self.config.address, enip.onward if on is None else f"{on.address}/{on.prefix}"),
            host_name=self.config.hostname or self.config.name,
            gateway="" if on is None else on.gateway,
            mac="" if on is None else on.mac,
            controller_name=self.config.name,
            route_path=enip.route_path,
            onward=parse_subnet(enip.onward),
            max_cip_connections=enip.max_cip_connections or self._profile.connections,
            templates=tuple(self._templates.values()),
            settings=enip.objects,
            traffic=self._traffic,
            wall=self._wall,
            idle_timeout=enip.idle_timeout,
        )

    def _traffic(self) -> Traffic:
        """What all ports of the node have received and sent."""
        counted = [listener.metrics for listener in self.server.listeners.values()]
        requests = sum(metrics.requests for metrics in counted)
        return Traffic(
            sum(metrics.bytes_in for metrics in counted),
            requests,
            sum(metrics.errors for metrics in counted),
            sum(metrics.bytes_out for metrics in counted),
            requests,
        )

    def _listen_modbus(self, modbus: ModbusConfig) -> Listener:
        from node.modbus_face import modbus_listener, modbus_service

        self._modbus = modbus_service(self.config, modbus, self.tags, self._templates, self._instant)
        outside = outside_of(self.config, "modbus")
        return modbus_listener(self._host, modbus, self._modbus, self._clock, self._ticker, self._also, outside)


def outside_of(config: NodeConfig, protocol: str) -> tuple[tuple[str, int], ...]:
    """(address, port) of the machine at which a protocol of the node is served as well."""
    return tuple((address, port) for name, address, port in config.outside if name == protocol)


def further_addresses(config: NodeConfig) -> tuple[str, ...]:
    """Those of the node's interfaces beside the address that all its ports have first."""
    interfaces = config.interfaces
    ipv6 = (interface.ipv6.partition("/")[0] for interface in interfaces if interface.ipv6)
    return (*(interface.address for interface in interfaces[1:]), *ipv6)
