"""What polling costs: a thousand scattered registers by our poller and by cpppo's, from the same node; and a node whose
thousand registers are all signals, read ten times a second."""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

from node.client.modbus import ModbusClient
from node.client.modbus_poller import ModbusPoller
from tests.bench import generators, processes, servers
from tests.bench.generators import BenchError
from tests.bench.servers import Server

HERE = Path(__file__).parent

POLLED, AMONG = 1000, 10_000
DEPTH = 32
RATE = 0.1
"""Seconds between two reads of the signals."""
LIMIT = 60
"""Seconds that a poller may take beyond those it is measured for."""


def scattered() -> list[int]:
    """The same wire addresses each time, in order, with holes of every size between them."""
    return sorted(random.Random(7).sample(range(AMONG), POLLED))


def polls_a_second(command: list[str], server: Server, seconds: float, core: int) -> float:
    """How often a poller reads all of them in a second. Raises `BenchError` when it reads wrong."""
    asked = [*command, server.host, str(server.port), str(seconds), *map(str, scattered())]
    done = subprocess.run(
        generators.pinned(asked, core),
        capture_output=True,
        text=True,
        cwd=servers.ROOT,
        timeout=seconds + LIMIT,
        check=False,
    )
    if done.returncode:
        raise BenchError(f"{command[-1]}: exit {done.returncode}: {done.stderr.strip().splitlines()[-1:]}")
    found = json.loads(done.stdout)
    if found["wrong"]:
        raise BenchError(f"{command[-1]}: {found['wrong']} of {POLLED} values are wrong")
    return float(found["polls"] / found["seconds"])


def pollers(server: Server, runs: int, seconds: float, core: int) -> list[str]:
    """The table of both, in turn."""
    processes.pin(processes.tree(server.pids[0]))
    commands = {
        "plcfarm's `ModbusPoller`": [sys.executable, "-m", "tests.bench.poll_plcfarm", "1"],
        f"the same, {DEPTH} reads under way": [sys.executable, "-m", "tests.bench.poll_plcfarm", str(DEPTH)],
        "cpppo's `poller_modbus`": [str(servers.cpppo_python("pymodbus")), str(HERE / "poll_cpppo.py")],
    }
    figures: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            figures[name].append(polls_a_second(command, server, seconds, core))
    ours, deep, theirs = (statistics.median(found) for found in figures.values())
    return [
        "",
        f"### Polling {POLLED:,} registers scattered over {AMONG:,}, as fast as it goes, from one farm node",
        "",
        "| poller | all of them, times a second |",
        "|---|--:|",
        *(f"| {name} | {statistics.median(found):.1f} |" for name, found in figures.items()),
        "",
        f"Ours reads them {ours / theirs:.0f} times as often, and {deep / theirs:.0f} times with {DEPTH} under way.",
    ]


def signals(seconds: float) -> list[str]:
    """The table of a node under signals: at rest, and read by a poller."""
    ways = {
        f"{POLLED:,} tags, each with a sine of its own": servers.TAGS_UNDER_SIGNALS,
        f"one array of {POLLED:,}, each element ahead of the one before": servers.ARRAY_UNDER_SIGNALS,
    }
    lines = [
        "",
        f"### A node with {POLLED:,} registers under signals, all of them read {1 / RATE:.0f} times a second",
        "",
        "| the registers are | reads of all a second | CPU at rest, % of a core | CPU while read, % |",
        "|---|--:|--:|--:|",
    ]
    for what, plant in ways.items():
        with servers.one_node(plant) as row:
            pids = processes.tree(row["pid"])
            rest = _busy(pids, seconds)
            with ModbusPoller(ModbusClient.tcp(row["address"], row["ports"]["modbus"]), RATE) as poller:
                poller.poll(range(40001, 40001 + POLLED))
                while not poller.polls:
                    time.sleep(0.01)
                first, begun = poller.polls, time.perf_counter()
                read = _busy(pids, seconds)
                rate = (poller.polls - first) / (time.perf_counter() - begun)
                if poller.problem or any(poller.read(40001 + at) is None for at in range(POLLED)):
                    raise BenchError(f"the node under signals was not read: {poller.problem}")
        lines.append(f"| {what} | {rate:.1f} | {100 * rest:.1f} | {100 * read:.1f} |")
    return lines


def _busy(pids: list[int], seconds: float) -> float:
    """The part of a core that processes use for so long."""
    before, begun = processes.cpu_seconds(pids), time.perf_counter()
    time.sleep(seconds)
    return (processes.cpu_seconds(pids) - before) / (time.perf_counter() - begun)
