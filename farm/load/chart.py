"""Curves as SVG that stands inside a page: told apart by their dashes and widths and a name at each, so that they can
be read without colours, on paper, and by whoever sees none."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 860, 260
LEFT, RIGHT, TOP, BOTTOM = 74, 96, 14, 34
POINTS = 400
"""Points of a curve; more would be on one pixel."""
LABEL_HEIGHT = 15

Point = tuple[float, float]
Format = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Curve:
    """`points` ascend in x; `style` is one of a page's classes: `strong`, `thin`, `dashed`, `dotted`."""

    name: str
    points: Sequence[Point]
    style: str


@dataclass(frozen=True, slots=True)
class Axis:
    """From `low` to `high`, linear or by powers of ten, with lines at `ticks`."""

    low: float
    high: float
    ticks: Sequence[float]
    text: Format
    log: bool = False

    def part(self, value: float) -> float:
        """How far along it a value is, 0 to 1."""
        if self.log:
            low, high, value = (math.log10(max(each, 1e-12)) for each in (self.low, self.high, value))
        else:
            low, high = self.low, self.high
        return min(1.0, max(0.0, (value - low) / (high - low))) if high > low else 0.0


def linear(high: float, text: Format, low: float = 0.0) -> Axis:
    """An axis to at least `high`, with about five round ticks."""
    span = (high - low) or 1.0
    raw = span / 5
    step = 10 ** math.floor(math.log10(raw))
    step *= next(factor for factor in (1, 2, 5, 10) if factor * step >= raw * 0.999)
    count = math.ceil(span / step - 1e-9)
    return Axis(low, low + count * step, [low + number * step for number in range(count + 1)], text)


def powers(low: float, high: float, text: Format) -> Axis:
    """An axis of powers of ten around `low` and `high`, both above 0."""
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    last = max(last, first + 1)
    return Axis(10.0**first, 10.0**last, [10.0**power for power in range(first, last + 1)], text, log=True)


def chart(title: str, curves: Sequence[Curve], x: Axis, y: Axis, marks: Sequence[float] = ()) -> str:
    """The picture; `marks` are places on the x axis where something went wrong."""
    inner = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def at(point: Point) -> Point:
        return LEFT + inner[0] * x.part(point[0]), TOP + inner[1] * (1 - y.part(point[1]))

    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">']
    parts += [_grid(x, y, at)]
    floor = TOP + inner[1]
    for mark in marks:
        place = at((mark, y.low))[0]
        parts.append(f'<path class="mark" d="M{place:.1f} {floor}l-3 6h6z"/>')
    labels = []
    for curve in curves:
        shown = [at(point) for point in thinned(curve.points)]
        if not shown:
            continue
        path = "L".join(f"{left:.1f} {top:.1f}" for left, top in shown)
        parts.append(f'<path class="curve {curve.style}" d="M{path}"/>')
        labels.append((shown[-1][1], curve.name))
    parts += _labels(labels)
    return "".join([*parts, "</svg>"])


def thinned(points: Sequence[Point]) -> list[Point]:
    """At most so many points as can be told apart; of those that fall together the highest, for it is what counts."""
    if len(points) <= POINTS:
        return list(points)
    each = math.ceil(len(points) / POINTS)
    groups = [points[at : at + each] for at in range(0, len(points), each)]
    return [max(group, key=lambda point: point[1]) for group in groups]


def _grid(x: Axis, y: Axis, at: Callable[[Point], Point]) -> str:
    parts = []
    right, floor = WIDTH - RIGHT, HEIGHT - BOTTOM
    for tick in y.ticks:
        top = at((x.low, tick))[1]
        parts.append(f'<path class="grid" d="M{LEFT} {top:.1f}H{right}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 8}" y="{top + 4:.1f}" text-anchor="end">{y.text(tick)}</text>')
    for tick in x.ticks:
        left = at((tick, y.low))[0]
        parts.append(f'<path class="grid" d="M{left:.1f} {TOP}V{floor}"/>')
        parts.append(f'<text class="tick" x="{left:.1f}" y="{floor + 22}" text-anchor="middle">{x.text(tick)}</text>')
    return "".join(parts)


def _labels(ends: Sequence[tuple[float, str]]) -> list[str]:
    """The curves' names at their ends, moved apart where they would lie on each other."""
    placed: list[tuple[float, str]] = []
    for top, name in sorted(ends):
        lowest = placed[-1][0] + LABEL_HEIGHT if placed else TOP
        placed.append((max(top, lowest), name))
    return [
        f'<text class="name" x="{WIDTH - RIGHT + 6}" y="{top + 4:.1f}">{escape(name)}</text>' for top, name in placed
    ]
