"""What the tests of backends share: nodes on addresses of this test run's own, and a farm to report to."""

import os
from pathlib import Path

from farm.backends.observed import ObservedShard, ShardSpec
from farm.backends.process import ProcessBackend
from node.config.model import EnipConfig, IdentityConfig, NodeConfig, SignalConfig, TagConfig
from tests.control.farm_end import FarmEnd

RUN_BYTES = (64 + os.getpid() // 250 % 60, os.getpid() % 250)
"""Second and third byte of every address, so that two test runs on one machine do not meet."""


def address(number: int) -> str:
    """The address of node `number`, 1 to 250."""
    return f"127.{RUN_BYTES[0]}.{RUN_BYTES[1]}.{number}"


def a_node(number: int, name: str = "", port: int = 44818) -> NodeConfig:
    """A small Logix controller."""
    identity = IdentityConfig(1, 14, 54, (20, 11), 0x0060, 1000 + number, "1756-L61/B LOGIX5561")
    sine = SignalConfig("sine", (("min", 0.0), ("max", 10.0), ("period", 60.0)))
    return NodeConfig(
        name or f"plc-{number}",
        "logix",
        "1756-L61",
        address(number),
        tags=(TagConfig("SCADA", "INT", (100,)), TagConfig("Level", "REAL", signal=sine)),
        enip=EnipConfig(identity, port=port),
    )


def one(number: int) -> ShardSpec:
    """A shard of one node, under its name."""
    node = a_node(number)
    return ShardSpec(node.name, (node,))


def dead(shard: ObservedShard) -> ObservedShard:
    """The same when its process is gone."""
    return ObservedShard(shard.name, shard.pid, shard.started, alive=False, nodes=shard.nodes)


class Run:
    """A run's folder, its backend, and the farm that its shards report to; `again` is the backend of another
    supervisor for the same run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.id = f"test-{os.getpid()}-{folder.name}"
        self.control = folder / "control" / "sock"
        folder.chmod(0o711)
        self.control.parent.mkdir(mode=0o711)
        self.backend = self.again()
        self.farm = FarmEnd(self.control)

    def again(self) -> ProcessBackend:
        """A backend that knows nothing but the folder."""
        return ProcessBackend(self.folder, self.id, 0.0, self.control, "secret")

    def another_farm(self) -> FarmEnd:
        """The farm is gone, its socket too, and another listens in its place."""
        self.farm.close()
        self.control.unlink()
        self.farm = FarmEnd(self.control)
        return self.farm

    def up(self, *specs: ShardSpec) -> list[ObservedShard]:
        """Shards created, started and serving all their nodes."""
        shards = []
        for spec in specs:
            self.backend.create(spec)
            shards.append(self.backend.start(spec.name))
        names = {node.name for spec in specs for node in spec.nodes}
        self.farm.wait_for(lambda: names <= self.farm.ready.keys() | self.farm.failed.keys())
        return shards
