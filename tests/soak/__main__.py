"""`python -m tests.soak [--kills 50] [--seed N]`: a line a round; exit 1 when anything was left behind."""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.soak import kills


def main() -> int:
    """0 when every round was clean."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="rounds, a kill each (50)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the moments and victims")
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    dirty = 0
    with tempfile.TemporaryDirectory(prefix="plcs") as folder:
        farm = kills.Farm(Path(folder) / "run")
        spans = kills.spans(farm)
        print(f"seed {arguments.seed}; up takes {spans['up']:.2f} s, down {spans['down']:.2f} s", flush=True)
        for number in range(1, arguments.kills + 1):
            outcome = kills.one(farm, chance, spans)
            print(f"{number:3} {outcome}", flush=True)
            dirty += not outcome.clean
    print(f"{arguments.kills} kills, {dirty} not clean")
    return 1 if dirty else 0


sys.exit(main())
