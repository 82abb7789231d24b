"""The always-on counters of a node's protocol: plain integers, a latency histogram and a ring of the last raw frames.

They are counted inline by the servers, for each node counts and each request pays: an integer is added, a tuple goes
into the ring, and nothing is decoded until someone asks.
"""

import logging
from collections import deque

RING = 64
"""Exchanges remembered."""

KEPT = 4096
"""Bytes of a request that the ring keeps at most: a peer's longest frames must not fill a small node's memory."""

BUCKETS = 24
"""Latency buckets: bucket i holds requests that took below 2**i µs; the last one all the rest."""

MAX_KINDS = 100
"""Different bugs told apart; beyond, they are only counted."""

log = logging.getLogger(__name__)

REFUSALS = 64
"""Different requests that were refused and are remembered, each with how often it came."""

Frames = tuple[float, bytes, bytes | None, str]
"""Instant, request, reply, peer."""


class Refusal:
    """A request that was refused: its frame when it came first, its latest reply, `count` times, `last` at an
    instant."""

    __slots__ = ("count", "frame", "last", "reply")

    def __init__(self, frame: bytes, reply: bytes | None, now: float) -> None:
        self.frame = frame
        self.reply = reply
        self.count = 1
        self.last = now


class Metrics:
    """`requests` frames that came, `errors` replies that carried an error, `bugs` stray exceptions, `connections` open
    now, `connections_total` accepted ever, `refused` and `evicted` at the cap, `timeouts` closed for being too slow."""

    __slots__ = (
        "_kinds",
        "bugs",
        "bytes_in",
        "bytes_out",
        "connections",
        "connections_total",
        "errors",
        "evicted",
        "latency",
        "refusals",
        "refused",
        "requests",
        "ring",
        "timeouts",
    )

    def __init__(self) -> None:
        self.requests = 0
        self.errors = 0
        self.bugs = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self.connections = 0
        self.connections_total = 0
        self.refused = 0
        self.evicted = 0
        self.timeouts = 0
        self.latency = [0] * BUCKETS
        self.ring: deque[Frames] = deque(maxlen=RING)
        self.refusals: dict[bytes, Refusal] = {}
        self._kinds: set[tuple[str, str, int]] = set()

    def took(self, seconds: float, requests: int) -> None:
        """Counts `requests` that took `seconds` from arrival to reply, what it was made to wait for included."""
        bucket = int(seconds * 1e6).bit_length()
        self.latency[bucket if bucket < BUCKETS else BUCKETS - 1] += requests

    def refuse(self, message: bytes, frame: bytes, reply: bytes | None, now: float) -> None:
        """Remembers a request that was answered with an error. `message` is what it asks, without what differs each
        time that it is asked."""
        known = self.refusals.get(message)
        if known is not None:
            known.count += 1
            known.last, known.reply = now, reply
        elif len(self.refusals) < REFUSALS and len(message) <= KEPT:
            self.refusals[message] = Refusal(frame, reply, now)

    def percentile(self, share: float) -> float:
        """Seconds below which `share` (0 to 1) of the requests stayed; the upper edge of the bucket; 0 for none."""
        wanted = share * sum(self.latency)
        counted = 0
        for bucket, count in enumerate(self.latency):
            counted += count
            if count and counted >= wanted:
                return float(1 << bucket) / 1e6
        return 0.0

    def bug(self, exc: BaseException, frame: bytes) -> None:
        """Counts a stray exception; logs it with the frame in hex the first time it comes from that line."""
        self.bugs += 1
        trace = exc.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        where = (trace.tb_frame.f_code.co_filename, trace.tb_lineno) if trace else ("", 0)
        kind = (type(exc).__name__, *where)
        if kind not in self._kinds and len(self._kinds) < MAX_KINDS:
            self._kinds.add(kind)
            log.error("bug while serving frame %s", frame[:1024].hex(), exc_info=exc)

    def snapshot(self) -> dict[str, int]:
        """The counters by name."""
        names = ("requests", "errors", "bugs", "bytes_in", "bytes_out", "connections", "connections_total")
        return {name: getattr(self, name) for name in (*names, "refused", "evicted", "timeouts")}
