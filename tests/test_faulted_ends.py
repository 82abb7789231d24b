"""What ends a fault, and what it leaves alone: other connections, other replies, and what a tag holds."""

import asyncio
import socket
import struct
from typing import Any

import pytest

from node.controller import Controller
from node.modbus.pdu import MaskWrite, decode_request, encode_request
from node.server.acceptor import RESETTING
from tests.enip.test_target import frame
from tests.server.serving import Client
from tests.test_faulted_node import (
    HOLDING,
    HOST,
    NODE,
    READ,
    enip,
    faulted,
    modbus,
    raw,
    rows,
    session,
    tag,
)
from tests.test_faulted_node import rr as request
from tests.waiting import eventually

pytestmark = pytest.mark.net

ELSEWHERE = "127.64.8.41"
"""Where a client dials from that comes back to its port. Nobody else does: at 127.0.0.1 the same port may be another
test's, in TIME_WAIT, which a system lets nobody bind."""


def test_a_fault_ends_in_time_though_the_node_was_stopped_and_started() -> None:
    async def scene() -> None:
        controller = Controller(NODE)
        await controller.start()
        controller.command("faults/add", {"kind": "bias", "tag": "Level", "by": 5, "for": 0.2})
        await controller.stop()
        await asyncio.sleep(0.3)
        assert len(rows(controller)) == 1, "nothing happens to a node that was stopped"
        await controller.start()
        await eventually(lambda: not rows(controller))
        assert tag(controller, "Level")["value"] == 1.5
        await controller.stop()

    asyncio.run(scene())


def test_a_node_that_is_offline_stays_so_when_it_is_started_again() -> None:
    async def scene() -> None:
        controller = Controller(NODE)
        await controller.start()
        controller.command("faults/add", {"kind": "offline"})
        await controller.stop()
        await controller.start()
        assert not controller.server.listening
        controller.command("faults/clear")
        await controller.server.settled()
        assert controller.server.listening
        await controller.stop()

    asyncio.run(scene())


@pytest.mark.parametrize("protocol", ["enip", "modbus"])
def test_a_connection_that_comes_from_where_another_was_has_all_its_requests(protocol: str) -> None:
    asked = frame(0x63) if protocol == "enip" else HOLDING

    async def talk(controller: Controller) -> None:
        controller.command("faults/add", {"kind": "reset", "after": 2})
        place = (ELSEWHERE, 0)
        for _ in range(4):
            client = await dial(controller, protocol, place)
            place = client.writer.get_extra_info("sockname")
            for _ in range(2):
                client.writer.write(asked)
                assert await client.reader.read(4096)
            client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETTING)
            client.writer.transport.abort()  # by a reset, after which the port is free at once
            await eventually(lambda: not [*controller.connections()])

    faulted(talk)


async def dial(controller: Controller, protocol: str, place: tuple[str, int]) -> Client:
    return Client(*await asyncio.open_connection(HOST, controller.ports[protocol], local_addr=place))


@pytest.mark.parametrize("protocol", ["enip", "modbus"])
def test_a_reset_does_not_wait_for_slow_replies(protocol: str) -> None:
    asked = frame(0x63) if protocol == "enip" else HOLDING

    async def talk(controller: Controller) -> None:
        controller.command("faults/add", {"kind": "slow", "seconds": 60})
        controller.command("faults/add", {"kind": "reset", "after": 1})
        client = await raw(controller, protocol)
        client.writer.write(asked * 2)
        async with asyncio.timeout(5):
            with pytest.raises(ConnectionResetError):
                await client.reader.read()
        await client.close()

    faulted(talk)


def test_what_was_dropped_holds_up_no_reply() -> None:
    async def talk(controller: Controller) -> None:
        client, handle = await session(controller)
        controller.command("faults/add", {"kind": "slow", "seconds": 60})
        controller.command("faults/add", {"kind": "drop"})
        client.writer.write(request(READ, handle))
        await eventually(lambda: controller.server.counted["enip"].requests == 2)
        controller.command("faults/clear")
        async with asyncio.timeout(5):
            assert (await client.ask(request(READ, handle)))[42] == 0
        await client.close()

    faulted(talk)


def test_what_is_refused_on_purpose_is_there_all_the_same() -> None:
    async def talk(controller: Controller) -> None:
        client, handle = await session(controller)
        registers = await raw(controller, "modbus")
        controller.command("faults/add", {"kind": "status", "code": 5})
        assert (await client.ask(request(READ, handle)))[42] == 5
        registers.writer.write(HOLDING)
        assert (await registers.reader.read(100))[7:] == b"\x83\x02"
        assert controller.command("undefined") == []
        found = [peer.errors for _, peer in controller.connections()]
        assert found == [1, 1]
        for each in (client, registers):
            await each.close()

    faulted(talk)


def test_over_modbus_too_looking_takes_no_chance() -> None:
    async def talk(controller: Controller) -> None:
        async with modbus(controller) as registers:

            async def spikes(look: bool) -> list[int]:
                controller.command("faults/add", {"kind": "spike", "tag": "Count", "by": 50, "percent": 30, "id": 1})
                found: list[int] = []
                for _ in range(40):
                    controller.command("watch", {"tags": ["Count"], "writes": look})
                    found += await registers.read_registers("holding", 0, 1)
                return found

            plain = await spikes(False)
            assert set(plain) == {1, 51}
            assert await spikes(True) == plain

    faulted(talk)


def test_a_write_is_told_as_it_was_written_whatever_is_shown_in_its_place() -> None:
    async def talk(controller: Controller) -> None:
        async with enip(controller) as cip, modbus(controller) as registers:
            controller.command("tags/Count/force", [7, 7, 7, 7])
            controller.command("watch", {"tags": [], "writes": True})
            await registers.write_registers(0, [9])
            await cip.write("Count[1]", [6])
            report = controller.telemetry()
            assert report is not None
            writes: Any = report["writes"]
            assert [row[2:] for row in writes] == [["Count[0]", "[9]"], ["Count[1]", "[6]"]]
            assert tag(controller, "Count")["writer"] == writes[1][1]

    faulted(talk)


def test_a_mask_is_laid_over_what_is_held() -> None:
    mask = encode_request(MaskWrite(0, 0xFFF0, 0x0004))
    assert decode_request(mask) == MaskWrite(0, 0xFFF0, 0x0004)

    async def talk(controller: Controller) -> None:
        client = await raw(controller, "modbus")
        for body in ({"kind": "bias", "by": 100}, {"kind": "freeze"}, {"kind": "bad-quality"}):
            controller.command("faults/add", {**body, "tag": "Count", "id": 1})
            client.writer.write(struct.pack(">HHHB", 1, 0, len(mask) + 1, 1) + mask)
            assert (await client.reader.read(100))[7:] == mask
            controller.command("faults/clear")
            assert tag(controller, "Count")["value"] == [4, 2, 3, 4]
            controller.command("tags/Count[0]", 1)
        controller.command("faults/add", {"kind": "status", "code": 8, "tag": "Count"})
        client.writer.write(struct.pack(">HHHB", 1, 0, len(mask) + 1, 1) + mask)
        assert (await client.reader.read(100))[7:] == b"\x96\x01"
        controller.command("faults/clear")
        assert tag(controller, "Count")["value"] == [1, 2, 3, 4]
        await client.close()

    faulted(talk)


def test_a_force_is_seen_where_there_is_no_quality() -> None:
    async def talk(controller: Controller) -> None:
        async with enip(controller) as cip, modbus(controller) as registers:
            controller.command("faults/add", {"kind": "bad-quality", "tag": "*"})
            assert "device state conflict" in tag(controller, "Run")["error"]
            controller.command("tags/Run/force", False)
            assert await cip.read("Run") == [False]
            assert await registers.read_bits("coils", 0, 1) == [False]
            assert "error" not in tag(controller, "Run")
            controller.command("tags/Run/error", 8)
            assert tag(controller, "Run")["error"] == "service not supported (0x08)"
            with pytest.raises(Exception, match="service not supported"):
                await cip.read("Run")

    faulted(talk)


def test_the_latest_requests_of_one_packet_are_told_first() -> None:
    async def talk(controller: Controller) -> None:
        client = await raw(controller, "modbus")
        client.writer.write(b"".join(HOLDING[:9] + bytes([at]) + HOLDING[10:] for at in range(3)))
        await eventually(lambda: controller.server.counted["modbus"].requests == 3)
        found: Any = controller.command("requests")
        assert [row["request"].rpartition(" ")[2] for row in found] == ["40003-40004", "40002-40003", "40001-40002"]
        await client.close()

    faulted(talk)
