"""What a program of 2016 had to mend in pymodbus's servers and in what they hold: right in our nodes; of pymodbus, what
it still has, and what was mended there. docs/modbus-client.md has the list, `test_modbus_fixes` the client's part."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from pymodbus.constants import ExcCodes
from pymodbus.datastore import ModbusSparseDataBlock
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
from pymodbus.simulator.simruntime import SimRuntime

from node.client.modbus import ModbusClient
from node.modbus.rtu import RtuFramer, encode_rtu
from node.server.listener import Listener
from node.server.modbus_tcp import ModbusTcp
from node.server.ticker import Ticker
from tests.client.lines import lines_of
from tests.client.modbus_devices import HOST, pymodbus_rtu, pymodbus_serving
from tests.client.test_modbus_fixes import NOISES, quiet_pymodbus  # noqa: F401 - a fixture
from tests.peers.null_modem import null_modem
from tests.server.lines import make_service, serving

pytestmark = pytest.mark.net

REQUEST = encode_rtu(1, bytes.fromhex("03 0000 0002"))


def we_find(stream: bytes) -> bool:
    framer = RtuFramer((1,))
    frames = [framer.feed(bytes((byte,)), 1.0) for byte in stream]
    return [REQUEST] in [*frames, framer.quiet()]


def pymodbus_finds(stream: bytes) -> bool:
    """Whether pymodbus's framer finds the request in a stream that comes byte by byte, as its server feeds it."""
    framer = FramerRTU(DecodePDU(True))
    buffer = b""
    for byte in stream:
        buffer += bytes((byte,))
        used, pdu = framer.handleFrame(buffer, 0, 0)
        buffer = buffer[used:]
        if pdu is not None:
            return (pdu.address, pdu.count) == (0, 2)
    return False


def test_requests_are_found_behind_noise() -> None:
    assert all(we_find(noise + REQUEST) for noise in NOISES)


def test_pymodbus_still_loses_requests_behind_noise() -> None:
    assert pymodbus_finds(REQUEST)
    assert not all(pymodbus_finds(noise + REQUEST) for noise in NOISES)


def test_a_line_is_read_as_it_speaks() -> None:
    """And not until as many bytes have come as a buffer holds."""

    async def scenario() -> None:
        async with serving() as node:
            began = time.monotonic()
            for address in range(10):
                assert await node.master.ask(encode_rtu(1, bytes((3, 0, address, 0, 1))), 7)
            assert time.monotonic() - began < 2.0

    asyncio.run(scenario())


def test_pymodbus_was_mended_to_read_a_line_as_it_speaks() -> None:
    with null_modem() as (ours, theirs), pymodbus_rtu(theirs), ModbusClient.rtu(ours) as client:
        began = time.monotonic()
        assert [client.read(40001 + address) for address in range(10)] == [[address] for address in range(10)]
        assert time.monotonic() - began < 2.0


async def its_program_runs(server: AbstractAsyncContextManager[int]) -> None:
    """While a client is in the middle of a frame, and another says nothing, a signal is served all the same."""
    heard = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, heard.set)
    try:
        async with server as port:
            peers = [await asyncio.open_connection(HOST, port) for _ in range(2)]
            peers[0][1].write(b"\0\1\0\0\0\6")
            await asyncio.sleep(0.05)
            os.kill(os.getpid(), signal.SIGUSR1)
            await asyncio.wait_for(heard.wait(), 5)
            for _, writer in peers:
                writer.close()
    finally:
        loop.remove_signal_handler(signal.SIGUSR1)


def test_a_server_that_waits_lets_its_program_run() -> None:
    """What `service_actions` was for: a step of the ticker is that, and so is all else on the loop."""
    ticks: list[float] = []

    def step(now: float) -> bool:
        ticks.append(now)
        return True

    @asynccontextmanager
    async def node() -> AsyncIterator[int]:
        service, ticker = make_service(), Ticker(interval=0.01)
        listener = Listener(HOST, 0, lambda peers: ModbusTcp(peers, service), ticker=ticker)
        ticker.add(step)
        await listener.open()
        try:
            yield listener.port
        finally:
            await listener.close()
            ticker.stop()

    asyncio.run(its_program_runs(node()))
    assert len(ticks) > 1


def test_pymodbus_was_mended_to_let_its_program_run() -> None:
    asyncio.run(its_program_runs(pymodbus_serving(ModbusTcpServer)))
    assert not hasattr(ModbusTcpServer, "service_actions")


def sparse() -> SimRuntime:
    """Registers 10, 20 and 30, given highest first."""
    block = ModbusSparseDataBlock({30: 30, 10: 10, 20: 20})
    return SimRuntime(SimDevice(1, simdata=sorted(block.simdata, key=lambda each: each.address)))


def test_pymodbus_was_mended_to_know_the_base_of_sparse_blocks() -> None:
    held = sparse()
    assert [asyncio.run(held.async_getValues(3, address, 1)) for address in (10, 20, 30)] == [[10], [20], [30]]
    for address in (0, 9, 11, 31):
        assert asyncio.run(held.async_getValues(3, address, 1)) == ExcCodes.ILLEGAL_ADDRESS


def test_pymodbus_was_mended_to_check_what_is_asked_and_not_what_there_is() -> None:
    def lines(registers: int, count: int) -> int:
        words = [SimData(0, values=list(range(registers)), datatype=DataType.REGISTERS)]
        reading = SimRuntime(SimDevice(1, simdata=words)).async_getValues(3, 0, count)

        def check() -> None:
            with pytest.raises(StopIteration):
                reading.send(None)

        return lines_of(check)

    assert lines(5000, 10) == lines(50, 10)
