"""What a load test found, and the figures that every report gives of it. Times are in microseconds where they are whole
numbers, in seconds where they are not."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from farm import __version__
from farm.load.histogram import Histogram
from farm.load.job import Target
from farm.load.profile import Profile
from farm.load.tally import NodeTally, Second

QUANTILES = (0.5, 0.9, 0.95, 0.99, 0.999, 0.9999, 1.0)
LAG_NOTICED = 5_000
"""µs by which a generator may be late in one beat of a hundred before its report says so."""
CPU_NOTICED = 0.9


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A node's line of a table; p50, p99 and the longest in µs."""

    name: str
    address: str
    asked: int
    answered: int
    errors: int
    p50: int
    p99: int
    longest: int


@dataclass(slots=True)
class Result:
    """Counts of all processes together. `opened` clients had a connection when it began; `connected` is how many had
    one at the end of each second; `cpu` are seconds of CPU that each process took."""

    profile: Profile
    targets: Sequence[Target]
    tallies: list[NodeTally]
    clients: int
    workers: int
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    seconds_run: float = 0.0
    ended_early: bool = False
    opened: int = 0
    late: int = 0
    lost: int = 0
    seconds: list[Second] = field(default_factory=list)
    connected: dict[int, int] = field(default_factory=dict)
    service: Histogram = field(default_factory=Histogram)
    lag: Histogram = field(default_factory=Histogram)
    opened_in: Histogram = field(default_factory=Histogram)
    cpu: list[float] = field(default_factory=list)
    farm: str = ""

    @classmethod
    def of(cls, profile: Profile, targets: Sequence[Target], clients: int, workers: int) -> "Result":
        """An empty one."""
        return cls(profile, targets, [NodeTally() for _ in targets], clients, workers)

    def second(self, number: int) -> Second:
        """Counts of second `number`, from 0 on."""
        while len(self.seconds) <= number:
            self.seconds.append(Second())
        return self.seconds[number]

    @property
    def asked(self) -> int:
        """Requests that were to be sent."""
        return sum(tally.asked for tally in self.tallies)

    @property
    def answered(self) -> int:
        """Answers that are right."""
        return sum(histogram.total for tally in self.tallies for histogram in tally.answered.values())

    @property
    def sent(self) -> int:
        """Requests that were sent."""
        return sum(second.sent for second in self.seconds)

    @property
    def errors(self) -> Counter[str]:
        """Errors by kind."""
        found: Counter[str] = Counter()
        for tally in self.tallies:
            found.update(tally.errors)
        return found

    @property
    def failed(self) -> int:
        """Errors of all kinds."""
        return sum(self.errors.values())

    @property
    def unanswered(self) -> int:
        """Requests that were still under way, or had not been sent, when all was ended early."""
        return max(0, self.asked - self.answered - self.failed)

    @property
    def share_of_errors(self) -> float:
        """Errors as a part of all requests."""
        return self.failed / self.asked if self.asked else 0.0

    @property
    def good(self) -> bool:
        """Whether there were answers, and no more errors than are allowed."""
        return self.answered > 0 and self.share_of_errors <= self.profile.allow_errors

    def answers(self, kind: str | None = None) -> Histogram:
        """Times of all answers, or of those to one kind of request, from when they were to be sent."""
        found = Histogram()
        for tally in self.tallies:
            for each, histogram in tally.answered.items():
                if kind in (None, each):
                    found.add(histogram.counts)
        return found

    @property
    def kinds(self) -> list[str]:
        """Kinds of requests that were answered."""
        return sorted({kind for tally in self.tallies for kind in tally.answered})

    def rows(self) -> list[NodeRow]:
        """The nodes, in their order."""
        found = []
        for target, tally in zip(self.targets, self.tallies, strict=True):
            histogram = Histogram()
            for each in tally.answered.values():
                histogram.add(each.counts)
            p50, p99, longest = histogram.quantiles((0.5, 0.99, 1.0))
            address = f"{target.host}:{target.port}"
            errors = sum(tally.errors.values())
            found.append(NodeRow(target.name, address, tally.asked, histogram.total, errors, p50, p99, longest))
        return found

    def worst(self) -> list[NodeRow]:
        """The same, those with errors first, then the slowest."""
        return sorted(self.rows(), key=lambda row: (-row.errors, -row.p99, -row.longest, row.name))

    def examples(self) -> Iterator[tuple[str, int, int, str, str]]:
        """Each kind of error, the most frequent first: how often, at how many nodes, the first of them, its detail."""
        for kind, count in self.errors.most_common():
            at = [(t, n) for t, n in zip(self.targets, self.tallies, strict=True) if kind in n.errors]
            yield kind, count, len(at), at[0][0].name, at[0][1].details.get(kind, "")

    def remarks(self) -> list[str]:
        """What a reader must know of the generator itself before he believes the rest."""
        found = []
        lag = self.lag.quantile(0.99)
        if lag > LAG_NOTICED:
            found.append(
                f"the generator itself was up to {lag / 1000:.1f} ms late (p99), which is in these times: give it more "
                "cores or --workers"
            )
        busiest = max(self.cpu, default=0.0) / self.seconds_run if self.seconds_run else 0.0
        if busiest > CPU_NOTICED:
            found.append(
                f"a process of the generator was busy {min(busiest, 1):.0%} of the time: it may be what was measured; "
                "try more --workers"
            )
        if self.opened < self.clients:
            found.append(f"{self.clients - self.opened} of {self.clients} clients had no connection when it began")
        most = max((len(target.reads) for target in self.targets), default=0)
        if not self.profile.flat_out and most > self.profile.depth:
            found.append(
                f"a beat is up to {most} requests, of which {self.profile.depth} may be under way at once; those that "
                "wait for others count from the beat, too: see --values, --tags and --depth"
            )
        if self.profile.flat_out:
            found.append("clients asked as fast as they were answered, so slow times are under-represented")
        if self.unanswered:
            found.append(f"{self.unanswered} requests were under way, or had not been sent, when it was ended")
        return found

    def body(self) -> dict[str, Any]:
        """All of it in JSON. Times in it are in seconds."""
        everything = self.answers()
        return {
            "plcfarm": __version__,
            "farm": self.farm,
            "began": self.began.isoformat(timespec="milliseconds"),
            "seconds": round(self.seconds_run, 3),
            "ended_early": self.ended_early,
            "profile": asdict(self.profile),
            "clients": self.clients,
            "connected_at_start": self.opened,
            "connections_lost": self.lost,
            "requests": {
                "asked": self.asked,
                "sent": self.sent,
                "sent_late": self.late,
                "answered": self.answered,
                "errors": self.failed,
                "unanswered": self.unanswered,
            },
            "per_second": round(self.answered / self.seconds_run, 1) if self.seconds_run else 0.0,
            "latency": latency(everything),
            "latency_by_kind": {kind: latency(self.answers(kind)) for kind in self.kinds},
            "service_time": latency(self.service),
            "connecting": latency(self.opened_in),
            "errors": [
                {"kind": kind, "count": count, "nodes": nodes, "first": first, "detail": detail}
                for kind, count, nodes, first, detail in self.examples()
            ],
            "generator": {
                "processes": self.workers,
                "cpu_seconds": [round(each, 3) for each in self.cpu],
                "late": latency(self.lag),
            },
            "remarks": self.remarks(),
            "nodes": [
                {
                    "name": row.name,
                    "address": row.address,
                    "asked": row.asked,
                    "answered": row.answered,
                    "errors": dict(tally.errors),
                    "p50": row.p50 / 1e6,
                    "p99": row.p99 / 1e6,
                    "max": row.longest / 1e6,
                }
                for row, tally in zip(self.rows(), self.tallies, strict=True)
            ],
            "timeline": [self._timeline(number) for number in range(len(self.seconds))],
            "histogram": everything.encode(),
        }

    def _timeline(self, number: int) -> dict[str, Any]:
        second = self.seconds[number]
        answered, p50, p99, longest = second.figures
        return {
            "second": number,
            "connected": self.connected.get(number),
            "sent": second.sent,
            "answered": answered,
            "errors": dict(second.errors),
            "p50": p50 / 1e6,
            "p99": p99 / 1e6,
            "max": longest / 1e6,
        }


def latency(histogram: Histogram) -> dict[str, float | int]:
    """A histogram's figures in seconds."""
    names = [f"p{part * 100:g}" if part < 1 else "max" for part in QUANTILES]
    values = histogram.quantiles(QUANTILES)
    found: dict[str, float | int] = {"count": histogram.total, "mean": round(histogram.mean / 1e6, 9)}
    return found | {name: value / 1e6 for name, value in zip(names, values, strict=True)}
