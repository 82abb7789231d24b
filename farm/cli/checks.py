"""What this machine allows a farm, checked one by one: a fact, whether it is good, and the command that cures it.

A farm of 500 nodes should be refused by the limit that stops it, before it starts, and by name.
"""

import importlib.util
import os
import platform
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from farm.backends.limits import can_bind, can_bind_modbus, hard_limit
from farm.backends.pids import marked
from farm.errors import FarmError
from farm.supervisor.link import find_runs, run_root
from farm.supervisor.run_directory import Lock, RunDirectory

GOOD, LIMITED, BAD = "ok", "limited", "missing"
ADDRESS = "127.64.0.1"
ENIP_PORT = 44818
DESCRIPTORS = 1024
EXTRAS = {"farm": "yaml", "docker": "docker", "netns": "pyroute2", "web": "flask", "modbus-client": "pymodbus"}
"""Extra to the module that it brings."""
PORT_START = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
USER_NAMESPACES = Path("/proc/sys/user/max_user_namespaces")
DOCKER_SOCKET = Path("/var/run/docker.sock")


@dataclass(frozen=True, slots=True)
class Check:
    """One fact: `what`, one of the three words, what was `found`, and the `cure` ("" where none is needed)."""

    what: str
    state: str
    found: str
    cure: str = ""


def all_checks() -> Iterator[Check]:
    """Every check, in the order in which a farm needs what they look at."""
    checks: tuple[Callable[[], Check], ...] = (
        python,
        descriptors,
        loopback,
        enip_port,
        modbus_port,
        processes,
        process_handles,
        run_directory,
    )
    for check in checks:
        yield check()
    for extra, module in EXTRAS.items():
        yield extra_installed(extra, module)
    yield user_namespaces()
    yield docker()
    yield from leftovers()


def python() -> Check:
    """The interpreter."""
    return Check("python", GOOD, f"{platform.python_version()} at {sys.executable}")


def descriptors() -> Check:
    """Open files a process may have: each connection to a node is one."""
    limit = hard_limit()
    if limit >= DESCRIPTORS:
        return Check("open files", GOOD, f"{limit} a process")
    return Check("open files", LIMITED, f"{limit} a process", f"ulimit -Hn {DESCRIPTORS * 16}")


def loopback() -> Check:
    """Whether a node can have an address of its own: Linux answers for all of 127.0.0.0/8, macOS for one."""
    if can_bind(ADDRESS, 0) and _listens(ADDRESS):
        return Check("addresses", GOOD, f"{ADDRESS} and all of 127.0.0.0/8 can be used")
    return Check("addresses", BAD, f"{ADDRESS} cannot be used", f"ifconfig lo0 alias {ADDRESS}")


def enip_port() -> Check:
    """Port 44818, which needs no privilege, may be hidden by whoever listens on every address."""
    taken = _taken(ENIP_PORT)
    if not taken:
        return Check("port 44818", GOOD, "EtherNet/IP's own port is free")
    return Check("port 44818", LIMITED, f"something listens on {taken}:44818", "ss -ltnp sport = 44818, and stop it")


def modbus_port() -> Check:
    """Port 502."""
    if can_bind_modbus():
        return Check("port 502", GOOD, "Modbus's own port can be used")
    start = _text(PORT_START) or "1024"
    cure = "sysctl net.ipv4.ip_unprivileged_port_start=502"
    return Check("port 502", LIMITED, f"ports below {start} need privilege: Modbus nodes use 1502", cure)


def processes() -> Check:
    """/proc, by which the processes of a run are found."""
    if Path("/proc/self/environ").is_file():
        return Check("/proc", GOOD, "processes of a run are found by their mark")
    return Check("/proc", LIMITED, "not there: what a killed farm leaves must be stopped by hand")


def process_handles() -> Check:
    """pidfd, by which a process is signalled and no other of the same number."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError) as exc:
        return Check("pidfd", LIMITED, f"not there ({exc}): processes are told apart by their start time only")
    return Check("pidfd", GOOD, "processes cannot be mistaken for one another")


def run_directory() -> Check:
    """Where runs are kept."""
    root = run_root()
    try:
        RunDirectory(root / "doctor").prepare()
        (root / "doctor").rmdir()
    except (FarmError, OSError) as exc:
        return Check("run directory", BAD, str(exc), "export PLCFARM_RUN=/tmp/a-folder-of-yours")
    return Check("run directory", GOOD, str(root))


def extra_installed(extra: str, module: str) -> Check:
    """An extra of the distribution."""
    if importlib.util.find_spec(module) is not None:
        return Check(f"extra {extra}", GOOD, f"{module} is installed")
    state = BAD if extra == "farm" else LIMITED
    return Check(f"extra {extra}", state, f"{module} is not installed", f'pip install "plcfarm[{extra}]"')


def user_namespaces() -> Check:
    """Whether an ordinary user may make network namespaces."""
    most = _text(USER_NAMESPACES)
    if os.geteuid() == 0 or (most is not None and most != "0"):
        return Check("namespaces", GOOD, "root" if os.geteuid() == 0 else f"{most} user namespaces allowed")
    return Check("namespaces", LIMITED, "user namespaces are off", "sysctl user.max_user_namespaces=10000")


def docker() -> Check:
    """A Docker daemon that this user may ask."""
    if os.access(DOCKER_SOCKET, os.W_OK):
        return Check("docker", GOOD, f"{DOCKER_SOCKET} can be used")
    if DOCKER_SOCKET.exists():
        return Check("docker", LIMITED, f"{DOCKER_SOCKET} is not yours", 'usermod -aG docker "$USER", and log in anew')
    return Check("docker", LIMITED, f"no daemon at {DOCKER_SOCKET}")


def leftovers() -> Iterator[Check]:
    """Runs without a supervisor."""
    for run in find_runs():
        lock = Lock(run)
        if not lock.take():
            yield Check(f"farm {run.name}", GOOD, "running")
            continue
        lock.release()
        count = len(marked(run.run_id))
        found = f"its supervisor is gone, {count} processes are left"
        yield Check(f"farm {run.name}", LIMITED, found, f"farm ps -n {run.name} adopts them, farm down {run.name} ends")


def _listens(address: str) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((address, 0))
            probe.listen()
        except OSError:
            return False
    return True


def _taken(port: int) -> str:
    """Who hides a port on every loopback address: "0.0.0.0", or "" when nobody does."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.127.255.1", port))
            probe.listen()
        except OSError:
            return "0.0.0.0"
    return ""


def _text(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None
