"""Wall clock, class 0x8B of a Logix controller: what time it is, get and set.

    5 date and time: year, month, day, hour, minute, second, microsecond u32 each | 6 microseconds since 1970 u64 |
    10 daylight saving u8 | 11 microseconds since 1970 u64

Clients ask for 6 or 11, set 6 (and 10), or use 5: all three are the same instant, in UTC. Setting it keeps what it is
ahead of the host's clock, which nobody changes.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from node.cip.attribute_values import Codec, Number, Numbers
from node.cip.services import WALL_CLOCK_CLASS
from node.cip.status import INVALID_ATTRIBUTE_VALUE, CipError
from node.cip.types import UDINT, ULINT, USINT
from node.objects.attribute_access import ATTRIBUTE_SERVICES
from node.objects.object import AttributeRow, Object, stored

if TYPE_CHECKING:
    from datetime import datetime

LAST = 221_845_392_000_000_000
"""Microseconds to the year 9000: later than this nobody means it, and the calendar ends at 9999."""

_DATE = Numbers(UDINT, 7)
_INSTANT = Number(ULINT)


class WallClock:
    """`wall` gives seconds since 1970."""

    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._ahead = 0

    def now(self) -> int:
        """Microseconds since 1970."""
        return min(max(0, self._host() + self._ahead), 2 * LAST)

    def set(self, microseconds: int) -> None:
        """From now on it is this late. Raises `CipError` 0x09 for after `LAST`."""
        if microseconds > LAST:
            raise CipError(INVALID_ATTRIBUTE_VALUE)
        self._ahead = microseconds - self._host()

    def restore(self) -> None:
        """The host's time again."""
        self._ahead = 0

    def get_instant(self) -> bytes:
        """Attributes 6 and 11."""
        return _INSTANT.encode(self.now())

    def set_instant(self, data: bytes) -> None:
        """Raises `CipError`."""
        value = _INSTANT.decode(data)
        assert isinstance(value, int)
        self.set(value)

    def get_date(self) -> bytes:
        """Attribute 5."""
        from datetime import timedelta

        at = _epoch() + timedelta(microseconds=min(self.now(), LAST))
        return _DATE.encode([at.year, at.month, at.day, at.hour, at.minute, at.second, at.microsecond])

    def set_date(self, data: bytes) -> None:
        """Raises `CipError`: 0x09 for a day there is not."""
        parts = _DATE.decode(data)
        assert isinstance(parts, list)
        from datetime import datetime, timedelta

        try:
            at = datetime(*parts)
        except (ValueError, OverflowError) as exc:
            raise CipError(INVALID_ATTRIBUTE_VALUE) from exc
        if at < _epoch():
            raise CipError(INVALID_ATTRIBUTE_VALUE)
        self.set((at - _epoch()) // timedelta(microseconds=1))

    def _host(self) -> int:
        return int(self._wall() * 1e6)


def _epoch() -> "datetime":
    from datetime import datetime

    return datetime(1970, 1, 1)


def wall_clock_object(clock: WallClock) -> Object:
    """The object of `clock`."""

    def row(
        ident: int, name: str, codec: Codec, get: Callable[[], bytes], put: Callable[[bytes], None]
    ) -> AttributeRow:
        return AttributeRow(ident, name, get, put, codec=codec, preset=put, restore=clock.restore)

    rows = [
        row(5, "date and time", _DATE, clock.get_date, clock.set_date),
        row(6, "current value", _INSTANT, clock.get_instant, clock.set_instant),
        stored(10, "daylight saving", Number(USINT), 0, aliases=("DST",), accept=_check_saving),
        row(11, "current UTC value", _INSTANT, clock.get_instant, clock.set_instant),
    ]
    return Object(WALL_CLOCK_CLASS, "Wall Clock", {1: rows}, dict(ATTRIBUTE_SERVICES), names=("Wall Clock Time",))


def _check_saving(value: object) -> None:
    if value not in (0, 1):
        raise CipError(INVALID_ATTRIBUTE_VALUE)
