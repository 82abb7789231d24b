"""What the tests of backends share: nodes on addresses of this test run's own, and a farm to report to."""

import os
from collections.abc import Callable
from pathlib import Path

from farm.backends import docker_labels, pids
from farm.backends.docker import DockerBackend
from farm.backends.docker_engine import Engine
from farm.backends.forked import ForkedShards
from farm.backends.observed import ObservedShard, ShardSpec
from farm.backends.process import ProcessBackend
from node.config.model import EnipConfig, IdentityConfig, NodeConfig, SignalConfig, TagConfig
from tests.control.farm_end import FarmEnd

RUN_BYTES = (64 + os.getpid() // 250 % 60, os.getpid() % 250)
"""Second and third byte of every address, so that two test runs on one machine do not meet."""


MakeBackend = Callable[[Path, str, float, Path, str], ForkedShards]


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

    def __init__(self, folder: Path, make: MakeBackend = ProcessBackend) -> None:
        self.folder = folder
        self._make = make
        self.made: list[ForkedShards] = []
        self.id = f"test-{os.getpid()}-{folder.name}"
        self.control = folder / "control" / "sock"
        folder.chmod(0o711)
        self.control.parent.mkdir(mode=0o711)
        self.backend = self.again()
        self.farm = FarmEnd(self.control)

    def again(self) -> ForkedShards:
        """A backend that knows nothing but the folder."""
        self.made.append(self._make(self.folder, self.id, 0.0, self.control, "secret"))
        return self.made[-1]

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


class DockerRun:
    """A run of containers: its folder, its backend, and the farm that they report to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.id = f"test-{os.getpid()}-{folder.name}"
        self.control = folder / "control" / "sock"
        self.control.parent.mkdir(mode=0o711)
        self.farm = FarmEnd(self.control)
        self.control.chmod(0o666)
        self.backend = self.again()

    def again(self) -> DockerBackend:
        """A backend that knows nothing but the folder."""
        return DockerBackend(self.folder, self.id, 0.0, self.control, "secret")

    def close(self) -> None:
        """Hangs up on all."""
        self.backend.close()
        self.farm.close()

    def one(self, name: str) -> ShardSpec:
        """A shard of one node on no network."""
        return ShardSpec(name, (a_node(1, name),))

    def container(self, name: str) -> str:
        """What the container of a node is called."""
        return docker_labels.container_name(self.id, name)

    def left(self) -> list[str]:
        """Names of containers and networks, and pids, that are still there."""
        engine = Engine()
        found = engine.api.containers(all=True, filters=docker_labels.of_run(self.id))
        found += engine.api.networks(filters=docker_labels.of_run(self.id))
        engine.close()
        return [str(each.get("Names") or each["Name"]) for each in found] + [str(pid) for pid in pids.marked(self.id)]
