"""Reads the records of a history, file after file, from the one that some instant is in.

Files may be renamed, compressed and deleted while they are read: a file is known by what it is, not by its name, and
the next one is that beside it in the series of the moment. What is broken, a line, the rest of a file, a whole file, is
told and left out.
"""

import logging
import os
import zlib
from collections.abc import Callable
from itertools import chain
from math import inf
from pathlib import Path
from typing import IO, NamedTuple

from node.errors import NodeError
from node.history.history_files import HistoryError, HistoryFile, open_file, series
from node.history.record_line import LONGEST, Record, RecordError, decode

log = logging.getLogger(__name__)

_BLOCK = 1 << 16
_LOOK = 1 << 20
"""Bytes in which a file's first record must be."""
BREAKS_OFF = "; the file breaks off there"

_raised: list[type[Exception]] = [OSError, EOFError, ValueError, zlib.error, NodeError]
try:
    from lzma import LZMAError

    _raised.append(LZMAError)
except ImportError:  # a Python without it: nor can it read such files
    pass
UNREADABLE: tuple[type[Exception], ...] = tuple(_raised)
"""What reading a file raises that is broken, or none of ours."""


class _Found(NamedTuple):
    """A file that is open at its beginning, and its first record with the line it stands on."""

    source: HistoryFile
    file: IO[bytes]
    line: bytes
    record: Record

    def read(self, size: int) -> bytes:
        """The next bytes, no more than there are before a place that is broken."""
        data: bytes = self.file.read1(size) if self.source.compression else self.file.read(size)  # type: ignore[attr-defined]
        return data


class _Moved(Exception):
    """A file has another name by now, or none."""


class Reader:
    """The records of the history at `path`, oldest first.

    With `follow` it never ends: what is written later, also to files that do not exist yet, is read when it is there.
    `tell` is given one line for whatever is left out, `FILE:LINE: what`. With `strict` a bad line raises `RecordError`
    instead. Records from before the one before them are left out, unless `ordered` is false: somebody put a clock back.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        follow: bool = False,
        tell: Callable[[str], None] = log.warning,
        strict: bool = False,
        ordered: bool = True,
    ) -> None:
        self._at: _Found | None = None
        self.path = Path(path)
        self.ended = False
        """Nothing more will come."""
        self.line = 0
        """Lines of the current file that were read."""
        self._follow = follow
        self._tell = tell
        self._strict = strict
        self._ordered = ordered
        self._start: float | None = None
        self._time = -inf
        self._tail = b""
        self._sure = False
        """The current file was at its end when there was a next one already."""
        self._broken = False
        self._disorder = False
        self._told: set[int] = set()
        self._firsts: dict[int, bytes] = {}
        """First lines of compressed files, which do not change, by inode."""
        self._sources: list[HistoryFile] = []
        """The series as it was listed last, newest first: a listing takes as long as there are files."""
        self._at_place = 0
        """Which of these the current file was when it was looked for last."""

    @property
    def file(self) -> Path | None:
        """The file that is read, by the name it had when it was opened."""
        return self._at and self._at.source.path

    @property
    def begin(self) -> float:
        """When the first record of the file is that is read; infinite where none is."""
        return self._at.record.time if self._at else inf

    def seek(self, time: float | None = None) -> bool:
        """Begins at the newest file whose first record is not after `time`, else at the oldest; whether there is one.

        Records of that file before `time` are read too: its first one holds all values. Raises `HistoryError` where
        nothing is and nothing is waited for.
        """
        self.close()
        self.ended, self._start, self._time = False, time, -inf
        begin = _settled(lambda: self._containing(time))
        if begin is not None:
            self._take(begin)
        elif not self._follow:
            raise HistoryError(f"{self.path}: no history is there, nor a file that it has become (.0, .1.gz ...)")
        return begin is not None

    def read(self) -> list[Record]:
        """The next records, up to some thousands; none at the end, or for now. Raises `HistoryError` where there is
        no history, and with `strict` `RecordError`."""
        while not self.ended and (self._at is not None or self.seek(self._start)):
            records = self._block()
            if records is None:
                records = self._at_end()
                if records is None:
                    return []
            if records:
                return records
        return []

    def close(self) -> None:
        """Lets go of the file; the next `read` begins anew."""
        if self._at is not None:
            self._at.file.close()
            self._at = None

    def __del__(self) -> None:
        self.close()

    def _take(self, found: _Found) -> None:
        self.close()
        self._at = found
        self._tail = b""
        self.line = 0
        self._sure = self._broken = self._disorder = False

    def _block(self) -> list[Record] | None:
        """The records of the next lines; None at the end of the file."""
        assert self._at is not None
        if self._broken:
            return None
        try:
            block = self._at.read(_BLOCK)
        except UNREADABLE as exc:
            self._complain(f"the rest cannot be read, and is left out: {exc}")
            self._broken = True
            return None
        if not block:
            return None
        self._sure = False
        whole, newline, tail = block.rpartition(b"\n")
        if newline:
            whole, self._tail = self._tail + whole, tail
            return self._decode(whole.decode("utf-8", "replace").split("\n"))
        self._tail += tail
        if len(self._tail) > LONGEST:
            if not self._tail.startswith(b"#"):
                self._complain(f"the next line has more than {LONGEST} characters, and is left out")
            self._tail = b"#"  # which makes a comment of its rest
        return []

    def _decode(self, lines: list[str], ends: str = "") -> list[Record]:
        records, last = [], self._time
        for line in lines:
            self.line += 1
            try:
                record = decode(line)
            except RecordError as exc:
                if self._strict:
                    raise RecordError(f"{self.file}:{self.line}: {exc}{ends}") from None
                self._complain(f"left out: {exc}{ends}")
                continue
            if record is not None:
                if record[0] < last and self._ordered:
                    self._out_of_order(line)
                else:
                    last = record[0]
                    records.append(record)
        self._time = last
        return records

    def _at_end(self) -> list[Record] | None:
        """At the end of a file: what is left of it, and the next one is open; None where more may come."""
        found = _settled(self._after)
        if found is None and self._follow:
            return None
        if found is not None and not self._sure:  # what came until there was a next one
            found.file.close()
            self._sure = True
            return []
        rest, self._tail = self._tail, b""
        records = self._decode([rest.decode("utf-8", "replace")], BREAKS_OFF) if rest else []
        if found is None:
            self.ended = True
            self.close()
        else:
            self._take(found)
        return records

    def _containing(self, time: float | None) -> _Found | None:
        """The newest file whose first record is not after `time`, else the oldest."""
        self._sources = series(self.path)
        if time is None:
            return next((found for source in reversed(self._sources) if (found := self._look(source))), None)
        begin: _Found | None = None
        try:
            for source in self._sources:
                found = self._look(source)
                if found is not None:
                    if begin is not None:
                        begin.file.close()
                    begin = found
                    if found.record.time <= time:
                        break
        except _Moved:
            if begin is not None:
                begin.file.close()
            raise
        return begin

    def _after(self) -> _Found | None:
        """The file that comes after the current one."""
        place = self._known_place()
        if place is None:
            self._sources = series(self.path)
            place = self._place(self._sources)
        newer = self._sources if place is None else self._sources[:place]
        for source in reversed(newer):
            found = self._look(source)
            if found is not None:
                if place is not None or found.record.time >= self._time:
                    return found
                found.file.close()
        return None

    def _known_place(self) -> int | None:
        """Which of the files that were listed last the current one is, if that is still so and the one after it is
        where it was; None where it must be looked for. Files are renamed from the oldest on: where these two are not,
        none between them and no newer one is."""
        assert self._at is not None
        sources, inode = self._sources, self._at.source.inode
        near = range(max(0, self._at_place - 1), min(len(sources), self._at_place + 1))
        place = next((at for at in chain(near, range(len(sources))) if sources[at].inode == inode), None)
        if place is None or not _is_there(sources[place]):
            return None
        self._at_place = place
        if place == 0:
            return 0 if sources[0].number < 0 else None
        return place if _is_there(sources[place - 1]) else None

    def _place(self, sources: list[HistoryFile]) -> int | None:
        """Which of these the current file is; None when it was deleted."""
        assert self._at is not None
        current = self._at
        for place, source in enumerate(sources):
            if source.inode == current.source.inode:
                return place
        for place, source in enumerate(sources):
            if source.compression and self._first(source) == current.line:
                return place
        return None

    def _first(self, source: HistoryFile) -> bytes:
        line = self._firsts.get(source.inode)
        if line is None:
            found = self._look(source)
            if found is not None:
                found.file.close()
            line = self._firsts[source.inode] = found.line if found else b""
        return line

    def _look(self, source: HistoryFile) -> _Found | None:
        """The file, opened; None where it has no record. Raises `_Moved` where it is not what it was when it was
        listed: a writer has rotated its files, and another one has its name."""
        found = None
        try:
            found = look(source)
        except FileNotFoundError:
            self._sources = []
            raise _Moved from None
        except UNREADABLE as exc:
            if source.inode not in self._told:
                self._told.add(source.inode)
                self._tell(f"{source.path}: left out, no record can be read: {exc}")
        if found is not None and not _is_there(source) and source not in series(self.path):
            found.file.close()
            self._sources = []
            raise _Moved
        return found

    def _out_of_order(self, line: str) -> None:
        if not self._disorder:
            self._disorder = True
            self._complain(f"{line[:23]} is before the record before it; such are left out")

    def _complain(self, what: str) -> None:
        self._tell(f"{self.file}:{self.line}: {what}")


def _is_there(source: HistoryFile) -> bool:
    """Whether the name of a file leads to it, as far as that can be seen without a listing: where a folder is put
    together of others, one inode may have two numbers."""
    try:
        return source.path.stat().st_ino == source.inode
    except OSError:
        return False


def _settled(find: Callable[[], _Found | None]) -> _Found | None:
    """What is found, once no file is renamed while it is looked for."""
    while True:
        try:
            return find()
        except _Moved:
            continue


def look(source: HistoryFile) -> _Found | None:
    """The file, opened; None where nothing but comments are in its first megabyte. Raises what is in `UNREADABLE`, of
    these `RecordError` where something else is there and no record."""
    file = open_file(source.path)
    try:
        first = _first_line(file)
        if first is not None:
            file.seek(0)
            return _Found(source, file, *first)
    except BaseException:
        file.close()
        raise
    file.close()
    return None


def _first_line(file: IO[bytes]) -> tuple[bytes, Record] | None:
    looked, tail, wrong = 0, b"", None
    while looked < _LOOK:
        block = file.read(_BLOCK)
        looked += len(block)
        lines = (tail + block).split(b"\n")
        tail = lines.pop() if block else b""
        for line in lines:
            try:
                record = decode(line.decode("utf-8", "replace"))
            except RecordError as exc:
                wrong = wrong or exc
                continue
            if record is not None:
                return line, record
        if not block:
            break
    if wrong is not None:
        raise wrong
    return None
