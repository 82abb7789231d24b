"""The agent says all that is so after each hello, answers commands, and outlives the farm."""

import asyncio
import contextlib
import itertools
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from node.beat import Beat
from node.control import agent as agent_module
from node.control.agent import Agent, ControlStream
from node.control.messages import LIMIT, Message, Pace, decode, encode
from node.errors import NodeError
from tests.control.farm_end import farm_end

pytestmark = pytest.mark.net


class OneNode:
    """A reporter for one node that counts the telemetry it was asked for."""

    def __init__(self) -> None:
        self.asked = itertools.count(1)
        self.up = True
        self.stumbles: set[int] = set()
        """Reports that a bug keeps from being made."""

    def hello(self) -> Message:
        return {"shard": "plc", "token": "t", "pid": 1, "started": 2, "nodes": ["plc"]}

    def states(self) -> list[Message]:
        if self.up:
            return [{"type": "ready", "node": "plc", "ports": {"enip": 44818}}]
        return [{"type": "failed", "node": "plc", "error": "no address"}]

    def telemetry(self, whole: bool) -> dict[str, Message | None]:
        asked = next(self.asked)
        if asked in self.stumbles:
            raise ZeroDivisionError
        return {"plc": {"requests": asked, "whole": whole}}

    async def command(self, node: str, path: str, value: Any) -> Any:
        if path == "refuse":
            raise NodeError("no such tag")
        if path == "bug":
            raise ZeroDivisionError
        if path == "big":
            return "x" * int(value)
        if path == "unprintable":
            return {1, 2}
        return [node, path, value]


def drive(path: Path, reporter: OneNode, script: Callable[[Agent], None]) -> None:
    """Run an agent while `script` runs in a thread."""

    async def both() -> None:
        agent = Agent(str(path), reporter)
        talking = asyncio.create_task(agent.run())
        try:
            await asyncio.to_thread(script, agent)
        finally:
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)

    asyncio.run(both())


def test_hello_states_and_telemetry(tmp_path: Path) -> None:
    path = tmp_path / "c"

    def script(agent: Agent) -> None:
        with farm_end(path) as farm:
            farm.wait_for(lambda: farm.telemetry.get("plc", {}).get("requests", 0) >= 2)
            assert farm.telemetry["plc"]["whole"] is False, "only the first one after hello is"
            assert farm.hellos["plc"]["token"] == "t"
            assert farm.ready == {"plc": {"enip": 44818}}

    drive(path, OneNode(), script)


def test_a_report_that_could_not_be_made_is_not_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_module, "TELEMETRY_EVERY", 0.01)
    path, reporter = tmp_path / "c", OneNode()
    reporter.stumbles = {2, 3}

    def script(agent: Agent) -> None:
        with farm_end(path) as farm:
            farm.wait_for(lambda: farm.telemetry.get("plc", {}).get("requests", 0) >= 5)

    drive(path, reporter, script)


def test_commands_are_answered_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "c"

    def script(agent: Agent) -> None:
        with farm_end(path) as farm:
            farm.wait_for(lambda: farm.hellos)
            assert farm.ask("plc", "tags", 3)["value"] == ["plc", "tags", 3]
            assert farm.ask("plc", "refuse")["error"] == "no such tag"
            assert "ZeroDivisionError" in farm.ask("plc", "bug")["error"]
            assert "JSON" in farm.ask("plc", "unprintable")["error"]
            assert len(farm.ask("plc", "big", 300_000)["value"]) == 300_000

    drive(path, OneNode(), script)


def test_a_farm_that_comes_back_hears_all_again(tmp_path: Path) -> None:
    path, reporter = tmp_path / "c", OneNode()

    def script(agent: Agent) -> None:
        with farm_end(path) as farm:
            farm.wait_for(lambda: farm.ready)
        path.unlink()
        reporter.up = False
        with farm_end(path) as farm:
            farm.wait_for(lambda: farm.failed)
            assert farm.failed == {"plc": "no address"}

    drive(path, reporter, script)


def accept(listener: socket.socket) -> socket.socket:
    listener.settimeout(10)
    stream, _ = listener.accept()
    stream.settimeout(10)
    return stream


def ended(stream: socket.socket) -> bool:
    """Read on to the end of the stream."""
    try:
        while stream.recv(1 << 20):
            pass
    except ConnectionError:
        pass
    return True


@pytest.mark.parametrize("sent", [b"no json\n", b"[]\n", b"x" * (LIMIT + 1)], ids=["words", "list", "endless"])
def test_a_farm_that_talks_nonsense_is_hung_up_on_and_dialled_again(tmp_path: Path, sent: bytes) -> None:
    path = tmp_path / "c"

    def script(agent: Agent) -> None:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()
            with accept(listener) as stream:
                with contextlib.suppress(ConnectionError):
                    stream.sendall(sent)
                assert ended(stream)
            with accept(listener) as stream:
                assert b"hello" in stream.recv(65536)

    drive(path, OneNode(), script)


def test_a_farm_that_does_not_read_costs_a_bounded_buffer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_module, "TELEMETRY_EVERY", 0.001)
    path, reporter = tmp_path / "c", OneNode()

    def script(agent: Agent) -> None:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()
            with accept(listener) as stream:
                big = encode({"type": "command", "id": 1, "node": "plc", "path": "big", "value": LIMIT // 2})
                stream.sendall(big * 3)
                with accept(listener) as again:  # the first was dropped, and another dialled
                    assert b"hello" in again.recv(65536)
                assert ended(stream)

    drive(path, reporter, script)


class Recorded(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.lines.append(bytes(data))

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return False


def test_telemetry_stops_while_the_socket_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_module, "TELEMETRY_EVERY", 0.0)
    transport, reporter = Recorded(), OneNode()

    async def script() -> None:
        stream = ControlStream(reporter, asyncio.get_running_loop().create_future(), Beat())
        stream.connection_made(transport)
        stream.pause_writing()
        before = len(transport.lines)
        for _ in range(5):
            await asyncio.sleep(0)
        assert len(transport.lines) == before
        stream.resume_writing()
        for _ in range(5):
            await asyncio.sleep(0)
        assert len(transport.lines) > before
        stream.connection_lost(None)
        assert stream.closed.done()

    asyncio.run(asyncio.wait_for(script(), 10))
    assert transport.lines[-1].startswith(b'{"type":"telemetry"')


class ManyNodes(OneNode):
    """A reporter for as many nodes as a large shard has."""

    def telemetry(self, whole: bool) -> dict[str, Message | None]:
        return {f"plc-{number}": {"requests": number} if whole else None for number in range(1000)}


def test_many_nodes_report_in_several_messages() -> None:
    transport = Recorded()

    async def script() -> None:
        stream = ControlStream(ManyNodes(), asyncio.get_running_loop().create_future(), Beat())
        stream.connection_made(transport)
        stream.connection_lost(None)

    asyncio.run(script())
    messages = [decode(line) for line in transport.lines]
    reports = [message["nodes"] for message in messages if message["type"] == "telemetry"]
    assert [len(nodes) for nodes in reports] == [agent_module.TOGETHER] * (1000 // agent_module.TOGETHER)
    assert {name: report for nodes in reports for name, report in nodes.items()} == ManyNodes().telemetry(True)


class BusyNodes(OneNode):
    """Whose first report is longer than what may lie unread."""

    count = 2 * LIMIT // 2000

    def telemetry(self, whole: bool) -> dict[str, Message | None]:
        return {f"plc-{number}": {"peers": "x" * 2000} if whole else None for number in range(self.count)}


def test_a_report_of_any_length_is_said_as_fast_as_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "c"

    def script(agent: Agent) -> None:
        with farm_end(path) as farm:
            farm.wait_for(lambda: len(farm.telemetry) == BusyNodes.count)
            farm.wait_for(lambda: farm.reports["plc-0"] > 1)

    drive(path, BusyNodes(), script)


def test_telemetry_comes_as_often_as_the_farm_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_module, "TELEMETRY_EVERY", 1000.0)
    path = tmp_path / "c"

    def script(agent: Agent) -> None:
        with farm_end(path) as farm:
            farm.wait_for(lambda: farm.reports["plc"] == 1)
            farm.tell("plc", Pace(0.01, 0.005).encode())
            farm.wait_for(lambda: farm.reports["plc"] >= 5)
            farm.tell("plc", Pace(1000.0, 0.0).encode())
            farm.wait_for(lambda: farm.ask("plc", "tags", 3))
            heard = farm.reports["plc"]
            time.sleep(0.1)
            assert farm.reports["plc"] <= heard + 1, "one at once, as it was told, and then none for long"

    drive(path, OneNode(), script)


def test_a_pace_that_nobody_can_keep_ends_the_stream(tmp_path: Path) -> None:
    path = tmp_path / "c"

    def script(agent: Agent) -> None:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()
            with accept(listener) as stream:
                stream.sendall(encode({"type": "pace", "every": 0, "first": 0}))
                assert ended(stream)

    drive(path, OneNode(), script)


def test_last_words_are_heard_before_the_end(tmp_path: Path) -> None:
    path, reporter = tmp_path / "c", OneNode()
    reporter.up = False

    async def fail_and_end() -> None:
        agent = Agent(str(path), reporter)
        talking = asyncio.create_task(agent.run())
        await asyncio.wait_for(agent.last_words(), 10)
        talking.cancel()

    with farm_end(path) as farm:
        asyncio.run(fail_and_end())
        farm.wait_for(lambda: farm.failed)
        assert len(farm.failed) == 1
