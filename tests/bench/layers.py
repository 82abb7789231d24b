"""Where the time of a request goes: each layer of its path alone, in this process, and what the kernel counts of a live
node.

A layer is timed as the least of several runs of many calls, with an empty loop taken off. The request is the one of
the other tables: a Read Tag of one DINT in an Unconnected Send. What a live node needs beyond its layers is the event
loop and the kernel's: to wait, to receive and to send.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from node.config.model import EnipConfig, IdentityConfig, NodeConfig, TagConfig
from node.controller import Controller
from node.enip import target
from node.enip.framing import FrameBuffer
from node.exchange.metrics import Metrics
from node.server.enip_tcp import EnipTcp
from node.server.peer import Peers
from tests.bench import generators, servers
from tests.bench.processes import pin, tree
from tests.bench.requests import ENIP_CASES, measure
from tests.bench.servers import Server
from tests.soak.session import REGISTER, read, unconnected

CALLS, ROUNDS = 20_000, 7
ROUTED = b"\x52\x02\x20\x06\x24\x01\x0a\x0e"


class Wire:
    """A transport that takes what is written and keeps the last of it."""

    def __init__(self) -> None:
        self.sent = b""

    def write(self, data: bytes) -> None:
        self.sent = data

    def get_extra_info(self, name: str) -> tuple[str, int]:
        return "127.0.0.1", 44818


def spent(call: Callable[[], Any], calls: int = CALLS) -> float:
    """µs of one call."""

    def nothing() -> None:
        return None

    def once(what: Callable[[], Any]) -> float:
        begun = time.perf_counter_ns()
        for _ in range(calls):
            what()
        return (time.perf_counter_ns() - begun) / calls / 1000

    least = min(once(call) for _ in range(ROUNDS))
    return max(0.0, least - min(once(nothing) for _ in range(ROUNDS)))


def peer() -> EnipTcp:
    """A peer of a controller with SCADA, its session registered."""
    identity = IdentityConfig(1, 14, 54, (20, 11), 0x3060, 1, "1756-L61/B LOGIX5561")
    config = NodeConfig(
        "layers", "logix", "1756-L61", "", (TagConfig("SCADA", "DINT"),), enip=EnipConfig(identity, port=0)
    )
    service = Controller(config)._enip
    assert service is not None
    made = EnipTcp(Peers(Metrics(), 64, time.monotonic), service)
    made.connection_made(cast(asyncio.Transport, Wire()))
    made.data_received(REGISTER)
    return made


def request() -> bytes:
    """The CIP message."""
    asked = read("SCADA")
    return ROUTED + len(asked).to_bytes(2, "little") + asked + b"\1\0\1\0"


def layers() -> list[tuple[str, float]]:
    """(what, µs) of each layer, the sum of all last."""
    made = peer()
    message = request()
    frame = unconnected(made.session.handle.to_bytes(4, "little"), message)
    made.data_received(frame)
    made.data_received(frame)
    plan = made.session._plans[message]
    buffer, metrics, clock = FrameBuffer(), Metrics(), time.monotonic
    data = plan.read()
    size = len(data)
    router = made._service.device.router

    def count() -> None:
        now = clock()
        metrics.ring.append((now, frame, data, "127.0.0.1:1"))
        metrics.requests += 1
        metrics.took(clock() - now, 1)

    def pack() -> bytes:
        fixed = (0x6F, 16 + size, 1, 0, b"12345678", 0, 0, b"\2\0\0\0\0\0\xb2\0", size)
        return target._RR.pack(*fixed) + data

    def unplanned() -> None:
        router.plans.clear()
        router.request(message)

    return [
        ("frames out of the bytes that came", spent(lambda: buffer.feed(frame))),
        ("the header and items, one unpack", spent(lambda: target._RR.unpack_from(frame))),
        ("the plan, looked up by the message", spent(lambda: made.session._plans.get(frame[40:]))),
        ("the values, out of memory", spent(plan.read)),
        ("the reply's header", spent(pack)),
        ("counting: ring, histogram, two looks at the clock", spent(count)),
        ("all of it: `data_received` to `write`", spent(lambda: made.data_received(frame))),
        ("the same message without a plan: two paths, two services, limits", spent(unplanned, CALLS // 10)),
    ]


def kernel_share(server: Server, seconds: float, name: str) -> tuple[float, float]:
    """µs of user and of system time that a live node needs for one reply of a case."""
    arguments = dict(ENIP_CASES)[name]
    before = _ticks(server.pids[0])
    figure, _ = measure(server, generators.enip, seconds, arguments)
    user, system = (after - then for after, then in zip(_ticks(server.pids[0]), before, strict=True))
    share = system / (user + system) if user + system else 0.0
    return figure.cpu_us * (1 - share), figure.cpu_us * share


def _ticks(pid: int) -> tuple[float, float]:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    hertz = os.sysconf("SC_CLK_TCK")
    return int(fields[11]) / hertz, int(fields[12]) / hertz


def run(seconds: float) -> list[str]:
    """The table, as Markdown."""
    lines = ["", "### Where the time goes", "", "| layer of one read | µs |", "|---|--:|"]
    found = layers()
    lines += [f"| {what} | {micros:.2f} |" for what, micros in found]
    lines += ["", "| a live farm node, a reply | user µs | system µs |", "|---|--:|--:|"]
    with servers.farm_node() as node:
        server = node["enip"]
        pin(tree(server.pids[0]))
        for name in ("one read, one client", "20 in flight", "Multiple Service Packet of 20"):
            user, system = kernel_share(server, seconds, name)
            lines.append(f"| {name} | {user:.2f} | {system:.2f} |")
    print("\n".join(lines), flush=True)
    return lines
