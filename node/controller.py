"""One controller, put together from its configuration: the only module that knows all the parts.

    tags ─▶ memory.TagTable ─┬─▶ objects.Device ─▶ EnipTcp, EnipUdp ─┐
    signals ─▶ their sources │                                       ├─▶ Ports
                             └─▶ modbus.Units ──▶ ModbusTcp ─────────┘

Both protocols look into the same table, the same instant and the same chain of interceptors. Nothing here or below is
process-global, so any number of controllers share a process and its loop and do not know each other.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from node.cip.predefined import predefined_by_name
from node.cip.text import text_by_name
from node.cip.types import by_name
from node.commands.tags import TagCommands
from node.commands.tree import CommandTree
from node.config.load import Json
from node.config.model import EnipConfig, ModbusConfig, NodeConfig, TagConfig
from node.errors import ConfigError, NodeError
from node.exchange.delay import Delay
from node.exchange.exchange import Interceptor, build_chain
from node.memory.attribute import Attribute, Instant
from node.memory.tags import TagTable
from node.memory.text_attribute import create_attribute
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
from node.signals.source import SignalSource


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
        self.tags = build_tags(config.tags, epoch)
        self._profile = PROFILES.get(config.profile, PROFILES[DEFAULT_PROFILE])
        self._clock = clock
        self._instant = Instant(clock())
        self._started = clock()
        self._interceptors = tuple(interceptors)
        self._delay = (0.0, 0.0)
        self._ticker = Ticker(clock)
        self._enip: EnipService | None = None
        self._modbus: ModbusService | None = None
        listeners = {}
        if config.enip is not None:
            listeners["enip"] = self._listen_enip(config.enip)
        if config.modbus is not None:
            listeners["modbus"] = self._listen_modbus(config.modbus)
        self._attach()
        self.server = Ports(listeners)
        self._commands = CommandTree(
            TagCommands(self.tags, config.tags, clock), self.server, self, self.connections, clock
        )

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
        service = ModbusService(build_units(modbus, self.tags), self._instant)
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


def build_tags(configs: Iterable[TagConfig], epoch: float) -> TagTable:
    """The tags with their initial values and signals. Raises `NodeError`."""
    table = TagTable()
    for config in configs:
        table.add(config.name, _build_attribute(config, epoch), config.address)
    return table


def _build_attribute(config: TagConfig, epoch: float) -> Attribute:
    kind = by_name(config.type) or text_by_name(config.type) or predefined_by_name(config.type)
    if kind is None:
        raise ConfigError(f"tag {config.name}", 0, f"type {config.type!r} is unknown")
    attribute = create_attribute(kind, config.dimensions, config.initial, config.name, config.writable)
    signal = config.signal
    if signal is not None:
        parameters = dict(signal.parameters)
        attribute.source = SignalSource(signal.kind, parameters, signal.seed, signal.on_write, epoch, kind)
    return attribute


def build_units(modbus: ModbusConfig, tags: TagTable) -> Units:
    """The units with their register blocks over `tags`. Raises `NodeError`."""
    who = Identification(dict(modbus.device_id)) if modbus.device_id else None
    units = {}
    for unit in modbus.units:
        bank = RegisterBank()
        for block in unit.blocks:
            attribute = tags.by_name(block.tag)
            if attribute is None:
                raise ConfigError(f"unit {unit.unit_id}", 0, f"there is no tag {block.tag!r}")
            bank.add(block.table, block.start, block.count, attribute, block.order)
        units[unit.unit_id] = Unit(bank, who)
    return Units(units)
