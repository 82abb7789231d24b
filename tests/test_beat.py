"""What a process does each second is done at one wake-up."""

import asyncio
from collections.abc import Callable
from itertools import pairwise

import pytest

from node import beat
from node.beat import Beat


class Loop:
    """The clock and the timers of a loop; timers are never called."""

    def __init__(self, now: float = 5000.25) -> None:
        self.now = now

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, act: Callable[[], object]) -> float:
        return when

    def call_later(self, seconds: float, act: Callable[[], object]) -> float:
        return self.now + seconds


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Loop:
    made = Loop()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: made)
    return made


def due(one: Beat, seconds: float) -> object:
    return one.call(seconds, lambda: None)


def test_what_is_asked_for_at_different_moments_is_done_at_one(loop: Loop) -> None:
    one, other = Beat(), Beat()
    loop.now += 3.4
    first = due(one, 1)
    loop.now += 0.05
    assert first == due(other, 1) == 5004.25, "to the last bit, or they are two wake-ups"
    loop.now = 5004.25 + 1e-4
    assert due(one, 1) == due(other, 1) == 5005.25
    assert (due(one, 4), due(other, 60)) == (5008.25, 5064.25)


@pytest.mark.parametrize("late", [-1e-9, 0.0, 1e-9, 0.2, 0.499])
def test_a_timer_that_is_a_little_early_or_late_is_neither_doubled_nor_left_out(loop: Loop, late: float) -> None:
    one = Beat()
    for turn in range(1, 1000):
        loop.now = 5000.25 + turn + late
        assert due(one, 1) == 5000.25 + turn + 1


def test_less_than_a_second_is_as_it_is(loop: Loop) -> None:
    assert due(Beat(), 0.01) == 5000.26


def test_hundreds_of_one_loop_are_spread_over_the_second_and_those_of_another_loop_are_elsewhere(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    beats = [Beat() for _ in range(40 * beat.TOGETHER)]
    parts = sorted({round(float(str(due(one, 1))) % 1, 6) for one in beats})
    assert len(parts) == 40
    gaps = [later - earlier for earlier, later in pairwise(parts)]
    assert max(gaps) < 0.07
    other = Loop(7000.75)
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: other)
    assert due(Beat(), 1) == 7001.75


def test_on_a_real_loop_they_come_one_after_the_other_in_one_turn() -> None:
    async def work() -> tuple[float, list[float]]:
        loop = asyncio.get_running_loop()
        begun, done = loop.time(), loop.create_future()
        came: list[float] = []
        one, other = Beat(), Beat()
        one.call(1, lambda: came.append(loop.time()))
        await asyncio.sleep(0.2)
        other.call(1, lambda: done.set_result(loop.time()))
        return begun, [await done, *came]

    begun, (last, first) = asyncio.run(work())
    assert begun + 1 <= first + 1e-6
    assert 0 <= last - first < 0.1, "they were asked for 0.2 s apart"
