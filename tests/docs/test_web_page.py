"""The commands of docs/web.md are run as they stand, in their order, and print what the page says."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.architecture.sources import ROOT
from tests.cli.lone import ENIP_SERVER, ready

PAGE = (ROOT / "docs" / "web.md").read_text()
BLOCKS = re.findall(r"^```console\n(.*?)^```$", PAGE, re.M | re.S)
(START,) = re.findall(r"^```sh\nenip_server (.*?)\n```$", PAGE, re.M | re.S)
NOW = re.compile(r'"until": \d+\.\d+')


@pytest.fixture(scope="module")
def simulator() -> Iterator["subprocess.Popen[str]"]:
    """The one that the page starts."""
    process = subprocess.Popen(
        [sys.executable, *ENIP_SERVER, *shlex.split(START)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        ready(process)
        yield process
    finally:
        process.kill()
        process.communicate()


def steps() -> Iterator[tuple[str, str]]:
    """Each command of the page with what it is to print."""
    for block in BLOCKS:
        for step in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, shown = step.partition("\n")
            yield command, shown


@pytest.mark.net
def test_the_commands_print_what_the_page_says(simulator: "subprocess.Popen[str]") -> None:
    done = 0
    for command, shown in steps():
        run = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=30)
        assert NOW.sub("now", run.stdout) == NOW.sub("now", shown), f"{command}\n{run.stderr}"
        done += 1
    assert done == PAGE.count("\n$ ") == 16
    assert simulator.wait(20) == 0, "done ends it"
