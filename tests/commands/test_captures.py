"""Captures of a node by its commands: begun, read, ended, no more than a few, and nothing attached without one."""

import asyncio
from binascii import a2b_base64
from typing import Any

import pytest

from node.client.aio import AsyncConnector
from node.commands.captures import MOST, CaptureCommands
from node.commands.errors import CommandError
from node.config.model import EnipConfig, IdentityConfig, NodeConfig, TagConfig
from node.controller import Controller

IDENTITY = IdentityConfig(1, 14, 54, (20, 11), 0x3160, 0x1234, "1756-L61/B LOGIX5561")
NODE = NodeConfig("plc", "logix", "1756-L61", "127.0.0.1", (TagConfig("Level", "REAL"),), EnipConfig(IDENTITY, port=0))


@pytest.fixture
def captures() -> CaptureCommands:
    return CaptureCommands("127.0.0.1", lambda: 5.0, lambda: 1e9, lambda: None)


def test_no_more_than_a_few_at_a_time(captures: CaptureCommands) -> None:
    assert [captures.run("start") for _ in range(MOST)] == [{"id": number} for number in range(1, MOST + 1)]
    with pytest.raises(CommandError, match="there are 4 captures of this node"):
        captures.run("start")
    assert captures.run("2/stop") == {"lost": 0}
    assert captures.run("start") == {"id": MOST + 1}
    listed = captures.run("")
    assert isinstance(listed, list)
    assert {"id": 1, "lost": 0} in listed


@pytest.mark.parametrize("path", ["7/read", "1/look", "start/now", "x/read", "99999999999/read", "-1/stop"])
def test_what_is_not_there(captures: CaptureCommands, path: str) -> None:
    captures.run("start")
    with pytest.raises(CommandError, match=r"there is no capture/.*; there is start, ID/read and ID/stop"):
        captures.run(path)


@pytest.mark.net
def test_a_node_shows_what_passes_and_is_as_fast_as_before_after_it() -> None:
    async def whole() -> list[Any]:
        controller = Controller(NODE, wall=lambda: 1_700_000_000.0)
        await controller.start()
        assert controller._enip is not None
        assert controller._enip.chain is None
        assert controller.command("capture/start") == {"id": 1}
        async with AsyncConnector("127.0.0.1", controller.ports["enip"], 5.0) as plc:
            await plc.read("Level", 1)
            controller.delay = (0.0, 0.01)
            await plc.read("Level", 1)
        answer: Any = controller.command("capture/1/read")
        controller.delay = (0.0, 0.0)
        assert controller._enip.chain is not None
        assert controller.command("capture/1/stop") == {"lost": 0}
        assert controller._enip.chain is None
        await controller.stop()
        assert (answer["lost"], answer["more"]) == (0, False)
        return list(answer["packets"])

    packets = asyncio.run(whole())
    assert all(abs(when / 1e9 - 1_700_000_000) < 10 for when, _ in packets)
    frames = [a2b_base64(frame) for _, frame in packets]
    assert sum(b"Level" in frame for frame in frames) == 2
    assert len([frame for frame in frames if len(frame) > 66]) >= 6, "session, two reads, each with its reply"
