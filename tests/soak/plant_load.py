"""A whole plant under load: a client for each node, all from one process, every answer timed; and what the kernel
dropped meanwhile. The generator is asyncio on the same cores, so its own lateness is in the figures."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import socket
import struct
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from node.client.aio import AsyncConnector
from node.client.modbus_aio import AsyncModbus
from node.errors import NodeError
from tests.soak.kills import Farm

ENIP_PORT = 44818
LIST_IDENTITY = struct.pack("<HHII8sI", 0x63, 0, 0, 0, b"plcfarm?", 0)
SERIAL_AT = 24 + 2 + 4 + 2 + 16 + 2 + 2 + 2 + 2 + 2
"""Offset of the serial number in a reply: header, item count and head, version, address, identity up to status."""
SO_RCVBUFFORCE = 33
"""Of Linux; Python has no name for it."""
CONNECT_AT_ONCE = 50


@dataclass(slots=True)
class Load:
    """What the clients saw: seconds an answer took, and errors, a line each."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    drops: dict[str, int] = field(default_factory=dict)

    def quantile(self, part: float) -> float:
        """Milliseconds within which `part` of the answers came."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(part * len(ordered)))] * 1000 if ordered else float("nan")

    def __str__(self) -> str:
        return (
            f"{len(self.seconds)} answers, {len(self.errors)} errors, p50 {self.quantile(0.5):.2f} ms, "
            f"p99 {self.quantile(0.99):.2f} ms, longest {self.quantile(1):.1f} ms, drops {self.drops}"
        )


@contextlib.contextmanager
def plant(folder: Path, text: str, backend: str, limit: float = 180) -> Iterator[list[dict[str, Any]]]:
    """The rows of `farm ps` of a plant that is up meanwhile."""
    farm = Farm(folder / "run", text, backend)
    try:
        code, output = farm.run(*farm.up_arguments, limit=limit)
        assert code == 0, output
        yield json.loads(farm.run("ps", "--json")[1])
    finally:
        farm.run("down")


def load(rows: Iterable[dict[str, Any]], rate: float, seconds: float) -> Load:
    """Has a client for each row read a value `rate` times a second for so many seconds."""
    before = drops()
    result = asyncio.run(_all(list(rows), rate, seconds))
    result.drops = {name: count - before.get(name, 0) for name, count in drops().items()}
    return result


def drops() -> dict[str, int]:
    """What the kernel gave up for want of room: packets queued to a core, neighbours."""
    backlog = [line.split() for line in Path("/proc/net/softnet_stat").read_text().splitlines()]
    counters = Path("/proc/net/stat/arp_cache")  # of the machine's first network namespace alone
    arp = [line.split() for line in counters.read_text().splitlines()[1:]] if counters.exists() else []
    return {"backlog": sum(int(row[1], 16) for row in backlog), "neighbours": sum(int(row[12], 16) for row in arp)}


async def _all(rows: list[dict[str, Any]], rate: float, seconds: float) -> Load:
    result = Load()
    turn = asyncio.Semaphore(CONNECT_AT_ONCE)
    chance = random.Random(7)
    offsets = [chance.uniform(0, 1 / rate) for _ in rows]
    clients = [_client(row, rate, seconds, offset, turn, result) for row, offset in zip(rows, offsets, strict=True)]
    await asyncio.gather(*clients)
    return result


async def _client(
    row: dict[str, Any], rate: float, seconds: float, offset: float, turn: asyncio.Semaphore, result: Load
) -> None:
    """Opens once, and then reads at its own beats, whether or not an answer was late."""
    try:
        async with turn:
            device = await _open(row)
        due = time.monotonic() + offset
        end = due + seconds
        while due < end:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            begun = time.perf_counter()
            await _read(device)
            result.seconds.append(time.perf_counter() - begun)
            due += 1 / rate
        if isinstance(device, AsyncModbus):
            device.close()
        else:
            await device.close()
    except (NodeError, OSError) as exc:
        result.errors.append(f"{row['name']}: {exc}")


async def _open(row: dict[str, Any]) -> AsyncConnector | AsyncModbus:
    device: AsyncConnector | AsyncModbus
    if "enip" in row["ports"]:
        device = AsyncConnector(row["address"], row["ports"]["enip"])
    else:
        device = AsyncModbus(row["address"], row["ports"]["modbus"])
    await device.open()
    return device


async def _read(device: AsyncConnector | AsyncModbus) -> None:
    if isinstance(device, AsyncModbus):
        await device.read_registers("holding", 0, 10)
    else:
        await device.read("LevelSP")


def broadcast(address: str, seconds: float = 3.0, enough: int = 0) -> dict[str, int]:
    """Who answers a List Identity sent to a broadcast address: IP address to serial number."""
    found: dict[str, int] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 22)
        sock.sendto(LIST_IDENTITY, (address, ENIP_PORT))
        give_up = time.monotonic() + seconds
        while (left := give_up - time.monotonic()) > 0 and (not enough or len(found) < enough):
            sock.settimeout(left)
            try:
                reply, (host, _) = sock.recvfrom(2048)
            except TimeoutError:
                break
            found[host] = struct.unpack_from("<I", reply, SERIAL_AT)[0]
    return found


def logix_plant(count: int, subnet: str) -> str:
    """`count` controllers of one kind on a segment of `subnet`, such as 10.66.0.0/16."""
    base = ".".join(subnet.split(".")[:2])
    return (
        f"farm: 1\nname: segment\nnetworks:\n  default: {{subnet: {subnet}}}\ngroups:\n  plc:\n"
        f'    count: {count}\n    kind: logix\n    profile: 1769-L24ER\n    name: "plc-${{i}}"\n'
        f'    address: "{base}.${{1 + (i - 1) // 200}}.${{1 + (i - 1) % 200}}"\n'
        "    tags: {LevelSP: {type: REAL, init: 80}}\n"
    )
