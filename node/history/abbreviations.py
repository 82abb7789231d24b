"""Abbreviations of time zones, `MST` or `CEST`, that mean one thing each because the regions they are of were named.

The world has several `CST` and `IST`. Within a country or a continent an abbreviation is mostly one thing: what its
zones call their time within half a year of some instant, which is looked up in the time zone database.
"""

import logging
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from importlib.resources import files
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo, ZoneInfoNotFoundError

from node.history.zones import NonExistentTime, ZoneError
from node.record import dataclass

log = logging.getLogger(__name__)

REACH = timedelta(days=183)
"""How far around its instant an abbreviation is looked for."""

_STEP = timedelta(days=1)
_TABLES = ("zone.tab", "zone1970.tab")


class AmbiguousAbbreviation(ZoneError):
    """One abbreviation, and several things that it may mean."""


@dataclass(frozen=True, slots=True)
class Abbreviation:
    """What one means: `zone` calls its time so, `offset` ahead of UTC; `changes` are the instants at which clocks are
    put there, where `daylight` says that it is the time of the summer."""

    name: str
    zone: ZoneInfo
    offset: timedelta
    daylight: bool
    changes: tuple[datetime, ...]

    def agrees(self, other: "Abbreviation") -> bool:
        """Whether both name the same times."""
        if (self.offset, self.daylight) != (other.offset, other.daylight):
            return False
        return not self.daylight or self.changes == other.changes

    def instant(self, wall: datetime) -> datetime:
        """The instant, in UTC, at which a clock that keeps this time showed `wall` (without a zone).

        A clock may keep standard time all year. Raises `NonExistentTime` for time of the summer when there was none.
        """
        for fold in (0, 1):
            local = wall.replace(tzinfo=self.zone, fold=fold)
            if local.tzname() == self.name:
                instant = local.astimezone(UTC)
                if instant.astimezone(self.zone).tzname() == self.name:
                    return instant
        if self.daylight:
            raise NonExistentTime(f"'{wall} {self.name}' never was: {self.zone.key} did not have {self.name} then")
        return (wall - self.offset).replace(tzinfo=UTC)


class Abbreviations:
    """Those that were loaded; empty at first."""

    def __init__(self) -> None:
        self._known: dict[str, Abbreviation] = {}

    def find(self, name: str) -> Abbreviation | None:
        """What it means, if it was loaded."""
        return self._known.get(name)

    def clear(self) -> None:
        """Forgets all."""
        self._known.clear()

    def load(
        self,
        region: str | Iterable[str],
        *,
        exclude: Iterable[str] = (),
        at: datetime | None = None,
        reach: timedelta = REACH,
        first: bool = False,
    ) -> list[str]:
        """Adds what the zones of `region` call their time within `reach` of `at` (now): the abbreviations that are new,
        in order.

        A region is a country (`CA`), a zone (`America/Edmonton`) or the front of several (`Europe`); `exclude` are
        such, too. Where zones differ about one, the `first` wins and it is logged, or `AmbiguousAbbreviation` is raised
        and nothing is added. Raises `ZoneError` for a region that is none.
        """
        at = datetime.now(UTC) if at is None else at.astimezone(UTC)
        left_out = {zone for each in exclude for zone in zones_of(each)}
        added: dict[str, Abbreviation] = {}
        for each in [region] if isinstance(region, str) else region:
            for name in zones_of(each):
                if name not in left_out:
                    for found in _abbreviations(name, at, reach):
                        known = added.get(found.name) or self._known.get(found.name)
                        if known is None:
                            added[found.name] = found
                        elif not known.agrees(found):
                            _differ(known, found, first)
        self._known |= added
        return sorted(added)


def zones_of(region: str) -> list[str]:
    """Names of the zones of a country, of those that begin so, or of one. Raises `ZoneError`."""
    rows = [line.split("\t") for line in _table().splitlines() if line and not line.startswith("#")]
    if len(region) == 2 and region.isupper():
        found = [row[2] for row in rows if region in row[0].split(",")]
    else:
        found = [row[2] for row in rows if row[2].startswith(region + "/")]
    if not found:
        try:
            ZoneInfo(region)
        except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
            raise ZoneError(f"region {region!r}; wanted a country as CA, a zone as Europe/Berlin, or Europe") from exc
        found = [region]
    return found


def _table() -> str:
    """Which zones there are in which countries: the table of the system, or of tzdata."""
    for name in _TABLES:
        for folder in TZPATH:
            path = Path(folder, name)
            if path.is_file():
                return path.read_text("utf-8")
    try:
        return files("tzdata.zoneinfo").joinpath(_TABLES[0]).read_text("utf-8")
    except (ModuleNotFoundError, OSError) as exc:
        raise ZoneError('this machine has no table of time zones: pip install "plcfarm[history]"') from exc


def _abbreviations(name: str, at: datetime, reach: timedelta) -> Iterator[Abbreviation]:
    """What the zone calls its time within `reach` of `at`."""
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError):  # a table that is newer than the data
        return
    spans = _spans(zone, at - reach, at + reach)
    changes = tuple(begin for begin, _, _ in spans[1:])
    standard = min(offset for _, offset, _ in spans)
    seen = set()
    for _, offset, short in spans:
        if short.isalpha() and (short, offset) not in seen:
            seen.add((short, offset))
            yield Abbreviation(short, zone, offset, offset > standard, changes)


def _spans(zone: ZoneInfo, begin: datetime, end: datetime) -> list[tuple[datetime, timedelta, str]]:
    """(begin, offset, abbreviation) of each span from `begin` to `end` in which neither changes."""
    spans = [(begin, *_kept(zone, begin))]
    while begin < end:
        later = min(begin + _STEP, end)
        if _kept(zone, later) != spans[-1][1:]:
            change = _bisect(zone, begin, later)
            spans.append((change, *_kept(zone, change)))
        begin = later
    return spans


def _kept(zone: tzinfo, instant: datetime) -> tuple[timedelta, str]:
    local = instant.astimezone(zone)
    return local.utcoffset() or timedelta(), local.tzname() or ""


def _bisect(zone: tzinfo, low: datetime, high: datetime) -> datetime:
    """The second at which clocks were put, in (low, high]."""
    before = _kept(zone, low)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        low, high = (middle, high) if _kept(zone, middle) == before else (low, middle)
    return high


def _differ(known: Abbreviation, found: Abbreviation, first: bool) -> None:
    what = f"{known.name} is one thing in {known.zone.key} and another in {found.zone.key}"
    if not first:
        raise AmbiguousAbbreviation(f"{what}; exclude one, or name a smaller region")
    log.warning("%s; it is taken for that of %s", what, known.zone.key)
