"""A port of TCP that leads elsewhere: to a port of a node, or to the farm's socket."""

import asyncio
import socket

from node.relay.pump import Caller, Dial, Half
from node.server.acceptor import Acceptor
from node.server.listener import listening_socket


class TcpPort:
    """Takes connections at `address`:`port` and leads each to where `dial` goes. Raises `ListenError`, a `NodeError`,
    when it cannot be had."""

    def __init__(self, address: str, port: int, dial: Dial) -> None:
        self.dial = dial
        self._callers: set[Caller] = set()
        sock = listening_socket(address, socket.SOCK_STREAM, port)
        self._acceptor = Acceptor(sock, lambda: Caller(self.dial, self._callers))

    async def close(self) -> None:
        """Takes no more, and ends those that are there with a reset: what they led to is not meant any more."""
        await self._acceptor.close()
        for caller in list(self._callers):
            caller.hang_up(reset=True)


def to_node(address: str, port: int) -> Dial:
    """Leads to a port of a node."""

    async def dial(half: Half) -> object:
        return await asyncio.get_running_loop().create_connection(lambda: half, address, port)

    return dial


def to_socket(path: str) -> Dial:
    """Leads to a Unix socket."""

    async def dial(half: Half) -> object:
        return await asyncio.get_running_loop().create_unix_connection(lambda: half, path)

    return dial
