"""`farm ps --watch`: the fleet as it is now, once a second, in one place of a terminal or line after line in a pipe.

What is shown are the frames that the dashboard gets; a supervisor that was killed is started again and followed on.
"""

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from farm.cli.fleet_screen import screen
from farm.cli.terminal import is_terminal, note, say
from farm.supervisor.link import Link, NoSupervisor
from farm.supervisor.run_directory import RunDirectory

HOME, CLEAR_LINE, CLEAR_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"
ALTERNATE, BACK = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
"""Another screen without a cursor, and the one that was there before."""

FIELDS = (
    "condition",
    "requests_per_s",
    "p50_ms",
    "p99_ms",
    "connections",
    "errors_per_min",
    "restarts",
    "age_s",
    "faults_count",
)
"""Of a node in a frame, after its id."""

PLAIN = (160, 10_000)
"""Columns and lines in a pipe, where nothing need fit."""


class Fleet:
    """Rows that frames bring up to date. `ask` gives the rows, with what does not move."""

    def __init__(self, ask: Callable[[], Mapping[str, Any]]) -> None:
        self.farm: Mapping[str, Any] = {}
        self.rows: list[dict[str, Any]] = []
        self._ask = ask
        self._generation: int | None = None

    def take(self, frame: Mapping[str, Any]) -> None:
        """A frame came."""
        if frame["generation"] != self._generation:
            found = self._ask()
            self._generation, self.rows = found["generation"], [dict(row) for row in found["nodes"]]
        self.farm = frame["farm"]
        for number, *values in frame["nodes"]:
            if number < len(self.rows):
                self.rows[number].update(zip(FIELDS, values, strict=False))


def watch(run: RunDirectory) -> None:
    """Shows the fleet until Ctrl-C, or until the farm goes down."""
    moving = is_terminal(sys.stdout)
    with _own_screen() if moving else contextlib.nullcontext():
        for fleet in frames(run):
            columns, lines = shutil.get_terminal_size() if moving else PLAIN
            painted = moving and not os.environ.get("NO_COLOR")
            text = screen(fleet.farm, fleet.rows, columns, lines, painted=painted)
            if moving:
                sys.stdout.write(HOME + f"{CLEAR_LINE}\n".join(text) + CLEAR_LINE + CLEAR_BELOW)
                sys.stdout.flush()
            else:
                say("\n".join([*text, ""]))
    note(f"{run.name} went down")


def frames(run: RunDirectory) -> Iterator[Fleet]:
    """The fleet after each frame. Ends when the farm does. Raises `NoSupervisor` where none can be had."""
    while True:
        link = Link.open(run)
        fleet = Fleet(partial(link.ask, "nodes"))
        try:
            for body in link.call("fleet"):
                if body.get("event") == "fleet":
                    fleet.take(body["frame"])
                    yield fleet
        except NoSupervisor:
            if not run.exists():
                return
            time.sleep(0.2)  # it was killed: the next one is asked
            continue
        return


@contextlib.contextmanager
def _own_screen() -> Iterator[None]:
    sys.stdout.write(ALTERNATE)
    try:
        yield
    finally:
        sys.stdout.write(BACK)
        sys.stdout.flush()
