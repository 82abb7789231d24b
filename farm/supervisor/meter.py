"""What a node does now, from the counters it reports: rates, latencies, and sums that outlive its restarts.

Rates are over the last `RATE_SECONDS` seconds, p50 and p99 over the last `LATENCY_SECONDS`, which is long enough for a
client that polls once a second to have steady ones; where reports come more rarely (`pace`), over the time between
two. A node whose counters did not change reports nothing new; one that has been idle for longer than that costs nothing
here.
"""

from array import array
from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

from farm.supervisor.percentiles import Buckets, difference, percentiles

RATE_SECONDS = 5.0
LATENCY_SECONDS = 10.0
SLACK = 0.5
"""Seconds by which a report may be late."""
KEPT = 16
"""Readings kept of a node."""

COUNTS = "Q"
"""Counts as they are kept: of thousands that are alive at once each would be an object, from 257 on, so that what is
known of a plant would grow with what its nodes have been asked."""
NOTHING: "array[int]" = array(COUNTS)


class Reading(NamedTuple):
    """Sums since the node was first heard of, at an instant; `latency` as the node counts it since its own start."""

    at: float
    requests: int
    errors: int
    bytes_in: int
    bytes_out: int
    latency: "array[int]"


class Meter:
    """The readings of one node and what they come to. `now` is in seconds of one monotonic clock. Rates are a second;
    p50 and p99 milliseconds, None where nothing was asked; `requests` and `errors` are sums since it was first heard
    of, whatever it counts; `last_request` and `last_error` the instants at which they last rose, None for never."""

    __slots__ = (
        "_began",
        "_raw",
        "_readings",
        "active",
        "bytes_in_per_s",
        "bytes_out_per_s",
        "connections",
        "errors",
        "errors_per_s",
        "last_error",
        "last_request",
        "p50",
        "p99",
        "recent",
        "requests",
        "requests_per_s",
    )

    def __init__(self) -> None:
        self.active = False
        """Whether anything was counted within `LATENCY_SECONDS`."""
        self.requests = self.errors = self.connections = 0
        self.requests_per_s = self.errors_per_s = self.bytes_in_per_s = self.bytes_out_per_s = 0.0
        self.p50: float | None = None
        self.p99: float | None = None
        self.recent: Buckets = NOTHING
        """Counts by latency bucket of the last `LATENCY_SECONDS`."""
        self.last_request: float | None = None
        self.last_error: float | None = None
        self._raw: Mapping[str, Any] | None = None
        self._began = 0.0
        self._readings: deque[Reading] = deque(maxlen=KEPT)

    def report(self, counters: Mapping[str, Any], now: float) -> None:
        """Takes a whole report. One that counts from nothing again is of a node that was started anew."""
        before = self._raw
        self._raw = counters
        self.connections = int(counters.get("connections", 0))
        latency = array(COUNTS, counters.get("latency", NOTHING))
        last = self._readings[-1] if self._readings else Reading(now, 0, 0, 0, 0, latency)
        anew = before is not None and (
            counters.get("requests", 0) < before.get("requests", 0)
            or counters.get("uptime", 0.0) < before.get("uptime", 0.0)
        )
        if anew:
            before = {}
            self._readings.clear()
            self._readings.append(last._replace(latency=NOTHING))
        if before is None:
            self._readings.append(last)
            return
        reading = Reading(
            now,
            last.requests + _risen(counters, before, "requests"),
            last.errors + _risen(counters, before, "errors"),
            last.bytes_in + _risen(counters, before, "bytes_in"),
            last.bytes_out + _risen(counters, before, "bytes_out"),
            latency,
        )
        if reading[1:] == last[1:]:
            return
        self._readings.append(reading)
        self.active = True
        if reading.requests > self.requests:
            self.last_request = now
        if reading.errors > self.errors:
            self.last_error = now
        self.requests, self.errors = reading.requests, reading.errors

    def tick(self, now: float, every: float = 1.0) -> None:
        """Makes the rates be those of `now`, where reports come `every` so many seconds. Only needed while `active`."""
        last = self._readings[-1] if self._readings else None
        if last is None or now - last.at > LATENCY_SECONDS + every - 1.0:
            self._rest()
            return
        end = last.at if now - last.at < every + SLACK else now
        base, seconds = self._base(end, max(RATE_SECONDS, every), every)
        if seconds > 0:
            self.requests_per_s = (last.requests - base.requests) / seconds
            self.errors_per_s = (last.errors - base.errors) / seconds
            self.bytes_in_per_s = (last.bytes_in - base.bytes_in) / seconds
            self.bytes_out_per_s = (last.bytes_out - base.bytes_out) / seconds
        self.recent = difference(last.latency, self._base(end, LATENCY_SECONDS, every)[0].latency)
        self.p50, self.p99 = percentiles(self.recent)

    def ended(self) -> None:
        """Its process is gone: it does nothing any more, and what is connected is not."""
        self._rest()
        self.connections = 0
        if self._readings:
            last = self._readings[-1]
            self._readings.clear()
            self._readings.append(last._replace(latency=NOTHING))
        self._raw = {} if self._raw is not None else None

    def _rest(self) -> None:
        self.active = False
        self.requests_per_s = self.errors_per_s = self.bytes_in_per_s = self.bytes_out_per_s = 0.0
        self.recent, self.p50, self.p99 = NOTHING, None, None
        while len(self._readings) > 1:
            self._readings.popleft()

    def _base(self, end: float, span: float, every: float) -> tuple[Reading, float]:
        """The reading that held `span` seconds before `end`, or the first, and the seconds since."""
        readings = self._readings
        base = readings[0]
        for reading in reversed(readings):
            base = reading
            if reading.at <= end - span:
                break
        seconds = end - base.at
        return base, seconds if seconds <= span + every + SLACK else span


def _risen(counters: Mapping[str, Any], before: Mapping[str, Any], name: str) -> int:
    return max(0, int(counters.get(name, 0)) - int(before.get(name, 0)))
