"""Plants with networks of their own, for tests of backends that make them."""

import os
from dataclasses import replace
from typing import Any

from farm.topology.plant import Plant
from farm.topology.wiring import NetworkSpec, RouterSpec
from node.config.model import InterfaceConfig, ModbusConfig, NodeConfig
from tests.backends.contract import a_node

FIRST = 100 + os.getpid() % 50
"""Second byte of LAB: two test runs on one machine do not meet."""


def a_network(name: str, second: int, *, host: bool = False, **more: Any) -> NetworkSpec:
    """10.`second`.0.0/16, internal unless it has a `host`."""
    address = f"10.{second}.255.254" if host else ""
    return NetworkSpec(name, f"10.{second}.0.0/16", f"10.{second}.255.253", address, internal=not host, **more)


LAB = a_network("lab", FIRST, host=True)
"""The machine reaches it."""
CELL = a_network("cell", FIRST + 50)
"""The machine does not."""


def interface(network: NetworkSpec, number: int, **changes: Any) -> InterfaceConfig:
    """The interface of node `number`, 1 to 60,000, on a network of 16 bits."""
    start = network.subnet.rsplit(".", 2)[0]
    third, fourth = divmod(number, 250)
    host = f"{start}.{third}.{fourth + 1}"
    second = int(start.split(".")[1])
    mac = f"02:fa:{second:02x}:00:{third:02x}:{fourth:02x}"
    prefix = int(network.subnet.partition("/")[2])
    made = InterfaceConfig(network.name, host, prefix, mac, network.mtu)
    return replace(made, **changes)


def networked(number: int, *interfaces: InterfaceConfig, name: str = "") -> NodeConfig:
    """A small Logix controller that speaks Modbus too, on these interfaces (LAB, if there are none)."""
    interfaces = interfaces or (interface(LAB, number),)
    node = a_node(number % 250 + 1, name or f"plc-{number}")
    assert node.enip is not None
    enip = replace(node.enip, identity=replace(node.enip.identity, serial=1000 + number))
    return replace(
        node, address=interfaces[0].address, interfaces=interfaces, enip=enip, modbus=ModbusConfig(max_connections=8)
    )


def a_plant(
    *nodes: NodeConfig, networks: tuple[NetworkSpec, ...] = (LAB,), routers: tuple[RouterSpec, ...] = ()
) -> Plant:
    """On backend netns, a node a shard."""
    return Plant("works", "works.yaml", "netns", 1, nodes, networks=networks, routers=routers)
