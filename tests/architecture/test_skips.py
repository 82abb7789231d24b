"""A test that skips on a continuous integration machine, though it could run there, fails the session. And which files
are read where some tests alone are asked for."""

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
    done = run(tmp_path, {"test_one.py": TESTS.format(reason=reason)}, "-n", workers, str(tmp_path), PLCFARM_CI=ci)
    assert done.returncode == code, done.stdout
    assert ("skipped though it could run here" in done.stdout) == bool(code)


def run(folder: Path, tests: dict[str, str], *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    """A session with `tests` and the hooks of this tree."""
    (folder / "tests").mkdir()
    for name in ("__init__.py", "conftest.py", "side_by_side.py", "wire_watch.py"):
        shutil.copy(ROOT / "tests" / name, folder / "tests")
    for name, text in tests.items():
        (folder / "tests" / name).write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\ntestpaths = tests\nmarkers = quiet\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "xdist", *arguments]
    environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **environ}  # some take seconds to load
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=60)


QUIET = "import pytest\n\n@pytest.mark.quiet\ndef test_alone():\n    pass\n\ndef test_beside():\n    pass\n"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["-m", "quiet"], 0, "1 passed, 1 deselected"),
        (["-m", "quiet", "tests"], 2, "1 error"),
        (["-m", "not quiet"], 2, "1 error"),
    ],
)
def test_files_without_a_quiet_test_are_left_alone_where_only_those_are_wanted(
    tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    tests = {"test_one.py": QUIET, "test_other.py": "raise OSError('it was imported')\n"}
    done = run(tmp_path, tests, *arguments)
    assert (done.returncode, said in done.stdout) == (code, True), done.stdout
