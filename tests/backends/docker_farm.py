"""A farm of containers for tests: its plant, and commands in processes of their own as a person gives them."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from farm.backends import docker_labels as labels
from farm.backends.docker_engine import Engine
from farm.cli.backends import make_backend
from farm.supervisor.clean import take_down
from farm.supervisor.link import Link
from farm.supervisor.run_directory import RunDirectory
from farm.supervisor.wire import encode_plant
from farm.topology.plant import Plant
from farm.topology.wiring import NetworkSpec
from node.config.model import (
    EnipConfig,
    IdentityConfig,
    InterfaceConfig,
    ModbusConfig,
    NodeConfig,
    RegisterBlock,
    TagConfig,
    UnitConfig,
)

NET = f"10.{200 + os.getpid() // 250 % 50}.{os.getpid() % 250}"
"""Three bytes of every address, so that two test runs on one machine do not meet."""
OTHER = f"{NET.rpartition('.')[0]}.251"
OUTSIDE = f"127.{NET.removeprefix('10.')}"
CELL = NetworkSpec("cell", f"{NET}.0/24", f"{NET}.253", host=f"{NET}.254", mtu=1400)
TAGS = (TagConfig("Level", "DINT", (4,), initial=(11, 22, 33, 44)), TagConfig("Regs", "UINT", (8,), initial=7))
MODBUS = ModbusConfig(units=(UnitConfig(1, (RegisterBlock("holding", 0, 8, "Regs"),)),))


def node(name: str, number: int, kind: str = "logix", outside: bool = False) -> NodeConfig:
    """A node at NET.number, with real ports, and at OUTSIDE.number too if it is to be."""
    address = f"{NET}.{number}"
    identity = IdentityConfig(1, 14, 54, (20, 11), 0x0060, number, "1756-L61/B LOGIX5561")
    made = NodeConfig(
        name,
        kind,
        "generic" if kind == "modbus" else "1756-L61",
        address,
        tags=TAGS,
        enip=None if kind == "modbus" else EnipConfig(identity),
        modbus=None if kind == "logix" else MODBUS,
        interfaces=(InterfaceConfig("cell", address, 24, f"02:fa:0a:00:00:{number:02x}", mtu=1400),),
        hostname=f"sim-{name}",
    )
    ports = made.ports.items() if outside else ()
    return replace(made, outside=tuple((protocol, f"{OUTSIDE}.{number}", port) for protocol, port in ports))


NODES = (node("plc1", 1, outside=True), node("rtu1", 2, "modbus", outside=True), node("gw1", 3, "gateway"))
WORKS = Plant("works", "works.yaml", "docker", 1, NODES, networks=(CELL,))


def another(name: str, count: int, outside: bool = False) -> Plant:
    """A plant of its own network, to run beside WORKS."""
    nodes = []
    for number in range(1, count + 1):
        made, address = node(f"plc{number}", number, outside=outside), f"{OTHER}.{number}"
        published = tuple((protocol, f"{OUTSIDE}.{100 + number}", port) for protocol, _, port in made.outside)
        interfaces = (replace(made.interfaces[0], address=address),)
        nodes.append(replace(made, address=address, interfaces=interfaces, outside=published))
    network = NetworkSpec("cell", f"{OTHER}.0/24", f"{OTHER}.254", mtu=1400)
    return replace(WORKS, name=name, nodes=tuple(nodes), networks=(network,))


@dataclass
class DockerFarm:
    """A farm in `run`."""

    run: RunDirectory

    def up(self, plant: Plant = WORKS, on_event: Any = None) -> dict[str, Any]:
        """`farm up`."""
        return Link.open(self.run, "docker").ask("apply", on_event, plant=encode_plant(plant))

    def rows(self) -> dict[str, dict[str, Any]]:
        """`farm ps`, by node."""
        return {row["name"]: row for row in Link.open(self.run).ask("ps")["rows"]}

    def down(self) -> None:
        """`farm down`."""
        if self.run.exists():
            take_down(self.run, make_backend)

    def inspect(self, name: str) -> dict[str, Any]:
        """`docker inspect` of a node's container."""
        engine = Engine()
        try:
            found: dict[str, Any] = engine.api.inspect_container(labels.container_name(self.run.run_id, name))
            return found
        finally:
            engine.close()


def things() -> set[str]:
    """Every container and network of the daemon."""
    engine = Engine()
    names = {f"container {each['Names'][0]}" for each in engine.api.containers(all=True)}
    names |= {f"network {each['Name']}" for each in engine.api.networks()}
    engine.close()
    return names


def files(folder: Path) -> Iterator[str]:
    """Everything in a folder."""
    return (str(path) for path in folder.rglob("*"))
