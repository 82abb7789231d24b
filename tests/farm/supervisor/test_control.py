"""The farm's end of the control streams, with shards that are what they say, and others."""

import asyncio
import itertools
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from farm.errors import FarmError
from farm.supervisor import control
from farm.supervisor.control import ControlStreams, Session
from node.control.messages import LIMIT, shard_token
from tests.waiting import eventually

pytestmark = pytest.mark.net

SECRET = "a secret"


class Told:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.hellos: list[str] = []
        self.nodes: dict[str, object] = {}
        self.reports: dict[str, Any] = {}

    def shard_said_hello(self, session: Session) -> None:
        self.hellos.append(session.shard)

    def node_spoke(self, session: Session, node: str) -> None:
        self.nodes[node] = session.ready[node] if node in session.ready else session.failed[node]

    def nodes_reported(self, nodes: dict[str, Any]) -> None:
        self.reports.update(nodes)


class Shard:
    """The other end of one stream."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def say(self, **message: Any) -> None:
        self.writer.write(json.dumps(message).encode() + b"\n")

    def hello(self, name: str = "pump-1", pid: int = 12, token: str | None = None) -> None:
        shown = shard_token(SECRET, name) if token is None else token
        self.say(type="hello", shard=name, token=shown, pid=pid, started=1, nodes=[name])

    async def hung_up(self) -> bool:
        try:
            return await asyncio.wait_for(self.reader.read(), 5) == b""
        except ConnectionResetError:  # on what was not read yet
            return True


Work = Callable[[ControlStreams, Told, Callable[[], Coroutine[Any, Any, Shard]]], Coroutine[Any, Any, None]]


def serve(folder: Path, work: Work) -> None:
    async def whole() -> None:
        told, shards = Told(), []
        streams = ControlStreams(folder / "control.sock", SECRET, told)
        await streams.start()

        async def dial() -> Shard:
            shards.append(Shard(*await asyncio.open_unix_connection(str(folder / "control.sock"))))
            return shards[-1]

        try:
            await work(streams, told, dial)
        finally:
            await streams.stop()
            for shard in shards:
                shard.writer.close()
            await asyncio.sleep(0)

    asyncio.run(whole())


def test_a_shard_says_how_its_nodes_are(tmp_path: Path) -> None:
    async def work(streams: ControlStreams, told: Told, dial: Any) -> None:
        shard = await dial()
        shard.hello()
        shard.say(type="ready", node="pump-1", ports={"enip": 44818})
        shard.say(type="failed", node="pump-2", error="the port is taken")
        shard.say(type="telemetry", nodes={"pump-1": {"requests": 3}})
        shard.say(type="news", of="a later version")
        await eventually(lambda: bool(told.reports))
        assert told.nodes == {"pump-1": {"enip": 44818}, "pump-2": "the port is taken"}
        assert streams.session("pump-1", 12) is not None
        assert streams.session("pump-1", 13) is None, "another process is another shard"

    serve(tmp_path, work)


@pytest.mark.parametrize(
    "line",
    [
        b'{"type":"hello","shard":"pump-1","token":"made up","pid":12}\n',
        b'{"type":"hello","shard":"pump-1","token":"\xc3\xa9","pid":12}\n',
        b'{"type":"hello","shard":"pump-1"}\n',
        b'{"type":"ready","node":"pump-1","ports":{}}\n',
        b'{"type":"telemetry","nodes":{}}\n',
        b"GET / HTTP/1.1\r\n\r\n",
        b"[]\n",
        b"\xff\xfe\n",
    ],
)
def test_somebody_else_is_hung_up_on(tmp_path: Path, line: bytes) -> None:
    async def work(streams: ControlStreams, told: Told, dial: Any) -> None:
        shard = await dial()
        shard.writer.write(line)
        assert await shard.hung_up()
        assert (told.hellos, told.nodes) == ([], {})

    serve(tmp_path, work)


@pytest.mark.parametrize(
    "message",
    [
        {"type": "ready", "node": "pump-1", "ports": ["enip"]},
        {"type": "ready", "node": "pump-1", "ports": {"enip": "many"}},
        {"type": "failed", "node": "pump-1"},
        {"type": "telemetry", "nodes": 3},
        {"type": "answer", "id": "first"},
    ],
)
def test_a_shard_that_makes_no_sense_is_hung_up_on(
    tmp_path: Path, message: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    async def work(streams: ControlStreams, told: Told, dial: Any) -> None:
        shard = await dial()
        shard.hello()
        shard.say(**message)
        assert await shard.hung_up()

    serve(tmp_path, work)
    assert "control stream of pump-1 dropped" in caplog.text


def test_the_token_of_another_shard_is_of_no_use(tmp_path: Path) -> None:
    async def work(streams: ControlStreams, told: Told, dial: Any) -> None:
        shard = await dial()
        shard.hello("pump-1", token=shard_token(SECRET, "pump-2"))
        assert await shard.hung_up()
        assert streams.session("pump-1", 12) is None

    serve(tmp_path, work)


def test_who_says_nothing_is_hung_up_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "HELLO_SECONDS", 0.02)

    async def work(streams: ControlStreams, told: Told, dial: Any) -> None:
        assert await (await dial()).hung_up()
        assert told.hellos == []

    serve(tmp_path, work)


@pytest.mark.parametrize("line", [b"{}\n", b'{"type":"ready"}\n', b'{"type":"ready","node":"a","ports":7}\n', b"x\n"])
def test_a_shard_that_talks_nonsense_is_hung_up_on(tmp_path: Path, line: bytes) -> None:
    async def work(streams: ControlStreams, told: Told, dial: Any) -> None:
        shard = await dial()
        shard.hello()
        shard.writer.write(line)
        assert await shard.hung_up()
        session = streams.session("pump-1", 12)
        assert session is not None
        await eventually(lambda: not session.open)

    serve(tmp_path, work)


def test_what_a_dead_shard_said_last_is_kept_until_it_is_not_wanted(tmp_path: Path) -> None:
    async def work(streams: ControlStreams, told: Told, dial: Any) -> None:
        shard = await dial()
        shard.hello()
        shard.say(type="failed", node="pump-1", error="the port is taken")
        shard.writer.close()
        await eventually(lambda: bool(told.nodes))
        session = streams.session("pump-1", 12)
        assert session is not None
        await eventually(lambda: not session.open)
        assert session.failed == {"pump-1": "the port is taken"}
        streams.forget("pump-1")
        assert streams.session("pump-1", 12) is None

    serve(tmp_path, work)


def test_a_line_without_an_end_is_not_kept(tmp_path: Path) -> None:
    async def work(streams: ControlStreams, told: Told, dial: Any) -> None:
        shard = await dial()
        shard.writer.write(b"x" * (LIMIT + 70_000))
        assert await shard.hung_up()
        assert told.hellos == []

    serve(tmp_path, work)


def test_the_last_connection_of_a_shard_counts(tmp_path: Path) -> None:
    async def work(streams: ControlStreams, told: Told, dial: Any) -> None:
        first, second = await dial(), await dial()
        first.hello(pid=12)
        await eventually(lambda: len(told.hellos) == 1)
        second.hello(pid=13)
        assert await first.hung_up()
        assert streams.session("pump-1", 13) is not None

    serve(tmp_path, work)


def test_a_command_is_answered(tmp_path: Path) -> None:
    async def work(streams: ControlStreams, told: Told, dial: Any) -> None:
        shard = await dial()
        shard.hello()
        await eventually(lambda: bool(told.hellos))
        session = streams.session("pump-1", 12)
        assert session is not None
        good = asyncio.create_task(session.command("pump-1", "tags/Level"))
        bad = asyncio.create_task(session.command("pump-1", "tags/Nope", 3))
        asked = [json.loads(await shard.reader.readline()) for _ in range(2)]
        assert asked[1] == {"type": "command", "id": 2, "node": "pump-1", "path": "tags/Nope", "value": 3}
        shard.say(type="answer", id=99, value="to nobody")
        shard.say(type="answer", id=2, error="no tag 'Nope'")
        shard.say(type="answer", id=1, value=[1, 2])
        assert await good == [1, 2]
        with pytest.raises(FarmError, match=r"^pump-1: no tag 'Nope'$"):
            await bad

    serve(tmp_path, work)


def test_a_command_that_is_not_answered_ends(tmp_path: Path) -> None:
    async def work(streams: ControlStreams, told: Told, dial: Any) -> None:
        shard = await dial()
        shard.hello()
        await eventually(lambda: bool(told.hellos))
        session = streams.session("pump-1", 12)
        assert session is not None
        with pytest.raises(FarmError, match=r"^pump-1: no answer to tags within 0\.01 s$"):
            await session.command("pump-1", "tags", seconds=0.01)
        asked = asyncio.create_task(session.command("pump-1", "tags"))
        await asyncio.sleep(0)
        shard.writer.close()
        with pytest.raises(FarmError, match=r"^pump-1: its process ended before it answered$"):
            await asked
        with pytest.raises(FarmError, match=r"^pump-1: its shard hung up$"):
            await session.command("pump-1", "tags")

    serve(tmp_path, work)


def test_shards_are_told_how_often_to_report_each_at_a_time_of_its_own(tmp_path: Path) -> None:
    async def work(streams: ControlStreams, told: Told, dial: Any) -> None:
        early = [await dial() for _ in range(4)]
        for number, shard in enumerate(early):
            shard.hello(f"shard-{number}")
        await eventually(lambda: len(told.hellos) == 4)
        streams.pace(4)
        streams.pace(4)
        late = await dial()
        late.hello("shard-9")
        said = [json.loads(await shard.reader.readline()) for shard in (*early, late)]
        assert {(each["type"], each["every"]) for each in said} == {("pace", 4)}
        firsts = sorted(each["first"] for each in said)
        assert firsts[0] >= 0 and firsts[-1] < 4
        assert min(later - earlier for earlier, later in itertools.pairwise(firsts)) > 0.3
        streams.pace(1)
        assert [json.loads(await shard.reader.readline())["every"] for shard in (*early, late)] == [1] * 5

    serve(tmp_path, work)
