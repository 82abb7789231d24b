"""A history as a table: of values, a column a name and a row an instant at which something changed; of accesses, a row
each.

A history holds changes, a table what everything was: each row has the last value of every name, None before its first.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from node.history.record_line import Json, Record


class Access(NamedTuple):
    """A "read" or "write", `what`, of elements `first` to `last` of `tag`, at `time`. `values` are None where it was
    refused, with the general status `error`; `peer` is who asked, where that was recorded."""

    time: float
    tag: str
    first: int | None
    last: int | None
    what: str
    values: Json
    error: Json
    peer: Json


def names_of(records: Iterable[Record]) -> dict[str, type]:
    """Each name of a value, in order of appearance, with the type that holds all its values: bool, int, float or str
    (for whatever is none of these, or several)."""
    found: dict[str, type] = {}
    for record in records:
        if record.serial is None and isinstance(record.data, dict):
            for name, value in record.data.items():
                if value is not None:
                    kind = type(value) if isinstance(value, bool | int | float) else str
                    known = found.get(name, kind)
                    found[name] = kind if known is kind else float if {known, kind} == {int, float} else str
                else:
                    found.setdefault(name, bool)
    return found


def rows_of(records: Iterable[Record], names: Iterable[str]) -> Iterator[tuple[float, list[Json]]]:
    """(time, the value of each of `names` then), one row for all records of an instant."""
    place = {name: index for index, name in enumerate(names)}
    row: list[Json] = [None] * len(place)
    time: float | None = None
    for record in records:
        if record.serial is None and isinstance(record.data, dict):
            changes = [(place[name], value) for name, value in record.data.items() if name in place]
            if not changes:
                continue
            if time is not None and record.time != time:
                yield time, row
                row = row.copy()
            time = record.time
            for index, value in changes:
                row[index] = value
    if time is not None:
        yield time, row


def accesses_of(records: Iterable[Record]) -> Iterator[Access]:
    """Those among `records`, in order."""
    for record in records:
        if record.serial is not None and isinstance(record.data, dict):
            data = dict(record.data)
            error, peer = data.pop("error", None), data.pop("peer", None)
            what, values = next(iter(data.items()), ("", None))
            yield Access(record.time, *_span(record.serial), what, values, error, peer)


def tag_of(serial: Json) -> list[Json]:
    """The tag whose access it is, then the rest of the serial: `["Tag", [0, 3]]`, unless somebody else wrote it."""
    return serial if isinstance(serial, list) and serial and isinstance(serial[0], str) else [str(serial)]


def _span(serial: Json) -> tuple[str, int | None, int | None]:
    match tag_of(serial):
        case [str(tag), [int(first), int(last)], *_]:
            return tag, first, last
        case [tag, *_]:
            return str(tag), None, None
    raise AssertionError(serial)
