"""Who the dashboard's process is: a user of its own where it is started by root."""

import os
from pathlib import Path

DASHBOARD_USER = 0x7FFE_0000
"""The uid and gid after the last that any node has (`farm.backends.forked`)."""


def dashboard_user() -> int | None:
    """The uid and gid that the dashboard's process becomes; None where it stays this user, who is not root, or root of
    a user namespace that has no such user."""
    if os.geteuid() != 0:
        return None
    try:
        lines = Path("/proc/self/uid_map").read_text().splitlines()
    except OSError:
        return None
    spans = [tuple(map(int, line.split())) for line in lines]
    return DASHBOARD_USER if any(first <= DASHBOARD_USER < first + count for first, _, count in spans) else None
