"""Which records are due when: at any speed, from any instant on, over all files."""

import gzip
from math import inf
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.history.history_files import HistoryError
from node.history.loader import Loader, State
from node.history.record_line import RecordError, encode_line
from node.history.writer import HistoryWriter

T = 1_700_000_000.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A history of 100 s in three files, one of them compressed: tag `a` counts seconds, `b` tens, a note at 55."""
    with HistoryWriter(tmp_path / "x.hst", compress="") as writer:
        for i in range(100):
            writer.write({"a": i, "b": i // 10} if i % 10 == 0 else {"a": i}, now=T + i)
            if i == 55:
                writer.write("half past", now=T + i)
            if i in (29, 59):
                writer.rotate()
    old = tmp_path / "x.hst.1"
    (tmp_path / "x.hst.1.gz").write_bytes(gzip.compress(old.read_bytes()))
    old.unlink()
    return tmp_path / "x.hst"


def loaded(loader: Loader, now: float, limit: int | None = None) -> list[int]:
    """What tag `a` is in the records that are due at `now`."""
    return [record.data["a"] for record in loader.load(limit, now)[1] if isinstance(record.data, dict)]


@pytest.mark.parametrize("factor", [0.1, 1, 3, 10, 1000])
def test_records_are_due_at_any_speed(path: Path, factor: float) -> None:
    loader = Loader(path, factor=factor, basis=5000.0)
    for seconds in range(0, 120, 5):
        now = 5000 + seconds / factor
        position, records = loader.load(now=now)
        assert position == pytest.approx(T + seconds)
        given = [record.data["a"] for record in records if isinstance(record.data, dict)]
        first = seconds - 4 if seconds else 0
        assert given == list(range(first, min(seconds, 99) + 1))
    assert loader.state is State.COMPLETE
    assert not loader
    assert loader.values == {"a": 99, "b": 9}


def test_nothing_is_due_before_its_time(path: Path) -> None:
    loader = Loader(path, basis=5000.0)
    assert loader.load(now=4990.0) == (T - 10, [])
    assert loader.state is not State.COMPLETE
    assert loader.real(T + 7) == 5007
    assert loaded(loader, 5000.0) == [0]
    assert loaded(loader, 5000.999) == []
    assert loaded(loader, 5001.0) == [1]


@pytest.mark.parametrize("at", [0, 0.5, 29, 29.5, 30, 45.25, 60, 75, 99])
def test_it_begins_anywhere_with_what_everything_was(path: Path, at: float) -> None:
    loader = Loader(path, historical=T + at, basis=0.0)
    loader.load(now=0.0)
    assert loader.values == {"a": int(at), "b": int(at) // 10}
    assert loaded(loader, 10.0) == list(range(int(at) + 1, min(int(at + 10), 99) + 1))


def test_a_beginning_before_the_first_record_waits_for_it_and_one_after_the_last_has_its_values(path: Path) -> None:
    early = Loader(path, historical=T - 10, basis=0.0)
    assert loaded(early, 9.9) == []
    assert loaded(early, 10.0) == [0]
    late = Loader(path, historical=T + 1000, basis=0.0)
    assert loaded(late, 0.0) == [99]
    assert late.values == {"a": 99, "b": 9}
    assert late.state is State.COMPLETE


def test_it_ends_after_its_duration(path: Path) -> None:
    loader = Loader(path, historical=T + 25, basis=0.0, duration=10)
    assert loaded(loader, 50.0) == list(range(24, 36))
    assert loader.state is State.COMPLETE
    assert loaded(loader, 60.0) == []


def test_what_lies_ahead_is_there_to_be_looked_at(path: Path) -> None:
    loader = Loader(path, basis=0.0, lookahead=50)
    loader.load(now=0.0)
    assert {record.time - T for record in loader.future} >= set(range(1, 51))
    assert loader.values["a"] == 0
    loader.load(now=60.0)
    assert loader.state is State.EXHAUSTED
    assert bool(loader)
    loader.close()
    assert not loader


def test_a_limit_gives_the_rest_later(path: Path) -> None:
    loader = Loader(path, basis=0.0, factor=inf)
    given: list[int] = []
    while loader:
        some = loaded(loader, 1.0, limit=7)
        assert len(some) <= 7
        given += some
    assert given == list(range(100))


@given(st.lists(st.floats(0, 30), min_size=1, max_size=20), st.integers(1, 40))
def test_however_it_is_asked_everything_is_given_once_and_in_order(steps: list[float], limit: int) -> None:
    folder = Path(__file__).parent
    loader = Loader(folder / "hundred.hst", basis=0.0, factor=3)
    now, given = 0.0, []
    for step in steps:
        now += step
        position, records = loader.load(limit, now)
        assert all(record.time <= position for record in records)
        given += [record.data["a"] for record in records]
    loader.basis = -1000.0
    while loader:
        given += loaded(loader, now, limit)
    assert given == list(range(100))


def test_a_history_that_is_being_written_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "x.hst"
    loader = Loader(path, basis=0.0, follow=True)
    assert loader.load(now=0.0)[1] == []
    assert loader.state is State.AWAITING
    with HistoryWriter(path) as writer:
        writer.write({"a": 1}, now=T)
        assert loaded(loader, 1.0) == [1]
        writer.rotate()
        writer.write({"a": 2}, now=T + 2)
        assert loaded(loader, 1.0) == []
        assert loaded(loader, 2.0) == [2]
        assert loader.state is State.AWAITING
    loader.close()


def test_it_begins_anew(path: Path) -> None:
    loader = Loader(path, historical=T + 90, basis=0.0)
    first = loaded(loader, 100.0)
    assert not loader
    loader.restart(200.0)
    assert loader.values == {}
    assert loaded(loader, 199.0) == []
    assert loaded(loader, 300.0) == first
    loader.restart()
    loader.load(now=1000.0)
    assert loader.basis == 1000.0


def test_what_cannot_be_read_is_raised_once(tmp_path: Path) -> None:
    path = tmp_path / "x.hst"
    loader = Loader(path)
    with pytest.raises(HistoryError, match="no history is there"):
        loader.load()
    assert loader.state is State.FAILED
    assert loader.load()[1] == []
    path.write_text(encode_line(T, None, {"a": 1}) + "broken\n")
    with pytest.raises(RecordError, match=r"x\.hst:2: "):
        Loader(path, strict=True).load()
    told: list[str] = []
    assert len(Loader(path, tell=told.append).load()[1]) == 1
    assert len(told) == 1


@pytest.mark.parametrize(
    "arguments", [{"factor": 0}, {"factor": -1}, {"lookahead": -1}, {"duration": -1}, {"factor": float("nan")}]
)
def test_what_cannot_be_is_refused(tmp_path: Path, arguments: dict[str, float]) -> None:
    with pytest.raises(HistoryError, match=f"{next(iter(arguments))} .*; wanted"):
        Loader(tmp_path / "x.hst", **arguments)
    with pytest.raises(HistoryError, match="nothing of it was loaded"):
        Loader(tmp_path / "x.hst").real(T)
