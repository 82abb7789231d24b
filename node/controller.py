"""One controller, put together from its configuration: the only module that knows all the parts.

    tags, types ─▶ memory.TagTable ─┬─▶ objects.Device ─▶ EnipTcp, EnipUdp ─┐
    signals ─▶ their sources        │                                       ├─▶ Ports
                                    └─▶ modbus.Units ──▶ ModbusTcp ─────────┘

Both protocols look into the same table, the same instant and the same chain of interceptors. Nothing here or below is
process-global, so any number of controllers share a process and its loop and do not know each other.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from node.cip.template import Template
from node.commands.tags import TagCommands
from node.commands.tree import CommandTree
from node.config.load import Json
from node.config.model import EnipConfig, ModbusConfig, NodeConfig
from node.config.structures import build_templates
from node.config.tag_check import Tags
from node.errors import NodeError
from node.exchange.delay import Delay
from node.exchange.exchange import Interceptor, build_chain
from node.memory.attribute import Instant
from node.memory.tags import TagTable
from node.modbus.bank import RegisterBank
from node.modbus.identification import Identification
from node.modbus.unit import Unit, Units
from node.objects.device import Device, build_device
from node.objects.profiles import DEFAULT_PROFILE, PROFILES
from node.server.enip_tcp import EnipService, EnipTcp
from node.server.enip_udp import EnipUdp
from node.server.listener import Listener
from node.server.modbus_tcp import ModbusService, ModbusTcp
from node.server.peer import Peer
from node.server.ports import Ports
from node.server.ticker import Ticker
from node.tag_memory import NO_TEMPLATES, build_tags, shown_attribute


class Controller:
    """Serves `config`. `clock` gives seconds that never go back, `epoch` is the plant's start on it: signals count
    from there. `interceptors` see every exchange, the first of them nearest to the client.

    Raises `NodeError` for a configuration that `node.config.check` would not have let pass.
    """

    def __init__(
        self,
        config: NodeConfig,
        *,
        epoch: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        interceptors: Sequence[Interceptor] = (),
    ) -> None:
        self.config = config
        self._profile = PROFILES.get(config.profile, PROFILES[DEFAULT_PROFILE])
        self._templates = build_templates(config.types)
        self.tags = build_tags(
            config.tags, epoch, self._templates, programs=config.programs, bool_true=self._profile.bool_true
        )
        self._clock = clock
        self._instant = Instant(clock())
        self._started = clock()
        self._interceptors = tuple(interceptors)
        self._ticker = Ticker(clock)
        self._enip: EnipService | None = None
        self._modbus: ModbusService | None = None
        listeners = {}
        if config.enip is not None:
            listeners["enip"] = self._listen_enip(config.enip)
        if config.modbus is not None:
            listeners["modbus"] = self._listen_modbus(config.modbus)
        self.delay = config.delay
        self.server = Ports(listeners)
        self._commands = CommandTree(
            TagCommands(self.tags, config.tags, clock, self._templates), self.server, self, self.connections, clock
        )
        if config.delay != self._delay:
            self.delay = config.delay

    async def start(self) -> None:
        """Binds every port. Raises `ListenError` and leaves nothing bound when one of them cannot be had."""
        await self.server.open()
        self._started = self._clock()
        if self._enip is not None:
            self._enip.port = self.ports["enip"]

    async def stop(self) -> None:
        """Closes every port and connection. What the tags hold stays; `start` serves it again."""
        await self.server.close()
        self._ticker.stop()

    @property
    def ports(self) -> dict[str, int]:
        """Protocol to port number, the real one after `start` where the configuration says 0."""
        return self.server.numbers

    @property
    def delay(self) -> tuple[float, float]:
        """The least and the greatest seconds that each reply waits. Raises `NodeError` for times that cannot be."""
        return self._delay

    @delay.setter
    def delay(self, delay: tuple[float, float]) -> None:
        low, high = delay
        if not (math.isfinite(low) and math.isfinite(high)):
            raise NodeError(f"a delay from {low} to {high} s; wanted finite times")
        slow = Delay(low, high)
        self._delay = (low, high)
        self._attach(slow if high else None)

    def _attach(self, slow: Interceptor | None = None) -> None:
        """Has every exchange from now on seen by what is to see it."""
        chain = build_chain((*(() if slow is None else (slow,)), *self._interceptors))
        for service in (self._enip, self._modbus):
            if service is not None:
                service.chain = chain

    def connections(self) -> Iterator[tuple[str, Peer]]:
        """(protocol, peer) of every live connection."""
        return self.server.connections()

    def telemetry(self) -> dict[str, int | float]:
        """What both protocols counted since the node was made, connections open now, and seconds since `start`."""
        counted = [listener.metrics for listener in self.server.listeners.values()]
        return {
            "requests": sum(metrics.requests for metrics in counted),
            "errors": sum(metrics.errors for metrics in counted),
            "bugs": sum(metrics.bugs for metrics in counted),
            "connections": sum(metrics.connections for metrics in counted),
            "uptime": round(self._clock() - self._started, 3),
        }

    def command(self, path: str, value: Json = None) -> Json:
        """What `node.commands.tree` has at `path`, after `value` was put there. Raises `CommandError`."""
        return self._commands.run(path, value)

    def _listen_enip(self, enip: EnipConfig) -> Listener:
        device = self._build_device(enip)
        service = EnipService(device, self._clock, enip.port)
        self._enip = service
        listener = Listener(
            self.config.address,
            enip.port,
            lambda peers: EnipTcp(peers, service),
            udp=lambda: EnipUdp(service, listener.metrics),
            max_connections=enip.max_connections or self._profile.sessions,
            idle_timeout=enip.idle_timeout,
            clock=self._clock,
            ticker=self._ticker,
        )
        self._ticker.add(device.connections.poll)
        return listener

    def _build_device(self, enip: EnipConfig) -> Device:
        return build_device(
            enip.identity,
            self.tags,
            self._instant,
            address=self.config.address,
            host_name=self.config.name,
            route_path=enip.route_path,
            max_cip_connections=enip.max_cip_connections or self._profile.connections,
        )

    def _listen_modbus(self, modbus: ModbusConfig) -> Listener:
        tags = {tag.name.casefold(): tag for tag in self.config.tags}
        service = ModbusService(build_units(modbus, self.tags, tags, self._templates), self._instant)
        self._modbus = service
        return Listener(
            self.config.address,
            modbus.port,
            lambda peers: ModbusTcp(peers, service),
            max_connections=modbus.max_connections,
            idle_timeout=modbus.idle_timeout,
            clock=self._clock,
            ticker=self._ticker,
        )


def build_units(
    modbus: ModbusConfig, table: TagTable, tags: Tags, templates: Mapping[str, Template] = NO_TEMPLATES
) -> Units:
    """The units with their register blocks over the tags of `table`, which `tags` describes. Raises `NodeError`."""
    who = Identification(dict(modbus.device_id)) if modbus.device_id else None
    units = {}
    for unit in modbus.units:
        bank = RegisterBank()
        for block in unit.blocks:
            attribute = shown_attribute(block.tag, tags, table, templates)
            bank.add(block.table, block.start, block.count, attribute, block.order)
        units[unit.unit_id] = Unit(bank, who)
    return Units(units)
