"""`python -m tests.soak [kills|sessions|opens|idle|slow …]`: all of them when none is named; exit 1 when a bound was
broken or anything was left behind. A line a round of kills, three lines a burden."""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.soak import kills, robustness

BURDENS = ("sessions", "opens", "idle", "slow")


def kill(rounds: int, seed: int) -> int:
    """How many rounds were not clean."""
    chance = random.Random(seed)
    dirty = 0
    with tempfile.TemporaryDirectory(prefix="plcs") as folder:
        farm = kills.Farm(Path(folder) / "run")
        spans = kills.spans(farm)
        print(f"seed {seed}; up takes {spans['up']:.2f} s, down {spans['down']:.2f} s", flush=True)
        for number in range(1, rounds + 1):
            outcome = kills.one(farm, chance, spans)
            print(f"{number:3} {outcome}", flush=True)
            dirty += not outcome.clean
    print(f"{rounds} kills, {dirty} not clean", flush=True)
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
        failed += kill(arguments.kills, arguments.seed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
