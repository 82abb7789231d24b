"""Runs that are surely ended: whatever a test left is found by its mark and killed."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm.backends import pids
from tests.backends.contract import Run


@pytest.fixture
def run() -> Iterator[Run]:
    """A run in a short folder of its own; fails when `end_all` leaves a process."""
    folder = Path(tempfile.mkdtemp(prefix="pf-", dir="/tmp"))
    run = Run(folder)
    try:
        yield run
    finally:
        run.backend.end_all(grace=2.0)
        left = pids.marked(run.id)
        run.farm.close()
        shutil.rmtree(folder)
        assert left == []
