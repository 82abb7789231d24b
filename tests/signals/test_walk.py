"""The random walk: that it is one, that any step of it can be had, and what that costs."""

import itertools
import math
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.signals import walk as walk_module
from node.signals.chance import gauss
from node.signals.walk import RandomWalk, fold

TEN_YEARS = 10 * 365 * 86400


def walk(seed: int = 1, step: float = 1.0, revert: float = 0.0, **limits: float) -> RandomWalk:
    return RandomWalk(seed, start=5.0, step=step, interval=1.0, revert=revert, **limits)


def deviation(values: list[float]) -> float:
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))


@pytest.fixture
def draws(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Grows by one with each random draw."""
    drawn: list[int] = []

    def counted(seed: int, stream: int, index: int) -> float:
        drawn.append(index)
        return gauss(seed, stream, index)

    monkeypatch.setattr(walk_module, "gauss", counted)
    yield drawn


@given(
    st.integers(0, 2**64),
    st.lists(st.integers(0, 2**40), min_size=1, max_size=10),
    st.sampled_from([0.0, 1e-6, 0.3, 1]),
)
def test_any_step_is_the_same_however_it_is_come_by(seed: int, steps: list[int], revert: float) -> None:
    once = walk(seed, revert=revert)
    assert [once.value(float(n)) for n in steps] == [walk(seed, revert=revert).value(float(n)) for n in steps]


@pytest.mark.parametrize("seed", range(4))
def test_steps_are_independent_and_of_the_size_asked_for(seed: int) -> None:
    path = walk(seed, step=0.25)
    values = [path.value(float(n)) for n in range(40_000)]
    steps = [after - before for before, after in itertools.pairwise(values)]
    assert deviation(steps) == pytest.approx(0.25, rel=0.02)
    product = sum(a * b for a, b in itertools.pairwise(steps)) / len(steps)
    assert abs(product) < 0.02 * 0.25**2
    distances = [values[n + 100] - values[n] for n in range(0, 39_000, 100)]
    assert deviation(distances) == pytest.approx(2.5, rel=0.12)


def test_reverting_it_stays_around_its_start() -> None:
    path = walk(3, revert=0.1)
    values = [path.value(float(n)) for n in range(40_000)]
    assert sum(values) / len(values) == pytest.approx(5.0, abs=0.2)
    assert deviation(values) == pytest.approx(1 / math.sqrt(1 - 0.9**2), rel=0.05)
    rests = [after - 5 - 0.9 * (before - 5) for before, after in itertools.pairwise(values)]
    assert deviation(rests) == pytest.approx(1.0, rel=0.02)


def test_a_little_reverting_is_nearly_none() -> None:
    free, held = walk(9), walk(9, revert=1e-12)
    assert [held.value(float(n)) for n in range(50)] == pytest.approx([free.value(float(n)) for n in range(50)])


@given(st.integers(0, TEN_YEARS), st.integers(0, 1000))
def test_it_turns_back_at_its_limits(n: int, seed: int) -> None:
    assert 4.0 <= walk(seed, low=4.0, high=6.0).value(float(n)) <= 6.0


def test_ten_years_cost_a_few_draws(draws: list[int]) -> None:
    walk().value(float(TEN_YEARS))
    assert len(draws) <= 2 * math.log2(TEN_YEARS) + 2


def test_the_next_steps_cost_two_draws_each(draws: list[int]) -> None:
    path = walk()
    path.value(float(TEN_YEARS))
    draws.clear()
    for n in range(1, 1001):
        path.value(float(TEN_YEARS + n))
    assert len(draws) <= 2 * 1000 + 60


def test_reading_within_a_step_costs_nothing(draws: list[int]) -> None:
    path = walk()
    path.value(10.0)
    draws.clear()
    assert path.value(10.25) == path.value(10.75)
    assert draws == []


@pytest.mark.parametrize(
    ("value", "low", "high", "folded"),
    [
        (5, 0, 10, 5),
        (11, 0, 10, 9),
        (-1, 0, 10, 1),
        (25, 0, 10, 5),
        (-13, 0, 10, 7),
        (5, 3, 3, 3),
        (5, None, None, 5),
        (-2, 0, None, 2),
        (12, None, 10, 8),
    ],
)
def test_fold(value: float, low: float | None, high: float | None, folded: float) -> None:
    assert fold(value, low, high) == folded
