"""Percentiles of latency from counts by bucket: bucket i holds requests that took from 2**(i-1) to below 2**i µs.

A node counts each request into one of a few buckets; what lies between two readings of them is what was answered
between. Within a bucket requests are taken to be spread evenly, so a figure is off by less than the bucket's width.
"""

from collections.abc import Iterable, Sequence

Buckets = Sequence[int]


def difference(later: Buckets, earlier: Buckets) -> list[int]:
    """Counts between two readings of one node; trailing zeros may be cut in either."""
    shared = len(earlier)
    return [count - (earlier[at] if at < shared else 0) for at, count in enumerate(later)]


def total(readings: Iterable[Buckets]) -> list[int]:
    """Counts of several nodes together."""
    found: list[int] = []
    for buckets in readings:
        found += [0] * (len(buckets) - len(found))
        for at, count in enumerate(buckets):
            if count:
                found[at] += count
    return found


def percentiles(buckets: Buckets, shares: Sequence[float] = (0.5, 0.99)) -> tuple[float | None, ...]:
    """Milliseconds below which each share (0 to 1, ascending) of the requests stayed; None for all of none."""
    counted = sum(buckets)
    if counted <= 0:
        return (None,) * len(shares)
    found: list[float | None] = []
    below, at = 0, 0
    for share in shares:
        wanted = share * counted
        while below + buckets[at] < wanted and at + 1 < len(buckets):
            below += buckets[at]
            at += 1
        low = (1 << at) / 2 if at else 0.0
        part = (wanted - below) / buckets[at] if buckets[at] else 1.0
        found.append((low + ((1 << at) - low) * part) / 1000)
    return tuple(found)
