"""What one or several histories have of some names between two instants, in one order of time."""

import os
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from heapq import merge
from math import inf
from operator import itemgetter
from pathlib import Path

from node.history.duration import parse_duration
from node.history.reader import Reader
from node.history.record_line import Record
from node.history.table import tag_of
from node.history.timestamp import Timestamp


class Recorded:
    """The histories at `paths`; where there are several, a name begins with its file's: `plc-1:Level`.

    Only names that fit one of `patterns` are given, where there are any, and with `accesses` only reads and writes by
    clients. `tell` is given a line for whatever cannot be read.
    """

    def __init__(
        self,
        paths: Sequence[str | os.PathLike[str]],
        *,
        patterns: Sequence[str] = (),
        accesses: bool = False,
        tell: Callable[[str], None],
    ) -> None:
        self.paths = [Path(path) for path in paths]
        self.begin, self.end = -inf, inf
        self._patterns = tuple(patterns)
        self._accesses = accesses
        self._tell = tell
        self._prefixes = _prefixes(self.paths)
        self._fitting: dict[str, bool] = {}

    def between(self, begin: str | None, end: str | None, zone: str = "UTC") -> None:
        """From `begin` to `end`: timestamps, in `zone` where they name none, or `+1m30s`, so long after the first
        record. Raises `ValueError`, and `HistoryError` where there is no history."""
        if begin is not None:
            self.begin = self._instant(begin, zone)
        if end is not None:
            self.end = self._instant(end, zone)
        if self.begin > self.end:
            raise ValueError(f"from {begin} to {end}: it would end before it begins")

    def records(self, before: bool = False) -> Iterator[Record]:
        """What is wanted, in order of time. With `before` also some that are too early, from which one learns what
        everything was at the beginning. Raises `HistoryError` where there is no history."""
        begin = -inf if before else self.begin
        for record in merge(*(self._of(path) for path in self.paths), key=itemgetter(0)):
            if record.time > self.end:
                return
            if record.time >= begin:
                yield record

    def growing(self) -> Iterator[list[Record]]:
        """What is wanted and there is, then for ever what has been added since it was asked last, perhaps nothing."""
        readers = [Reader(path, follow=True, tell=self._tell) for path in self.paths]
        for reader in readers:
            reader.seek(self._start())
        while True:
            found: list[Record] = []
            for reader in readers:
                while records := reader.read():
                    found += self._wanted(records, reader.path)
            found.sort(key=itemgetter(0))
            yield [record for record in found if self.begin <= record.time <= self.end]

    def _of(self, path: Path) -> Iterator[Record]:
        reader = Reader(path, tell=self._tell, ordered=len(self.paths) > 1 or self.begin > -inf or self.end < inf)
        reader.seek(self._start())
        try:
            while records := reader.read():
                yield from self._wanted(records, path)
        finally:
            reader.close()

    def _start(self) -> float | None:
        return self.begin if self.begin > -inf else None

    def _wanted(self, records: list[Record], path: Path) -> Iterator[Record]:
        prefix = self._prefixes[path]
        for record in records:
            if record.serial is not None:
                tag, *rest = tag_of(record.serial)
                if self._fits(prefix + tag):
                    yield Record(record.time, [prefix + tag, *rest], record.data) if prefix else record
            elif self._accesses:
                continue
            elif isinstance(record.data, dict):
                data = {prefix + name: value for name, value in record.data.items() if self._fits(prefix + name)}
                if data:
                    yield Record(record.time, None, data)
            elif not self._patterns:
                yield Record(record.time, None, f"{prefix} {record.data}" if prefix else record.data)

    def _fits(self, name: str) -> bool:
        known = self._fitting.get(name)
        if known is None:
            known = not self._patterns or any(fnmatchcase(name, pattern) for pattern in self._patterns)
            self._fitting[name] = known
        return known

    def _instant(self, text: str, zone: str) -> float:
        if not text.startswith("+"):
            return Timestamp(text, zone).value
        return self._first() + parse_duration(text[1:])

    def _first(self) -> float:
        """When the first record of all is."""
        found = []
        for path in self.paths:
            reader = Reader(path, tell=self._tell)
            reader.seek()
            found.append(reader.begin)
            reader.close()
        return min(found)


def _prefixes(paths: list[Path]) -> dict[Path, str]:
    """What the names of each begin with: nothing where there is one, its file's name where those differ, else all of
    its path."""
    if len(set(paths)) == 1:
        return {paths[0]: ""}
    stems = [path.name.partition(".")[0] for path in dict.fromkeys(paths)]
    short = len(set(stems)) == len(stems)
    return {path: f"{path.name.partition('.')[0] if short else path}:" for path in paths}
