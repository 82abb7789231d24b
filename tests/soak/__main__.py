"""`python -m tests.soak [kills|sessions|opens|idle|slow …]`: all of them when none is named; exit 1 when a bound was
broken or anything was left behind. A line a round of kills, three lines a burden."""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.soak import kills, plants, robustness

BURDENS = ("sessions", "opens", "idle", "slow")


def kill(backend: str, rounds: int, seed: int) -> int:
    """How many rounds were not clean."""
    chance = random.Random(seed)
    dirty = 0
    with tempfile.TemporaryDirectory(prefix="plcs") as folder, plants.decoys():
        farm = kills.Farm(Path(folder) / "run", plants.PLANTS[backend], backend)
        spans = kills.spans(farm)
        print(
            f"{backend}, seed {seed}; " + ", ".join(f"{verb} {span:.2f} s" for verb, span in spans.items()), flush=True
        )
        for number in range(1, rounds + 1):
            outcome = kills.one(farm, chance, spans)
            print(f"{number:3} {outcome}", flush=True)
            dirty += not outcome.clean
    print(f"{backend}: {rounds} kills, {dirty} not clean", flush=True)
    return dirty


def kill_all(backends: list[str], rounds: int, seed: int) -> int:
    """The same on every backend that can be had here."""
    dirty = 0
    for backend in backends:
        reason = plants.runs_here(backend)
        if reason:
            print(f"{backend}: not tried: {reason}", flush=True)
        else:
            dirty += kill(backend, rounds, seed)
    return dirty


def burden(what: list[str], arguments: argparse.Namespace) -> int:
    """How many burdens broke a bound."""
    broken = 0
    with robustness.plant() as bench:
        quiet = bench.quiet
        print(f"seed {arguments.seed}; quiet: {quiet.reads} reads, p50 {quiet.p50:.0f} µs, p99 {quiet.p99:.0f} µs")
        for name in what:
            if name == "sessions":
                outcome = robustness.sessions(bench, arguments.sessions, arguments.seed)
            elif name == "opens":
                outcome = robustness.opens(bench, arguments.opens, arguments.seed)
            elif name == "idle":
                outcome = robustness.idle(bench, arguments.idle, arguments.seconds)
            else:
                outcome = robustness.slow(bench, arguments.clients, arguments.seconds)
            print(outcome, flush=True)
            broken += bool(outcome.broken)
    return broken


def main() -> int:
    """0 when every round was clean and every bound was kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("what", nargs="*", choices=["kills", *BURDENS, []], default=[], metavar="WHAT")
    parser.add_argument("--kills", type=int, default=50, help="rounds, a kill each (50)")
    parser.add_argument("--backend", action="append", choices=list(plants.PLANTS), help="to kill on (all)")
    parser.add_argument("--sessions", type=int, default=100_000, help="mutated sessions (100000)")
    parser.add_argument("--opens", type=int, default=10_000, help="Forward Opens that are abandoned (10000)")
    parser.add_argument("--idle", type=int, default=1000, help="idle connections (1000)")
    parser.add_argument("--clients", type=int, default=30, help="clients of a byte a second (30)")
    parser.add_argument("--seconds", type=float, default=30, help="that idle and slow clients stay (30)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of moments, victims and sessions")
    arguments = parser.parse_args()
    what = arguments.what or ["kills", *BURDENS]
    failed = burden([name for name in what if name != "kills"], arguments) if what != ["kills"] else 0
    if "kills" in what:
        failed += kill_all(arguments.backend or list(plants.PLANTS), arguments.kills, arguments.seed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
