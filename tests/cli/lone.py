"""What the tests of the command lines share: how a simulator is called, and how to wait for it."""

import os
import selectors
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

HOST = "127.64.8.40"
ROOT = Path(__file__).resolve().parents[2]
ENIP_SERVER = ("-c", "from node.__main__ import enip_server; enip_server()")
NODE = ("-m", "node")

Start = Callable[..., subprocess.Popen[str]]


def ready(process: subprocess.Popen[str]) -> str:
    """The line that says it serves."""
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        assert selector.select(30), "not ready within 30 s"
    line = process.stdout.readline()
    assert line, process.communicate()[1]
    return line


def port_of(line: str) -> int:
    """The port in it."""
    return int(line.partition(f"{HOST}:")[2].partition(";")[0])


def run(*arguments: str, cwd: Path = ROOT, **environment: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a command that ends by itself."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )
    return done.returncode, done.stdout, done.stderr
