"""Times counted in HdrHistogram's buckets: what is asked of them, and its own encoding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.load.histogram import HIGHEST, Histogram, decode, highest, lowest

FOREIGN = "HISTFAAAADF4nJNpmSzMwMAgwAABzFCaEURcm7yEwf4DRICJ6ac8E9Nffqb9dSyL9zAyAQDDdQlo"
"""What HdrHistogram's Python package 0.10.8 encodes of one each of 0, 1, 2047, 2048, 4097, 3599999999 µs and two of a
second, from 1 µs to an hour with 3 digits."""
FOREIGN_VALUES = (0, 1, 2047, 2048, 4097, 1_000_000, 1_000_000, 3_599_999_999)

micros = st.integers(0, HIGHEST)


def of(values: "list[int] | tuple[int, ...]") -> Histogram:
    found = Histogram()
    for value in values:
        found.record(value)
    return found


@given(st.lists(micros, min_size=1), st.floats(0, 1))
def test_a_quantile_is_the_values_own_to_three_digits(values: list[int], part: float) -> None:
    counted = of(values).quantile(part)
    ordered = sorted(values)
    least = next(value for at, value in enumerate(ordered, 1) if at >= part * len(ordered) - 1e-6)
    assert least <= counted <= least * 1.001 + 1


@given(micros)
def test_a_bucket_holds_what_fell_into_it_and_is_narrow(value: int) -> None:
    ((index, count),) = of([value]).counts.items()
    assert count == 1
    assert lowest(index) <= value <= highest(index)
    assert highest(index) - lowest(index) <= value / 1000


def test_what_is_out_of_bounds_counts_as_the_bound() -> None:
    found = of([-5, 10 * HIGHEST])
    assert (found.least, found.total) == (0, 2)
    assert HIGHEST <= found.most <= HIGHEST * 1.001


def test_none_counted_is_nothing() -> None:
    empty = Histogram()
    assert (empty.total, empty.mean, empty.least, empty.most, empty.quantiles((0.5, 1.0))) == (0, 0, 0, 0, [0, 0])


def test_those_of_two_processes_are_added() -> None:
    first, second = of([10, 20]), of([20, 5000])
    first.add(second.counts)
    assert first.counts == of([10, 20, 20, 5000]).counts
    assert first.mean == pytest.approx(1262.5, rel=1e-3)


@given(st.lists(micros))
def test_what_was_encoded_comes_back(values: list[int]) -> None:
    assert decode(of(values).encode()).counts == of(values).counts


def test_the_original_and_this_agree_on_every_bucket() -> None:
    assert decode(FOREIGN).counts == of(FOREIGN_VALUES).counts
    assert of(FOREIGN_VALUES).encode()[:8] == FOREIGN[:8] == "HISTFAAA"


@pytest.mark.parametrize("text", ["", "HISTFAAAADF4", "AAAA" * 10, "not base64!"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        decode(text)
