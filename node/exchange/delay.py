"""The delay of a slow controller in a person's words: `0.1` or `0.1-0.5` seconds, and what has replies come so late."""

import math
from typing import TYPE_CHECKING

from node.errors import NodeError

if TYPE_CHECKING:
    from node.exchange.faults import Late


def parse_delay(text: str) -> tuple[float, float]:
    """`0.1` or `0.1-0.5` (seconds) to (low, high). Raises `NodeError`."""
    low, dash, high = text.partition("-")
    try:
        if low[-1:] in ("e", "E"):  # 1e-05: no span, but how Python writes a few microseconds
            low = high = text
        return float(low), float(high if dash else low)
    except ValueError as exc:
        raise NodeError(f"{text!r} is no delay: seconds are wanted, as 0.1 or 0.1-0.5") from exc


def check_delay(low: float, high: float) -> None:
    """Raises `NodeError` for a negative time, one without end, or `high` below `low`."""
    if not 0 <= low <= high < math.inf:
        raise NodeError(f"a delay from {low} to {high} s: wanted 0 or more, the larger last, and an end")


def even_delay(low: float, high: float | None = None, seed: int = 0) -> "Late":
    """Has each reply come between `low` and `high` seconds later, drawn evenly from `seed`, so that a run repeats; with
    `low` alone, just so much later."""
    from node.exchange.faults import Late  # hardly any node is slow, and chance is much to carry

    most = low if high is None else high
    return Late(lambda random: random.uniform(low, most), seed)
