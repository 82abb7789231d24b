"""The three averages of a poller's load."""

from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.client.poll_load import PollLoad


@pytest.mark.parametrize("part", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("seconds", [1, 30, 3000])
def test_a_steady_load_is_seen_from_the_first_poll_on(part: float, seconds: int) -> None:
    load = PollLoad(100.0)
    for second in range(100, 100 + seconds):
        load.polled(second + 1 - part, second + 1.0)
    assert load.figures(100.0 + seconds) == pytest.approx((part,) * 3, abs=0.02)


def test_it_fades_over_its_minutes() -> None:
    load = PollLoad(0.0)
    load.polled(0.0, 100000.0)
    assert load.figures(100000.0) == pytest.approx((1.0, 1.0, 1.0))
    assert load.figures(100060.0) == pytest.approx((exp(-1), exp(-1 / 5), exp(-1 / 15)))


@given(st.lists(st.tuples(st.floats(0, 1e4), st.floats(0, 1e4)), max_size=20))
def test_always_a_fraction(spans: list[tuple[float, float]]) -> None:
    load, now = PollLoad(5.0), 5.0
    assert load.figures(now) == (0.0, 0.0, 0.0)
    for idle, busy in spans:
        load.polled(now + idle, now + idle + busy)
        now += idle + busy
        assert all(0.0 <= figure <= 1.0 for figure in load.figures(now))


def test_looking_at_it_while_a_poll_is_under_way_changes_nothing() -> None:
    load = PollLoad(0.0)
    for now in (10.0, 20.0, 25.0):
        load.figures(now)
    load.polled(0.0, 30.0)
    assert load.figures(30.0) == pytest.approx((1.0, 1.0, 1.0))
    before = load.figures(31.0)
    load.figures(45.0)
    assert load.figures(31.0) == before
