"""A plant of hundreds of nodes: seconds until all answer, and memory a node, beside the ways a person would do it by
hand: an interpreter a node, and a cpppo server a node."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench import processes, servers
from tests.bench.generators import BenchError

TANK_FARM = servers.ROOT / "topologies/tank-farm-500.yaml"
BASE = "127.64.240."


@dataclass(frozen=True, slots=True)
class Row:
    """One way of standing up `count` nodes."""

    name: str
    count: int
    seconds: float
    pss_mib: float
    idle_percent: float

    def line(self) -> str:
        """A row of the Markdown table."""
        return (
            f"| {self.name} | {self.count} | {self.seconds:.2f} | {self.seconds / self.count * 1000:.1f} "
            f"| {self.pss_mib / self.count:.2f} | {self.idle_percent:.1f} |"
        )


def idle_percent(pids: list[int], seconds: float = 5.0) -> float:
    """CPU of the processes while nobody asks, in per cent of one core."""
    before = processes.cpu_seconds(pids)
    time.sleep(seconds)
    return (processes.cpu_seconds(pids) - before) / seconds * 100


def farm_row(plant: Path) -> list[Row]:
    """The whole of `farm up` as a user waits for it, the start of the interpreter included; nodes alone, and all."""
    with tempfile.TemporaryDirectory(prefix="plcb") as folder:
        begun = time.monotonic()
        try:
            servers.farm(folder, "up", str(plant))
            seconds = time.monotonic() - begun
            rows = json.loads(servers.farm(folder, "ps", "--json"))
            if any(row["state"] != "up" for row in rows):
                raise BenchError("not every node is up")
            nodes = sorted({row["pid"] for row in rows})
            run_id = run_mark(nodes[0])
            everything = processes.marked(run_id)
            own = Row("farm up: nodes", len(rows), seconds, processes.pss_mib(nodes), idle_percent(nodes))
            return [
                own,
                Row(
                    "farm up: nodes, supervisor, nursery",
                    len(rows),
                    seconds,
                    processes.pss_mib(everything),
                    idle_percent(everything),
                ),
            ]
        finally:
            servers.farm(folder, "down")


def run_mark(pid: int) -> str:
    """`FARM_RUN=…` of a node's exec environment."""
    match = re.search(rb"(?:^|(?<=\0))FARM_RUN=[^\0]+", Path(f"/proc/{pid}/environ").read_bytes())
    if match is None:
        raise BenchError(f"process {pid} does not carry FARM_RUN")
    return match.group().decode()


def many(name: str, count: int, command: Callable[[str], list[str]]) -> Row:
    """`count` servers, a process each, started as fast as the machine lets them."""
    started: list[subprocess.Popen[bytes]] = []
    begun = time.monotonic()
    try:
        for index in range(count):
            started.append(
                subprocess.Popen(
                    command(f"{BASE}{index + 1}"),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    cwd=servers.ROOT,
                )
            )
        for index, process in enumerate(started):
            servers.wait_for_port(f"{BASE}{index + 1}", 44818, process, limit=300)
        seconds = time.monotonic() - begun
        pids = [process.pid for process in started]
        return Row(name, count, seconds, processes.pss_mib(pids), idle_percent(pids))
    finally:
        for process in started:
            process.terminate()
        for process in started:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()


def median(rows: list[Row]) -> Row:
    """The run in the middle by its time."""
    return sorted(rows, key=lambda row: row.seconds)[len(rows) // 2]


def farm_rows(runs: int) -> list[Row]:
    """The plant of 500, several times: the run in the middle."""
    pairs = [farm_row(TANK_FARM) for _ in range(runs)]
    return [median([pair[place] for pair in pairs]) for place in (0, 1)]


def run(peers: int, runs: int) -> list[str]:
    """The table, as Markdown; `peers` servers each of the other ways, the farm `runs` times."""
    lines = [
        "",
        "### A plant of 500 nodes",
        "",
        "| way | nodes | s until all answer | ms/node | PSS MiB/node | idle, % of a core, all |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    print("\n".join(lines), flush=True)
    tags = ["SCADA=DINT", "ARR=DINT[1000]"]
    cpppo = str(servers.cpppo_python())
    ways: list[Callable[[], list[Row]]] = [
        lambda: farm_rows(runs),
        lambda: [
            many(
                "an interpreter a node",
                peers,
                lambda host: [
                    sys.executable,
                    "-c",
                    "from node.cli.enip import main; main()",
                    "-a",
                    f"{host}:44818",
                    *tags,
                ],
            )
        ],
        lambda: [
            many(
                "a cpppo server a node",
                peers,
                lambda host: [cpppo, "-m", "cpppo.server.enip", "-a", f"{host}:44818", *tags],
            )
        ],
    ]
    for way in ways:
        for row in way():
            print(row.line(), flush=True)
            lines.append(row.line())
    return lines
