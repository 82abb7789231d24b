"""Plants of hundreds of nodes on each backend: seconds until all answer, and memory a node with what the kernel keeps
for it, beside the ways a person would do it by hand: an interpreter a node, and a cpppo server a node."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench import processes, servers
from tests.bench.generators import BenchError
from tests.soak.plants import runs_here

TANK_FARM = servers.ROOT / "topologies/tank-farm-500.yaml"
BASE = "127.64.240."


EACH_SITE = 10
SIZES: dict[str, tuple[int, ...]] = {"process": (100, 500, 1000), "netns": (100, 500, 1000), "docker": (50, 200)}
"""Backend to numbers of nodes."""

HEADING = "| way | nodes | s until all answer | ms/node | PSS MiB/node | kernel MiB/node | idle, % of a core | s down |"
RULE = "|---|--:|--:|--:|--:|--:|--:|--:|"

KERNEL = ("Slab", "KernelStack", "PageTables", "Percpu")
"""Of /proc/meminfo: what the kernel keeps and no process is charged for."""


@dataclass(frozen=True, slots=True)
class Row:
    """One way of standing up `count` nodes. `down` is 0 where nobody takes them down in one go."""

    name: str
    count: int
    seconds: float
    pss_mib: float
    kernel_mib: float
    idle_percent: float
    down: float = 0.0

    def line(self) -> str:
        """A row of the Markdown table."""
        down = f"{self.down:.2f}" if self.down else "—"
        return (
            f"| {self.name} | {self.count} | {self.seconds:.2f} | {self.seconds / self.count * 1000:.1f} "
            f"| {self.pss_mib / self.count:.2f} | {self.kernel_mib / self.count:.2f} | {self.idle_percent:.1f} "
            f"| {down} |"
        )


def kernel_mib() -> float:
    """What the kernel keeps now, in MiB; what it would give up at once is left out."""
    found = dict.fromkeys((*KERNEL, "SReclaimable"), 0)
    for line in Path("/proc/meminfo").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name in found:
            found[name] = int(rest.split()[0])
    return (sum(found[name] for name in KERNEL) - found["SReclaimable"]) / 1024


def plant_of(count: int) -> str:
    """The tank farm with `count` nodes: ten a site, as in the file of five hundred."""
    sites = count // EACH_SITE
    text = TANK_FARM.read_text().replace("site: 1..50", f"site: 1..{sites}")
    return text if sites >= 7 else text.partition("\nnodes:")[0] + "\n"


def idle_percent(pids: list[int], seconds: float = 5.0) -> float:
    """CPU of the processes while nobody asks, in per cent of one core."""
    before = processes.cpu_seconds(pids)
    time.sleep(seconds)
    return (processes.cpu_seconds(pids) - before) / seconds * 100


def farm_row(backend: str, count: int) -> list[Row]:
    """The whole of `farm up` as a user waits for it, the start of the interpreter included; nodes alone, and all."""
    with tempfile.TemporaryDirectory(prefix="plcb") as folder:
        file = Path(folder) / "plant.yaml"
        file.write_text(plant_of(count))
        before = kernel_mib()
        begun = time.monotonic()
        try:
            servers.farm(f"{folder}/run", "up", str(file), "--backend", backend)
            seconds = time.monotonic() - begun
            rows = json.loads(servers.farm(f"{folder}/run", "ps", "--json"))
            if len(rows) != count or any(row["state"] != "up" for row in rows):
                raise BenchError("not every node is up")
            nodes = sorted({row["pid"] for row in rows})
            kernel = kernel_mib() - before
            run_id = run_mark(nodes[0]) if backend != "docker" else ""
            everything = processes.marked(run_id) if run_id else [*nodes, *shims()]
            measured = [(nodes, processes.pss_mib(nodes)), (everything, processes.pss_mib(everything))]
            idle = [idle_percent(pids) for pids, _ in measured]
        finally:
            begun = time.monotonic()
            servers.farm(f"{folder}/run", "down")
            down = time.monotonic() - begun
    names = f"farm, {backend}: nodes", f"farm, {backend}: nodes and all that keeps them"
    return [
        Row(name, count, seconds, pss, kernel, percent, down)
        for name, (_, pss), percent in zip(names, measured, idle, strict=True)
    ]


def shims() -> list[int]:
    """What Docker runs beside each container."""
    return [
        int(folder.name)
        for folder in Path("/proc").glob("[0-9]*")
        if (folder / "comm").exists() and (folder / "comm").read_text().startswith("containerd-shim")
    ]


def run_mark(pid: int) -> str:
    """`FARM_RUN=…` of a node's exec environment."""
    match = re.search(rb"(?:^|(?<=\0))FARM_RUN=[^\0]+", Path(f"/proc/{pid}/environ").read_bytes())
    if match is None:
        raise BenchError(f"process {pid} does not carry FARM_RUN")
    return match.group().decode()


def many(name: str, count: int, command: Callable[[str], list[str]]) -> Row:
    """`count` servers, a process each, started as fast as the machine lets them."""
    started: list[subprocess.Popen[bytes]] = []
    before = kernel_mib()
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
        kernel = kernel_mib() - before
        return Row(name, count, seconds, processes.pss_mib(pids), kernel, idle_percent(pids))
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


def farm_rows(backend: str, count: int, runs: int) -> list[Row]:
    """A plant on a backend, several times: the run in the middle."""
    pairs = [farm_row(backend, count) for _ in range(runs)]
    return [median([pair[place] for pair in pairs]) for place in (0, 1)]


def ways(peers: int, runs: int, backends: Sequence[str]) -> list[Callable[[], list[Row]]]:
    """What is measured, in order; a backend that cannot be had here is left out, and said so."""
    found: list[Callable[[], list[Row]]] = []
    for backend in backends:
        reason = runs_here(backend)
        if reason:
            print(f"{backend}: left out: {reason}", file=sys.stderr)
            continue
        for count in SIZES[backend]:
            found.append(lambda backend=backend, count=count: farm_rows(backend, count, runs))  # type: ignore[misc]
    tags = ["SCADA=DINT", "ARR=DINT[1000]"]
    cpppo = str(servers.cpppo_python())
    ours = [sys.executable, "-c", "from node.cli.enip import main; main()"]
    by_hand = {"an interpreter a node": ours, "a cpppo server a node": [cpppo, "-m", "cpppo.server.enip"]}
    for name, program in by_hand.items():
        command = lambda host, program=program: [*program, "-a", f"{host}:44818", *tags]  # noqa: E731
        found.append(lambda name=name, command=command: [many(name, peers, command)])  # type: ignore[misc]
    return found


def run(peers: int, runs: int, backends: Sequence[str] = ("process", "netns")) -> list[str]:
    """The table, as Markdown; `peers` servers each of the other ways, each plant `runs` times."""
    lines = [
        "",
        "### Plants of hundreds of nodes",
        "",
        HEADING,
        RULE,
    ]
    print("\n".join(lines), flush=True)
    for way in ways(peers, runs, backends):
        for row in way():
            print(row.line(), flush=True)
            lines.append(row.line())
    return lines
