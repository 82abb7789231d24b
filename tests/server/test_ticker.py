"""The one timer of a controller."""

import asyncio

from node.server.ticker import Ticker
from tests.server.serving import Clock
from tests.waiting import eventually


def test_steps_are_called_while_one_of_them_needs_it() -> None:
    async def scene() -> None:
        clock = Clock()
        ticker = Ticker(clock, interval=0.001)
        seen: list[str] = []
        ticker.add(lambda now: seen.append(f"a {now:g}") or len(seen) < 5)
        ticker.add(lambda now: seen.append("b") or False)
        assert not ticker.running
        ticker.wake()
        ticker.wake()
        await eventually(lambda: not ticker.running)
        assert seen == ["a 1000", "b"] * 3
        seen.clear()
        ticker.wake()
        ticker.stop()
        await asyncio.sleep(0.01)
        assert seen == []

    asyncio.run(scene())
