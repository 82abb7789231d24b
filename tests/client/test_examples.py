"""Each program of `node.examples` is run as its first line says, against what it is for, and shows what it should."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from node.client import PowerFlex750
from tests.cli.lone import ready
from tests.client.nodes import ROOT, Served
from tests.client.restarted import Restarted

pytestmark = pytest.mark.net

VALUE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}: +(?P<name>[A-Z][\w ]+) == (?P<value>.*)")


@pytest.fixture(scope="module")
def drive() -> Iterator[Restarted]:
    """`node.examples.powerflex`."""
    with Restarted("node.examples.powerflex") as device:
        yield device


def run(name: str, where: Restarted | Served) -> subprocess.CompletedProcess[str]:
    """One that ends by itself."""
    command = [sys.executable, "-m", f"node.examples.{name}", f"{where.host}:{where.port}"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)


def lines_of(name: str, where: Restarted, count: int) -> tuple[list[str], int]:
    """The first lines of one that runs until Ctrl-C, which then comes; and its exit code."""
    command = [sys.executable, "-m", f"node.examples.{name}", f"{where.host}:{where.port}"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline().rstrip("\n") for _ in range(count)]
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert errors == ""
    return lines, process.returncode


def values_of(lines: list[str]) -> dict[str, str]:
    """What each line says of a parameter."""
    matches = [VALUE.fullmatch(line) for line in lines]
    assert None not in matches, lines
    return {match["name"]: match["value"] for match in matches if match is not None}


def test_powerflex_says_when_it_can_be_asked() -> None:
    """At once, whoever reads its output: its port accepts by then."""
    command = [sys.executable, "-m", "node.examples.powerflex", "-a", "127.64.33.16:0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            line = ready(process)
            match = re.fullmatch(r"PowerFlex 755 on 127\.64\.33\.16:(\d+); PID (\d+); Ctrl-C ends it\n", line)
            assert match is not None, line
            assert int(match[2]) == process.pid
            with PowerFlex750("127.64.33.16", int(match[1]), timeout=5.0) as via:
                assert list(via.read("Motor Velocity")) == [[pytest.approx(789.01)]]
            via.close()
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0


def test_poll_example(drive: Restarted) -> None:
    lines, code = lines_of("poll_example", drive, 4)
    assert values_of(lines) == {"Motor Velocity": "[789.010009765625]", "Output Current": "[123.44999694824219]"}
    assert code == 0


def test_poll_example_says_why_it_has_no_values() -> None:
    with Restarted("node.examples.powerflex") as device:
        pass
    (line,), code = lines_of("poll_example", device, 1)
    assert re.fullmatch(rf"[\d-]+ [\d:.]+: {device.host}:{device.port}: connection refused", line)
    assert code == 0


def test_poll_example_many(drive: Restarted) -> None:
    lines, code = lines_of("poll_example_many", drive, 8)
    assert values_of(lines) == {
        "Output Frequency": "[456.7799987792969]",
        "Motor Velocity": "[789.010009765625]",
        "Output Current": "[123.44999694824219]",
        "Elapsed kWh": "[987.6500244140625]",
        "Speed Units": "[1]",
    }
    assert code == 0


def test_io(controller: Served) -> None:
    done = run("io", controller)
    lines = [line.strip() for line in done.stdout.splitlines()]
    assert done.stderr == ""
    assert lines[0] == "Tag[0-9]+16 <= [4, 5, 6, 7, 8, 9]: 'OK'"
    assert lines[1].startswith("@0x0002/1/1 == None: '")
    assert re.fullmatch(r"Tag\[3-5\] == \[-?\d+, 4, 5\]: 'OK'", lines[2])
    assert lines[3] == "1 of 3 operations failed"
    assert done.returncode == 1


def test_list_identity_simple(drive: Restarted) -> None:
    done = run("list_identity_simple", drive)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r'product_name": "PowerFlex 755 *"', done.stdout)
    assert done.stdout.count('"enip.command": 99') == 1
