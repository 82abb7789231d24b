"""The README's commands are run, in order, in a fresh copy of what is committed: what it promises must work.

A block that cannot be run there stands under `<!-- not run: reason -->`.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT
from tests.side_by_side import on_the_machine

BLOCK = re.compile(r"^(<!-- not run: (?P<why>\S.*) -->\n)?```(?P<kind>sh|python)\n(?P<text>.*?)^```$", re.M | re.S)
PLANT = re.compile(r"^```yaml\n(.*?)^```$", re.M | re.S)
TEXT = (ROOT / "README.md").read_text()


def blocks() -> list[tuple[str, str]]:
    """(sh or python, text) of every block that is run."""
    return [(match["kind"], match["text"]) for match in BLOCK.finditer(TEXT) if not match["why"]]


def copy_tree(target: Path) -> None:
    """What a clone of this tree would hold, with changes that are not committed yet."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        source = ROOT / name
        if source.is_symlink() or source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name, follow_symlinks=False)


def require_package_index(folder: Path) -> None:
    """Skips where nothing can be installed."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), "pylogix"]
    done = on_the_machine(lambda: subprocess.run(command, capture_output=True, text=True, timeout=120))
    if done.returncode:
        pytest.skip(f"no package index can be reached: {done.stderr.strip().splitlines()[-1]}")


def test_there_is_something_to_run() -> None:
    assert len(blocks()) >= 5
    assert all(why.strip() for why in re.findall(r"<!-- not run:(.*)-->", TEXT))


def test_make_test_is_named() -> None:
    assert "`make test`" in TEXT
    assert "`make check`" in TEXT


@pytest.mark.net
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_commands_work(run_root: Path, tmp_path: Path) -> None:
    require_package_index(tmp_path / "index")
    copy_tree(tmp_path)
    environ = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV", "MAKEFLAGS")}
    environ["PLCFARM_RUN"] = str(run_root)

    def run(*command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=300)

    for kind, text in blocks():
        command = ["bash", "-euo", "pipefail", "-c", text] if kind == "sh" else [".venv/bin/python", "-c", text]
        done = on_the_machine(lambda command=command: run(*command))
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        if kind == "python":
            assert done.stdout.startswith("Success ")
        elif text.startswith("make up\nmake down"):
            assert len(re.findall(r"\bup$", done.stdout, re.M)) == 12, done.stdout
    assert not any(run_root.iterdir())


def test_the_plant_in_it_is_valid(farm: object, tmp_path: Path) -> None:
    (plant,) = PLANT.findall(TEXT)
    (tmp_path / "plant.yaml").write_text(plant)
    outcome = farm("validate", cwd=tmp_path)  # type: ignore[operator]
    assert outcome.rc == 0, outcome.err
    assert "3 nodes" in outcome.out
