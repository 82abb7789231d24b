"""Machines of regular expressions, of text or of bytes.

greenery makes a minimal automaton of an expression, in 4 to 114 ms: a machine asks it when it is first run, and
expressions that were asked for stay known. Grammars of our own are tables already (`grammars.py`) and ask nobody.

An expression always means the whole of what is taken; `^`, `$` and look-around are not part of the language, a dot is
any character at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from node.automata.automaton import Automaton, Rows, Span
from node.automata.compose import minimal
from node.automata.machine import Amount, dfa
from node.automata.states import state
from node.automata.utf8 import byte_rows
from node.errors import NodeError

_LAST = 0x10FFFF


class PatternError(NodeError):
    """A regular expression that cannot be one here, or greenery is not installed."""


class regex(dfa):
    """The machine of a regular expression over text. `name` is the expression, when none is given. Raises
    `PatternError` when it is first run, for one that is none."""

    text = True

    def __init__(
        self,
        name: str | None = None,
        initial: str | bytes | Automaton = "",
        *,
        terminal: bool = False,
        greedy: bool = True,
        context: str = "input",
        limit: Amount = None,
        repeat: Amount = None,
    ) -> None:
        self.pattern = initial
        self._first: state | None = None
        title = name if name is not None else repr(initial) if isinstance(initial, str | bytes) else "table"
        super().__init__(
            title,
            state(title),
            terminal=terminal,
            greedy=greedy,
            context=context,
            limit=limit,
            repeat=repeat,
        )

    @property
    def initial(self) -> state:
        """The first state, which asks for the automaton."""
        if self._first is None:
            pattern = self.pattern
            made = pattern if isinstance(pattern, Automaton) else automaton(pattern, self.text)
            self._first = made.states(self.text)
        return self._first


class regex_bytes(regex):
    """The same over bytes: an expression in text is that of its UTF-8, one in bytes is taken byte by byte."""

    text = False


@lru_cache(maxsize=256)
def automaton(pattern: str | bytes, text: bool = True) -> Automaton:
    """The minimal automaton of an expression, over characters or bytes. Raises `PatternError`."""
    whole = pattern if isinstance(pattern, str) else pattern.decode("latin-1")
    rows, accepting = _parsed(whole)
    if text:
        return Automaton(rows, accepting)
    if isinstance(pattern, bytes):
        cut = tuple(tuple(((low, min(high, 0xFF)), to) for (low, high), to in row if low <= 0xFF) for row in rows)
        return Automaton(cut, accepting)
    return Automaton(*byte_rows(rows, accepting))


def _parsed(pattern: str) -> tuple[Rows, frozenset[int]]:
    """Where ranges lead from each live state, and which accept; the same each time."""
    try:
        import greenery
    except ImportError as exc:
        message = 'greenery is missing, regular expressions stand on it: pip install "plcfarm[automata]"'
        raise PatternError(message) from exc
    try:
        machine = greenery.parse(pattern).to_fsm().reduce()
    except Exception as exc:  # of its own kind, and IndexError for a bracket that is not closed
        raise PatternError(f"{pattern!r} is no regular expression that can be run here: {exc}") from exc
    live = {number for number in machine.states if machine.islive(number)}
    numbers = {number: at for at, number in enumerate([machine.initial, *(live - {machine.initial})])}
    rows = tuple(
        tuple(
            (span, numbers[target])
            for kind, target in machine.map[number].items()
            if target in live
            for span in _spans(kind)
        )
        for number in numbers
    )
    return minimal(rows, frozenset(numbers[number] for number in machine.finals & live))


def _spans(kind: Any) -> Iterator[Span]:
    """The ranges of one of greenery's classes of characters."""
    at = 0
    if not kind.negated:
        yield from kind.ord_ranges
        return
    for low, high in kind.ord_ranges:
        if at < low:
            yield at, low - 1
        at = high + 1
    if at <= _LAST:
        yield at, _LAST
