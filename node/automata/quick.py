"""A run over a whole block, when nobody watches: each row of the table holds the rows it leads to, so that a symbol
costs one look-up. Rows are filled by what comes, since texts use few of all characters there are.

What was kept is cut out of the block afterwards where a symbol's fate is the same wherever it comes, which is nearly
always so; else it is collected by a second run over the same rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from node.automata.gathered import Gathered
from node.automata.sources import Block, Symbol, peekable

if TYPE_CHECKING:
    from node.automata.table import Step, Table

Row = dict[Any, Any]
"""Symbol to the row of the step that takes it; None, which is no symbol, to the step that the row is of."""

_REMEMBERED = 4096
"""Symbols that a row remembers."""
_FEW = 4
"""Characters that are quicker dropped one after the other."""


def row_of(step: Step) -> Row:
    """The row of a step, the same each time."""
    if step.quick is None:
        step.quick = {None: step}
    return step.quick


def run_quick(table: Table, step: Step, source: peekable, kept: Gathered | None) -> tuple[Step, bool]:
    """From `step` over what is in the source's block; where it came to, and whether it came to the block's end. If not,
    the next symbol leads nowhere, or to a machine that must be called."""
    begun = row = step.quick or row_of(step)
    at, block = source.at, source.block
    if at:
        block = block[at:]
    symbols = iter(block)
    symbol: Symbol = None
    while True:
        try:
            for symbol in symbols:
                row = row[symbol]
        except KeyError:
            row_there = next_row(table, row, symbol)
            if row_there is not None:
                row = row_there
                continue
            block = block[: len(block) - symbols.__length_hint__() - 1]  # type: ignore[attr-defined]
            whole = False
        else:
            whole = True
        break
    if block:
        source.at = at + len(block)
        if kept is not None:
            _keep(table, begun, block, kept)
    found: Step = row[None]
    return found, whole


def next_row(table: Table, row: Row, symbol: Symbol) -> Row | None:
    """Where a symbol leads that the row does not know yet; None for nowhere, or not so simply."""
    step = table.follow(row[None], symbol)
    if step is None:
        return None
    found = row_of(step)
    if len(row) < _REMEMBERED:
        row[symbol] = found
    return found


def _keep(table: Table, row: Row, block: Block, kept: Gathered) -> None:
    if table.fate is not None:
        keep, dropped = table.fate
        rest = without(block, dropped) if dropped else block
        if keep >= 0 and rest:
            kept.add(keep, rest)
        return
    parts: dict[int, list[Symbol]] = {}
    for symbol in block:
        row = row.get(symbol) or next_row(table, row, symbol) or row
        keep = row[None].keep
        if keep >= 0:
            parts.setdefault(keep, []).append(symbol)
    for keep, symbols in parts.items():
        kept.add(keep, "".join(symbols) if isinstance(block, str) else type(block)(symbols))


def without(block: Block, dropped: frozenset[Symbol]) -> Block:
    """The block without those symbols."""
    if isinstance(block, bytes):
        return block.translate(None, bytes(symbol for symbol in dropped if type(symbol) is int))
    if isinstance(block, list):
        return [symbol for symbol in block if symbol not in dropped]
    if len(dropped) > _FEW:
        return block.translate({ord(symbol): None for symbol in dropped if isinstance(symbol, str)})
    for symbol in dropped:
        block = block.replace(symbol, "")
    return block
