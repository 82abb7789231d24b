"""Our clients with default settings on pymodbus's servers, every way that both have: all four tables both ways."""

import asyncio
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from node.client.modbus import ModbusClient
from node.client.modbus_aio import AsyncModbus
from node.client.modbus_poller import ModbusPoller
from node.modbus.diagnostics import RETURN_QUERY_DATA, Diagnostics
from node.modbus.functions import ModbusError
from node.modbus.pdu import DataReply, ReadWrite
from tests.client.modbus_devices import (
    HOST,
    certificates,
    pymodbus_ascii_over_tcp,
    pymodbus_rtu,
    pymodbus_rtu_over_tcp,
    pymodbus_tcp,
    pymodbus_tls,
    pymodbus_udp,
)
from tests.peers.capture import MODBUS_PORT, RTU_PORT
from tests.peers.null_modem import null_modem

pytestmark = pytest.mark.net

WAYS = ["tcp", "udp", "tls", "rtu over tcp", "rtu"]


@pytest.fixture(scope="module", params=WAYS)
def client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModbusClient]:
    with ExitStack() as stack:
        enter = stack.enter_context
        match request.param:
            case "tcp":
                made = ModbusClient.tcp(HOST, enter(pymodbus_tcp(MODBUS_PORT)))
            case "udp":
                made = ModbusClient.udp(HOST, enter(pymodbus_udp(MODBUS_PORT)))
            case "tls":
                cert, key = certificates(tmp_path_factory.mktemp("tls"))
                context = ssl.create_default_context(cafile=cert)
                made = ModbusClient.tls(HOST, enter(pymodbus_tls(served(cert, key))), context=context)
            case "rtu over tcp":
                made = ModbusClient.rtu_over_tcp(HOST, enter(pymodbus_rtu_over_tcp(RTU_PORT)))
            case _:
                ours, theirs = enter(null_modem())
                enter(pymodbus_rtu(theirs))
                made = ModbusClient.rtu(ours)
        yield enter(made)


def served(cert: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


def test_all_tables_both_ways(client: ModbusClient) -> None:
    assert client.read(1, count=64) == client.read(10001, count=64) == [k % 3 == 0 for k in range(64)]
    assert client.read(40001, count=200) == client.read(30001, count=200) == list(range(200))
    client.write(40011, [0xBEEF])
    client.write(40012, list(range(1000, 1150)))
    assert client.read(40011, count=151) == [0xBEEF, *range(1000, 1150)]
    client.write_bits(2, [True])
    client.write_bits(3, [True] * 13)
    assert client.read_bits(1, 16) == [True] * 16
    client.write(40021, [-1234.5], "REAL", "CDAB")
    assert client.read(40021, "REAL", order="CDAB") == [-1234.5]
    client.write(40001, list(range(200)))
    client.write_bits(1, [k % 3 == 0 for k in range(16)])


def test_other_functions_and_exceptions(client: ModbusClient) -> None:
    client.write(40006, [0x12])
    client.mask_write(40006, 0xF2, 0x25)
    assert client.read(40006) == [0x17]
    reply = client.request(ReadWrite(5, 2, 6, b"\x00\x4d"))
    assert isinstance(reply, DataReply)
    assert reply.data == b"\x00\x17\x00\x4d"
    assert client.request(Diagnostics(RETURN_QUERY_DATA, b"\xa5\x37")) == Diagnostics(RETURN_QUERY_DATA, b"\xa5\x37")
    with pytest.raises(ModbusError, match="02"):
        client.read(40200, count=5)
    client.write(40006, [5, 6])
    assert client.read(40200) == [199]


def test_the_poller(client: ModbusClient) -> None:
    with ModbusPoller(client.view(), rate=0.05) as poller:
        poller.poll([*range(40101, 40105), 30200, 1, 10002])
        poller.write(40102, 4711)
        while poller.polls < 2:
            assert poller.problem is None
            time.sleep(0.02)
        assert [poller.read(register) for register in (40101, 40102, 30200, 1, 10002)] == [100, 4711, 199, 1, 0]
        poller.write(40102, 101)


@pytest.mark.parametrize("framing", ["tcp", "rtu", "ascii"])
def test_the_asyncio_client(framing: str) -> None:
    async def scenario(port: int) -> None:
        async with AsyncModbus(HOST, port, framing=framing) as client:
            assert await client.read_registers("holding", 0, 200) == [*range(200)]
            assert await client.read_registers("input", 0, 200) == [*range(200)]
            assert await client.read_bits("coils", 0, 64) == [k % 3 == 0 for k in range(64)]
            assert await client.read_bits("discrete", 0, 64) == [k % 3 == 0 for k in range(64)]
            await client.write_registers(0, [*range(500, 640)])
            assert await client.read_registers("holding", 0, 140) == [*range(500, 640)]
            await client.write_bits(1, [True, True])
            assert await client.read_bits("coils", 0, 3) == [True] * 3
            await client.mask_write(0, 0xFF00, 0x0002)
            assert await client.read_write(0, 2, 1, [9]) == [500 & 0xFF00 | 2, 9]
            with pytest.raises(ModbusError, match="02"):
                await client.read_registers("holding", 199, 2)

    device = {"tcp": pymodbus_tcp, "rtu": pymodbus_rtu_over_tcp, "ascii": pymodbus_ascii_over_tcp}[framing]
    with device({"tcp": MODBUS_PORT, "rtu": RTU_PORT}.get(framing, 0)) as port:
        asyncio.run(scenario(port))
