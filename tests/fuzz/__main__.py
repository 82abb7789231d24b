"""`python -m tests.fuzz [TARGET …] [--seconds 600]`: each target in a process of its own, one after the other.

The time is shared out among the targets. Inputs that were worth keeping stay in a corpus folder (`--corpus`, else a
temporary one), and an input that breaks a target is written beside it and named. `api` is another kind: requests to a
dashboard that serves a plant, made from the description of its API.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

from tests import ending
from tests.dashboard.served import a_served_plant
from tests.dashboard.test_any_request import requests
from tests.vectors import read_vectors

ROOT = Path(__file__).parents[2]
MAX_LENGTH = 600
NAMES = (
    *("framing", "encapsulation", "requests", "replies", "epath", "message", "modbus", "lines", "text", "dissect"),
    *("mbap", "rtu", "ascii", "rtu replies", "ascii replies", "answers", "client", "client frames"),
    *("logix", "paths", "connected", "routing", "pccc", "browse", "structures", "object files"),
    "api",
)
API_EXAMPLES_A_SECOND = 2
"""Requests for each operation: there are thirty of these, and each request takes some milliseconds."""
SEEDED = {"message", "logix", "connected", "pccc", "requests"}
"""Targets that take Message Router requests: they begin with those that clients were logged with."""


@contextmanager
def a_worker() -> Iterator["subprocess.Popen[str]"]:
    """What forks fuzzers off (tests.fuzz.worker), ended in the end with the one that it has."""
    command = [sys.executable, "-m", "tests.fuzz.worker"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as worker:
        try:
            yield worker
        finally:
            with suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGKILL)


def fuzz(worker: "subprocess.Popen[str]", name: str, seconds: int, corpus: Path) -> bool:
    """Run one target for a while; True when nothing broke it."""
    folder = corpus / name
    folder.mkdir(parents=True, exist_ok=True)
    if name in SEEDED:
        for client in ("pycomm3", "pylogix"):
            for vector in read_vectors(f"{client}_requests").values():
                (folder / f"{client}-{vector.name}").write_bytes(vector.data[:MAX_LENGTH])
    options = [
        str(folder),
        f"-max_total_time={max(1, seconds - 1)}",  # it ends when a second more than that has begun
        f"-artifact_prefix={corpus}/{name}-",
        f"-max_len={MAX_LENGTH}",
        "-rss_limit_mb=2048",
        "-timeout=10",
    ]
    with tempfile.NamedTemporaryFile("r", errors="replace") as said:
        assert worker.stdin is not None
        assert worker.stdout is not None
        print(json.dumps([name, said.name, *options]), file=worker.stdin, flush=True)
        code = worker.stdout.readline().strip() or "of the worker itself"
        text = said.read()
    runs = next((line for line in text.splitlines() if line.startswith("Done ")), "")
    kept = sum(1 for _ in folder.iterdir())
    if code == "0" and runs:
        print(f"{name:14} clean   {runs}; {kept} inputs kept", flush=True)
        return True
    print(f"{name:14} BROKEN  exit {code}\n{text[-6000:]}", flush=True)
    return False


def fuzz_api(seconds: int, corpus: Path) -> bool:
    """Have so many requests made as may take that long; True when none was answered with an error of ours."""
    with a_served_plant() as served:
        done = requests(served, max(1, seconds * API_EXAMPLES_A_SECOND), corpus, seed=random.randrange(1 << 32))
    clean = done.returncode == 0
    count = next((line.strip() for line in done.stdout.splitlines() if " generated" in line), "no count")
    print(f"{'api':14} {'clean ' if clean else 'BROKEN'}  {count if clean else done.stdout + done.stderr}", flush=True)
    return clean


def main() -> int:
    """0 when every target stayed whole."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {' '.join(NAMES)}; all when none is named")
    parser.add_argument("--seconds", type=int, default=600, help="for all targets together (600)")
    parser.add_argument("--corpus", type=Path, help="folder that keeps inputs between runs")
    arguments = parser.parse_args()
    wrong = [name for name in arguments.targets if name not in NAMES]
    if wrong:
        parser.error(f"no target {wrong[0]!r}: there are {' '.join(NAMES)}")
    if find_spec("atheris") is None:
        print("fuzz: atheris is not installed: it exists for Linux and Python 3.11 to 3.13", file=sys.stderr)
        return 1
    names = arguments.targets or NAMES
    with tempfile.TemporaryDirectory(prefix="plcfuzz") as folder, ExitStack() as stack:
        corpus = arguments.corpus or Path(folder)
        seconds = max(1, arguments.seconds // len(names))
        functions = [name for name in names if name != "api"]
        worker = stack.enter_context(a_worker()) if functions else None
        whole = [fuzz(worker, name, seconds, corpus) for name in functions if worker is not None]
        whole += [fuzz_api(seconds, corpus)] if "api" in names else []
    return 0 if all(whole) else 1


if __name__ == "__main__":
    sys.exit(ending.run(main))
