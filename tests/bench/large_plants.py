"""Plants of up to 10,000 nodes on backend process, by how many share a process: what they take to come up and to keep,
and how long the verbs take that people use every day. All 10,000 have an address of their own, out of 127/8."""

from __future__ import annotations

import json
import random
import resource
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from farm.supervisor.pace import Pace
from tests.bench import processes, servers
from tests.bench.generators import BenchError
from tests.bench.scale import idle_percent, kernel_mib, run_mark

PLANT = servers.ROOT / "topologies/large/tank-farm-10000.yaml"
EACH_SITE = 10
SIZES = (100, 500, 1000, 3000, 10_000)
READ = 100
"""Nodes that pylogix reads a tag of, drawn at random."""
SETTLE = 3.0
IDLE_SECONDS = 8.0
HEADING = (
    "| nodes | processes | s until all answer | again, nothing to do | `ps` | `hosts` | down | MiB in all | of nodes "
    "| kernel MiB | idle, % of a core | pylogix reads |"
)
RULE = "|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"


@dataclass(frozen=True, slots=True)
class Case:
    """One plant: `nodes` of them in `shards` processes. Times are seconds, of the command as a person waits for it;
    `cpu` are processor seconds until all answer; memory is MiB (PSS), of all processes and of the nodes' alone, and
    what the kernel keeps; `idle` per cent of a core of all while nobody asks, `watching` of the supervisor alone."""

    nodes: int
    shards: int
    up: float
    cpu: float
    again: float
    ps: float
    hosts: float
    down: float
    mib: float
    nodes_mib: float
    kernel: float
    idle: float
    watching: float
    read: int
    asked: int

    @property
    def every(self) -> int:
        """Seconds between two reports of a node."""
        pace = Pace()
        pace.suit(self.nodes, self.shards)
        return pace.every

    def line(self) -> str:
        """A row of the table."""
        return (
            f"| {self.nodes:,} | {self.shards:,} | {self.up:.1f} | {self.again:.1f} | {self.ps:.1f} | {self.hosts:.1f} "
            f"| {self.down:.1f} | {self.mib:,.0f} | {self.nodes_mib:,.0f} | {self.kernel:,.0f} | {self.idle:.1f} "
            f"| {self.read} of {self.asked} |"
        )


def measure(nodes: int, shard: int | str) -> Case:
    """A plant of so many nodes, `shard` in a process; taken down again whatever happens. Raises `BenchError`."""
    with tempfile.TemporaryDirectory(prefix="plcb", dir="/tmp") as root:
        up = ["up", str(PLANT), "--set", f"sites={nodes // EACH_SITE}", "--shard", str(shard)]
        before, mine, begun = kernel_mib(), _children_cpu(), time.monotonic()
        try:
            _timed(root, *up)
            seconds, mine = time.monotonic() - begun, _children_cpu() - mine
            ps, listed = _timed(root, "ps", "--json")
            rows = json.loads(listed)
            if len(rows) != nodes or any(row["state"] != "up" for row in rows):
                raise BenchError("not every node is up")
            pids = sorted({row["pid"] for row in rows})
            everything = processes.marked(run_mark(pids[0]))
            cpu = mine + processes.cpu_seconds(everything)
            supervisor = [pid for pid in everything if pid not in pids and b"supervise" in _command(pid)]
            again, hosts = _timed(root, *up)[0], _timed(root, "hosts")[0]
            read, asked = read_some(rows)
            time.sleep(SETTLE)
            kernel = kernel_mib() - before
            idle = idle_percent(everything, IDLE_SECONDS)
            watching = idle_percent(supervisor, IDLE_SECONDS)
            mib, nodes_mib = processes.pss_mib(everything), processes.pss_mib(pids)
        finally:
            down = _timed(root, "down", "--all")[0]
    return Case(
        nodes, len(pids), seconds, cpu, again, ps, hosts, down, mib, nodes_mib, kernel, idle, watching, read, asked
    )


def read_some(rows: list[dict[str, Any]], count: int = READ) -> tuple[int, int]:
    """How many of so many nodes that speak EtherNet/IP, drawn at random, answer pylogix a read with a value, and how
    many were asked."""
    from tests.dashboard.browser.client import pylogix

    controllers = [row for row in rows if "enip" in row["ports"]]
    good, asked = 0, random.sample(controllers, min(count, len(controllers)))
    for row in asked:
        with pylogix(row["address"]) as plc:
            answer = plc.Read("LevelSP")
            good += answer.Status == "Success" and answer.Value == 80.0
    return good, len(asked)


def _timed(root: str, *arguments: str) -> tuple[float, str]:
    begun = time.monotonic()
    printed = servers.farm(root, *arguments)
    return time.monotonic() - begun, printed


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _children_cpu() -> float:
    """Processor seconds of this process's children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(sizes: tuple[int, ...] = SIZES) -> list[str]:
    """The table with `shard: auto`, as Markdown."""
    lines = ["", "### Plants of up to 10,000 nodes, `shard: auto`", "", HEADING, RULE]
    print("\n".join(lines), flush=True)
    for nodes in sizes:
        lines.append(measure(nodes, "auto").line())
        print(lines[-1], flush=True)
    return lines
