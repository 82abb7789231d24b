"""Processes of a run within user namespaces that this user made, who from outside cannot see whose they are.

A node may be a subordinate user of its own, whose `/proc/PID/environ` is closed to this user outside. But whoever made
a user namespace is all-powerful in it: so each of this user's own is entered, by a process of its own, and looked into
from there (user_namespaces(7), ioctl_ns(2)).
"""

import fcntl
import os
import struct
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from farm.backends import pids
from farm.backends.netns_spaces import CLONE_NEWUSER, setns

NS_GET_OWNER_UID = 0xB704
NOTHING, DONE, FAILED = 0, 1, 2


def own_namespaces() -> dict[int, int]:
    """User namespaces that this user made and is not in: inode to a process in it."""
    here = os.stat("/proc/self/ns/user").st_ino  # noqa: PTH116 - a link to no file
    found: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            descriptor = os.open(folder / "ns/user", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            inode = os.fstat(descriptor).st_ino
            if inode != here and inode not in found and _owner(descriptor) == os.geteuid():
                found[inode] = int(folder.name)
        finally:
            os.close(descriptor)
    return found


def find_kin(run_id: str) -> int:
    """A process in a user namespace of this user's with processes of the run; 0 when there is none. This process must
    have one thread."""
    for pid in own_namespaces().values():
        if _within(pid, lambda: bool(pids.marked(run_id))) == DONE:
            return pid
    return 0


def end_kin(run_id: str, grace: float) -> None:
    """Ends the processes of the run in all user namespaces of this user's. What stays is left to whoever looks next."""
    for pid in own_namespaces().values():
        _within(pid, lambda: bool(pids.end_marked(run_id, grace)))


def _owner(descriptor: int) -> int:
    try:
        answer = fcntl.ioctl(descriptor, NS_GET_OWNER_UID, struct.pack("=I", 0))
    except OSError:
        return -1
    owner: int = struct.unpack("=I", answer)[0]
    return owner


def _within(pid: int, work: Callable[[], bool]) -> int:
    """Does `work` in the user namespace of a process: DONE when it returns true, NOTHING when false, else FAILED."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        code = FAILED
        try:
            descriptor = os.open(f"/proc/{pid}/ns/user", os.O_RDONLY)
            setns(descriptor, CLONE_NEWUSER)
            code = DONE if work() else NOTHING
        except OSError:
            code = FAILED  # it went away meanwhile
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)
