"""The end of a process is told once, of that process and no other."""

import asyncio
import os
import subprocess
from collections.abc import Callable, Iterator

import pytest

from farm.backends import watch as module
from farm.backends.observed import ObservedShard
from farm.backends.watch import PollWatch, Watch, Watcher, watch_process
from node.control.messages import start_time
from tests.waiting import eventually


def poll(shard: ObservedShard, gone: Callable[[], None]) -> Watch:
    return PollWatch(shard.pid, gone)


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POLL", 0.01)


def shard(pid: int, started: int) -> ObservedShard:
    return ObservedShard("pump-1", pid, started, alive=True, nodes=())


@pytest.mark.parametrize("watcher", [watch_process, poll])
def test_an_end_is_told_once(child: "subprocess.Popen[bytes]", watcher: Watcher) -> None:
    async def watch() -> None:
        told: list[str] = []
        watcher(shard(child.pid, start_time(child.pid)), lambda: told.append("gone"))
        await asyncio.sleep(0.03)
        assert told == []
        child.kill()
        child.wait()
        await eventually(lambda: bool(told))
        await asyncio.sleep(0.03)
        assert told == ["gone"]

    asyncio.run(watch())


@pytest.mark.parametrize("watcher", [watch_process, poll])
def test_who_no_longer_waits_is_not_told(child: "subprocess.Popen[bytes]", watcher: Watcher) -> None:
    async def watch() -> None:
        told: list[str] = []
        watcher(shard(child.pid, start_time(child.pid)), lambda: told.append("gone")).close()
        child.kill()
        child.wait()
        await asyncio.sleep(0.05)
        assert told == []

    asyncio.run(watch())


def test_a_process_that_is_gone_or_another_by_now_is_told_at_once() -> None:
    async def watch() -> None:
        told: list[str] = []
        watch_process(shard(os.getpid(), start_time(os.getpid()) + 1), lambda: told.append("another"))
        watch_process(shard(2**22 - 1, 1), lambda: told.append("gone"))
        assert told == []
        await eventually(lambda: sorted(told) == ["another", "gone"])

    asyncio.run(watch())
