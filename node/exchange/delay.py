"""A slow controller: each reply comes a constant or a random time later. It adds to `exchange.delay`; the peer's outbox
waits, in order, so a request after it is answered after it."""

from typing import TYPE_CHECKING

from node.errors import NodeError
from node.exchange.exchange import Exchange

if TYPE_CHECKING:
    from random import Random


class Delay:
    """`low` and `high` in seconds; the delay is drawn evenly between them from `seed`, so that a run repeats.

    Raises `NodeError` for a negative time, or `high` below `low`.
    """

    def __init__(self, low: float, high: float | None = None, seed: int = 0) -> None:
        self.low = low
        self.high = low if high is None else high
        if self.low < 0 or self.high < self.low:
            raise NodeError(f"a delay from {self.low} to {self.high} s: wanted 0 or more, the larger last")
        self._random = _random(seed) if self.low < self.high else None

    def before(self, exchange: Exchange) -> None:
        """Nothing: the request itself is not held up."""

    def after(self, exchange: Exchange) -> None:
        """Adds the delay."""
        exchange.delay += self.low if self._random is None else self._random.uniform(self.low, self.high)


def _random(seed: int) -> "Random":
    from random import Random

    return Random(seed)


def parse_delay(text: str) -> tuple[float, float]:
    """`0.1` or `0.1-0.5` (seconds) to (low, high). Raises `NodeError`."""
    low, dash, high = text.partition("-")
    try:
        return float(low), float(high if dash else low)
    except ValueError as exc:
        raise NodeError(f"{text!r} is no delay: seconds are wanted, as 0.1 or 0.1-0.5") from exc
