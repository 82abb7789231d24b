"""A deterministic finite automaton: states, of which some may be machines of their own.

`run` yields every step for who wants to watch; `consume` runs to the end in a fraction of the time. Both leave in the
source what they did not take, and in the data what they kept.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import Any, Self

from node.automata.dotted import dotdict
from node.automata.sources import WHOLE, Symbol, peekable
from node.automata.states import NonTerminal, shown, state
from node.automata.table import STOP, Pair, Step, Table

Amount = int | str | Callable[[dotdict, str], int] | None
"""A number; or the key in the data, below the path that the machine is run at, of one; or what tells it from both."""

_SHOWN = 12
"""Symbols that a message lists."""


class dfa(state):
    """A machine that begins at `initial`, and is a state itself, which others lead to and which leads on.

    `context` is where its data goes, below those of the machines around it; symbols that its states keep go to
    `<context>.input`. A `greedy` one goes on while a symbol leads somewhere, another ends at its first terminal state.
    `limit` is how many symbols it may take, `repeat` how often it runs, at `<context>[0]`, `<context>[1]` and so on.
    """

    def __init__(
        self,
        name: str | None = None,
        initial: state | None = None,
        *,
        terminal: bool = False,
        greedy: bool = True,
        context: str = "",
        limit: Amount = None,
        repeat: Amount = None,
    ) -> None:
        if initial is None:
            raise ValueError("a machine without a state to begin at")
        super().__init__(name if name is not None else initial.name, terminal=terminal)
        self._initial = initial
        self.greedy = greedy
        self.own_context = context
        self.limit = limit
        self.repeat = repeat
        self.current: state | None = None
        """Where the last run ended; None before it."""
        self._table: Table | None = None

    @property
    def initial(self) -> state:
        """Where it begins."""
        return self._initial

    @property
    def marked(self) -> bool:
        """Whether it was made terminal, whatever its states are."""
        return self._marked

    @property
    def terminal(self) -> bool:
        """Whether it was made terminal, and its last run ended in a terminal state."""
        return self._marked and self.accepted

    @property
    def accepted(self) -> bool:
        """Whether its last run ended in a terminal state."""
        return self.current is not None and self.current.terminal

    @property
    def settled(self) -> bool:
        """Whether a table can say all that it does, whatever the data."""
        return self.limit is None and self.repeat is None and type(self).ended is dfa.ended

    @property
    def table(self) -> Table:
        """What is run; made when first asked for, and by `compile`."""
        if self._table is None:
            self._table = Table(self)
        return self._table

    def compile(self) -> Self:
        """Makes the table anew, for states that were changed. Raises `ValueError` for a graph that cannot be run."""
        self._table = Table(self)
        return self

    def context(self, path: str = "") -> str:
        """Where its data goes, when it is run at `path`."""
        return f"{path}.{self.own_context}" if path and self.own_context else path or self.own_context

    def run(
        self, source: Iterable[Symbol] | None = None, data: dotdict | None = None, path: str = ""
    ) -> Generator[Pair, None, bool]:
        """Yields (machine, state) when a state is entered, before its symbol is taken; (machine, None) when a symbol
        leads nowhere or there is none now: the source may be given more before the generator is asked again. Symbols
        are kept in `data` below `path`. What the generator returns is what `consume` would have."""
        if self.settled:
            return self.table.watch(_source(source), self._scratch(data), self.context(path))
        return self.aloud(_source(source), self._scratch(data), path)

    def consume(self, source: Iterable[Symbol] | None = None, data: dotdict | None = None, path: str = "") -> bool:
        """Runs to the end at once; whether it ended in a terminal state."""
        if self.settled:
            return self.table.finish(_source(source), self._scratch(data), self.context(path)).accepted
        return self.silently(_source(source), self._scratch(data), path)

    def accepts(self, text: Iterable[Symbol]) -> bool:
        """Whether it ends in a terminal state, and with nothing left."""
        source = _source(text)
        return self.silently(source, self._scratch(None), "") and source.peek() is None

    def require(self, text: Iterable[Symbol]) -> None:
        """Raises `NonTerminal`, which says where, unless it accepts the whole of `text`."""
        source = _source(text)
        step = self.table.finish(source, self._scratch(None), self.context())
        got = source.peek()
        if step.accepted and got is None:
            return
        wanted = wanted_at(step)
        found = "the end" if got is None else shown(got)
        raise NonTerminal(f"at {source.sent + 1}: {found} where {wanted} was wanted", source.sent, wanted)

    def began(self, data: dotdict, path: str) -> None:
        """Called before each run of a machine that has an `ended` of its own."""

    def ended(self, source: peekable, data: dotdict | None, path: str) -> bool:
        """Called for each run that ended in a terminal state, with the path of its data; a subclass makes a value of
        it there. Whether it is accepted after all."""
        return True

    def silently(self, source: peekable, data: dotdict | None, path: str) -> bool:
        """One run, or as many as `repeat` says, within `limit`; whether all were accepted. `path` is that around it."""
        before = self._begin(source, data, path)
        try:
            for here in self._rounds(data, path):
                if data is not None:
                    self.began(data, here)
                step = self.table.finish(source, data, here)
                if not (step.accepted and self.ended(source, data, here)):
                    return False
        finally:
            self._end(source, before)
        return True

    def aloud(self, source: peekable, data: dotdict | None, path: str) -> Generator[Pair, None, bool]:
        """The same, as a generator of its steps, which returns it."""
        before = self._begin(source, data, path)
        try:
            for here in self._rounds(data, path):
                if data is not None:
                    self.began(data, here)
                accepted = yield from self.table.watch(source, data, here)
                if not (accepted and self.ended(source, data, here)):
                    return False
        finally:
            self._end(source, before)
        return True

    def name_centered(self, width: int = 24) -> str:
        """Its name, for columns."""
        return f"{self.name:^{width}}"

    def _scratch(self, data: dotdict | None) -> dotdict | None:
        """Data to run with: a machine that depends on it has some, whoever wants it."""
        return dotdict() if data is None and not (self.settled and self.table.settled) else data

    def _begin(self, source: peekable, data: dotdict | None, path: str) -> tuple[int | None] | None:
        self.current = None
        return None if self.limit is None else (source.narrow(amount(self.limit, data, path)),)

    def _end(self, source: peekable, before: tuple[int | None] | None) -> None:
        if before is not None:
            source.widen(before[0])

    def _rounds(self, data: dotdict | None, path: str) -> Iterable[str]:
        """The path of each run."""
        here = self.context(path)
        if self.repeat is None:
            return (here,)
        return (f"{here}[{number}]" for number in range(amount(self.repeat, data, path)))

    def note(self, step: Step) -> None:
        """Where this and each machine in it is, now that a run has ended."""
        last: state = step.state or self.initial
        for machine in reversed(step.chain):
            machine.current = last
            last = machine

    def __enter__(self) -> Self:
        self.current = None
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held: what a run needs is its own."""

    def __str__(self) -> str:
        return f"(({self.name}))" if self.marked else f"( {self.name} )"


def amount(wanted: Amount, data: dotdict | None, path: str) -> int:
    """What a limit, a size or a number of repetitions comes to. Raises `ValueError` for a key without a number."""
    if isinstance(wanted, int):
        return wanted
    data = dotdict() if data is None else data
    if callable(wanted):
        return wanted(data, path)
    key = f"{path}.{wanted}" if path else str(wanted)
    found = data.get(key)
    if not isinstance(found, int):
        raise ValueError(f"{key} is {found!r} in the data of a run, where a number was wanted")
    return found


def wanted_at(step: Step) -> str:
    """What could come at a step, in words: ranges of symbols, and the end where a machine may end."""
    symbols = sorted((symbol for symbol, found in step.next.items() if _leads(found, symbol)), key=_order)
    words = _ranges(symbols)
    words += [f"{shown(first)} to {shown(last)}" for first, last, found in step.spans if _leads(found, first)]
    if len(words) > _SHOWN:
        words[_SHOWN:] = ["…"]
    if not step.takes and step.call is not None:
        words.append(step.call.name)
    words += ["any other symbol"] if _leads(step.other, None) else []
    words += ["the end"] if step.accepted else []
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else "nothing"


def _leads(step: Step, symbol: Symbol) -> bool:
    """Whether a symbol is taken after all, which what is said aloud does not."""
    for _ in range(64):
        if step is STOP or step.takes or step.call is not None:
            return step is not STOP
        step = step.find(symbol) if symbol is not None else step.other
    return False


def _order(symbol: Symbol) -> tuple[int, Any]:
    return (ord(symbol), "") if isinstance(symbol, str) and len(symbol) == 1 else (0, str(symbol))


def _ranges(symbols: list[Symbol]) -> list[str]:
    """Symbols in words: letters and digits in a row as a range, marks in quotes, blanks as one."""
    words: list[str] = []
    blanks = [symbol for symbol in symbols if isinstance(symbol, str) and symbol.isspace()]
    symbols = [symbol for symbol in symbols if symbol not in blanks]
    begun = 0
    for at in range(1, len(symbols) + 1):
        if at < len(symbols) and _follows(symbols[at - 1], symbols[at]):
            continue
        run = symbols[begun:at]
        words += [f"{shown(run[0])} to {shown(run[-1])}"] if len(run) > 2 else map(_word, run)
        begun = at
    return words + (["a blank"] if blanks else [])


def _follows(first: Symbol, second: Symbol) -> bool:
    """Whether a symbol is the one after another, of the same kind."""
    if not isinstance(first, str) or not isinstance(second, str):
        return isinstance(first, int) and first + 1 == second
    return first.isalnum() and second.isalnum() and ord(first) + 1 == ord(second)


def _word(symbol: Symbol) -> str:
    return repr(symbol) if isinstance(symbol, str) and not symbol.isalnum() else shown(symbol)


def _source(source: Iterable[Symbol] | None) -> peekable:
    if isinstance(source, peekable):
        return source
    if source is None:
        raise ValueError("a machine needs a source to run over: a text, bytes, or an iterable of symbols")
    return peekable(source if isinstance(source, (*WHOLE, tuple, bytearray)) else iter(source))
