"""Ports: binding, limits, deadlines, stopping and starting again."""

import asyncio
import socket
from pathlib import Path

import pytest

from node.exchange.delay import even_delay
from node.exchange.exchange import build_chain
from node.server import peer as peers
from node.server.listener import Listener, ListenError
from tests.enip.test_target import ANSWER, ONE, frame, rr
from tests.server.serving import HOST, Node, serving
from tests.waiting import eventually

pytestmark = pytest.mark.net


def test_a_port_in_use_is_named() -> None:
    async def scene() -> None:
        async with serving() as node:
            other = Node(port=node.port)
            with pytest.raises(ListenError, match=rf"{HOST}:{node.port}: address in use"):
                await other.listener.open()
            assert not other.listener.listening

    asyncio.run(scene())


def test_a_udp_port_in_use_leaves_no_tcp_port_behind() -> None:
    async def scene() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind((HOST, 0))
            port = taken.getsockname()[1]
            with pytest.raises(ListenError, match="UDP"):
                await Node(port=port).listener.open()
        with socket.socket() as free:
            free.bind((HOST, port))

    asyncio.run(scene())


def test_an_address_of_another_machine() -> None:
    with pytest.raises(ListenError, match="no such address"):
        asyncio.run(Node(host="192.0.2.1").listener.open())


def test_both_protocols_get_the_same_free_port() -> None:
    async def scene() -> None:
        async with serving() as node:
            assert node.port
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, pytest.raises(OSError):
                sock.bind((HOST, node.port))

    asyncio.run(scene())


def test_closing_ends_connections_and_opening_serves_the_same_port() -> None:
    async def scene() -> None:
        async with serving() as node:
            port = node.port
            client = await node.connect()
            await client.register()
            await node.listener.close()
            assert not node.listener.listening
            assert await client.ended()
            with pytest.raises(ConnectionRefusedError):
                await node.connect()
            await node.listener.open()
            await node.listener.open()
            assert node.port == port
            again = await node.connect()
            handle = await again.register()
            assert await again.ask(rr(ONE, handle)) == rr(ANSWER, handle)
            assert node.metrics.connections == 1
            await again.close()
            await client.close()

    asyncio.run(scene())


def test_a_frame_that_does_not_end_in_time_closes_its_connection_only() -> None:
    async def scene() -> None:
        async with serving() as node:
            slow, good = await node.connect(), await node.connect()
            handle = await good.register()
            slow.writer.write(frame(0x63)[:10])
            await eventually(lambda: any(peer.partial_since for peer in node.listener.peers))
            node.clock.now += 4.9
            slow.writer.write(frame(0x63)[10:12])
            await eventually(lambda: node.metrics.bytes_in == 28 + 12)
            assert len(node.listener.peers) == 2
            node.clock.now += 0.2
            assert await slow.ended()
            assert await good.ask(rr(ONE, handle)) == rr(ANSWER, handle)
            assert node.metrics.timeouts == 1
            await slow.close()
            await good.close()

    asyncio.run(scene())


def test_the_deadline_begins_anew_with_each_frame() -> None:
    async def scene() -> None:
        async with serving() as node:
            client = await node.connect()
            data = frame(0x64)
            client.writer.write(data[:5])
            for _ in range(4):
                await eventually(lambda: any(peer.partial_since == node.clock.now for peer in node.listener.peers))
                node.clock.now += 3
                assert (await client.ask(data[5:] + data[:5]))[:2] == b"\x64\0"
            await client.ask(data[5:])
            await eventually(lambda: all(not peer.partial_since for peer in node.listener.peers))
            node.clock.now += 1000
            assert (await client.ask(data))[:2] == b"\x64\0"
            await client.close()

    asyncio.run(scene())


def test_an_idle_connection_ends_only_where_that_is_wanted() -> None:
    async def scene(idle: float, ends: bool) -> None:
        async with serving(idle=idle) as node:
            client = await node.connect()
            await client.register()
            node.clock.now += 121
            if ends:
                assert await client.ended()
            else:
                assert (await client.ask(frame(0x64)))[:2] == b"\x64\0"
            await client.close()

    asyncio.run(scene(120.0, True))
    asyncio.run(scene(0.0, False))


def test_who_waits_for_a_slow_reply_is_not_idle() -> None:
    async def scene() -> None:
        async with serving(idle=120.0) as node:
            client = await node.connect()
            await client.register()
            node.service.chain = build_chain([even_delay(200.0)])
            client.writer.write(frame(0x64))
            await eventually(lambda: node.metrics.requests == 2)
            node.clock.now += 150
            await asyncio.sleep(0.05)
            assert (node.metrics.timeouts, node.metrics.connections) == (0, 1)
            node.clock.now += 50
            for peer in node.listener.peers:
                peer._drain()
            assert (await client.frame())[:2] == b"\x64\0"
            assert await client.ended(), "now it is"
            assert node.metrics.timeouts == 1
            await client.close()

    asyncio.run(scene())


def test_at_the_cap_a_new_one_is_refused_while_all_are_busy() -> None:
    async def scene() -> None:
        async with serving(limit=2) as node:
            clients = [await node.connect() for _ in range(2)]
            handles = [await client.register() for client in clients]
            refused = await node.connect()
            assert await refused.ended()
            for client, handle in zip(clients, handles, strict=True):
                assert await client.ask(rr(ONE, handle)) == rr(ANSWER, handle)
            assert (node.metrics.refused, node.metrics.evicted, node.metrics.connections) == (1, 0, 2)
            for client in (*clients, refused):
                await client.close()

    asyncio.run(scene())


def test_at_the_cap_the_one_longest_idle_makes_room() -> None:
    async def scene() -> None:
        async with serving(limit=2) as node:
            idle, busy = await node.connect(), await node.connect()
            await idle.register()
            node.clock.now += peers.IDLE_BEFORE_EVICTION + 1
            await busy.register()
            new = await node.connect()
            assert await idle.ended()
            handle = await new.register()
            assert await new.ask(rr(ONE, handle)) == rr(ANSWER, handle)
            assert (node.metrics.refused, node.metrics.evicted, node.metrics.connections) == (0, 1, 2)
            for client in (idle, busy, new):
                await client.close()

    asyncio.run(scene())


def test_a_peer_that_reads_nothing_is_not_read_and_ends() -> None:
    async def scene() -> None:
        async with serving() as node:
            client = await node.connect()
            handle = await client.register()
            client.writer.transport.pause_reading()
            peer = next(iter(node.listener.peers))
            while not peer.unread_since:
                client.writer.write(rr(ONE, handle) * 1000)
                await asyncio.sleep(0)
            requests = node.metrics.requests
            client.writer.write(rr(ONE, handle) * 1000)
            await asyncio.sleep(0.05)
            assert node.metrics.requests == requests
            node.clock.now += peers.UNREAD_LIMIT + 1
            await eventually(lambda: len(node.listener.peers) == 0)
            client.writer.transport.abort()

    asyncio.run(scene())


def descriptors() -> int:
    """How many this process has open; 0 where there is no /proc."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def test_a_thousand_connections_leave_nothing_behind() -> None:
    async def scene() -> None:
        async with serving(limit=2000) as node:
            before = descriptors()
            for _ in range(10):
                clients = [await node.connect() for _ in range(100)]
                await asyncio.gather(*[client.close() for client in clients])
            await eventually(lambda: node.metrics.connections == 0)
            assert node.metrics.connections_total == 1000
            assert len(node.listener.peers) == 0
            assert descriptors() <= before + 2

    asyncio.run(scene())


def test_an_idle_node_has_no_timer() -> None:
    async def scene() -> None:
        async with serving() as node:
            client = await node.connect()
            await client.register()
            assert node.listener.ticker.running
            await client.close()
            await eventually(lambda: not node.listener.ticker.running)

    asyncio.run(scene())


def test_a_listener_without_protocols_opens_nothing() -> None:
    async def scene() -> None:
        listener = Listener(HOST, 0)
        await listener.open()
        assert not listener.listening

    asyncio.run(scene())
