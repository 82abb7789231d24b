"""When clients ask: evenly, growing over a ramp, spread over the clients, and by the weights of the mix."""

from collections import Counter
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.load.schedule import Beats, Turns, phases, start_of


@given(
    st.floats(0.01, 1000), st.floats(0, 30), st.floats(0, 1, exclude_max=True), st.floats(0, 40), st.integers(0, 2000)
)
def test_beats_ascend_and_are_counted(rate: float, ramp: float, phase: float, seconds: float, number: int) -> None:
    beats = Beats(rate, ramp, phase)
    assert 0 <= beats.time(number) < beats.time(number + 1)
    if rate * seconds < 5000:
        count = beats.count(seconds)
        assert count == 0 or beats.time(count - 1) < seconds
        assert beats.time(count) >= seconds


def test_without_a_ramp_beats_are_even() -> None:
    times = [Beats(4).time(number) for number in range(9)]
    assert times == [number / 4 for number in range(9)]
    assert Beats(4).count(10) == 40


def test_over_a_ramp_the_rate_grows_evenly() -> None:
    beats = Beats(100, ramp=10)
    assert beats.count(10) == pytest.approx(500, abs=1)
    assert beats.count(5) == pytest.approx(125, abs=1)
    assert beats.count(12) - beats.count(11) == pytest.approx(100, abs=1)
    gaps = [later - sooner for sooner, later in pairwise(beats.time(number) for number in range(700))]
    assert all(later <= sooner + 1e-9 for sooner, later in pairwise(gaps))


def test_clients_share_the_second_between_them() -> None:
    ten = sorted(Beats(1, phase=phase).time(0) for phase in phases(10))
    assert ten == pytest.approx([number / 10 for number in range(10)])


def test_clients_without_beats_begin_one_after_another() -> None:
    assert [start_of(number, 4, 8.0) for number in range(4)] == [0, 2, 4, 6]


def test_a_mix_is_kept_and_can_be_had_again() -> None:
    def drawn(seed: int) -> list[tuple[str, ...]]:
        turns = Turns(["a", "b"], ["x", "y"], {"read": 9, "write": 1}, seed)
        return [turns.next() for _ in range(2000)]

    count = Counter(drawn(3))
    assert count["a", "b"] == pytest.approx(1800, abs=60)
    assert count[("x",)] == pytest.approx(count[("y",)], abs=1)
    assert drawn(3) == drawn(3) != drawn(4)


@pytest.mark.parametrize(
    ("reads", "writes", "mix", "wanted"),
    [
        (["a"], [], {"read": 1, "write": 9}, "aaaa"),
        ([], ["x", "y"], {"read": 9, "write": 1}, "xyxy"),
        (["a", "b"], ["x"], {"write": 1}, "xxxx"),
        (["a"], ["x"], {"read": 1}, "aaaa"),
        (["a"], [], {"write": 1}, ""),
    ],
)
def test_what_cannot_be_done_is_not_drawn(
    reads: list[str], writes: list[str], mix: dict[str, float], wanted: str
) -> None:
    assert "".join(islice(Turns(reads, writes, mix, 1).forever(), 4)) == wanted
