"""The threads of hooks themselves: turns with the loop, what is given up, and what is left when there are no more."""

import asyncio
import threading
import time
from typing import Any

import pytest

from node.cip.status import CipError
from node.memory.hooks import HookTimeout, HookWaits
from node.server.hook_pool import HookPool


def test_on_the_loop_nothing_waits() -> None:
    pool = HookPool()
    for act in (lambda: pool.enter(1.0), lambda: pool.call(lambda: 1, 1.0, "a hook")):
        with pytest.raises(HookWaits) as waits:
            act()
        assert (waits.value.aside, waits.value.seconds) == (pool, 1.0)


def test_a_turn_and_the_loop_never_run_at_once() -> None:
    """Eight turns add to a number in two steps, with a hook between them; so does the loop."""
    pool, counted = HookPool(), [0]

    def add() -> None:
        for _ in range(20):
            found = counted[0]
            time.sleep(0.0001)  # whoever else ran now would be overwritten
            counted[0] = found + 1
            pool.call(lambda: time.sleep(0.0005), 5.0, "a hook")

    async def scene() -> None:
        turns = [asyncio.ensure_future(pool.run(add, 5.0)) for _ in range(8)]
        while not all(turn.done() for turn in turns):
            found = counted[0]
            time.sleep(0.0001)  # noqa: ASYNC251 - the loop is to be in the way
            counted[0] = found + 1
            counted[0] -= 1
            await asyncio.sleep(0)
        await asyncio.gather(*turns)

    asyncio.run(scene())
    assert counted == [160]


def test_what_a_turn_gives_and_raises_comes_to_who_waits() -> None:
    pool = HookPool()

    def fail() -> None:
        pool.call(lambda: 1 // 0, 5.0, "a hook")

    async def scene() -> Any:
        with pytest.raises(ZeroDivisionError):
            await pool.run(fail, 5.0)
        return await pool.run(lambda: (pool.call(lambda: 7, 5.0, "a hook"), pool.running), 5.0)

    assert asyncio.run(scene()) == (7, True)
    assert pool.running is False


def test_what_finds_no_thread_is_told_so() -> None:
    pool, door = HookPool(limit=1), threading.Event()

    async def scene() -> None:
        first = asyncio.ensure_future(pool.run(lambda: pool.call(door.wait, 5.0, "a hook"), 5.0))
        await asyncio.sleep(0)
        with pytest.raises(HookTimeout, match="no thread was free"):
            await pool.run(lambda: None, 0.1)
        door.set()
        assert await first is True
        assert await pool.run(lambda: 5, 5.0) == 5

    asyncio.run(scene())


def test_a_hook_that_hangs_fails_its_call_and_the_turn_goes_on() -> None:
    pool, door, done = HookPool(), threading.Event(), []

    def work() -> int:
        with pytest.raises(CipError) as late:
            pool.call(door.wait, 0.05, "a hook")
        done.append(late.value.general)
        return pool.call(lambda: 3, 5.0, "another")

    assert asyncio.run(pool.run(work, 5.0)) == 3
    assert done == [0x02]
    door.set()


def test_a_turn_that_nobody_waits_for_goes_no_further() -> None:
    pool, door, begun, after = HookPool(), threading.Event(), threading.Event(), []

    def hook() -> None:
        begun.set()
        door.wait(5)

    def work() -> None:
        pool.call(hook, 5.0, "a hook")
        after.append("went on")

    async def scene() -> None:
        waiting = asyncio.ensure_future(pool.run(work, 5.0))
        await asyncio.to_thread(begun.wait, 5)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        door.set()
        assert await pool.run(lambda: pool.call(lambda: 1, 5.0, "a hook"), 5.0) == 1

    asyncio.run(scene())
    assert after == []


def test_closing_ends_the_threads_that_have_nothing_to_do() -> None:
    pool = HookPool()
    before = threading.active_count()
    asyncio.run(pool.run(lambda: pool.call(lambda: 1, 5.0, "a hook"), 5.0))
    assert threading.active_count() == before + 2
    pool.close()
    until = time.monotonic() + 5
    while threading.active_count() > before:
        assert time.monotonic() < until
        time.sleep(0.01)
    assert asyncio.run(pool.run(lambda: 5, 5.0)) == 5
    pool.close()
