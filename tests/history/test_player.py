"""A history played into values."""

from pathlib import Path

import pytest

from node.history.loader import Loader
from node.history.player import Player
from node.history.writer import HistoryWriter

T = 1_700_000_000.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Ten seconds of tags `a` and `b`, with an access and a note."""
    path = tmp_path / "x.hst"
    with HistoryWriter(path) as writer:
        for i in range(11):
            writer.write({"a": i, "b": -i} if i % 2 == 0 else {"a": i}, now=T + i)
        writer.write({"write": [5]}, now=T + 10, serial=["a", [0, 0]])
        writer.write("done", now=T + 10)
    return path


def test_values_that_are_due_are_put_together(path: Path) -> None:
    player = Player(Loader(path, basis=0.0, factor=2))
    assert player.due_values(0.0) == {"a": 0, "b": 0}
    assert player.due_values(0.25) == {}
    assert player.wake(0.25) == 0.25
    assert player.due_values(2.0) == {"a": 4, "b": -4}
    assert player.position == T + 4
    assert player.due_values(9.0) == {"a": 10, "b": -10}
    assert player.values == {"a": 10, "b": -10}
    assert (bool(player), player.wake(9.0)) == (False, None)


def test_accesses_come_and_notes_do_not(path: Path) -> None:
    records = Player(Loader(path, historical=T + 10, basis=0.0)).due(1.0)
    assert [record.serial for record in records] == [None, None, ["a", [0, 0]]]


def test_only_wanted_names_are_played(path: Path) -> None:
    player = Player(Loader(path, basis=0.0), wanted=lambda name: name == "b")
    assert [record.data for record in player.due(5.0) if record.serial is None] == [{"b": 0}, {"b": -2}, {"b": -4}]


def test_it_says_when_it_is_to_be_asked_again(path: Path) -> None:
    player = Player(Loader(path, basis=100.0, factor=4))
    assert player.wake(90.0) == 0
    assert player.due(90.0) == []
    now, asked = 90.0, 0
    while player:
        wait = player.wake(now)
        assert wait is not None
        now += wait
        player.due(now)
        asked += 1
    assert now == 102.5
    assert asked == 11


def test_it_goes_round(path: Path) -> None:
    player = Player(Loader(path, basis=0.0), loop=True)
    seen = []
    for tenth in range(0, 255, 5):
        seen += [record.data["a"] for record in player.due(tenth / 10) if record.serial is None]
    assert seen == [*range(11), *range(11), *range(6)]
    assert player.rounds == 2
    assert bool(player)
    player.close()


def test_a_history_without_length_is_played_once(tmp_path: Path) -> None:
    with HistoryWriter(tmp_path / "x.hst") as writer:
        writer.write({"a": 1}, now=T)
    player = Player(Loader(tmp_path / "x.hst", basis=0.0), loop=True)
    assert player.due_values(1.0) == {"a": 1}
    assert not player
    player.close()
