"""What a plant costs, measured over numbers of nodes and of nodes a process, and fitted: so much for the farm, so much
for each node, so much for each process. The fit is least squares over all cases, computed here; what it says of larger
plants is a sum, and no more than that."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.bench.generators import BenchError
from tests.bench.large_plants import Case, measure

SIZES = (100, 500, 1000, 3000, 10_000)
SHARDS: tuple[int | str, ...] = ("auto", 50, 10, 1)
MIB_ALONE = 4.5
"""A node in a process of its own, with what the kernel keeps for it: so many are not begun where they would not fit."""
SPARE_MIB = 4000
AHEAD = (10_000, 100_000)
AUTO = 300
"""Nodes of a process that `shard: auto` makes where a user may have 20,000 descriptors."""

Terms = tuple[float, float, float]
"""Of the farm, of a node, of a process."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """Something that is fitted: `of` a case, in `unit`; `paced` is what reports cost and falls as they come more
    rarely."""

    name: str
    unit: str
    of: Callable[[Case], float]
    paced: bool = False


QUANTITIES = (
    Quantity("until all answer", "s", lambda case: case.up),
    Quantity("processor until all answer", "s", lambda case: case.cpu),
    Quantity("memory of all processes", "MiB", lambda case: case.mib),
    Quantity("memory of the kernel", "MiB", lambda case: case.kernel),
    Quantity("idle", "% of a core", lambda case: case.idle, paced=True),
    Quantity("`farm down`", "s", lambda case: case.down),
)


def fit(cases: Sequence[Case], quantity: Quantity) -> Terms:
    """The terms whose sums are nearest to what was measured, by least squares of relative errors: one second of ten
    counts as much as ten of a hundred. None is below 0: whatever would be is left out, and the others fitted again."""
    used = [0, 1, 2]
    while True:
        found = _solve([_row(case, quantity, used) for case in cases], [quantity.of(case) for case in cases])
        if min(found) >= 0:
            terms = dict(zip(used, found, strict=True))
            return terms.get(0, 0.0), terms.get(1, 0.0), terms.get(2, 0.0)
        used.pop(found.index(min(found)))


def predicted(terms: Terms, nodes: float, shards: float, every: float = 1.0) -> float:
    """What the terms come to; `every` is that of a paced quantity."""
    return terms[0] + (terms[1] * nodes + terms[2] * shards) / every


def _row(case: Case, quantity: Quantity, used: Sequence[int]) -> list[float]:
    every = case.every if quantity.paced else 1.0
    row = (1.0, case.nodes / every, case.shards / every)
    return [row[at] for at in used]


def _solve(rows: Sequence[Sequence[float]], values: Sequence[float]) -> list[float]:
    """Least squares by the normal equations, each row weighed by the inverse of its value."""
    weighed = [[cell / value for cell in row] for row, value in zip(rows, values, strict=True)]
    size = len(rows[0])
    matrix = [
        [sum(row[i] * row[j] for row in weighed) for j in range(size)] + [sum(row[i] for row in weighed)]
        for i in range(size)
    ]
    for at in range(size):
        pivot = max(range(at, size), key=lambda row: abs(matrix[row][at]))
        if not matrix[pivot][at]:
            raise BenchError("too few cases differ to fit anything")
        matrix[at], matrix[pivot] = matrix[pivot], matrix[at]
        for row in range(size):
            if row != at:
                factor = matrix[row][at] / matrix[at][at]
                matrix[row] = [cell - factor * base for cell, base in zip(matrix[row], matrix[at], strict=True)]
    return [matrix[at][size] / matrix[at][at] for at in range(size)]


def off(cases: Sequence[Case], quantity: Quantity, terms: Terms) -> float:
    """By how much the fit is off at worst, as a share of what was measured."""
    return max(
        abs(predicted(terms, case.nodes, case.shards, case.every if quantity.paced else 1.0) / quantity.of(case) - 1)
        for case in cases
    )


def measured(free_mib: float) -> list[Case]:
    """Every case that fits into so much memory, printed as it is had."""
    found = []
    for shard in SHARDS:
        for nodes in SIZES:
            if shard == 1 and nodes * MIB_ALONE + SPARE_MIB > free_mib:
                print(f"{nodes:,} processes: left out, {free_mib:,.0f} MiB are free", file=sys.stderr)
                continue
            found.append(measure(nodes, shard))
            print(json.dumps(asdict(found[-1])), file=sys.stderr, flush=True)
    return found


def cases_table(cases: Sequence[Case]) -> list[str]:
    """What was measured, as Markdown."""
    lines = [
        "| nodes | processes | up, s | processor, s | MiB | kernel MiB | report every | idle, % | of it the supervisor "
        "| down, s |",
        "|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    return lines + [
        f"| {case.nodes:,} | {case.shards:,} | {case.up:.1f} | {case.cpu:.1f} | {case.mib:,.0f} | {case.kernel:,.0f} "
        f"| {case.every} s | {case.idle:.1f} | {case.watching:.1f} | {case.down:.1f} |"
        for case in cases
    ]


def fit_table(cases: Sequence[Case]) -> list[str]:
    """The terms, and what they say of larger plants, as Markdown."""
    ahead = [f"{nodes:,} in {-(-nodes // AUTO):,}" for nodes in AHEAD]
    lines = [
        f"| | the farm | + a node | + a process | off by at most | {' | '.join(ahead)} |",
        "|---|--:|--:|--:|--:|" + "--:|" * len(AHEAD),
    ]
    for quantity in QUANTITIES:
        terms = fit(cases, quantity)
        sums = []
        for nodes in AHEAD:
            shards = -(-nodes // AUTO)
            every = Case(nodes, shards, *[0.0] * 11, 0, 0).every if quantity.paced else 1
            sums.append(f"{predicted(terms, nodes, shards, every):,.0f}")
        lines.append(
            f"| {quantity.name}, {quantity.unit} | {terms[0]:.2f} | {terms[1]:.5f} | {terms[2]:.4f} "
            f"| {off(cases, quantity, terms) * 100:.0f} % | {' | '.join(sums)} |"
        )
    return lines


def available_mib() -> float:
    """Memory that this machine could still give."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) / 1024
    raise BenchError("no /proc/meminfo")


def run(kept: Path | None = None) -> list[str]:
    """Both tables. `kept` is a file of cases, a JSON object a line as they are printed, that are not measured anew."""
    if kept is not None:
        cases = [Case(**json.loads(line)) for line in kept.read_text().splitlines() if line.startswith("{")]
    else:
        cases = measured(available_mib())
    lines = ["", *cases_table(cases), "", *fit_table(cases)]
    print("\n".join(lines), flush=True)
    return lines
