"""Frames of a line in TCP: in order, behind noise, after silences; what is no Modbus is closed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from node.exchange.delay import even_delay
from node.exchange.exchange import build_chain
from node.exchange.faults import Cut, Picked, Reset, Spoilt
from node.modbus.ascii import encode_ascii
from node.modbus.rtu import crc16, encode_rtu
from node.server.listener import Listener
from node.server.modbus_line_tcp import ModbusLineTcp
from node.server.modbus_tcp import ModbusService
from tests.server.lines import answer, make_service, read
from tests.server.test_modbus_tcp import Wire

pytestmark = pytest.mark.net

HOST = "127.64.33.26"


@asynccontextmanager
async def serving(framing: str = "rtu") -> AsyncIterator[tuple[ModbusService, Listener, Wire]]:
    service = make_service()
    listener = Listener(HOST, 0, lambda peers: ModbusLineTcp(peers, service, framing))
    await listener.open()
    try:
        reader, writer = await asyncio.open_connection(HOST, listener.port)
        try:
            yield service, listener, Wire(reader, writer)
        finally:
            writer.close()
    finally:
        await listener.close()
        listener.ticker.stop()


def test_all_of_a_segment_in_order_and_none_for_others() -> None:
    async def scenario() -> None:
        async with serving() as (_, listener, wire):
            frames = [read(k % 100, (1, 100)[k % 2]) for k in range(300)]
            wanted = b"".join(answer(k % 100, station=(1, 100)[k % 2]) for k in range(300))
            assert (
                await wire.ask(read(1, 9) + encode_rtu(0, bytes.fromhex("06 0001 0001")) + b"".join(frames), 2100)
                == wanted
            )
            (peer,) = listener.peers
            assert (peer.requests, listener.metrics.requests, listener.metrics.bytes_out) == (302, 302, 2100)

    asyncio.run(scenario())


def test_frames_cut_anywhere_and_noise_between() -> None:
    async def scenario() -> None:
        async with serving() as (_, _, wire):
            for cut in range(1, 8):
                wire.writer.write(b"\x00\xff" + read(7)[:cut])
                await asyncio.sleep(0.005)
                assert await wire.ask(read(7)[cut:], 7) == answer(7)
            wire.writer.write(read(7)[:4])
            await asyncio.sleep(0.3)
            assert await wire.ask(read(8), 7) == answer(8)
            assert await wire.ask(b"\x01\x10\x00\x00\x00\x7b\xf6" + read(9), 7) == answer(9)

    asyncio.run(scenario())


def test_a_function_that_nobody_knows_is_refused_when_the_line_is_silent() -> None:
    async def scenario() -> None:
        async with serving() as (_, listener, wire):
            assert await wire.ask(encode_rtu(1, b"\x5a\1\2\3"), 5) == encode_rtu(1, b"\xda\x01")
            (peer,) = listener.peers
            assert (peer.requests, peer.errors, listener.metrics.errors) == (1, 1, 1)

    asyncio.run(scenario())


def test_ascii() -> None:
    async def scenario() -> None:
        async with serving("ascii") as (_, _, wire):
            asked = encode_ascii(1, bytes.fromhex("03 0007 0001"))
            assert await wire.ask(b"?" + asked[:9], 0) == b""
            assert await wire.ask(asked[9:], 15) == encode_ascii(1, bytes.fromhex("03 02 0007"))

    asyncio.run(scenario())


@pytest.mark.parametrize("noise", [b"GET / HTTP/1.1\r\n" * 100, b"\x03\x03\xfb" * 20_000, bytes(70_000)])
def test_what_is_no_modbus_is_closed(noise: bytes) -> None:
    async def scenario() -> None:
        async with serving() as (_, listener, wire):
            wire.writer.write(noise)
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await wire.closed()
                await wire.ask(b"", 1)
            assert listener.metrics.errors == 1
            assert listener.metrics.requests == 0

    asyncio.run(scenario())


def test_delays_keep_order_and_faults_end_connections() -> None:
    async def scenario() -> None:
        async with serving() as (service, _, wire):
            service.chain = build_chain([even_delay(0.01, 0.03, seed=3)])
            assert await wire.ask(b"".join(read(k) for k in range(20)), 140) == b"".join(map(answer, range(20)))
            service.chain = build_chain([Spoilt(Picked(), 7)])
            assert crc16(await wire.ask(read(1), 7))
            service.chain = build_chain([Cut(Picked())])
            wire.writer.write(read(1) + read(2))
            assert answer(1).startswith(await wire.closed())
        async with serving() as (service, _, wire):
            service.chain = build_chain([Reset(1)])
            assert await wire.ask(read(1), 7) == answer(1)
            wire.writer.write(read(1))
            with pytest.raises(ConnectionResetError):
                await wire.closed()

    asyncio.run(scenario())
