"""The List commands by datagram."""

import asyncio
import socket
import time

import pytest

from node.exchange.delay import even_delay
from node.exchange.exchange import DROP, Exchange, build_chain
from node.server import datagrams
from tests.enip.test_target import frame, rr
from tests.server.serving import HOST, serving
from tests.waiting import eventually

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


def test_what_is_a_reply_is_not_answered() -> None:
    """Or two nodes would answer each other for ever."""

    async def scene() -> None:
        async with serving() as node:
            identity = await ask(HOST, node.port, frame(0x63))
            refusal = frame(0x6F, status=1)
            assert (await ask(HOST, node.port, identity, refusal, frame(0x04)))[:2] == b"\x04\0"
            assert node.metrics.requests == 4

    asyncio.run(scene())


def test_a_node_on_every_interface_answers_from_the_address_that_was_asked() -> None:
    async def scene() -> None:
        async with serving(host="") as node:
            for asked in ("127.0.0.1", "127.64.200.7", HOST):
                reply = await ask(asked, node.port, frame(0x63))
                assert reply[36:40] == socket.inet_aton(asked)

    asyncio.run(scene())


@pytest.mark.quiet
def test_replies_wait_as_long_as_those_by_tcp_and_each_for_itself() -> None:
    async def scene() -> None:
        async with serving() as node:
            node.service.chain = build_chain([even_delay(0.1)])
            began = time.monotonic()
            await asyncio.gather(*[ask(HOST, node.port, frame(0x63)) for _ in range(20)])
            assert 0.1 <= time.monotonic() - began < 1.0

    asyncio.run(scene())


class Stumbling:
    """Drops the first exchange, and fails at the second."""

    def __init__(self) -> None:
        self.seen = 0

    def before(self, exchange: Exchange) -> None:
        self.seen += 1
        if self.seen == 1:
            exchange.action = DROP
        if self.seen == 2:
            raise RuntimeError("a bug in an interceptor")

    def after(self, exchange: Exchange) -> None:
        assert exchange.peer.startswith("127.")


def test_interceptors_see_datagrams_too() -> None:
    async def scene() -> None:
        async with serving() as node:
            node.service.chain = build_chain([Stumbling()])
            assert (await ask(HOST, node.port, frame(0x63), frame(0x63), frame(0x04)))[:2] == b"\x04\0"
            assert node.metrics.bugs == 1

    asyncio.run(scene())


def test_replies_that_wait_are_not_sent_after_the_end() -> None:
    async def scene() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            async with serving() as node:
                node.service.chain = build_chain([even_delay(0.05)])
                sock.sendto(frame(0x63), (HOST, node.port))
                await eventually(lambda: node.metrics.requests == 1)
            await asyncio.sleep(0.1)
            with pytest.raises(BlockingIOError):
                sock.recv(2000)

    asyncio.run(scene())


def test_a_flood_of_delayed_replies_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datagrams, "MAX_WAITING", 3)

    async def scene() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            async with serving() as node:
                node.service.chain = build_chain([even_delay(0.05)])
                for _ in range(10):
                    sock.sendto(frame(0x63), (HOST, node.port))
                await eventually(lambda: node.metrics.requests == 10)
                await asyncio.sleep(0.2)
                for _ in range(3):
                    assert sock.recv(2000)[:2] == b"\x63\0"
                with pytest.raises(BlockingIOError):
                    sock.recv(2000)

    asyncio.run(scene())
