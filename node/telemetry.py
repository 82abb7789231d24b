"""What a node reports once a second: its counters, its peers, and of what is being watched what changed.

Nothing is stored for a reader; a report says how things are. Where nothing has changed since the last one there is
nothing to say, and that costs a look at a few integers. What is watched is for `WATCHED` seconds only, whether it is
reported or not, so that no node works on for somebody who has left.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from heapq import nlargest
from typing import Protocol

from node.config.model import Json
from node.errors import NodeError
from node.exchange.exchange import Exchange
from node.exchange.metrics import BUCKETS, Metrics
from node.memory.part import place_of

WATCHED = 15.0
"""Seconds for which something is watched after it was asked for."""
PEERS = 32
"""Peers that are reported; the busiest."""
WRITES = 20
"""Writes that one report tells of."""
SUMS = ("requests", "errors", "bugs", "connections", "bytes_in", "bytes_out", "refused", "evicted", "timeouts")

Report = dict[str, Json]


class Counted(Protocol):
    """A peer as far as it counts."""

    name: str
    since: float
    requests: int
    errors: int


class WriteLog:
    """An interceptor that notes who wrote what, until an instant; `over` is called at the first exchange after it."""

    def __init__(self, over: Callable[[], None]) -> None:
        self.until = 0.0
        self._over = over
        self.noted: deque[tuple[float, str, str, str]] = deque(maxlen=WRITES)
        self.writers: dict[str, tuple[str, float]] = {}
        """Tag to who wrote it last, and when."""

    def before(self, exchange: Exchange) -> None:
        """Nothing was written yet."""

    def after(self, exchange: Exchange) -> None:
        """Notes the writes that were done."""
        if exchange.now > self.until:
            self._over()
        elif any(access.writing for access in exchange.accesses):
            from node.exchange.printing import format_access

            for access in exchange.accesses:
                if access.writing and not access.status:
                    tag, _, value = format_access(access).partition("<=")
                    self.noted.append((exchange.now, exchange.peer, tag.strip(), value.strip()[:200]))
                    root, _ = place_of(access.attribute, access.start)
                    self.writers[root.name] = exchange.peer, exchange.now


class Telemetry:
    """The reports of one node. `counted` are its metrics by protocol, `peers` gives (protocol, peer) of all there are,
    `read` a tag's value (it may raise `NodeError`), `attach` has `interceptors` look at exchanges from now on."""

    def __init__(
        self,
        counted: Sequence[Metrics],
        peers: Callable[[], Iterable[tuple[str, Counted]]],
        read: Callable[[str], Json],
        attach: Callable[[], None],
        started: Callable[[], float],
    ) -> None:
        self._counted = counted
        self._peers = peers
        self._read = read
        self.marks: Mapping[str, int] = {}
        """What is set on the node, by name: how many faults, how many forced tags."""
        self._attach = attach
        self._started = started
        self._last: tuple[int, ...] = ()
        self._tags: dict[str, Json] = {}
        self._until = 0.0
        self.writes: WriteLog | None = None

    @property
    def interceptors(self) -> tuple[WriteLog, ...]:
        """What looks at exchanges while writes are watched."""
        return () if self.writes is None else (self.writes,)

    def watch(self, tags: Iterable[str], writes: bool, now: float) -> None:
        """Has these tags reported when they change, and with `writes` who writes, for `WATCHED` seconds from `now`."""
        known = self._tags
        self._tags = {tag: known.get(tag, _NEVER) for tag in tags}
        self._until = now + WATCHED
        self._keep_log(writes)
        if self.writes is not None:
            self.writes.until = self._until

    def report(self, now: float, whole: bool = True) -> Report | None:
        """The report at an instant; None where nothing has changed since the last one, unless it is to be `whole`."""
        marks = self.marks
        sums = self._sums()
        state = (*sums, sum(metrics.connections_total for metrics in self._counted), *marks.values())
        watched = self._watched(now, whole) if self._until else {}
        if state == self._last and not whole and not watched:
            return None
        self._last = state
        report: Report = dict(zip(SUMS, sums, strict=True))
        report["uptime"] = round(now - self._started(), 3)
        report["latency"] = [*self._latency()]
        report["peers"] = self._busiest(now)
        return {**report, **marks, **watched}

    def _sums(self) -> tuple[int, ...]:
        counted = self._counted
        if len(counted) == 1:
            (one,) = counted
            return tuple([getattr(one, name) for name in SUMS])
        return tuple([sum([getattr(metrics, name) for metrics in counted]) for name in SUMS])

    def _latency(self) -> list[int]:
        """Requests by latency bucket, without the zeros at the end."""
        buckets = [sum([metrics.latency[bucket] for metrics in self._counted]) for bucket in range(BUCKETS)]
        while buckets and not buckets[-1]:
            buckets.pop()
        return buckets

    def _busiest(self, now: float) -> list[Json]:
        peers = list(self._peers())
        if len(peers) > PEERS:
            peers = nlargest(PEERS, peers, key=lambda entry: entry[1].requests)
        return [
            [protocol, peer.name, round(now - peer.since, 1), peer.requests, peer.errors] for protocol, peer in peers
        ]

    def _watched(self, now: float, whole: bool) -> Report:
        if now > self._until:
            self._end_watch()
            return {}
        found: Report = {}
        changed: Report = {}
        for tag, before in self._tags.items():
            try:
                value = self._read(tag)
            except NodeError:
                value = None
            if whole or value != before:
                self._tags[tag] = changed[tag] = value
        if changed:
            found["tags"] = changed
        if self.writes is not None and self.writes.noted:
            noted, self.writes.noted = self.writes.noted, deque(maxlen=WRITES)
            found["writes"] = [[round(now - when, 3), peer, tag, value] for when, peer, tag, value in noted]
        return found

    def _end_watch(self) -> None:
        self._until, self._tags = 0.0, {}
        self._keep_log(False)

    def _keep_log(self, on: bool) -> None:
        if on != (self.writes is not None):
            self.writes = WriteLog(self._end_watch) if on else None
            self._attach()


_NEVER: Json = "\0"
"""What no tag holds."""
