"""The one table under every machine: what a graph of states, and of machines in it, does on each symbol.

Machines within a machine are flattened: a step is a state with the machines that it is in. Where it leads is settled
once, by these rules, from the innermost machine outwards:

    a symbol that the state names, else a range of them, else any other, else none at all;
    where none of these is there, the machine around it gets the symbol, if the state is terminal;
    a machine that is not greedy does so at its first terminal state, before its own transitions.

Two ways through it give the same results: `watch` yields every step, `finish` runs over whole blocks (`quick.py`). What
depends on data, a limit, a number of repetitions or a value to be made, cannot be settled: such a machine is a step
that calls it.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, cast

from node.automata.gathered import Gathered
from node.automata.quick import Row, run_quick
from node.automata.sources import Symbol, peekable
from node.automata.states import state

if TYPE_CHECKING:
    from node.automata.dotted import dotdict
    from node.automata.machine import dfa

Chain = tuple["dfa", ...]
"""Machines, the outermost first, each a state of the one before."""
Pair = tuple["dfa", state | None]
Span = tuple[str, str, "Step"]
Move = tuple[Pair, bool, int, dict[Symbol, "Step"]]

DROPPED = -1
_OTHER, _END = object(), object()
"""In place of a symbol: one that no state names, and none."""
_REMEMBERED = 4096
"""Symbols that a step remembers of those it has no transition of its own for."""


class Step:
    """A state within its machines, or what a machine says when it is stuck there."""

    __slots__ = (
        "accepted",
        "call",
        "chain",
        "end",
        "keep",
        "leads",
        "move",
        "next",
        "other",
        "pair",
        "quick",
        "spans",
        "state",
        "takes",
        "then",
    )

    def __init__(self, chain: Chain, here: state | None, pair: Pair, accepted: bool) -> None:
        self.chain = chain
        self.state = here
        self.pair = pair
        """What who watches sees when it is entered."""
        self.accepted = accepted
        """Whether the outermost machine may end here."""
        self.takes = False
        self.keep = DROPPED
        """Which of the table's paths the symbol goes to."""
        self.next: dict[Symbol, Step] = {}
        self.leads: dict[Symbol, Step] = {}
        """Of these, and of those found since, the ones that lead somewhere."""
        self.spans: list[Span] = []
        self.other = self.end = self
        """Where all other symbols lead, and the end of what there is."""
        self.call: dfa | None = None
        self.then = (self, self)
        """Where it goes on when the machine that it calls has not accepted, and when it has."""
        self.quick: Row | None = None
        self.move: Move = (pair, False, DROPPED, {})
        """What `watch` needs to know of it, together."""

    def find(self, symbol: Symbol) -> Step:
        """Where a symbol leads, also one that is not in `next`; `STOP` for nowhere."""
        found = self.leads.get(symbol) or self.next.get(symbol)
        if found is None:
            found = next((step for first, last, step in self.spans if first <= symbol <= last), self.other)
            if len(self.leads) < _REMEMBERED and found is not STOP:
                self.leads[symbol] = found
        return found

    def settle(self, moves: Moves) -> None:
        """Takes what the rules gave."""
        self.next, self.spans, self.other, self.end = moves
        self.leads = {symbol: found for symbol, found in self.next.items() if found is not STOP}
        self.move = (self.pair, self.takes, self.keep, self.leads)


STOP = Step((), None, cast("Pair", None), False)
"""Where a run ends; the step before it says how."""

Moves = tuple[dict[Symbol, Step], list[Span], Step, Step]
_NOWHERE: Moves = ({}, [], STOP, STOP)
_Key = tuple[Any, ...]


class Table:
    """All steps of `machine`, which is outermost. Raises `ValueError` for one that is in itself, or that goes round and
    round without a symbol."""

    def __init__(self, machine: dfa) -> None:
        self.machine = machine
        self.paths: list[str] = []
        """Where symbols are kept, below the path of the machine."""
        self.alphabet: set[Symbol] = set()
        self._steps: dict[_Key, Step] = {}
        self._open: list[tuple[_Key, Step]] = []
        self.start = self._enter((machine,), machine.initial)
        while self._open:
            key, step = self._open.pop()
            self._fill(key, step)
        steps = self._steps.values()
        for step in steps:
            self.alphabet.update(step.next)
        for step in steps:
            self._check_progress(step)
        self.settled = all(step.call is None for step in steps)
        """Whether nothing depends on data."""
        self.fate = fate_of_symbols(list(steps), self.alphabet)

    def __len__(self) -> int:
        return len(self._steps)

    def finish(self, source: peekable, data: dotdict | None, path: str) -> Step:
        """Runs to the end; the last step."""
        kept = None if data is None else Gathered(self.paths, data, path, source)
        step = self.start
        idle = self._progress(step, source, kept, 0)
        try:
            while True:
                if step.call is not None:
                    followed = step.then[step.call.silently(source, data, below(path, step.chain))]
                elif source.at < len(source.block) or source.load():
                    step, more = run_quick(self, step, source, kept)
                    if more:
                        continue
                    followed = step.find(source.block[source.at])
                else:
                    followed = step.end
                if followed is STOP:
                    self.machine.note(step)
                    return step
                step = followed
                idle = self._progress(step, source, kept, idle)
        finally:
            if kept is not None:
                kept.settle()

    def watch(self, source: peekable, data: dotdict | None, path: str) -> Generator[Pair, None, bool]:
        """The same, yielding each step when it is entered, before its symbol is taken; returns whether it is accepted.
        Most steps take a symbol and know where the next one leads: for those, nothing is looked up twice."""
        kept = None if data is None else Gathered(self.paths, data, path, source)
        keep = [_forget] * (len(self.paths) + 1) if kept is None else kept.watched()
        step = self.start
        idle = 0
        try:
            while True:
                pair, takes, kind, leads = step.move
                yield pair
                at = source.at
                block = source.block
                if takes:
                    try:
                        symbol = block[at]
                    except IndexError:
                        if not source.load():  # who watches has taken the symbol himself
                            if step.end is STOP:
                                return step.accepted
                            step = step.end
                            idle += 1
                            continue
                        at, block = source.at, source.block
                        symbol = block[at]
                    source.at = at = at + 1
                    keep[kind](symbol)
                    idle = 0
                else:
                    idle += 1
                    if idle > len(self._steps):
                        raise ValueError(f"{self.machine} goes round without a symbol")
                try:
                    step = leads[block[at]]
                    continue
                except LookupError:
                    pass
                if step.call is not None:
                    accepted = yield from step.call.aloud(source, data, below(path, step.chain))
                    step = step.then[accepted]
                more = source.at < len(source.block) or source.load()
                followed = step.find(source.block[source.at]) if more else step.end
                if followed is STOP:
                    return step.accepted
                step = followed
        finally:
            self.machine.note(step)
            if kept is not None:
                kept.settle()

    def follow(self, step: Step, symbol: Symbol) -> Step | None:
        """The step that takes `symbol`, when it comes at `step`; None where none does, or a machine must be called."""
        while True:
            step = step.find(symbol)
            if step.takes:
                return step
            if step is STOP or step.call is not None:
                return None

    def _progress(self, step: Step, source: peekable, kept: Gathered | None, idle: int) -> int:
        """Takes the symbol of a step that was entered slowly; how many there were since one was taken."""
        if step.takes and (source.at < len(source.block) or source.load()):
            if kept is not None and step.keep != DROPPED:
                kept.add(step.keep, source.block[source.at : source.at + 1])
            source.at += 1
            return 0
        if idle > len(self._steps):
            raise ValueError(f"{self.machine} goes round without a symbol")
        return idle + 1

    def _enter(self, chain: Chain, target: state) -> Step:
        return self._step(("in", chain, target), chain, target, (chain[-1], target))

    def _step(self, key: _Key, chain: Chain, here: state, pair: Pair) -> Step:
        step = self._steps.get(key)
        if step is None:
            step = self._steps[key] = Step(chain, here, pair, False)
            self._open.append((key, step))
        return step

    def _fill(self, key: _Key, step: Step) -> None:
        kind, chain, here, *rest = key
        if kind != "in":
            terminal, said = rest
            step.accepted = _accepted(chain, terminal)
            step.settle(self._moves(chain, here, terminal, said, (chain, here, terminal)))
        elif not hasattr(here, "initial"):
            step.takes = here.takes
            step.keep = self._path(chain) if here.keeps else DROPPED
            step.accepted = _accepted(chain, here.terminal)
            origin = (chain, here, here.terminal)
            step.settle(self._moves(chain, here, here.terminal, len(chain) + 1, origin))
        elif here in chain:
            raise ValueError(f"{here.name} is a state of its own machine")
        elif here.settled:
            inner = self._enter((*chain, here), here.initial)
            step.settle(({}, [], inner, inner))
        else:
            step.call = here
            step.then = (self._failed(chain, here), self._after(chain, here))

    def _moves(self, chain: Chain, here: state, terminal: bool, said: int, origin: tuple[Chain, state, bool]) -> Moves:
        """Where all symbols lead from the state `here` of the innermost machine of `chain`; machines from level `said`
        inwards have said that they are stuck, at `origin`."""
        outwards = _NOWHERE
        if terminal and len(chain) > 1:
            machine = chain[-1]
            outwards = self._moves(chain[:-1], machine, machine.marked, said, origin)
        if terminal and not chain[-1].greedy:
            return outwards
        level = len(chain)
        stuck = None if level >= said else self._stuck(level, origin)
        lost = outwards if terminal else (({}, [], stuck, stuck) if stuck is not None else _NOWHERE)
        aloud = lost if stuck is None else ({}, [], stuck, stuck)
        return self._joined(chain, here, lost, aloud)

    def _joined(self, chain: Chain, here: state, lost: Moves, aloud: Moves) -> Moves:
        """The state's own transitions before those of `lost`; those that lead nowhere aloud are `aloud`."""
        own = {
            symbol: self._enter(chain, target) if target is not None else _found(aloud, symbol)
            for symbol, target in here.symbols.items()
        }
        spans = [
            (first, last, self._enter(chain, target) if target is not None else aloud[2])
            for first, last, target in here.spans
        ]
        leads = any(here.symbols.values()) or any(target for _, _, target in here.spans) or here.other is not None
        other, end = lost[2], (aloud[3] if leads else lost[3])
        if here.free is not None:
            end = self._enter(chain, here.free)
        if here.other is not None:
            return own, spans, self._enter(chain, here.other), end
        if here.free is not None and not here.refuses:
            return own, spans, end, end
        if here.refuses:
            lost, other = aloud, aloud[2]
        outer = {
            symbol: step
            for symbol, step in lost[0].items()
            if not any(first <= symbol <= last for first, last, _ in spans)
        }
        return {**outer, **own}, [*spans, *lost[1]], other, end

    def _after(self, chain: Chain, here: dfa) -> Step:
        """Where a machine that was called leaves the others, when it has accepted."""
        return self._step(("after", chain, here, here.marked, len(chain) + 1), chain, here, (chain[-1], None))

    def _failed(self, chain: Chain, here: dfa) -> Step:
        """Where it has not, and nothing leads on."""
        step = Step(chain, here, (chain[-1], None), False)
        step.settle(_NOWHERE)
        return step

    def _stuck(self, level: int, origin: tuple[Chain, state, bool]) -> Step:
        """The step at which the machine of that level says so."""
        chain, here, terminal = origin
        return self._step(("no", chain, here, terminal, level), chain, here, (chain[level - 1], None))

    def _path(self, chain: Chain) -> int:
        path = below("", chain)
        path = f"{path}.input" if path else "input"
        if path not in self.paths:
            self.paths.append(path)
        return self.paths.index(path)

    def _check_progress(self, begun: Step) -> None:
        """Raises `ValueError` where a symbol, or the end, leads from step to step for ever."""
        firsts = {first for step in self._steps.values() for first, _, _ in step.spans}
        for symbol in (*self.alphabet, *firsts, _OTHER, _END):
            step, count = begun, 0
            while step is not STOP and step.call is None:
                if symbol is not _END and step.takes:
                    break  # which is progress; at the end nothing is
                step = step.end if symbol is _END else step.other if symbol is _OTHER else step.find(symbol)
                count += 1
                if count > len(self._steps):
                    raise ValueError(f"{self.machine} goes round without a symbol, at {begun.state}")


def fate_of_symbols(steps: list[Step], alphabet: set[Symbol]) -> tuple[int, frozenset[Symbol]] | None:
    """Where symbols are kept and which are dropped, when that can be told by the symbol alone wherever it is taken;
    None when it cannot."""
    fates: dict[Symbol, set[int]] = {}
    others: set[int] = set()
    for step in steps:
        for symbol in alphabet:
            if step.find(symbol).takes:
                fates.setdefault(symbol, set()).add(step.find(symbol).keep)
        others |= {found.keep for found in (step.other, *(span[2] for span in step.spans)) if found.takes}
    kept = {keep for found in fates.values() for keep in found} | others
    paths = kept - {DROPPED}
    if len(paths) > 1 or any(len(found) > 1 for found in fates.values()) or DROPPED in others:
        return None
    dropped = frozenset(symbol for symbol, found in fates.items() if found == {DROPPED})
    return (paths.pop() if paths else DROPPED), dropped


def below(path: str, chain: Chain) -> str:
    """The path that the machines within the outermost make below `path`."""
    names = [machine.own_context for machine in chain[1:] if machine.own_context]
    return ".".join([path, *names] if path else names)


def _accepted(chain: Chain, terminal: bool) -> bool:
    return terminal and all(machine.marked for machine in chain[1:])


def _found(moves: Moves, symbol: Symbol) -> Step:
    found = moves[0].get(symbol)
    if found is not None:
        return found
    return next((step for first, last, step in moves[1] if first <= symbol <= last), moves[2])


def _forget(symbol: Symbol) -> None:
    """There is no data to keep it in."""
