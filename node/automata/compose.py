"""Automata out of automata: one after the other, one of several, over and over. Expressions of a few lines are
greenery's; a grammar of them has hundreds of states on its way, which take it minutes and this no second.

Thompson's construction, the subset construction and Moore's minimisation, over ranges of symbols.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise

from node.automata.automaton import Automaton, Rows, Span
from node.record import dataclass

Leaf = Callable[[str], Automaton]
"""What makes an automaton of an expression."""


@dataclass(frozen=True, slots=True)
class Then:
    """All `parts`, in order."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """One of `parts`."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Many:
    """`part`, as often as one likes, or not at all."""

    part: Part


Part = str | Then | Either | Many
"""A regular expression, or what is made of such."""


def then(*parts: Part) -> Then:
    """All of them, in order."""
    return Then(parts)


def either(*parts: Part) -> Either:
    """One of them."""
    return Either(parts)


def maybe(*parts: Part) -> Either:
    """All of them, in order, or nothing."""
    return Either((Then(parts), Then(())))


def many(*parts: Part) -> Many:
    """All of them, in order, as often as one likes."""
    return Many(Then(parts))


def listed(item: Part, blanks: str, most: int = 0) -> Part:
    """Items with commas between, and blanks around each; `most` of them, 0 for as many as one likes."""
    first = then(blanks, item, blanks)
    more = then(",", first)
    if not most:
        return then(first, Many(more))
    rest: Part = then()
    for _ in range(most - 1):
        rest = maybe(more, rest)
    return then(first, rest)


class _Nondeterministic:
    """States with ranges and with free ways between them."""

    def __init__(self, leaf: Leaf) -> None:
        self.ways: list[list[tuple[Span, int]]] = []
        self.free: list[list[int]] = []
        self._leaf = leaf

    def state(self) -> int:
        self.ways.append([])
        self.free.append([])
        return len(self.ways) - 1

    def add(self, part: Part) -> tuple[int, int]:
        """(first, last) state of a part."""
        first, last = self.state(), self.state()
        if isinstance(part, str):
            made = self._leaf(part)
            numbers = [self.state() for _ in made.rows]
            for number, row in zip(numbers, made.rows, strict=True):
                self.ways[number] = [(span, numbers[to]) for span, to in row]
            self.free[first].append(numbers[0])
            for number in made.accepting:
                self.free[numbers[number]].append(last)
        elif isinstance(part, Then):
            at = first
            for each in part.parts:
                begin, end = self.add(each)
                self.free[at].append(begin)
                at = end
            self.free[at].append(last)
        elif isinstance(part, Either):
            for each in part.parts:
                begin, end = self.add(each)
                self.free[first].append(begin)
                self.free[end].append(last)
        else:
            begin, end = self.add(part.part)
            self.free[first] += [begin, last]
            self.free[end] += [begin, last]
        return first, last

    def reached(self, states: Iterable[int]) -> frozenset[int]:
        """Those, and all that can be come to without a symbol."""
        found = set(states)
        waiting = list(found)
        while waiting:
            for to in self.free[waiting.pop()]:
                if to not in found:
                    found.add(to)
                    waiting.append(to)
        return frozenset(found)


def compose(part: Part, leaf: Leaf) -> Automaton:
    """The minimal automaton of a part, its states in the order that a walk meets them: always the same."""
    machine = _Nondeterministic(leaf)
    first, last = machine.add(part)
    rows, accepting = _deterministic(machine, first, last)
    return Automaton(*minimal(rows, accepting))


def _deterministic(machine: _Nondeterministic, first: int, last: int) -> tuple[Rows, frozenset[int]]:
    begin = machine.reached([first])
    numbers = {begin: 0}
    queue = [begin]
    rows: list[tuple[tuple[Span, int], ...]] = []
    for states in queue:
        row: list[tuple[Span, int]] = []
        for span, targets in split(way for state in states for way in machine.ways[state]):
            reached = machine.reached(targets)
            if reached not in numbers:
                numbers[reached] = len(numbers)
                queue.append(reached)
            row.append((span, numbers[reached]))
        rows.append(tuple(row))
    return tuple(rows), frozenset(number for states, number in numbers.items() if last in states)


def split(ways: Iterable[tuple[Span, int]]) -> list[tuple[Span, list[int]]]:
    """Ranges that overlap as ranges that do not, each with all that it leads to."""
    known = list(ways)
    edges = sorted({edge for (low, high), _ in known for edge in (low, high + 1)})
    pieces: list[tuple[Span, list[int]]] = []
    for low, after in pairwise(edges):
        targets = [to for (begin, end), to in known if begin <= low <= end]
        if targets:
            pieces.append(((low, after - 1), targets))
    return pieces


def minimal(rows: Rows, accepting: frozenset[int]) -> tuple[Rows, frozenset[int]]:
    """As few states as do the same, in the order that a walk from the first meets them. Moore's way: states are alike
    until where they lead tells them apart."""
    kinds = [int(number in accepting) for number in range(len(rows))]
    count = 0
    while count != len(set(kinds)):
        count = len(set(kinds))
        seen: dict[object, int] = {}
        kinds = [
            seen.setdefault((kinds[number], joined((span, kinds[to]) for span, to in row)), len(seen))
            for number, row in enumerate(rows)
        ]
    order = {kinds[0]: 0}
    queue = [0]
    made: list[tuple[tuple[Span, int], ...]] = []
    for number in queue:
        for _, to in sorted(rows[number]):
            if kinds[to] not in order:
                order[kinds[to]] = len(order)
                queue.append(to)
        made.append(joined((span, order[kinds[to]]) for span, to in rows[number]))
    return tuple(made), frozenset(order[kinds[number]] for number in accepting)


def joined(row: Iterable[tuple[Span, int]]) -> tuple[tuple[Span, int], ...]:
    """A row in order, neighbours that lead to the same as one."""
    made: list[tuple[Span, int]] = []
    for (low, high), to in sorted(row):
        if made and made[-1][1] == to and made[-1][0][1] + 1 == low:
            made[-1] = ((made[-1][0][0], high), to)
        else:
            made.append(((low, high), to))
    return tuple(made)
