"""A recording of a farm on disk: a folder with a history of each node's values, and one of what clients did with it.

    DIR/plc1.hst            values: all of them in the first record of each file, then those that changed
    DIR/plc1.hst.0.xz       the file before it; the higher the number, the older
    DIR/accesses/plc1.hst   what clients read and wrote

Values are written when a node has reported them, and are the system's then: killing whoever records loses nothing that
was written. The files are for this user alone.
"""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from farm.errors import FarmError
from node.errors import NodeError
from node.history.history_files import open_file, series
from node.history.reader import UNREADABLE, look
from node.history.record_line import decode
from node.history.writer import HistoryWriter

ACCESSES = "accesses"
ENDING = ".hst"
PRIVATE = 0o600
TAIL = 1 << 20
"""Bytes of the newest file in which its last record is looked for."""

BROKEN: tuple[type[Exception], ...] = (*UNREADABLE, NodeError)
"""What looking into a file raises that is no history."""

_FILE = re.compile(r"(.+)\.hst(?:\.\d{1,9})?(?:\.(?:gz|bz2|xz))?")


class RecordingFiles:
    """Writes what nodes report into `folder`. `rotate` bytes begin a node's next file, `keep` older ones stay, and are
    compressed as `compress` says ("" for not at all). A context. Raises `FarmError` for a folder that cannot be had."""

    def __init__(self, folder: Path, rotate: int | None = None, keep: int | None = None, compress: str = "") -> None:
        self.folder = folder
        self.records = 0
        self.accesses = 0
        self._rotate = rotate
        self._keep = keep
        self._compress = compress
        self._writers: dict[tuple[str, str], HistoryWriter] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as exc:
            raise FarmError(f"cannot make {folder}: {exc.strerror}") from exc

    def __enter__(self) -> "RecordingFiles":
        return self

    def __exit__(self, *exc: object) -> None:
        for writer in self._writers.values():
            writer.close(wait=False)
        for writer in self._writers.values():
            writer.close()

    @property
    def nodes(self) -> int:
        """Of how many nodes there is something."""
        return len({node for _, node in self._writers})

    @property
    def lost(self) -> int:
        """Records that could not be written for so long that they were given up."""
        return sum(writer.lost for writer in self._writers.values())

    def write(self, node: str, records: Iterable[Sequence[Any]]) -> None:
        """Appends what a node reported: [number, seconds since 1970, JSON of serial and data]."""
        for _, seconds, text in records:
            serial, data = json.loads(text)
            if serial is None:
                self._writer("", node).write(data, seconds)
                self.records += 1
            else:
                self._writer(ACCESSES, node).write(data, seconds, serial)
                self.accesses += 1

    def remark(self, node: str, text: str) -> None:
        """A line for people, in the history of a node."""
        self._writer("", node).comment(text)

    def _writer(self, within: str, node: str) -> HistoryWriter:
        found = self._writers.get((within, node))
        if found is None:
            path = self.folder / within / f"{node}{ENDING}"
            found = HistoryWriter(
                path, rotate_bytes=self._rotate, keep=self._keep, compress=self._compress, mode=PRIVATE
            )
            self._writers[within, node] = found
        return found


def recorded_nodes(folder: Path) -> list[str]:
    """The nodes that a folder has values of, in order. Raises `FarmError` for one that cannot be read."""
    try:
        found = {match[1] for path in folder.iterdir() if (match := _FILE.fullmatch(path.name))}
    except OSError as exc:
        raise FarmError(f"cannot read {folder}: {exc.strerror}") from exc
    return sorted(found)


def values_file(folder: Path, node: str) -> Path:
    """The newest file of a node's values."""
    return folder / f"{node}{ENDING}"


def first_time(path: Path) -> float | None:
    """When the history at `path` begins, in seconds since 1970; None where there is no record."""
    for source in reversed(series(path)):
        try:
            found = look(source)
        except BROKEN:
            continue
        if found is not None:
            found.file.close()
            return found.record.time
    return None


def last_time(path: Path) -> float | None:
    """When it ends; None where that cannot be told quickly, of a file that is compressed."""
    for source in series(path)[:1]:
        if source.compression:
            return None
        try:
            with open_file(source.path) as file:
                size = file.seek(0, 2)
                file.seek(max(0, size - TAIL))
                lines = file.read().split(b"\n")
        except UNREADABLE:
            return None
        for line in reversed(lines):
            try:
                record = decode(line.decode("utf-8", "replace"))
            except NodeError:
                continue
            if record is not None:
                return record.time
    return None
