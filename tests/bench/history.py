"""What instants and histories cost: read and shown, written and loaded, by ours and by cpppo, in turn."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench import generators, servers
from tests.bench.generators import BenchError

HERE = Path(__file__).parent

RECORDS = 20_000
LIMIT = 300
"""Seconds for one run of one of them."""


def rates(command: list[str]) -> dict[str, float]:
    """What a program does in a second, by case, in a folder of its own. Raises `BenchError` when it fails."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            generators.pinned([*command, str(RECORDS), folder], 0),
            capture_output=True,
            text=True,
            cwd=servers.ROOT,
            env={**os.environ, "TZ": "UTC"},
            timeout=LIMIT,
            check=False,
        )
    if done.returncode:
        raise BenchError(f"{command[-1]}: exit {done.returncode}: {done.stderr.strip().splitlines()[-1:]}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def run(runs: int) -> list[str]:
    """The table, which is printed too."""
    commands = {
        "plcfarm": [sys.executable, "-m", "tests.bench.history_plcfarm"],
        "cpppo": [str(servers.cpppo_python("cpppo.history")), str(HERE / "history_cpppo.py")],
    }
    figures: dict[str, list[dict[str, float]]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            figures[name].append(rates(command))
    lines = [
        "",
        f"### Instants and histories of {RECORDS:,} records, a second",
        "",
        "| case | plcfarm | cpppo | times cpppo |",
        "|---|--:|--:|--:|",
    ]
    for case in figures["plcfarm"][0]:
        ours, theirs = (statistics.median(found[case] for found in figures[name]) for name in commands)
        lines.append(f"| {case} | {ours:,.0f} | {theirs:,.0f} | {ours / theirs:.1f} |")
    print("\n".join(lines))
    return lines
