"""Watching a machine and running it to its end are the same, for any machine and any text."""

from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.automata import chainable, dfa, dotdict, peekable
from tests.automata.machines import SYMBOLS, ab, csv, machines, outcome

TEXTS = st.text(SYMBOLS + "d", max_size=12)


def runnable(machine: dfa) -> bool:
    """Whether its graph can be run; one that goes round for nothing says so when it is compiled."""
    try:
        machine.compile()
    except ValueError as exc:
        assert "round without a symbol" in str(exc)
        return False
    return True


@given(machines(), TEXTS)
@settings(max_examples=60, deadline=None)
def test_both_ways_leave_the_same(machine: dfa, text: str) -> None:
    if runnable(machine):
        assert outcome(machine, text, watch=True) == outcome(machine, text, watch=False)


@given(machines(), TEXTS)
@settings(max_examples=60, deadline=None)
def test_it_does_not_matter_how_the_symbols_come(machine: dfa, text: str) -> None:
    if not runnable(machine):
        return
    whole = outcome(machine, text, watch=False)
    assert outcome(machine, iter(text), watch=False) == whole
    assert outcome(machine, iter(text), watch=True) == whole
    cut = chainable(text[: len(text) // 2])
    cut.chain(text[len(text) // 2 :])
    data = dotdict()
    assert (machine.consume(cut, data), cut.sent, data) == (whole[0], whole[2], whole[4])


@given(machines(free=False), st.lists(TEXTS, min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_symbols_may_come_late(machine: dfa, pieces: list[str]) -> None:
    """Who watches gives more each time that a machine says it has none; one that goes on without a symbol does not."""
    if not runnable(machine):
        return
    source, waiting, data = chainable(pieces[0]), pieces[1:], dotdict()
    for _, here in machine.run(source, data):
        if here is None and source.peek() is None and waiting:
            source.chain(waiting.pop(0))
    given_so_far = "".join(pieces[: len(pieces) - len(waiting)])
    again = dotdict()
    once = peekable(given_so_far)
    assert machine.consume(once, again) == machine.accepted
    assert (once.sent, again) == (source.sent, data)


@pytest.mark.parametrize("make", [ab, csv])
def test_who_stops_watching_keeps_what_there_was(make: type[dfa]) -> None:
    data, source = dotdict(), peekable("abbb,ab")
    machine = make(context="here") if make is ab else make()
    watching = machine.run(source, data)
    seen = list(islice(watching, 5))
    assert len(seen) == 5
    watching.close()
    kept = data[machine.context("") + ".input"]
    assert type(kept) is str
    assert kept == "abbb,ab"[: source.sent]
