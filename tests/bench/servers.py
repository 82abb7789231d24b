"""Servers under test, each started as a user would start it and stopped when its case is done.

The node is a farm node: started by `farm up`, counting, with its control stream on. Nothing is switched off for the
measurement.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench import generators, processes
from tests.bench.generators import BenchError

ROOT = Path(__file__).parents[2]

PLANT = """\
farm: 1
name: bench
types:
  Motor: {Speed: REAL, Current: REAL, Run: BOOL, Fault: BOOL, Mode: INT, Hours: DINT, Starts: "DINT[8]"}
nodes:
  unit:
    kind: gateway
    tags: {SCADA: DINT, ARR: "DINT[1000]", MOTOR: Motor, REG: {type: "UINT[10000]", init: [%s]}}
    holding: {"40001-50000": {tag: REG}}
"""

UNDER_SIGNALS = "farm: 1\nname: signals\nnodes:\n  unit:\n    kind: modbus\n    holding:\n"
TAGS_UNDER_SIGNALS = UNDER_SIGNALS + "".join(
    f'      "{40001 + at}": {{signal: {{sine: {{max: 60000, period: 60s, phase: {at % 60}s}}}}}}\n'
    for at in range(1000)
)
ARRAY_UNDER_SIGNALS = UNDER_SIGNALS + (
    '      "40001-41000": {signal: {sine: {max: 60000, period: 60s, spread: 50ms}}}\n'
)
"""Two plants of one node with a thousand registers that move."""

TAGS = ["SCADA=DINT", "ARR=DINT[1000]"]
"""What a lone simulator and cpppo hold."""

BROWSED = 5000
"""Tags of the node that is browsed."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where it answers and which processes it is."""

    name: str
    host: str
    port: int
    pids: list[int]


def cpppo_python(package: str = "cpppo") -> Path:
    """The interpreter of the virtual environment that holds cpppo, and `package` too. Raises `BenchError` when there is
    none."""
    python = Path(os.environ.get("CPPPO_PYTHON", ROOT / ".venv-cpppo/bin/python"))
    if not python.exists():
        raise BenchError(f"no cpppo to compare with: {python} is missing (make .venv-cpppo/.done)")
    if subprocess.run([str(python), "-c", f"import {package}"], capture_output=True, check=False).returncode:
        raise BenchError(f"no cpppo to compare with: {python} has no {package} (make --always-make .venv-cpppo/.done)")
    return python


def wait_for_port(host: str, port: int, process: subprocess.Popen[bytes] | None = None, limit: float = 60) -> None:
    """Return when the port accepts. Raises `BenchError` after `limit` seconds or when the process has ended."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if process is not None and process.poll() is not None:
            raise BenchError(f"the server on {host}:{port} ended with exit code {process.returncode}")
        with contextlib.suppress(OSError):
            socket.create_connection((host, port), 1).close()
            return
        time.sleep(0.005)
    raise BenchError(f"nothing accepts on {host}:{port} after {limit:g} s")


@contextlib.contextmanager
def program(name: str, command: list[str], host: str, port: int) -> Iterator[Server]:
    """A server that is one command; ended by SIGTERM, and by SIGKILL when that is not heard."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)
    try:
        wait_for_port(host, port, process)
        yield Server(name, host, port, processes.tree(process.pid))
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def farm(run_root: str, *arguments: str) -> str:
    """What `farm ARGUMENTS` prints, with its own run directory. Raises `BenchError` when it fails."""
    command = [sys.executable, "-m", "farm", *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env={**os.environ, "PLCFARM_RUN": run_root}, check=False
    )
    if done.returncode:
        raise BenchError(f"farm {' '.join(arguments)}: exit {done.returncode}: {done.stderr.strip()}")
    return done.stdout


@contextlib.contextmanager
def farm_node() -> Iterator[dict[str, Server]]:
    """One node of a farm that serves both protocols: a `Server` for `enip` and one for `modbus`."""
    with one_node(PLANT % ", ".join(str(value) for value in range(10000))) as row:
        yield {p: Server("farm node", row["address"], port, [row["pid"]]) for p, port in row["ports"].items()}


@contextlib.contextmanager
def browsed_node(profile: str = "1756-L73") -> Iterator[Server]:
    """A farm node with five thousand tags, a fifth of them arrays and a fifth structures."""
    kinds = ("DINT", "REAL", '"INT[10]"', "TIMER", "BOOL")
    tags = "\n".join(f"      Area{n // 100:02}_Tag{n:04}: {kinds[n % 5]}" for n in range(BROWSED))
    head = f"farm: 1\nname: browse\nnodes:\n  unit:\n    kind: logix\n    profile: {profile}\n    tags:\n"
    with one_node(head + tags + "\n") as row:
        yield Server("farm node", row["address"], row["ports"]["enip"], [row["pid"]])


@contextlib.contextmanager
def one_node(plant: str) -> Iterator[dict[str, Any]]:
    """The row of `farm ps` for the one node of a plant that is up meanwhile."""
    with tempfile.TemporaryDirectory(prefix="plcb") as folder:
        file = Path(folder) / "plant.yaml"
        file.write_text(plant)
        try:
            farm(folder, "up", str(file))
            (row,) = json.loads(farm(folder, "ps", "--json"))
            yield row
        finally:
            farm(folder, "down")


def enip_server() -> str:
    """The lone simulator's command, beside this interpreter. Raises `BenchError` where plcfarm is not installed."""
    command = Path(sys.executable).parent / "enip_server"
    if not command.exists():
        raise BenchError(f"no {command}: plcfarm is not installed there (pip install -e .)")
    return str(command)


def lone(host: str = "127.64.250.4", port: int = 44818) -> contextlib.AbstractContextManager[Server]:
    """A lone `enip_server` with the same tags as cpppo's."""
    return program("enip_server", [enip_server(), "-a", f"{host}:{port}", *TAGS], host, port)


def cpppo(host: str = "127.64.250.1", port: int = 44818) -> contextlib.AbstractContextManager[Server]:
    """cpppo's EtherNet/IP server with the same tags."""
    command = [str(cpppo_python()), "-m", "cpppo.server.enip", "-a", f"{host}:{port}", *TAGS]
    return program("cpppo", command, host, port)


def pymodbus(host: str = "127.64.250.2", port: int = 5020) -> contextlib.AbstractContextManager[Server]:
    """pymodbus's asyncio server with the same registers."""
    command = [sys.executable, "-m", "tests.bench.pymodbus_server", host, str(port)]
    return program("pymodbus", command, host, port)


def libmodbus(host: str = "127.64.250.5", port: int = 5022) -> contextlib.AbstractContextManager[Server]:
    """A server in C on libmodbus with the same registers."""
    return program("libmodbus", [str(generators.built("mbserver", "modbus")), host, str(port)], host, port)


def floor(host: str = "127.64.250.3", port: int = 5021) -> contextlib.AbstractContextManager[Server]:
    """An asyncio server that does nothing but reply."""
    return program("floor", [sys.executable, "-m", "tests.bench.floor_server", host, str(port)], host, port)
