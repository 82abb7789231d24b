"""Instants as the first column of a history has them: UTC, to the millisecond, `2014-07-15 22:03:44.186`.

Every record of every file passes here, so minutes are rendered and read once and then looked up. Whatever has a zone or
other digits is `node.history.timestamp`'s.
"""

import re
from datetime import UTC, datetime, timedelta
from math import floor

LENGTH = 23
"""Characters of such a text."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORM = re.compile(r"(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)\.(\d{3})", re.ASCII)
_KEPT = 4096
"""Minutes that are remembered; two days and a half of them."""

_MINUTE_TEXTS: dict[int, str] = {}
_SECOND_TEXTS = tuple(f"{second:02d}" for second in range(60))
_MILLISECOND_TEXTS = tuple(f".{millisecond:03d}" for millisecond in range(1000))

_MINUTES: dict[str, int] = {}
_SECONDS = {f":{second:02d}": second * 1000 for second in range(60)}
_MILLISECONDS = {text: millisecond for millisecond, text in enumerate(_MILLISECOND_TEXTS)}


def utc_text(seconds: float) -> str:
    """`seconds` since 1970, rounded to the millisecond. Raises `ValueError` outside the years 1 to 9999."""
    minute, rest = divmod(floor(seconds * 1000 + 0.5), 60_000)
    text = _MINUTE_TEXTS.get(minute) or minute_text(minute)
    return text + _SECOND_TEXTS[rest // 1000] + _MILLISECOND_TEXTS[rest % 1000]


def utc_seconds(text: str, at: int = 0) -> float:
    """The first 23 characters of `text`, from `at` on, as seconds since 1970. Raises `ValueError` for anything else."""
    minute = _MINUTES.get(text[at : at + 16])
    second = _SECONDS.get(text[at + 16 : at + 19])
    millisecond = _MILLISECONDS.get(text[at + 19 : at + 23])
    if minute is None or second is None or millisecond is None:
        return _slowly(text[at : at + LENGTH])
    return (minute + second + millisecond) / 1000


def minute_text(minute: int) -> str:
    """`2014-07-15 22:03:`, of a `minute` since 1970. Raises `ValueError` outside the years 1 to 9999."""
    try:
        when = _EPOCH + timedelta(minutes=minute)
    except OverflowError:
        raise ValueError(f"{minute * 60:g} s is in no year from 1 to 9999") from None
    if len(_MINUTE_TEXTS) >= _KEPT:
        _MINUTE_TEXTS.clear()
    return _MINUTE_TEXTS.setdefault(minute, f"{when.isoformat(' ')[:16]}:")


def _slowly(text: str) -> float:
    form = _FORM.fullmatch(text)
    if form is None:
        raise ValueError(f"{text!r}; wanted YYYY-MM-DD HH:MM:SS.mmm, in UTC")
    year, month, day, hour, minute, second, millisecond = map(int, form.groups())
    when = datetime(year, month, day, hour, minute, second, tzinfo=UTC) - _EPOCH
    start = (when.days * 86400 + when.seconds - second) * 1000
    if len(_MINUTES) >= _KEPT:
        _MINUTES.clear()
    _MINUTES[text[:16]] = start
    return (start + second * 1000 + millisecond) / 1000
