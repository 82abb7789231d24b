"""An automaton over characters as one over their UTF-8 (RFC 3629, 4): a range of code points is a few sequences of
ranges of bytes, and states stand between the bytes of one character."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

Span = tuple[int, int]
Rows = tuple[tuple[tuple[Span, int], ...], ...]
Tail = tuple[tuple[Span, ...], int]
"""Ranges of the bytes that must still come, and the state behind them."""

_ENDS = ((0x7F, 1), (0x7FF, 2), (0xD7FF, 3), (0xFFFF, 3), (0x10FFFF, 4))
"""The last code point of each length; surrogates, which no UTF-8 has, lie behind the third."""
_SURROGATES = (0xD800, 0xDFFF)


def byte_rows(rows: Rows, accepting: frozenset[int]) -> tuple[Rows, frozenset[int]]:
    """Rows and accepting states over bytes; the states of `rows` keep their numbers."""
    keys: dict[frozenset[Tail], int] = {}
    made: list[tuple[tuple[Span, int], ...]] = [()] * len(rows)
    waiting: list[tuple[int, frozenset[Tail]]] = [
        (number, frozenset((sequence, to) for span, to in row for sequence in sequences(*span)))
        for number, row in enumerate(rows)
    ]
    for number, tails in waiting:
        row: list[tuple[Span, int]] = []
        for span, rest in _led(tails):
            ends = [to for tail, to in rest if not tail]
            if ends:
                to = ends[0]
            elif rest in keys:
                to = keys[rest]
            else:
                to = keys[rest] = len(made)
                made.append(())
                waiting.append((to, rest))
            row.append((span, to))
        made[number] = tuple(row)
    return tuple(made), accepting


def sequences(low: int, high: int) -> Iterator[tuple[Span, ...]]:
    """The ranges of bytes that the code points from `low` to `high` are encoded by."""
    begun = 0
    for end, size in _ENDS:
        first, last = max(low, begun), min(high, end)
        begun = end + 1 if end + 1 != _SURROGATES[0] else _SURROGATES[1] + 1
        if first <= last:
            yield from _split(first, last, size)


def _split(low: int, high: int, size: int) -> Iterator[tuple[Span, ...]]:
    """The same within one length: cut until every byte but the leading ones may be anything."""
    for place in range(1, size):
        block = (1 << 6 * place) - 1
        if low & ~block != high & ~block:
            if low & block:
                yield from _split(low, low | block, size)
                yield from _split((low | block) + 1, high, size)
                return
            if high & block != block:
                yield from _split(low, (high & ~block) - 1, size)
                yield from _split(high & ~block, high, size)
                return
    yield tuple(zip(chr(low).encode(), chr(high).encode(), strict=True))


def _led(tails: frozenset[Tail]) -> Iterator[tuple[Span, frozenset[Tail]]]:
    """(bytes, what must come behind them), for bytes that are alike in that."""
    cuts = sorted({edge for (head, *_), _ in tails for edge in (head[0], head[1] + 1)})
    for low, after in pairwise(cuts):
        rest = frozenset(
            (tail, to) for (head, *tail_), to in tails if head[0] <= low <= head[1] for tail in (tuple(tail_),)
        )
        if rest:
            yield (low, after - 1), rest
