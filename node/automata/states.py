"""States, and where symbols lead from them. A graph of them, begun at one, is what a `dfa` runs.

    E["a"] = A            on the symbol "a"
    A["b", "c"] = B       on any of several; a set or a list of them does as well
    B[True] = C           on any other symbol
    C[None] = D           without a symbol, where none of the above is next
    D[True] = None        any other symbol leads nowhere, and a run says so

Symbols are characters of a text, integers of bytes (`b"a"` is 97), or whatever can be hashed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from node.automata.sources import Symbol
from node.errors import NodeError

ANY, NOTHING = True, None
"""What transitions on any other symbol, and on none, are set by."""

SEVERAL = (tuple, list, set, frozenset)


class NonTerminal(NodeError):
    """A text that a machine does not accept. `position` counts the symbols before the one that led nowhere, `wanted`
    says in words what could have come there."""

    def __init__(self, message: str, position: int, wanted: str) -> None:
        super().__init__(message)
        self.position = position
        self.wanted = wanted


class state:
    """A state that takes no symbol: what it is left by is still to come. `terminal` is where a machine may end."""

    takes = False
    """Whether a symbol is taken when the state is entered."""
    keeps = False
    """Whether that symbol goes to the data, under `<context>.input`."""

    def __init__(self, name: str, *, terminal: bool = False) -> None:
        self.name = name
        self.symbols: dict[Symbol, state | None] = {}
        """Where single symbols lead; None is said aloud."""
        self.spans: list[tuple[str, str, state | None]] = []
        """(first, last, where): ranges of characters, the same for many at once."""
        self.other: state | None = None
        self.refuses = False
        """Whether any other symbol leads nowhere aloud."""
        self.free: state | None = None
        self._marked = terminal

    @property
    def terminal(self) -> bool:
        """Whether a machine may end here."""
        return self._marked

    def __setitem__(self, key: Any, target: state | None) -> None:
        if key is ANY:
            self.other, self.refuses = target, target is None
        elif key is NOTHING:
            self.free = target
        elif isinstance(key, SEVERAL):
            for symbol in key:
                self[symbol] = target
        else:
            self.symbols[_symbol(key)] = target

    def __getitem__(self, key: Any) -> state | None:
        """Where a symbol leads, None for nowhere."""
        if key is NOTHING:
            return self.free
        if key is ANY:
            return self.other
        symbol = _symbol(key)
        if symbol in self.symbols:
            return self.symbols[symbol]
        return next((target for first, last, target in self.spans if first <= symbol <= last), self.other)

    def edges(self) -> Iterator[tuple[str, state | None]]:
        """(label, target) of every transition; symbols that lead to the same state share one."""
        together: dict[int, tuple[list[str], state | None]] = {}
        for symbol, target in self.symbols.items():
            together.setdefault(id(target), ([], target))[0].append(shown(symbol))
        for first, last, target in self.spans:
            together.setdefault(id(target), ([], target))[0].append(f"{shown(first)}-{shown(last)}")
        yield from ((" ".join(sorted(labels)), target) for labels, target in together.values())
        if self.other is not None or self.refuses:
            yield "any other", self.other
        if self.free is not None:
            yield "nothing", self.free

    def __str__(self) -> str:
        return f"(({self.name}))" if self.terminal else f"( {self.name} )"

    def __repr__(self) -> str:
        return f"<{self}>"


class state_input(state):
    """A state that takes the symbol it was entered by, and keeps it."""

    takes = True
    keeps = True


class state_drop(state):
    """A state that takes the symbol it was entered by, and throws it away."""

    takes = True


def shown(symbol: Symbol) -> str:
    """A symbol as people write it."""
    if isinstance(symbol, str) and len(symbol) == 1 and symbol.isprintable() and not symbol.isspace():
        return symbol
    return f"0x{symbol:02X}" if type(symbol) is int else repr(symbol)


def _symbol(key: Any) -> Symbol:
    return key[0] if isinstance(key, bytes) and len(key) == 1 else key
