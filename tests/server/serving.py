"""A node's EtherNet/IP on loopback for one test, on a clock that stands still until it is moved."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from node.exchange.metrics import Metrics
from node.server.enip_tcp import EnipService, EnipTcp
from node.server.enip_udp import EnipUdp
from node.server.listener import Listener
from node.server.ticker import Ticker
from tests.objects.devices import build

HOST = "127.64.200.1"
REGISTER = bytes.fromhex("65000400" + "00" * 20 + "01000000")


class Clock:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Node:
    """A listener with all that stands behind it; `options` are those of its device."""

    def __init__(self, host: str = HOST, port: int = 0, limit: int = 64, idle: float = 0.0, **options: object) -> None:
        self.clock = Clock()
        self.device = build(**options)  # type: ignore[arg-type]
        self.metrics = Metrics()
        self.service = EnipService(self.device, self.clock, port, host)
        self.listener = Listener(
            host,
            port,
            lambda peers: EnipTcp(peers, self.service),
            udp=lambda: EnipUdp(self.service, self.metrics),
            metrics=self.metrics,
            max_connections=limit,
            idle_timeout=idle,
            clock=self.clock,
            ticker=Ticker(self.clock, interval=0.01),
        )
        self.listener.ticker.add(self.device.connections.poll)

    async def connect(self) -> "Client":
        reader, writer = await asyncio.open_connection(self.listener.host or "127.0.0.1", self.port)
        return Client(reader, writer)

    @property
    def port(self) -> int:
        return self.listener.port


class Client:
    """A TCP client that reads whole frames."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def ask(self, data: bytes, replies: int = 1) -> bytes:
        self.writer.write(data)
        return b"".join([await self.frame() for _ in range(replies)])

    async def frame(self) -> bytes:
        async with asyncio.timeout(5):
            head = await self.reader.readexactly(24)
            return head + await self.reader.readexactly(int.from_bytes(head[2:4], "little"))

    async def register(self) -> str:
        return (await self.ask(REGISTER))[4:8].hex()

    async def ended(self) -> bool:
        """Waits for the end; True when nothing came before it."""
        async with asyncio.timeout(5):
            with suppress(ConnectionError):
                return await self.reader.read() == b""
        return True

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


@asynccontextmanager
async def serving(**options: object) -> AsyncIterator[Node]:
    """A node that is open; nothing of it is left afterwards."""
    node = Node(**options)  # type: ignore[arg-type]
    await node.listener.open()
    node.service.port = node.port
    try:
        yield node
    finally:
        await node.listener.close()
        node.listener.ticker.stop()
