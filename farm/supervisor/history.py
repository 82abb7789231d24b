"""Ten minutes of each node, a line each time that it reports (`pace`): a ring of packed records, 18 bytes each, written
in place.

A line a second takes 10.8 kB a node (`Line.size` times `SECONDS`), 10.8 MB a thousand, whether idle or busy; more nodes
than `pace.NODES` together take no more than those. All rings turn together, so the times stand once. Sums of requests
and errors are kept and not rates: a difference of two is right over any span, and a count since the ring began comes
from its two ends.
"""

import math
from array import array
from collections.abc import Iterable
from struct import Struct
from typing import Any

SECONDS = 600
MINUTE = 60

Line = Struct("<IIffH")
"""Requests and errors since the node was known (modulo 2**32), p50 and p99 in ms (NaN: none), connections."""
UNKNOWN = 0xFFFF
"""Connections of a time at which nothing was known of the node."""
WRAP = 1 << 32
NAN = math.nan


class History:
    """Rings by node, of a line `every` so many seconds. Times are seconds since 1970, as they are shown."""

    def __init__(self, every: int = 1) -> None:
        self.begin(every)

    def begin(self, every: int) -> None:
        """Forgets everything; from now on a line is so many seconds."""
        self._lines, self._minute = SECONDS // every, max(1, MINUTE // every)
        self._times = array("d", bytes(8 * self._lines))
        self._rings: dict[str, bytearray] = {}
        self._turns = 0

    def turn(self, now: float) -> None:
        """A line begins; `note` each node in it."""
        self._times[self._turns % self._lines] = now
        self._turns += 1

    def note(
        self, node: str, requests: int, errors: int, p50: float | None, p99: float | None, connections: int | None
    ) -> None:
        """How the node is now; `connections` None means that nobody knows."""
        ring = self._rings.get(node)
        if ring is None:
            ring = self._rings[node] = _new_ring(requests, errors, self._lines)
        Line.pack_into(
            ring,
            (self._turns - 1) % self._lines * Line.size,
            requests % WRAP,
            errors % WRAP,
            NAN if p50 is None else p50,
            NAN if p99 is None else p99,
            UNKNOWN if connections is None else min(connections, UNKNOWN - 1),
        )

    def last_minute(self, node: str) -> tuple[int, int]:
        """Requests and errors within the last `MINUTE` seconds, or since the node is known."""
        ring = self._rings.get(node)
        if ring is None or not self._turns:
            return 0, 0
        now, then = self._turns - 1, max(self._turns - 1 - self._minute, 0)
        last = Line.unpack_from(ring, now % self._lines * Line.size)
        first = Line.unpack_from(ring, then % self._lines * Line.size)
        return (last[0] - first[0]) % WRAP, (last[1] - first[1]) % WRAP

    def trend(self, node: str, since: float = 0.0) -> dict[str, list[Any]]:
        """Columns, a value for each line after `since`: `times`, `requests` and `errors` a second, `p50`, `p99` in
        ms, `connections`; null where nothing is known."""
        ring = self._rings.get(node)
        columns: dict[str, list[Any]] = {
            name: [] for name in ("times", "requests", "errors", "p50", "p99", "connections")
        }
        first = max(self._turns - self._lines, 0)
        before: tuple[Any, ...] | None = None
        earlier = 0.0
        for turn in range(first, self._turns) if ring is not None else ():
            at = self._times[turn % self._lines]
            line = Line.unpack_from(ring or b"", turn % self._lines * Line.size)
            if at > since:
                _add(columns, at, line, before, at - earlier)
            before, earlier = line, at
        return columns

    def keep(self, nodes: Iterable[str]) -> None:
        """Forgets all nodes but these."""
        kept = set(nodes)
        self._rings = {node: ring for node, ring in self._rings.items() if node in kept}


def _new_ring(requests: int, errors: int, lines: int) -> bytearray:
    """A ring that says each time that nothing is known, with the sums as they are now."""
    return bytearray(Line.pack(requests % WRAP, errors % WRAP, NAN, NAN, UNKNOWN) * lines)


def _add(
    columns: dict[str, list[Any]],
    at: float,
    line: tuple[Any, ...],
    before: tuple[Any, ...] | None,
    seconds: float,
) -> None:
    requests, errors, p50, p99, connections = line
    known = connections != UNKNOWN
    rates: list[float | None] = [None, None]
    if known and before is not None and seconds > 0:
        rates = [round((now - then) % WRAP / seconds, 3) for now, then in zip((requests, errors), before, strict=False)]
    columns["times"].append(round(at, 3))
    columns["requests"].append(rates[0])
    columns["errors"].append(rates[1])
    columns["p50"].append(None if math.isnan(p50) else round(p50, 3))
    columns["p99"].append(None if math.isnan(p99) else round(p99, 3))
    columns["connections"].append(connections if known else None)
