"""What the processes of a farm take: resident memory of each node's, a few at a time, and what the supervisor takes.

A figure of a node is at most `ROUND` seconds old. It is its process's, which a shard of several nodes shares; in a
container the pid is another machine's number or not readable, and nothing is said.
"""

import os
import time
from collections.abc import Callable, Iterable, Sequence

ROUND = 30
"""Seconds in which every process is looked at once."""
MIB = 1 << 20


def resident(pid: int) -> float | None:
    """MiB of resident memory of a process; None where that cannot be known."""
    try:
        descriptor = os.open(f"/proc/{pid}/statm", os.O_RDONLY)
    except OSError:
        return None
    try:
        pages = int(os.read(descriptor, 128).split()[1])
    except (OSError, IndexError, ValueError):
        return None
    finally:
        os.close(descriptor)
    return round(pages * os.sysconf("SC_PAGE_SIZE") / MIB, 1)


class NodeMemory:
    """Resident memory by pid; `look` is the world, for tests."""

    def __init__(self, look: Callable[[int], float | None] = resident) -> None:
        self._look = look
        self._found: dict[int, float] = {}
        self._next = 0

    def tick(self, pids: Sequence[int]) -> None:
        """Looks at the next few of `pids`, which are all there are; called once a second."""
        share = -(-len(pids) // ROUND)
        for pid in [pids[(self._next + step) % len(pids)] for step in range(share)]:
            found = self._look(pid)
            if found is None:
                self._found.pop(pid, None)
            else:
                self._found[pid] = found
        self._next = (self._next + share) % len(pids) if pids else 0
        if len(self._found) > len(pids):
            self._keep(pids)

    def of(self, pid: int) -> float | None:
        """MiB of a process, None where nobody has looked or could."""
        return self._found.get(pid)

    def _keep(self, pids: Iterable[int]) -> None:
        kept = set(pids)
        self._found = {pid: mib for pid, mib in self._found.items() if pid in kept}


class OwnUsage:
    """This process: its CPU since the last time it was asked for, and its memory."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._last = (self._began, time.process_time())
        self._percent = 0.0

    def tick(self) -> None:
        """A second passed."""
        now, cpu = self._clock(), time.process_time()
        if now > self._last[0]:
            self._percent = 100 * (cpu - self._last[1]) / (now - self._last[0])
        self._last = now, cpu

    def shown(self) -> dict[str, float | int | None]:
        """As the farm's line has it; 100 % is one core."""
        return {
            "pid": os.getpid(),
            "cpu_percent": round(self._percent, 1),
            "rss_mib": resident(os.getpid()),
            "uptime_s": round(self._clock() - self._began, 1),
        }
