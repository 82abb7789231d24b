"""pyModbusTCP with default settings: its client on our node, our clients on its server."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from node.client.modbus import ModbusClient
from node.client.modbus_aio import AsyncModbus
from node.client.modbus_poller import ModbusPoller
from node.modbus.functions import ModbusError
from tests.peers.capture import MODBUS_PORT
from tests.peers.modbus_node import HOST, modbus_node

pytest.importorskip("pyModbusTCP", reason="pyModbusTCP is not installed: make test puts it into .venv")

from pyModbusTCP.client import ModbusClient as TheirClient
from pyModbusTCP.constants import EXP_DATA_ADDRESS, EXP_GATEWAY_TARGET_DEVICE_FAILED_TO_RESPOND
from pyModbusTCP.server import DataBank, ModbusServer

pytestmark = pytest.mark.net

SERVER_HOST = "127.64.33.42"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TheirClient]:
    with modbus_node(tmp_path_factory.mktemp("pymodbustcp")) as port:
        client = TheirClient(host=HOST, port=port)
        yield client
        client.close()


def test_its_client_and_bits(client: TheirClient) -> None:
    assert client.read_coils(0, 100) == [k % 3 == 0 for k in range(100)]
    assert client.read_discrete_inputs(3, 9) == [k % 5 == 0 for k in range(3, 12)]
    assert client.write_single_coil(1, True)
    assert client.write_multiple_coils(50, [True] * 13)
    assert client.read_coils(49, 15) == [False, *[True] * 14]
    assert client.read_coils(0, 3) == [True, True, False]


def test_its_client_and_registers(client: TheirClient) -> None:
    assert client.read_holding_registers(20, 105) == client.read_input_registers(20, 105) == list(range(20, 125))
    assert client.write_single_register(5, 0xBEEF)
    assert client.write_multiple_registers(6, [1, 2, 3])
    assert client.read_input_registers(5, 4) == [0xBEEF, 1, 2, 3]
    assert client.write_read_multiple_registers(6, [77, 78], 5, 3) == [0xBEEF, 77, 78]
    assert client.write_multiple_registers(0, list(range(123)))


def test_its_client_is_told_who_we_are(client: TheirClient) -> None:
    told = client.read_device_identification(read_code=2)
    assert told is not None
    assert told.objects_by_id == {0: b"Maker", 1: b"Code", 2: b"1.0", 4: b"Meter"}


def test_its_client_and_exceptions(client: TheirClient) -> None:
    assert client.read_holding_registers(126, 1) is None
    assert client.last_except == EXP_DATA_ADDRESS
    assert not client.write_single_register(125, 1)
    assert client.last_except == EXP_DATA_ADDRESS
    client.unit_id = 9
    try:
        assert client.read_coils(0, 1) is None
        assert client.last_except == EXP_GATEWAY_TARGET_DEVICE_FAILED_TO_RESPOND
    finally:
        client.unit_id = 1
    assert client.read_holding_registers(125, 1) == [7]


@pytest.fixture(scope="module")
def device() -> Iterator[int]:
    """Its server, 200 addresses in each table; its port."""
    held = DataBank(coils_size=200, d_inputs_size=200, h_regs_size=200, i_regs_size=200)
    held.set_coils(0, [k % 3 == 0 for k in range(200)])
    held.set_discrete_inputs(0, [k % 5 == 0 for k in range(200)])
    held.set_holding_registers(0, list(range(200)))
    held.set_input_registers(0, list(range(200)))
    server = ModbusServer(host=SERVER_HOST, port=MODBUS_PORT, no_block=True, data_bank=held)
    server.start()
    yield MODBUS_PORT
    server.stop()


def test_our_client(device: int) -> None:
    with ModbusClient.tcp(SERVER_HOST, device) as client:
        assert client.read(1, count=200) == [k % 3 == 0 for k in range(200)]
        assert client.read(10004, count=9) == [k % 5 == 0 for k in range(3, 12)]
        assert client.read(40001, count=200) == client.read(30001, count=200) == list(range(200))
        client.write(40011, [0xBEEF])
        client.write(40012, list(range(1000, 1150)))
        assert client.read(40011, count=151) == [0xBEEF, *range(1000, 1150)]
        client.write_bits(2, [True])
        client.write_bits(3, [True] * 13)
        assert client.read_bits(1, 16) == [True] * 16
        client.write(40001, list(range(200)))
        with pytest.raises(ModbusError, match="02"):
            client.read(40200, count=2)
        assert client.read(40200) == [199]


def test_our_asyncio_client(device: int) -> None:
    async def scenario() -> None:
        async with AsyncModbus(SERVER_HOST, device) as client:
            assert await client.read_registers("input", 0, 200) == [*range(200)]
            await client.write_registers(100, [7, 8])
            assert await client.read_write(100, 3, 101, [9]) == [7, 9, 102]
            await client.write_registers(100, [100, 101])

    asyncio.run(scenario())


def test_our_poller(device: int) -> None:
    with ModbusPoller(ModbusClient.tcp(SERVER_HOST, device), rate=0.05) as poller:
        poller.poll([*range(40101, 40105), 30200])
        poller.write(40102, 4711)
        while poller.polls < 2:
            assert poller.problem is None
            time.sleep(0.02)
        assert [poller.read(register) for register in (40101, 40102, 30200)] == [100, 4711, 199]
        poller.write(40102, 101)
