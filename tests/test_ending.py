"""Programs of the tests' own that are told to end: of what they began nothing goes on."""

import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.waiting import until

pytestmark = [pytest.mark.net, pytest.mark.slow]

PATIENCE = 60.0


def running(mark: str) -> list[str]:
    """The command lines of all living processes with `mark` in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return [line for line in found if line]  # a zombie has none


@pytest.mark.parametrize(
    ("program", "signum", "begun"),
    [
        (("tests.fuzz", "api", "--seconds", "600"), signal.SIGTERM, "schemathesis"),
        (("tests.soak", "sessions"), signal.SIGINT, " supervise "),
    ],
)
def test_nothing_goes_on_of_what_a_script_had_in_its_background(
    program: tuple[str, ...], signum: signal.Signals, begun: str
) -> None:
    """A shell starts a script's background jobs deaf to SIGINT."""
    mark = f"TEST_ENDING={secrets.token_hex(8)}"
    process = subprocess.Popen(
        [sys.executable, "-m", *program],
        cwd=ROOT,
        env={**os.environ, **dict([mark.split("=")])},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    try:
        until(lambda: process.poll() is not None or any(begun in line for line in running(mark)), seconds=PATIENCE)
        assert process.poll() is None, process.communicate()
        process.send_signal(signum)
        _, said = process.communicate(timeout=PATIENCE)
        assert (process.returncode, said) == (130, "interrupted\n")
        give_up = time.monotonic() + 5  # a nursery ends when its farm has
        while running(mark) and time.monotonic() < give_up:
            time.sleep(0.1)
        assert running(mark) == []
    finally:
        process.kill()
        process.communicate()
