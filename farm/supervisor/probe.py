"""Whether a node is up: it has answered a real request on each of its ports, as a client would send it.

A process that runs and a port that accepts say little: both are true of a node that hangs.
"""

from node.client.aio import probe_enip
from node.client.modbus_aio import AsyncModbus, ask_anything
from node.client.modbus_tls import pinned_context
from node.config.model import ModbusConfig, NodeConfig

ATTEMPT = 5.0
"""Seconds for one request and its answer; five hundred processes that start on two cores are slow at first."""
AT_ONCE = 64
"""Probes on their way at once; each is a descriptor and a connection in the node's queue."""


async def probe_node(config: NodeConfig, inside: bool = True) -> None:
    """Asks for ListIdentity (EtherNet/IP) and one register or coil (Modbus); returns when all ports have answered. They
    are asked at the node's own address, or, from where that is not reached (`inside` false), at its outside ones. Where
    it has none it is not asked: what it says itself has to do.

    Raises `node.errors.NodeError` with the address and what was got.
    """
    if not inside and not config.outside:
        return
    if config.enip is not None:
        address, port = endpoint(config, "enip", config.enip.port, inside)
        await probe_enip(address, port, ATTEMPT)
    if config.modbus is not None:
        address, port = endpoint(config, "modbus", config.modbus.port, inside)
        await _probe_modbus(address, port, config.modbus)


def endpoint(config: NodeConfig, protocol: str, port: int, inside: bool) -> tuple[str, int]:
    """Where the node's `protocol` is reached: inside its networks, or from the machine that it runs on."""
    if not inside:
        for name, address, number in config.outside:
            if name == protocol:
                return address, number
    return config.address, port


async def _probe_modbus(address: str, port: int, modbus: ModbusConfig) -> None:
    """Reads the first value of the first unit; a device without units answers unit 255, or refuses it. One that wants
    a certificate of its clients gets none, and has answered when it has shown its own."""
    unit = modbus.units[0] if modbus.units else None
    async with modbus_client(modbus, address, port, unit.unit_id if unit is not None else 255, ATTEMPT) as device:
        if modbus.tls is not None and modbus.tls.ca:
            return
        if unit is not None and unit.blocks:
            await ask_anything(device, unit.blocks[0].table, unit.blocks[0].start)
        else:
            await ask_anything(device)


def modbus_client(modbus: ModbusConfig, address: str, port: int, unit: int, seconds: float) -> AsyncModbus:
    """A client of a node's, which speaks as the node does. Raises `NodeError` for a certificate that cannot be read."""
    tls = pinned_context(modbus.tls.certificate) if modbus.tls is not None else None
    return AsyncModbus(address, port, unit, seconds, framing=modbus.framing, tls=tls)
