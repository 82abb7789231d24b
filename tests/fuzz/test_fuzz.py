"""A minute of what `make fuzz` does for ten, and every target on bytes that once mattered."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from node.modbus.ascii import encode_ascii
from node.modbus.rtu import encode_rtu
from tests.fuzz.__main__ import NAMES
from tests.fuzz.modbus_targets import MODBUS_TARGETS
from tests.fuzz.targets import TARGETS
from tests.malformed import (
    browse_cases,
    connected_cases,
    enip_cases,
    function_cases,
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
    for table in TABLES if name not in MODBUS_TARGETS else (modbus_cases,):
        for case in table.CASES:
            for start in (0, 6, 7, 24, 40):
                target(case.send[start:])
    for wrong in function_cases.CASES if name in ("modbus", *MODBUS_TARGETS) else ():
        for data in (wrong.request, wrong.reply, encode_rtu(1, wrong.request), encode_ascii(1, wrong.request)):
            target(data)


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
