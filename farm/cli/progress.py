"""How far `farm up` has come, from the supervisor's events: one line that moves, or a few lines in a log.

Starting 500 nodes takes seconds; without a sign of life people press Ctrl-C. On a terminal the line is written over
itself and wiped away in the end, so that what stays on the screen is the table. In a pipe each phase gets one line.
"""

import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from farm.cli.terminal import is_terminal, note

DOING = {"start": "starting", "ready": "waiting for ports", "probe": "asking each node", "stop": "stopping"}
INTERVAL = 0.05
"""Seconds between two paintings of the line."""


class Progress:
    """Shows the events it is called with; a context, so that the line is gone whatever happens."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._moving = is_terminal(sys.stderr)
        self._painted = 0.0
        self._shown = ""
        self._finished: set[str] = set()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._wipe()

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Takes one event of `Link.call`; others than progress and trouble say nothing here."""
        kind = event.get("event")
        if kind == "progress":
            self._count(str(event["phase"]), int(event["done"]), int(event["total"]))
        elif kind == "waiting" or (kind == "node" and event.get("state") in ("restarting", "crash-loop")):
            self._wipe()
            note(str(event.get("text", "")))

    def _count(self, phase: str, done: int, total: int) -> None:
        text = f"{DOING.get(phase, phase)}: {done} of {total}"
        if self._moving:
            now = time.monotonic()
            if done == total or now - self._painted >= INTERVAL:
                self._painted = now
                self._paint(text)
        elif done == total and total and phase not in self._finished and not self._quiet:
            self._finished.add(phase)
            note(text)

    def _paint(self, text: str) -> None:
        blank = " " * max(0, len(self._shown) - len(text))
        print(f"\r{text}{blank}", end="", file=sys.stderr, flush=True)
        self._shown = text

    def _wipe(self) -> None:
        if self._shown:
            print(f"\r{' ' * len(self._shown)}\r", end="", file=sys.stderr, flush=True)
            self._shown = ""
