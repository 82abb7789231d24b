"""The files of one history: their names, their order, how they are rotated, compressed and opened.

    pump.hst  pump.hst.0  pump.hst.1.gz  pump.hst.2.xz ...  pump.hst.10.bz2

The one without a number is the newest, and the higher its number the older a file is; numbers are numbers, so 10 comes
after 9. Where a number is there plain and compressed, somebody died between the two, and the plain one is the file.
What has another ending belongs to no history.
"""

import os
import re
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from node.errors import NodeError
from node.record import dataclass

COMPRESSIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "gz": ("gzip", {"compresslevel": 6}),
    "bz2": ("bz2", {}),
    "xz": ("lzma", {"preset": 2}),  # whose own default takes 100 MB of memory
}
"""Ending to the module that reads and writes such files, and what it is told for writing."""

PARTIAL = ".partial"
"""What a file is called behind its name while it is being compressed."""

_BLOCK = 1 << 20


class HistoryError(NodeError):
    """A history that is not there or cannot be read."""


@dataclass(frozen=True, slots=True)
class HistoryFile:
    """One of them. `number` is -1 for the newest; `compression` an ending, "" for none; `inode` what stays of a file
    that is renamed."""

    path: Path
    number: int
    compression: str
    inode: int


def series(path: Path) -> list[HistoryFile]:
    """The files of the history at `path` that are there, newest first."""
    form = re.compile(re.escape(path.name) + r"(?:\.(\d{1,9}))?(?:\.(gz|bz2|xz))?", re.ASCII)
    found: dict[int, HistoryFile] = {}
    try:
        entries = [*os.scandir(path.parent)]
    except FileNotFoundError:
        return []
    for entry in entries:
        match = form.fullmatch(entry.name)
        if match is not None:
            number = -1 if match[1] is None else int(match[1])
            file = HistoryFile(path.parent / entry.name, number, _compression(entry.name), entry.inode())
            known = found.get(number)
            if known is None or (known.compression, known.path.name) > (file.compression, entry.name):
                found[number] = file
    return [found[number] for number in sorted(found)]


def open_file(file: Path) -> IO[bytes]:
    """The bytes of a file, uncompressed. Raises `OSError`, and `HistoryError` where this Python was built without that
    compression."""
    ending = _compression(file.name)
    if not ending:
        return file.open("rb", buffering=0)
    opened: IO[bytes] = _module(ending).open(file, "rb")
    return opened


def rotate(path: Path, keep: int | None = None) -> None:
    """Makes the file at `path` number 0 and each other one older by one; deletes those past the newest `keep`. Renames
    from the oldest on: whoever dies in between leaves a number out, and no two files of one number. Raises
    `OSError`."""
    numbered: dict[int, list[str]] = {}
    form = re.compile(re.escape(path.name) + r"\.(\d{1,9})((?:\.(?:gz|bz2|xz))?)", re.ASCII)
    for file in path.parent.iterdir():
        match = form.fullmatch(file.name)
        if match is not None:
            numbered.setdefault(int(match[1]), []).append(file.name)
    free = next(number for number in range(len(numbered) + 1) if number not in numbered)
    for number in reversed(range(free)):
        for name in numbered[number]:
            match = form.fullmatch(name)
            assert match is not None
            (path.parent / name).rename(path.parent / f"{path.name}.{number + 1}{match[2]}")
    path.rename(path.parent / f"{path.name}.0")
    if keep is not None:
        for old in series(path):
            if old.number >= keep:
                old.path.unlink(missing_ok=True)


def compress(plain: IO[bytes], target: Path, compression: str) -> None:
    """Writes `target`, compressed and on the disk, with what `plain` has. Raises `OSError`."""
    module, options = _module(compression), COMPRESSIONS[compression][1]
    with target.open("wb") as raw:
        os.fchmod(raw.fileno(), os.fstat(plain.fileno()).st_mode & 0o7777)
        with module.open(raw, "wb", **options) as packed:
            while block := plain.read(_BLOCK):
                packed.write(block)
        raw.flush()
        os.fsync(raw.fileno())


def check_compression(compression: str) -> None:
    """Raises `HistoryError` for one that there is not, or not here; "" is none."""
    if compression:
        if compression not in COMPRESSIONS:
            raise HistoryError(f"compression {compression!r}; wanted {', '.join(COMPRESSIONS)}")
        _module(compression)


def _compression(name: str) -> str:
    ending = name.rpartition(".")[2]
    return ending if ending in COMPRESSIONS else ""


def _module(compression: str) -> Any:
    name = COMPRESSIONS[compression][0]
    try:
        return import_module(name)
    except ImportError as exc:
        raise HistoryError(f".{compression}: this Python was built without {name}") from exc
