"""What `farm.topology` offers, and what it does without PyYAML."""

import subprocess
import sys
from pathlib import Path

import pytest

from farm.errors import TopologyError
from farm.topology import find_plant

ROOT = Path(__file__).resolve().parents[3]


def test_the_file_that_is_meant(tmp_path: Path) -> None:
    with pytest.raises(TopologyError, match=r"no plant\.yaml and no \*\.farm\.yaml"):
        find_plant(tmp_path)
    (tmp_path / "north.farm.yaml").touch()
    assert find_plant(tmp_path).name == "north.farm.yaml"
    (tmp_path / "south.farm.yaml").touch()
    with pytest.raises(TopologyError, match=r"several plant files \(north\.farm\.yaml, south\.farm\.yaml\)"):
        find_plant(tmp_path)
    (tmp_path / "plant.yaml").touch()
    assert find_plant(tmp_path).name == "plant.yaml"


def python(program: str) -> str:
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def test_a_plant_in_hand_needs_neither_the_loader_nor_yaml() -> None:
    program = "import sys, farm.topology.plant; print([m for m in sys.modules if m == 'yaml' or m.endswith('load')])"
    assert python(program) == "[]"


def test_a_missing_yaml_is_one_line_that_names_the_extra() -> None:
    program = (
        "import sys; sys.modules['yaml'] = None\n"
        "import farm.topology\n"
        "try: farm.topology.load_plant\n"
        "except Exception as exc: print(type(exc).__name__, exc)"
    )
    assert python(program) == 'TopologyError farm needs PyYAML to read plant files: pip install "plcfarm[farm]"'


def test_unknown_names_are_unknown() -> None:
    import farm.topology

    with pytest.raises(AttributeError):
        _ = farm.topology.nonsense
