"""Nodes as lines of a table: what `up`, `ps` and `demo` show, and the summary for farms too long to read."""

from collections.abc import Mapping, Sequence
from typing import Any

from farm.cli.terminal import STATE_COLOURS, table
from farm.supervisor.roster import UP

LONG = 40
"""Nodes beyond which `farm up` shows a summary."""
FIRST = 8
"""Single nodes that are shown with a summary."""

Row = Mapping[str, Any]


def endpoint(row: Row) -> str:
    """`127.64.0.1:44818`, with a comma between the ports of a node that speaks both protocols."""
    ports = ",".join(str(port) for port in row["ports"].values())
    return f"{row['address']}:{ports}" if ports else str(row["address"])


def word(row: Row) -> str:
    """The node's state; of one that is up its condition, where that is not so good."""
    return str(row["condition"]) if row["state"] == UP and row.get("condition") else str(row["state"])


def milliseconds(value: float | None) -> str:
    """`1.25 ms`; - where nothing was asked."""
    return "-" if value is None else f"{value:g} ms"


def protocols(row: Row) -> str:
    """What it speaks: `EtherNet/IP, Modbus/TCP, Modbus/UDP`."""
    return ", ".join(row["speaks"])


def node_table(rows: Sequence[Row], wide: bool = False) -> str:
    """One line a node; `wide` adds process, restarts and age. Where clients are connected, nodes are served at
    addresses of the machine too, or their links are not all good, there are columns for it."""
    headings = ["NAME", "ADDRESS", "PROTOCOL", "PROFILE", "STATE"]
    lines = [[row["name"], endpoint(row), protocols(row), row["profile"], word(row)] for row in rows]
    if wide:
        headings += ["PID", "RESTARTS", "UPTIME"]
        for line, row in zip(lines, rows, strict=True):
            line += [str(row["pid"] or "-"), str(row["restarts"]), age(row["uptime_s"])]
    if wide and any(row.get("connections") for row in rows):
        headings += ["CONNECTIONS", "REQ/S", "P99"]
        for line, row in zip(lines, rows, strict=True):
            line += [str(row["connections"]), f"{row['requests_per_s']:g}", milliseconds(row["p99_ms"])]
    if any(row.get("host") for row in rows):
        headings.append("HOST")
        for line, row in zip(lines, rows, strict=True):
            line.append(row.get("host") or "-")
    if any(row.get("outside") for row in rows):
        headings.append("OUTSIDE")
        for line, row in zip(lines, rows, strict=True):
            line.append(" ".join(row.get("outside", ())) or "-")
    if any(row.get("link") for row in rows):
        headings.append("LINK")
        for line, row in zip(lines, rows, strict=True):
            line.append(row.get("link") or "good")
    if any(row.get("recording") or row.get("replayed") for row in rows):
        headings.append("RECORDING")
        for line, row in zip(lines, rows, strict=True):
            line.append(recording(row) or "-")
    return table(headings, lines, STATE_COLOURS)


def recording(row: Row) -> str:
    """`recorded`, `replayed`, or both."""
    return ", ".join([*(["recorded"] if row.get("recording") else []), *(["replayed"] if row.get("replayed") else [])])


def summary(rows: Sequence[Row]) -> str:
    """Nodes that are alike on one line with their number and where they begin and end, then the first few."""
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["profile"], protocols(row), word(row)), []).append(row)
    lines = [
        [str(len(group)), profile, protocol, state, endpoint(group[0]), endpoint(group[-1])]
        for (profile, protocol, state), group in groups.items()
    ]
    head = table(["NODES", "PROFILE", "PROTOCOL", "STATE", "FIRST", "LAST"], lines, STATE_COLOURS)
    rest = len(rows) - FIRST
    return f"{head}\n\n{node_table(rows[:FIRST])}\n... {rest} more: farm ps, or farm up --all"


def age(seconds: float | None) -> str:
    """A duration that is short to read: 12s, 5m, 3h, 2d; - where there is none."""
    if seconds is None:
        return "-"
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{int(seconds)}s"
