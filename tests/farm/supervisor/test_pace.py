"""How often nodes report, by how many there are."""

import pytest

from farm.supervisor.pace import NODES, SHARDS, Pace


@pytest.mark.parametrize(
    ("nodes", "shards", "every", "stale", "silent"),
    [
        (0, 0, 1, 3, 10),
        (1000, 1000, 1, 3, 10),
        (2500, 10, 1, 3, 10),
        (5000, 17, 2, 5, 14),
        (10_000, 34, 4, 9, 22),
        (1001, 1001, 2, 5, 14),
        (5000, 5000, 5, 11, 26),
    ],
)
def test_more_nodes_report_more_rarely(nodes: int, shards: int, every: int, stale: int, silent: int) -> None:
    pace = Pace()
    assert pace.suit(nodes, shards) is (every != 1)
    assert (pace.every, pace.stale, pace.silent) == (every, stale, silent)


@pytest.mark.parametrize("nodes", [999, 2501, 4999, 5001, 9999, 100_000])
@pytest.mark.parametrize("each", [1, 10, 300])
def test_no_number_of_nodes_costs_more_a_second_than_is_allowed(nodes: int, each: int) -> None:
    pace, shards = Pace(), -(-nodes // each)
    pace.suit(nodes, shards)
    assert nodes / pace.every <= NODES
    assert shards / pace.every <= SHARDS


def test_a_report_is_not_stale_before_the_next_one_is_late() -> None:
    for every in range(1, 101):
        pace = Pace(every)
        assert 2 * every < pace.stale < pace.silent


def test_a_farm_that_shrinks_is_as_quick_as_before() -> None:
    pace = Pace()
    pace.suit(10_000, 34)
    assert not pace.suit(9_900, 33)
    assert pace.suit(500, 500)
    assert pace.every == 1
