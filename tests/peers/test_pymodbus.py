"""pymodbus with default settings: all four tables both ways, both word orders, identification, exceptions."""

import asyncio
from collections.abc import Iterator

import pytest
from pymodbus.client import AsyncModbusTcpClient, ModbusTcpClient

from tests.peers.modbus_node import HOST, REALS, modbus_node

pytestmark = pytest.mark.net

FLOAT = ModbusTcpClient.DATATYPE.FLOAT32
WORD_ORDERS = {"ABCD": "big", "CDAB": "little"}


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with modbus_node(tmp_path_factory.mktemp("pymodbus")) as port:
        yield port


@pytest.fixture
def client(port: int) -> Iterator[ModbusTcpClient]:
    with ModbusTcpClient(HOST, port=port) as client:
        yield client


def test_coils(client: ModbusTcpClient) -> None:
    assert client.read_coils(0, count=100).bits[:100] == [k % 3 == 0 for k in range(100)]
    assert not client.write_coil(1, True).isError()
    assert not client.write_coils(50, [True] * 13).isError()
    assert client.read_coils(0, count=2).bits[:2] == [True, True]
    assert client.read_coils(49, count=15).bits[:15] == [False, *[True] * 14]
    client.write_coils(0, [k % 3 == 0 for k in range(100)])
    assert client.read_coils(0, count=100).bits[:100] == [k % 3 == 0 for k in range(100)]


def test_discrete_inputs(client: ModbusTcpClient) -> None:
    assert client.read_discrete_inputs(3, count=9).bits[:9] == [k % 5 == 0 for k in range(3, 12)]


def test_registers(client: ModbusTcpClient) -> None:
    assert client.read_holding_registers(0, count=125).registers == list(range(125))
    assert client.read_input_registers(3, count=2).registers == [3, 4]
    assert not client.write_register(5, 0xBEEF).isError()
    assert not client.write_registers(6, [1, 2, 3]).isError()
    assert client.read_input_registers(5, count=4).registers == [0xBEEF, 1, 2, 3]
    assert not client.mask_write_register(address=5, and_mask=0x00FF, or_mask=0x1200).isError()
    reply = client.readwrite_registers(read_address=5, read_count=2, write_address=6, values=[77])
    assert reply.registers == [0x12EF, 77]
    client.write_registers(0, list(range(100)))
    assert client.read_holding_registers(0, count=100).registers == list(range(100))


@pytest.mark.parametrize("order", REALS)
def test_reals_in_both_word_orders(client: ModbusTcpClient, order: str) -> None:
    words = WORD_ORDERS[order]
    for read in (client.read_holding_registers, client.read_input_registers):
        registers = read(REALS[order], count=2).registers
        assert client.convert_from_registers(registers, FLOAT, word_order=words) == 1234.5
    written = client.convert_to_registers(-0.25, FLOAT, word_order=words)
    assert not client.write_registers(REALS[order] + 2, written).isError()
    assert client.read_input_registers(REALS[order] + 2, count=2).registers == written
    assert not client.write_register(REALS[order] + 4, 0x4000).isError()
    assert client.read_holding_registers(REALS[order] + 4, count=2).registers == [0x4000, 0]


def test_identification(client: ModbusTcpClient) -> None:
    reply = client.read_device_information(read_code=2)
    assert reply.information == {0: b"Maker", 1: b"Code", 2: b"1.0", 4: b"Meter"}
    assert client.read_device_information(read_code=4, object_id=1).information == {1: b"Code"}


def test_exceptions(client: ModbusTcpClient) -> None:
    assert client.read_holding_registers(126, count=1).exception_code == 2
    assert client.write_register(125, 1).exception_code == 2
    assert client.write_registers(124, [1, 1]).exception_code == 2
    assert client.read_holding_registers(124, count=2).registers == [124, 7]
    assert client.read_fifo_queue(address=0).exception_code == 2
    assert client.read_coils(0, count=1, device_id=9).exception_code == 0x0B
    assert client.read_holding_registers(0, count=1, device_id=0).registers == [0]


def test_the_functions_that_serial_lines_began_with(client: ModbusTcpClient) -> None:
    assert client.diag_clear_counters().isError() is False
    assert client.read_exception_status().status == 0
    assert client.diag_query_data(b"\x12\x34").message == b"\x12\x34"
    assert client.read_holding_registers(126, count=1).exception_code == 2
    assert client.diag_read_bus_exception_error_count().message == 1
    assert client.diag_get_comm_event_counter().count >= 2
    assert client.diag_get_comm_event_log().message_count >= 6
    assert client.report_device_id().identifier.startswith(b"\x01\xff")


def test_the_asyncio_client_too(port: int) -> None:
    async def scenario() -> None:
        async with AsyncModbusTcpClient(HOST, port=port) as client:
            replies = [await client.read_holding_registers(k, count=3) for k in range(0, 90, 3)]
            assert [reply.registers for reply in replies] == [[k, k + 1, k + 2] for k in range(0, 90, 3)]
            await client.write_register(110, 9)
            assert (await client.read_input_registers(110)).registers == [9]

    asyncio.run(scenario())
