"""Modbus over real sockets: segments, cut frames, what is skipped and what closes, bugs, chains."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from node.cip.types import UINT
from node.exchange.delay import even_delay
from node.exchange.exchange import DROP, Exchange, build_chain
from node.exchange.printing import Printer
from node.memory.attribute import Attribute, Instant
from node.modbus.adu import encode_adu
from node.modbus.bank import RegisterBank
from node.modbus.unit import Unit
from node.modbus.units import Units
from node.server.listener import Listener
from node.server.modbus_tcp import ModbusService, ModbusTcp
from tests.waiting import eventually

pytestmark = pytest.mark.net

HOST = "127.64.33.21"


class Counter:
    """A source that shows how often it was asked, and when."""

    refuses = False

    def __init__(self) -> None:
        self.instants: list[float] = []

    def fill(self, attribute: Attribute, now: float, start: int, stop: int) -> None:
        self.instants.append(now)
        if now < 0:
            raise ZeroDivisionError("a bug in a source")

    def wrote(self, attribute: Attribute, now: float, start: int, stop: int) -> None:
        self.instants.append(now)


@dataclass
class Served:
    """A device with register A = A for 0 to 99, and its clock."""

    words: Attribute = field(default_factory=lambda: Attribute(UINT, (100,), list(range(100)), "words"))
    moving: Attribute = field(default_factory=lambda: Attribute(UINT, (4,), 5, "moving"))
    now: float = 1.0
    service: ModbusService = field(init=False)
    listener: Listener = field(init=False)

    def __post_init__(self) -> None:
        bank = RegisterBank()
        bank.add("holding", 0, 100, self.words)
        bank.add("input", 0, 4, self.moving)
        self.service = ModbusService(Units({1: Unit(bank)}), Instant())
        self.listener = Listener(HOST, 0, lambda peers: ModbusTcp(peers, self.service), clock=lambda: self.now)


@dataclass
class Wire:
    """A raw connection to it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, data: bytes, size: int) -> bytes:
        """Sends `data`, and gives the next `size` bytes."""
        self.writer.write(data)
        return await asyncio.wait_for(self.reader.readexactly(size), 5)

    async def closed(self) -> bytes:
        """What still comes before the other side closes."""
        return await asyncio.wait_for(self.reader.read(), 5)


@asynccontextmanager
async def serving(device: Served) -> AsyncIterator[Wire]:
    await device.listener.open()
    try:
        reader, writer = await asyncio.open_connection(HOST, device.listener.port)
        try:
            yield Wire(reader, writer)
        finally:
            writer.close()
    finally:
        await device.listener.close()
        device.listener.ticker.stop()


def read(address: int, transaction: int = 1, function: int = 3, unit: int = 1) -> bytes:
    """A frame that reads one register."""
    return encode_adu(transaction, unit, bytes((function, 0, address, 0, 1)))


def answer(value: int, transaction: int = 1, function: int = 3) -> bytes:
    """Its reply."""
    return encode_adu(transaction, 1, bytes((function, 2, value >> 8, value & 0xFF)))


def test_every_request_of_a_segment_is_answered_in_order() -> None:
    async def scenario() -> None:
        device = Served()
        async with serving(device) as wire:
            for _ in range(2):  # the first time around prepares the reads, the second finds them
                frames = [read(k % 100, k) for k in range(500)]
                wanted = b"".join(answer(k % 100, k) for k in range(500))
                assert await wire.ask(b"".join(frames), len(wanted)) == wanted
            metrics = device.listener.metrics
            assert (metrics.requests, metrics.errors, metrics.bugs) == (1000, 0, 0)
            assert (metrics.bytes_in, metrics.bytes_out) == (12 * 1000, 11 * 1000)
            assert metrics.ring[-1][:3] == (1.0, read(99, 499), answer(99, 499))
            assert sum(metrics.latency) == 1000

    asyncio.run(scenario())


def test_reads_writes_and_faults_together() -> None:
    async def scenario() -> None:
        device = Served()
        async with serving(device) as wire:
            write = encode_adu(2, 1, bytes.fromhex("06 0001 0063"))
            segment = read(1, 1) + write + read(1, 3) + encode_adu(4, 1, b"\x09") + read(200, 5) + read(1, 6, 3, 9)
            wanted = answer(1, 1) + write + answer(99, 3) + encode_adu(4, 1, b"\x89\x01")
            wanted += encode_adu(5, 1, b"\x83\x02") + encode_adu(6, 9, b"\x83\x0b")
            assert await wire.ask(segment, len(wanted)) == wanted
            assert (device.listener.metrics.requests, device.listener.metrics.errors) == (6, 3)

    asyncio.run(scenario())


def test_a_segment_with_a_read_that_is_known_and_one_that_is_not_counts_each_once() -> None:
    async def scenario() -> None:
        device = Served()
        async with serving(device) as wire:
            assert await wire.ask(read(1, 1), 11) == answer(1, 1)
            assert await wire.ask(read(1, 2) + read(2, 3), 22) == answer(1, 2) + answer(2, 3)
            count = encode_adu(4, 1, bytes.fromhex("0B"))
            assert await wire.ask(count, 12) == encode_adu(4, 1, bytes.fromhex("0B 0000 0003"))

    asyncio.run(scenario())


def test_frames_cut_anywhere() -> None:
    async def scenario() -> None:
        device = Served()
        async with serving(device) as wire:
            await wire.ask(read(7), 11)
            frames = read(7, 2) + read(8, 3)
            for cut in range(1, len(frames)):
                wire.writer.write(frames[:cut])
                await wire.writer.drain()
                if cut >= 12:
                    assert await wire.ask(b"", 11) == answer(7, 2)
                    assert await wire.ask(frames[cut:], 11) == answer(8, 3)
                else:
                    assert await wire.ask(frames[cut:], 22) == answer(7, 2) + answer(8, 3)
            peer = next(iter(device.listener.peers))
            assert peer.partial_since == 0

    asyncio.run(scenario())


def test_the_deadline_runs_from_the_first_byte_of_a_frame() -> None:
    async def scenario() -> None:
        device = Served()
        peers = device.listener.peers
        async with serving(device) as wire:
            assert await wire.ask(read(7) + read(8)[:5], 11) == answer(7)
            (peer,) = peers
            await eventually(lambda: peer.partial_since == 1.0)
            device.now = 5.9
            peers.sweep(device.now, 5.0, 0.0)
            assert await wire.ask(read(8)[5:] + read(9)[:1], 11) == answer(8)
            await eventually(lambda: peer.partial_since == 5.9)
            device.now = 10.8
            wire.writer.write(read(9)[1:6])
            await eventually(lambda: peer.last_seen == 10.8)
            assert peer.partial_since == 5.9
            peers.sweep(device.now, 5.0, 0.0)
            assert not peer.transport.is_closing()
            peers.sweep(11.0, 5.0, 0.0)
            assert await wire.closed() == b""
            assert device.listener.metrics.timeouts == 1

    asyncio.run(scenario())


def test_another_protocol_is_skipped_and_a_bad_length_closes() -> None:
    async def scenario() -> None:
        device = Served()
        async with serving(device) as wire:
            foreign = read(7)[:2] + b"\x00\x01" + read(7)[4:]
            assert await wire.ask(foreign + read(8), 11) == answer(8)
            wire.writer.write(read(9) + b"\0\1\0\0\1\1\1" + read(9))
            assert await wire.closed() == answer(9)
            assert device.listener.metrics.errors == 1

    asyncio.run(scenario())


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\0\1\0\0\xff\xff", b"\0\1\0\0\0\1\1"])
def test_what_is_no_modbus_is_closed_at_once(data: bytes) -> None:
    async def scenario() -> None:
        async with serving(Served()) as wire:
            wire.writer.write(data)
            assert await wire.closed() == b""

    asyncio.run(scenario())


def test_one_segment_sees_one_instant() -> None:
    async def scenario() -> None:
        device = Served(now=42.0)
        source = device.moving.source = Counter()
        async with serving(device) as wire:
            await wire.ask(read(0, 1, 4) + read(1, 2, 4), 22)
            device.now = 43.0
            await wire.ask(read(0, 3, 4), 11)
        assert source.instants == [42.0, 42.0, 43.0]
        assert device.service.instant.now == 43.0

    asyncio.run(scenario())


def test_a_bug_is_answered_counted_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        device = Served(now=1.0)
        device.moving.source = Counter()
        async with serving(device) as wire:
            assert await wire.ask(read(0, 1, 4), 11) == answer(5, 1, 4)
            device.now = -1.0
            for transaction in range(3):
                assert await wire.ask(read(0, transaction, 4), 9) == encode_adu(transaction, 1, b"\x84\x04")
            assert await wire.ask(read(7), 11) == answer(7)
            assert device.listener.metrics.bugs == 3
            assert device.listener.metrics.errors == 3

    asyncio.run(scenario())
    assert [record.message for record in caplog.records] == [f"bug while serving frame {read(0, 0, 4).hex()}"]


def test_a_delayed_reply_is_not_overtaken() -> None:
    async def scenario() -> None:
        device = Served()
        device.listener = Listener(HOST, 0, lambda peers: ModbusTcp(peers, device.service))
        async with serving(device) as wire:
            await wire.ask(read(7), 11)
            device.service.chain = build_chain([even_delay(0.01, 0.03, seed=3)])
            frames = [read(k, k) for k in range(20)]
            assert await wire.ask(b"".join(frames), 220) == b"".join(answer(k, k) for k in range(20))
            wire.writer.write(read(7) + b"\0\1\0\0\1\1")
            assert await wire.closed() == answer(7)

    asyncio.run(scenario())


def test_a_delayed_reply_is_not_overtaken_when_delays_end() -> None:
    async def scenario() -> None:
        device = Served()
        device.listener = Listener(HOST, 0, lambda peers: ModbusTcp(peers, device.service))
        async with serving(device) as wire:
            device.service.chain = build_chain([even_delay(0.05)])
            wire.writer.write(read(1, 1))
            await eventually(lambda: device.listener.metrics.requests == 1)
            device.service.chain = None
            assert await wire.ask(read(2, 2), 22) == answer(1, 1) + answer(2, 2)

    asyncio.run(scenario())


def test_printing_sees_the_accesses() -> None:
    lines: list[str] = []

    async def scenario() -> None:
        device = Served()
        async with serving(device) as wire:
            device.service.chain = build_chain([Printer(lines.append)])
            await wire.ask(read(7), 11)
            await wire.ask(encode_adu(1, 1, bytes.fromhex("10 0001 0002 04 0009 000A")), 12)

    asyncio.run(scenario())
    assert lines == ["words[7] == [7]", "words[1-2] <= [9, 10]"]


class Dropping:
    """Drops the first exchange, and stumbles over the second."""

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


def test_an_interceptor_may_drop_and_may_fail() -> None:
    async def scenario() -> None:
        device = Served()
        device.service.chain = build_chain([Dropping()])
        async with serving(device) as wire:
            wanted = encode_adu(2, 1, b"\x83\x04") + answer(7, 3)
            assert await wire.ask(read(7, 1) + read(7, 2) + read(7, 3), len(wanted)) == wanted
            assert device.listener.metrics.bugs == 1

    asyncio.run(scenario())
