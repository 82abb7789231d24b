"""What a nursery does before its first fork, so that a shard writes to few pages after it.

Every page that a child writes to becomes its own. So what every shard does is done here first, a node's whole life
from its configuration to its answers, on a loop that is closed again: it fills caches and has the interpreter
specialise the code, which it would else do in each child. Code that runs is laid side by side. And imports leave holes
in the heap, which a child's first objects would go into, each for the price of a page: they are filled, and a child's
objects go side by side into new pages.
"""

import asyncio
import contextlib
import datetime
import difflib
import gc
import os
import random
import signal
import socket
import sys
from collections.abc import Callable
from types import CodeType, FrameType, FunctionType

from node import modbus_face, shard
from node.cip import refusal
from node.commands import api, captures, faults, forces, recordings, replays, requests, tag_facts
from node.config.load import dump
from node.config.model import (
    EnipConfig,
    IdentityConfig,
    ModbusConfig,
    NodeConfig,
    RegisterBlock,
    SignalConfig,
    TagConfig,
    UnitConfig,
)
from node.control.messages import (
    READY,
    TELEMETRY,
    Message,
    ShardFile,
    boot_id,
    checked_mark,
    decode,
    digest_nodes,
    encode,
)
from node.errors import NodeError
from node.exchange import printing, recorder
from node.objects import assembly, drive_parameter, file, parameter, pccc
from node.server import closing, modbus_line_tcp, modbus_udp, serial_line
from node.signals import replayed

if sys.platform == "linux":
    from node import privileges

PRELOADED = (assembly, drive_parameter, file, modbus_face, parameter, pccc)
"""What a shard imports if its family needs it: after the fork it would be every such child's own."""
TRANSPORTS = (modbus_line_tcp, modbus_udp, serial_line)
"""The same, of what Modbus is carried by beside plain TCP."""
ASKED_FOR = (
    *(api, captures, closing, faults, forces, recordings, recorder, replays, replayed, printing, refusal, requests),
    *(tag_facts, datetime, difflib, random),
)
"""What a node imports when somebody first asks for it. By then it may be a user who has no right to read it."""
REHEARSALS = 10
"""CPython 3.11 specialises a function from its eighth call on."""
ADDRESS = "127.255.255.254"
"""Where a rehearsed node listens for a moment, on ports that nobody chose."""
REHEARSED = NodeConfig(
    "rehearsal",
    "gateway",
    "1756-L61",
    ADDRESS,
    tags=(
        TagConfig("Level", "REAL", signal=SignalConfig("sine")),
        TagConfig("Count", "DINT", (10,), signal=SignalConfig("counter"), address=(22, 1, 1)),
        TagConfig("Running", "BOOL", initial=True),
        TagConfig("Name", "STRING", initial="rehearsal"),
        TagConfig("Registers", "UINT", (16,), initial=1),
    ),
    enip=EnipConfig(IdentityConfig(1, 14, 54, (20, 11), 0x0060, 1, "1756-L61/B LOGIX5561"), port=0),
    modbus=ModbusConfig(port=0, units=(UnitConfig(1, (RegisterBlock("holding", 0, 16, "Registers"),)),)),
)
"""Has one of everything that most nodes have."""
PROBES = {"enip": b"\x63\0\0\0" + bytes(20), "modbus": bytes.fromhex("000100000006010300000001")}
"""What a farm asks each node when it has started: ListIdentity, and a holding register."""
SECONDS = 2.0
"""For a life; one on this machine alone takes a few milliseconds."""
TURNS = 5
"""Of the loop, until both ends of a connection have heard of its end."""
SMALLEST, LARGEST, STEP = 48, 512, 16
"""Sizes of small objects, in the classes that CPython's allocator keeps apart."""
BYTES_OVERHEAD = 33
FILLED = 32_000
"""Bytes for each of them."""
FILLING: list[list[bytes]] = []
"""What fills the holes, held for good."""


def rehearse() -> None:
    """A shard's life, `REHEARSALS` times. Nothing of it is left but what was learnt."""
    boot_id()
    if sys.platform == "linux":
        privileges.rehearse()
    handlers = {signum: signal.getsignal(signum) for signum in (signal.SIGTERM, signal.SIGINT)}
    _lay_side_by_side(_seen_running(_rehearse_once))
    for _ in range(REHEARSALS):
        _rehearse_once()
    for signum, handler in handlers.items():
        signal.signal(signum, handler)
    gc.collect()
    _fill_holes()


def _rehearse_once() -> None:
    nodes = (dump(REHEARSED),)
    content = ShardFile("rehearsal", "", 0.0, "", nodes, checked_mark(digest_nodes(nodes))).encode()
    prepared = shard.prepare("rehearsal", content)
    if sys.platform == "linux":
        loop = asyncio.new_event_loop()
        with contextlib.suppress(OSError, NodeError):  # no loopback here, say: it is learnt in each child
            loop.run_until_complete(_live(prepared, f"\0plcfarm-rehearsal-{os.getpid()}"))
        loop.close()


def _seen_running(act: Callable[[], None]) -> set[CodeType]:
    """Every function's code that `act` comes through."""
    seen: set[CodeType] = set()

    def see(frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            seen.add(frame.f_code)

    sys.setprofile(see)
    try:
        act()
    finally:
        sys.setprofile(None)
    return seen


def _lay_side_by_side(codes: set[CodeType]) -> None:
    """Code that runs is written to: it is counted who holds it, and it has caches. As imports laid it out each of these
    lies in a page with much that is never used; copies that are made in one go lie in a few pages together."""
    _fill_holes()
    copies: dict[CodeType, CodeType] = {}
    for function in gc.get_objects():
        if isinstance(function, FunctionType) and function.__code__ in codes:
            code = function.__code__
            function.__code__ = copies.setdefault(code, code.replace())


async def _live(prepared: shard.Prepared, control: str) -> None:
    """Serves until a farm of this function's own, at the Unix socket `control`, has heard all that there is to hear."""
    loop = asyncio.get_running_loop()
    farm = _Farm()
    listening = await loop.create_unix_server(lambda: farm, control)
    served = shard.Shard(prepared, control, "")
    serving = loop.create_task(served.run())
    try:
        async with asyncio.timeout(SECONDS):
            ready = await farm.ready
            for protocol, port in ready["ports"].items():
                await _probe(port, PROBES[protocol])
                _report(served)
            signal.raise_signal(signal.SIGTERM)
            await serving
    finally:
        listening.close()
        farm.hang_up()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for _ in range(TURNS):
            await asyncio.sleep(0)


def _report(served: shard.Shard) -> None:
    """What a shard does each second, with news and without."""
    for whole in (True, False, False):
        encode({"type": TELEMETRY, "nodes": served.telemetry(whole)})


async def _probe(port: int, question: bytes) -> None:
    loop = asyncio.get_running_loop()
    with socket.socket() as client:
        client.setblocking(False)
        await loop.sock_connect(client, (ADDRESS, port))
        await loop.sock_sendall(client, question)
        await loop.sock_recv(client, 4096)


class _Farm(asyncio.Protocol):
    """Waits for a node to be ready."""

    def __init__(self) -> None:
        self.ready: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        for line in data.splitlines():
            message = decode(line)
            if message["type"] == READY and not self.ready.done():
                self.ready.set_result(message)

    def hang_up(self) -> None:
        """The shard is told nothing more."""
        if self._transport is not None:
            self._transport.close()


def _fill_holes() -> None:
    for size in range(SMALLEST, LARGEST, STEP):
        FILLING.append([bytes(size - BYTES_OVERHEAD) for _ in range(FILLED // size)])
