"""A log file goes round: 10 MB, and five older ones."""

import subprocess
import sys
from pathlib import Path

import pytest

from node.cli.log import COPIES, FILE_SIZE
from tests.cli.lone import ENIP_SERVER, HOST, ROOT, Start, ready

LINE = 100_000
WRITER = """
import logging, sys
from node.cli.log import set_up_log
set_up_log(1, sys.argv[1])
for number in range(int(sys.argv[2])):
    logging.getLogger("writer").info("%06d %s", number, "x" * int(sys.argv[3]))
logging.getLogger("writer").debug("not wanted")
"""


def test_files_are_begun_anew_at_10_mb_and_five_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "node.log"
    each = FILE_SIZE // LINE
    count = each * (COPIES + 3)
    command = [sys.executable, "-c", WRITER, str(file), str(count), str(LINE - 50)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=100)
    files = [file, *(tmp_path / f"node.log.{number}" for number in range(1, COPIES + 1))]
    assert sorted(tmp_path.iterdir()) == sorted(files)
    sizes = [path.stat().st_size for path in files]
    assert all(size <= FILE_SIZE for size in sizes)
    assert all(size > FILE_SIZE - 2 * LINE for size in sizes[1:])
    numbers = [int(line.partition("writer: ")[2][:6]) for path in reversed(files) for line in lines(path)]
    assert numbers == [*range(numbers[0], count)]
    assert len(numbers) > COPIES * (each - 1)


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


@pytest.mark.net
@pytest.mark.parametrize(("options", "levels"), [((), set()), (("-v",), {"INFO"}), (("-vv",), {"INFO", "DEBUG"})])
def test_more_is_said_when_asked_for(start: Start, tmp_path: Path, options: tuple[str, ...], levels: set[str]) -> None:
    (tmp_path / "cpppo.cfg").write_text("[Identity]\nProduct Name = logged\n")
    log = tmp_path / "node.log"
    process = start(*ENIP_SERVER, *options, "-l", str(log), "-a", f"{HOST}:0", cwd=tmp_path, HOME="/")
    ready(process)
    process.terminate()
    assert process.communicate(timeout=30)[1] == ""
    assert {line.split()[2] for line in lines(log)} == levels
