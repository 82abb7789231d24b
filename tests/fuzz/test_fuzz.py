"""A minute of what `make fuzz` does for ten, and every target on bytes that once mattered."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS
from tests.malformed import enip_cases, modbus_cases

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", TARGETS)
def test_every_target_takes_the_malformed_cases(name: str) -> None:
    sent = [case.send for case in (*enip_cases.CASES, *enip_cases.UNREGISTERED, *modbus_cases.CASES)]
    assert [TARGETS[name](data[start:]) for data in sent for start in (0, 6, 7, 24, 40)] == [None] * len(sent) * 5


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_minute_of_fuzzing_breaks_nothing() -> None:
    if find_spec("atheris") is None:
        pytest.skip("atheris exists for Linux and Python 3.11 to 3.13 only")
    command = [sys.executable, "-m", "tests.fuzz", "--seconds", "60"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("clean") == len(TARGETS)
