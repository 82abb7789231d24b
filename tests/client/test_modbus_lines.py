"""Our own client where frames are those of a line, and inside TLS; and a farm's question whether such a node is up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from farm.supervisor.probe import modbus_client, probe_node
from node.client.failure import NoAnswer
from node.client.modbus_aio import AsyncModbus
from node.config.model import ModbusConfig, NodeConfig, RegisterBlock, TagConfig, TlsConfig, UnitConfig
from node.controller import Controller
from node.errors import NodeError
from node.modbus.functions import ModbusError
from node.modbus.rtu import encode_rtu
from tests.certificates import Certificates, make_certificates

pytestmark = pytest.mark.net

HOST = "127.64.33.31"
CONFIG = NodeConfig(
    "meter",
    "modbus",
    "generic",
    HOST,
    tags=(TagConfig("WORDS", "UINT", (1000,), tuple(range(1000))),),
    modbus=ModbusConfig(0, (UnitConfig(7, (RegisterBlock("holding", 0, 1000, "WORDS"),)),)),
)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("tls"), HOST)


@asynccontextmanager
async def serving(modbus: ModbusConfig) -> AsyncIterator[NodeConfig]:
    """A node that is reached so; its configuration with the port it got."""
    controller = Controller(replace(CONFIG, modbus=modbus))
    await controller.start()
    try:
        yield replace(CONFIG, modbus=replace(modbus, port=controller.ports["modbus"]))
    finally:
        await controller.stop()


def carried(framing: str, files: Certificates, ca: bool = False) -> ModbusConfig:
    assert CONFIG.modbus is not None
    if framing != "tls":
        return replace(CONFIG.modbus, framing=framing)
    authority = files.certificate("authority") if ca else ""
    return replace(CONFIG.modbus, tls=TlsConfig(files.certificate("server"), files.key("server"), authority))


@pytest.mark.parametrize("framing", ["rtu", "ascii", "tls"])
def test_values_both_ways(framing: str, files: Certificates) -> None:
    async def scenario() -> None:
        async with serving(carried(framing, files)) as node:
            assert node.modbus is not None
            await probe_node(node)
            async with modbus_client(node.modbus, HOST, node.modbus.port, 7, 5.0) as client:
                assert await client.read_registers("holding", 0, 1000) == [*range(1000)]
                await client.write_registers(10, [*range(200, 500)])
                assert await client.read_registers("holding", 10, 300) == [*range(200, 500)]
                with pytest.raises(ModbusError, match="02"):
                    await client.read_registers("holding", 1000)
                assert await client.read_registers("holding", 5) == [5]

    asyncio.run(scenario())


def test_one_that_asks_for_a_certificate_is_up_and_serves_nobody_without(files: Certificates) -> None:
    async def scenario() -> None:
        async with serving(carried("tls", files, ca=True)) as node:
            await probe_node(node)
            assert node.modbus is not None
            with pytest.raises(NodeError):
                async with modbus_client(node.modbus, HOST, node.modbus.port, 7, 5.0) as client:
                    await client.read_registers("holding", 0)

    asyncio.run(scenario())


@pytest.mark.parametrize("framing", ["tcp", "rtu", "ascii"])
def test_the_wrong_way_is_not_up(framing: str, files: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("farm.supervisor.probe.ATTEMPT", 0.5)
    other = {"tcp": "rtu", "rtu": "ascii", "ascii": "tcp"}[framing]

    async def scenario() -> None:
        async with serving(carried(framing, files)) as node:
            assert node.modbus is not None
            with pytest.raises(NodeError):
                await probe_node(replace(node, modbus=replace(node.modbus, framing=other)))

    asyncio.run(scenario())


def test_another_certificate_is_not_trusted(files: Certificates) -> None:
    async def scenario() -> None:
        async with serving(carried("tls", files)) as node:
            assert node.modbus is not None
            wrong = replace(node.modbus, tls=TlsConfig(files.certificate("stranger"), ""))
            with pytest.raises(NoAnswer):
                await probe_node(replace(node, modbus=wrong))
            with pytest.raises(NodeError, match="no certificate"):
                await probe_node(replace(node, modbus=replace(wrong, tls=TlsConfig("/nowhere.pem", ""))))

    asyncio.run(scenario())


def test_a_reply_in_pieces_behind_noise_and_one_that_comes_too_late() -> None:
    """What came too late for one request is not taken for the answer to the next."""
    told = encode_rtu(7, bytes.fromhex("03 02 0005"))

    async def device(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)
        for piece in (b"\x07\x03", encode_rtu(8, told[1:-2]), told[:3], told[3:]):
            writer.write(piece)
            await asyncio.sleep(0.01)
        await reader.readexactly(8)
        await asyncio.sleep(0.3)
        writer.write(encode_rtu(7, bytes.fromhex("03 02 0006")))
        writer.close()
        ended.set()

    ended = asyncio.Event()

    async def scenario() -> None:
        async with await asyncio.start_server(device, HOST, 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with AsyncModbus(HOST, port, 7, 0.2, framing="rtu") as client:
                assert await client.read_registers("holding", 0) == [5]
                with pytest.raises(NoAnswer):
                    await client.read_registers("holding", 0)
                with pytest.raises(NoAnswer, match="closed"):
                    await client.read_registers("holding", 0)
            await asyncio.wait_for(ended.wait(), 5)

    asyncio.run(scenario())
