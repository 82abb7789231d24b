"""Whether this machine's kernel can delay what a link sends: tried, for no version number tells."""

import functools
import os
import subprocess
import sys
import threading

from farm.backends.netns_qdiscs import put_netem
from farm.backends.netns_spaces import CLONE_NEWNET, CLONE_NEWUSER, unshare
from farm.backends.rtnetlink import LOOPBACK, Rtnetlink

CURE = "modprobe sch_netem, or a kernel that has it: apt-get install linux-image-amd64"


@functools.cache
def netem_available() -> bool:
    """Whether a network namespace of this machine takes netem. An ordinary user's answer comes from a process of its
    own, since only that can enter a user namespace. Tried once in a process's life."""
    try:
        return _in_a_thread()
    except OSError:
        command = [sys.executable, "-m", __spec__.name]
        try:
            return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            return False


def _in_a_thread() -> bool:
    """Tries it in a namespace that ends with a thread. Raises `OSError` where none may be made."""
    outcome: list[bool | OSError] = []

    def work() -> None:
        try:
            unshare(CLONE_NEWNET)
        except OSError as exc:
            outcome.append(exc)
        else:
            outcome.append(_takes_netem())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if isinstance(outcome[0], OSError):
        raise outcome[0]
    return outcome[0]


def _takes_netem() -> bool:
    """Tries it in the calling thread's namespace, which must be a new one."""
    try:
        with Rtnetlink() as kernel:
            kernel.send([put_netem(LOOPBACK, 0.001, 0.0, 0.0)])
    except OSError:
        return False
    return True


if __name__ == "__main__":
    try:
        unshare(CLONE_NEWNET | (CLONE_NEWUSER if os.geteuid() else 0))
    except OSError:
        sys.exit(2)
    sys.exit(0 if _takes_netem() else 1)
