"""What a farm may leave behind, counted by the kernel and not by the farm: processes, sockets, files."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

NETWORK = "127.64.230."
"""Where the plant of these tests listens, and nothing else does."""

LISTEN = "0A"


@dataclass(frozen=True, slots=True)
class Traces:
    """Process ids with their names, sockets as text, and files below the run directory."""

    processes: frozenset[str]
    sockets: frozenset[str]
    files: frozenset[str]

    def since(self, before: Traces) -> list[str]:
        """What is here and was not before, a line each."""
        return sorted(
            (self.processes - before.processes) | (self.sockets - before.sockets) | (self.files - before.files)
        )


def role(pid: int) -> str | None:
    """What a process is to a farm: `supervisor`, `nursery`, `node`, `command`, or None when it has gone."""
    with contextlib.suppress(OSError):
        comm = Path(f"/proc/{pid}/comm").read_text().strip()
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if comm.startswith("plc:"):
            return "node"
        for argument, name in ((b"supervise", "supervisor"), (b"nursery", "nursery")):
            if argument in arguments:
                return name
        return "command" if b"farm" in arguments else "other"
    return None


def family(run_root: Path) -> dict[int, str]:
    """Every live process started for this run root, by the mark in its exec environment, with its role."""
    mark = f"PLCFARM_RUN={run_root}".encode()
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            if state != "Z" and mark in (entry / "environ").read_bytes().split(b"\0"):
                name = role(int(entry.name))
                if name is not None:
                    found[int(entry.name)] = name
    return found


def plant_sockets() -> set[str]:
    """TCP listeners and UDP sockets on the plant's addresses."""
    found = set()
    for protocol in ("tcp", "udp"):
        for line in Path(f"/proc/net/{protocol}").read_text().splitlines()[1:]:
            fields = line.split()
            address, port = fields[1].split(":")
            host = ".".join(str(byte) for byte in reversed(bytes.fromhex(address)))
            if host.startswith(NETWORK) and (protocol == "udp" or fields[3] == LISTEN):
                found.add(f"{protocol} {host}:{int(port, 16)}")
    return found


def traces(run_root: Path) -> Traces:
    """Everything of this run root, and the plant's sockets, now."""
    unix = {
        f"unix {line.split()[-1]}"
        for line in Path("/proc/net/unix").read_text().splitlines()[1:]
        if line.split()[-1].startswith(str(run_root))
    }
    return Traces(
        frozenset(f"process {pid} ({name})" for pid, name in family(run_root).items()),
        frozenset(plant_sockets() | unix),
        frozenset(str(path) for path in run_root.rglob("*")),
    )
