"""Programs of ours on libmodbus, built when a test first asks for one."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

HERE = Path(__file__).parent


class LibmodbusError(Exception):
    """libmodbus reports an error of a request, in its own words."""


def build(name: str, folder: Path) -> Path:
    """The program `libmodbus_NAME.c`, built in `folder`; skips where that cannot be done."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler (Debian: apt-get install gcc libc6-dev)")
    headers = subprocess.run(
        [compiler, "-E", "-"], input="#include <modbus/modbus.h>", capture_output=True, text=True, check=False
    )
    if headers.returncode:
        pytest.skip("libmodbus is not installed (Debian: apt-get install libmodbus-dev)")
    program = folder / f"libmodbus_{name}"
    warnings = ["-Wall", "-Wextra", "-Werror"]
    command = [compiler, "-O1", *warnings, "-o", str(program), str(HERE / f"{program.name}.c"), "-lmodbus"]
    built = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert built.returncode == 0, built.stderr
    return program


class LibmodbusClient:
    """One run of the client."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, what: str, *values: int) -> list[int]:
        """What it read by one function of libmodbus (libmodbus_client.c lists them). Raises `LibmodbusError`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(what, *values, file=self._process.stdin, flush=True)
        outcome, _, told = self._process.stdout.readline().strip().partition(" ")
        if outcome != "ok":
            raise LibmodbusError(told)
        return [int(value) for value in told.split()]


@contextmanager
def libmodbus_client(program: Path, *where: object) -> Iterator[LibmodbusClient]:
    """It runs, connected as `where` says."""
    command = [str(program), *map(str, where)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield LibmodbusClient(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0


@contextmanager
def libmodbus_server(program: Path, *where: object) -> Iterator[None]:
    """It serves, as `where` says."""
    with subprocess.Popen([str(program), *map(str, where)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield
        finally:
            process.kill()
