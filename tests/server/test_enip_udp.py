"""The List commands by datagram."""

import asyncio
import socket

import pytest

from tests.enip.test_target import frame, rr
from tests.server.serving import HOST, serving

pytestmark = pytest.mark.net


async def ask(host: str, port: int, *data: bytes) -> bytes:
    """Sends datagrams; the first reply."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        for item in data:
            await loop.sock_sendto(sock, item, (host, port))
        async with asyncio.timeout(5):
            reply, sender = await loop.sock_recvfrom(sock, 2000)
        assert sender == (host, port)
        return reply


def test_the_identity_has_the_node_s_own_address() -> None:
    async def scene(host: str, asked: str) -> None:
        async with serving(host=host) as node:
            reply = await ask(asked, node.port, frame(0x63))
            assert reply[:2] == b"\x63\0"
            assert reply[36:40] == bytes(int(part) for part in asked.split("."))
            assert node.metrics.requests == 1
            assert node.metrics.bytes_out == len(reply)

    asyncio.run(scene(HOST, HOST))
    asyncio.run(scene("", "127.0.0.1"))


def test_services_and_interfaces() -> None:
    async def scene() -> None:
        async with serving() as node:
            assert (await ask(HOST, node.port, frame(0x04)))[24:32].hex() == "0100000114000100"
            assert (await ask(HOST, node.port, frame(0x64)))[24:] == b"\0\0"

    asyncio.run(scene())


def test_garbage_is_not_answered_and_other_commands_are_refused() -> None:
    async def scene() -> None:
        async with serving() as node:
            reply = await ask(HOST, node.port, b"", b"x", b"\xff" * 24, frame(0), rr(b"\x01\x02", "00000000"))
            assert reply == frame(0x6F, status=1)
            assert node.metrics.bugs == 0

    asyncio.run(scene())
