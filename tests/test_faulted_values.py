"""Values that are wrong on purpose, over both protocols; commands that cannot be done; and that nothing is left."""

import asyncio
import math
from typing import Any

import pytest

from node.cip.status import CipError
from node.commands.errors import CommandError
from node.controller import Controller
from node.modbus.functions import ModbusError
from tests.server.serving import REGISTER
from tests.test_faulted_node import enip, faulted, modbus, raw, rows, tag

pytestmark = pytest.mark.net


def test_values_that_are_wrong_are_wrong_over_both_protocols() -> None:
    async def talk(controller: Controller) -> None:
        async with enip(controller) as cip, modbus(controller) as registers:
            assert await cip.read("Count", 2) == await registers.read_registers("holding", 0, 2) == [1, 2]
            assert controller.command("tags/Count[1]/force", 77)
            assert await cip.read("Count", 3) == await registers.read_registers("holding", 0, 3) == [1, 77, 3]
            await cip.write("Count[1]", [5])
            await registers.write_registers(0, [9])
            assert await cip.read("Count", 2) == await registers.read_registers("holding", 0, 2) == [9, 77]
            controller.command("faults/add", {"kind": "bias", "tag": "Count", "by": 100})
            assert await cip.read("Count", 2) == await registers.read_registers("holding", 0, 2) == [109, 77]
            report = controller.telemetry()
            assert report is not None
            assert (report["forced"], report["faults"]) == (1, 1)
            assert tag(controller, "Count")["source"] == "forced"
            assert controller.command("tags/release") == 1
            controller.command("faults/clear")
            assert await cip.read("Count", 2) == await registers.read_registers("holding", 0, 2) == [9, 5]
            assert tag(controller, "Count")["source"] == "write"

    faulted(talk)


def test_what_is_frozen_and_what_has_no_quality() -> None:
    async def talk(controller: Controller) -> None:
        async with enip(controller) as cip, modbus(controller) as registers:
            controller.command("faults/add", {"kind": "freeze", "tag": "*", "id": 1})
            frozen = await cip.read("Moving")
            await cip.write("Level", [8.0])
            await asyncio.sleep(1.1)
            assert await cip.read("Moving") == frozen
            assert await cip.read("Level") == [1.5]
            controller.command("faults/add", {"kind": "bad-quality", "tag": "*", "id": 1})
            (level,) = await cip.read("Level")
            assert isinstance(level, float)
            assert math.isnan(level)
            assert await registers.read_registers("holding", 0, 1) == [0x8000]
            assert tag(controller, "Level")["value"] is None
            with pytest.raises(CipError, match="device state conflict"):
                await cip.read("Run")
            with pytest.raises(ModbusError) as caught:
                await registers.read_bits("coils", 0, 1)
            assert caught.value.code == 4
            controller.command("faults/clear")
            assert await cip.read("Level") == [8.0]
            assert await cip.read("Moving") != frozen

    faulted(talk)


def test_looking_at_a_tag_takes_no_chance() -> None:
    async def talk(controller: Controller) -> None:
        async with enip(controller) as cip:

            async def spikes(look: bool) -> list[object]:
                controller.command("faults/add", {"kind": "spike", "tag": "Level", "by": 50, "percent": 30, "id": 1})
                found: list[object] = []
                for _ in range(40):
                    if look:
                        tag(controller, "Level")
                        controller.command("tags")
                        controller.command("watch", {"tags": ["Level"], "writes": True})
                        controller.telemetry()
                    found += await cip.read("Level")
                return found

            plain = await spikes(False)
            assert set(plain) == {1.5, 51.5}
            assert await spikes(True) == plain

    faulted(talk)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("faults/add", None, "fault: got None; wanted a map"),
        ("faults/add", {"kind": "slow"}, "slow: seconds is missing"),
        ("faults/add", {"kind": "drop", "id": 0}, "fault: id: got 0; wanted a number above 0"),
        ("faults/add", {"kind": "drop", "id": "x"}, "fault: id: got 'x'; wanted a number above 0"),
        ("faults/add", {"kind": "freeze", "tag": "Nope"}, "there is no tag 'Nope'"),
        ("faults/add", {"kind": "bias", "tag": "Run", "by": 1}, "Run is a BOOL and no number"),
        ("faults/7", None, "there is no faults/7; there is add, clear and ID/clear"),
        ("tags/Level/force", None, "give the value that it is to have"),
        ("tags/Level/force", "warm", "'warm' does not fit REAL"),
        ("tags/Count/force", 5, "Count is an array of 4"),
        ("tags/Nope/force", 5, "there is no tag 'Nope'"),
        ("tags/Level/error", "x", "'x' is no status; wanted a general status 1 to 255"),
        ("tags/Level/error", [0, 5], r"\[0, 5\] is no status"),
    ],
)
def test_a_command_that_cannot_be_done_says_why_and_leaves_nothing(path: str, value: Any, said: str) -> None:
    async def talk(controller: Controller) -> None:
        with pytest.raises(CommandError, match=said):
            controller.command(path, value)
        assert rows(controller) == []
        assert [attribute.gate for _, attribute in controller.tags] == [None] * 4

    faulted(talk)


def test_what_is_cleared_twice_is_cleared() -> None:
    async def talk(controller: Controller) -> None:
        assert controller.command("faults/5/clear") == 0
        assert controller.command("faults/clear") == 0
        controller.command("faults/add", {"kind": "drop"})
        controller.command("faults/add", {"kind": "drop", "percent": 5})
        assert [row["id"] for row in rows(controller)] == [1, 2]
        assert [controller.command("faults/1/clear") for _ in range(2)] == [1, 0]
        assert controller.command("tags/Level/error", 8) == 8
        assert controller.command("tags/Level/error") == 8
        assert [controller.command("tags/Level/error", 0) for _ in range(2)] == [0, 0]
        assert controller.command("tags/Level/release") == 0

    faulted(talk)


def test_nothing_is_left_when_all_has_ended() -> None:
    async def talk(controller: Controller) -> None:
        for number, body in enumerate(
            [
                {"kind": "slow", "seconds": 0.1},
                {"kind": "drop"},
                {"kind": "reset", "after": 1},
                {"kind": "status", "code": 8},
                {"kind": "truncate"},
                {"kind": "corrupt"},
                {"kind": "freeze", "tag": "*"},
                {"kind": "bias", "tag": "*", "by": 1},
                {"kind": "spike", "tag": "Level", "by": 1},
                {"kind": "bad-quality", "tag": "Level"},
                {"kind": "status", "code": 8, "tag": "*"},
                {"kind": "refuse"},
                {"kind": "offline"},
            ],
            1,
        ):
            controller.command("faults/add", {**body, "for": 60})
            assert len(rows(controller)) == number
        assert controller.command("faults/clear") == 13
        await controller.server.settled()
        assert [attribute.gate for _, attribute in controller.tags] == [None] * 4
        client = await raw(controller)
        client.writer.write(REGISTER)
        assert len(await client.frame()) == 28
        for _, peer in controller.connections():
            assert peer._service.chain is None  # type: ignore[attr-defined]
        await client.close()

    faulted(talk)
