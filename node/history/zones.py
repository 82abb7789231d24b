"""Time zones: by name, the machine's own, and which instant a wall clock's time was.

A wall clock is put forward and back. What it showed twice is two instants, and what it left out is none; zoneinfo gives
an answer for either, and here they are errors, since a record of a plant that is an hour off is worse than none.

The data is the system's, or that of the package tzdata where the system has none.
"""

import os
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from node.errors import NodeError

_named: dict[str, ZoneInfo] = {}
_read: dict[tuple[str, int], ZoneInfo] = {}
"""Files' zones by path and when they were changed."""
_OFFSET = re.compile(r"([+-])(\d\d):?([0-5]\d)?", re.ASCII)
_LOCALTIME = Path("/etc/localtime")


class ZoneError(NodeError, ValueError):
    """A time zone that is not known, or that does not say which instant is meant."""


class AmbiguousTime(ZoneError):
    """The wall clock showed it twice, when it was put back."""


class NonExistentTime(ZoneError):
    """The wall clock never showed it: it was put forward over it."""


def named_zone(name: str) -> tzinfo:
    """`UTC`, `local` (the machine's), `+0530`, or one of the names of the time zone database. Raises `ZoneError`."""
    known = _named.get(name)
    if known is not None:
        return known
    if name in ("UTC", "Z"):
        return UTC
    if name == "local":
        return local_zone()
    offset = _OFFSET.fullmatch(name)
    if offset is not None:
        minutes = int(offset[2]) * 60 + int(offset[3] or 0)
        if minutes < 1440:
            return timezone(timedelta(minutes=-minutes if offset[1] == "-" else minutes), name)
    try:
        return _named.setdefault(name, ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise ZoneError(
            f"there is no time zone {name!r}; wanted UTC, local, or a name as Europe/Berlin or an abbreviation whose "
            f"region was loaded{_missing_data()}"
        ) from exc


def local_zone() -> tzinfo:
    """The machine's: that of `TZ`, else that of /etc/localtime, else UTC. Raises `ZoneError` for a `TZ` that names
    none."""
    name = os.environ.get("TZ", "").removeprefix(":")
    if name:
        if name.startswith("/"):
            return _read_zone(Path(name))
        try:
            return UTC if name == "UTC" else ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
            raise ZoneError(f"TZ={name!r} names no time zone; wanted one as Europe/Berlin{_missing_data()}") from exc
    return _read_zone(_LOCALTIME) if _LOCALTIME.exists() else UTC


def _read_zone(path: Path) -> tzinfo:
    """A zone from its file, under its name where the file is in a zoneinfo folder."""
    name = str(path.resolve()).rpartition("/zoneinfo/")[2]
    try:
        if name in ("UTC", "Etc/UTC"):
            return UTC
        if not name.startswith("/"):
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        pass  # a file of the machine's own
    try:
        key = (str(path), path.stat().st_mtime_ns)
        if key not in _read:
            with path.open("rb") as file:
                _read[key] = ZoneInfo.from_file(file, key=name)
        return _read[key]
    except (OSError, ValueError) as exc:
        raise ZoneError(f"{path}: no time zone can be read here: {exc}") from exc


def wall_instant(wall: datetime, zone: tzinfo, shown: Callable[[], str]) -> datetime:
    """The instant, in UTC, at which clocks in `zone` showed `wall` (without a zone). `shown` gives it as text, for
    errors. Raises `AmbiguousTime`, `NonExistentTime`."""
    first, second = wall.replace(tzinfo=zone, fold=0), wall.replace(tzinfo=zone, fold=1)
    before, after = first.utcoffset(), second.utcoffset()
    if before != after and before is not None and after is not None:
        if before < after:
            raise NonExistentTime(
                f"{shown()} never was: clocks went from {first.tzname()} to {second.tzname()} over it"
            )
        raise AmbiguousTime(
            f"{shown()} was twice, as {first.tzname()} and as {second.tzname()}; say which, by its offset "
            f"({first:%z} or {second:%z}) or, once its region is loaded, its abbreviation"
        )
    return first.astimezone(UTC)


def _missing_data() -> str:
    try:
        ZoneInfo("Europe/Berlin")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return '; this machine has no time zone data: pip install "plcfarm[history]"'
    return ""
