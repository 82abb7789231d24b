"""Memory over time: a large plant that is asked a little, all the time, must not grow.

The first ten minutes count for nothing, for caches fill; after them all memory together may grow by 2 per cent.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.bench.processes import marked, pss_mib
from tests.bench.scale import run_mark
from tests.soak import plant_load

SETTLED_AFTER = 600.0
"""Seconds after which growth counts, in an hour's run; a sixth of a shorter one."""
BOUND = 0.02


@dataclass(slots=True)
class Endurance:
    """Samples of (seconds, MiB of all processes of the farm), and what the clients saw."""

    samples: list[tuple[float, float]] = field(default_factory=list)
    load: plant_load.Load = field(default_factory=plant_load.Load)

    def growth(self, settled: float) -> float:
        """By what part memory grew from `settled` seconds on, by the least-squares line through the samples."""
        points = [(at, mib) for at, mib in self.samples if at >= settled]
        if len(points) < 2:
            return 0.0
        mean_at = sum(at for at, _ in points) / len(points)
        mean = sum(mib for _, mib in points) / len(points)
        slope = sum((at - mean_at) * (mib - mean) for at, mib in points) / sum((at - mean_at) ** 2 for at, _ in points)
        return slope * (points[-1][0] - points[0][0]) / mean


def endure(rows: list[dict[str, Any]], total_rate: float, seconds: float, every: float) -> Endurance:
    """Asks all rows together `total_rate` times a second, and samples memory `every` so many seconds."""
    result = Endurance()
    pids = marked(run_mark(rows[0]["pid"]))
    with sampling(result, pids, every):
        result.load = plant_load.load(rows, total_rate / len(rows), seconds)
    return result


@contextmanager
def sampling(result: Endurance, pids: list[int], every: float) -> Iterator[None]:
    """Takes samples in a thread meanwhile."""
    done = threading.Event()
    begun = time.monotonic()

    def sample() -> None:
        while not done.wait(every):
            result.samples.append((time.monotonic() - begun, pss_mib(pids)))
            at, mib = result.samples[-1]
            print(f"{at:6.0f} s {mib:8.1f} MiB", flush=True)

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
