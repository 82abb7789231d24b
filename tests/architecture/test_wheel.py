"""What is in the tree is in the wheel: an editable installation, which the tests run from, would hide a lost file."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

MADE = shutil.ignore_patterns("__pycache__", "*.egg-info")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_nothing_is_left_out_of_the_wheel(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "wheel"
    source.mkdir()
    for folder in ("farm", "node", "topologies"):
        shutil.copytree(ROOT / folder, source / folder, symlinks=True, ignore=MADE)
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, source)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(target), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    if done.returncode and "No matching distribution" in done.stderr:
        pytest.skip("no package index can be reached: setuptools is not to be had")
    assert done.returncode == 0, done.stderr
    (wheel,) = target.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    wanted = {str(path.relative_to(ROOT)) for folder in ("farm", "node") for path in (ROOT / folder).rglob("*.py")}
    wanted |= {"farm/py.typed", "node/py.typed"}
    wanted |= {f"farm/data/{path.name}" for path in (ROOT / "topologies").glob("*.yaml")}
    assert wanted - set(names) == set()
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"farm", "node"}
    assert any(name.endswith("/licenses/LICENSE") for name in names)
