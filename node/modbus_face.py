"""The Modbus face of a controller: its units, out of the configuration, and the port that serves them.

Imported by the first controller that has one: a lone EtherNet/IP controller would wait for it in vain. A nursery makes
one before it forks.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from node.cip.template import Template
from node.config.modbus_check import NUMBERS
from node.config.model import (
    BLOCK_ACCESS,
    FRAMINGS,
    UNKNOWN_UNIT,
    ModbusConfig,
    NodeConfig,
    RegisterBlock,
    SerialConfig,
    TlsConfig,
    UnitConfig,
)
from node.config.tag_check import Tags
from node.memory.attribute import Attribute, Instant
from node.memory.tags import TagTable
from node.modbus.bank import RegisterBank
from node.modbus.identification import Identification
from node.modbus.scaled import Scaling
from node.modbus.unit import Unit
from node.modbus.units import Units
from node.server.datagrams import Responder
from node.server.listener import Line, Listener, TcpFactory
from node.server.modbus_tcp import ModbusService, ModbusTcp
from node.server.ticker import Ticker
from node.tag_memory import NO_TEMPLATES, shown_attribute

if TYPE_CHECKING:
    import ssl

PRODUCT_CODE = 1
"""The object of a device's identification that names it."""
RUNS = 0xFF


def modbus_service(
    config: NodeConfig, modbus: ModbusConfig, table: TagTable, templates: Mapping[str, Template], instant: Instant
) -> ModbusService:
    """What its peers share. Raises `NodeError`."""
    tags = {tag.name.casefold(): tag for tag in config.tags}
    return ModbusService(build_units(modbus, table, tags, templates), instant)


def modbus_listener(
    address: str,
    modbus: ModbusConfig,
    service: ModbusService,
    clock: Callable[[], float],
    ticker: Ticker,
    also: Sequence[str] = (),
    outside: Sequence[tuple[str, int]] = (),
) -> Listener:
    """Its port, at `address` and the addresses `also`, and where there is a doorway `outside`; and its serial line.
    Raises `NodeError` for certificates that cannot be used."""
    listener = Listener(
        address,
        modbus.port,
        _connections(modbus, service) if modbus.tcp else None,
        udp=(lambda: _datagrams(service, listener, clock)) if modbus.udp else None,
        also=also,
        outside=outside,
        max_connections=modbus.max_connections,
        idle_timeout=modbus.idle_timeout,
        clock=clock,
        ticker=ticker,
        tls=_tls(modbus.tls) if modbus.tls is not None else None,
    )
    if modbus.serial is not None:
        listener.line = _line(modbus.serial, service, listener, clock)
    return listener


def _connections(modbus: ModbusConfig, service: ModbusService) -> TcpFactory:
    framing = modbus.framing
    if framing == FRAMINGS[0]:
        return lambda peers: ModbusTcp(peers, service)
    from node.server.modbus_line_tcp import ModbusLineTcp

    return lambda peers: ModbusLineTcp(peers, service, framing)


def _datagrams(service: ModbusService, listener: Listener, clock: Callable[[], float]) -> Responder:
    from node.server.modbus_udp import ModbusUdp

    return ModbusUdp(service, listener.metrics, clock, listener.port)


def _tls(config: TlsConfig) -> "ssl.SSLContext":
    from node.server.tls import server_context

    return server_context(config)


def _line(config: SerialConfig, service: ModbusService, listener: Listener, clock: Callable[[], float]) -> Line:
    from node.server.serial_line import SerialLine

    return SerialLine(config, service, listener.metrics, clock)


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
            bank.add(
                block.table,
                block.start,
                block.count,
                attribute,
                block.order,
                access="" if block.access == BLOCK_ACCESS[0] else block.access,
                scaling=_scaling(block, attribute),
            )
        files, queues = (
            {number: _held(block, tags, table, templates) for number, block in held}
            for held in (unit.files, unit.queues)
        )
        units[unit.unit_id] = Unit(
            bank,
            who,
            files=files,
            queues=queues,
            server_id=_server_id(unit, dict(modbus.device_id)),
            exception_coils=None if unit.exception_status < 0 else unit.exception_status,
        )
    return Units(units, UNKNOWN_UNIT[modbus.unknown_unit])


def _held(block: RegisterBlock, tags: Tags, table: TagTable, templates: Mapping[str, Template]) -> RegisterBank:
    """A file or a queue: a tag's registers from 0 on."""
    bank = RegisterBank()
    bank.add(block.table, block.start, block.count, shown_attribute(block.tag, tags, table, templates), block.order)
    return bank


def _scaling(block: RegisterBlock, attribute: Attribute) -> Scaling | None:
    if not block.scaled:
        return None
    kind = NUMBERS[block.shown_as or attribute.type.name]
    least = -math.inf if block.least is None else block.least
    return Scaling(kind, block.scale, block.offset, least, math.inf if block.most is None else block.most)


def _server_id(unit: UnitConfig, texts: Mapping[int, str]) -> bytes:
    """Of the device's own form: its unit id, that it runs, and who it is."""
    text = unit.server_id or texts.get(PRODUCT_CODE, "")
    return bytes((unit.unit_id, RUNS)) + text.encode("iso-8859-1", "replace")
