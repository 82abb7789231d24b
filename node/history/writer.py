"""Writes a history: a record a line, appended, so that a kill at any time leaves a file that is good up to its last
line.

When `write` has said True the record is the operating system's, and a kill of this process loses nothing; with `sync`
it is on the disk, and neither does a loss of power; with `flush` seconds it may wait here for so long, as far as there
are later records or `flush` is called, which is quicker.

A disk that is full, or a folder that cannot be had, stops nobody: it is logged once, records wait here, at most
`WAITING` bytes of them, each later `write` tries again, and the file says how many were lost.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from math import inf
from pathlib import Path
from typing import Any, Self

from node.history.compressor import Compressor
from node.history.history_files import COMPRESSIONS, HistoryError, check_compression, rotate, series
from node.history.reader import UNREADABLE, look
from node.history.record_line import Json, comment_line, encode_line

log = logging.getLogger(__name__)

WAITING = 1 << 20
"""Bytes of records that are kept while they cannot be written."""

_BUFFER = 1 << 16
_RETRY = 10.0
"""Seconds until a rotation that failed is tried again."""


class HistoryWriter:
    """A history at `path`, which is opened, with the folders it needs, at the first record.

    A new file is begun before a record that would make it longer than `rotate_bytes`, and `rotate_seconds` after the
    first record in it; `keep` older ones stay, all by default, compressed as `compress` says: "gz", "bz2", "xz" or ""
    for not at all. `whole`: each file but the first begins with the last value of everything, so that it can be played
    by itself. `mode` is the file's, less what the umask takes. `clock` gives seconds since 1970 where `now` is not
    given.

    Any thread may write. Raises `HistoryError` for arguments that cannot be.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        rotate_bytes: int | None = None,
        rotate_seconds: float | None = None,
        keep: int | None = None,
        compress: str = "",
        flush: float = 0.0,
        sync: bool = False,
        whole: bool = True,
        mode: int = 0o666,
        clock: Callable[[], float] = time.time,
    ) -> None:
        for name, value in (("rotate_bytes", rotate_bytes), ("rotate_seconds", rotate_seconds), ("keep", keep)):
            if value is not None and value <= 0:
                raise HistoryError(f"{name} {value}; wanted more than 0, or None for without")
        check_compression(compress)
        self.path = Path(path)
        if self.path.suffix[1:] in COMPRESSIONS:
            raise HistoryError(
                f"{path}: a file that is written is not compressed; give the name without {self.path.suffix}"
            )
        self.lost = 0
        """Records that were dropped since the writer was made, because nothing could be written for long."""
        self._rotate_bytes = inf if rotate_bytes is None else rotate_bytes
        self._rotate_seconds = inf if rotate_seconds is None else rotate_seconds
        self._keep = keep
        self._flush = flush
        self._sync = sync
        self._whole = whole
        self._mode = mode
        self._clock = clock
        self._lock = threading.RLock()
        self._compressor = Compressor(self.path, compress, self._lock) if compress else None
        self._values: dict[Any, Json] = {}
        self._file = -1
        self._size = 0
        self._ready = False
        """A file is open, and has a record."""
        self._fresh = False
        """There is no record in the file yet."""
        self._until = inf
        """When the file is to be rotated."""
        self._now = 0.0
        """When the last record was."""
        self._not_before = 0.0
        self._pending = bytearray()
        self._flush_at = 0.0
        self._untold = 0
        self._error = ""
        self._begun = self._closed = False

    def write(self, values: Mapping[Any, Json] | str, now: float | None = None, serial: Json = None) -> bool:
        """Appends a record of `values` by name, of an access that `serial` tells of, or of a note; whether it is as
        safe as this writer makes records. False when it could not be written, and after `close`.

        `now` is in seconds since 1970. Raises `RecordError` for values that JSON has no words for.
        """
        with self._lock:
            if now is None:
                now = self._clock()
            line = encode_line(now, serial, values).encode("ascii")
            plain = serial is None and values.__class__ is not str
            if plain and self._whole:
                self._values.update(values)  # type: ignore[arg-type]
            self._now = now
            if self._ready and self._size + len(line) <= self._rotate_bytes and now < self._until:
                return self._append(line)
            return self._prepare(line, plain)

    def comment(self, text: str, now: float | None = None) -> bool:
        """Appends a line for people: what is read back leaves it out."""
        with self._lock:
            if now is None:
                now = self._clock()
            line = comment_line(now, text).encode("ascii", "backslashreplace")
            if self._closed or (self._file < 0 and not self._open()):
                return False
            return self._append(line)

    def flush(self) -> bool:
        """Hands on what waits here; whether nothing waits any more."""
        with self._lock:
            return not self._pending or self._drain()

    def rotate(self) -> bool:
        """Begins a new file with the next record; whether it will."""
        with self._lock:
            return not self._closed and (self._file >= 0 or self._open()) and self._rotate()

    def close(self, wait: bool = True) -> None:
        """Writes what waits, and with `wait` returns when everything is compressed. May be called twice."""
        with self._lock:
            if not self.flush():
                log.error(
                    "%s: closed with %d bytes of records that could not be written", self.path, len(self._pending)
                )
            self._closed = True
            self._close_file()
        if wait and self._compressor is not None:
            self._compressor.wait()

    @property
    def problem(self) -> str:
        """Why nothing can be written, "" while it can."""
        return self._error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _prepare(self, line: bytes, plain: bool) -> bool:
        """Does what is to be done before a record, then appends it."""
        if self._closed:
            return False
        if self._file < 0 and not self._open():
            return self._refuse(line)
        full = self._size + len(line) > self._rotate_bytes or self._now >= self._until
        if full and self._rotate() and not self._open():
            return self._refuse(line)
        if self._fresh:
            line = self._begin(line, plain)
        self._ready = True
        return self._append(line)

    def _begin(self, line: bytes, plain: bool) -> bytes:
        """The first record of a file, with all values before it or, when it is of values itself, in it."""
        self._fresh = False
        self._until = self._now + self._rotate_seconds
        if not self._values:
            return line
        values = self._all_values()
        return values if plain else values + line

    def _all_values(self) -> bytes:
        return encode_line(self._now, None, self._values).encode("ascii")

    def _append(self, line: bytes) -> bool:
        if self._pending or self._flush:
            return self._queue(line)
        self._size += len(line)
        try:
            done = os.write(self._file, line)  # the common way: one record, one write
            if done == len(line) and not self._sync:
                return True
        except OSError:
            done = 0  # which the next try tells of
        self._pending += line[done:]
        return self._drain()

    def _queue(self, line: bytes) -> bool:
        """Appends to what waits, and writes that if it is time."""
        if self._error and len(self._pending) + len(line) > WAITING:
            return self._refuse(line)
        self._size += len(line)
        self._pending += line
        if not self._error and len(self._pending) < _BUFFER:
            now = time.monotonic()
            if len(self._pending) == len(line):
                self._flush_at = now + self._flush
            if now < self._flush_at:
                return True
        return self._drain()

    def _drain(self) -> bool:
        """Writes what waits, as far as it can."""
        try:
            while self._pending:
                del self._pending[: os.write(self._file, self._pending)]
            if self._sync:
                os.fsync(self._file)
        except OSError as exc:
            return self._fail(exc)
        if self._error:
            self._resume()
        return True

    def _refuse(self, line: bytes) -> bool:
        """Keeps the record for later if there is room, and counts it as lost if not; False. Where a file is open, its
        turn to be written comes first."""
        if self._file >= 0 and self._drain():
            return self._append(line)
        if len(self._pending) + len(line) <= WAITING:
            self._pending += line
        else:
            self.lost += 1
            self._untold += 1
        return False

    def _fail(self, exc: OSError) -> bool:
        if not self._error:
            log.error("%s: cannot be written: %s; tried again at each record", self.path, exc.strerror or exc)
        self._error = exc.strerror or str(exc)
        return False

    def _resume(self) -> None:
        self._error = ""
        untold, self._untold = self._untold, 0
        log.warning("%s: resumed; %d records were lost", self.path, untold)
        if untold:
            lost = comment_line(self._now, f"{untold} records were lost: nothing could be written").encode()
            self._append(lost + self._all_values() if self._values else lost)

    def _open(self) -> bool:
        """Opens the file for more; whether it is."""
        try:
            if not self._begun:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                if self._compressor is not None:
                    self._compressor.clear()
                    self._compressor.wake()
                self._begun = True
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, self._mode)
        except OSError as exc:
            return self._fail(exc)
        self._file = file
        self._size = os.fstat(file).st_size
        self._fresh = not self._size
        self._until = inf
        if self._size:
            self._go_on()
        return not self._error or self._drain()

    def _go_on(self) -> None:
        """With a file that has records already."""
        if os.pread(self._file, 1, self._size - 1) != b"\n":
            log.warning("%s: its last line broke off; new records begin behind it", self.path)
            self._pending[:0] = b"\n" + comment_line(self._clock(), "the line above broke off").encode()
        if self._rotate_seconds != inf:
            self._until = self._begun_at() + self._rotate_seconds

    def _begun_at(self) -> float:
        """When the file's first record was; now, when it has none."""
        try:
            found = look(next(file for file in series(self.path) if file.number < 0))
        except UNREADABLE:
            found = None
        if found is None:
            return self._now
        found.file.close()
        return found.record.time

    def _rotate(self) -> bool:
        """Makes way for a new file; whether it could."""
        if not self._size or time.monotonic() < self._not_before:
            return False
        if self._pending and not self._drain():
            return False
        try:
            rotate(self.path, self._keep)
        except OSError as exc:
            log.error("%s: cannot be rotated, and goes on: %s", self.path, exc.strerror or exc)
            self._not_before = time.monotonic() + _RETRY
            return False
        self._close_file()
        if self._compressor is not None:
            self._compressor.wake()
        return True

    def _close_file(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
            self._ready = False
