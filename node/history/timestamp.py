"""An instant: read from text and shown as text, in UTC or any zone, to the microsecond; compared at a millisecond.

2014-05-05 21:42:22.000                     UTC, which is not named
2014-05-05 15:42:22.000 MDT                 an abbreviation, once its region is loaded
2014-05-05 15:42:22.000 America/Edmonton    a zone
2014-05-05 15:42:22.000 -0600               an offset
"""

import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from math import floor
from typing import Any

from node.history.abbreviations import REACH, Abbreviations
from node.history.utc_text import DAY, LENGTH, millisecond_text, utc_seconds, utc_text
from node.history.zones import ZoneError, named_zone, wall_instant

EPSILON = 0.001
"""Seconds by which two instants must differ in order not to be equal."""

ABBREVIATIONS = Abbreviations()
"""Those that texts may have, of this process."""

_MILLISECOND = timedelta(milliseconds=1)
_DAYS_KEPT = 4096
_kept: dict[tuple[tzinfo, int], tuple[int | None, str]] = {}
_datetime = datetime  # which is a method, too
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BLANKS = str.maketrans(":-.", "   ")
_FORM = "YYYY-MM-DD HH:MM:SS[.ffffff] [ZONE]"


class Timestamp:
    """`value` seconds since 1970, in UTC: given as such, as a text, a datetime, another one, or now when None.

    A text without a zone is of `zone`, a name or a tzinfo, UTC by default; so is a datetime without one. Two are equal
    within a millisecond, and compare so with numbers too; hence they are no keys of a dict. Raises `ValueError` for
    what is no time, among these `ZoneError` for what is no single instant.
    """

    __slots__ = ("value",)
    __hash__ = None  # type: ignore[assignment]

    value: float

    def __init__(
        self,
        value: "float | str | datetime | Timestamp | None" = None,
        zone: str | tzinfo = UTC,
    ) -> None:
        if value.__class__ is float:
            self.value = value
        elif value.__class__ is str:
            self.value = _parse(value, zone)
        elif value is None:
            self.value = time.time()
        elif isinstance(value, datetime):
            self.value = _of_datetime(value, zone)
        else:
            self.value = float(value)

    @property
    def utc(self) -> str:
        """The text in UTC."""
        return utc_text(self.value)

    @property
    def local(self) -> str:
        """The text in the machine's zone."""
        return self.render("local")

    def datetime(self, zone: str | tzinfo = UTC) -> datetime:
        """The same to the microsecond, in `zone`."""
        return (_EPOCH + timedelta(microseconds=floor(self.value * 1e6 + 0.5))).astimezone(_zone(zone))

    def render(self, zone: str | tzinfo = UTC, digits: int = 3, detail: str = "abbreviation") -> str:
        """The text in `zone`, with 0 to 6 `digits` of a second: rounded, but for 0, which cuts off.

        A zone other than UTC is named behind it, as `detail` says: by its "abbreviation", its "offset" or its "name".
        """
        zone = _zone(zone)
        if digits == 3 and detail == "abbreviation":
            return utc_text(self.value) if zone is UTC else _quickly(self.value, zone)
        return self._render(zone, digits, detail)

    def _render(self, zone: tzinfo, digits: int, detail: str) -> str:
        scale = 10**digits
        whole, fraction = divmod(floor(self.value * scale + (0.5 if digits else 0)), scale)
        try:
            local = (_EPOCH + timedelta(seconds=whole)).astimezone(zone)
        except OverflowError:
            raise ValueError(f"{self.value:g} s is in no year from 1 to 9999") from None
        text = local.isoformat(" ")[:19]
        if digits:
            text += f".{fraction:0{digits}d}"
        return text if zone is UTC else f"{text} {_detail(local, zone, detail)}"

    @classmethod
    def support_abbreviations(
        cls,
        region: str | Iterable[str],
        *,
        exclude: Iterable[str] = (),
        at: "_datetime | Timestamp | None" = None,
        reach: timedelta = REACH,
        reset: bool = False,
        first: bool = False,
    ) -> list[str]:
        """Has texts of this process know the abbreviations of `region` (`Abbreviations.load`); with `reset` no others.
        Returns those that are new."""
        if reset:
            ABBREVIATIONS.clear()
        if isinstance(at, Timestamp):
            at = at.datetime()
        return ABBREVIATIONS.load(region, exclude=exclude, at=at, reach=reach, first=first)

    def __str__(self) -> str:
        return utc_text(self.value)

    def __repr__(self) -> str:
        return f"Timestamp({self.render(digits=6)!r})"

    def __float__(self) -> float:
        return self.value

    def __int__(self) -> int:
        return int(self.value)

    def __add__(self, seconds: float) -> "Timestamp":
        return Timestamp(self.value + seconds)

    __radd__ = __add__

    def __sub__(self, other: "Timestamp | float") -> Any:
        """Seconds between two, or the instant so many seconds before."""
        if isinstance(other, Timestamp):
            return self.value - other.value
        return Timestamp(self.value - other)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Timestamp | float | int):
            return abs(self.value - float(other)) < EPSILON
        return NotImplemented

    def __lt__(self, other: "Timestamp | float") -> bool:
        return float(other) - self.value >= EPSILON

    def __gt__(self, other: "Timestamp | float") -> bool:
        return self.value - float(other) >= EPSILON

    def __le__(self, other: "Timestamp | float") -> bool:
        return self.value - float(other) < EPSILON

    def __ge__(self, other: "Timestamp | float") -> bool:
        return float(other) - self.value < EPSILON


def _zone(zone: str | tzinfo) -> tzinfo:
    """A zone by what people call it."""
    if not isinstance(zone, str):
        return zone
    known = ABBREVIATIONS.find(zone)
    return known.zone if known is not None else named_zone(zone)


def _quickly(value: float, zone: tzinfo) -> str:
    """An instant with three digits and an abbreviation. What a zone has at both ends of a day it has all day: no clock
    is put twice in one."""
    milliseconds = floor(value * 1000 + 0.5)
    day = milliseconds // DAY
    kept = _kept.get((zone, day))
    if kept is None:
        kept = _keep(zone, day)
    offset, name = kept
    if offset is None:
        return Timestamp(value)._render(zone, 3, "abbreviation")
    return millisecond_text(milliseconds + offset) + name


def _keep(zone: tzinfo, day: int) -> tuple[int | None, str]:
    """What `zone` has on a day since 1970: milliseconds ahead of UTC, and the abbreviation with a blank before it; no
    offset when it changes. Raises `ValueError` at the ends of the calendar."""
    found = []
    for seconds in (day * 86400, (day + 1) * 86400):
        try:
            local = (_EPOCH + timedelta(seconds=seconds)).astimezone(zone)
        except OverflowError:
            return None, ""
        found.append((local.utcoffset(), f" {_detail(local, zone, 'abbreviation')}"))
    offset, name = found[0]
    if len(_kept) >= _DAYS_KEPT:
        _kept.clear()
    same = offset is not None and found[0] == found[1]
    return _kept.setdefault((zone, day), (offset // _MILLISECOND if same and offset is not None else None, name))


def _detail(local: datetime, zone: tzinfo, detail: str) -> str:
    if detail == "abbreviation":
        return local.tzname() or local.strftime("%z")
    if detail == "offset":
        return local.strftime("%z")
    if detail == "name":
        return getattr(zone, "key", None) or str(zone)
    raise ValueError(f"detail {detail!r}; wanted abbreviation, offset or name")


def _parse(text: str, zone: str | tzinfo) -> float:
    if zone is UTC and len(text) == LENGTH:
        try:
            return utc_seconds(text)
        except ValueError:
            pass  # another form, or none
    words = text.split()
    if words and (words[-1][0] in "+-" or not words[-1].translate(_BLANKS).replace(" ", "").isdecimal()):
        zone = words.pop()
    numbers = " ".join(words).translate(_BLANKS).split()
    if len(numbers) not in (6, 7) or not all(word.isascii() and word.isdigit() for word in numbers):
        raise ValueError(f"{text!r} is no timestamp; wanted {_FORM}")
    fraction = numbers[6] if len(numbers) == 7 else "0"
    if len(fraction) > 6:
        raise ValueError(f"{text!r}: {len(fraction)} digits of a second; wanted at most 6")
    try:
        wall = datetime(*map(int, numbers[:6]))  # type: ignore[arg-type]  # its zone is what is asked
        instant = _instant(wall, zone, text)
    except ZoneError:
        raise
    except (ValueError, OverflowError) as exc:
        raise ValueError(f"{text!r} is no timestamp: {exc}") from None
    return _seconds(instant, int(f"{fraction:0<6}"))


def _instant(wall: datetime, zone: str | tzinfo, text: str) -> datetime:
    known = ABBREVIATIONS.find(zone) if isinstance(zone, str) else None
    if known is not None:
        return known.instant(wall)
    return wall_instant(wall, _zone(zone), lambda: repr(text))


def _of_datetime(when: datetime, zone: str | tzinfo) -> float:
    microsecond = when.microsecond
    when = when.replace(microsecond=0)
    if when.tzinfo is None:
        when = _instant(when, zone, str(when))
    return _seconds(when.astimezone(UTC), microsecond)


def _seconds(instant: datetime, microsecond: int) -> float:
    since = instant - _EPOCH
    return ((since.days * 86400 + since.seconds) * 1_000_000 + microsecond) / 1_000_000
