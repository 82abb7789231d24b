"""Modbus by datagrams: what is answered, and what is left alone."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from node.exchange.exchange import build_chain
from node.exchange.faults import Late, Lost, Picked, Refused
from node.modbus.adu import encode_adu
from node.server.listener import Listener
from node.server.modbus_tcp import ModbusService, ModbusTcp
from node.server.modbus_udp import ModbusUdp
from tests.server.lines import make_service

pytestmark = pytest.mark.net

HOST, CLIENT = "127.64.33.27", "127.64.33.28"
READ, TOLD = bytes.fromhex("03 0007 0001"), bytes.fromhex("03 02 0007")


@asynccontextmanager
async def serving(port: int = 0) -> AsyncIterator[tuple[ModbusService, Listener, socket.socket]]:
    loop = asyncio.get_running_loop()
    service = make_service()
    listener = Listener(
        HOST,
        0,
        lambda peers: ModbusTcp(peers, service),
        udp=lambda: ModbusUdp(service, listener.metrics, loop.time, listener.port),
    )
    await listener.open()
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.setblocking(False)
        client.bind((CLIENT, port))
        client.connect((HOST, listener.port))
        yield service, listener, client
    await listener.close()
    listener.ticker.stop()


async def ask(client: socket.socket, data: bytes, seconds: float = 5.0) -> bytes:
    """The datagram that answers `data`; b"" for none in that time."""
    loop = asyncio.get_running_loop()
    client.send(data)
    try:
        async with asyncio.timeout(seconds):
            return await loop.sock_recv(client, 4096)
    except TimeoutError:
        return b""


def test_a_frame_a_datagram_each_way() -> None:
    async def scenario() -> None:
        async with serving() as (_, listener, client):
            for number in range(3):
                assert await ask(client, encode_adu(number, 1, READ)) == encode_adu(number, 1, TOLD)
            assert await ask(client, encode_adu(4, 9, READ)) == encode_adu(4, 9, b"\x83\x0b")
            assert await ask(client, encode_adu(5, 1, b"\x41")) == encode_adu(5, 1, b"\xc1\x01")
            reader, writer = await asyncio.open_connection(HOST, listener.port)
            writer.write(encode_adu(6, 1, READ))
            assert await reader.readexactly(11) == encode_adu(6, 1, TOLD)
            writer.close()
            metrics = listener.metrics
            assert (metrics.requests, metrics.errors, metrics.bytes_out) == (6, 2, 11 * 4 + 9 * 2)
            assert metrics.ring[0][1:3] == (encode_adu(0, 1, READ), encode_adu(0, 1, TOLD))

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "data",
    [b"", b"\0", encode_adu(1, 1, READ)[:-1], encode_adu(1, 1, READ) * 2, b"\0\1\0\1" + encode_adu(1, 1, READ)[4:]],
)
def test_what_is_no_frame_is_left_alone(data: bytes) -> None:
    async def scenario() -> None:
        async with serving() as (_, listener, client):
            client.send(data)
            assert await ask(client, encode_adu(2, 1, READ)) == encode_adu(2, 1, TOLD)
            assert (listener.metrics.requests, listener.metrics.errors) == (2, 0)

    asyncio.run(scenario())


def test_what_another_server_sends_is_left_alone() -> None:
    """Its reply to a write is a request like any other, and ours would be one to it."""

    async def scenario() -> None:
        async with serving() as (service, listener, client):
            answering = ModbusUdp(service, listener.metrics, lambda: 1.0, 502)
            write = encode_adu(1, 1, bytes.fromhex("06 0001 0063"))
            assert answering.answer(write, (CLIENT, 502), HOST, False).reply is None
            assert answering.answer(write, (CLIENT, 5020), HOST, True).reply is None
            assert answering.answer(write, (CLIENT, 5020), HOST, False).reply == write
            assert client.getsockname()[1] != listener.port

    asyncio.run(scenario())


def test_faults() -> None:
    async def scenario() -> None:
        async with serving() as (service, _, client):
            loop = asyncio.get_running_loop()
            service.chain = build_chain([Lost(Picked())])
            assert await ask(client, encode_adu(1, 1, READ), 0.1) == b""
            service.chain = build_chain([Refused((0x02,))])
            assert await ask(client, encode_adu(2, 1, READ)) == encode_adu(2, 1, b"\x83\x06")
            service.chain = build_chain([Late(lambda _: 0.1)])
            began = loop.time()
            assert await ask(client, encode_adu(3, 1, READ)) == encode_adu(3, 1, TOLD)
            assert loop.time() - began >= 0.1

    asyncio.run(scenario())
