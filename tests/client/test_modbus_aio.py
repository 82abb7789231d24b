"""Our Modbus client against our server, and against devices that behave badly."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from node.cip.types import BOOL, DINT, LREAL, REAL, SINT, UINT
from node.client.failure import NoAnswer
from node.client.modbus_aio import AsyncModbus, probe_modbus
from node.errors import LocalProtocolError, NodeError, RemoteProtocolError
from node.memory.attribute import Attribute, Instant
from node.memory.word_order import ORDERS
from node.modbus.adu import encode_adu
from node.modbus.bank import RegisterBank
from node.modbus.functions import ModbusError
from node.modbus.identification import EXTENDED, INDIVIDUAL, Identification
from node.modbus.unit import Unit
from node.modbus.units import Units
from node.server.listener import Listener
from node.server.modbus_tcp import ModbusService, ModbusTcp

pytestmark = pytest.mark.net

HOST = "127.64.33.22"

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def device() -> AsyncIterator[int]:
    """A node of ours: all four tables, register A = A; gives its port."""
    bank = RegisterBank()
    bank.add("holding", 0, 1000, Attribute(UINT, (1000,), list(range(1000))))
    bank.add("input", 0, 1000, Attribute(UINT, (1000,), list(range(1000))))
    bank.add("coils", 0, 5000, Attribute(BOOL, (5000,), [k % 3 == 0 for k in range(5000)]))
    bank.add("discrete", 0, 5000, Attribute(BOOL, (5000,), [k % 5 == 0 for k in range(5000)]))
    names = {number: f"{number:02x}" * 60 for number in (0, 1, 2, 3, 0x80, 0x81)}
    service = ModbusService(Units({1: Unit(bank, Identification(names))}), Instant())
    listener = Listener(HOST, 0, lambda peers: ModbusTcp(peers, service), max_connections=500)
    await listener.open()
    try:
        yield listener.port
    finally:
        await listener.close()
        listener.ticker.stop()


@asynccontextmanager
async def stranger(serve: Serve) -> AsyncIterator[int]:
    """A device that does what `serve` does with each connection; gives its port."""
    connections: set[asyncio.Task[None]] = set()

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        finally:
            writer.transport.abort()
            with suppress(OSError):
                await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(asyncio.create_task(connection(reader, writer)))

    server = await asyncio.start_server(accept, HOST, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        await server.wait_closed()


def answering(*replies: str) -> Serve:
    """Answers each request with the next of `replies`, in hex, `TT` standing for the transaction id; then is mute."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for reply in replies:
            request = await reader.read(260)
            writer.write(bytes.fromhex(reply.replace("TT", request[:2].hex())))
        await reader.read()

    return serve


def test_all_four_tables_in_pieces() -> None:
    async def scenario() -> None:
        async with device() as port, AsyncModbus(HOST, port) as client:
            assert await client.read_registers("holding", 0, 1000) == list(range(1000))
            assert await client.read_registers("input", 997, 3) == [997, 998, 999]
            assert await client.read_bits("coils", 0, 5000) == [k % 3 == 0 for k in range(5000)]
            assert await client.read_bits("discrete", 7, 9) == [k % 5 == 0 for k in range(7, 16)]
            await client.write_registers(500, list(range(400)))
            assert await client.read_registers("holding", 500, 400) == list(range(400))
            await client.write_bits(100, [True] * 4000)
            assert await client.read_bits("coils", 99, 4002) == [True, *[True] * 4000, 4100 % 3 == 0]
            await client.write_bits(0, [False])
            await client.write_registers(0, [0xFFFF])
            await client.mask_write(0, 0x0F0F, 0x1000)
            assert await client.read_registers("holding", 0) == [0x1F0F]
            assert await client.read_bits("coils", 0) == [False]
            assert await client.read_write(0, 2, 1, [77]) == [0x1F0F, 77]

    asyncio.run(scenario())


@pytest.mark.parametrize("order", ORDERS)
def test_typed_values_in_every_order(order: str) -> None:
    async def scenario() -> None:
        async with device() as port, AsyncModbus(HOST, port) as client:
            await client.write_values(10, REAL, [1234.5, -0.25], order)
            assert await client.read_values("holding", 10, REAL, 2, order) == [1234.5, -0.25]
            await client.write_values(20, LREAL, [-123456.789], order)
            assert await client.read_values("holding", 20, LREAL, 1, order) == [-123456.789]
            await client.write_values(30, SINT, [-5], order)
            assert await client.read_values("holding", 30, SINT, 1, order) == [-5]
            await client.write_text(40, "Pump 7", 8, order)
            assert await client.read_text("holding", 40, 8, order) == "Pump 7"

    asyncio.run(scenario())


def test_identification_in_several_replies() -> None:
    async def scenario() -> None:
        async with device() as port, AsyncModbus(HOST, port) as client:
            assert sorted(await client.identify()) == [0, 1, 2]
            objects = await client.identify(EXTENDED)
            assert sorted(objects) == [0, 1, 2, 3, 0x80, 0x81]
            assert objects[0x81] == "81" * 60
            with pytest.raises(ModbusError):
                await client.identify(INDIVIDUAL + 1)

    asyncio.run(scenario())


def test_hundreds_under_way_on_one_connection() -> None:
    async def scenario() -> None:
        async with device() as port, AsyncModbus(HOST, port) as client:
            answers = await asyncio.gather(*(client.read_registers("holding", k) for k in range(600)))
            assert answers == [[k] for k in range(600)]

    asyncio.run(scenario())


def test_hundreds_of_probes_at_once() -> None:
    async def scenario() -> None:
        async with device() as port:
            assert await asyncio.gather(*(probe_modbus(HOST, port, 1, 10.0) for _ in range(300))) == [None] * 300


def test_an_exception_is_a_sign_of_life() -> None:
    async def scenario() -> None:
        async with device() as port, AsyncModbus(HOST, port, 9) as client:
            with pytest.raises(ModbusError):
                await client.read_registers("holding", 0)
            await probe_modbus(HOST, port, 9)
            await probe_modbus(HOST, port, 1, 2.0, "coils", 60000)

    asyncio.run(scenario())


def test_exceptions_name_themselves() -> None:
    async def scenario() -> None:
        async with device() as port, AsyncModbus(HOST, port) as client:
            with pytest.raises(ModbusError, match=r"exception 02 \(illegal data address\)") as caught:
                await client.read_registers("holding", 999, 2)
            assert caught.value.code == 2
            with pytest.raises(LocalProtocolError, match="coils"):
                await client.read_registers("coils", 0)
            with pytest.raises(LocalProtocolError, match="UINT"):
                await client.write_registers(0, [65536])
            with pytest.raises(LocalProtocolError, match="DINT"):
                await client.write_values(0, DINT, [1 << 40])

    asyncio.run(scenario())


def test_the_parts_of_one_read_are_asked_for_one_after_the_other() -> None:
    """There are servers that answer one request of those that come together, pymodbus's among them."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await reader.read(260):
            await asyncio.sleep(0.02)  # in which others would come
            first, count = (int.from_bytes(request[at : at + 2], "big") for at in (8, 10))
            data = b"".join(k.to_bytes(2, "big") for k in range(first, first + count))
            writer.write(encode_adu(int.from_bytes(request[:2], "big"), 1, bytes((3, len(data))) + data))
            assert len(request) == 12

    async def scenario() -> None:
        async with stranger(serve) as port, AsyncModbus(HOST, port, timeout=2.0) as client:
            assert await client.read_registers("holding", 0, 400) == [*range(400)]

    asyncio.run(scenario())


def test_answers_in_any_order_find_their_question() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests = [await reader.readexactly(12) for _ in range(3)]
        for request in reversed(requests):
            writer.write(encode_adu(int.from_bytes(request[:2], "big"), 1, b"\x03\x02" + request[8:10]))
        writer.write(encode_adu(999, 1, b"\x83\x02"))  # nobody asked
        await reader.read()

    async def scenario() -> None:
        async with stranger(serve) as port, AsyncModbus(HOST, port) as client:
            answers = await asyncio.gather(*(client.read_registers("holding", k) for k in (5, 6, 7)))
            assert answers == [[5], [6], [7]]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("TT 0000 0005 01 03 02 0001 ", ""),
        ("TT 0000 0005 02 03 02 0001", "unit 2 answered"),
        ("TT 0000 0007 01 03 04 0001 0002", "does not fit"),
        ("TT 0000 0005 01 04 02 0001", "does not fit"),
        ("TT 0000 0004 01 03 02 00", "should have 4"),
        ("TT 0000 0003 01 86 02", "exception to function 6"),
        ("TT 0000 FFFF 01", "frame length of 65535"),
    ],
)
def test_answers_that_make_no_sense(reply: str, said: str) -> None:
    async def scenario() -> None:
        async with stranger(answering(reply)) as port, AsyncModbus(HOST, port, timeout=5) as client:
            if not said:
                assert await client.read_registers("holding", 0) == [1]
                return
            with pytest.raises(RemoteProtocolError, match=said):
                await client.read_registers("holding", 0)

    asyncio.run(scenario())


def test_one_deadline_for_silence_and_for_a_trickle() -> None:
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readexactly(12)
        reply = encode_adu(int.from_bytes(request[:2], "big"), 1, b"\x03\x80" + bytes(128))
        for byte in reply[:-1]:
            writer.write(bytes((byte,)))
            await asyncio.sleep(0.01)

    async def scenario() -> None:
        for serve in (answering(), trickle):
            async with stranger(serve) as port, AsyncModbus(HOST, port, timeout=0.1) as client:
                before = time.monotonic()
                with pytest.raises(NoAnswer, match="no answer within"):
                    await client.read_registers("holding", 0)
                assert time.monotonic() - before < 2

    asyncio.run(scenario())


def test_a_late_answer_is_dropped_and_the_connection_lives() -> None:
    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.readexactly(12)
        second = await reader.readexactly(12)
        for request, value in ((first, 1), (second, 2)):
            writer.write(encode_adu(int.from_bytes(request[:2], "big"), 1, bytes((3, 2, 0, value))))
        await reader.read()

    async def scenario() -> None:
        async with stranger(late) as port, AsyncModbus(HOST, port, timeout=0.05) as client:
            with pytest.raises(NoAnswer, match=r"no answer within 0\.05 s"):
                await client.read_registers("holding", 0)
            client.timeout = 5.0
            assert await client.read_registers("holding", 0) == [2]

    asyncio.run(scenario())


def test_nobody_there_is_one_line() -> None:
    async def scenario() -> None:
        async with stranger(answering()) as port:
            pass
        with pytest.raises(NodeError, match=f"{HOST}:{port}: connection refused") as caught:
            await probe_modbus(HOST, port)
        assert "\n" not in str(caught.value)

        async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(12)

        async with stranger(hang_up) as port, AsyncModbus(HOST, port) as client:
            with pytest.raises(NoAnswer, match="closed by the device"):
                await client.read_registers("holding", 0)
            with pytest.raises(NoAnswer, match="closed by the device"):
                await client.read_registers("holding", 0)
        with pytest.raises(LocalProtocolError, match="not connected"):
            await client.read_registers("holding", 0)
        async with stranger(answering()) as port:
            with pytest.raises(NodeError, match="no answer within"):
                await probe_modbus(HOST, port, 1, 0.05)

    asyncio.run(scenario())
