"""pymodbus's clients on asyncio with default settings, every way that there is: all four tables both ways, exceptions,
and many requests at once where its transport has numbers for them."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pymodbus import FramerType
from pymodbus.client import (
    AsyncModbusSerialClient,
    AsyncModbusTcpClient,
    AsyncModbusTlsClient,
    AsyncModbusUdpClient,
)

from tests.peers.line_node import HOST
from tests.peers.ways import WAYS, Reached, reached

pytestmark = pytest.mark.net


def client_of(way: str, node: Reached) -> Any:
    match way:
        case "rtu" | "ascii":
            return AsyncModbusSerialClient(node.path, framer=FramerType(way))
        case "rtu over tcp" | "ascii over tcp":
            return AsyncModbusTcpClient(HOST, port=node.port, framer=FramerType(way.split()[0]))
        case "udp":
            return AsyncModbusUdpClient(HOST, port=node.port)
        case "tls":
            assert node.context is not None
            return AsyncModbusTlsClient(HOST, port=node.port, sslctx=node.context)
    return AsyncModbusTcpClient(HOST, port=node.port)


@pytest.mark.parametrize("way", WAYS)
def test_all_tables_both_ways(way: str, tmp_path: Path) -> None:
    async def scenario(node: Reached) -> None:
        async with client_of(way, node) as client:
            for unit in (1, 100):
                await check(client, unit)
            replies = await asyncio.gather(*(client.read_holding_registers(k, count=3) for k in range(10, 30)))
            assert [reply.registers for reply in replies] == [[k, k + 1, k + 2] for k in range(10, 30)]
        await asyncio.sleep(0.1)  # in which TLS comes to its end

    with reached(way, tmp_path) as node:
        asyncio.run(scenario(node))


async def check(client: Any, device_id: int) -> None:
    unit = {"device_id": device_id}
    await client.write_registers(0, list(range(100)), **unit)
    assert (await client.read_holding_registers(0, count=125, **unit)).registers == list(range(125))
    assert (await client.read_input_registers(3, count=2, **unit)).registers == [3, 4]
    assert (await client.read_discrete_inputs(3, count=9, **unit)).bits[:9] == [k % 5 == 0 for k in range(3, 12)]
    assert not (await client.write_coil(1, True, **unit)).isError()
    assert not (await client.write_coils(2, [True] * 9, **unit)).isError()
    assert (await client.read_coils(0, count=12, **unit)).bits[:12] == [*[True] * 11, False]
    assert not (await client.write_coils(0, [k % 3 == 0 for k in range(100)], **unit)).isError()
    assert not (await client.write_register(5, 0xBEEF, **unit)).isError()
    assert not (await client.mask_write_register(address=5, and_mask=0xFF, or_mask=0x1200, **unit)).isError()
    reply = await client.readwrite_registers(read_address=5, read_count=2, write_address=6, values=[77], **unit)
    assert reply.registers == [0x12EF, 77]
    assert (await client.read_holding_registers(126, count=1, **unit)).exception_code == 2
    assert (await client.write_register(125, 1, **unit)).exception_code == 2
    assert (await client.read_device_information(read_code=2, **unit)).information[0] == b"Maker"
    assert (await client.diag_query_data(b"\xa5\x37", **unit)).message == b"\xa5\x37"
    told = (await client.report_device_id(**unit)).identifier  # without the last byte, which it takes for a status
    assert told == bytes((device_id, 0xFF)) + b"Cod"
