"""EtherNet/IP on a real socket: segments, bugs, interceptors, and the end of a connection."""

import asyncio
import logging

import pytest

from node.cip.types import DINT
from node.exchange.delay import even_delay
from node.exchange.exchange import CLOSE, DROP, Chain, Exchange, build_chain
from node.exchange.printing import Printer
from node.memory.attribute import Attribute
from tests.enip.test_target import ANSWER, ONE, frame, rr
from tests.objects.devices import name, request
from tests.server.serving import HOST, serving
from tests.waiting import eventually

pytestmark = pytest.mark.net


def test_a_read() -> None:
    async def scene() -> None:
        async with serving() as node:
            client = await node.connect()
            handle = await client.register()
            assert await client.ask(rr(ONE, handle)) == rr(ANSWER, handle)
            await client.close()
            metrics = node.metrics
            assert (metrics.requests, metrics.errors, metrics.bugs, sum(metrics.latency)) == (2, 0, 0, 2)
            assert (metrics.bytes_in, metrics.bytes_out) == (28 + 50, 28 + 50)
            assert [reply for _, _, reply, _ in metrics.ring][1] == rr(ANSWER, handle)

    asyncio.run(scene())


@pytest.mark.parametrize("piece", [1, 7, 24, 40, 1000])
def test_frames_split_and_joined_at_will(piece: int) -> None:
    async def scene() -> None:
        async with serving() as node:
            client = await node.connect()
            handle = await client.register()
            data = rr(ONE, handle) * 5
            for start in range(0, len(data), piece):
                client.writer.write(data[start : start + piece])
                await client.writer.drain()
                await asyncio.sleep(0)
            assert b"".join([await client.frame() for _ in range(5)]) == rr(ANSWER, handle) * 5
            await client.close()

    asyncio.run(scene())


def test_the_address_in_the_identity_is_the_one_that_was_dialled() -> None:
    async def scene(host: str, wanted: str) -> None:
        async with serving(host=host) as node:
            client = await node.connect()
            reply = await client.ask(frame(0x63))
            assert reply[36:40] == bytes(int(part) for part in wanted.split("."))
            assert int.from_bytes(reply[34:36], "big") == node.port
            await client.close()

    asyncio.run(scene(HOST, HOST))
    asyncio.run(scene("", "127.0.0.1"))


def test_unregistering_ends_the_connection_after_the_replies() -> None:
    async def scene() -> None:
        async with serving() as node:
            client = await node.connect()
            handle = await client.register()
            reply = await client.ask(rr(ONE, handle) + frame(0x66, "", handle) + rr(ONE, handle))
            assert reply == rr(ANSWER, handle)
            assert await client.ended()
            await client.close()

    asyncio.run(scene())


class Weather:
    """A source with a bug."""

    refuses = False

    def fill(self, attribute: Attribute, now: float, start: int, stop: int) -> None:
        raise RuntimeError("no weather today")

    def wrote(self, attribute: Attribute, now: float, start: int, stop: int) -> None:
        """Nothing."""


def test_a_bug_is_answered_and_the_node_lives(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        async with serving() as node:
            weather = Attribute(DINT)
            weather.source = Weather()
            node.device.router.tags.add("WEATHER", weather)
            client = await node.connect()
            handle = await client.register()
            broken = request(0x4C, name("WEATHER"), "0100")
            for _ in range(2):
                assert await client.ask(rr(broken, handle)) == rr("cc001f00", handle)
            node.service.chain = build_chain([Printer(lambda line: None)])
            assert await client.ask(rr(broken, handle)) == rr("cc001f00", handle)
            assert await client.ask(rr(ONE, handle)) == rr(ANSWER, handle)
            await client.close()
            assert node.metrics.bugs == 3

    with caplog.at_level(logging.ERROR):
        asyncio.run(scene())
    (record,) = caplog.records
    assert record.message.startswith("bug while serving frame 6f001e00")
    assert record.message.endswith(request(0x4C, name("WEATHER"), "0100").hex())


class Fate:
    """Does to the second request what it is told."""

    def __init__(self, action: str, broken: bool = False) -> None:
        self.action = action
        self.broken = broken
        self.seen = 0

    def before(self, exchange: Exchange) -> None:
        self.seen += 1
        if self.seen == 2:
            exchange.action = self.action
            if self.broken:
                raise RuntimeError("a broken interceptor")

    def after(self, exchange: Exchange) -> None:
        assert exchange.peer.startswith("127.")


def test_interceptors_decide_what_becomes_of_a_reply() -> None:
    async def scene() -> None:
        async with serving() as node:
            client = await node.connect()
            handle = await client.register()
            node.service.chain = Chain([Fate(DROP)])
            assert await client.ask(rr(ONE, handle) * 3, replies=2) == rr(ANSWER, handle) * 2
            node.service.chain = Chain([Fate(CLOSE)])
            assert await client.ask(rr(ONE, handle) * 3) == rr(ANSWER, handle)
            assert await client.ended()
            await client.close()

    asyncio.run(scene())


def test_a_broken_interceptor_is_a_bug(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        async with serving() as node:
            client = await node.connect()
            handle = await client.register()
            node.service.chain = Chain([Fate(DROP, broken=True)])
            replies = await client.ask(rr(ONE, handle) * 3, replies=3)
            assert replies == rr(ANSWER, handle) + rr("cc001f00", handle) + rr(ANSWER, handle)
            await client.close()
            assert node.metrics.bugs == 1

    asyncio.run(scene())
    assert len(caplog.records) == 1


def test_delayed_replies_keep_their_order() -> None:
    async def scene() -> None:
        async with serving() as node:
            client = await node.connect()
            handle = await client.register()
            node.service.chain = build_chain([even_delay(0.02)])
            client.writer.write(rr(ONE, handle) * 2)
            await eventually(lambda: node.metrics.requests == 3)
            node.service.chain = None
            client.writer.write(frame(0x04))
            client.writer.write_eof()
            await eventually(lambda: node.metrics.requests == 4)
            node.clock.now += 1
            assert await client.frame() == rr(ANSWER, handle)
            assert await client.frame() == rr(ANSWER, handle)
            assert (await client.frame())[:2] == b"\x04\0"
            assert await client.ended()
            await client.close()

    asyncio.run(scene())


def test_a_closed_connection_takes_its_cip_connections() -> None:
    async def scene() -> None:
        async with serving() as node:
            client = await node.connect()
            handle = await client.register()
            data = "0a0e 00000000 44332211 0700 3713 2a000000 03000000 80841e00 f443 80841e00 f443 a3 02 2002 2401"
            assert (await client.ask(rr(request(0x54, "20062401", data), handle)))[42] == 0
            assert len(node.device.connections) == 1
            await client.close()
            await eventually(lambda: len(node.device.connections) == 0)
            assert node.metrics.connections == 0

    asyncio.run(scene())


def test_a_silent_cip_connection_times_out() -> None:
    async def scene() -> None:
        async with serving() as node:
            client = await node.connect()
            handle = await client.register()
            data = "0a0e 00000000 44332211 0700 3713 2a000000 00000000 80841e00 f443 80841e00 f443 a3 02 2002 2401"
            await client.ask(rr(request(0x54, "20062401", data), handle))
            node.clock.now += 11
            await eventually(lambda: len(node.device.connections) == 0)
            assert await client.ask(rr(ONE, handle)) == rr(ANSWER, handle)
            await client.close()

    asyncio.run(scene())
