"""What a writer leaves on the disk: through rotations, kills, full disks, folders that go and come."""

import bz2
import gzip
import lzma
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from node.history import writer as writing
from node.history.history_files import HistoryError
from node.history.reader import BREAKS_OFF, Reader
from node.history.record_line import Record, RecordError, decode
from node.history.writer import HistoryWriter

T = 1_700_000_000.0


def names(folder: Path) -> list[str]:
    """The files in it."""
    return sorted(path.name for path in folder.iterdir())


def read_all(path: Path, tell: Callable[[str], None] = lambda what: pytest.fail(what)) -> list[Record]:
    """All records of the history."""
    reader, found = Reader(path, tell=tell), []
    while records := reader.read():
        found += records
    return found


def test_a_record_is_a_line_in_a_file_that_others_see_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "x.hst"
    with HistoryWriter(path) as writer:
        assert not path.exists()
        assert writer.comment("Started recording Tag: Tag_Name", now=1405461815.945)
        assert writer.write({"write": [0, 1, 2, 3]}, now=1405461824.186, serial=["Tag_Name", [0, 3]])
        assert writer.write({40001: 5}, now=1405461825)
        assert writer.write("serviced", now=1405461826)
        assert path.read_text() == (
            "# 2014-07-15 22:03:35.945: Started recording Tag: Tag_Name\n"
            '2014-07-15 22:03:44.186\t["Tag_Name", [0, 3]]\t{"write": [0, 1, 2, 3]}\n'
            '2014-07-15 22:03:45.000\tnull\t{"40001": 5}\n'
            '2014-07-15 22:03:46.000\tnull\t"serviced"\n'
        )
    assert not writer.write({}, now=T)
    assert not writer.comment("late")


def test_a_record_that_cannot_be_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    with HistoryWriter(tmp_path / "x.hst") as writer:
        with pytest.raises(RecordError):
            writer.write({"a": b""}, now=T)
        assert writer.write({"a": 1}, now=T)
    assert read_all(tmp_path / "x.hst") == [Record(T, None, {"a": 1})]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"rotate_bytes": 0}, "rotate_bytes 0; wanted more than 0"),
        ({"keep": -1}, "keep -1; wanted"),
        ({"compress": "zip"}, "compression 'zip'; wanted gz, bz2, xz"),
    ],
)
def test_arguments_that_cannot_be_are_refused(tmp_path: Path, arguments: dict[str, object], says: str) -> None:
    with pytest.raises(HistoryError, match=says):
        HistoryWriter(tmp_path / "x.hst", **arguments)  # type: ignore[arg-type]


def test_a_name_that_says_compressed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match=r"give the name without \.gz"):
        HistoryWriter(tmp_path / "x.hst.gz")


def test_files_are_rotated_by_size_and_each_begins_with_all_values(tmp_path: Path) -> None:
    path = tmp_path / "x.hst"
    with HistoryWriter(path, rotate_bytes=400) as writer:
        for i in range(100):
            assert writer.write({f"tag{i % 3}": i}, now=T + i)
    files = names(tmp_path)
    assert len(files) > 11  # so that natural order is another than that of texts
    assert all((tmp_path / name).stat().st_size <= 400 for name in files)
    for name in files:
        first = decode((tmp_path / name).read_text().splitlines()[0])
        assert first is not None
        i = int(first.time - T)
        wanted = {f"tag{k % 3}": k for k in range(max(0, i - 2), i + 1)}
        assert first.data == wanted, name
    assert [record.time for record in read_all(path)] == [T + i for i in range(100)]


def test_an_access_that_begins_a_file_stands_behind_all_values(tmp_path: Path) -> None:
    path = tmp_path / "x.hst"
    with HistoryWriter(path) as writer:
        writer.write({"a": 1, "b": 2}, now=T)
        assert writer.rotate()
        writer.write({"write": [3]}, now=T + 1, serial=["a", [0, 0]])
        assert writer.rotate()
        writer.write("note", now=T + 2)
    assert read_all(path)[1:] == [
        Record(T + 1, None, {"a": 1, "b": 2}),
        Record(T + 1, ["a", [0, 0]], {"write": [3]}),
        Record(T + 2, None, {"a": 1, "b": 2}),
        Record(T + 2, None, "note"),
    ]


def test_files_are_rotated_by_time_also_over_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "x.hst"
    for start in (0, 50):
        with HistoryWriter(path, rotate_seconds=60) as writer:
            for i in range(start, start + 50):
                writer.write({"a": i}, now=T + i)
    assert names(tmp_path) == ["x.hst", "x.hst.0"]
    assert [record.data["a"] for record in read_all(path)] == list(range(100))
    assert path.read_text().startswith('2023-11-14 22:14:20.000\tnull\t{"a": 60}\n')


def test_only_so_many_are_kept(tmp_path: Path) -> None:
    with HistoryWriter(tmp_path / "x.hst", rotate_bytes=100, keep=2) as writer:
        for i in range(50):
            writer.write({"a": i}, now=T + i)
    assert names(tmp_path) == ["x.hst", "x.hst.0", "x.hst.1"]


@pytest.mark.parametrize(("ending", "opened"), [("gz", gzip.open), ("bz2", bz2.open), ("xz", lzma.open)])
def test_old_files_are_compressed(tmp_path: Path, ending: str, opened: Callable[..., object]) -> None:
    path = tmp_path / "x.hst"
    with HistoryWriter(path, rotate_bytes=300, compress=ending, mode=0o600) as writer:
        for i in range(60):
            assert writer.write({"a": i}, now=T + i)  # rotates while others are being compressed
    files = names(tmp_path)
    assert files[0] == "x.hst"
    assert len(files) > 5
    assert all(name.endswith(f".{ending}") for name in files[1:])
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    with opened(tmp_path / files[1], "rt") as file:  # type: ignore[attr-defined]
        assert file.read().count("\n") > 3
    assert [record.data["a"] for record in read_all(path)] == list(range(60))


def test_the_umask_counts(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with HistoryWriter(tmp_path / "x.hst") as writer:
            writer.write({}, now=T)
    finally:
        os.umask(before)
    assert (tmp_path / "x.hst").stat().st_mode & 0o777 == 0o640


def test_a_line_that_broke_off_is_left_by_itself_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "x.hst"
    path.write_text('2023-11-14 22:13:20.000\tnull\t{"a": 1}\n2023-11-14 22:13:21.000\tnull\t{"a"')
    with HistoryWriter(path) as writer:
        assert writer.write({"a": 3}, now=T + 2)
    assert "its last line broke off" in caplog.text
    told: list[str] = []
    assert [record.data for record in read_all(path, told.append)] == [{"a": 1}, {"a": 3}]
    assert len(told) == 1
    assert told[0].startswith(f"{path}:2: left out: ")
    assert "the line above broke off" in path.read_text()


def test_what_a_killed_compression_left_is_done_again(tmp_path: Path) -> None:
    path = tmp_path / "x.hst"
    with HistoryWriter(path) as writer:
        for i in range(3):
            writer.write({"a": i}, now=T + i)
            writer.rotate()
    (tmp_path / "x.hst.gz.partial").write_bytes(b"half")
    (tmp_path / "x.hst.1.gz").write_bytes(gzip.compress((tmp_path / "x.hst.1").read_bytes()))  # killed before unlink
    assert [record.data["a"] for record in read_all(path)] == [0, 1, 2]
    with HistoryWriter(path, compress="gz") as writer:
        writer.write({"a": 3}, now=T + 3)
    assert names(tmp_path) == ["x.hst", "x.hst.0.gz", "x.hst.1.gz", "x.hst.2.gz"]
    assert [record.data["a"] for record in read_all(path)] == [0, 1, 2, 3]


def test_a_rotation_that_was_killed_halfway_costs_no_record(tmp_path: Path) -> None:
    path = tmp_path / "x.hst"
    with HistoryWriter(path) as writer:
        for i in range(4):
            writer.write({"a": i}, now=T + i)
            writer.rotate()
    (tmp_path / "x.hst.3").rename(tmp_path / "x.hst.4")
    (tmp_path / "x.hst.2").rename(tmp_path / "x.hst.3")
    with HistoryWriter(path, rotate_bytes=60) as writer:
        for i in range(4, 7):
            writer.write({"a": i}, now=T + i)
    assert [record.data["a"] for record in read_all(path)] == list(range(7))


def test_records_may_wait_for_each_other(tmp_path: Path) -> None:
    path = tmp_path / "x.hst"
    with HistoryWriter(path, flush=0.2) as writer:
        writer.write({"a": 1}, now=T)
        assert path.read_text() == ""
        assert writer.flush()
        assert path.read_text().count("\n") == 1
        writer.write({"a": 2}, now=T)
        time.sleep(0.25)
        writer.write({"a": 3}, now=T)
        assert path.read_text().count("\n") == 3
        writer.write({"a": 4}, now=T)
    assert path.read_text().count("\n") == 4


def test_any_thread_may_write(tmp_path: Path) -> None:
    path = tmp_path / "x.hst"
    with HistoryWriter(path, rotate_bytes=20_000, compress="gz", flush=0.01) as writer:

        def write(number: int) -> None:
            for i in range(500):
                assert writer.write({f"{number}": i}, now=T)

        threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    last = {str(number): 499 for number in range(4)}
    values: dict[str, int] = {}
    count = 0
    for record in read_all(path):
        values.update(record.data)
        count += 1
    assert (values, count) == (last, 2000)


def test_a_folder_that_goes_and_comes_back_is_told_once_each(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "folder"
    folder.write_text("no folder yet")
    path = folder / "x.hst"
    with HistoryWriter(path) as writer:
        assert not writer.write({"a": 1}, now=T)
        assert not writer.write({"a": 2}, now=T + 1)
        folder.unlink()
        assert writer.write({"a": 3}, now=T + 2)
        assert writer.write({"a": 4}, now=T + 3)
        assert writer.lost == 0
    assert [record.data["a"] for record in read_all(path)] == [1, 2, 3, 4]
    assert caplog.text.count("cannot be written") == 1
    assert caplog.text.count("resumed; 0 records were lost") == 1


@pytest.mark.root
@pytest.mark.parametrize("flush", [0.0, 10.0])
def test_a_full_disk_is_survived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, flush: float
) -> None:
    monkeypatch.setattr(writing, "WAITING", 2000)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(tmp_path)], capture_output=True)
    if done.returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        path = tmp_path / "x.hst"
        (tmp_path / "ballast").write_bytes(bytes(104_000))
        with HistoryWriter(path, flush=flush) as writer:
            said = [writer.write({"a": i}, now=T + i) for i in range(2000)]
            assert not writer.flush()
            assert not said[-1]
            assert writer.lost > 0
            (tmp_path / "ballast").unlink()
            assert writer.write({"b": 1}, now=T + 2000)
            assert writer.flush()
            lost = writer.lost
            assert path.read_text().count("\n") == 2001 - lost + 2  # with the comment, and all values once more
        records = read_all(path)
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)
    kept = [record.data["a"] for record in records if "a" in record.data]
    first_refused = 2000 - lost
    assert kept[:first_refused] == list(range(first_refused))  # nothing broke off, nothing twice
    assert [record.data for record in records[first_refused:]] == [{"a": 1999, "b": 1}, {"b": 1}]
    assert caplog.text.count("No space left on device") == 1
    assert f"resumed; {lost} records were lost" in caplog.text


WRITES_FOR_EVER = """
import sys
from node.history.writer import HistoryWriter
writer = HistoryWriter(sys.argv[1], rotate_bytes=5000, compress="gz")
i = 0
while True:
    assert writer.write({"a": i}, now=1700000000.0 + i)
    sys.stdout.write(f"{i}\\n")
    sys.stdout.flush()
    i += 1
"""


def test_a_killed_writer_has_lost_nothing_that_it_said_was_written(tmp_path: Path) -> None:
    path = tmp_path / "x.hst"
    acknowledged = -1
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITES_FOR_EVER, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(800)]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
        process.wait()
        process.stdout.close()
        acknowledged = max(int(line) for line in lines if line.endswith("\n"))
        told: list[str] = []
        values = {record.data["a"] for record in read_all(path, told.append)}
        assert set(range(acknowledged + 1)) <= values
        assert [what for what in told if not what.endswith(BREAKS_OFF)] == []  # it was killed between two pages of it
        for file in tmp_path.iterdir():
            file.unlink()
