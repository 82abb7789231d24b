"""Processes of a run: which is which, whether it lives, how it is ended without hitting another of the same pid.

A pid alone is nobody: it is used again. A process is its pid and start time, in one boot; it is looked up, held by a
pidfd, looked up again, and only then signalled. Where there is no /proc (macOS) the pid is all there is and the start
time is 0; the scan for a run's mark finds nothing there.
"""

import contextlib
import os
import select
import signal
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from farm.errors import BackendError
from node.control.messages import RUN_VARIABLE, start_time

PROC = Path("/proc")
KILL_SECONDS = 5.0
"""After SIGKILL, for a process that the kernel is busy with."""
SCAN_PAUSE = 0.02
DASHBOARD = "farm.dashboard"
"""The module that a run's dashboard is started as."""


def alive(pid: int, started: int) -> bool:
    """Whether that very process runs. A zombie does not; `started` 0 asks for the pid alone."""
    if pid <= 0:
        return False
    if PROC.joinpath("self").exists():
        found = start_time(pid)
        return found != 0 and started in (0, found)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def marked(run: str, passing: Iterable[int] = ()) -> list[tuple[int, int]]:
    """(pid, started) of every living process with the mark of `run` in its exec environment, by pid.

    This process is left out, those of `passing` too, and those whose environment this user may not read.
    """
    left_out = {os.getpid(), *passing}
    found = ((pid, marked_start(run, pid)) for pid in _pids() if pid not in left_out)
    return sorted((pid, started) for pid, started in found if started)


def marked_start(run: str, pid: int) -> int:
    """When the process `pid` was started, if it lives and bears the mark of `run`; else 0."""
    mark = f"{RUN_VARIABLE}={run}".encode()
    if mark not in _environment(pid):
        return 0
    started = start_time(pid)
    return started if mark in _environment(pid) else 0  # asked again: the pid may have passed to another in between


def is_dashboard(pid: int) -> bool:
    """Whether the process is a dashboard, which is of no plan: it bears a run's mark, and ends with the run."""
    try:
        return DASHBOARD.encode() in PROC.joinpath(str(pid), "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False


def send_signal(pid: int, started: int, signum: int) -> bool:
    """Signal that very process; false when it is gone. Raises PermissionError when it is another user's."""
    with _held(pid, started) as descriptor:
        if descriptor is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            _signal(pid, descriptor, signum)
        return True


def end(pid: int, started: int, grace: float) -> None:
    """End that very process: SIGTERM, after `grace` seconds SIGKILL; returns when it is gone.

    Raises `BackendError` when it does not go, or is not ours to signal.
    """
    with _held(pid, started) as descriptor:
        if descriptor is None:
            return
        for signum, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, KILL_SECONDS)):
            try:
                _signal(pid, descriptor, signum)
            except ProcessLookupError:
                return
            except PermissionError as exc:
                raise BackendError(str(pid), "stop", "this user may not signal that process") from exc
            if _wait(pid, started, descriptor, seconds):
                return
    raise BackendError(str(pid), "stop", f"the process is still there {KILL_SECONDS:g} s after SIGKILL")


def end_marked(run: str, grace: float) -> int:
    """End every process of the run but this one; how many there were. Stop whoever forks them before.

    Scans until two scans are empty, for one scan may pass a process that is being born. Raises `BackendError` with
    the pids that are left.
    """
    told: dict[tuple[int, int], float] = {}
    empty = 0
    give_up = time.monotonic() + grace + KILL_SECONDS
    while empty < 2:
        found = marked(run)
        now = time.monotonic()
        if found and now > give_up:
            pids = ", ".join(str(pid) for pid, _ in found)
            raise BackendError(run, "stop", f"processes that do not end: {pids}")
        for process in found:
            first = process not in told
            if first or now - told[process] > grace:
                told.setdefault(process, now)
                with contextlib.suppress(PermissionError):
                    send_signal(*process, signal.SIGTERM if first else signal.SIGKILL)
        empty = 0 if found else empty + 1
        time.sleep(SCAN_PAUSE)
    return len(told)


def _pids() -> list[int]:
    try:
        return [int(name) for name in os.listdir(PROC) if name.isdigit()]  # noqa: PTH208 - twice as fast for thousands
    except OSError:
        return []


def _environment(pid: int) -> list[bytes]:
    try:
        return PROC.joinpath(str(pid), "environ").read_bytes().split(b"\0")
    except OSError:
        return []


@contextlib.contextmanager
def _held(pid: int, started: int) -> Iterator[int | None]:
    """A descriptor that means this process whatever becomes of its pid; -1 where there are none, None if it is gone."""
    try:
        descriptor = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else -1
    except ProcessLookupError:
        yield None
        return
    try:
        yield descriptor if alive(pid, started) else None
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _signal(pid: int, descriptor: int, signum: int) -> None:
    if descriptor >= 0:
        signal.pidfd_send_signal(descriptor, signum)
    else:
        os.kill(pid, signum)


def _wait(pid: int, started: int, descriptor: int, seconds: float) -> bool:
    """Until the process is gone, `seconds` at most; true when it is."""
    if descriptor >= 0:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(seconds * 1000))
    give_up = time.monotonic() + seconds
    while alive(pid, started):
        if time.monotonic() > give_up:
            return False
        time.sleep(SCAN_PAUSE)
    return True
