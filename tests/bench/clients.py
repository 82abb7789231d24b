"""Values a second that EtherNet/IP clients read from one farm node, a client after the other: ours beside pylogix,
pycomm3 and cpppo's, one tag at a time and a hundred in a call. The node has one core and the client the other."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from tests.bench import generators, processes, servers
from tests.bench.generators import BenchError
from tests.bench.servers import Server

SCRIPT = Path(__file__).parent / "read_values.py"
OURS, OURS_UNCONNECTED = "plcfarm", "plcfarm_unconnected"
SHOWN = {
    OURS: "plcfarm's `Connector`",
    OURS_UNCONNECTED: "the same, unconnected",
    "pylogix": "pylogix",
    "pycomm3": "pycomm3",
    "cpppo": "cpppo's `connector`",
}
BATCHES = (1, 100)
LIMIT = 60
"""Seconds that a client may take beyond those it is measured for."""


def values_a_second(client: str, server: Server, seconds: float, batch: int, core: int) -> tuple[float, float]:
    """(values a second, µs of the client's CPU for each). Raises `BenchError` when one was wrong."""
    python = str(servers.cpppo_python()) if client == "cpppo" else sys.executable
    command = [python, str(SCRIPT), client, server.host, str(server.port), str(seconds), str(batch)]
    done = subprocess.run(
        generators.pinned(command, core),
        capture_output=True,
        text=True,
        cwd=servers.ROOT,
        env={**os.environ, "PYTHONPATH": str(servers.ROOT)},
        timeout=seconds + LIMIT,
        check=False,
    )
    if done.returncode:
        raise BenchError(f"{client}: exit {done.returncode}: {done.stderr.strip().splitlines()[-1:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    return found["values"] / found["seconds"], found["cpu"] / found["values"] * 1e6


def run(runs: int, seconds: float) -> list[str]:
    """The table, as Markdown: medians of `runs`, the clients in turn."""
    core = min(1, (os.cpu_count() or 1) - 1)
    figures: dict[tuple[str, int], list[tuple[float, float]]] = {}
    with servers.farm_node() as found:
        server = found["enip"]
        processes.pin(processes.tree(server.pids[0]))
        for batch in BATCHES:
            for _ in range(runs):
                for client in SHOWN:
                    figure = values_a_second(client, server, seconds, batch, core)
                    figures.setdefault((client, batch), []).append(figure)
    middle = {
        key: (statistics.median(rate for rate, _ in taken), statistics.median(cpu for _, cpu in taken))
        for key, taken in figures.items()
    }
    lines = [
        "",
        f"### EtherNet/IP clients, one farm node on core 0, the client on core {core}",
        "",
        "| client | one at a time, values/s | its CPU µs each | times | 100 in a call, values/s | CPU µs | times |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for client, name in SHOWN.items():
        cells = []
        for batch in BATCHES:
            (rate, cpu), (best, _) = middle[client, batch], middle[OURS, batch]
            cells += [f"{rate:,.0f}", f"{cpu:.1f}", "" if client.startswith(OURS) else f"{best / rate:.1f}"]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += ["", "Times: how often ours reads a value while that client reads one."]
    print("\n".join(lines), flush=True)
    return lines
