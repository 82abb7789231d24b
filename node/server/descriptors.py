"""Connections are descriptors: take all that the system allows without asking for rights."""

import contextlib
import sys

if sys.platform != "win32":
    import resource


def raise_descriptor_limit() -> None:
    """Raises this process's soft limit of open files to its hard one, where there are such limits."""
    if sys.platform == "win32":
        return
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # macOS has a lower limit of its own behind "unlimited"
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
