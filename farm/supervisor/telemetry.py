"""The last report of each node, and how old it is: a number without its age looks alive when its node hangs."""

from collections.abc import Iterable, Mapping
from typing import Any

from farm.supervisor.pace import Pace

NOTHING: Mapping[str, Any] = {}


class Telemetry:
    """Reports by node name, which come at a `pace`. `now` is in seconds of one monotonic clock."""

    def __init__(self, pace: Pace | None = None) -> None:
        self.pace = pace or Pace()
        self._reports: dict[str, tuple[float, Mapping[str, Any]]] = {}

    def report(self, nodes: Mapping[str, Any], now: float) -> None:
        """Takes the `nodes` of a telemetry message: counters, or None for the same as before."""
        for node, counters in nodes.items():
            if isinstance(counters, dict):
                self._reports[node] = (now, counters)
            elif counters is None and node in self._reports:
                self._reports[node] = (now, self._reports[node][1])

    def paced(self, stale: float, now: float) -> None:
        """Nodes report at another pace from now on. What was not `stale` at the one before is not at once stale, or its
        node down, because the next one comes sooner."""
        due = now - self.pace.every
        for node, (at, report) in self._reports.items():
            if now - at <= stale:
                self._reports[node] = max(at, due), report

    def of(self, node: str, now: float) -> dict[str, Any] | None:
        """The node's plain counters with `age` (seconds) and `stale`, or None when it never reported."""
        found = self._reports.get(node)
        if found is None:
            return None
        age = max(0.0, now - found[0])
        plain = {name: value for name, value in found[1].items() if isinstance(value, int | float)}
        return {**plain, "age": round(age, 3), "stale": age > self.pace.stale}

    def last(self, node: str) -> Mapping[str, Any]:
        """What the node reported last, whenever that was; nothing when it never did."""
        found = self._reports.get(node)
        return found[1] if found is not None else NOTHING

    def age(self, node: str, now: float) -> float | None:
        """Seconds since the node's last report."""
        found = self._reports.get(node)
        return None if found is None else max(0.0, now - found[0])

    def keep(self, nodes: Iterable[str]) -> None:
        """Forgets all nodes but these."""
        kept = set(nodes)
        self._reports = {node: entry for node, entry in self._reports.items() if node in kept}

    def forget(self, node: str) -> None:
        """Forgets a node whose process is gone."""
        self._reports.pop(node, None)
