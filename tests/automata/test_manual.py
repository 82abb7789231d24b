"""The fragments of sections 4 and 5 of the manual of 2016, in our names."""

import io
from contextlib import redirect_stdout

from node import automata
from node.automata import dfa, dotdict
from tests.automata.machines import watched


def basic() -> dfa:
    """4.1, "Basic DFA that accepts ab+"."""
    E = automata.state("E")  # noqa: N806
    A = automata.state_input("A")  # noqa: N806
    B = automata.state_input("B", terminal=True)  # noqa: N806
    E["a"] = A
    A["b"] = B
    B["b"] = B
    return automata.dfa("ab+", initial=E, context="basic")


def csv() -> dfa:
    """4.2, "accepting ab+, ignoring ,[ ]* separators". The manual prints the comma of its tuples as a blank."""
    E = basic().initial  # noqa: N806
    ABP = automata.dfa("ab+", initial=E, terminal=True)  # noqa: N806
    SEP = automata.state_drop("SEP")  # noqa: N806
    ABP[",", " "] = SEP
    SEP[" ", " "] = SEP
    SEP[None] = ABP
    return automata.dfa("CSV", initial=ABP, context="csv")


def expression() -> dfa:
    """4.3, "the default dfa name is the regular expression itself"."""
    return automata.regex(initial="(ab+)((,[ ]*)(ab+))*")


def test_greedy_accepts_all_and_not_greedy_the_first() -> None:
    """4: "it will accept 'ab' and terminate, unless greedy is specified in which case it will accept 'abbb'"."""
    for greedy, taken in ((True, "abbb"), (False, "ab")):
        data, source = dotdict(), automata.peekable("abbb,ab")
        machine = automata.dfa("ab+", initial=basic().initial, context="basic", greedy=greedy)
        machine.consume(source, data)
        assert (data["basic.input"], "".join(source)) == (taken, "abbb,ab"[len(taken) :])


def test_running_them() -> None:
    """5, as it stands, but for the figures that the manual's page has lost of its format."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        data = automata.dotdict()
        for machine in [basic(), csv(), expression()]:
            path = machine.context() + ".input"  # default for state_input data
            source = automata.peekable("abbbb, ab")
            with machine:
                for i, (m, _) in enumerate(machine.run(source=source, data=data)):
                    shown = (m.name_centered(), i, source.sent, source.peek(), data.get(path))
                    print("%s #%3d; next byte %3d: %-10.10r: %r" % shown)  # noqa: UP031
            print(f"Accepted: {data.get(path)!r}; remaining: {''.join(source)!r}\n")
        print(f"Final: {data!r}")
    lines = printed.getvalue().splitlines()
    assert lines[:7] == [
        "          ab+            #  0; next byte   0: 'a'       : None",
        "          ab+            #  1; next byte   0: 'a'       : None",
        "          ab+            #  2; next byte   1: 'b'       : 'a'",
        "          ab+            #  3; next byte   2: 'b'       : 'ab'",
        "          ab+            #  4; next byte   3: 'b'       : 'abb'",
        "          ab+            #  5; next byte   4: 'b'       : 'abbb'",
        "Accepted: 'abbbb'; remaining: ', ab'",
    ]
    assert lines[15] == "          CSV            #  7; next byte   5: ','       : 'abbbb'"
    assert [line for line in lines if line.startswith("Accepted")][1:] == [
        "Accepted: 'abbbbab'; remaining: ''",
        "Accepted: 'abbbb, ab'; remaining: ''",
    ]
    assert lines[-1] == ("Final: dotdict({'basic.input': 'abbbb', 'csv.input': 'abbbbab', 'input.input': 'abbbb, ab'})")


def test_the_steps_are_those_of_the_manual_s_program() -> None:
    """Seen from a run of cpppo 5.2.5: which machine is at which state, None where there is no input now."""
    assert watched(csv(), "abbbb, ab") == [
        ("CSV", "ab+"),
        ("ab+", "E"),
        ("ab+", "A"),
        *[("ab+", "B")] * 4,
        ("CSV", "SEP"),
        ("CSV", "SEP"),
        ("CSV", "ab+"),
        ("ab+", "E"),
        ("ab+", "A"),
        ("ab+", "B"),
        ("ab+", None),
        ("CSV", None),
    ]
    assert [state for _, state in watched(expression(), "abbbb, ab")] == ["0'", *"233334423", None]


def test_unicode_text() -> None:
    """4.3.3."""
    machine = automata.regex(initial="(é+|\u03b1[\u03b2-\u03c9]*)\U0001f600?", terminal=True)
    assert machine.accepts("ééé\U0001f600")
    assert machine.accepts("\u03b1\u03b2\u03c9")
    assert not machine.accepts("\u03b2")
