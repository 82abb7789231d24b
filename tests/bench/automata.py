"""Machines: symbols a second of ours, run to the end and watched, and of cpppo's, in turn on the same texts."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from node.automata import dfa, dotdict, peekable
from tests.automata.machines import ab, csv, listed
from tests.bench import servers
from tests.bench.generators import BenchError

HERE = Path(__file__).parent
LENGTHS = (12, 120, 1200, 12_000)
LIMIT = 300

TEXTS: dict[str, tuple[Callable[[], dfa], Callable[[int], str]]] = {
    "`ab+`": (lambda: ab(context="basic"), lambda length: "a" + "b" * (length - 1)),
    "the CSV machine": (csv, lambda length: ("abbb, " * (length // 6))[:-2]),
    "`(ab+)((,[ ]*)(ab+))*`": (lambda: listed(context="regex"), lambda length: ("abbb, " * (length // 6))[:-2]),
}
"""Each as the manual of 2016 has it."""


def finish(machine: dfa, text: str) -> int:
    """Runs to the end; symbols taken."""
    source = peekable(text)
    with machine:
        machine.consume(source=source, data=dotdict())
    return source.sent


def watch(machine: dfa, text: str) -> int:
    """Yields each step; symbols taken."""
    source = peekable(text)
    with machine:
        for _machine, _state in machine.run(source=source, data=dotdict()):
            pass
    return source.sent


def rate(run: Callable[[dfa, str], int], machine: dfa, text: str, seconds: float) -> float:
    """Symbols a second of processor time, so that whatever else the machine does counts for nobody."""
    if run(machine, text) != len(text):
        raise BenchError(f"{machine.name} took a part of its text only")
    count, begun = 0, time.process_time()
    while (took := time.process_time() - begun) < seconds:
        run(machine, text)
        count += 1
    return count * len(text) / took


def theirs(seconds: float) -> dict[str, float]:
    """cpppo's, in an interpreter of its own: name and length to symbols a second."""
    command = [str(servers.cpppo_python("greenery")), str(HERE / "automata_cpppo.py"), str(seconds)]
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}  # it has another greenery
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False, env=environ)
    if done.returncode:
        raise BenchError(f"cpppo: exit {done.returncode}: {done.stderr.strip().splitlines()[-1:]}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def run(runs: int, seconds: float) -> list[str]:
    """The table; every figure the median of `runs`, ours and theirs by turns."""
    seconds /= 10
    figures: dict[tuple[str, int], list[tuple[float, float, float]]] = {}
    machines = {name: make() for name, (make, _) in TEXTS.items()}
    for _ in range(runs):
        others = theirs(seconds)
        for (name, (_, text)), other in zip(TEXTS.items(), ("basic", "csv", "regex"), strict=True):
            for length in LENGTHS:
                machine, symbols = machines[name], text(length)
                one = rate(finish, machine, symbols, seconds), rate(watch, machine, symbols, seconds)
                figures.setdefault((name, length), []).append((*one, others[f"{other} {length}"]))
    lines = [
        "",
        "### State machines: symbols a second of processor time, input kept in the data",
        "",
        "| machine | symbols | to the end | watched | cpppo, watched | to the end is | watched is |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for (name, length), found in figures.items():
        end, seen, other = (statistics.median(column) for column in zip(*found, strict=True))
        times = f"{end / other:.0f} x | {seen / other:.0f} x"
        lines.append(
            f"| {name} | {length:,} | {end / 1e6:.1f} M | {seen / 1e6:.2f} M | {other / 1e3:.0f} k | {times} |"
        )
    print("\n".join(lines), flush=True)
    return lines
