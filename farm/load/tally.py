"""What came of the requests: of each node, and second by second. Every request that was to be asked is answered, is an
error of one kind, or was still under way when all ended; none is forgotten."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from farm.load.histogram import Histogram

LATE = 0.01
"""Seconds after its beat from which on a request counts as sent late."""


@dataclass(slots=True)
class NodeTally:
    """Of one node: `asked` requests that were to be sent, answers by kind of request in µs from when they were to be
    sent, errors by kind with the detail of the first."""

    asked: int = 0
    answered: defaultdict[str, Histogram] = field(default_factory=lambda: defaultdict(Histogram))
    errors: Counter[str] = field(default_factory=Counter)
    details: dict[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """In JSON."""
        return {
            "asked": self.asked,
            "answered": {kind: counts_body(histogram) for kind, histogram in self.answered.items()},
            "errors": dict(self.errors),
            "details": self.details,
        }

    def add(self, body: Mapping[str, Any]) -> None:
        """Counts what another process counted of the same node."""
        self.asked += body["asked"]
        for kind, counts in body["answered"].items():
            self.answered[kind].add(counts_of(counts))
        self.errors.update(body["errors"])
        self.details = {**body["details"], **self.details}


@dataclass(slots=True)
class Second:
    """What happened in one second, or in all: requests sent, answers in µs, errors by kind."""

    sent: int = 0
    answers: Histogram = field(default_factory=Histogram)
    errors: Counter[str] = field(default_factory=Counter)
    settled: tuple[int, int, int, int] | None = None

    @property
    def figures(self) -> tuple[int, int, int, int]:
        """How many answers; p50, p99 and the longest in µs."""
        if self.settled is not None:
            return self.settled
        p50, p99, longest = self.answers.quantiles((0.5, 0.99, 1.0))
        return self.answers.total, p50, p99, longest

    def settle(self) -> None:
        """Keeps the figures alone, once nobody counts in it any more: a test may have a hundred thousand seconds."""
        self.settled = self.figures
        self.answers.counts.clear()

    def body(self) -> dict[str, Any]:
        """In JSON."""
        return {"sent": self.sent, "answers": counts_body(self.answers), "errors": dict(self.errors)}

    def add(self, body: Mapping[str, Any]) -> None:
        """Counts what another process counted in the same second."""
        self.sent += body["sent"]
        self.answers.add(counts_of(body["answers"]))
        self.errors.update(body["errors"])


class Tally:
    """What one process counts. `service` are µs from sending to the answer, `lag` by which the process itself was late
    for a beat, `opened` how long it took until a connection could be used; `late` requests were sent more than `LATE`
    seconds after their beat, for whatever reason."""

    def __init__(self, nodes: int) -> None:
        self.nodes = [NodeTally() for _ in range(nodes)]
        self.second = Second()
        self.service = Histogram()
        self.lag = Histogram()
        self.opened = Histogram()
        self.late = 0
        self.lost = 0

    def answered(self, node: int, kind: str, seconds: float, service: float) -> None:
        """An answer, so long after it was to be asked for, and after it was."""
        micros = int(seconds * 1e6)
        self.nodes[node].answered[kind].record(micros)
        self.second.answers.record(micros)
        self.service.record(int(service * 1e6))

    def failed(self, node: int, kind: str, detail: str = "") -> None:
        """An error."""
        tally = self.nodes[node]
        tally.errors[kind] += 1
        tally.details.setdefault(kind, detail)
        self.second.errors[kind] += 1

    def take_second(self) -> Second:
        """What happened since this was last asked."""
        second, self.second = self.second, Second()
        return second

    def body(self) -> dict[str, Any]:
        """All of it, in JSON; the seconds have been told apart."""
        return {
            "nodes": [node.body() for node in self.nodes],
            "service": counts_body(self.service),
            "lag": counts_body(self.lag),
            "opened": counts_body(self.opened),
            "late": self.late,
            "lost": self.lost,
        }


def counts_body(histogram: Histogram) -> dict[str, int]:
    """A histogram in JSON, whose keys are texts."""
    return {str(index): count for index, count in histogram.counts.items()}


def counts_of(body: Mapping[str, int]) -> dict[int, int]:
    """Counts out of JSON."""
    return {int(index): count for index, count in body.items()}
