"""A port of UDP that leads to a port of a node: each client has a socket of its own there, by which answers find back.

Nothing is kept for anybody: a datagram that a socket does not take is lost, as anywhere on its way. A client that is
silent for `IDLE` seconds is forgotten, and the one that was silent longest when there are `MOST`.
"""

import asyncio
import socket
import time
from typing import Any, cast

from node.server.listener import listening_socket

IDLE = 60.0
SWEEP = 15.0
MOST = 256
"""Clients of one port."""

Address = tuple[Any, ...]


class _Socket(asyncio.DatagramProtocol):
    """A socket that loses what it is given while it has enough to send (asyncio: 64 KiB)."""

    def __init__(self) -> None:
        self._transport: asyncio.DatagramTransport | None = None
        self._full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # asyncio's own is none by its class
        self._transport = cast(asyncio.DatagramTransport, transport)

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False

    def _put(self, data: bytes, addr: Address | None = None) -> None:
        if self._transport is not None and not self._full:
            self._transport.sendto(data, addr)


class UdpPort(_Socket):
    """Serves `address`:`port` for the node's `target`, which may be changed. Raises `ListenError` when it cannot be
    had."""

    def __init__(self, address: str, port: int, target: tuple[str, int]) -> None:
        super().__init__()
        self.target = target
        self._sock = listening_socket(address, socket.SOCK_DGRAM, port)
        self._clients: dict[Address, _Client] = {}
        self._sweeping: asyncio.TimerHandle | None = None

    async def open(self) -> None:
        """Serves from now on."""
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, sock=self._sock)

    def close(self) -> None:
        """Serves no longer."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        for client in list(self._clients.values()):
            client.close()
        if self._transport is not None:
            self._transport.close()
        else:
            self._sock.close()

    def datagram_received(self, data: bytes, addr: Address) -> None:
        client = self._clients.get(addr)
        if client is not None and client.target != self.target:
            client.close()
            client = None
        if client is None:
            if len(self._clients) >= MOST:
                min(self._clients.values(), key=lambda each: each.last).close()
            client = self._clients[addr] = _Client(self, addr)
            if self._sweeping is None:
                self._sweeping = asyncio.get_running_loop().call_later(SWEEP, self._sweep)
        client.send(data)

    def answer(self, data: bytes, addr: Address) -> None:
        """What a node said, back to the client at `addr`."""
        self._put(data, addr)

    def forget(self, addr: Address) -> None:
        """The client at `addr` is gone."""
        self._clients.pop(addr, None)

    def _sweep(self) -> None:
        before = time.monotonic() - IDLE
        for client in [each for each in self._clients.values() if each.last < before]:
            client.close()
        waiting = bool(self._clients)  # a relay has thousands of ports at which nobody is
        self._sweeping = asyncio.get_running_loop().call_later(SWEEP, self._sweep) if waiting else None


class _Client(_Socket):
    """A client's socket towards the node."""

    def __init__(self, port: UdpPort, addr: Address) -> None:
        super().__init__()
        self.last = time.monotonic()
        self.target = port.target
        self._port = port
        self._addr = addr
        self._first: bytes | None = None
        self._opening = asyncio.get_running_loop().create_task(self._open())

    def send(self, data: bytes) -> None:
        """To the node; only the last of what comes before there is a socket is kept."""
        self.last = time.monotonic()
        if self._transport is None:
            self._first = data
        else:
            self._put(data)

    def close(self) -> None:
        """Forgets the client."""
        self._port.forget(self._addr)
        self._opening.cancel()
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        first, self._first = self._first, None
        if first is not None:
            self._put(first)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self.last = time.monotonic()
        self._port.answer(data, self._addr)

    async def _open(self) -> None:
        try:
            await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, remote_addr=self.target)
        except OSError:
            self._port.forget(self._addr)
