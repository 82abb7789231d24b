"""`farm`, as a person types it, with the runs of a test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def farm(run_root: Path, *arguments: str) -> str:
    """Standard output of a `farm` command, which must succeed."""
    done = subprocess.run(
        [sys.executable, "-m", "farm", *arguments],
        cwd=ROOT,
        env={**os.environ, "PLCFARM_RUN": str(run_root)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"farm {' '.join(arguments)}: exit {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout
