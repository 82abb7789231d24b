"""Beats of many clients on one timer: each in time, earliest first, and none for ever."""

import asyncio
from collections.abc import Callable

from farm.load.timetable import Timetable
from tests.waiting import eventually

Said = list[tuple[str, float]]


def every(seconds: float, times: int, said: Said, name: str, begin: float) -> Callable[[float], float | None]:
    """A beat that notes when it was called, a few times."""
    left = times

    def beat(now: float) -> float | None:
        nonlocal left
        said.append((name, now - begin))
        left -= 1
        return begin + (times - left) * seconds if left else None

    return beat


def test_each_is_called_in_its_turn_and_not_before() -> None:
    said: Said = []

    async def run() -> None:
        loop = asyncio.get_running_loop()
        timetable, begin = Timetable(loop), loop.time()
        timetable.add(begin, every(0.04, 4, said, "slow", begin))
        timetable.add(begin, every(0.02, 8, said, "fast", begin))
        await eventually(lambda: len(said) >= 12)

    asyncio.run(run())
    for name, seconds, times in (("slow", 0.04, 4), ("fast", 0.02, 8)):
        called = [at for each, at in said if each == name]
        assert len(called) == times
        assert all(at >= number * seconds for number, at in enumerate(called))


def test_one_that_is_always_late_leaves_others_their_turn() -> None:
    said: list[str] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()
        timetable = Timetable(loop)

        def behind(now: float) -> float | None:
            said.append("behind")
            return now - 1 if len(said) < 1000 else None

        timetable.add(loop.time(), behind)
        await asyncio.sleep(0)
        loop.call_soon(said.append, "answer")
        await eventually(lambda: len(said) >= 1000)

    asyncio.run(run())
    assert said.index("answer") < 20
    assert len(said) == 1000
