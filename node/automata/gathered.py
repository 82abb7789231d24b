"""What a run keeps of its input, and puts into the data: a text of characters, bytes of bytes, else a list.

Who watches sees it grow, as a list that shows itself as what it will be; when the run ends it is that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from node.automata.sources import Block, Symbol, joined, peekable

if TYPE_CHECKING:
    from node.automata.dotted import dotdict


class growing(list[Any]):
    """Symbols so far; equal to, and shown as, the text or bytes that they are. `like` is a block of that kind."""

    def __init__(self, like: Block) -> None:
        super().__init__()
        self.like = like[:0]

    @property
    def whole(self) -> Block:
        """As the run will leave it."""
        if isinstance(self.like, str):
            return "".join(self)
        return bytes(self) if isinstance(self.like, bytes) else list(self)

    def __eq__(self, other: object) -> bool:
        return bool(self.whole == (other.whole if isinstance(other, growing) else other))

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # it grows

    def __str__(self) -> str:
        return str(self.whole)

    def __repr__(self) -> str:
        return repr(self.whole)


class Gathered:
    """What goes to each of `paths` below `path` in `data`, behind what is there already."""

    def __init__(self, paths: list[str], data: dotdict, path: str, source: peekable) -> None:
        self._paths = paths
        self._data = data
        self._prefix = f"{path}." if path else ""
        self._source = source
        self._blocks: dict[int, list[Block]] = {}
        self._growing: dict[int, growing] = {}

    def add(self, keep: int, block: Block) -> None:
        """More of a path's symbols."""
        blocks = self._blocks.get(keep)
        if blocks is None:
            before = self._data.get(self._prefix + self._paths[keep]) if self._data else None
            blocks = self._blocks[keep] = [before] if isinstance(before, str | bytes | list) and before else []
        blocks.append(block)

    def watched(self) -> list[Callable[[Symbol], None]]:
        """A function for each path that takes a symbol, and one, the last, for symbols that are dropped."""
        functions: list[Callable[[Symbol], None]] = []
        for keep in range(len(self._paths)):
            functions.append(self._first(keep, functions))
        functions.append(_drop)
        return functions

    def settle(self) -> None:
        """The run is over."""
        for keep, symbols in self._growing.items():
            self._data[self._prefix + self._paths[keep]] = symbols.whole
        for keep, blocks in self._blocks.items():
            self._data[self._prefix + self._paths[keep]] = _joined(blocks)

    def _first(self, keep: int, functions: list[Callable[[Symbol], None]]) -> Callable[[Symbol], None]:
        """Takes a path's first symbol, and leaves the next to the list itself."""

        def take(symbol: Symbol) -> None:
            name = self._prefix + self._paths[keep]
            before = self._data.get(name) if self._data else None
            symbols = self._growing[keep] = growing(self._source.block)
            if isinstance(before, str | bytes | list):
                symbols.extend(before)
            symbols.append(symbol)
            self._data[name] = symbols
            functions[keep] = symbols.append

        return take


def _drop(symbol: Symbol) -> None:
    """Thrown away."""


def _joined(blocks: list[Block]) -> Block:
    first = blocks[0]
    if isinstance(first, str) and all(isinstance(block, str) for block in blocks):
        return "".join(blocks)  # type: ignore[arg-type]
    if isinstance(first, bytes) and all(isinstance(block, bytes) for block in blocks):
        return b"".join(blocks)  # type: ignore[arg-type]
    whole = first
    for block in blocks[1:]:
        whole = joined(whole, block)
    return whole
