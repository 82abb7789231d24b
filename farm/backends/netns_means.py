"""What this machine's kernel has to shape links with: tried in a new namespace by a process of its own.

python -m farm.backends.netns_means      prints the names of those that it took, of netem and tbf
"""

import os
import subprocess
import sys

from farm.backends.netns_netem import CURE as NETEM_CURE
from farm.backends.netns_qdiscs import put_netem, put_tbf, take_root
from farm.backends.netns_spaces import CLONE_NEWNET, CLONE_NEWUSER, unshare
from farm.backends.rtnetlink import LOOPBACK, Rtnetlink

__all__ = ["NETEM_CURE", "TBF_CURE", "find_means"]

TBF_CURE = "modprobe sch_tbf, else a kernel that has it (Debian: apt-get install linux-image-amd64)"
PATIENCE = 30.0


def find_means() -> frozenset[str] | None:
    """Of netem and tbf those that the kernel has; None where no namespace can be made to try them in."""
    try:
        command = [sys.executable, "-m", "farm.backends.netns_means"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return frozenset(done.stdout.split()) if done.returncode == 0 else None


def try_all() -> list[str]:
    """Those that the kernel takes, in a namespace that this process moves into. Raises `OSError` when it may not."""
    unshare(CLONE_NEWNET | (CLONE_NEWUSER if os.geteuid() else 0))
    wanted = {"netem": put_netem(LOOPBACK, 0.001, 0.0, 0.0), "tbf": put_tbf(LOOPBACK, 1_000_000, 1500)}
    taken = []
    for name, message in wanted.items():
        with Rtnetlink() as kernel:
            try:
                kernel.send([message])
                kernel.send([take_root(LOOPBACK)])
            except OSError:
                continue
            taken.append(name)
    return taken


if __name__ == "__main__":
    print(*try_all())
