"""Capture files: whole, for their owner alone, and no more of them than were asked for."""

from pathlib import Path

import pytest

from farm.cli.capture_files import CaptureFiles
from farm.cli.pcap import file_size
from farm.cli.usage import UsageError
from farm.errors import FarmError
from node.capture.pcap import Packet, decode

PACKETS = [Packet(number * 10**9, bytes([number]) * 400, 400) for number in range(20)]


def test_files_turn_and_lose_only_the_oldest(tmp_path: Path) -> None:
    file = tmp_path / "plant.pcap"
    with CaptureFiles(file, 1000, 3) as out:
        for packet in PACKETS:
            out.write([packet])
    assert (out.packets, out.bytes, out.files) == (20, 8000, 3)
    kept = [file, tmp_path / "plant.1.pcap", tmp_path / "plant.2.pcap"]
    assert sorted(tmp_path.iterdir()) == sorted(kept)
    found = [packet for each in reversed(kept) for packet in decode(each.read_bytes())]
    assert found == PACKETS[-6:]
    assert all(each.stat().st_mode & 0o777 == 0o600 for each in kept)


def test_one_file_begins_anew_when_it_is_full(tmp_path: Path) -> None:
    with CaptureFiles(tmp_path / "one", 1000, 1) as out:
        out.write(PACKETS[:5])
    assert list(decode((tmp_path / "one").read_bytes())) == [PACKETS[4]]
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_what_was_written_is_there_before_the_end(tmp_path: Path) -> None:
    file = tmp_path / "plant.pcap"
    file.write_text("something older")
    file.chmod(0o644)
    with CaptureFiles(file, 10**6, 1) as out:
        out.write(PACKETS)
        assert list(decode(file.read_bytes())) == PACKETS
    assert file.stat().st_mode & 0o777 == 0o600


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for file in (tmp_path, tmp_path / "none" / "x.pcap", tmp_path / "link"):
        with pytest.raises(FarmError, match=f"cannot write {file}: "):
            CaptureFiles(file, 1000, 1)
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_is_not_to_be_too_small() -> None:
    assert file_size("1000", "--size") == 1000
    with pytest.raises(UsageError, match=r"^--size: '0\.9kB'; wanted bytes, as 500kB or 10MB, 1000 at least$"):
        file_size("0.9kB", "--size")
