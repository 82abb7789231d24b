"""Streams of shards that have reported are read together, and who is waited for at once."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from farm.supervisor import gathering
from farm.supervisor.control import ControlStreams
from tests.farm.supervisor.test_control import Shard, Told, serve
from tests.waiting import eventually

pytestmark = pytest.mark.net


async def reporting(told: Told, dial: Any, *names: str) -> list[Shard]:
    """Shards that are there and have reported once."""
    shards = []
    for name in names:
        shards.append(await dial())
        shards[-1].hello(name)
        shards[-1].say(type="telemetry", nodes={name: {"requests": 1}})
    await eventually(lambda: told.reports.keys() == set(names))
    told.reports.clear()
    return shards


def test_what_is_said_within_a_moment_is_heard_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "SPAN", 0.5)

    async def work(streams: ControlStreams, told: Told, dial: Any) -> None:
        shards = await reporting(told, dial, "pump-1", "pump-2", "pump-3")
        for number, shard in enumerate(shards, 1):
            shard.say(type="telemetry", nodes={f"pump-{number}": {"requests": 2}})
            await asyncio.sleep(0.02)
            assert told.reports == {}
        await eventually(lambda: bool(told.reports))
        assert len(told.reports) == len(shards)
        shards[0].say(type="telemetry", nodes={"pump-1": {"requests": 3}})  # and once more
        await eventually(lambda: told.reports["pump-1"] == {"requests": 3})

    serve(tmp_path, work)


def test_an_answer_is_heard_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "SPAN", 30.0)

    async def work(streams: ControlStreams, told: Told, dial: Any) -> None:
        (shard,) = await reporting(told, dial, "pump-1")
        session = streams.session("pump-1", 12)
        assert session is not None
        for path in ("tags", "tags/Level"):
            asked = asyncio.ensure_future(session.command("pump-1", path))
            line = await shard.reader.readline()
            shard.say(type="answer", id=int(line.partition(b'"id":')[2].partition(b",")[0]), value=path)
            assert await asked == path
            shard.say(type="telemetry", nodes={"pump-1": {"requests": 2}})
            await eventually(lambda: bool(told.reports))
            told.reports.clear()

    serve(tmp_path, work)


@pytest.mark.parametrize("way", ["hangs up", "has its stream ended from here"])
def test_a_shard_that_is_laid_aside_and_ends(tmp_path: Path, way: str) -> None:
    async def work(streams: ControlStreams, told: Told, dial: Any) -> None:
        one, other = await reporting(told, dial, "pump-1", "pump-2")
        session = streams.session("pump-1", 12)
        assert session is not None
        if way == "hangs up":
            one.writer.close()
        else:
            session.close()
        await eventually(lambda: not session.open)
        other.say(type="telemetry", nodes={"pump-2": {"requests": 2}})
        await eventually(lambda: told.reports == {"pump-2": {"requests": 2}})

    serve(tmp_path, work)


def test_what_no_one_expects_ends_its_own_stream_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def work(streams: ControlStreams, told: Told, dial: Any) -> None:
        def stumbling(session: Any, node: str) -> None:
            raise RuntimeError("a bug")

        told.node_spoke = stumbling  # type: ignore[method-assign]
        one, other, third = await reporting(told, dial, "pump-1", "pump-2", "pump-3")
        for shard in (one, other):
            shard.say(type="ready", node="pump-1", ports={})
        third.say(type="telemetry", nodes={"pump-3": {"requests": 2}})
        assert await one.hung_up() and await other.hung_up()
        await eventually(lambda: told.reports == {"pump-3": {"requests": 2}})
        third.say(type="telemetry", nodes={"pump-3": {"requests": 3}})
        await eventually(lambda: told.reports == {"pump-3": {"requests": 3}})

    serve(tmp_path, work)
    assert caplog.text.count("a bug in what a stream is told") == 2


def test_a_silent_farm_wakes_nobody(tmp_path: Path) -> None:
    async def work(streams: ControlStreams, told: Told, dial: Any) -> None:
        await reporting(told, dial, "pump-1", "pump-2")
        await asyncio.sleep(4 * gathering.SPAN)
        loop = asyncio.get_running_loop()
        turns = 0
        before = loop._run_once  # type: ignore[attr-defined]

        def counted() -> None:
            nonlocal turns
            turns += 1
            before()

        loop._run_once = counted  # type: ignore[attr-defined]
        began = time.monotonic()
        await asyncio.sleep(8 * gathering.SPAN)
        assert time.monotonic() - began >= 8 * gathering.SPAN
        assert turns <= 3

    serve(tmp_path, work)
