"""A test that skips on a continuous integration machine, though it could run there, fails the session. And which files
are read where some tests alone are asked for, and in which order."""

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
    ("reason", "ci", "code"),
    [("no tshark", "1", 1), ("no tshark", "", 0), ("it is for 64-bit Intel Linux here", "1", 0)],
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
        (folder / "tests" / name).parent.mkdir(exist_ok=True)
        (folder / "tests" / name).write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\ntestpaths = tests\nmarkers =\n    quiet\n    slow\n")
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


@pytest.mark.parametrize(("checked", "code", "said"), [("1", 0, "1 passed"), ("", 2, "1 error")])
def test_what_make_check_has_run_is_not_run_again_but_for_slow_files(
    tmp_path: Path, checked: str, code: int, said: str
) -> None:
    tests = {
        "docs/__init__.py": "",
        "docs/test_one.py": QUIET.replace("quiet", "slow").replace("def test_beside", "def no"),
    }
    tests |= {"docs/test_other.py": "raise OSError('it was imported')\n"}
    done = run(tmp_path, tests, "-m", "not quiet", PLCFARM_CHECKED=checked)
    assert (done.returncode, said in done.stdout) == (code, True), done.stdout


IMPORTED = """
import gc, os
from pathlib import Path

with (Path(__file__).parent / os.environ["PYTEST_XDIST_WORKER"]).open("a") as file:
    print(__name__, gc.isenabled(), file=file)

def test_it():
    assert gc.isenabled()
"""


def test_two_workers_import_what_they_share_from_both_ends_and_a_file_that_is_broken_is_told(tmp_path: Path) -> None:
    names = [f"test_{letter}" for letter in "abcd"]
    tests = {f"{name}.py": IMPORTED for name in names} | {"test_e.py": "raise OSError('it is broken')\n"}
    done = run(tmp_path, tests, "-n", "2", "--continue-on-collection-errors", PLCFARM_CI="1")
    assert (done.returncode, "4 passed, 2 errors" in done.stdout) == (1, True), done.stdout
    orders = [(tmp_path / "tests" / worker).read_text().splitlines() for worker in ("gw0", "gw1")]
    assert orders[0] == [f"tests.{name} False" for name in names], "and nothing is collected meanwhile"
    assert orders[1] == orders[0][::-1]
