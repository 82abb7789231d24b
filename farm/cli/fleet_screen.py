"""A fleet as text that fits a screen: counts, then nodes, the abnormal first, and how many there was no room for."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from farm.cli.rows import milliseconds
from farm.cli.terminal import STATE_COLOURS
from farm.supervisor.condition import CONDITIONS

Row = Mapping[str, Any]

NAME, CONDITION = 0, 1
HEADINGS = ("NAME", "CONDITION", "REQ/S", "P99", "CONN", "ERR/MIN", "RESTARTS", "P50", "ADDRESS", "PROFILE")
"""The most wanted first: a narrow screen shows as many as it has room for."""
LONGEST_NAME = 32
GAP = "  "


def head(farm: Mapping[str, Any]) -> list[str]:
    """The lines about the farm as a whole."""
    counts = farm["conditions"]
    said = [f"{counts[name]} {name}" for name in CONDITIONS if counts.get(name)] or ["no nodes"]
    return [
        f"{farm['farm']}: {farm['nodes']} nodes on {farm['backend']}, {farm['reach']}",
        "  ".join(said),
        f"{farm['requests_per_s']:g} req/s  p50 {milliseconds(farm['p50_ms'])}  p99 {milliseconds(farm['p99_ms'])}  "
        f"{farm['errors_per_s']:g} errors/s  {farm['clients']} clients  {farm['faults']} faults",
    ]


def ordered(rows: Sequence[Row]) -> list[Row]:
    """The abnormal first, the worst of them at the top; else as in the plant."""
    return sorted(rows, key=lambda row: CONDITIONS.index(row["condition"]))


def screen(farm: Mapping[str, Any], rows: Sequence[Row], width: int, height: int, painted: bool = False) -> list[str]:
    """At most `height` lines of at most `width` columns; with `painted`, conditions in their colours beside."""
    lines = [_cut(line, width) for line in head(farm)] + [""]
    room = height - len(lines) - 1
    found = ordered(rows)
    shown = found if len(found) <= room else found[: max(0, room - 1)]
    cells = [_cells(row) for row in shown]
    widths = _widths(cells, width)
    lines.append(_line(HEADINGS, widths, width))
    for row, texts in zip(shown, cells, strict=True):
        line = _line(texts, widths, width)
        lines.append(_painted(line, row["condition"], widths) if painted else line)
    hidden = Counter(str(row["condition"]) for row in found[len(shown) :])
    if hidden:
        kinds = ", ".join(f"{hidden[name]} {name}" for name in CONDITIONS if hidden[name])
        lines.append(_cut(f"... {sum(hidden.values())} more: {kinds}", width))
    return lines[:height]


def _cells(row: Row) -> tuple[str, ...]:
    return (
        _cut(str(row["name"]), LONGEST_NAME),
        str(row["condition"]),
        f"{row['requests_per_s']:g}",
        milliseconds(row["p99_ms"]),
        str(row["connections"]),
        str(row["errors_per_min"]),
        str(row["restarts"]),
        milliseconds(row["p50_ms"]),
        str(row["address"]),
        str(row["profile"]),
    )


def _widths(cells: Sequence[Sequence[str]], width: int) -> list[int]:
    """Of as many columns as there is room for; the first two are always there."""
    widths: list[int] = []
    for column, heading in enumerate(HEADINGS):
        wanted = max([len(heading), *(len(row[column]) for row in cells)])
        if column == CONDITION:
            wanted = max(wanted, *map(len, CONDITIONS))  # a column that does not move when a node does
        if column > CONDITION and sum(widths) + len(GAP) * len(widths) + wanted > width:
            break
        widths.append(wanted)
    return widths


def _line(texts: Sequence[str], widths: Sequence[int], width: int) -> str:
    padded = [f"{text:{size}}" for text, size in zip(texts, widths, strict=False)]
    return _cut(GAP.join(padded).rstrip(), width)


def _painted(line: str, condition: str, widths: Sequence[int]) -> str:
    """The line with its condition in colour; one that is cut before it stays as it is."""
    start = widths[NAME] + len(GAP)
    colour = {"green": 32, "red": 31, "yellow": 33, "magenta": 35, "dim": 2}[STATE_COLOURS[condition]]
    if line[start : start + len(condition)] != condition or condition == "up":
        return line
    return f"{line[:start]}\x1b[{colour}m{condition}\x1b[0m{line[start + len(condition) :]}"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: max(0, width - 1)]}…"
