"""The load generators: C programs that check every reply, built once into a folder of their own, as is the server that
is written in C.

A generator written in Python would be the slowest part of each measurement. These two prebuild their requests and
verify what comes back, so a fast wrong answer does not count as speed.
"""

import json
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent

ReplyRow = dict[str, float]


class BenchError(Exception):
    """Something without which nothing can be measured is missing."""


@cache
def built(name: str, *libraries: str) -> Path:
    """The compiled program `name` (`enipload`, `mbload`, `mbserver`). Raises `BenchError` when there is no compiler, or
    when one of `libraries` is missing."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise BenchError("no C compiler: the load generators are C programs (Debian: apt-get install gcc libc6-dev)")
    program = Path(tempfile.gettempdir()) / f"plcfarm-load-{os.getuid()}-{name}"
    source = HERE / f"{name}.c"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        command = [compiler, "-O2", "-w", "-o", str(program), str(source), *(f"-l{each}" for each in libraries)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            needed = "".join(f" (Debian: apt-get install lib{each}-dev)" for each in libraries)
            raise BenchError(f"{source.name} cannot be compiled{needed}: {done.stderr.strip()}")
    return program


def pinned(command: list[str], core: int) -> list[str]:
    """The command on one core, where that can be."""
    return ["taskset", "-c", str(core), *command] if shutil.which("taskset") else command


def run(command: list[str], core: int = 0) -> ReplyRow:
    """One run, its JSON line as a dict; `why` tells what was wrong when a reply was."""
    done = subprocess.run(pinned(command, core), capture_output=True, text=True, timeout=120, check=False)
    try:
        row: ReplyRow = json.loads(done.stdout)
    except ValueError:
        return {"requests_s": 0.0, "bad": 1, "why": done.stderr.strip()}  # type: ignore[dict-item]
    return row


def enip(host: str, port: int, seconds: float, arguments: list[str]) -> ReplyRow:
    """Requests a second and latencies of one EtherNet/IP case."""
    return run([str(built("enipload")), "-H", host, "-p", str(port), "-t", str(seconds), *arguments])


def modbus(host: str, port: int, seconds: float, arguments: list[str], core: int = 0) -> ReplyRow:
    """The same for Modbus/TCP, with `requests_s` for the replies that were right."""
    row = run([str(built("mbload")), host, str(port), "-d", str(seconds), *arguments], core)
    row["requests_s"] = row.get("rps", 0.0)
    return row
