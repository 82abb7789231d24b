"""A node that goes wrong on purpose, seen from its sockets: by raw frames and by our own clients."""

import asyncio
import contextlib
import errno
import struct
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from node.cip.status import CipError
from node.client.aio import AsyncConnector
from node.client.failure import NoAnswer
from node.client.modbus_aio import AsyncModbus
from node.config.model import (
    EnipConfig,
    ModbusConfig,
    NodeConfig,
    RegisterBlock,
    SignalConfig,
    TagConfig,
    UnitConfig,
)
from node.config.schema import identity
from node.controller import Controller
from node.errors import NodeError
from node.modbus.functions import ModbusError
from tests.enip.test_target import frame, rr, unit
from tests.objects.devices import name, request
from tests.server.serving import Client
from tests.waiting import eventually

pytestmark = pytest.mark.net

HOST = "127.64.8.40"
NODE = NodeConfig(
    name="plc-1",
    kind="logix",
    profile="1756-L61",
    address=HOST,
    tags=(
        TagConfig("Level", "REAL", initial=1.5),
        TagConfig("Count", "INT", (4,), initial=(1, 2, 3, 4)),
        TagConfig("Moving", "DINT", signal=SignalConfig("counter")),
        TagConfig("Run", "BOOL", initial=True),
    ),
    enip=EnipConfig(identity("1756-L61", 77), port=0),
    modbus=ModbusConfig(
        port=0, units=(UnitConfig(1, (RegisterBlock("holding", 0, 4, "Count"), RegisterBlock("coils", 0, 1, "Run"))),)
    ),
)
READ = request(0x4C, name("Level"), "0100")
WRITE = request(0x4D, name("Level"), "ca000100 0000803f")
REFUSED_READ = "cc00ff010521"
HOLDING = bytes.fromhex("0001 0000 0006 01 03 0000 0002")
OPEN = "5402200624010a05000000000100008001004d002a0000000100000080841e00f44380841e00f443a30220022401"


def faulted(talk: Callable[[Controller], Awaitable[None]]) -> None:
    """Runs `talk` against a controller that serves."""

    async def scene() -> None:
        controller = Controller(NODE)
        await controller.start()
        try:
            await talk(controller)
        finally:
            await controller.stop()
            assert sum(metrics.bugs for metrics in controller.server.counted.values()) == 0

    asyncio.run(scene())


async def raw(controller: Controller, protocol: str = "enip") -> Client:
    return Client(*await asyncio.open_connection(HOST, controller.ports[protocol]))


async def session(controller: Controller) -> tuple[Client, str]:
    client = await raw(controller)
    return client, await client.register()


def enip(controller: Controller) -> AsyncConnector:
    return AsyncConnector(HOST, controller.ports["enip"])


def modbus(controller: Controller) -> AsyncModbus:
    return AsyncModbus(HOST, controller.ports["modbus"], 1)


async def silent(client: Client, seconds: float = 0.3) -> bool:
    """Whether nothing comes for a while."""
    try:
        async with asyncio.timeout(seconds):
            await client.reader.read(1)
    except TimeoutError:
        return True
    return False


def test_slow_is_slow_by_the_clock_and_ends_by_itself() -> None:
    async def talk(controller: Controller) -> None:
        async with enip(controller) as cip, modbus(controller) as registers:
            controller.command("faults/add", {"kind": "slow", "seconds": 0.2, "id": 7, "for": 0.7})
            for ask in (lambda: cip.read("Level"), lambda: registers.read_registers("holding", 0, 1)):
                began = time.monotonic()
                await ask()
                assert 0.19 < time.monotonic() - began < 2.0
            (row,) = rows(controller)
            assert (row["id"], row["text"]) == (7, "slow by 200 ms")
            assert 0 < row["left"] < 0.7
            await eventually(lambda: not rows(controller))
            report = controller.telemetry()
            assert report is not None
            assert report["faults"] == 0
            took = []
            for _ in range(5):
                began = time.monotonic()
                await cip.read("Level")
                took.append(time.monotonic() - began)
            assert min(took) < 0.15

    faulted(talk)


def rows(controller: Controller) -> list[dict[str, Any]]:
    found = controller.command("faults")
    assert isinstance(found, list)
    return [row for row in found if isinstance(row, dict)]


def test_replies_keep_their_order_however_slow_each_is() -> None:
    async def talk(controller: Controller) -> None:
        client, handle = await session(controller)
        fault = {"kind": "slow", "distribution": "pareto", "scale": 0.001, "shape": 1.0, "most": 0.05, "seed": 3}
        controller.command("faults/add", fault)
        asked = [rr(READ, handle)[:12] + at.to_bytes(8, "little") + rr(READ, handle)[20:] for at in range(30)]
        client.writer.write(b"".join(asked))
        assert [int.from_bytes((await client.frame())[12:20], "little") for _ in asked] == [*range(30)]
        await client.close()

    faulted(talk)


def test_a_dropped_request_is_neither_answered_nor_run() -> None:
    async def talk(controller: Controller) -> None:
        client, handle = await session(controller)
        registers = await raw(controller, "modbus")
        controller.command("faults/add", {"kind": "drop"})
        client.writer.write(rr(WRITE, handle))
        registers.writer.write(HOLDING)
        assert await silent(client)
        assert await silent(registers, 0.05)
        assert controller.command("faults/clear") == 1
        assert tag(controller, "Level")["value"] == 1.5
        assert (await client.ask(rr(READ, handle)))[42] == 0
        for each in (client, registers):
            await each.close()

    faulted(talk)


def tag(controller: Controller, path: str) -> dict[str, Any]:
    row = controller.command(f"tags/{path}")
    assert isinstance(row, dict)
    return row


def test_the_same_requests_are_dropped_with_the_same_seed() -> None:
    async def talk(controller: Controller) -> None:
        async def answered(seed: int) -> list[int]:
            client, handle = await session(controller)
            controller.command("faults/add", {"kind": "drop", "percent": 40, "seed": seed, "id": 1})
            asked = [rr(READ, handle)[:12] + at.to_bytes(8, "little") + rr(READ, handle)[20:] for at in range(50)]
            client.writer.write(b"".join(asked))
            await eventually(lambda: controller.server.counted["enip"].ring[-1][1][12:20] == asked[-1][12:20])
            controller.command("faults/clear")
            client.writer.write(frame(0x63))
            found = []
            while (reply := await client.frame())[0] != 0x63:
                found.append(int.from_bytes(reply[12:20], "little"))
            await client.close()
            return found

        first = await answered(5)
        assert 15 < len(first) < 45
        assert first == await answered(5) != await answered(6)

    faulted(talk)


@pytest.mark.parametrize("protocol", ["enip", "modbus"])
def test_a_reset_comes_after_so_many_requests(protocol: str) -> None:
    async def talk(controller: Controller) -> None:
        client = await raw(controller, protocol)
        controller.command("faults/add", {"kind": "reset", "after": 2})
        asked = frame(0x63) if protocol == "enip" else HOLDING
        for _ in range(2):
            client.writer.write(asked)
            assert len(await client.reader.readexactly(6)) == 6
            await client.reader.read(4096)
        client.writer.write(asked * 3)
        with pytest.raises(ConnectionResetError):
            await client.reader.read()
        await eventually(lambda: not [*controller.connections()])
        again = await raw(controller, protocol)
        again.writer.write(asked)
        assert await again.reader.read(1)
        for each in (client, again):
            await each.close()

    faulted(talk)


def test_a_status_is_that_status_and_nothing_is_run() -> None:
    async def talk(controller: Controller) -> None:
        controller.command("faults/add", {"kind": "status", "code": [255, 0x2105]})
        client, handle = await session(controller)
        assert await client.ask(rr(READ, handle)) == rr(REFUSED_READ, handle)
        within = "5202200624010a05" + struct.pack("<H", len(WRITE)).hex() + WRITE.hex() + "01000100"
        assert await client.ask(rr(within, handle)) == rr("cd00ff010521", handle)
        assert (await client.ask(frame(0x63)))[8:12] == bytes(4)
        opened = await client.ask(rr(OPEN, handle))
        assert opened[42] == 0
        ours, theirs = opened[44:48].hex(), "01000080"
        connected = unit(ours, 1, READ, handle)
        assert await client.ask(connected) == unit(theirs, 1, REFUSED_READ, handle)
        assert await client.ask(unit(ours, 2, WRITE, handle)) == unit(theirs, 2, "cd00ff010521", handle)
        controller.command("faults/clear")
        assert await client.ask(unit(ours, 2, WRITE, handle)) == unit(theirs, 2, "cd00ff010521", handle)
        assert (await client.ask(unit(ours, 3, READ, handle)))[46:] == bytes.fromhex("cc000000ca000000c03f")
        assert controller.server.counted["enip"].errors == 5
        assert rows(controller) == controller.command("undefined") == []
        await client.close()

    faulted(talk)


@pytest.mark.parametrize(
    ("code", "exception"), [(8, 1), (5, 2), (0x0E, 2), (0x20, 3), (0x10, 4), (255, 4), (2, 6), (1, 0x0B)]
)
def test_over_modbus_a_status_is_the_exception_next_to_it(code: int, exception: int) -> None:
    async def talk(controller: Controller) -> None:
        async with modbus(controller) as registers:
            for fault in ({"kind": "status", "code": code}, {"kind": "status", "code": code, "tag": "Count"}):
                controller.command("faults/add", {**fault, "id": 1})
                for ask in (
                    lambda: registers.read_registers("holding", 0, 2),
                    lambda: registers.write_registers(0, [1]),
                ):
                    with pytest.raises(ModbusError) as caught:
                        await ask()
                    assert caught.value.code == exception
            assert await registers.read_bits("coils", 0, 1) == [True]
            controller.command("faults/1/clear")
            assert await registers.read_registers("holding", 0, 1) == [1]

    faulted(talk)


def test_the_status_of_one_tag_leaves_the_others_alone() -> None:
    async def talk(controller: Controller) -> None:
        async with enip(controller) as cip:
            assert await cip.read("Count", 4) == [1, 2, 3, 4]
            controller.command("faults/add", {"kind": "status", "code": 8, "tag": "Count[2]"})
            for count in (4, 3):
                with pytest.raises(CipError, match="service not supported"):
                    await cip.read("Count", count)
            assert await cip.read("Count", 2) == [1, 2]
            assert await cip.read("Level") == [1.5]
            row = tag(controller, "Count")
            assert (row["value"], row["source"], row["error"]) == (
                [1, 2, 3, 4],
                "faulted",
                "service not supported (0x08)",
            )

    faulted(talk)


@pytest.mark.parametrize("protocol", ["enip", "modbus"])
def test_a_cut_reply_says_it_is_whole_and_ends_the_connection(protocol: str) -> None:
    async def talk(controller: Controller) -> None:
        client = await raw(controller, protocol)
        asked, header = (frame(0x63), 24) if protocol == "enip" else (HOLDING, 7)
        client.writer.write(asked)
        whole = await client.reader.read(4096)
        controller.command("faults/add", {"kind": "truncate", "keep": header + 2})
        client.writer.write(asked * 2)
        assert await client.reader.read() == whole[: header + 2]
        await eventually(lambda: not [*controller.connections()])
        await client.close()

    faulted(talk)


@pytest.mark.parametrize("protocol", ["enip", "modbus"])
def test_a_spoilt_reply_has_its_frame(protocol: str) -> None:
    async def talk(controller: Controller) -> None:
        client = await raw(controller, protocol)
        asked, header = (frame(0x63), 24) if protocol == "enip" else (HOLDING, 7)
        client.writer.write(asked)
        whole = await client.reader.read(4096)
        controller.command("faults/add", {"kind": "corrupt"})
        for _ in range(20):
            client.writer.write(asked)
            spoilt = await client.reader.readexactly(len(whole))
            assert spoilt[:header] == whole[:header]
            assert sum(one != two for one, two in zip(spoilt, whole, strict=True)) == 1
        controller.command("faults/clear")
        client.writer.write(asked)
        assert await client.reader.readexactly(len(whole)) == whole
        await client.close()

    faulted(talk)


@pytest.mark.parametrize(("protocol", "at", "by"), [("enip", 12, 0x80), ("modbus", 0, 0x80)])
def test_a_reply_that_names_another_request_differs_in_that_alone(protocol: str, at: int, by: int) -> None:
    async def talk(controller: Controller) -> None:
        client = await raw(controller, protocol)
        asked = frame(0x63) if protocol == "enip" else HOLDING
        client.writer.write(asked)
        whole = await client.reader.read(4096)
        controller.command("faults/add", {"kind": "wrong-transaction"})
        client.writer.write(asked)
        other = await client.reader.readexactly(len(whole))
        assert other == whole[:at] + bytes([whole[at] ^ by]) + whole[at + 1 :]
        if protocol == "enip":  # which has no units
            controller.command("faults/clear")
            controller.command("faults/add", {"kind": "wrong-unit"})
            controller.command("faults/add", {"kind": "exception", "code": 4})
            client.writer.write(asked)
            assert await client.reader.readexactly(len(whole)) == whole
        await client.close()

    faulted(talk)


def test_a_reply_to_another_request_is_no_answer_to_our_own_clients() -> None:
    async def talk(controller: Controller) -> None:
        controller.command("faults/add", {"kind": "wrong-transaction"})
        with pytest.raises((NodeError, OSError, TimeoutError)):
            async with asyncio.timeout(0.3), enip(controller) as cip:
                await cip.read("Level")
        with pytest.raises(NoAnswer, match="to transaction 32768 came"):
            async with AsyncModbus(HOST, controller.ports["modbus"], 1, timeout=1.0) as registers:
                await registers.read_registers("holding", 0, 2)

    faulted(talk)


def test_our_own_clients_survive_whatever_comes() -> None:
    async def talk(controller: Controller) -> None:
        for seed in range(15):
            for kind in ("corrupt", "truncate"):
                controller.command("faults/add", {"kind": kind, "percent": 60, "seed": seed, "id": 1})
                with contextlib.suppress(NodeError, OSError, TimeoutError, EOFError):
                    async with asyncio.timeout(0.3), enip(controller) as cip:
                        await cip.read("Level")
                with contextlib.suppress(NodeError, OSError, TimeoutError, EOFError):
                    async with asyncio.timeout(0.3), modbus(controller) as registers:
                        await registers.read_registers("holding", 0, 2)
        controller.command("faults/clear")
        async with enip(controller) as cip:
            assert await cip.read("Level") == [1.5]

    faulted(talk)


class Datagram(asyncio.DatagramProtocol):
    """Keeps what comes."""

    def __init__(self) -> None:
        self.came: list[bytes] = []

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.came.append(data)


def test_datagrams_meet_the_same_faults() -> None:
    async def talk(controller: Controller) -> None:
        made = asyncio.get_running_loop().create_datagram_endpoint(
            Datagram, local_addr=(HOST, 0), remote_addr=(HOST, controller.ports["enip"])
        )
        transport, asker = await made
        came = asker.came

        async def asked() -> bytes:
            count = len(came)
            transport.sendto(frame(0x63))
            await eventually(lambda: len(came) > count)
            return came[-1]

        whole = await asked()
        controller.command("faults/add", {"kind": "corrupt", "id": 1})
        spoilt = await asked()
        assert len(spoilt) == len(whole)
        assert spoilt != whole
        controller.command("faults/add", {"kind": "truncate", "keep": 30, "id": 1})
        assert await asked() == whole[:30]
        controller.command("faults/add", {"kind": "slow", "seconds": 0.2, "id": 1})
        began = time.monotonic()
        assert await asked() == whole
        assert time.monotonic() - began > 0.19
        for kind in ({"kind": "drop", "id": 1}, {"kind": "offline", "id": 1}):
            controller.command("faults/add", kind)
            await controller.server.settled()
            count = len(came)
            transport.sendto(frame(0x63))
            await asyncio.sleep(0.1)
            assert len(came) == count
        for calm in ({"kind": "refuse", "id": 1}, {"kind": "reset", "after": 0, "id": 1}):
            controller.command("faults/add", calm)
            await controller.server.settled()
            assert await asked() == whole
        transport.close()

    faulted(talk)


def test_a_node_that_is_offline_is_not_there_and_comes_back() -> None:
    async def talk(controller: Controller) -> None:
        ports = controller.ports
        client, _ = await session(controller)
        controller.command("faults/add", {"kind": "offline", "id": 3})
        with pytest.raises(ConnectionResetError):
            await client.reader.read()
        await controller.server.settled()
        for _ in range(2):
            for protocol in ports:
                with pytest.raises(ConnectionRefusedError):
                    await raw(controller, protocol)
            controller.command("server/start")  # is remembered, and does not bring it back
            await controller.server.settled()
        report = controller.telemetry()
        assert report is not None
        assert (report["faults"], report["connections"]) == (1, 0)
        assert tag(controller, "Level")["value"] == 1.5
        assert controller.command("faults/3/clear") == 1
        await controller.server.settled()
        assert controller.ports == ports
        again, _ = await session(controller)
        for each in (client, again):
            await each.close()

    faulted(talk)


def test_a_node_that_was_stopped_stays_so_when_its_fault_ends() -> None:
    async def talk(controller: Controller) -> None:
        controller.command("faults/add", {"kind": "offline", "for": 0.1})
        controller.command("server/stop")
        await eventually(lambda: not rows(controller))
        await controller.server.settled()
        assert not controller.server.listening
        controller.command("server/start")
        await controller.server.settled()
        assert controller.server.listening

    faulted(talk)


def test_a_node_that_refuses_keeps_whom_it_has() -> None:
    async def talk(controller: Controller) -> None:
        client, handle = await session(controller)
        controller.command("faults/add", {"kind": "refuse", "id": 1})
        for protocol in controller.ports:
            with pytest.raises(OSError) as caught:
                await raw(controller, protocol)
            assert caught.value.errno in (errno.ECONNREFUSED, errno.ECONNRESET)
        assert (await client.ask(rr(READ, handle)))[42] == 0
        controller.command("server/stop")
        controller.command("server/start")
        await controller.server.settled()
        with pytest.raises(OSError):
            await raw(controller)
        controller.command("faults/add", {"kind": "refuse", "id": 2})
        controller.command("faults/1/clear")
        with pytest.raises(OSError):
            await raw(controller)
        controller.command("faults/2/clear")
        again, _ = await session(controller)
        for each in (client, again):
            await each.close()

    faulted(talk)
