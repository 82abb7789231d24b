"""A machine in whose place another is run, by what was read before: a field that says what follows."""

from __future__ import annotations

from collections.abc import Callable, Generator

from node.automata.dotted import dotdict
from node.automata.machine import Amount, amount, dfa
from node.automata.sources import peekable
from node.automata.states import state
from node.automata.table import Pair


class choice(dfa):
    """Runs the machine that `choose` picks from the data and the path around it; None accepts without a symbol. With a
    `size`, which is an amount, it must take just as many symbols."""

    def __init__(
        self,
        name: str,
        choose: Callable[[dotdict, str], dfa | None],
        *,
        size: Amount = None,
        terminal: bool = False,
        context: str = "",
    ) -> None:
        super().__init__(name, state(name, terminal=True), terminal=terminal, context=context)
        self.choose = choose
        self.size = size

    @property
    def settled(self) -> bool:
        """It depends on the data."""
        return False

    def silently(self, source: peekable, data: dotdict | None, path: str) -> bool:
        """Runs the other to its end."""
        wanted, begun, before = self._sized(source, data, path)
        try:
            machine = self._chosen(data, path)
            accepted = machine is None or machine.silently(source, data, self.context(path))
        finally:
            source.widen(before)
        return self._note_end(accepted and wanted in (None, source.sent - begun))

    def aloud(self, source: peekable, data: dotdict | None, path: str) -> Generator[Pair, None, bool]:
        """The same, as a generator of the other's steps."""
        wanted, begun, before = self._sized(source, data, path)
        try:
            machine = self._chosen(data, path)
            accepted = machine is None or (yield from machine.aloud(source, data, self.context(path)))
        finally:
            source.widen(before)
        return self._note_end(accepted and wanted in (None, source.sent - begun))

    def _chosen(self, data: dotdict | None, path: str) -> dfa | None:
        return self.choose(dotdict() if data is None else data, path)

    def _sized(self, source: peekable, data: dotdict | None, path: str) -> tuple[int | None, int, int | None]:
        """The symbols that it must take, those that were taken before, and what `widen` wants."""
        if self.size is None:
            return None, source.sent, source.narrow(_EVERYTHING)
        wanted = amount(self.size, data, path)
        return wanted, source.sent, source.narrow(wanted)

    def _note_end(self, accepted: bool) -> bool:
        self.current = self.initial if accepted else None
        return accepted


_EVERYTHING = 1 << 62
