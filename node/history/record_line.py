"""One line of a history and the record that it is.

    2014-07-15 22:03:44.186 TAB null                  TAB {"40001": 5, "40002": 0}     values
    2014-07-15 22:03:44.186 TAB ["Tag_Name", [0, 3]]  TAB {"write": [0, 1, 2, 3]}      an access
    2014-07-15 22:03:44.186 TAB null                  TAB "the pump was serviced"      a note
    # 2014-07-15 22:03:35.945: Started recording Tag: Tag_Name                         a comment

The first column is UTC to the millisecond, the others are JSON. Spaces do for tabs where a person wrote the file. A
`NaN` is written as Python's JSON has it.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from node.errors import NodeError
from node.history.utc_text import utc_seconds, utc_text

Json = Any
"""None, a bool, an int, a float, a str, a list or a dict of these."""

LONGEST = 16 * 1024 * 1024
"""Characters of a line; what is longer is no record."""


class RecordError(NodeError):
    """A line that is no record, or a value that cannot be in one."""


class Record(NamedTuple):
    """`time` in seconds since 1970; `serial` says whose `data` it is, None for values by name. `data` is a map, or a
    text, which is a note to whoever reads."""

    time: float
    serial: Json
    data: Json


_PLAIN = "\tnull\t"
_STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,3})?(?=\s)", re.ASCII)
_SPACES = re.compile(r"\s*", re.ASCII)
_SEVERAL = 4
"""From so many values on Python's encoder is quicker than a loop."""
_NAMES = 65536

_dumps = json.JSONEncoder().encode
_loads = json.JSONDecoder().raw_decode
_keys: dict[str | int, str] = {}


def encode(record: Record) -> str:
    """The line, with its newline. Raises `RecordError` for what JSON or the calendar has no words for."""
    return encode_line(record.time, record.serial, record.data)


def encode_line(time: float, serial: Json, data: Json) -> str:
    """The same of a record's parts."""
    try:
        stamp = utc_text(time)
        kind = data.__class__
        text = _encode_values(data) if kind is dict or isinstance(data, Mapping) else _dumps(data)
        if serial is None:
            return f"{stamp}\tnull\t{text}\n"
        return f"{stamp}\t{_dumps(serial)}\t{text}\n"
    except (TypeError, ValueError, OverflowError, RecursionError) as exc:
        raise RecordError(f"a record that cannot be written: {exc}") from exc


def comment_line(time: float, text: str) -> str:
    """A comment of one line, whatever `text` has."""
    return f"# {utc_text(time)}: {' '.join(text.split())}\n"


def decode(line: str) -> Record | None:
    """The record, with or without its newline; None for a comment and a blank line. Raises `RecordError`."""
    try:
        if line[23:29] == _PLAIN:  # nearly all are
            time = utc_seconds(line)
            data, end = _loads(line, 29)
            if data.__class__ is dict and line[end:] in ("\n", ""):
                return Record(time, None, data)
        return _decode_slowly(line)
    except (ValueError, RecursionError) as exc:
        raise RecordError(f"{_shortly(line)}: {exc}") from None


def _decode_slowly(line: str) -> Record | None:
    if line.startswith("#") or not line.strip():
        return None
    stamp = _STAMP.match(line)
    if stamp is None:
        raise ValueError("does not begin with YYYY-MM-DD HH:MM:SS.mmm")
    whole, _, fraction = stamp[0].partition(".")
    time = utc_seconds(f"{whole}.{fraction:0<3}")
    serial, end = _loads(line, _past_spaces(line, stamp.end()))
    data, end = _loads(line, _past_spaces(line, end))
    if line[end:].strip():
        raise ValueError(f"{_shortly(line[end:])} follows its data")
    if not isinstance(data, dict | str):
        raise ValueError(f"its data is {_shortly(json.dumps(data))}; wanted a map or a text")
    return Record(time, serial, data)


def _past_spaces(line: str, at: int) -> int:
    found = _SPACES.match(line, at)
    return found.end() if found else at


def _encode_values(values: Mapping[Any, Any]) -> str:
    if len(values) > _SEVERAL:
        return _dumps(values if isinstance(values, dict) else dict(values))
    text = "{"
    for name, value in values.items():
        key = _keys.get(name) or _key(name)
        if text != "{":
            text += ", "
        text += f"{key}{value}" if value.__class__ is int else key + _dumps(value)
    return text + "}"


def _key(name: str | int) -> str:
    """A name as it stands before its value."""
    if len(_keys) >= _NAMES:
        _keys.clear()
    return _keys.setdefault(name, _dumps(str(name)) + ": ")


def _shortly(text: str) -> str:
    text = text.strip()
    return repr(text if len(text) <= 60 else text[:57] + "...")
