"""A result as tables for a terminal, and as files for scripts: JSON, and CSV in a folder."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from farm.errors import FarmError
from farm.load.histogram import Histogram
from farm.load.result import QUANTILES, NodeRow, Result

WORST = 10
"""Nodes of a table that is not asked to list all."""
PERCENTILES = (*range(100), 99.5, 99.9, 99.95, 99.99, 99.999, 100)

SECOND = ("second", "connected", "sent", "answered", "errors", "p50", "p99", "max")
"""What a report tells of each second."""

Table = tuple[Sequence[str], Sequence[Sequence[str]]]
"""Headings and rows."""


def span(seconds: float) -> str:
    """`45s`, `10m`, `1m30s`."""
    whole = round(seconds)
    if seconds < 60 or whole < 60:
        return f"{seconds:.3g}s"
    minutes, left = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return "".join(f"{number}{unit}" for number, unit in ((hours, "h"), (minutes, "m"), (left, "s")) if number)


def time_text(micros: int) -> str:
    """A time to three digits: `870 µs`, `1.25 ms`, `12.5 s`; - for none."""
    if not micros:
        return "-"
    if micros < 1000:
        return f"{micros} µs"
    if micros < 999_500:
        return f"{_three(micros / 1e3)} ms"
    return f"{_three(micros / 1e6)} s"


def _three(value: float) -> str:
    return f"{value:.0f}" if value >= 99.95 else f"{value:.3g}"


def headline(result: Result) -> str:
    """What was asked and what came, in one line."""
    nodes = len(result.targets)
    per_second = result.answered / result.seconds_run if result.seconds_run else 0.0
    early = ", ended early" if result.ended_early else ""
    return (
        f"{counted(nodes, 'node')}, {counted(result.clients, 'client')}, {span(result.seconds_run)}{early}: "
        f"{counted(result.asked, 'request')}, {result.answered} answered ({per_second:.1f}/s), "
        f"{counted(result.failed, 'error')}"
    )


def counted(number: int, noun: str, many: str = "") -> str:
    """`1 node`, `12 nodes`; `many` where an s is not enough."""
    return f"{number} {noun}" if number == 1 else f"{number} {many or noun + 's'}"


def latency_table(result: Result) -> Table:
    """Times of all answers and of each kind, of the service alone, and of connecting."""
    names = ["P50", "P90", "P95", "P99", "P99.9", "P99.99", "MAX"]
    rows: list[tuple[str, Histogram]] = [("all", result.answers())]
    if len(result.kinds) > 1:
        rows += [(kind, result.answers(kind)) for kind in result.kinds]
    rows += [("from sending", result.service), ("connecting", result.opened_in)]
    return (
        ["TIME OF", "COUNT", *names],
        [[name, str(each.total), *map(time_text, each.quantiles(QUANTILES))] for name, each in rows],
    )


def error_table(result: Result) -> Table:
    """Errors by kind; no rows where there were none."""
    rows = [
        [kind, str(count), str(nodes), first + (f": {detail}" if detail else "")]
        for kind, count, nodes, first, detail in result.examples()
    ]
    return ["ERROR", "COUNT", "NODES", "FIRST AT"], rows


def node_table(rows: Iterable[NodeRow]) -> Table:
    """A line for each node."""
    return (
        ["NODE", "ADDRESS", "ASKED", "ANSWERED", "ERRORS", "P50", "P99", "MAX"],
        [
            [
                row.name,
                row.address,
                str(row.asked),
                str(row.answered),
                str(row.errors),
                *map(time_text, (row.p50, row.p99, row.longest)),
            ]
            for row in rows
        ],
    )


def as_json(result: Result) -> str:
    """`Result.body` as text."""
    return json.dumps(result.body(), indent=1, ensure_ascii=False)


def write_csv(result: Result, folder: Path) -> list[Path]:
    """Writes `nodes.csv`, `seconds.csv`, `errors.csv` and `percentiles.csv`, times in seconds, and `latency.hdr` for
    HdrHistogram's own tools. Raises `FarmError`."""
    body = result.body()
    answers = result.answers()
    values = answers.quantiles([part / 100 for part in PERCENTILES])
    tables: dict[str, tuple[Sequence[str], Iterable[Sequence[object]]]] = {
        "nodes.csv": (
            ["node", "address", "asked", "answered", "errors", "p50", "p99", "max"],
            [
                (row.name, row.address, row.asked, row.answered, row.errors, *_seconds(row.p50, row.p99, row.longest))
                for row in result.rows()
            ],
        ),
        "seconds.csv": (
            SECOND,
            [
                [sum(each[name].values()) if name == "errors" else each[name] for name in SECOND]
                for each in body["timeline"]
            ],
        ),
        "errors.csv": (
            ["node", "error", "count", "detail"],
            [
                (target.name, kind, count, tally.details.get(kind, ""))
                for target, tally in zip(result.targets, result.tallies, strict=True)
                for kind, count in tally.errors.items()
            ],
        ),
        "percentiles.csv": (["percentile", "seconds"], zip(PERCENTILES, _seconds(*values), strict=True)),
    }
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, (headings, rows) in tables.items():
            written.append(folder / name)
            written[-1].write_text(_csv(headings, rows), encoding="utf-8")
        written.append(folder / "latency.hdr")
        written[-1].write_text(_log(result, answers), encoding="utf-8")
    except OSError as exc:
        raise FarmError(f"--csv {folder}: {exc.strerror or exc}") from exc
    return written


def _seconds(*micros: int) -> tuple[float, ...]:
    return tuple(each / 1e6 for each in micros)


def _csv(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(headings)
    writer.writerows(rows)
    return text.getvalue()


def _log(result: Result, answers: Histogram) -> str:
    """A log of HdrHistogram with one interval; values are in µs."""
    start = result.began.timestamp()
    return (
        "#[Histogram log format version 1.3]\n#[values are in microseconds]\n"
        f"#[StartTime: {start:.3f} (seconds since epoch)]\n"
        '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"\n'
        f"{start:.3f},{result.seconds_run:.3f},{answers.most / 1000:.3f},{answers.encode()}\n"
    )
