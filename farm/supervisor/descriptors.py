"""What a supervisor needs of the system: two descriptors a shard, one for its process and one for what it says.

A farm that cannot fit is refused with the figure before anything is started, and not half-way up.
"""

import contextlib
import resource

from farm.errors import FarmError

EACH = 2
RESERVE = 192
"""Descriptors beside: probes on their way, commands that ask, the nursery, files."""


def raise_limit() -> None:
    """Takes all that the system allows without asking for rights."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # macOS has a lower limit of its own behind "unlimited"
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def check(shards: int) -> None:
    """Refuses more shards than can be watched. Raises `FarmError` with both figures."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = EACH * shards + RESERVE
    if soft != resource.RLIM_INFINITY and needed > soft:
        raise FarmError(
            f"{shards} shards need {needed} descriptors in their supervisor, this user may have {soft}: "
            "put more nodes in a shard (`shard`), or raise `ulimit -Hn`"
        )
