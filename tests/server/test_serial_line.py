"""A node on a serial line: noise, halves of frames, others' frames, broadcasts, spoilt bytes, a device that goes."""

import asyncio
import os
import random
import termios
from pathlib import Path

import pytest

from node.capture.tap import Capture
from node.config.model import SerialConfig
from node.exchange.delay import even_delay
from node.exchange.exchange import DROP, Exchange, build_chain
from node.exchange.faults import Cut, Lost, Picked, Refused, Spoilt
from node.modbus.ascii import encode_ascii
from node.modbus.rtu import crc16, decode_rtu, encode_rtu
from node.server import serial_line
from node.server.listener import Listener, ListenError
from node.server.serial_line import SerialLine
from tests.server.lines import STATIONS, Master, answer, device_of, make_service, open_master, read, serving
from tests.waiting import eventually

ECHO = encode_rtu(1, bytes.fromhex("08 0000 A5 37"))
WRITE = bytes.fromhex("06 0005 1234")


def diagnostics(sub: int, station: int = 1) -> bytes:
    """A request for one count."""
    return encode_rtu(station, bytes((8, 0, sub, 0, 0)))


def test_requests_of_both_stations_and_whatever_else_is_on_the_line() -> None:
    async def scenario() -> None:
        async with serving() as node:
            master = node.master
            for station in STATIONS:
                assert await master.ask(read(7, station, 2), 9) == answer(7, 8, station=station)
            assert await master.ask(read(200), 5) == encode_rtu(1, b"\x83\x02")
            assert await master.ask(encode_rtu(1, b"\x41\x01"), 5) == encode_rtu(1, b"\xc1\x01")
            # Of a station elsewhere neither its request nor its answer is answered, nor is what is for everybody.
            master.send(read(7, 9, 2) + answer(1, 2, station=9) + encode_rtu(0, WRITE))
            assert await master.ask(read(5), 7) == answer(0x1234)
            assert (node.metrics.requests, node.metrics.errors, node.metrics.bugs) == (7, 2, 0)
            assert await master.receive(1, 0.1) == b""
            assert node.metrics.bytes_out == 9 + 9 + 5 + 5 + 7

    asyncio.run(scenario())


def test_a_frame_in_pieces() -> None:
    async def scenario() -> None:
        async with serving() as node:
            for piece in (read(7)[:1], read(7)[1:5], read(7)[5:7]):
                node.master.send(piece)
                await asyncio.sleep(0.002)
            assert await node.master.ask(read(7)[7:] + read(8)[:3], 7) == answer(7)

    asyncio.run(scenario())


@pytest.mark.parametrize("station", STATIONS)
@pytest.mark.parametrize(("baud", "count"), [(115200, 500), (19200, 500), (1200, 30)])
def test_requests_behind_noise_are_all_answered(baud: int, count: int, station: int) -> None:
    async def scenario() -> None:
        chance = random.Random(station)
        async with serving(config=SerialConfig(baud=baud, pty=True)) as node:
            for number in range(count):
                address = number % 100
                noise = chance.randbytes(chance.randint(1, 5))
                assert await node.master.ask(noise + read(address, station), 7) == answer(address, station=station)
            assert node.master.received == b""
            # Behind the same noise it heard each of them spoilt, which its own counter knows.
            reply = await node.master.ask(diagnostics(12, station), 8)
            assert 0.8 * count < int.from_bytes(reply[4:6], "big") <= count

    asyncio.run(scenario())


@pytest.mark.parametrize("baud", [1200, 9600, 19200, 115200])
def test_half_a_frame_and_silence_cost_nothing(baud: int) -> None:
    """The third of the halves says of itself that it is longer than all that follows, so silence alone ends it, which
    at 1200 baud is longer than 30 ms."""
    pdus = ("03 0007 0001", "10 0000 0002 04 0001 0002", "10 0000 007B F6" + "00" * 246)
    halves = [encode_rtu(1, bytes.fromhex(pdu)) for pdu in pdus]

    async def scenario() -> None:
        async with serving(config=SerialConfig(baud=baud, pty=True)) as node:
            for number in range(20):
                node.master.send(halves[number % 3][: 2 + number % 6])
                await asyncio.sleep(0.03)
                assert await node.master.ask(read(number), 7) == answer(number)

    asyncio.run(scenario())


@pytest.mark.slow
def test_with_one_byte_in_a_hundred_wrong_no_value_is() -> None:
    """Both ways for five seconds; what the master reads has its check, so it is right, and so is what it wrote."""

    async def scenario() -> None:
        chance = random.Random(3)

        def spoil(data: bytes) -> bytes:
            return bytes(byte ^ (chance.randrange(1, 256) if chance.random() < 0.01 else 0) for byte in data)

        async with serving() as node:
            loop, right, asked = asyncio.get_running_loop(), 0, 0
            over = loop.time() + 5
            while loop.time() < over:
                asked += 1
                address, station = chance.randrange(100), chance.choice(STATIONS)
                if asked % 2:
                    node.master.send(spoil(encode_rtu(station, bytes((6, 0, address, 0, address)))))
                    reply = spoil(await node.master.receive(8, 0.1))
                    wanted = encode_rtu(station, bytes((6, 0, address, 0, address)))
                else:
                    node.master.send(spoil(read(address, station)))
                    reply = spoil(await node.master.receive(7, 0.1))
                    wanted = answer(address, station=station)
                if reply and not crc16(reply):
                    assert reply == wanted
                    right += 1
                elif reply:
                    await node.master.receive(100, 0.05)
            assert right > asked * 0.6
            values = await node.master.ask(read(0, count=100), 205)
            assert values == answer(*range(100))
            assert node.metrics.bugs == 0

    asyncio.run(scenario())


def test_counts_of_the_line() -> None:
    async def scenario() -> None:
        async with serving() as node:
            master = node.master
            await master.ask(read(1), 7)
            await master.ask(read(1, 100), 7)
            master.send(encode_rtu(0, WRITE) + b"\xff\xff\xff")
            await asyncio.sleep(0.05)
            for sub, wanted in ((11, 4), (12, 1), (13, 0), (14, 6), (15, 1)):
                reply = await master.ask(diagnostics(sub), 8)
                assert decode_rtu(reply) == (1, bytes((8, 0, sub, 0, wanted)))
            assert await master.ask(ECHO, 8) == ECHO

    asyncio.run(scenario())


def test_one_that_is_told_to_listen_is_silent_until_it_restarts() -> None:
    async def scenario() -> None:
        async with serving() as node:
            restart = encode_rtu(1, bytes.fromhex("08 0001 0000"))
            node.master.send(diagnostics(4) + read(1) + restart)
            assert await node.master.ask(read(2), 7) == answer(2)
            assert await node.master.ask(restart, 8) == restart

    asyncio.run(scenario())


def test_ascii_and_its_other_end_of_frames() -> None:
    async def scenario() -> None:
        async with serving(config=SerialConfig(framing="ascii", format="7E1", pty=True)) as node:
            master = node.master
            asked, told = bytes.fromhex("03 0007 0001"), bytes.fromhex("03 02 0007")
            assert await master.ask(b"noise" + encode_ascii(1, asked), 15) == encode_ascii(1, told)
            change = encode_ascii(1, bytes.fromhex("08 0003 2400"))
            assert await master.ask(change, len(change)) == change
            assert await master.ask(encode_ascii(100, asked, 0x24), 15) == encode_ascii(100, told, 0x24)
            master.send(encode_ascii(1, asked))
            assert await master.ask(encode_ascii(1, asked, 0x24), 15) == encode_ascii(1, told, 0x24)

    asyncio.run(scenario())


def test_replies_wait_for_silence_and_for_delays_in_order() -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        async with serving(config=SerialConfig(baud=1200, pty=True)) as node:
            began = loop.time()
            await node.master.ask(read(1), 7)
            assert loop.time() - began >= 0.032
            node.service.chain = build_chain([even_delay(0.05)])
            began = loop.time()
            node.master.send(read(1))
            await asyncio.sleep(0.01)
            node.service.chain = None
            assert await node.master.ask(read(2), 14) == answer(1) + answer(2)
            assert loop.time() - began >= 0.08

    asyncio.run(scenario())


def test_faults_are_those_of_a_line() -> None:
    async def scenario() -> None:
        async with serving() as node:
            master = node.master
            node.service.chain = build_chain([Spoilt(Picked(seed=1), 7)])
            spoilt = await master.ask(read(7), 7)
            assert crc16(spoilt) and len(spoilt) == 7 and spoilt[-2:] == answer(7)[-2:]
            node.service.chain = build_chain([Cut(Picked())])
            cut = await _some(master, read(7))
            assert answer(7).startswith(cut) and 0 < len(cut) < 7
            node.service.chain = build_chain([Lost(Picked())])
            assert await _some(master, read(7)) == b""
            node.service.chain = build_chain([Refused((0x02,))])
            assert await master.ask(read(7), 5) == encode_rtu(1, b"\x83\x06")
            assert await _some(master, read(7, 9) + encode_rtu(0, WRITE)) == b""
            node.service.chain = None
            assert await master.ask(read(5), 7) == answer(5)

    asyncio.run(scenario())


async def _some(master: Master, request: bytes) -> bytes:
    master.send(request)
    return await master.receive(100, 0.1)


class Stumbling:
    """Drops the first exchange and fails at every other."""

    def __init__(self) -> None:
        self.seen = 0

    def before(self, exchange: Exchange) -> None:
        self.seen += 1
        if self.seen > 1:
            raise RuntimeError("a bug in an interceptor")
        exchange.action = DROP

    def after(self, exchange: Exchange) -> None:
        assert exchange.datagram


def test_a_bug_is_answered_and_only_to_whom_it_is_owed() -> None:
    async def scenario() -> None:
        async with serving() as node:
            node.service.chain = build_chain([Stumbling()])
            node.master.send(read(1) + read(1, 9) + encode_rtu(0, WRITE))
            assert await node.master.ask(read(1), 5) == encode_rtu(1, b"\x83\x04")
            assert node.metrics.bugs == 3

    asyncio.run(scenario())


def test_a_capture_shows_the_line_as_frames() -> None:
    async def scenario() -> list[tuple[float, bytes]]:
        loop = asyncio.get_running_loop()
        capture = Capture("127.0.0.1", loop.time, lambda: None)
        async with serving() as node:
            node.service.chain = build_chain([capture.tap(502)])
            await node.master.ask(read(7), 7)
            return capture.fetch(1 << 20)[0]

    asked, told = (frame for _, frame in asyncio.run(scenario()))
    assert asked.endswith(bytes.fromhex("0000 0000 0006 01 03 0007 0001"))
    assert told.endswith(bytes.fromhex("0000 0000 0005 01 03 02 0007"))


def test_a_line_nobody_reads_is_no_burden() -> None:
    async def scenario() -> None:
        async with serving() as node:
            asyncio.get_running_loop().remove_reader(node.master.descriptor)
            for _ in range(40):
                node.master.send(read(0, count=100) * 5)
                await asyncio.sleep(0.004)
            assert len(node.line._unsent) <= serial_line.UNSENT_LIMIT + 205
            termios.tcflush(node.master.descriptor, termios.TCIFLUSH)
            node.master.__post_init__()
            await node.master.receive(10_000, 0.3)
            assert (await node.master.ask(read(3), 7))[-7:] == answer(3)

    asyncio.run(scenario())


def test_a_device_that_goes_is_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(serial_line, "AGAIN", 0.02)

    async def scenario() -> None:
        other, path = device_of(tmp_path)
        master = Master(other)
        os.set_blocking(other, False)
        service = make_service()
        listener = Listener("127.0.0.1", 0)
        line = SerialLine(SerialConfig(path), service, listener.metrics, asyncio.get_running_loop().time)
        listener.line = line
        await listener.open()
        assert listener.listening and line.path == path
        assert await master.ask(read(1), 7) == answer(1)
        with pytest.raises(ListenError, match="in use"):
            SerialLine(SerialConfig(path), service, listener.metrics, lambda: 0.0).open()
        master.close()
        await eventually(lambda: not line.path)
        assert line.is_open
        other, path = device_of(tmp_path)
        os.set_blocking(other, False)
        master = Master(other)
        await eventually(lambda: bool(line.path))
        assert await master.ask(read(2), 7) == answer(2)
        await listener.close()
        assert not listener.listening and not line.is_open
        master.close()

    with caplog.at_level("INFO"):
        asyncio.run(scenario())
    assert [record.message.rpartition(": ")[2] for record in caplog.records][-1:] == ["the device is back"]


def test_a_line_that_is_held_stays_open_and_is_served_anew() -> None:
    async def scenario() -> None:
        service, listener = make_service(), Listener("127.0.0.1", 0)
        line = SerialLine(SerialConfig(pty=True), service, listener.metrics, asyncio.get_running_loop().time)
        listener.line = line
        line.hold()
        path = line.path
        master = open_master(path)
        assert not line.is_open
        master.send(read(1))
        assert await master.receive(1, 0.05) == b""
        for address in (2, 3):
            await listener.open()
            assert line.path == path
            assert await master.ask(read(address), 7) == answer(address)
            await listener.close()
            master.send(read(9))
            assert await master.receive(1, 0.05) == b""
        master.close()

    asyncio.run(scenario())


def test_a_link_leads_to_a_pseudo_terminal_and_goes_with_it(tmp_path: Path) -> None:
    link = tmp_path / "meter"
    link.symlink_to("/dev/pts/long-gone")

    async def scenario() -> None:
        async with serving(config=SerialConfig(str(link), pty=True)) as node:
            assert link.readlink() == Path(node.line.path)
            master = open_master(str(link))
            assert await master.ask(read(4), 7) == answer(4)
            master.close()

    asyncio.run(scenario())
    assert not link.is_symlink()


@pytest.mark.parametrize(
    ("config", "fault"),
    [
        (SerialConfig("/dev/no-such-device"), "/dev/no-such-device: there is no such device"),
        (SerialConfig("/dev/null"), "/dev/null: cannot be a serial line: Inappropriate ioctl for device"),
        (SerialConfig("/etc/passwd", pty=True), "/etc/passwd: something else is there, which no link may replace"),
    ],
)
def test_what_cannot_be_a_line_is_one_error(config: SerialConfig, fault: str) -> None:
    async def scenario() -> None:
        listener = Listener("127.0.0.1", 0)
        listener.line = SerialLine(config, make_service(), listener.metrics, lambda: 0.0)
        with pytest.raises(ListenError) as caught:
            await listener.open()
        assert str(caught.value) == fault
        assert not listener.listening

    asyncio.run(scenario())
