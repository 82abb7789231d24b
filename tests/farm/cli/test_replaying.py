"""What a node is told of a recording, and when: pure, by instants."""

import json
from typing import Any

import pytest

from farm.cli.replay import factor_of, instant_of
from farm.cli.replaying import RENEWED, Track, Wanted
from farm.cli.usage import UsageError
from node.history.loader import Loader
from node.history.player import Player


def track_of(values: dict[str, Any]) -> Track:
    """That of a node which knows these values."""
    loader = Loader("/nowhere/node.hst")
    return Track(loader, Player(loader), values, knows=True)


def told(lists: list[list[Any]]) -> list[list[tuple[float, Any]]]:
    """Messages with their values read."""
    return [[(due, json.loads(text)) for due, text in each] for each in lists]


def test_what_comes_is_told_once_and_a_node_without_news_is_kept_waiting_no_longer_than_its_lease() -> None:
    track = track_of({"A": 1})
    assert told(track.messages([(11.0, {"A": 2}), (12.5, {"B": 3})], 10.0)) == [[(11.0, {"A": 2}), (12.5, {"B": 3})]]
    assert track.messages([], 11.0) == []
    assert told(track.messages([], 10.0 + RENEWED)) == [[]], "that it goes on is told"
    assert track.values == {"A": 2, "B": 3}


def test_a_node_that_knows_nothing_is_told_what_is_and_what_was_told_ahead() -> None:
    track = track_of({"A": 1, "B": 0})
    track.messages([(11.0, {"A": 2}), (14.0, {"A": 4})], 10.0)
    track.knows = False
    assert told(track.messages([(15.0, {"B": 5})], 12.0)) == [
        [(12.0, {"A": 2, "B": 0}), (14.0, {"A": 4}), (15.0, {"B": 5})]
    ]


def test_another_round_begins_where_the_last_one_ends() -> None:
    track = track_of({"A": 1})
    track.begin_again(20.0)
    assert told(track.messages([(20.5, {"A": 2})], 17.0)) == [[(20.0, {"A": 1}), (20.5, {"A": 2})]]


def test_much_is_told_in_several_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("farm.cli.replaying.MESSAGE", 20)
    track = track_of({})
    lists = track.messages([(float(second), {"Tag": second}) for second in range(5)], 0.0)
    assert [len(each) for each in lists] == [2, 2, 1]
    assert [due for each in lists for due, _ in each] == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_which_tags_are_played() -> None:
    assert [Wanted(tags=("tank*", "Run")).names(tag) for tag in ("Tank1", "run", "Runs", "Level")] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(("text", "factor"), [("10", 10.0), ("0.5", 0.5), ("10x", 10.0)])
def test_speeds(text: str, factor: float) -> None:
    assert factor_of(text) == factor


@pytest.mark.parametrize("text", ["0", "-1", "fast", "nan", "1e9", ""])
def test_no_speeds(text: str) -> None:
    with pytest.raises(UsageError, match="wanted recorded seconds a second"):
        factor_of(text)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-27 03:00:00", (1795748400.0, None)),
        ("2026-11-27 03:00:00.250", (1795748400.25, None)),
        ("2026-11-27 04:00:00 Europe/Berlin", (1795748400.0, None)),
        ("+30s", (None, 30.0)),
        ("+1.5", (None, 1.5)),
    ],
)
def test_instants(text: str, instant: tuple[float | None, float | None]) -> None:
    assert instant_of(text) == instant


@pytest.mark.parametrize("text", ["noon", "2026-11-27", "30s", "+", "2026-13-01 00:00:00"])
def test_no_instants(text: str) -> None:
    with pytest.raises(UsageError, match="--from"):
        instant_of(text)
