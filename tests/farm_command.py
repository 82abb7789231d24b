"""`farm`, as a person types it, with the runs of a test."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from farm.cli import app

ROOT = Path(__file__).resolve().parent.parent
OWN_PROCESS = ("up", "run", "down", "exec", "enter", "pcap", "dashboard")
"""Verbs that start or end processes, become another program, or wait for signals."""

Said = tuple[int, str, str]
"""Exit code, standard output, standard error."""


def here(*arguments: str) -> Said:
    """What `farm ARGUMENTS…` says in this process: what only talks to a supervisor or a node comes to the same, and no
    interpreter has to start for it."""
    streams = [TextIOWrapper(BytesIO(), "utf-8", write_through=True) for _ in range(2)]
    with redirect_stdout(streams[0]), redirect_stderr(streams[1]):
        code = app.run([*arguments])
    said, wrong = (stream.detach().getvalue().decode() for stream in streams)
    return code, said, wrong


def farm(run_root: Path, *arguments: str) -> str:
    """Standard output of a `farm` command, which must succeed."""
    run = _apart if arguments[0] in OWN_PROCESS else _here
    code, said, wrong = run(run_root, *arguments)
    assert code == 0, f"farm {' '.join(arguments)}: exit {code}: {said}{wrong}"
    return said


def _here(run_root: Path, *arguments: str) -> Said:
    """In a thread, for an event loop runs in that of a test with a browser."""
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(1) as thread:
        patch.setenv("PLCFARM_RUN", str(run_root))
        return thread.submit(here, *arguments).result()


def _apart(run_root: Path, *arguments: str) -> Said:
    done = subprocess.run(
        [sys.executable, "-m", "farm", *arguments],
        cwd=ROOT,
        env={**os.environ, "PLCFARM_RUN": str(run_root)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr
