"""What is in the tree is in the wheel: an editable installation, which the tests run from, would hide a lost file."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT
from tests.bench.start_up import measure
from tests.side_by_side import on_the_machine

MADE = shutil.ignore_patterns("__pycache__", "*.egg-info")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    source, target = folder / "source", folder / "wheel"
    source.mkdir()
    for folder in ("farm", "images", "node", "topologies"):
        shutil.copytree(ROOT / folder, source / folder, symlinks=True, ignore=MADE)
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, source)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(target), str(source)]
    done = on_the_machine(lambda: subprocess.run(command, capture_output=True, text=True, timeout=240))
    if done.returncode and "No matching distribution" in done.stderr:
        pytest.skip("no package index can be reached: setuptools is not to be had")
    assert done.returncode == 0, done.stderr
    (found,) = target.glob("*.whl")
    return found


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_nothing_is_left_out_of_the_wheel(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    wanted = {str(path.relative_to(ROOT)) for folder in ("farm", "node") for path in (ROOT / folder).rglob("*.py")}
    wanted |= {"farm/py.typed", "node/py.typed"}
    wanted |= {f"farm/data/{path.name}" for path in (ROOT / "topologies").glob("*.*")}
    wanted |= {f"node/profiles/{path.name}" for path in (ROOT / "node" / "profiles").iterdir()}
    wanted |= {
        str(path.relative_to(ROOT))
        for name in ("static", "templates")
        for path in (ROOT / f"node/web/{name}").iterdir()
    }
    wanted |= {f"farm/images/{path.relative_to(ROOT / 'images')}" for path in (ROOT / "images").glob("*/*")}
    assert wanted - set(names) == set()
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"farm", "node"}
    assert any(name.endswith("/licenses/LICENSE") for name in names)


@pytest.mark.net
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_bare_installation_serves_and_says_what_a_farm_needs(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True, timeout=120)
    python = environment / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-index", str(wheel)]
    done = subprocess.run(install, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    started = measure([str(environment / "bin" / "enip_server")], "127.64.8.41", 44818)
    assert started.rss < 26
    for command in (["modbus_sim", "--version"], ["python", "-m", "node", "--version"]):
        run = [str(environment / "bin" / command[0]), *command[1:]]
        assert subprocess.check_output(run, text=True, timeout=60, cwd=tmp_path).startswith("plcfarm ")
    farm = subprocess.run([str(environment / "bin" / "farm"), "ps"], capture_output=True, text=True, timeout=60)
    assert (farm.returncode, farm.stdout) == (1, "")
    assert farm.stderr == 'farm: typer is missing, its command line stands on it: pip install "plcfarm[farm]"\n'
