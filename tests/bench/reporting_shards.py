"""Shards without nodes: what they would say to a farm, said over real control streams by one process for many of them.

`python -m tests.bench.reporting_shards ORDERS`, a JSON file (`Orders`). Whatever is said goes through the agent that
shards have, at the pace that the farm asks for; only the counters are made up. A busy node has been asked once a second
by one client, and an idle one never.
"""

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from node.control.agent import Agent
from node.control.messages import Message, shard_token
from node.errors import NodeError
from node.server.descriptors import raise_descriptor_limit

FIRST_PID = 1_000_000_000
"""No process has so high a number: nobody is taken for a shard, or signalled."""
LATENCY = (0, 0, 0, 0, 1, 12, 60, 20, 5, 1, 1)
"""How a hundred requests spread over the buckets of latency."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What one process is to say: the farm's `control` socket, the run's `secret`, its `shards` with the names of their
    nodes, in the order of their pids, and whether the nodes are `busy`."""

    control: str
    secret: str
    shards: dict[str, list[str]]
    pids: dict[str, int]
    busy: bool

    def write(self, path: Path) -> None:
        """Keeps them."""
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> "Orders":
        """Them back."""
        return cls(**json.loads(path.read_text()))


class Reporting:
    """One shard: a `Reporter` of the agent."""

    def __init__(self, orders: Orders, name: str) -> None:
        self._name = name
        self._token = shard_token(orders.secret, name)
        self._pid = orders.pids[name]
        self._nodes = orders.shards[name]
        self._busy = orders.busy
        self._began = time.monotonic()

    def hello(self) -> Message:
        return {"token": self._token, "shard": self._name, "pid": self._pid, "started": self._pid, "nodes": self._nodes}

    def states(self) -> list[Message]:
        return [{"type": "ready", "node": node, "ports": {"enip": 44818}} for node in self._nodes]

    def telemetry(self, whole: bool) -> dict[str, Message | None]:
        report = self._report() if self._busy or whole else None
        return dict.fromkeys(self._nodes, report)

    async def command(self, node: str, path: str, value: Any) -> Any:
        if path in ("tags", "requests", "undefined", "connections", "faults"):
            return []
        if path == "watch":
            return {}
        raise NodeError(f"{node}: only told of, and not there")

    def _report(self) -> Message:
        uptime = time.monotonic() - self._began
        requests = int(uptime) if self._busy else 0
        return {
            "requests": requests,
            "errors": 0,
            "bugs": 0,
            "connections": int(self._busy),
            "bytes_in": 66 * requests,
            "bytes_out": 50 * requests,
            "refused": 0,
            "evicted": 0,
            "timeouts": 0,
            "uptime": round(uptime, 3),
            "latency": [share * requests // 100 for share in LATENCY] if requests else [],
            "peers": [["enip", "10.9.8.7:50123", round(uptime, 1), requests, 0]] if self._busy else [],
        }


async def report(orders: Orders) -> None:
    """Until the process is ended."""
    agents = [Agent(orders.control, Reporting(orders, name)) for name in orders.shards]
    await asyncio.gather(*(agent.run() for agent in agents))


if __name__ == "__main__":
    raise_descriptor_limit()
    asyncio.run(report(Orders.read(Path(sys.argv[1]))))
