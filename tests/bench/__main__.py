"""`python -m tests.bench [requests|clients|modbus|browse|history|startup|layers|automata|docker|netns|scale …]`:
measure, print Markdown tables, and with `--write` put each into docs/benchmarks.md between its markers. All when none
is named."""

import argparse
import datetime
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

from tests import ending
from tests.bench import automata, browse, clients, docker, history, layers, modbus, netns, requests, scale, start_up
from tests.bench.generators import BenchError
from tests.bench.servers import ROOT

PAGE = ROOT / "docs/benchmarks.md"

TABLES: dict[str, Callable[[argparse.Namespace], list[str]]] = {
    "requests": lambda arguments: requests.run(arguments.runs, arguments.seconds),
    "clients": lambda arguments: clients.run(arguments.runs, arguments.seconds),
    "modbus": lambda arguments: modbus.run(arguments.runs, arguments.seconds, arguments.core),
    "browse": lambda arguments: browse.run(max(3, arguments.runs)),
    "history": lambda arguments: history.run(arguments.runs),
    "startup": lambda arguments: start_up.run(max(5, arguments.runs)),
    "layers": lambda arguments: layers.run(arguments.seconds),
    "automata": lambda arguments: automata.run(arguments.runs, arguments.seconds),
    "docker": lambda arguments: docker.run(arguments.runs),
    "netns": lambda arguments: netns.run(arguments.runs),
    "scale": lambda arguments: scale.run(arguments.peers, arguments.runs, arguments.backend or ("process", "netns")),
}


def machine() -> str:
    """What the figures were taken on."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    today = datetime.date.today().isoformat()
    kernel = platform.release().partition("-")[0]
    return f"{today}; {os.cpu_count()} cores, {model}; Linux {kernel}; Python {platform.python_version()}."


def write(name: str, lines: list[str]) -> None:
    """Replace what stands between the page's markers of `name`. Raises `BenchError` when they are not there."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    head, opened, rest = PAGE.read_text().partition(begin)
    _, closed, tail = rest.partition(end)
    if not opened or not closed:
        raise BenchError(f"{PAGE.name} has no {begin} … {end}")
    PAGE.write_text(f"{head}{begin}\n" + "\n".join([*lines, ""]) + f"\n{end}{tail}")


def main() -> int:
    """0 when everything was measured, 1 when something was missing or failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("what", nargs="*", choices=[*TABLES, []], default=[], metavar="TABLE")
    parser.add_argument("--runs", type=int, default=3, help="runs of each case; medians are shown (3)")
    parser.add_argument("--seconds", type=float, default=2.0, help="seconds a run (2)")
    parser.add_argument("--core", type=int, default=0, help="for the generator of modbus; servers have core 0 (0)")
    parser.add_argument("--peers", type=int, default=50, help="servers started one by one, for comparison (50)")
    parser.add_argument("--backend", action="append", choices=["process", "netns"], help="for scale (both)")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    arguments = parser.parse_args()
    taken = machine()
    print(taken)
    try:
        for name in arguments.what or TABLES:
            lines = TABLES[name](arguments)
            if arguments.write:
                write(name, ["", taken, *lines])
    except BenchError as exc:
        print(f"bench: {exc}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(ending.run(main))
