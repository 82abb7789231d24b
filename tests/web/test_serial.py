"""A simulator on a pseudo terminal that its web interface takes off the line and puts back, as clients see it."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.client.failure import NoAnswer
from node.client.modbus import Limits, ModbusClient
from tests.cli.lone import ROOT, ready
from tests.waiting import until
from tests.web.simulator import HOST, MODBUS, Simulator, end

pytest.importorskip("serial", reason="pyserial is not installed: make test puts it into .venv")
pytestmark = pytest.mark.net

FRAMES = 2000
"""Of eight bytes each: four times what the kernel keeps for somebody who does not read."""


@pytest.fixture
def line(tmp_path: Path) -> Iterator[tuple[Simulator, str, Path]]:
    """One that serves, the path that it printed, and the link to it."""
    link = tmp_path / "meter"
    process = subprocess.Popen(
        [sys.executable, *MODBUS, "--serial", f"pty={link}:115200", "--web", f"{HOST}:0", "40001=7"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        assert process.stdout is not None
        path = re.search(r"/dev/pts/\d+", ready(process))
        web = re.search(r":(\d+)/$", process.stdout.readline())
        assert path is not None and web is not None
        yield Simulator(process, 0, int(web[1])), path[0], link
    finally:
        end(process)


def test_a_slave_that_is_disabled_is_silent_and_comes_back_where_it_was(line: tuple[Simulator, str, Path]) -> None:
    simulator, path, link = line
    with ModbusClient.rtu(path, 115200, limits=Limits(total=10.0)) as client:
        hasty = client.view(limits=Limits(total=0.3))
        assert client.read(40001) == [7]
        simulator.say("/server/control/disable/true")
        until(lambda: not answers(hasty))
        assert str(link.readlink()) == path
        with open(path, "wb", buffering=0) as writer:  # noqa: PTH123 - who writes on is not held up
            for _ in range(FRAMES):
                writer.write(bytes.fromhex("01 03 0000 0001 840A"))
        simulator.say("/server/control/disable/false")
        until(lambda: answers(hasty))
        assert client.read(40001) == [7]
    simulator.process.terminate()
    assert simulator.process.wait(20) == 0
    assert not link.is_symlink()


def answers(client: ModbusClient) -> bool:
    try:
        return client.read(40001) == [7]
    except NoAnswer:
        return False
