"""A controller of ours on real sockets of loopback, a process of its own, for the tests of the client."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cli.lone import ready

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.64.33.9"

TAGS = (
    "SCADA=INT[1000]",
    "TEXT=SSTRING[20]",
    "Tag=DINT[16]",
    "A_Tag=REAL[8]",
    "ARR=DINT[5000]",
    "FLAG=BOOL",
    "LABEL=STRING",
    "CLOCK=TIMER",
    "Volume=REAL",
    "Temperature=REAL",
    "Gauge@0x93/1/10=REAL",
    *(f"T{number}=DINT" for number in range(100)),
)


@dataclass(frozen=True, slots=True)
class Served:
    """Where it answers."""

    host: str
    port: int


@contextmanager
def node(*arguments: str) -> Iterator[Served]:
    """`enip_server ARGUMENTS` at a port that is free, ended afterwards."""
    command = [sys.executable, "-m", "node", "enip", *arguments, "-a", f"{HOST}:0"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        match = re.search(rf"{HOST}:(\d+)", ready(process))
        assert match is not None
        yield Served(HOST, int(match[1]))
    finally:
        process.terminate()
        process.communicate(timeout=10)
