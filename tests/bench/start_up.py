"""Start-up of a lone simulator: from its command until it accepts a connection and has answered the first request.

`python -m tests.bench.start_up [COMMAND...]` measures `COMMAND -a HOST:PORT SCADA=INT[1000]`, by default the
`enip_server` beside this interpreter. The bench puts it beside cpppo's.
"""

import contextlib
import select
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench import servers
from tests.bench.servers import ROOT

HOST, PORT = "127.90.7.1", 44818
TAG = "SCADA=INT[1000]"
RUNS = 10
STEP = 0.0005
"""Seconds between two tries to connect."""
PATIENCE = 30.0
REGISTER = bytes.fromhex("65000400" + "00" * 20 + "01000000")


@dataclass(frozen=True)
class Started:
    """What one start took: seconds until RegisterSession was answered, CPU seconds, resident memory in MiB, and
    seconds of an interpreter that does nothing but end."""

    seconds: float
    cpu: float
    rss: float


def measure(command: Sequence[str], host: str = HOST, port: int = PORT) -> Started:
    """One start of `command`, which is given the address and a tag, and is ended."""
    began = time.perf_counter()
    process = subprocess.Popen([*command, "-a", f"{host}:{port}", TAG], stdout=subprocess.DEVNULL)
    try:
        _register(process, host, port, began + PATIENCE)
        seconds = time.perf_counter() - began
        return Started(seconds, _cpu(process.pid), _rss(process.pid))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def _register(process: "subprocess.Popen[bytes]", host: str, port: int, deadline: float) -> None:
    while time.perf_counter() < deadline and process.poll() is None:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection((host, port), 5) as sock:
            sock.sendall(REGISTER)
            if len(sock.recv(100)) == len(REGISTER):
                return
            raise RuntimeError(f"{host}:{port} answers RegisterSession with something else")
        select.select([], [], [], STEP)
    raise RuntimeError(f"{host}:{port}: nothing accepts there; exit code {process.poll()}")


def _cpu(pid: int) -> float:
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def _rss(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} has no VmRSS")


def medians(runs: Sequence[Started]) -> Started:
    """The median of each figure by itself."""
    return Started(
        statistics.median(run.seconds for run in runs),
        statistics.median(run.cpu for run in runs),
        statistics.median(run.rss for run in runs),
    )


@contextlib.contextmanager
def installed() -> Iterator[Path]:
    """The `enip_server` of a plain installation, in an environment of its own: an editable one, with what the tests
    hang into every start of Python, takes longer."""
    with tempfile.TemporaryDirectory(prefix="pf-start-") as folder:
        environment = Path(folder) / "environment"
        source = Path(folder) / "source"
        shutil.copytree(ROOT, source, symlinks=True, ignore=shutil.ignore_patterns(".*", "__pycache__", "build"))
        venv = [sys.executable, "-m", "venv", "--without-pip", str(environment)]
        pip = [sys.executable, "-m", "pip", "--python", str(environment / "bin/python"), "install", "--quiet"]
        for command in (venv, [*pip, "--no-deps", str(source)]):
            subprocess.run(command, check=True, capture_output=True, timeout=240)
        yield environment / "bin/enip_server"


def run(runs: int) -> list[str]:
    """The table, as Markdown. They start in turn; the first start of each, from a cold disk, is not counted."""
    with installed() as server:
        commands = {
            "enip_server, installed": [str(server)],
            "enip_server, editable, with all that tests need": [servers.enip_server()],
            "cpppo": [str(servers.cpppo_python()), "-m", "cpppo.server.enip"],
        }
        started: dict[str, list[Started]] = {name: [] for name in commands}
        for number in range(runs + 1):
            for index, (name, command) in enumerate(commands.items()):
                one = measure(command, f"127.90.7.{2 + index}")
                if number:
                    started[name].append(one)
    lines = [
        "",
        "### Start-up of a lone server, until it has answered a RegisterSession",
        "",
        "| server | s | CPU s | resident MiB |",
        "|---|--:|--:|--:|",
    ]
    for name, runs_of in started.items():
        median = medians(runs_of)
        lines.append(f"| {name} | {median.seconds:.3f} | {median.cpu:.3f} | {median.rss:.1f} |")
    print("\n".join(lines), flush=True)
    return lines


def main() -> None:
    """Prints one line a run, and the medians."""
    command = sys.argv[1:] or [str(Path(sys.executable).parent / "enip_server")]
    measure(command)
    runs = [measure(command) for _ in range(RUNS)]
    for run in runs:
        print(f"{run.seconds * 1000:6.0f} ms {run.cpu * 1000:6.0f} ms CPU {run.rss:6.1f} MiB")
    median = medians(runs)
    print(f"median {median.seconds * 1000:.0f} ms, {median.cpu * 1000:.0f} ms CPU, {median.rss:.1f} MiB")


if __name__ == "__main__":
    main()
