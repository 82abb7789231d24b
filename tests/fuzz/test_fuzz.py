"""A minute of what `make fuzz` does for ten, and every target on bytes that once mattered."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.fuzz.__main__ import NAMES
from tests.fuzz.targets import TARGETS
from tests.malformed import (
    browse_cases,
    connected_cases,
    enip_cases,
    modbus_cases,
    opening_cases,
    packet_cases,
    path_cases,
    pccc_cases,
)

ROOT = Path(__file__).parents[2]
TABLES = (
    *(enip_cases, path_cases, browse_cases, packet_cases, opening_cases),
    *(connected_cases, pccc_cases, modbus_cases),
)


@pytest.mark.parametrize("name", TARGETS)
def test_every_target_takes_the_malformed_cases(name: str) -> None:
    target = TARGETS[name]
    for table in TABLES:
        for case in table.CASES:
            for start in (0, 6, 7, 24, 40):
                target(case.send[start:])


def test_the_command_knows_every_target() -> None:
    assert sorted(NAMES) == sorted([*TARGETS, "api"])


@pytest.mark.slow
@pytest.mark.timeout(300)  # what a busy machine makes of a minute and the imports before it
def test_a_minute_of_fuzzing_breaks_nothing() -> None:
    if find_spec("atheris") is None:
        pytest.skip("atheris exists for Linux and Python 3.11 to 3.13 only")
    command = [sys.executable, "-m", "tests.fuzz", *TARGETS, "--seconds", "60"]  # the API has a test of its own
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=290, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("clean") == len(TARGETS)
