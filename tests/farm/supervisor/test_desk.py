"""The dashboard's door: which operations, for whom, and what comes through it."""

import asyncio
import contextlib
import json
import os
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from farm.backends.forked import FIRST_USER, USERS
from farm.supervisor import desk as module
from farm.supervisor.dashboard_user import DASHBOARD_USER, dashboard_user
from farm.supervisor.desk import ALLOWED, Desk
from farm.supervisor.fleet import LOG_ENTRIES
from farm.supervisor.operations import Operations
from farm.supervisor.supervisor import Supervisor
from farm.supervisor.wire import pack
from tests.farm.plan.plants import node, plant
from tests.farm.supervisor.platform import Platform, new_platform, supervisor
from tests.waiting import eventually

pytestmark = pytest.mark.net

WORKS = plant(node("pump-1"), node("pump-2"))

KNOCK = """
import os, socket, sys
path, user = sys.argv[1], int(sys.argv[2])
os.setgroups([])
os.setgid(user)
os.setuid(user)
sock = socket.socket(socket.AF_UNIX)
try:
    sock.connect(path)
    sock.sendall(b'{"op":"status"}\\n')
    print(len(sock.recv(1 << 20)))
except OSError as exc:
    print(type(exc).__name__)
"""

Work = Callable[[Supervisor, "Asking"], Coroutine[Any, Any, None]]


class Asking:
    """A client of the dashboard's socket."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)

    async def open(self, **request: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_unix_connection(self._path, limit=1 << 22)
        writer.write(pack(request))
        return reader, writer

    async def ask(self, **request: Any) -> dict[str, Any]:
        reader, writer = await self.open(**request)
        answer = (await asyncio.wait_for(reader.read(), 10)).splitlines()[-1]
        writer.close()
        found: dict[str, Any] = json.loads(answer)
        return found


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    platform = new_platform(tmp_path)
    yield platform
    platform.close()


def serve(platform: Platform, work: Work) -> None:
    async def whole() -> None:
        async with supervisor(platform) as farm:
            await farm.apply(WORKS, lambda event: None, dry_run=False, seconds=5)
            desk = Desk(farm)
            await desk.start()
            try:
                await work(farm, Asking(platform.run.dashboard_socket))
            finally:
                await desk.stop()

    asyncio.run(whole())


def test_the_pages_get_what_they_need(platform: Platform) -> None:
    async def work(farm: Supervisor, desk: Asking) -> None:
        nodes = (await desk.ask(op="nodes"))["done"]
        assert [row["name"] for row in nodes["nodes"]] == ["pump-1", "pump-2"]
        assert nodes["generation"] == farm.fleet.generation
        found = (await desk.ask(op="node", node="pump-1"))["done"]
        assert found["identity"]["enip"]["product_name"] == "1756-L61/B LOGIX5561"
        assert found["config"]["tags"] == [{"name": "Level", "type": "REAL"}]
        assert (found["row"]["state"], found["log"]) == ("up", [])
        assert set((await desk.ask(op="trend", node="pump-1", tags=["Level"], since=0))["done"]) == {
            *("times", "requests", "errors", "p50", "p99", "connections", "tags")
        }
        assert (await desk.ask(op="clients"))["done"] == {"clients": [], "edges": []}
        assert (await desk.ask(op="faults"))["done"] == {"faults": []}
        events = (await desk.ask(op="events", since=0, limit=2))["done"]
        assert [event["id"] for event in events["events"]] == [events["last"] - 1, events["last"]]
        assert (await desk.ask(op="events", since=events["last"]))["done"]["events"] == []

    serve(platform, work)


def test_and_nothing_else(platform: Platform) -> None:
    async def work(farm: Supervisor, desk: Asking) -> None:
        refused = set(Operations(farm).table) - set(ALLOWED)
        assert refused == {"apply", "down", "ps", "link", "record", "record_stop", "replay_put", "replay_stop"}
        for op in refused:
            assert (await desk.ask(op=op))["error"].startswith(f"no operation '{op}'; there is fleet")
        assert platform.running()

    serve(platform, work)


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"op": "node", "node": "pump-9"}, "no node named 'pump-9' in this farm"),
        ({"op": "trend", "node": "pump-1", "since": "soon"}, "trend: field 'since': got 'soon', wanted a number"),
        ({"op": "watch", "node": "pump-1", "tags": [1]}, "watch: field 'tags': got [1], wanted a list of texts"),
        ({"op": "fault_clear", "id": "all"}, "fault_clear: field 'id': got 'all'"),
        ({"op": "fault_clear", "id": 7}, "there is no fault 7"),
        ({"op": "fault_add", "fault": "slow"}, "fault_add: field 'fault': got 'slow', wanted dict"),
        ({"op": "stop", "nodes": ["pump-9"]}, "no node named 'pump-9' in this farm"),
    ],
)
def test_a_request_that_makes_no_sense_is_one_line(platform: Platform, request_: dict[str, Any], error: str) -> None:
    async def work(farm: Supervisor, desk: Asking) -> None:
        assert (await desk.ask(**request_))["error"].startswith(error)

    serve(platform, work)


def test_an_error_says_what_to_do(platform: Platform) -> None:
    async def work(farm: Supervisor, desk: Asking) -> None:
        answer = await desk.ask(op="fault_add", fault={"kind": "offline"}, nodes=["pmup-1"])
        assert answer["hint"] == "did you mean 'pump-1'?"

    serve(platform, work)


def test_the_stream_begins_at_once_and_ends_with_the_farm(platform: Platform) -> None:
    async def work(farm: Supervisor, desk: Asking) -> None:
        reader, writer = await desk.open(op="fleet")
        first = json.loads(await asyncio.wait_for(reader.readline(), 0.9))
        assert (first["event"], first["frame"]["full"]) == ("fleet", True)
        farm.events.farm("something happened")
        entry = json.loads(await asyncio.wait_for(reader.readline(), 5))
        assert (entry["event"], entry["entry"]["text"]) == ("log", "something happened")
        second = json.loads(await asyncio.wait_for(reader.readline(), 5))
        assert second["frame"]["seq"] == first["frame"]["seq"] + 1
        farm.ended.set()
        lines = (await asyncio.wait_for(reader.read(), 5)).splitlines()
        assert json.loads(lines[-1]) == {"done": {}}
        writer.close()
        farm.ended.clear()

    serve(platform, work)


def test_who_leaves_is_no_longer_followed_and_who_does_not_read_is_not_waited_for(platform: Platform) -> None:
    async def work(farm: Supervisor, desk: Asking) -> None:
        streams = [await desk.open(op="fleet") for _ in range(3)]
        await eventually(lambda: farm.fleet.watched == 3)
        for number in range(5_000):
            farm.events.farm(f"{number} " + "x" * 200)
            if number % 200 == 0:
                await asyncio.sleep(0)
        assert max(len(each._entries) for each in farm.fleet._followers) <= LOG_ENTRIES
        assert (await desk.ask(op="nodes"))["done"]["nodes"], "others are answered"
        for _, writer in streams:
            writer.close()
        await eventually(lambda: farm.fleet.watched == 0)

    serve(platform, work)


def test_there_are_not_more_connections_than_can_be(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 2)

    async def work(farm: Supervisor, desk: Asking) -> None:
        streams = [await desk.open(op="fleet") for _ in range(3)]
        for reader, _ in streams[:2]:
            assert await asyncio.wait_for(reader.readline(), 5)
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.wait_for(streams[2][0].readline(), 5) == b""
        for _, writer in streams:
            writer.close()

    serve(platform, work)


def test_its_user_is_no_nodes() -> None:
    assert not FIRST_USER <= DASHBOARD_USER < FIRST_USER + USERS
    assert dashboard_user() in (None, DASHBOARD_USER)
    if os.geteuid() != 0:
        assert dashboard_user() is None


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="need root: another user")
def test_only_that_user_is_let_in(platform: Platform, tmp_path: Path) -> None:
    async def run(path: Path, user: int) -> str:
        """What another user's process sees of the socket."""
        asked = ["python3", "-c", KNOCK, str(path), str(user)]
        process = await asyncio.create_subprocess_exec(*asked, stdout=asyncio.subprocess.PIPE)
        return (await process.communicate())[0].decode().strip()

    async def work(farm: Supervisor, desk: Asking) -> None:
        path = platform.run.dashboard_socket
        for folder in (tmp_path, *tmp_path.parents):
            if folder != Path("/") and folder.stat().st_uid == os.getuid() and not folder.stat().st_mode & 0o001:
                opened.append((folder, folder.stat().st_mode))
                folder.chmod(folder.stat().st_mode | 0o011)
        assert int(await run(path, DASHBOARD_USER)) > 10
        assert await run(path, 65533) == "PermissionError"
        assert await run(path, FIRST_USER + 5) == "PermissionError"
        path.parent.chmod(0o777)
        path.chmod(0o666)
        assert await run(path, 65533) in ("0", "BrokenPipeError", "ConnectionResetError"), "who it is is asked for too"

    opened: list[tuple[Path, int]] = []
    try:
        serve(platform, work)
    finally:
        for folder, mode in opened:
            folder.chmod(mode & 0o7777)
