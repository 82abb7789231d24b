"""The Modbus face of a controller: its units, out of the configuration, and the port that serves them.

Imported by the first controller that has one: a lone EtherNet/IP controller would wait for it in vain. A nursery makes
one before it forks.
"""

from collections.abc import Callable, Mapping, Sequence

from node.cip.template import Template
from node.config.model import ModbusConfig, NodeConfig
from node.config.tag_check import Tags
from node.memory.attribute import Instant
from node.memory.tags import TagTable
from node.modbus.bank import RegisterBank
from node.modbus.identification import Identification
from node.modbus.unit import Unit
from node.modbus.units import Units
from node.server.listener import Listener
from node.server.modbus_tcp import ModbusService, ModbusTcp
from node.server.ticker import Ticker
from node.tag_memory import NO_TEMPLATES, shown_attribute


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
    """Its port, at `address` and the addresses `also`, and where there is a doorway `outside`."""
    return Listener(
        address,
        modbus.port,
        lambda peers: ModbusTcp(peers, service),
        also=also,
        outside=outside,
        max_connections=modbus.max_connections,
        idle_timeout=modbus.idle_timeout,
        clock=clock,
        ticker=ticker,
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
