"""Delayed replies: those of one peer overlap and keep their order, nobody else waits, and they do not pile up."""

import asyncio
import time

import pytest

from node.exchange.delay import even_delay
from node.exchange.exchange import build_chain
from node.server import peer as peers
from tests.enip.test_target import ANSWER, ONE, frame, rr
from tests.server.serving import Client, Node, serving
from tests.waiting import eventually

pytestmark = pytest.mark.net

PIPELINED = 20


def numbered(handle: str, count: int) -> list[bytes]:
    """Requests told apart by their sender context."""
    return [rr(ONE, handle)[:12] + number.to_bytes(8, "little") + rr(ONE, handle)[20:] for number in range(count)]


def contexts(replies: list[bytes]) -> list[int]:
    return [int.from_bytes(reply[12:20], "little") for reply in replies]


async def slow(node: Node, low: float, high: float) -> None:
    """From now on replies wait, by the real clock."""
    node.listener.peers.clock = time.monotonic
    node.service.clock = time.monotonic
    node.service.chain = build_chain([even_delay(low, high)])


async def pipeline(client: Client, handle: str, count: int) -> tuple[float, list[bytes]]:
    """Seconds until all replies to requests that were sent at once are there, and the replies."""
    began = time.monotonic()
    client.writer.write(b"".join(numbered(handle, count)))
    replies = [await client.frame() for _ in range(count)]
    return time.monotonic() - began, replies


@pytest.mark.quiet
@pytest.mark.parametrize(("low", "high"), [(0.2, 0.2), (0.05, 0.3)])
def test_pipelined_requests_wait_together_and_in_order(low: float, high: float) -> None:
    async def scene() -> None:
        async with serving() as node:
            client = await node.connect()
            handle = await client.register()
            await slow(node, low, high)
            took, replies = await pipeline(client, handle, PIPELINED)
            assert low <= took < high + 0.5
            assert contexts(replies) == [*range(PIPELINED)]
            assert all(reply[24:] == rr(ANSWER, handle)[24:] for reply in replies)
            await client.close()

    asyncio.run(scene())


@pytest.mark.quiet
def test_requests_that_come_while_replies_wait_keep_their_place() -> None:
    async def scene() -> None:
        async with serving() as node:
            client = await node.connect()
            handle = await client.register()
            await slow(node, 0.1, 0.3)
            began = time.monotonic()
            for request in numbered(handle, 10):
                client.writer.write(request)
                await asyncio.sleep(0.01)
            node.service.chain = None
            client.writer.write(numbered(handle, 11)[-1])
            assert contexts([await client.frame() for _ in range(11)]) == [*range(11)]
            assert time.monotonic() - began < 1.0
            await client.close()

    asyncio.run(scene())


@pytest.mark.quiet
def test_others_are_not_held_up() -> None:
    async def scene() -> None:
        async with serving() as node:
            one, two = await node.connect(), await node.connect()
            handles = [await one.register(), await two.register()]
            await slow(node, 0.2, 0.2)
            both = await asyncio.gather(pipeline(one, handles[0], 200), pipeline(two, handles[1], 1))
            assert all(0.2 <= took < 0.7 for took, _ in both)
            assert contexts(both[0][1]) == [*range(200)]
            for client in (one, two):
                await client.close()

    asyncio.run(scene())


def test_a_peer_whose_replies_wait_is_read_no_further_than_they_may_pile_up() -> None:
    async def scene() -> None:
        async with serving() as node:
            client = await node.connect()
            handle = await client.register()
            node.service.chain = build_chain([even_delay(10.0)])
            total = 20 * peers.OUTBOX_LIMIT
            client.writer.write(b"".join(numbered(handle, total)))
            await eventually(lambda: node.metrics.requests > peers.OUTBOX_LIMIT)
            await asyncio.sleep(0.1)
            held = node.metrics.requests
            await asyncio.sleep(0.1)
            assert node.metrics.requests == held < peers.OUTBOX_LIMIT + peers.RECEIVE // len(rr(ONE, handle)) + 2
            node.clock.now += 6.0  # longer than a frame may take, but it is we who do not read its end
            await asyncio.sleep(0.05)
            assert len(node.listener.peers) == 1
            node.service.chain = build_chain([even_delay(0.0)])
            reading = asyncio.ensure_future(replies_of(client, total))
            while not reading.done():  # what was read before the delay ended waits its turn
                node.clock.now += 1.0  # less than a frame may take
                for peer in node.listener.peers:
                    peer._drain()
                await asyncio.sleep(0.001)
            assert contexts(await reading) == [*range(total)]
            await client.close()

    asyncio.run(scene())


async def replies_of(client: Client, count: int) -> list[bytes]:
    return [await client.frame() for _ in range(count)]


def test_the_end_of_a_connection_takes_its_waiting_replies_along() -> None:
    async def scene() -> None:
        async with serving() as node:
            client = await node.connect()
            handle = await client.register()
            await slow(node, 0.1, 0.1)
            client.writer.write(rr(ONE, handle) + frame(0x64))
            await eventually(lambda: node.metrics.requests == 3)
            client.writer.transport.abort()
            await eventually(lambda: len(node.listener.peers) == 0)
            await asyncio.sleep(0.2)
            assert node.metrics.bugs == 0

    asyncio.run(scene())
