"""The page of a machine without a farm: served until one runs, then the farm's own is, at the same address.

It stays in the foreground. The sockets are this process's; whoever serves them is replaced when a farm comes or goes.
"""

import contextlib
import signal
import subprocess
import time
from collections.abc import Callable, Iterator

from farm.cli import dashboard_process
from farm.cli.dashboard_address import Listening, url_of
from farm.cli.plants import packaged
from farm.cli.terminal import note, program
from farm.dashboard.start import Start
from farm.dashboard.tokens import WRITE
from farm.errors import FarmError
from farm.supervisor.dashboard_user import dashboard_user
from farm.supervisor.link import RunDirectory, find_runs

LOOK_EVERY = 1.0
"""Seconds between two looks for a farm."""
GOING = 60.0
"""Seconds for one to go down after its dashboard was ended."""


def demos() -> tuple[tuple[str, str, str], ...]:
    """Name, title and command of each plant to begin with."""
    farm = program()
    return (
        ("waterworks", "A small water works: 12 controllers, EtherNet/IP and Modbus", f"{farm} demo"),
        ("tank-farm", "Five hundred tanks", f"{farm} up {packaged('tank-farm-500.yaml')}"),
        (
            "brewery",
            "A brewery by the Purdue model: four zones, two firewalls (namespaces, Linux only)",
            f"{farm} up {packaged('purdue.yaml')}",
        ),
    )


def serve_until_stopped(listening: Listening, name: str | None, say: Callable[[str], None]) -> None:
    """Serves the first page, and the farm `name`, or whichever comes, while there is one; until Ctrl-C."""
    url = url_of(listening.addresses)
    say(f"no farm is running; dashboard: {url}")
    note("it moves on to a farm as soon as one runs; Ctrl-C ends it")
    while True:
        run = _without_a_farm(listening, name)
        if dashboard_process.find(run) is not None:
            note(f"{run.name} has a dashboard of its own: `{program()} dashboard {run.name}`")
            _while_it_runs(run)
            continue
        code = 0
        with contextlib.suppress(FarmError):  # it went as it came
            with dashboard_process.starting(run):
                process, record = dashboard_process.serve(run, listening, attached=True)
            say(f"dashboard of {run.name}: {dashboard_process.link(run, record, WRITE)}")
            with ended(process):
                code = process.wait()
        if code == -signal.SIGTERM and not _goes(run):
            note(f"{run.name}: its dashboard was ended")
            return
        if run.dashboard_socket.exists():
            time.sleep(LOOK_EVERY)  # the farm is there and its page is not: that must not go round without a pause


def _without_a_farm(listening: Listening, name: str | None) -> RunDirectory:
    """Serves the first page until there is a farm, which is the result."""
    found = _farm(name)
    if found is not None:
        return found
    sockets = tuple(each.fileno() for each in listening.sockets)
    first = Start(
        sockets,
        listening.names,
        listening.any_address,
        listening.loopback,
        user=dashboard_user(),
        attached=True,
        demos=demos(),
    )
    process = dashboard_process.spawn(first, None, {})
    with ended(process):
        while found is None and process.poll() is None:
            time.sleep(LOOK_EVERY)
            found = _farm(name)
    if found is None:
        raise FarmError(f"the dashboard ended (exit code {process.returncode})")
    return found


def _farm(name: str | None) -> RunDirectory | None:
    """A farm whose supervisor listens."""
    for run in find_runs():
        if name in (None, run.name) and run.dashboard_socket.exists():
            return run
    return None


def _goes(run: RunDirectory) -> bool:
    """Waits for a farm whose dashboard was ended, as is done first when it is taken down; whether it is gone. A
    process with its mark that began now would stand in its way."""
    give_up = time.monotonic() + GOING
    while run.dashboard_socket.exists():
        if time.monotonic() > give_up:
            return False
        time.sleep(LOOK_EVERY / 10)
    return True


def _while_it_runs(run: RunDirectory) -> None:
    while run.dashboard_socket.exists():
        time.sleep(LOOK_EVERY)


@contextlib.contextmanager
def ended(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Ends that process after all, however the block ends."""
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
