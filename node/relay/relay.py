"""The program: listens where its file says, leads on what comes, and reads the file again when it is told to (SIGHUP).

What cannot be had of the forwards is said, a line each, and the others are served; a file that is damaged while it runs
changes nothing. Nothing that one peer does or leaves undone stops what is led for another.
"""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Iterable

from node.control.messages import read_file
from node.errors import ConfigError, NodeError
from node.relay.frames import FrameReader
from node.relay.link import End, Link
from node.relay.table import TCP, Forward, Orders
from node.relay.tcp import TcpPort, to_node, to_socket
from node.relay.udp import UdpPort
from node.server.acceptor import Acceptor
from node.server.listener import listening_socket

log = logging.getLogger(__name__)


class Forwards:
    """The ports that lead to nodes."""

    def __init__(self) -> None:
        self._served: dict[tuple[str, str, int], tuple[Forward, TcpPort | UdpPort]] = {}
        self._changing = asyncio.Lock()

    async def change(self, wanted: Iterable[Forward]) -> None:
        """Serves these and no others, and says which cannot be had. Connections of those that stay, stay."""
        async with self._changing:
            rows = {forward.here: forward for forward in wanted}
            for here in [here for here in self._served if here not in rows]:
                await _close(self._served.pop(here)[1])
            failed: list[tuple[Forward, str]] = []
            for here, forward in rows.items():
                try:
                    await self._serve(here, forward)
                except (NodeError, OSError) as exc:
                    failed.append((forward, str(exc)))
            log.info("forwards: %d served", len(self._served))
            for forward, why in failed:
                log.error("%s: %s", forward, why)

    async def _serve(self, here: tuple[str, str, int], forward: Forward) -> None:
        known = self._served.get(here)
        port = known[1] if known is not None else None
        target = forward.node, forward.node_port
        if known is not None and known[0] == forward:
            return
        if isinstance(port, TcpPort):
            port.dial = to_node(*target)
        elif isinstance(port, UdpPort):
            port.target = target
        elif forward.protocol == TCP:
            port = TcpPort(forward.address, forward.port, to_node(*target))
        else:
            port = UdpPort(forward.address, forward.port, target)
            await port.open()
        self._served[here] = forward, port


class Pipe(asyncio.Protocol):
    """The connection of a farm far away: a link. The newest one counts."""

    def __init__(self, relay: "Relay") -> None:
        self.link = Link(self._write)
        self._relay = relay
        self._reader = FrameReader()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._relay.attached(self)

    def data_received(self, data: bytes) -> None:
        try:
            for frame in self._reader.decode(data):
                self.link.take(frame)
        except NodeError as exc:
            log.error("the link to the farm ends: %s", exc)
            self.close()

    def pause_writing(self) -> None:
        self.link.pause()

    def resume_writing(self) -> None:
        self.link.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        self.link.close()
        self._relay.detached(self)

    def close(self) -> None:
        """Hangs up, at the farm and at all that it carries."""
        self.link.close()
        if self._transport is not None:
            self._transport.abort()

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)


class Relay:
    """What the file at `path` says, from `start` on."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._orders = self._read()
        self.forwards = Forwards()
        self._pipe: Pipe | None = None
        self._control: TcpPort | Acceptor | None = None
        self._link: Acceptor | None = None
        self._told = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Serves until SIGTERM or SIGINT. Raises `NodeError` when it cannot listen for shards or its farm."""
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, self._told.set)
        loop.add_signal_handler(signal.SIGHUP, self._read_again)
        orders = self._orders
        if orders.link is not None:
            self._link = _acceptor(orders.link, lambda: Pipe(self))
        if orders.control is not None:
            if orders.socket:
                self._control = TcpPort(*orders.control, to_socket(orders.socket))
            else:
                self._control = _acceptor(orders.control, self._shard)
            log.info("shards are taken to the farm from %s:%d", *orders.control)
        await self.forwards.change(orders.forwards)
        await self._told.wait()

    def attached(self, pipe: Pipe) -> None:
        """A farm is there; the one before is not any more."""
        before, self._pipe = self._pipe, pipe
        if before is not None:
            log.info("another farm came over the link")
            before.close()

    def detached(self, pipe: Pipe) -> None:
        """It is gone."""
        if self._pipe is pipe:
            self._pipe = None

    def _shard(self) -> asyncio.Protocol:
        """For a connection of a shard: one that hangs up while there is no farm, so that it comes again."""
        return End(self._pipe.link) if self._pipe is not None else _Nobody()

    def _read(self) -> Orders:
        try:
            return Orders.decode(self._path, read_file(self._path))
        except OSError as exc:
            raise ConfigError(self._path, 0, exc.strerror or str(exc)) from exc

    def _read_again(self) -> None:
        try:
            orders = self._read()
        except ConfigError as exc:
            log.error("%s; what was served is served on", exc)
            return
        before = self._reading

        async def change() -> None:
            if before is not None:
                await asyncio.wait([before])
            await self.forwards.change(orders.forwards)

        self._reading = asyncio.get_running_loop().create_task(change())


class _Nobody(asyncio.Protocol):
    """There is no farm to carry it to."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


def _acceptor(where: tuple[str, int], connect: Callable[[], asyncio.Protocol]) -> Acceptor:
    return Acceptor(listening_socket(where[0], socket.SOCK_STREAM, where[1]), connect)


async def _close(port: TcpPort | UdpPort) -> None:
    with contextlib.suppress(OSError):
        if isinstance(port, TcpPort):
            await port.close()
        else:
            port.close()


async def run(path: str) -> None:
    """Runs the relay of the file at `path` until it is told to end. Raises `ConfigError` for the file, another
    `NodeError` for what cannot be had."""
    await Relay(path).run()
