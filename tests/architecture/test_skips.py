"""A test that skips on a continuous integration machine, though it could run there, fails the session."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

TESTS = """
import pytest

def test_that_runs():
    assert True

def test_that_skips():
    pytest.skip("{reason}")
"""


@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.parametrize(
    ("reason", "ci", "code"), [("no tshark", "1", 1), ("no tshark", "", 0), ("only one Python here", "1", 0)]
)
def test_a_skip_is_a_failure_where_the_test_could_run(
    tmp_path: Path, reason: str, ci: str, code: int, workers: str
) -> None:
    (tmp_path / "tests").mkdir()
    for name in ("__init__.py", "conftest.py", "side_by_side.py", "wire_watch.py"):
        shutil.copy(ROOT / "tests" / name, tmp_path / "tests")
    (tmp_path / "tests" / "test_one.py").write_text(TESTS.format(reason=reason))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "xdist"]
    environ = {**os.environ, "PLCFARM_CI": ci, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # some take seconds to load
    command += ["-n", workers, str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stdout
    assert ("skipped though it could run here" in done.stdout) == bool(code)
