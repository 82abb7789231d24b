"""Instants as the first column of a history has them: UTC, to the millisecond, `2014-07-15 22:03:44.186`.

Every record of every file passes here, so days are rendered and read once and then looked up, as are the minutes of a
day, the seconds of a minute and the milliseconds of a second. Whatever has a zone or other digits is
`node.history.timestamp`'s.
"""

import re
from datetime import UTC, datetime, timedelta
from math import floor

LENGTH = 23
"""Characters of such a text."""

DAY = 86_400_000
"""Milliseconds."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORM = re.compile(r"(\d{4})-(\d\d)-(\d\d) (?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}", re.ASCII)
_KEPT = 4096
"""Days that are remembered; eleven years."""

_DAY_TEXTS: dict[int, str] = {}
_MINUTE_TEXTS = tuple(f"{hour:02d}:{minute:02d}:" for hour in range(24) for minute in range(60))
_SECOND_TEXTS = tuple(f"{second:02d}" for second in range(60))
_MILLISECOND_TEXTS = tuple(f".{millisecond:03d}" for millisecond in range(1000))

_DAYS: dict[str, int] = {}
_MINUTES = {text: minute * 60_000 for minute, text in enumerate(_MINUTE_TEXTS)}
_SECONDS = {text: second * 1000 for second, text in enumerate(_SECOND_TEXTS)}
_MILLISECONDS = {text: millisecond for millisecond, text in enumerate(_MILLISECOND_TEXTS)}


def utc_text(seconds: float) -> str:
    """`seconds` since 1970, rounded to the millisecond. Raises `ValueError` outside the years 1 to 9999."""
    return millisecond_text(floor(seconds * 1000 + 0.5))


def millisecond_text(milliseconds: int) -> str:
    """The same of milliseconds since 1970."""
    day = milliseconds // DAY
    rest = milliseconds - day * DAY
    text = _DAY_TEXTS.get(day) or _day_text(day)
    second = rest // 1000
    return text + _MINUTE_TEXTS[second // 60] + _SECOND_TEXTS[second % 60] + _MILLISECOND_TEXTS[rest % 1000]


def utc_seconds(text: str) -> float:
    """The first 23 characters of `text` as seconds since 1970. Raises `ValueError` for anything else."""
    try:
        day = _DAYS[text[:11]]
        return (day + _MINUTES[text[11:17]] + _SECONDS[text[17:19]] + _MILLISECONDS[text[19:23]]) / 1000
    except KeyError:
        _learn_day(text[:LENGTH])
        return utc_seconds(text)


def _day_text(day: int) -> str:
    """`2014-07-15 `, of a day since 1970."""
    try:
        when = _EPOCH + timedelta(days=day)
    except OverflowError:
        raise ValueError(f"{day * 86400:g} s is in no year from 1 to 9999") from None
    if len(_DAY_TEXTS) >= _KEPT:
        _DAY_TEXTS.clear()
    return _DAY_TEXTS.setdefault(day, f"{when:%Y-%m-%d} ".rjust(11, "0"))


def _learn_day(text: str) -> None:
    """Has `_DAYS` know the day of a text. Raises `ValueError` for what is no such text."""
    form = _FORM.fullmatch(text)
    if form is None:
        raise ValueError(f"{text!r}; wanted YYYY-MM-DD HH:MM:SS.mmm, in UTC")
    year, month, day = map(int, form.groups())
    since = (datetime(year, month, day, tzinfo=UTC) - _EPOCH).days
    if len(_DAYS) >= _KEPT:
        _DAYS.clear()
    _DAYS[text[:11]] = since * DAY
