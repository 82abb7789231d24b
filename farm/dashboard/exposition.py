"""Metrics as Prometheus reads them: its text format, version 0.0.4.

https://prometheus.io/docs/instrumenting/exposition_formats/. Names are those of `METRICS`, in base units, with one
label at most: no tag and no client has a series of its own, for a plant has tens of thousands of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

GAUGE, COUNTER = "gauge", "counter"
ANSWERING = ("up", "degraded", "fault")
"""Conditions of a node that serves."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Metric:
    """A family: its name, kind, what it says, and how it is read from a row; None is no sample."""

    name: str
    kind: str
    help: str
    read: Callable[[Row], float | int | None]


def _milli(field: str) -> Callable[[Row], float | None]:
    return lambda row: None if row[field] is None else row[field] / 1000


def _mebi(field: str) -> Callable[[Row], float | None]:
    return lambda row: None if row[field] is None else row[field] * 1048576


NODE_METRICS = (
    Metric("farm_node_up", GAUGE, "1 while the node serves, else 0.", lambda row: int(row["condition"] in ANSWERING)),
    Metric("farm_node_requests_total", COUNTER, "Requests the node was asked.", lambda row: row["requests"]),
    Metric("farm_node_errors_total", COUNTER, "Replies that said no.", lambda row: row["errors"]),
    Metric("farm_node_bugs_total", COUNTER, "Exceptions that should not have been.", lambda row: row["bugs"]),
    Metric("farm_node_restarts_total", COUNTER, "Times the node was started again.", lambda row: row["restarts"]),
    Metric("farm_node_connections", GAUGE, "Open TCP connections.", lambda row: row["connections"]),
    Metric("farm_node_latency_p50_seconds", GAUGE, "Median time to answer, of the last seconds.", _milli("p50_ms")),
    Metric("farm_node_latency_p99_seconds", GAUGE, "99th percentile of the time to answer.", _milli("p99_ms")),
    Metric("farm_node_faults", GAUGE, "Faults that are on.", lambda row: len(row["faults"])),
    Metric("farm_node_forced_tags", GAUGE, "Tags that are forced.", lambda row: row["forced"]),
    Metric("farm_node_report_age_seconds", GAUGE, "Time since the node's last report.", lambda row: row["age_s"]),
    Metric("farm_node_uptime_seconds", GAUGE, "Time since the node was started.", lambda row: row["uptime_s"]),
    Metric("farm_node_resident_memory_bytes", GAUGE, "Memory of the node's process.", _mebi("rss_mib")),
)
"""Of each node, with the label `node`."""

FARM_METRICS = (
    Metric("farm_clients", GAUGE, "Addresses that are connected.", lambda farm: farm["clients"]),
    Metric("farm_faults", GAUGE, "Faults that are on.", lambda farm: farm["faults"]),
    Metric(
        "farm_supervisor_cpu_ratio",
        GAUGE,
        "Share of one core that the supervisor takes.",
        lambda farm: _part(farm, "cpu_percent", 0.01),
    ),
    Metric(
        "farm_supervisor_resident_memory_bytes",
        GAUGE,
        "Memory of the supervisor.",
        lambda farm: _part(farm, "rss_mib", 1048576),
    ),
    Metric(
        "farm_supervisor_uptime_seconds",
        GAUGE,
        "Time since the supervisor was started.",
        lambda farm: _part(farm, "uptime_s", 1),
    ),
)
"""Of the farm."""


def _part(farm: Row, field: str, factor: float) -> float | None:
    value = farm["supervisor"].get(field)
    return None if value is None else value * factor


def farm_lines(farm: Row) -> list[str]:
    """The farm's own: what it is, its nodes by condition, and `FARM_METRICS`."""
    labels = {"farm": farm["farm"], "backend": farm["backend"], "version": farm["version"]}
    lines = [*head("farm_info", GAUGE, "What the farm is; always 1."), sample("farm_info", labels, 1)]
    lines += head("farm_nodes", GAUGE, "Nodes by condition.")
    lines += [sample("farm_nodes", {"condition": name}, count) for name, count in farm["conditions"].items()]
    for metric in FARM_METRICS:
        value = metric.read(farm)
        if value is not None:
            lines += [*head(metric.name, metric.kind, metric.help), sample(metric.name, {}, value)]
    return lines


def node_lines(rows: list[Row]) -> list[str]:
    """`NODE_METRICS` of each node."""
    lines: list[str] = []
    for metric in NODE_METRICS:
        found = [(row["name"], metric.read(row)) for row in rows]
        samples = [sample(metric.name, {"node": name}, value) for name, value in found if value is not None]
        if samples:
            lines += head(metric.name, metric.kind, metric.help) + samples
    return lines


def head(name: str, kind: str, text: str) -> list[str]:
    """The two lines before the samples of a family."""
    escaped = text.replace("\\", r"\\").replace("\n", r"\n")
    return [f"# HELP {name} {escaped}", f"# TYPE {name} {kind}"]


def sample(name: str, labels: Mapping[str, str], value: float | int) -> str:
    """One line."""
    inside = ",".join(f'{key}="{escape_label(text)}"' for key, text in labels.items())
    shown = str(value) if isinstance(value, int) else f"{value:.9g}"
    return f"{name}{{{inside}}} {shown}" if inside else f"{name} {shown}"


def escape_label(text: str) -> str:
    """A label's value: backslash, quote and end of line are escaped."""
    return str(text).replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
