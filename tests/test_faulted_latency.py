"""The wait that a reply was made to is in the latency that a node reports, over each protocol and by real clients."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pylogix import PLC

from node.controller import Controller
from tests.enip.test_target import frame
from tests.server.test_enip_udp import ask
from tests.test_faulted_node import HOST, enip, faulted, modbus

pytestmark = pytest.mark.net

SLOW = 0.15
"""Seconds."""
BUCKET = int(SLOW * 1e6).bit_length()
"""Where a request that was held back so long is counted: from 131 ms on, where none on a node that is not slow is."""
ASKED = 3

SLOWNESS: list[tuple[str, Any]] = [
    ("options/delay", SLOW),
    ("faults/add", {"kind": "slow", "seconds": SLOW}),
]


async def by_client(controller: Controller) -> None:
    async with enip(controller) as cip:
        for _ in range(ASKED):
            assert await cip.read("Level") == [1.5]


async def by_pylogix(controller: Controller) -> None:
    def talk() -> None:
        with PLC(HOST, port=controller.ports["enip"], timeout=5) as client:
            for _ in range(ASKED):
                assert client.Read("Level").Value == 1.5
        client.conn.msg_socket.close()  # made by pylogix, and never closed by it

    await asyncio.to_thread(talk)


async def by_datagram(controller: Controller) -> None:
    for _ in range(ASKED):
        assert (await ask(HOST, controller.ports["enip"], frame(0x63)))[:2] == b"\x63\0"


async def by_modbus(controller: Controller) -> None:
    async with modbus(controller) as registers:
        for _ in range(ASKED):
            assert await registers.read_registers("holding", 0, 1) == [1]


@pytest.mark.parametrize(("path", "value"), SLOWNESS, ids=["delay", "fault"])
@pytest.mark.parametrize("talk", [by_client, by_pylogix, by_datagram, by_modbus])
def test_what_a_reply_waits_for_is_in_the_latency(
    talk: Callable[[Controller], Awaitable[None]], path: str, value: Any
) -> None:
    async def scene(controller: Controller) -> None:
        await talk(controller)
        quick = latency(controller)
        assert sum(quick) == requests(controller) >= ASKED, "each request is in one place"
        controller.command(path, value)
        asked, began = requests(controller), time.monotonic()
        await talk(controller)
        more = requests(controller) - asked
        assert more >= ASKED
        assert time.monotonic() - began >= ASKED * SLOW
        late = latency(controller)
        assert sum(late[BUCKET:]) - sum(quick[BUCKET:]) == more
        assert late[:BUCKET] == quick[:BUCKET]

    faulted(scene)


def latency(controller: Controller) -> list[int]:
    """Requests of all protocols by latency bucket."""
    report = controller.telemetry()
    assert report is not None
    found = report["latency"]
    assert isinstance(found, list)
    return [int(str(count)) for count in found] + [0] * (24 - len(found))


def requests(controller: Controller) -> int:
    return sum(metrics.requests for metrics in controller.server.counted.values())
