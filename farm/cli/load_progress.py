"""How a load test goes, while it goes: one line that moves, or one in ten seconds where there is no terminal."""

import sys
from types import TracebackType

from farm.cli.terminal import is_terminal, note
from farm.load.report import span, time_text
from farm.load.run import Glance

EVERY = 10
"""Seconds between two lines in a pipe."""


class LoadProgress:
    """Shows the glances it is called with; a context, so that the line is gone whatever happens."""

    def __init__(self) -> None:
        self._moving = is_terminal(sys.stderr)
        self._shown = ""

    def __enter__(self) -> "LoadProgress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._paint("")

    def __call__(self, glance: Glance) -> None:
        """Takes one glance."""
        text = line(glance)
        if self._moving:
            self._paint(text)
        elif glance.at and glance.at % EVERY == 0:
            note(text)

    def _paint(self, text: str) -> None:
        if self._moving and (text or self._shown):
            blank = " " * max(0, len(self._shown) - len(text))
            back = "" if text else f"\r{blank}\r"
            print(f"\r{text}{blank}" if text else back, end="", file=sys.stderr, flush=True)
            self._shown = text


def line(glance: Glance) -> str:
    """`12s of 10m  500 clients  sent 500/s  answered 500/s  p50 1.2 ms  p99 8.1 ms  0 errors`."""
    if not glance.at:
        return f"connecting: {glance.connected} of {glance.clients}"
    if glance.at > glance.duration:
        return "waiting for the last answers"
    p50, p99 = glance.last.answers.quantiles((0.5, 0.99))
    clients = str(glance.clients) if glance.connected == glance.clients else f"{glance.connected} of {glance.clients}"
    return (
        f"{span(glance.at)} of {span(glance.duration)}  {clients} clients  sent {glance.last.sent}/s  "
        f"answered {glance.last.answers.total}/s  p50 {time_text(p50)}  p99 {time_text(p99)}  {glance.errors} errors"
    )
