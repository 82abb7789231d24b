"""What a process said last, where its platform takes long to fetch that: nobody waits for it but who wants to know."""

import asyncio
import threading
from pathlib import Path

import pytest

from farm.errors import FarmError
from farm.supervisor.supervisor import Supervisor
from tests.farm.supervisor.platform import Platform
from tests.farm.supervisor.test_supervisor import WORKS, apply, live, platform, short_waits, states
from tests.waiting import eventually

__all__ = ["platform", "short_waits"]

pytestmark = pytest.mark.net


def test_a_log_that_is_long_in_coming_holds_nobody_up(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, answer = threading.Event(), threading.Event()
    logs = platform.logs

    def fetch(name: str) -> Path:
        asked.set()
        answer.wait(5)
        return logs(name)

    monkeypatch.setattr(platform, "logs", fetch)

    async def work(farm: Supervisor) -> None:
        logs("pump-2").write_text("one\nTraceback: the last line\n")
        platform.stillborn.add("pump-2")
        platform.silent.add("pump-2")
        task = asyncio.create_task(apply(farm, WORKS))
        await eventually(asked.is_set)
        await eventually(lambda: states(farm)["pump-1"] == "up")
        assert (states(farm)["pump-2"], task.done()) == ("starting", False)
        answer.set()
        with pytest.raises(FarmError, match=r"ended while it was starting: Traceback: the last line$"):
            await task

    live(platform, work)


def test_a_farm_that_leaves_leaves_nobody_behind_who_fetches_a_log(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answer, fetched = threading.Event(), threading.Event(), threading.Event()
    logs = platform.logs

    def fetch(name: str) -> Path:
        asked.set()
        answer.wait(5)
        fetched.set()
        return logs(name)

    monkeypatch.setattr(platform, "logs", fetch)

    async def work(farm: Supervisor) -> None:
        platform.stillborn.add("pump-2")
        platform.silent.add("pump-2")
        task = asyncio.create_task(apply(farm, WORKS))
        await eventually(asked.is_set)
        closing = asyncio.create_task(farm.keeper.close())
        await asyncio.sleep(0.05)
        assert not closing.done()
        answer.set()
        await closing
        assert fetched.is_set()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    live(platform, work)


def test_last_words_that_come_late_are_not_said_of_the_next_process(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answer = threading.Event(), threading.Event()
    logs = platform.logs

    def fetch(name: str) -> Path:
        asked.set()
        answer.wait(5)
        return logs(name)

    monkeypatch.setattr(platform, "logs", fetch)

    async def work(farm: Supervisor) -> None:
        platform.stillborn.add("pump-2")
        platform.silent.add("pump-2")
        first = asyncio.create_task(apply(farm, WORKS))
        await eventually(asked.is_set)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        platform.stillborn.clear()
        platform.silent.clear()
        await apply(farm, WORKS)
        answer.set()
        await asyncio.sleep(0.05)
        assert set(states(farm).values()) == {"up"}

    live(platform, work)
