"""Checks of the machine itself: interpreter, processes, files, memory, ports, and runs that were left."""

import importlib.util
import os
import platform
import resource
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from farm.backends import limits
from farm.backends.limits import can_bind, can_bind_modbus, hard_limit
from farm.backends.pids import marked
from farm.cli.checks import BAD, GOOD, LIMITED, Check, Need, short
from farm.errors import FarmError
from farm.supervisor import descriptors as supervisor
from farm.supervisor.link import find_runs, run_root
from farm.supervisor.run_directory import Lock, RunDirectory

ADDRESS = "127.64.0.1"
ENIP_PORT = 44818
DESCRIPTORS = 1024
EXTRAS = {
    "farm": "yaml",
    "docker": "docker",
    "netns": "pyroute2",
    "kubernetes": "kubernetes",
    "web": "flask",
    "modbus-client": "pymodbus",
}
"""Extra to the module that it brings."""

MIB = {"process": 4.0, "netns": 5.0, "docker": 20.0, "swarm": 0.1}
"""Memory of a node in a process of its own, its share of the kernel's included (docs/benchmarks.md); of one on another
host what is known of it here."""
SHARED_MIB = 0.12
"""Of a node in a process with others, its share of the supervisor's and the kernel's included (docs/scale.md)."""
THREADS = {"process": 1, "netns": 1, "docker": 14, "swarm": 0}
"""Processes and threads that a node takes; a container's shim has a dozen."""
MANY = 1000
"""Processes beyond which nodes had better share some."""
SPARE_MIB = 200
SPARE_THREADS = 100

PORT_START = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
CGROUPS = Path("/sys/fs/cgroup")


def always(need: Need) -> Iterator[Check]:
    """What every farm needs, whatever it runs on."""
    checks: tuple[Callable[[Need], Check], ...] = (descriptors, processes, memory, run_directory)
    for check in checks:
        yield check(need)


def machine(need: Need) -> Iterator[Check]:
    """Every check of the machine."""
    yield python()
    yield from always(need)
    if need.on("process"):
        yield from loopback_and_ports()
    yield proc()
    yield process_handles()
    for extra, module in EXTRAS.items():
        yield extra_installed(extra, module, need)


def loopback_and_ports() -> Iterator[Check]:
    """What nodes on loopback need."""
    yield loopback()
    yield enip_port()
    yield modbus_port()


def python() -> Check:
    """The interpreter."""
    return Check("python", GOOD, f"{platform.python_version()} at {sys.executable}")


def descriptors(need: Need) -> Check:
    """Open files a process may have: each connection to a node is one, and two of the supervisor's are for a shard."""
    limit = hard_limit()
    wanted = supervisor.EACH * need.processes + supervisor.RESERVE if need.nodes else 0
    for first in range(0, len(need.configs), need.shard):
        shard = need.configs[first : first + need.shard]
        wanted = max(wanted, limits.RESERVE + sum(limits.descriptors(node) for node in shard))
    found = f"{limit} a process" if limit < 1 << 30 else "no limit"
    if wanted > limit:
        alone = need.shard == 1 and need.backend in ("", "process") and need.processes > MANY
        cure = f"ulimit -Hn {wanted}{', or more nodes in a process: --shard auto' if alone else ''}"
        return Check("open files", BAD, f"{found}, {wanted} are needed", cure)
    if limit < DESCRIPTORS:
        return Check("open files", LIMITED, found, f"ulimit -Hn {DESCRIPTORS * 16}")
    return Check("open files", GOOD, found)


def processes(need: Need) -> Check:
    """Processes and threads: the kernel's limits, the user's, and those of every control group that this one is in."""
    each = THREADS.get(need.backend or "process", 1)
    wanted = need.processes * each + SPARE_THREADS if need.nodes else 0
    room, what, cure = _room_for_threads(wanted)
    if not room < 1 << 30:
        return Check("processes", GOOD, "no limit")
    found = f"{max(0, room)} more by {what}"
    if short(need, wanted, room) == BAD:
        return Check("processes", BAD, f"{found}, {wanted} are needed", cure)
    return Check("processes", GOOD, found)


def _room_for_threads(wanted: int) -> tuple[int, str, str]:
    """How many more there may be, by which limit, and how it is raised."""
    running = _threads_now()
    found: list[tuple[int, str, str]] = []
    for name in ("kernel/pid_max", "kernel/threads-max"):
        limit = _number(Path("/proc/sys") / name)
        if limit is not None:
            key = name.replace("/", ".")
            found.append((limit - running, key, f"sysctl {key}={running + wanted + 1000}"))
    _, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    if os.geteuid() and hard != resource.RLIM_INFINITY:
        found.append((hard - _threads_now(os.getuid()), "ulimit -u", f"ulimit -Hu {running + wanted + 1000}"))
    for folder in _control_groups("pids"):
        limit = _number(folder / "pids.max")
        if limit is not None:
            file, used = f"{folder}/pids.max", _number(folder / "pids.current") or 0
            found.append((limit - used, file, f"echo max > {file}"))
    return min(found, default=(1 << 30, "", ""))


def memory(need: Need) -> Check:
    """What is free, and what so many nodes take."""
    available = _available_mib()
    if available is None:
        return Check("memory", GOOD, "cannot be told here")
    backend = need.backend or "process"
    each = MIB.get(backend, MIB["netns"])
    wanted = need.nodes * (each if need.shard == 1 else SHARED_MIB) + need.processes * (0 if need.shard == 1 else each)
    found = f"{available:.0f} MiB free"
    if not need.nodes:
        room = max(0, available - SPARE_MIB) / MIB["netns"]
        return Check("memory", GOOD, f"{found}: room for about {room:.0f} nodes")
    if wanted + SPARE_MIB <= available:
        return Check("memory", GOOD, f"{found}, about {wanted:.0f} are needed")
    cure = "fewer nodes, or more in a process: --shard auto" if backend == "process" and need.shard == 1 else ""
    return Check("memory", BAD, f"{found}, about {wanted + SPARE_MIB:.0f} are needed", cure)


def _available_mib() -> float | None:
    text = _text(Path("/proc/meminfo")) or ""
    lines = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    if "MemAvailable" not in lines:
        return None
    available = int(lines["MemAvailable"].split()[0]) / 1024
    for folder in _control_groups("memory"):
        limit = _number(folder / "memory.max") or _number(folder / "memory.limit_in_bytes")
        used = _number(folder / "memory.current") or _number(folder / "memory.usage_in_bytes") or 0
        if limit is not None:
            available = min(available, (limit - used) / 2**20)
    return available


def _control_groups(controller: str) -> list[Path]:
    """The folders of the control groups that this process is in, the innermost first, where `controller` limits."""
    found = []
    for line in (_text(Path("/proc/self/cgroup")) or "").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        root = CGROUPS / controller if controllers else CGROUPS
        folder = root / path.lstrip("/")
        found += [each for each in (folder, *folder.parents) if each.is_relative_to(root) and each.is_dir()]
    return found


def _threads_now(user: int | None = None) -> int:
    """Processes and threads that there are, of one user or of all."""
    if user is None:
        running = (_text(Path("/proc/loadavg")) or "0 0 0 0/0 0").split()[3]
        return int(running.partition("/")[2])
    count = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if folder.stat().st_uid == user:
                count += len(list((folder / "task").iterdir()))
        except OSError:
            continue
    return count


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


def proc() -> Check:
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


def run_directory(need: Need) -> Check:
    """Where runs are kept."""
    root = run_root()
    try:
        RunDirectory(root / "doctor").prepare()
        (root / "doctor").rmdir()
    except (FarmError, OSError) as exc:
        return Check("run directory", BAD, str(exc), "export PLCFARM_RUN=/tmp/a-folder-of-yours")
    return Check("run directory", GOOD, str(root))


def extra_installed(extra: str, module: str, need: Need | None = None) -> Check:
    """An extra of the distribution."""
    if importlib.util.find_spec(module) is not None:
        return Check(f"extra {extra}", GOOD, f"{module} is installed")
    needed = extra == "farm" or (need is not None and extra == need.backend)
    state = BAD if needed else LIMITED
    return Check(f"extra {extra}", state, f"{module} is not installed", f'pip install "plcfarm[{extra}]"')


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


def _number(path: Path) -> int | None:
    """A limit in a file; None where there is none, or where it says `max`."""
    text = _text(path) or ""
    return int(text) if text.isdecimal() and int(text) < 1 << 60 else None
