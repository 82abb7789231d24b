"""Requests a second of our servers beside peers, case by case, in one run on one core.

Servers and generator are pinned to core 0. A case runs in turn on each server (A, B, C, A, B, C …), so that a machine
whose speed drifts slows all of them; ratios are taken of the medians.
"""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.bench import generators, processes, servers
from tests.bench.generators import ReplyRow
from tests.bench.servers import Server

Generator = Callable[[str, int, float, list[str]], ReplyRow]

READ1 = "4c0491055343414441000100"  # Read Tag SCADA, 1 element
READ100 = "4c0391034152520064 00".replace(" ", "")  # Read Tag ARR, 100 elements
READ_STRUCTURE = "4c0491054d4f544f52000100"  # Read Tag MOTOR, 1 element: 48 bytes behind type and handle
ROUTED = ["-w", "ucs"]
OURS_ONLY = "-"
"""Before the name of a case that other servers have nothing for."""

ENIP_CASES = [
    ("one read, one client", [*ROUTED, "-c", READ1, "-l", "6"]),
    ("100 elements", [*ROUTED, "-c", READ100, "-l", "402"]),
    ("20 in flight", [*ROUTED, "-c", READ1, "-l", "6", "-d", "20"]),
    ("Multiple Service Packet of 20", [*ROUTED, "-c", READ1, "-l", "6", "-m", "20"]),
    ("50 clients", [*ROUTED, "-c", READ1, "-l", "6", "-n", "50"]),
    ("connected (class 3), one read", ["-x", "-w", "conn", "-c", READ1, "-l", "6"]),
    ("-a structure of 48 bytes", [*ROUTED, "-c", READ_STRUCTURE, "-l", "52"]),
    ("-a structure, connected", ["-w", "conn", "-c", READ_STRUCTURE, "-l", "52"]),
]


@dataclass(frozen=True, slots=True)
class Figure:
    """Medians of one case on one server: replies a second, µs of the server's CPU a reply, and what went wrong."""

    rate: float
    cpu_us: float
    p50_us: float
    note: str

    def cells(self) -> str:
        """Three cells of a table; dashes where nothing was measured."""
        if not self.rate:
            return "— | — | —"
        return f"{self.rate:,.0f} | {self.cpu_us:.1f} | {self.p50_us:,.0f}"

    def times(self, other: Figure) -> str:
        """How many times another server's rate this is, and in brackets how many times its CPU that one needs."""
        if not other.rate:
            return "—"
        return f"{self.rate / other.rate:.{_digits(self.rate / other.rate)}f}" + (
            f" ({other.cpu_us / self.cpu_us:.{_digits(other.cpu_us / self.cpu_us)}f})" if self.cpu_us else ""
        )


def _digits(ratio: float) -> int:
    """Digits after the point that a ratio is told with."""
    return 2 if ratio < 2 else 1


NOTHING = Figure(0.0, 0.0, 0.0, "")


def measure(server: Server, generator: Generator, seconds: float, arguments: list[str]) -> tuple[Figure, ReplyRow]:
    """One run of one case."""
    before = processes.cpu_seconds(server.pids)
    row = generator(server.host, server.port, seconds, arguments)
    used = processes.cpu_seconds(server.pids) - before
    served = row.get("ok") or row["requests_s"] * (seconds + 0.3)
    faults = [f"{row[key]:.0f} {key}" for key in ("bad", "lost", "exceptions", "closed") if row.get(key)]
    note = ", ".join(faults) + (f" ({row['why']})" if row.get("why") else "")
    return Figure(row["requests_s"], used / served * 1e6 if served else 0.0, row.get("p50_us", 0.0), note), row


def median(figures: Sequence[Figure]) -> Figure:
    """The middle of each figure; `NOTHING` of none."""
    if not figures:
        return NOTHING
    return Figure(
        statistics.median(f.rate for f in figures),
        statistics.median(f.cpu_us for f in figures),
        statistics.median(f.p50_us for f in figures),
        next((f.note for f in figures if f.note), ""),
    )


def compare(
    ours: Sequence[Server],
    peers: Sequence[Server],
    generator: Generator,
    cases: list[tuple[str, list[str]]],
    runs: int,
    seconds: float,
) -> list[str]:
    """A Markdown table of the servers, a case a row; the last of `ours` has all cases, the peers and the others those
    they can have. The last columns are the first of `ours` against each peer, by rate and by CPU."""
    everyone = [*ours, *peers]
    for server in everyone:
        processes.pin(processes.tree(server.pids[0]))
    head = "".join(f" {server.name} req/s | CPU µs/req | p50 µs |" for server in everyone)
    head += "".join(f" times {peer.name} |" for peer in peers)
    lines = [f"| case |{head}", "|---|" + "--:|" * (3 * len(everyone) + len(peers))]
    print("\n".join(lines), flush=True)
    for name, arguments in cases:
        title, alone = name.removeprefix(OURS_ONLY), name.startswith(OURS_ONLY)
        figures: dict[str, list[Figure]] = {server.name: [] for server in everyone}
        for _ in range(runs):
            for server in [ours[-1]] if alone else everyone:
                figures[server.name].append(measure(server, generator, seconds, arguments)[0])
        medians = {server: median(found) for server, found in figures.items()}
        notes = "; ".join(f"{server}: {found.note}" for server, found in medians.items() if found.note)
        first = medians[ours[0].name]
        cells = [found.cells() for found in medians.values()] + [first.times(medians[peer.name]) for peer in peers]
        line = f"| {title}{f' ({notes})' if notes else ''} | {' | '.join(cells)} |"
        print(line, flush=True)
        lines.append(line)
    return lines


def run(runs: int, seconds: float) -> list[str]:
    """EtherNet/IP, as Markdown."""
    with contextlib.ExitStack() as stack:
        node = stack.enter_context(servers.farm_node())
        lines = ["", "### EtherNet/IP: a lone enip_server and a farm node, counting, beside cpppo", ""]
        print("\n".join(lines))
        single = stack.enter_context(servers.lone())
        peer = stack.enter_context(servers.cpppo())
        lines += compare([single, node["enip"]], [peer], generators.enip, ENIP_CASES, runs, seconds)
    return lines
