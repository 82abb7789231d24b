"""What a regular expression comes to: a table of ranges, which says nothing of where it came from."""

from __future__ import annotations

from node.automata.states import state, state_input

Span = tuple[int, int]
"""Code points, or bytes, from the first to the last."""
Rows = tuple[tuple[tuple[Span, int], ...], ...]
"""For each state where ranges of symbols lead, the state to begin at first. What is not there leads nowhere."""

_LISTED = 64
"""Characters of a range that are listed one by one; a longer range stays one."""


class Automaton:
    """What an expression comes to: `rows`, and which of the states are `accepting`."""

    __slots__ = ("accepting", "rows")

    def __init__(self, rows: Rows, accepting: frozenset[int]) -> None:
        self.rows = rows
        self.accepting = accepting

    def states(self, text: bool) -> state:
        """The same as states, of characters or of bytes; the first of them. They are called 0', 2, 3 and so on, as the
        manual of 2016 draws them: 1 is where all else leads, which is no state here."""
        made = [
            state_input(str(number and number + 1), terminal=number in self.accepting)
            for number in range(len(self.rows))
        ]
        first = state("0'", terminal=0 in self.accepting)
        for number, row in enumerate(self.rows):
            for where in (made[number], *((first,) if number == 0 else ())):
                where.refuses = True  # so that a symbol that leads nowhere is said aloud
                for (low, high), target in row:
                    if text and high - low >= _LISTED:
                        where.spans.append((chr(low), chr(high), made[target]))
                    else:
                        for code in range(low, high + 1):
                            where.symbols[chr(code) if text else code] = made[target]
        return first
