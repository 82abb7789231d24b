"""What a verb shows that goes on until it is told to end: one line that is written over itself, and Ctrl-C heeded."""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from farm.cli.terminal import is_terminal

SHOWN_EVERY = 0.5


class MovingLine:
    """On a terminal, what `text` says now; gone in the end. Nothing elsewhere. A context."""

    def __init__(self, text: Callable[[], str]) -> None:
        self._text = text
        self._moving = is_terminal(sys.stderr)
        self._painted = 0.0
        self._shown = ""

    def __enter__(self) -> "MovingLine":
        return self

    def __exit__(self, *exc: object) -> None:
        self.wipe()

    def look(self) -> None:
        """Shows it, if it is time."""
        now = time.monotonic()
        if self._moving and now - self._painted >= SHOWN_EVERY:
            self._painted = now
            text = self._text()
            print(f"\r{text}{' ' * (len(self._shown) - len(text))}", end="", file=sys.stderr, flush=True)
            self._shown = text

    def wipe(self) -> None:
        """Makes room for a line that stays."""
        if self._shown:
            print(f"\r{' ' * len(self._shown)}\r", end="", file=sys.stderr, flush=True)
            self._shown = ""


@contextmanager
def told_to_end() -> Iterator[list[int]]:
    """Empty until SIGINT or SIGTERM comes; a second one has its usual effect."""
    told: list[int] = []
    before: dict[int, Any] = {}

    def note_it(signum: int, frame: FrameType | None) -> None:
        told.append(signum)
        signal.signal(signum, before[signum])

    for signum in (signal.SIGINT, signal.SIGTERM):
        before[signum] = signal.signal(signum, note_it)
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
