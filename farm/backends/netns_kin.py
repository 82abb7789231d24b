"""Processes of a run within user namespaces that this user made, who from outside cannot see whose they are.

A node may be a subordinate user of its own, whose `/proc/PID/environ` is closed to this user outside. But whoever made
a user namespace is all-powerful in it: so each of this user's own is entered, by a process of its own, and looked into
from there (user_namespaces(7), ioctl_ns(2)).
"""

import errno
import fcntl
import os
import struct
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path

from farm.backends import pids
from farm.backends.netns_spaces import CLONE_NEWUSER, setns

NS_GET_OWNER_UID = 0xB704
NOTHING, DONE, FAILED = 0, 1, 2


def own_namespaces() -> dict[int, list[int]]:
    """User namespaces that this user made and is not in: inode to the processes in it, any of which may be ending."""
    here = os.stat("/proc/self/ns/user").st_ino  # noqa: PTH116 - a link to no file
    found: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            descriptor = os.open(folder / "ns/user", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            inode = os.fstat(descriptor).st_ino
            if inode in found or (inode != here and _owner(descriptor) == os.geteuid()):
                found.setdefault(inode, []).append(int(folder.name))
        finally:
            os.close(descriptor)
    return found


def find_kin(run_id: str) -> list[int]:
    """The processes of a user namespace of this user's in which some are of the run. This process must have one
    thread."""
    for those in own_namespaces().values():
        if _within(those, lambda: bool(pids.marked(run_id))) == DONE:
            return those
    return []


def open_namespaces(those: Iterable[int], kinds: Iterable[str]) -> list[int]:
    """Descriptors of the namespaces of the first process that is still there. Raises `OSError` when none is."""
    for pid in those:
        opened: list[int] = []
        try:
            for kind in kinds:
                opened.append(os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC))
        except FileNotFoundError:
            for descriptor in opened:
                os.close(descriptor)
        else:
            return opened
    raise FileNotFoundError(errno.ENOENT, "every process of these namespaces has ended")


def end_kin(run_id: str, grace: float) -> None:
    """Ends the processes of the run in all user namespaces of this user's. What stays is left to whoever looks next."""
    for those in own_namespaces().values():
        _within(those, lambda: bool(pids.end_marked(run_id, grace)))


def _owner(descriptor: int) -> int:
    try:
        answer = fcntl.ioctl(descriptor, NS_GET_OWNER_UID, struct.pack("=I", 0))
    except OSError:
        return -1
    owner: int = struct.unpack("=I", answer)[0]
    return owner


def _within(those: Iterable[int], work: Callable[[], bool]) -> int:
    """Does `work` in the user namespace of processes: DONE when it returns true, NOTHING when false, else FAILED."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        code = FAILED
        try:
            setns(open_namespaces(those, ("user",))[0], CLONE_NEWUSER)
            code = DONE if work() else NOTHING
        except OSError:
            code = FAILED  # it went away meanwhile
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)
