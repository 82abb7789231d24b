"""A supervisor of nodes that are only told of (`reporting_shards`): the real one, on a platform that starts nothing,
and with nobody to ask whether a node is up.

`python -m tests.bench.reported_farm RUN PLANT NODES SHARD`: supervises `NODES` nodes of the plant file, `SHARD` in a
process, in the run directory `RUN`, and prints a line when all of them are up.
"""

import asyncio
import os
import sys
from pathlib import Path

from farm import topology
from farm.backends.memory import MemoryBackend
from farm.backends.observed import ObservedShard, ShardSpec
from farm.supervisor import daemon
from farm.supervisor.descriptors import raise_limit
from farm.supervisor.run_directory import Lock, RunDirectory
from farm.supervisor.state import Identity
from farm.supervisor.supervisor import Supervisor
from farm.topology.plant import Plant
from node.config.model import NodeConfig
from tests.bench.reporting_shards import FIRST_PID

EACH_SITE = 10
"""Nodes of a site of the plant, of which there are as many as are wanted."""
UP = "up"
PATIENCE = 300.0


class ToldOf(MemoryBackend):
    """Shards have the pids that they will say they have."""

    def start(self, shard: str) -> ObservedShard:
        nodes = self._specs[shard].nodes
        pid = pid_of(shard)
        self._running[shard] = ObservedShard(shard, pid, pid, alive=True, nodes=nodes)
        return self._running[shard]


def pid_of(shard: str) -> int:
    """`shard-007` to a number of its own."""
    return FIRST_PID + int(shard.rpartition("-")[2])


def plant_of(file: Path, nodes: int, shard: int) -> Plant:
    """So many nodes, of which `shard` share a process."""
    return topology.load_plant(file, settings={"sites": str(nodes // EACH_SITE)}, environ={}, shard=shard)


def shards_of(plant: Plant) -> list[ShardSpec]:
    """Which shard serves which node, as the supervisor will have it."""
    from farm.plan.assign import assign

    assert isinstance(plant.shard, int)
    return assign(plant.nodes, [], plant.shard)


async def answer(config: NodeConfig) -> None:
    """Every node is up as soon as it is asked."""


async def supervise(supervisor: Supervisor, plant: Plant) -> None:
    """Serves until told to end; says so when all nodes are up."""
    heard, told = os.pipe()
    serving = asyncio.create_task(daemon._serve(supervisor, told))
    await asyncio.to_thread(os.read, heard, 1)
    await supervisor.apply(plant, lambda event: None, dry_run=False, seconds=PATIENCE)
    print(UP, flush=True)
    await serving


def main() -> None:
    """Never returns while it is not told to end."""
    run = RunDirectory(Path(sys.argv[1]))
    lock = Lock(run)
    identity = Identity.read(run)
    if not lock.take() or identity is None:
        raise SystemExit(f"{run.path}: no run of ours")
    raise_limit()
    plant = plant_of(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    asyncio.run(supervise(Supervisor(run, identity, ToldOf(run.path), probe=answer), plant))


if __name__ == "__main__":
    main()
