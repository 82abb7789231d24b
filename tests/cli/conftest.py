"""The lone simulators as processes: started, and ended whatever happens."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.lone import ROOT, Start


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a command, in the folder `cwd` and with `environment` beside its own; what still runs in the end is
    killed."""
    running: list[subprocess.Popen[str]] = []

    def begin(*arguments: str, cwd: Path = ROOT, command: str = sys.executable, **environment: str) -> object:
        process = subprocess.Popen(
            [command, *arguments],
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        )
        running.append(process)
        return process

    yield begin  # type: ignore[misc]
    for process in running:
        process.kill()
        process.communicate()
