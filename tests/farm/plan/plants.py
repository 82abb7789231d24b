"""Small plants and what runs of them, for tests of plans."""

from farm.backends.observed import Observed, ObservedShard
from farm.topology.plant import Plant
from node.config.model import EnipConfig, IdentityConfig, ModbusConfig, NodeConfig, TagConfig

IDENTITY = IdentityConfig(1, 14, 55, (20, 11), 0x60, 0x00C0FFEE, "1756-L61/B LOGIX5561")


def node(name: str, address: str = "", tags: tuple[str, ...] = ("Level",), modbus: bool = False) -> NodeConfig:
    """A Logix controller, or a Modbus one, at `address` (by default one made from the digits of its name)."""
    number = int("".join(filter(str.isdigit, name)) or 1)
    return NodeConfig(
        name=name,
        kind="modbus" if modbus else "logix",
        profile="generic" if modbus else "1756-L61",
        address=address or f"127.64.1.{number}",
        tags=tuple(TagConfig(tag, "REAL") for tag in tags),
        enip=None if modbus else EnipConfig(IDENTITY),
        modbus=ModbusConfig() if modbus else None,
    )


def plant(*nodes: NodeConfig, shard: int | str = 1) -> Plant:
    """A plant of these nodes."""
    return Plant("works", "plant.yaml", "memory", shard, nodes)


def running(name: str, *nodes: NodeConfig, pid: int = 100, alive: bool = True) -> ObservedShard:
    """A shard that serves `nodes`."""
    return ObservedShard(name, pid, pid * 10, alive, nodes)


def alone(*nodes: NodeConfig) -> Observed:
    """Each node running in a shard of its own."""
    return Observed(tuple(running(each.name, each, pid=100 + i) for i, each in enumerate(nodes)))
