"""The machines of the manual of 2016 (4.1 to 4.3), made anew for each test, and any machines at all."""

from typing import Any

from hypothesis import strategies as st

from node.automata import dfa, dotdict, peekable, regex, state, state_drop, state_input

LIST = "(ab+)((,[ ]*)(ab+))*"


def ab(**options: Any) -> dfa:
    """`ab+`."""
    E = state("E")  # noqa: N806  as the manual calls them
    A = state_input("A")  # noqa: N806
    B = state_input("B", terminal=True)  # noqa: N806
    E["a"] = A
    A["b"] = B
    B["b"] = B
    return dfa("ab+", initial=E, **options)


def csv(**options: Any) -> dfa:
    """`ab+` over and over, with commas and blanks between, which are dropped."""
    ABP = ab(terminal=True)  # noqa: N806
    SEP = state_drop("SEP")  # noqa: N806
    ABP[",", " "] = SEP
    SEP[" "] = SEP
    SEP[None] = ABP
    return dfa("CSV", initial=ABP, context="csv", **options)


def listed(**options: Any) -> regex:
    """The same as an expression, which drops nothing."""
    return regex(initial=LIST, **options)


def watched(machine: dfa, source: Any, data: dotdict | None = None) -> list[tuple[str, str | None]]:
    """(machine, state or None) of each step, by name."""
    return [(at.name, None if here is None else here.name) for at, here in machine.run(source, data)]


Outcome = tuple[bool, bool, int, list[Any], dotdict]


def outcome(machine: dfa, text: Any, watch: bool) -> Outcome:
    """What a run leaves: accepted, terminal, symbols sent, what remains, data."""
    data, source = dotdict(), peekable(text)
    if watch:
        for _ in machine.run(source, data):
            pass
    else:
        machine.consume(source, data)
    return machine.accepted, machine.terminal, source.sent, list(source), data


SYMBOLS = "abc"


@st.composite
def machines(draw: st.DrawFn, depth: int = 1, free: bool = True) -> dfa:
    """A machine of a few states, some of them machines, that symbols of `SYMBOLS` lead through."""
    kinds = [state, state_input, state_input, state_drop] + ([dfa] if depth else [])
    states: list[state] = []
    for number in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(kinds if number or free else [state]))  # which takes nothing
        terminal = draw(st.booleans())
        if kind is dfa:
            inner = draw(machines(depth - 1, free))
            options = {"greedy": draw(st.booleans()), "context": draw(st.sampled_from(["", "x", "y"]))}
            states.append(dfa(f"m{number}", inner.initial, terminal=terminal, **options))  # type: ignore[arg-type]
        else:
            states.append(kind(f"s{number}", terminal=terminal))
    for here in states:
        for key in draw(st.lists(st.sampled_from([*SYMBOLS, True, *([None] if free else [])]), max_size=3)):
            targets = states if key is None else [*states, None]
            here[key] = draw(st.sampled_from(targets))
    return dfa("top", states[0], greedy=draw(st.booleans()), context=draw(st.sampled_from(["", "t"])))
