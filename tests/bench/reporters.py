"""What it costs to supervise and to show nodes, without the nodes: a real supervisor and the real dashboard of 1,000,
3,000 and 10,000 nodes that a few processes tell of (`reporting_shards`), idle, and asked once a second each.

CPU is that of the supervisor alone while nobody looks, then of it and of the dashboard's process while five look on
over its stream and the API is asked four times a second.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from farm.dashboard.start import Record
from farm.supervisor.pace import Pace
from farm.supervisor.run_directory import RunDirectory
from farm.supervisor.state import Identity
from tests.bench import processes, servers
from tests.bench.dashboard_page import page_cost
from tests.bench.generators import BenchError
from tests.bench.reported_farm import pid_of, plant_of, shards_of
from tests.bench.reporting_shards import Orders

PLANT = servers.ROOT / "topologies/large/tank-farm-10000.yaml"
SIZES = (1000, 3000, 10_000)
SHARD = 300
"""Nodes a shard, about as many as `auto` puts into one."""
TELLERS = 2
"""Processes that tell of shards."""
VIEWERS = 5
SETTLE = 3.0
"""Seconds after something has begun before it is measured, besides two reports of each node."""
PATHS = ("farm", "nodes?limit=50", "events?limit=50", "clients", "nodes/{node}")
API_EVERY = 0.25
HEADING = (
    "| nodes | they are | report every | supervisor | beside 5 viewers | dashboard | frames kB/s | largest kB "
    "| frame age p50, p99 ms | API p50, p99 ms | list of all | page in Chromium | supervisor MiB | dashboard MiB |"
)
RULE = "|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"


@dataclass(slots=True)
class Viewer:
    """Follows a dashboard's stream: how many bytes came, the largest message, and how old frames were, in seconds."""

    url: str
    received: int = 0
    largest: int = 0
    ages: list[float] = field(default_factory=list)
    _over: bool = False
    _thread: threading.Thread | None = None

    def __enter__(self) -> Viewer:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True

    def clear(self) -> None:
        """Counts from here on."""
        self.received, self.largest, self.ages = 0, 0, []

    def _run(self) -> None:
        with urllib.request.urlopen(f"{self.url}/api/v1/stream?topics=fleet,events", timeout=30) as stream:
            size = 0
            for line in stream:
                now, size = time.time(), size + len(line)
                if self._over:
                    return
                if line.startswith(b'data: {"t":'):
                    self.ages.append(now - float(line[11:30].partition(b",")[0]))
                if line == b"\n":
                    self.received, self.largest, size = self.received + size, max(self.largest, size), 0


@dataclass(frozen=True, slots=True)
class Reported:
    """A farm that is told of, and its dashboard."""

    run: RunDirectory
    supervisor: int
    dashboard: int
    url: str


@contextlib.contextmanager
def reported(nodes: int, busy: bool) -> Iterator[Reported]:
    """So many nodes, all up, and their dashboard served."""
    with tempfile.TemporaryDirectory(prefix="plcr", dir="/tmp") as folder, contextlib.ExitStack() as ended:
        root = Path(folder)
        root.chmod(0o711)
        plant = plant_of(PLANT, nodes, SHARD)
        run = RunDirectory(root / plant.name)
        run.prepare()
        identity = Identity.new(run, "process")
        identity.write(run)
        farm = _started(ended, "tests.bench.reported_farm", str(run.path), str(PLANT), str(nodes), str(SHARD))
        shards = shards_of(plant)
        for number in range(TELLERS):
            mine = shards[number::TELLERS]
            orders = Orders(
                os.fspath(run.control_socket),
                identity.token,
                {shard.name: [node.name for node in shard.nodes] for shard in mine},
                {shard.name: pid_of(shard.name) for shard in mine},
                busy,
            )
            orders.write(root / f"orders-{number}")
            _started(ended, "tests.bench.reporting_shards", os.fspath(root / f"orders-{number}"))
        assert farm.stdout is not None
        if farm.stdout.readline() != "up\n":
            raise BenchError(f"{nodes} nodes that are told of do not come up")
        link = servers.farm(folder, "dashboard").split()[-1]
        record = Record.read(run.dashboard_socket.parent / "web.json")
        if record is None:
            raise BenchError("the dashboard has left no record")
        ended.callback(servers.farm, folder, "dashboard", "--stop")
        yield Reported(run, farm.pid, record.pid, link.partition("/?")[0])


def _started(ended: contextlib.ExitStack, module: str, *arguments: str) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, text=True)
    ended.callback(process.wait)
    ended.callback(process.kill)
    return process


def percent(pid: int, seconds: float) -> float:
    """CPU of a process over so many seconds, of one core."""
    before, begun = processes.cpu_seconds([pid]), time.monotonic()
    time.sleep(seconds)
    return (processes.cpu_seconds([pid]) - before) / (time.monotonic() - begun) * 100


def asked(url: str, path: str) -> tuple[float, int]:
    """Seconds until the API has answered, and bytes of the answer."""
    begun = time.perf_counter()
    with urllib.request.urlopen(f"{url}/api/v1/{path}", timeout=60) as reply:
        size = len(reply.read())
    return time.perf_counter() - begun, size


def quantile(seconds: list[float], part: float) -> float:
    """Milliseconds within which `part` of them are."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] * 1000 if ordered else float("nan")


def row(nodes: int, busy: bool, seconds: float) -> str:
    """A row of the table."""
    pace = Pace()
    pace.suit(nodes, -(-nodes // SHARD))
    with reported(nodes, busy) as farm, contextlib.ExitStack() as looking:
        time.sleep(SETTLE + 2 * pace.every)
        alone = percent(farm.supervisor, seconds)
        viewers = [looking.enter_context(Viewer(farm.url)) for _ in range(VIEWERS)]
        time.sleep(SETTLE)
        for viewer in viewers:
            viewer.clear()
        pids = farm.supervisor, farm.dashboard
        before, begun = [processes.cpu_seconds([pid]) for pid in pids], time.monotonic()
        spans: list[float] = []
        while time.monotonic() < begun + seconds:
            path = PATHS[len(spans) % len(PATHS)].format(node="tank-0007-3")
            spans.append(asked(farm.url, path)[0])
            time.sleep(API_EVERY)
        passed = time.monotonic() - begun
        used = [processes.cpu_seconds([pid]) - was for pid, was in zip(pids, before, strict=True)]
        beside, web = (each / passed * 100 for each in used)
        rate = viewers[0].received / passed / 1000
        ages = [age for viewer in viewers for age in viewer.ages]
        time.sleep(2 * pace.every)
        span, size = asked(farm.url, "nodes")
        page = page_cost(farm.url, seconds)
        whole = max(viewer.largest for viewer in viewers) / 1000
        return (
            f"| {nodes:,} | {'asked each second' if busy else 'idle'} | {pace.every} s | {alone:.1f} % "
            f"| {beside:.1f} % | {web:.1f} % | {rate:.0f} | {whole:.0f} "
            f"| {quantile(ages, 0.5):.1f}, {quantile(ages, 0.99):.0f} "
            f"| {quantile(spans, 0.5):.0f}, {quantile(spans, 0.99):.0f} | {span:.2f} s, {size / 1e6:.1f} MB "
            f"| {page or '—'} | {processes.pss_mib([farm.supervisor]):.0f} "
            f"| {processes.pss_mib([farm.dashboard]):.0f} |"
        )


def run(seconds: float, sizes: tuple[int, ...] = SIZES) -> list[str]:
    """The table, as Markdown; each figure over so many seconds."""
    lines = ["", "### A supervisor and a dashboard of nodes that are only told of", "", HEADING, RULE]
    print("\n".join(lines), flush=True)
    for nodes in sizes:
        for busy in (False, True):
            lines.append(row(nodes, busy, seconds))
            print(lines[-1], flush=True)
    return lines
