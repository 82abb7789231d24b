"""What a farm may leave behind, counted by the kernel and by Docker and not by the farm: processes, sockets, files,
namespaces, links, addresses, rules, mounts, containers and their networks."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

NETWORK = "127.64.230."
"""Where the plant of these tests listens, and nothing else does."""

LISTEN = "0A"


PINS = Path("/run/netns")


@dataclass(frozen=True, slots=True)
class Traces:
    """Everything seen at one moment, a line each."""

    lines: frozenset[str]

    def since(self, before: Traces) -> list[str]:
        """What is here and was not before, and what was here before and is gone: a decoy that a farm took away."""
        return sorted(self.lines - before.lines) + sorted(f"GONE: {line}" for line in before.lines - self.lines)


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
    """Everything of this run root, and everything of the machine's that a farm makes, now."""
    unix = {
        f"unix {line.split()[-1]}"
        for line in Path("/proc/net/unix").read_text().splitlines()[1:]
        if line.split()[-1].startswith(str(run_root))
    }
    processes = {f"process {pid} ({name})" for pid, name in family(run_root).items()}
    files = {f"file {path}" for path in run_root.rglob("*")}
    return Traces(frozenset(processes | plant_sockets() | unix | files | namespaces() | wires() | containers()))


def namespaces() -> set[str]:
    """Named network namespaces, and the mounts that hold them."""
    mounts = {
        f"mount {line.split()[4]}"
        for line in Path("/proc/self/mountinfo").read_text().splitlines()
        if line.split()[4].startswith(f"{PINS}/")
    }
    return mounts | {f"namespace {path.name}" for path in (PINS.iterdir() if PINS.is_dir() else ())}


def wires() -> set[str]:
    """Links, addresses, routes and packet filter rules of this network namespace."""
    found = set()
    for link in json.loads(_output("ip", "-j", "addr") or "[]"):
        found.add(f"link {link['ifname']}")
        found |= {f"address {each['local']} on {link['ifname']}" for each in link["addr_info"]}
    found |= {f"route {line.strip()}" for line in _output("ip", "route").splitlines()}
    return found | {f"rule {line.strip()}" for line in _output("nft", "list", "ruleset").splitlines()}


def containers() -> set[str]:
    """Containers and networks of a Docker daemon, where one answers."""
    names = _output("docker", "ps", "--all", "--format", "container {{.ID}} {{.Names}}").splitlines()
    return {*names, *_output("docker", "network", "ls", "--format", "network {{.ID}} {{.Name}}").splitlines()}


def container_pids() -> list[int]:
    """The processes of all containers that run, where a daemon answers."""
    containers = _output("docker", "ps", "--quiet").split()
    return [
        int(pid)
        for pid in _output("docker", "inspect", "--format", "{{.State.Pid}}", *containers).split()
        if pid != "0"
    ]


def _output(*command: str) -> str:
    """What a program prints; nothing where there is none, or it fails."""
    if shutil.which(command[0]) is None:
        return ""
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    return done.stdout if done.returncode == 0 else ""
