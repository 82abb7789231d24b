"""What a node reports: whole, nothing where nothing is new, and what is watched."""

import asyncio
import struct
from dataclasses import replace

from node.client.aio import AsyncConnector
from node.config.model import EnipConfig, IdentityConfig, ModbusConfig, NodeConfig, RegisterBlock, TagConfig, UnitConfig
from node.controller import Controller
from node.telemetry import PEERS, WATCHED
from tests.server.serving import Clock

HOST = "127.64.200.9"
BLOCKS = (RegisterBlock("holding", 0, 1, "Level"), RegisterBlock("holding", 1, 1, "Other"))
CONFIG = NodeConfig(
    "t",
    "gateway",
    "1756-L61",
    HOST,
    tags=(TagConfig("Level", "UINT", initial=5), TagConfig("Other", "UINT", initial=6)),
    enip=EnipConfig(IdentityConfig(1, 14, 54, (20, 11), 0x0060, 1, "x"), port=0),
    modbus=ModbusConfig(port=0, units=(UnitConfig(1, BLOCKS),)),
)


def modbus(pdu: str, number: int = 1) -> bytes:
    body = bytes.fromhex(pdu)
    return struct.pack(">HHHB", number, 0, len(body) + 1, 1) + body


class Talk:
    """A Modbus client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def close(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()

    async def ask(self, pdu: str) -> bytes:
        self.writer.write(modbus(pdu))
        head = await self.reader.readexactly(6)
        return await self.reader.readexactly(head[5])


async def dial(controller: Controller) -> Talk:
    talk = Talk(*await asyncio.open_connection(HOST, controller.ports["modbus"]))
    await talk.ask("0300000001")
    return talk


def test_a_report_is_whole_or_nothing_or_what_is_new() -> None:
    async def scene() -> None:
        clock = Clock()
        controller = Controller(CONFIG, clock=clock)
        await controller.start()
        first = controller.telemetry()
        assert first is not None
        assert (first["requests"], first["peers"], first["latency"]) == (0, [], [])
        assert controller.telemetry(whole=False) is None
        talk = await dial(controller)
        clock.now += 2
        second = controller.telemetry(whole=False)
        assert second is not None
        assert (second["requests"], second["connections"], sum(second["latency"])) == (1, 1, 1)
        name = "{}:{}".format(*talk.writer.get_extra_info("sockname"))
        assert second["peers"] == [["modbus", name, 2.0, 1, 0]]
        assert second["bytes_in"] == 12
        assert controller.telemetry(whole=False) is None
        assert controller.telemetry(whole=True) == second
        await talk.ask("0300630001")
        third = controller.telemetry(whole=False)
        assert third is not None
        assert (third["errors"], third["peers"][0][3:]) == (1, [2, 1])
        assert controller.command("undefined") == [{"name": "unit 1: 40100", "count": 1, "last_s": 0.0}]
        await talk.close()
        await controller.stop()

    asyncio.run(scene())


def test_what_is_watched_is_reported_when_it_changes_and_for_a_while() -> None:
    async def scene() -> None:
        clock = Clock()
        controller = Controller(CONFIG, clock=clock)
        await controller.start()
        controller.command("watch", {"tags": ["Level", "nowhere"], "writes": True})
        first = controller.telemetry(whole=False)
        assert first is not None
        assert first["tags"] == {"Level": 5, "nowhere": None}
        talk = await dial(controller)
        quiet = controller.telemetry(whole=False)
        assert quiet is not None
        assert "tags" not in quiet
        await talk.ask("0600000009")
        changed = controller.telemetry(whole=False)
        assert changed is not None
        name = "{}:{}".format(*talk.writer.get_extra_info("sockname"))
        assert changed["tags"] == {"Level": 9}
        assert changed["writes"] == [[0.0, name, "Level", "[9]"]]
        controller.command("watch", {"tags": ["Level", "Other"]})
        renewed = controller.telemetry(whole=False)
        assert renewed is not None
        assert renewed["tags"] == {"Other": 6}, "what was known stays known"
        clock.now += WATCHED + 1
        await talk.ask("0600000007")
        over = controller.telemetry(whole=False)
        assert over is not None
        assert "tags" not in over and "writes" not in over
        await talk.close()
        await controller.stop()

    asyncio.run(scene())


def test_a_watch_is_over_in_time_though_nobody_takes_reports() -> None:
    async def scene() -> None:
        clock = Clock()
        controller = Controller(CONFIG, clock=clock)
        await controller.start()
        talk = await dial(controller)
        controller.command("watch", {"tags": ["Level"], "writes": True})
        for passed, watched in ((WATCHED - 1, True), (0, True), (2, False)):
            clock.now += passed
            await talk.ask("0600000009")
            assert all((peer._service.chain is not None) is watched for _, peer in controller.connections())  # type: ignore[attr-defined]
        assert await talk.ask("0300000001") == bytes.fromhex("0103020009")
        controller.command("watch", {"tags": ["Level"], "writes": True})
        report = controller.telemetry(whole=False)
        assert report is not None
        assert report["tags"] == {"Level": 9}
        assert "writes" not in report, "those were for who watched before"
        await talk.close()
        await controller.stop()

    asyncio.run(scene())


def test_who_wrote_a_member_wrote_the_tag() -> None:
    async def scene() -> None:
        controller = Controller(replace(CONFIG, tags=(*CONFIG.tags, TagConfig("Timer", "TIMER"))))
        await controller.start()
        controller.command("watch", {"tags": [], "writes": True})
        async with AsyncConnector(HOST, controller.ports["enip"]) as cip:
            await cip.write("Timer.PRE", [7])
            (peer,) = [peer.name for _, peer in controller.connections()]
        for text in ("Timer", "Timer.PRE"):
            row = controller.command(f"tags/{text}")
            assert isinstance(row, dict)
            assert row["writer"] == peer
        await controller.stop()

    asyncio.run(scene())


def test_many_peers_are_told_of_by_the_busiest() -> None:
    async def scene() -> None:
        controller = Controller(CONFIG)
        await controller.start()
        talks = [await dial(controller) for _ in range(PEERS + 3)]
        await talks[-1].ask("0300000001")
        report = controller.telemetry()
        assert report is not None
        assert (report["connections"], len(report["peers"])) == (PEERS + 3, PEERS)
        assert report["peers"][0][3] == 2
        for talk in talks:
            await talk.close()
        await controller.stop()

    asyncio.run(scene())
