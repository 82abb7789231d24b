"""Start-up of a lone simulator: from its command until it accepts a connection and has answered the first request.

`python -m tests.bench.start_up [COMMAND...]` measures `COMMAND -a HOST:PORT SCADA=INT[1000]`, by default the
`enip_server` beside this interpreter. The bench puts it beside cpppo's.
"""

import contextlib
import select
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench import servers

HOST, PORT = "127.90.7.1", 44818
TAG = "SCADA=INT[1000]"
RUNS = 10
STEP = 0.0005
"""Seconds between two tries to connect."""
PATIENCE = 30.0
WAYS = (("enip_server", "127.90.7.2"), ("cpppo", "127.90.7.3"))
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


def run(runs: int) -> list[str]:
    """The table, as Markdown. The two start in turn; the first start of each, from a cold disk, is not counted."""
    commands = {
        "enip_server": [servers.enip_server()],
        "cpppo": [str(servers.cpppo_python()), "-m", "cpppo.server.enip"],
    }
    lines = [
        "",
        "### Start-up of a lone server, until it has answered a RegisterSession",
        "",
        "| server | s | CPU s | resident MiB |",
        "|---|--:|--:|--:|",
    ]
    print("\n".join(lines), flush=True)
    started: dict[str, list[Started]] = {name: [] for name in commands}
    for number in range(runs + 1):
        for name, host in WAYS:
            one = measure(commands[name], host)
            if number:
                started[name].append(one)
    for name, runs_of in started.items():
        median = medians(runs_of)
        row = f"| {name} | {median.seconds:.3f} | {median.cpu:.3f} | {median.rss:.1f} |"
        print(row, flush=True)
        lines.append(row)
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
