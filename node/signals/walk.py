"""A random walk whose value at step n is had without making the steps before it.

A walk summed step by step would either carry state, lost at a restart, or cost a step for each second of plant time:
300 million after ten years. This one is built from the outside in, as Paul Lévy built Brownian motion. The points
1, 2, 4, 8 … are drawn first, each from the one before; between two known points the middle one has a known normal
distribution, so it is drawn from a hash of its own number; and so on, halving, down to step n. The result has exactly
the distribution of the walk of single steps, n steps cost about 2 log2(n) draws (56 after ten years of seconds), and
the path of halvings last taken is kept, so the next step costs two draws on average. That path is a cache: dropping it
changes no value.

With `revert` = r the walk is the autoregression x' = (1 - r) x + step N(0, 1) around the start, whose middle points
are normal as well: for two points h steps to either side, a = (1 - r)^h and s the standing deviation, the mean is
(x + y) a / (1 + a²) and the variance s² (1 - a²) / (1 + a²). At r = 0 they tend to (x + y) / 2 and step² h / 2.
"""

import math
from functools import lru_cache

from node.signals.chance import gauss

_LEVELS = 64
_OUTER, _INNER = 0, 1


@lru_cache(maxsize=256)
def _weights(revert: float) -> tuple[tuple[float, float, float, float], ...]:
    """For distances 1, 2, 4 …, in steps of size 1: (factor, deviation) of the next point given one at that distance
    before it, and (factor of the sum, deviation) of the middle given two at that distance on either side."""
    if revert == 0:
        return tuple((1.0, math.sqrt(h), 0.5, math.sqrt(h / 2)) for h in (2.0**level for level in range(_LEVELS)))
    rows = []
    decay = math.log1p(-min(revert, 1 - 1e-15))
    standing = math.sqrt(-1 / math.expm1(2 * decay))
    for level in range(_LEVELS):
        a = math.exp(decay * 2.0**level)
        lost = -math.expm1(2 * decay * 2.0**level)
        rest = 1 + a * a
        rows.append((a, standing * math.sqrt(lost), a / rest, standing * math.sqrt(lost / rest)))
    return tuple(rows)


def fold(value: float, low: float | None, high: float | None) -> float:
    """`value` turned back at the limits as often as it takes, as a ball between two walls."""
    if low is None or high is None:
        if low is not None:
            return low + abs(value - low)
        return value if high is None else high - abs(high - value)
    span = high - low
    if span <= 0:
        return low
    rest = (value - low) % (2 * span)
    return min(low + (rest if rest <= span else 2 * span - rest), high)


class RandomWalk:
    """A walk from `start`, one step each `interval` seconds, of standard deviation `step`, within [low, high]."""

    __slots__ = ("_high", "_interval", "_last", "_low", "_path", "_seed", "_start", "_step", "_weights")

    def __init__(
        self,
        seed: int,
        *,
        start: float,
        step: float,
        interval: float,
        low: float | None = None,
        high: float | None = None,
        revert: float = 0.0,
    ) -> None:
        self._seed = seed
        self._start = start
        self._step = step
        self._interval = interval
        self._low = low
        self._high = high
        self._weights = _weights(revert)
        self._path: list[tuple[int, int, float, float]] = []
        self._last = (0, fold(start, low, high))

    def value(self, t: float) -> float:
        """The walk's value `t` seconds (not negative) after its start."""
        n = int(t // self._interval)
        if n != self._last[0]:
            self._last = (n, fold(self._start + self._step * self._deviation(n), self._low, self._high))
        return self._last[1]

    def _deviation(self, n: int) -> float:
        """Distance from the start after `n` steps, in units of one step."""
        if n == 0:
            return 0.0
        path = self._path
        while path and not path[-1][0] <= n < path[-1][1]:
            path.pop()
        if not path:
            path.append(self._octave(n.bit_length() - 1))
        low, high, left, right = path[-1]
        while low != n:
            middle = (low + high) // 2
            _, _, factor, deviation = self._weights[(middle - low).bit_length() - 1]
            value = factor * (left + right) + deviation * gauss(self._seed, _INNER, middle)
            if n < middle:
                high, right = middle, value
            else:
                low, left = middle, value
            path.append((low, high, left, right))
        return left

    def _octave(self, k: int) -> tuple[int, int, float, float]:
        """The steps 2^k to 2^(k+1) with the values at both ends."""
        left, right = 0.0, self._weights[0][1] * gauss(self._seed, _OUTER, 0)
        for level in range(k + 1):
            factor, deviation, _, _ = self._weights[level]
            left, right = right, factor * right + deviation * gauss(self._seed, _OUTER, level + 1)
        return 1 << k, 2 << k, left, right
