"""What the command line may say to a supervisor, and what it hears."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from farm.supervisor import api as module
from farm.supervisor import door
from farm.supervisor.api import Api
from farm.supervisor.wire import digest_plant, encode_plant, pack, unpack
from tests.farm.plan.plants import node, plant
from tests.farm.supervisor.platform import Platform, new_platform, supervisor
from tests.waiting import eventually

pytestmark = pytest.mark.net

WORKS = encode_plant(plant(node("pump-1"), node("pump-2")))

Answer = list[dict[str, Any]]

TOLD = ("name", "kind", "profile", "address", "ports", "state", "pid", "restarts", "uptime_s", "condition")


class Desk:
    """The supervisor's socket, asked over and over."""

    def __init__(self, path: Path, api: Api) -> None:
        self.api = api
        self._path = str(path)

    async def dial(self, line: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_unix_connection(self._path)
        writer.write(line)
        return reader, writer

    async def say(self, line: bytes) -> Answer:
        reader, writer = await self.dial(line)
        lines = (await asyncio.wait_for(reader.read(), 10)).splitlines()
        writer.close()
        return [json.loads(each) for each in lines]

    async def ask(self, op: str, **fields: Any) -> dict[str, Any]:
        return (await self.say(pack({"op": op, **fields})))[-1]


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    platform = new_platform(tmp_path)
    yield platform
    platform.close()


def serve(platform: Platform, work: Callable[[Desk], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        async with supervisor(platform) as farm:
            api = Api(farm)
            await api.start()
            try:
                await work(Desk(platform.run.farm_socket, api))
            finally:
                await api.stop()

    asyncio.run(whole())


def test_a_farm_comes_up_and_is_asked_about(platform: Platform) -> None:
    async def work(desk: Desk) -> None:
        *events, last = await desk.say(pack({"op": "apply", "plant": WORKS}))
        assert [row["state"] for row in last["done"]["rows"]] == ["up", "up"]
        assert {event["event"] for event in events} == {"progress", "node"}
        rows = (await desk.ask("ps"))["done"]["rows"]
        assert {name: rows[0][name] for name in TOLD} == {
            "name": "pump-1",
            "kind": "logix",
            "profile": "1756-L61",
            "address": "127.64.1.1",
            "ports": {"enip": 44818},
            "state": "up",
            "pid": rows[0]["pid"],
            "restarts": 0,
            "uptime_s": rows[0]["uptime_s"],
            "condition": "up",
        }
        status = (await desk.ask("status"))["done"]
        assert (status["nodes"], status["up"], status["backend"]) == (2, 2, "memory")
        for names, wanted in (
            (None, WORKS),
            (["pump-2"], encode_plant(plant(node("pump-2")))),
            ([], encode_plant(plant())),
        ):
            assert unpack((await desk.ask("plant", nodes=names))["done"]["plant"]) == wanted
        again = (await desk.ask("apply", known=digest_plant(pack(WORKS))))["done"]
        assert (again["changes"], len(again["rows"])) == (0, 2)
        other = encode_plant(plant(node("pump-1")))
        assert (await desk.ask("apply", known=digest_plant(pack(other))))["done"] == {"unknown": True}
        assert (await desk.ask("restart", nodes=["pump-1"]))["done"]["rows"][0]["state"] == "up"
        heard = (await desk.ask("events"))["done"]["events"]
        assert {event["node"] for event in heard if event["event"] == "node"} == {"pump-1", "pump-2"}

    serve(platform, work)


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"hello\n", "a line that is not JSON: b'hello\\n'"),
        (b"[]\n", "a line that is no JSON object: b'[]\\n'"),
        (b"{}\n", "no operation None; there is apply, down"),
        (b'{"op":"fly"}\n', "no operation 'fly'; there is apply, down"),
        (b'{"op":"apply"}\n', "apply: field 'plant': got None, wanted dict"),
        (b'{"op":"apply","plant":{}}\n', "not a plant: KeyError: 'segments'"),
        (b'{"op":"restart","nodes":3}\n', "restart: field 'nodes': got 3, wanted list"),
        (b'{"op":"command","node":"pump-9","path":"tags"}\n', "no node named 'pump-9' in this farm"),
        (b'{"op":"tags","node":"pump-9"}\n', "no node named 'pump-9' in this farm"),
        (
            pack({"op": "apply", "plant": {**WORKS, "name": "mill"}}),
            "the plant is named 'mill', but this is the run of",
        ),
    ],
)
def test_a_request_that_makes_no_sense_is_one_line(platform: Platform, line: bytes, error: str) -> None:
    async def work(desk: Desk) -> None:
        await desk.ask("apply", plant=WORKS)
        (answer,) = await desk.say(line)
        assert answer["error"].startswith(error)
        assert "ended" not in answer

    serve(platform, work)


def test_a_bug_is_answered_and_logged(
    platform: Platform, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(desk: Desk) -> None:
        await desk.ask("apply", plant=WORKS)
        monkeypatch.setattr(platform, "observe", lambda: 1 / 0)
        answer = await desk.ask("apply", plant=WORKS)
        assert answer["error"].startswith("a bug in the supervisor, see ")
        assert "ZeroDivisionError" in caplog.text

    serve(platform, work)


def test_who_hangs_up_undoes_what_was_begun(platform: Platform) -> None:
    async def work(desk: Desk) -> None:
        platform.silent.add("pump-1")
        _, writer = await desk.dial(pack({"op": "apply", "plant": WORKS}))
        await eventually(lambda: "pump-1" in platform.probed)
        writer.close()
        await asyncio.wait_for(desk.api.over.wait(), 5)
        assert platform.running() == {}
        assert list(platform.run.path.iterdir()) == []

    serve(platform, work)


def test_who_only_looks_in_ends_nothing(platform: Platform) -> None:
    async def work(desk: Desk) -> None:
        _, writer = await desk.dial(b"")
        writer.close()
        await writer.wait_closed()
        assert not desk.api.over.is_set()
        assert "done" in await desk.ask("apply", plant=WORKS)

    serve(platform, work)


def test_a_first_up_that_fails_ends_the_run_before_it_answers(platform: Platform) -> None:
    async def work(desk: Desk) -> None:
        platform.failing["pump-2"] = "the port is taken"
        answer = await desk.ask("apply", plant=WORKS)
        assert answer == {"error": "pump-2: the port is taken", "ended": True}
        assert list(platform.run.path.iterdir()) == []
        await asyncio.wait_for(desk.api.over.wait(), 5)

    serve(platform, work)


def test_down_ends_the_run_before_it_answers(platform: Platform) -> None:
    async def work(desk: Desk) -> None:
        await desk.ask("apply", plant=WORKS)
        answer = await desk.ask("down")
        assert (answer["done"]["nodes"], answer["ended"]) == (2, True)
        assert list(platform.run.path.iterdir()) == []

    serve(platform, work)


def test_a_run_for_which_nobody_comes_ends(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "NOBODY_CAME", 0.02)

    async def work(desk: Desk) -> None:
        await asyncio.wait_for(desk.api.over.wait(), 5)
        assert list(platform.run.path.iterdir()) == []

    serve(platform, work)


def test_events_are_followed_until_the_farm_goes_down(platform: Platform) -> None:
    async def work(desk: Desk) -> None:
        await desk.ask("apply", plant=WORKS)
        reader, writer = await desk.dial(pack({"op": "events", "follow": True}))
        before = [json.loads(await reader.readline()) for _ in range(3)]
        assert [event.get("state", event["text"]) for event in before][:2] == ["up", "up"]
        platform.die("pump-1")
        event = json.loads(await reader.readline())
        assert (event["node"], event["state"]) == ("pump-1", "restarting")
        assert "done" in await desk.ask("down"), "a listener keeps no farm up"
        rest = (await asyncio.wait_for(reader.read(), 5)).splitlines()
        assert json.loads(rest[-1]) == {"done": {}, "ended": True}
        writer.close()

    serve(platform, work)


def test_who_waits_long_hears_that_somebody_works(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "ALIVE_EVERY", 0.01)

    async def work(desk: Desk) -> None:
        platform.silent.add("pump-1")
        answer = await desk.say(pack({"op": "apply", "plant": WORKS, "timeout": 0.2}))
        assert answer.count({"event": "alive"}) >= 2
        assert "not up within 0 s" in answer[-1]["error"]

    serve(platform, work)
