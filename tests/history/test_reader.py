"""Reading a history while all kinds of things happen to its files."""

import gzip
import lzma
import threading
from pathlib import Path

import pytest

from node.history.history_files import HistoryError, HistoryFile, rotate, series
from node.history.reader import Reader
from node.history.record_line import RecordError, encode_line
from node.history.writer import HistoryWriter

T = 1_700_000_000.0


def lines(*values: int) -> str:
    """Records of tag `a` that has each of these values, so many seconds after T."""
    return "".join(encode_line(T + value, None, {"a": value}) for value in values)


def values(reader: Reader) -> list[int]:
    """What tag `a` is in the records up to the end, or to where more may come."""
    found = []
    while records := reader.read():
        found += [record.data["a"] for record in records]
    return found


def test_names_are_in_natural_order_and_others_are_not_ours(tmp_path: Path) -> None:
    path = tmp_path / "x.hst"
    mine = ["x.hst", "x.hst.0", "x.hst.1.gz", "x.hst.2", "x.hst.2.xz", "x.hst.9.bz2", "x.hst.10.xz"]
    for name in [*mine, "x.hst.1.gz.partial", "x.hst.bak", "x.hst.", "y.hst", "ax.hst", "x.hst.1.zip", "xxhst.3"]:
        (tmp_path / name).touch()
    assert [file.path.name for file in series(path)] == [name for name in mine if name != "x.hst.2.xz"]
    assert series(tmp_path / "none" / "x.hst") == []


def test_the_oldest_record_comes_first_over_all_compressions(tmp_path: Path) -> None:
    (tmp_path / "x.hst").write_text(lines(9))
    (tmp_path / "x.hst.0").write_text(lines(7, 8))
    (tmp_path / "x.hst.1.gz").write_bytes(gzip.compress(lines(5, 6).encode()))
    (tmp_path / "x.hst.2.xz").write_bytes(lzma.compress(lines(3, 4).encode()))
    (tmp_path / "x.hst.10").write_text(lines(1, 2))
    reader = Reader(tmp_path / "x.hst")
    assert values(reader) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert reader.ended
    assert reader.read() == []


@pytest.mark.parametrize(("at", "first"), [(None, 1), (0, 1), (2.5, 1), (3, 3), (6.999, 5), (7, 7), (100, 7)])
def test_it_begins_at_the_file_that_an_instant_is_in(tmp_path: Path, at: float | None, first: int) -> None:
    (tmp_path / "x.hst").write_text(lines(7, 8))
    (tmp_path / "x.hst.0").write_text("# a comment\n\n" + lines(5, 6))
    (tmp_path / "x.hst.1").write_text(lines(3, 4))
    (tmp_path / "x.hst.2").write_text(lines(1, 2))
    reader = Reader(tmp_path / "x.hst")
    reader.seek(None if at is None else T + at)
    assert values(reader) == list(range(first, 9))


def test_a_file_by_itself_is_a_history_too(tmp_path: Path) -> None:
    path = tmp_path / "x.hst.3.gz"
    path.write_bytes(gzip.compress(lines(1, 2).encode()))
    assert values(Reader(path)) == [1, 2]


@pytest.mark.parametrize("content", [None, "", "# nothing yet\n"])
def test_where_there_is_no_history_one_line_says_so(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "x.hst"
    if content is not None:
        path.write_text(content)
    with pytest.raises(HistoryError, match=r"x\.hst: no history is there"):
        Reader(path).read()
    follower = Reader(path, follow=True)
    assert follower.read() == []
    path.write_text((content or "") + lines(1))
    assert values(follower) == [1]
    follower.close()


def test_files_of_one_record_are_read_once_each(tmp_path: Path) -> None:
    (tmp_path / "x.hst").write_text(lines(1))
    (tmp_path / "x.hst.0").write_text(lines(1))
    (tmp_path / "x.hst.1").write_text(lines(1))
    assert values(Reader(tmp_path / "x.hst")) == [1, 1, 1]


def test_files_without_a_record_are_left_out_and_told(tmp_path: Path) -> None:
    (tmp_path / "x.hst").write_text("not a history\n")
    (tmp_path / "x.hst.0").write_text(lines(5))
    (tmp_path / "x.hst.1.gz").write_bytes(b"not compressed")
    (tmp_path / "x.hst.2.xz").write_bytes(lzma.compress(lines(1).encode())[:-30])
    (tmp_path / "x.hst.3").mkdir()
    (tmp_path / "x.hst.4").write_text("broken\n" + lines(0))
    told: list[str] = []
    reader = Reader(tmp_path / "x.hst", tell=told.append)
    assert values(reader) == [0, 5]
    about = sorted(line.partition(": ")[0] for line in told)
    assert about == sorted(str(tmp_path / f"x.hst{end}") for end in ("", ".1.gz", ".2.xz", ".3", ".4:1"))


def test_what_is_broken_in_a_file_costs_only_that(tmp_path: Path) -> None:
    packed = gzip.compress("".join(lines(i) for i in range(5000)).encode(), 0)
    (tmp_path / "x.hst.0.gz").write_bytes(packed[: len(packed) // 2])
    (tmp_path / "x.hst").write_bytes(
        lines(6000).encode() + b"\xff\xfe\n" + b"x" * 100_000 + b"\n" + lines(6001).encode() + b"2023-11-14 22:13"
    )
    told: list[str] = []
    found = values(Reader(tmp_path / "x.hst", tell=told.append))
    assert found[-2:] == [6000, 6001]
    assert 2000 < len(found) < 2600
    assert found[:-2] == list(range(len(found) - 2))
    assert "the rest cannot be read" in told[0]
    assert [line.split(": ")[0] for line in told[1:]] == [
        f"{tmp_path}/x.hst.0.gz:{len(found) - 1}",  # the line that it breaks off in
        *(f"{tmp_path}/x.hst:{number}" for number in (2, 3, 5)),
    ]
    strict = Reader(tmp_path / "x.hst", strict=True, tell=told.append)
    strict.seek(T + 6000)
    with pytest.raises(RecordError, match=r"x\.hst:2: "):
        values(strict)
    strict.close()


def test_a_last_line_without_an_end_is_a_record_if_it_is_whole(tmp_path: Path) -> None:
    (tmp_path / "x.hst.0").write_text(lines(1, 2).rstrip())
    (tmp_path / "x.hst").write_text(lines(3, 4).rstrip())
    assert values(Reader(tmp_path / "x.hst")) == [1, 2, 3, 4]


def test_records_out_of_order_are_left_out_unless_they_are_wanted(tmp_path: Path) -> None:
    (tmp_path / "x.hst").write_text(lines(1, 5, 3, 4, 5, 6))
    told: list[str] = []
    assert values(Reader(tmp_path / "x.hst", tell=told.append)) == [1, 5, 5, 6]
    assert told == [f"{tmp_path}/x.hst:3: 2023-11-14 22:13:23.000 is before the record before it; such are left out"]
    assert values(Reader(tmp_path / "x.hst", ordered=False)) == [1, 5, 3, 4, 5, 6]


def test_a_line_without_end_is_left_out_without_eating_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.history.reader.LONGEST", 200_000)
    (tmp_path / "x.hst").write_text(lines(1) + "x" * 1_000_000 + "\n" + lines(2))
    told: list[str] = []
    assert values(Reader(tmp_path / "x.hst", tell=told.append)) == [1, 2]
    assert len(told) == 1
    assert "more than 200000 characters" in told[0]


def test_it_follows_what_is_being_written_over_rotations_and_compressions(tmp_path: Path) -> None:
    path = tmp_path / "x.hst"
    reader = Reader(path, follow=True)
    found = []
    with HistoryWriter(path, rotate_bytes=200, compress="gz") as writer:
        for i in range(300):
            writer.write({"a": i}, now=T + i)
            if i % 7 == 0:
                found += values(reader)
    found += values(reader)
    assert found == list(range(300))
    assert not reader.ended
    reader.close()


def test_half_a_line_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "x.hst"
    line = lines(2)
    path.write_text(lines(1) + line[:30])
    reader = Reader(path, follow=True)
    assert values(reader) == [1]
    with path.open("a") as file:
        file.write(line[30:])
    assert values(reader) == [2]
    reader.close()


def test_what_came_between_the_last_look_and_the_rotation_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.hst"
    path.write_text(lines(1))
    reader = Reader(path, follow=True)
    assert values(reader) == [1]
    with path.open("a") as file:
        file.write(lines(2))
    rotate(path)
    path.write_text(lines(3))
    assert values(reader) == [2, 3]
    reader.close()


def test_files_may_be_renamed_compressed_and_deleted_while_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x.hst"
    for first in (0, 10_000, 20_000, 30_000):
        if path.exists():
            rotate(path)
        path.write_text(lines(*range(first, first + 10_000)))
    reader = Reader(path)
    found = [record.data["a"] for record in reader.read()]  # of x.hst.2, of which there is more
    (tmp_path / "x.hst.2").unlink()
    packed = gzip.compress((tmp_path / "x.hst.1").read_bytes())
    (tmp_path / "x.hst.1").unlink()
    (tmp_path / "x.hst.1.gz").write_bytes(packed)
    rotate(path)
    path.write_text(lines(40_000))
    found += values(reader)
    assert found == list(range(40_001))


def test_nothing_is_lost_or_doubled_while_a_writer_rotates_and_compresses(tmp_path: Path) -> None:
    path = tmp_path / "x.hst"
    done = threading.Event()

    def write() -> None:
        with HistoryWriter(path, rotate_bytes=4000, compress="gz") as writer:
            for i in range(5000):
                writer.write({"a": i}, now=T + i)
        done.set()

    thread = threading.Thread(target=write)
    thread.start()
    reader, found = Reader(path, follow=True), []
    while not done.is_set():
        found += values(reader)
    thread.join()
    found += values(reader)
    reader.close()
    assert found == list(range(5000))


def test_hundreds_of_files_are_listed_once_and_not_for_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, listed = tmp_path / "x.hst", []
    path.write_text(lines(400))
    for number in range(400):
        (tmp_path / f"x.hst.{number}").write_text(lines(399 - number))

    def counted(path: Path) -> list[HistoryFile]:
        listed.append(path)
        return series(path)

    monkeypatch.setattr("node.history.reader.series", counted)
    assert values(Reader(path)) == [*range(401)]
    assert len(listed) == 1
    reader = Reader(path)
    reader.seek(T + 200)
    rotate(path)  # which moves each by one: what was listed is true no more
    path.write_text(lines(401))
    assert values(reader) == [*range(200, 402)]
    assert len(listed) == 3


def test_an_empty_file_that_is_passed_over_does_not_hide_that_the_next_has_moved(tmp_path: Path) -> None:
    path = tmp_path / "x.hst"
    for name, content in (
        ("x.hst", lines(4)),
        ("x.hst.0", lines(3)),
        ("x.hst.1", "# nothing\n"),
        ("x.hst.2", lines(1)),
    ):
        (tmp_path / name).write_text(content)
    reader = Reader(path)
    assert [record.data["a"] for record in reader.read()] == [1]
    (tmp_path / "x.hst.0.gz").write_bytes(gzip.compress(lines(3).encode()))
    (tmp_path / "x.hst.0").unlink()
    assert values(reader) == [3, 4]
