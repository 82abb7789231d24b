"""libmodbus with default settings, in C: its client on our node, our clients on its server, over TCP and RTU."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from node.client.modbus import ModbusClient
from node.client.modbus_aio import AsyncModbus
from node.client.modbus_poller import ModbusPoller
from node.config.model import SerialConfig
from node.modbus.diagnostics import Bare, ServerId
from node.modbus.functions import REPORT_SERVER_ID, ModbusError
from node.modbus.pdu import DataReply, ReadWrite
from tests.peers.capture import MODBUS_PORT
from tests.peers.libmodbus import LibmodbusClient, LibmodbusError, build, libmodbus_client, libmodbus_server
from tests.peers.line_node import line_node
from tests.peers.modbus_node import HOST, modbus_node
from tests.peers.null_modem import null_modem

pytestmark = pytest.mark.net

SERVER_HOST = "127.64.33.41"
WAYS = ["tcp", "rtu"]


@pytest.fixture(scope="module", params=WAYS)
def client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LibmodbusClient]:
    """libmodbus's client on a node of ours, as unit 1."""
    folder = tmp_path_factory.mktemp("libmodbus")
    program = build("client", folder)
    with ExitStack() as stack:
        if request.param == "tcp":
            where: tuple[object, ...] = ("tcp", HOST, stack.enter_context(modbus_node(folder)), 1)
        else:
            line = SerialConfig(format="8N2", pty=True)
            where = ("rtu", stack.enter_context(line_node(folder, tcp=False, serial=line))["path"], 19200, "N", 2, 1)
        yield stack.enter_context(libmodbus_client(program, *where))


def test_its_client_reads_and_writes_bits(client: LibmodbusClient) -> None:
    assert client.ask("coils", 0, 100) == [k % 3 == 0 for k in range(100)]
    assert client.ask("discrete", 3, 9) == [k % 5 == 0 for k in range(3, 12)]
    assert client.ask("write_coil", 1, 1) == []
    assert client.ask("write_coils", 50, *[1] * 13) == []
    assert client.ask("coils", 49, 15) == [0, *[1] * 14]
    assert client.ask("coils", 0, 3) == [1, 1, 0]


def test_its_client_reads_and_writes_registers(client: LibmodbusClient) -> None:
    assert client.ask("holding", 20, 105) == client.ask("input", 20, 105) == list(range(20, 125))
    assert client.ask("write_register", 5, 0xBEEF) == []
    assert client.ask("write_registers", 6, 1, 2, 3) == []
    assert client.ask("input", 5, 4) == [0xBEEF, 1, 2, 3]
    assert client.ask("mask", 5, 0x00FF, 0x1200) == []
    assert client.ask("read_write", 6, 5, 3, 77, 78) == [0x12EF, 77, 78]
    client.ask("write_registers", 0, *range(100, 223))
    assert client.ask("holding", 0, 125) == [*range(100, 223), 123, 124]
    client.ask("write_registers", 0, *range(123))


def test_its_client_is_told_who_we_are(client: LibmodbusClient) -> None:
    assert bytes(client.ask("id")) == b"\x01\xffCode"


def test_its_client_knows_our_exceptions(client: LibmodbusClient) -> None:
    for refused in (("holding", 126, 1), ("write_register", 125, 1), ("write_registers", 124, 1, 1), ("coils", 99, 2)):
        with pytest.raises(LibmodbusError, match="Illegal data address"):
            client.ask(*refused)  # type: ignore[arg-type]
    assert client.ask("holding", 125, 1) == [7]


def test_its_client_and_who_is_not_there(client: LibmodbusClient, request: pytest.FixtureRequest) -> None:
    on_line = "rtu" in request.node.name
    client.ask("unit", 9)
    with pytest.raises(LibmodbusError, match="timed out" if on_line else "Target device failed to respond"):
        client.ask("coils", 0, 1)
    client.ask("unit", 1)
    assert client.ask("holding", 125, 1) == [7]


@pytest.fixture(scope="module", params=WAYS)
def device(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModbusClient]:
    """Our client at libmodbus's server."""
    program = build("server", tmp_path_factory.mktemp("libmodbus"))
    with ExitStack() as stack:
        if request.param == "tcp":
            stack.enter_context(libmodbus_server(program, "tcp", SERVER_HOST, MODBUS_PORT))
            yield stack.enter_context(ModbusClient.tcp(SERVER_HOST, MODBUS_PORT))
        else:
            ours, theirs = stack.enter_context(null_modem())
            stack.enter_context(libmodbus_server(program, "rtu", theirs, 19200, "E", 1, 1))
            yield stack.enter_context(ModbusClient.rtu(ours))


def test_our_client_reads_and_writes_all_tables(device: ModbusClient) -> None:
    assert device.read(1, count=200) == [k % 3 == 0 for k in range(200)]
    assert device.read(10004, count=9) == [k % 5 == 0 for k in range(3, 12)]
    assert device.read(40001, count=200) == device.read(30001, count=200) == list(range(200))
    device.write(40011, [0xBEEF])
    device.write(40012, list(range(1000, 1150)))
    assert device.read(40011, count=151) == [0xBEEF, *range(1000, 1150)]
    device.write_bits(2, [True])
    device.write_bits(3, [True] * 13)
    assert device.read_bits(1, 16) == [True] * 16
    device.write(40021, [-1234.5], "REAL", "CDAB")
    assert device.read(40021, "REAL", order="CDAB") == [-1234.5]
    device.write(40001, list(range(200)))
    device.write_bits(1, [k % 3 == 0 for k in range(16)])


def test_our_client_and_its_other_functions(device: ModbusClient) -> None:
    device.write(40006, [0x12])
    device.mask_write(40006, 0xF2, 0x25)
    assert device.read(40006) == [0x17]
    reply = device.request(ReadWrite(5, 2, 6, b"\x00\x4d"))
    assert isinstance(reply, DataReply)
    assert reply.data == b"\x00\x17\x00\x4d"
    who = device.request(Bare(REPORT_SERVER_ID))
    assert isinstance(who, ServerId)
    assert who.data[1:].startswith(b"\xffLMB")
    device.write(40006, [5, 6])


def test_our_client_knows_its_exceptions(device: ModbusClient) -> None:
    for where in (40200, 30200, 200, 10200):
        with pytest.raises(ModbusError) as caught:
            device.read(where, count=2)
        assert caught.value.code == 2
    assert device.read(40200) == [199]


def test_our_poller(device: ModbusClient) -> None:
    changes: list[tuple[object, int | None, int | None]] = []
    changed = threading.Event()

    def note(register: object, value: int | None, was: int | None) -> None:
        changes.append((register, value, was))
        if value == 4711:
            changed.set()

    with ModbusPoller(device.view(), rate=0.05) as poller:
        poller.watch(note)
        poller.poll([*range(40101, 40111), *range(40190, 40210), 30001, 1, 10001])
        poller.write(40105, 4711)
        assert changed.wait(10)
        assert poller.read(40105) == 4711
        assert [poller.read(register) for register in (30001, 1, 10001, 40200)] == [0, 1, 1, 199]
        assert poller.read(40201) is None  # it has none, which takes no neighbour along
        poller.write(40105, 104)
        assert poller.online
    assert (40105, 4711, 104) in changes or (40105, 4711, None) in changes


def test_our_asyncio_client(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with AsyncModbus(SERVER_HOST, MODBUS_PORT) as client:
            assert await client.read_registers("holding", 0, 200) == [*range(200)]
            assert await client.read_bits("coils", 0, 200) == [k % 3 == 0 for k in range(200)]
            await client.write_registers(0, [*range(500, 640)])
            assert await client.read_registers("holding", 0, 140) == [*range(500, 640)]
            assert await client.read_write(0, 2, 1, [9]) == [500, 9]

    with libmodbus_server(build("server", tmp_path), "tcp", SERVER_HOST, MODBUS_PORT):
        asyncio.run(scenario())
