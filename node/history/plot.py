"""A value over time as lines of text, drawn with Braille dots, two by four in a character.

A value holds until the next one, so it is drawn in steps; where more changes than there are columns, a column shows all
that was in it, from the lowest to the highest.
"""

from collections.abc import Sequence
from math import floor, log10

from node.history.timestamp import Timestamp

HEIGHT = 12
"""Lines of the drawing."""
NARROWEST = 40

_BITS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_BLANK = 0x2800
_LARGEST = 1e300


def plot(
    name: str, times: Sequence[float], values: Sequence[float], width: int, zone: str = "UTC", height: int = HEIGHT
) -> list[str]:
    """The lines, at most `width` wide: `name`, the drawing with an axis of values, an axis of times in `zone`.

    `times` ascend, in seconds since 1970; values that are not finite, or nearly so, are left out.
    """
    points = [(time, value) for time, value in zip(times, values, strict=True) if abs(value) <= _LARGEST]
    if not points:
        return [f"{name}: nothing to be drawn"]
    low, high = min(value for _, value in points), max(value for _, value in points)
    if high - low <= abs(high) * 1e-12:
        spread = abs(low) * 0.1 or 1.0
        low, high = low - spread, high + spread
    marks = _marks(low, high, height)
    margin = max(map(len, marks.values())) + 1
    columns = max(NARROWEST, width) - margin - 2
    cells = _draw(points, low, high, columns, height)
    lines = [name]
    for row in range(height):
        mark = marks.get(row, "")
        lines.append(f"{mark:>{margin}} {'┤' if mark else '│'}{''.join(map(chr, cells[row]))}".rstrip(chr(_BLANK)))
    lines.append(f"{'':{margin}} └{'─' * columns}")
    lines.append(f"{'':{margin + 2}}{_time_axis(points[0][0], points[-1][0], columns, zone)}".rstrip())
    return lines


def _draw(points: list[tuple[float, float]], low: float, high: float, columns: int, height: int) -> list[list[int]]:
    """Rows of characters' numbers."""
    cells = [[_BLANK] * columns for _ in range(height)]
    across, down = columns * 2, height * 4
    begin, end = points[0][0], points[-1][0]
    scale = (across - 1) / (end - begin) if end > begin else 0.0

    def at(value: float) -> int:
        return round((high - value) / (high - low) * (down - 1))

    last_x, last_y = 0, at(points[0][1])
    for time, value in [*points, points[-1]]:
        x, y = floor((time - begin) * scale), at(value)
        for between in range(last_x, x + 1):
            _dot(cells, between, last_y)
        for between in range(min(last_y, y), max(last_y, y) + 1):
            _dot(cells, x, between)
        last_x, last_y = x, y
    if end == begin:
        for x in range(across):
            _dot(cells, x, last_y)
    return cells


def _dot(cells: list[list[int]], x: int, y: int) -> None:
    cells[y // 4][x // 2] |= _BITS[x % 2][y % 4]


def _marks(low: float, high: float, height: int) -> dict[int, str]:
    """The values that rows 0, and every third or so, stand for."""
    rows = sorted({round(part * (height - 1) / 4) for part in range(5)})
    largest = max(abs(low), abs(high))
    plain = largest < 1e7 and high - low >= 1e-4
    form = f".{max(0, 2 - floor(log10(high - low)))}f" if plain else ".6g"
    return {row: f"{high + (low - high) * (row / (height - 1)):{form}}" for row in rows}


def _time_axis(begin: float, end: float, columns: int, zone: str) -> str:
    """Beginning, end, and the middle where there is room; the day once where it is one."""
    digits = 3 if end - begin < 10 else 0
    texts = [Timestamp(time).render(zone, digits) for time in (begin, (begin + end) / 2, end)]
    if texts[0][:10] == texts[2][:10]:
        texts = [texts[0], *(text.split(" ")[1] for text in texts[1:])]
    first, middle, last = texts
    room = columns - len(first) - len(last)
    if room < 1:
        return first
    left = (columns - len(middle)) // 2 - len(first)
    if left < 1 or room - left - len(middle) < 1:
        return first + " " * room + last
    return first + " " * left + middle + " " * (room - left - len(middle)) + last
