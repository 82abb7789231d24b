"""A machine within the machine, for users without root: a process that holds a user, mount and network namespace.

In it this user is root, over nothing but what is in it; networks and nodes are made there as root makes them outside.
The holder does nothing, so nothing but a signal ends it, and supervisors come and go in its namespaces. Where the user
has a range of subordinate ids (/etc/subuid and newuidmap), they are mapped as well, and nodes get ids of their own
(user_namespaces(7), subuid(5)).
"""

import contextlib
import fcntl
import getpass
import logging
import os
import shutil
import signal
import socket
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from farm.backends import pids
from farm.backends.netns_kin import find_kin, open_namespaces
from farm.backends.netns_spaces import (
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWUSER,
    MS_PRIVATE,
    MS_REC,
    mount,
    setns,
    unshare,
)
from farm.errors import BackendError
from node.control.messages import start_time

log = logging.getLogger(__name__)

SUBIDS = 65536
FILE = "holder"
"""In the run's folder: pid and start time of the holder."""
KINDS = (("user", CLONE_NEWUSER), ("net", CLONE_NEWNET), ("mnt", CLONE_NEWNS))
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
COMM = b"plc-holder"
READY = "+"


SYSCTL = Path("/proc/sys")
FORBIDDEN = (
    ("user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=10000"),
    ("kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1"),
    ("kernel/apparmor_restrict_unprivileged_userns", "1", "sysctl kernel.apparmor_restrict_unprivileged_userns=0"),
)
"""What keeps an ordinary user from namespaces, and the command that allows them (Debian, Ubuntu 24.04)."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A holder that lives: its pid and start time in ticks."""

    pid: int
    started: int

    def enter(self) -> None:
        """Moves this process, which must have one thread, into the holder's namespaces. Raises `BackendError`."""
        descriptors = []
        try:
            for kind, _ in KINDS:
                descriptors.append(os.open(f"/proc/{self.pid}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC))
            for descriptor, (_, flag) in zip(descriptors, KINDS, strict=True):
                setns(descriptor, flag)
        except OSError as exc:
            raise BackendError("holder", "enter", f"cannot enter the namespaces of process {self.pid}: {exc}") from exc
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        os.chdir("/")


def find_holder(folder: Path, run_id: str) -> Holder | None:
    """The holder of the run in `folder`, if it lives."""
    try:
        pid, started = (int(number) for number in (folder / FILE).read_text().split())
    except (OSError, ValueError):
        return None
    return Holder(pid, started) if pids.alive(pid, started) and pids.marked_start(run_id, pid) else None


def make_holder(folder: Path, run_id: str) -> Holder:
    """A new holder, whose pid stands in the run's folder before this returns. This process must have one thread. Where
    nodes of the run outlived their holder it takes the place of that one: whoever is in another user namespace has no
    power over them.

    Raises `BackendError` with what forbids it and the command that allows it.
    """
    kin = find_kin(run_id)
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ours.close()
        _hold(theirs, kin)
    theirs.close()
    with ours:
        failure = ours.recv(4096).decode()
        if failure == READY:
            try:
                if not kin:
                    _map_ids(pid)
                ours.sendall(b"+")
                failure = ours.recv(4096).decode()
            except (OSError, BackendError) as exc:
                failure = str(exc)
        if failure != READY:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)
            raise BackendError("networks", "create", f"no user namespace: {failure or 'it ended at once'}; {cure()}")
    holder = Holder(pid, start_time(pid))
    fresh = folder / f"{FILE}.new"
    fresh.write_text(f"{holder.pid} {holder.started}\n")
    fresh.replace(folder / FILE)
    return holder


def _hold(farm: socket.socket, kin: Sequence[int]) -> NoReturn:
    """What the holder's process does, for ever."""
    try:
        os.setsid()
        if kin:
            _join(kin)
        else:
            unshare(CLONE_NEWUSER)
        farm.sendall(READY.encode())
        if farm.recv(1):
            unshare(CLONE_NEWNET if kin else CLONE_NEWNS | CLONE_NEWNET)
            if not kin:
                mount("", "/", MS_REC | MS_PRIVATE)
            _lift_loopback()
            farm.sendall(READY.encode())
            _wait_for_ever(farm)
    except BaseException as exc:
        with contextlib.suppress(OSError):
            farm.sendall(str(exc).encode())
    os._exit(1)


def _join(kin: Sequence[int]) -> None:
    """Goes into the user and mount namespaces of processes."""
    kinds = {"user": CLONE_NEWUSER, "mnt": CLONE_NEWNS}
    for descriptor, flag in zip(open_namespaces(kin, kinds), kinds.values(), strict=True):
        setns(descriptor, flag)


def _wait_for_ever(farm: socket.socket) -> NoReturn:
    farm.close()
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    Path("/proc/self/comm").write_bytes(COMM)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    while True:
        signal.pause()


def _lift_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = struct.pack("16sh", b"lo", 0)
        flags = struct.unpack("16sh", fcntl.ioctl(sock, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sh", b"lo", flags | IFF_UP))


def _map_ids(pid: int) -> None:
    """This user becomes root in the namespace of `pid`, and subordinate ids, where there are any, follow from 1 on.
    Where the programs that map those refuse, nodes share this user's id."""
    ranges = subordinate_ids()
    if ranges is not None and _map_range(pid, *ranges):
        return
    Path(f"/proc/{pid}/setgroups").write_text("deny")
    Path(f"/proc/{pid}/uid_map").write_text(f"0 {os.getuid()} 1")
    Path(f"/proc/{pid}/gid_map").write_text(f"0 {os.getgid()} 1")


def _map_range(pid: int, user: int, group: int) -> bool:
    """Whether the ids were mapped: all of them, or none. Raises `BackendError` for a half."""
    mapped = []
    for program, own, first in (("newuidmap", os.getuid(), user), ("newgidmap", os.getgid(), group)):
        wanted = [str(number) for number in (pid, 0, own, 1, 1, first, SUBIDS)]
        done = subprocess.run([program, *wanted], capture_output=True, text=True, check=False)
        mapped.append(done.returncode == 0)
        if not mapped[-1]:
            log.warning("nodes share this user's id: %s", done.stderr.strip())
            break
    if mapped == [True, False]:
        raise BackendError("holder", "map", "newgidmap refuses what newuidmap granted; see /etc/subgid")
    return mapped[-1]


def subordinate_ids() -> tuple[int, int] | None:
    """The first subordinate user and group id of this user, None where it may not map 65,536 of each."""
    if shutil.which("newuidmap") is None or shutil.which("newgidmap") is None:
        return None
    first = _range(Path("/etc/subuid")), _range(Path("/etc/subgid"))
    return None if first[0] is None or first[1] is None else (first[0], first[1])


def _range(file: Path) -> int | None:
    names = {str(os.getuid())}
    with contextlib.suppress(KeyError, OSError):
        names.add(getpass.getuser())
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        fields: Sequence[str] = line.split(":")
        if len(fields) == 3 and fields[0] in names and fields[2].isdecimal() and int(fields[2]) >= SUBIDS:
            return int(fields[1])
    return None


def cure() -> str:
    """The command that lets this user make namespaces, as far as the system says what forbids it."""
    for setting, bad, command in FORBIDDEN:
        with contextlib.suppress(OSError):
            if SYSCTL.joinpath(setting).read_text().strip() == bad:
                return f"`{command}` allows it"
    return "run it as root, or on backend process"
