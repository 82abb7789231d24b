"""`python -m tests.bench [requests|scale]`: measure, print Markdown tables, and with `--write` put them into
docs/benchmarks.md between its markers."""

import argparse
import datetime
import os
import platform
import sys
from pathlib import Path

from tests.bench import requests, scale
from tests.bench.generators import BenchError
from tests.bench.servers import ROOT

PAGE = ROOT / "docs/benchmarks.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


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


def write(lines: list[str]) -> None:
    """Replace what stands between the page's markers."""
    text = PAGE.read_text()
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    PAGE.write_text(f"{head}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{tail}")


def main() -> int:
    """0 when everything was measured, 1 when something was missing or failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("what", nargs="*", choices=["requests", "scale", []], default=[])
    parser.add_argument("--runs", type=int, default=3, help="runs of each case; medians are shown (3)")
    parser.add_argument("--seconds", type=float, default=2.0, help="seconds a run (2)")
    parser.add_argument("--peers", type=int, default=50, help="servers started one by one, for comparison (50)")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    arguments = parser.parse_args()
    what = arguments.what or ["requests", "scale"]
    lines = ["", machine()]
    print(lines[1])
    try:
        if "requests" in what:
            lines += requests.run(arguments.runs, arguments.seconds)
        if "scale" in what:
            lines += scale.run(arguments.peers, arguments.runs)
    except BenchError as exc:
        print(f"bench: {exc}", file=sys.stderr)
        return 1
    if arguments.write:
        write(lines)
    return 0


sys.exit(main())
