"""What transitions, machines within machines, limits and repetitions do."""

import pytest

from node.automata import NonTerminal, dfa, dotdict, peekable, state, state_drop, state_input
from node.automata.choices import choice
from node.automata.values import integer, octets, real, string, structure
from tests.automata.machines import ab, csv, watched


def test_several_symbols_any_other_and_none() -> None:
    first, letter, other, last = state("0"), state_input("letter"), state_input("other"), state("end", terminal=True)
    first["a", "b"] = letter
    first[{"c", "d"}] = letter
    first[True] = other
    letter[None] = last
    other[None] = first
    machine = dfa("m", first)
    assert watched(machine, "xxd") == [
        ("m", "0"),
        ("m", "other"),
        ("m", "0"),
        ("m", "other"),
        ("m", "0"),
        ("m", "letter"),
        ("m", "end"),
    ]
    assert machine.current is last


def test_any_other_may_lead_nowhere_aloud() -> None:
    for loud, steps in ((False, ["0", "1"]), (True, ["0", "1", None])):
        first, second = state("0"), state_input("1", terminal=True)
        first["a"] = second
        if loud:
            second[True] = None
        assert [here for _, here in watched(dfa("m", first), "ab")] == steps


def test_a_machine_around_gets_what_one_in_it_refused_if_that_is_terminal() -> None:
    data, source = dotdict(), peekable("ab, abb")
    assert csv().consume(source, data)
    assert data["csv.input"] == "ababb"
    data, source = dotdict(), peekable("a,ab")
    assert not csv().consume(source, data)
    assert (data["csv.input"], "".join(source)) == ("a", ",ab")


def test_terminal_is_its_mark_and_its_state_s() -> None:
    for marked in (False, True):
        machine = ab(terminal=marked)
        assert not machine.terminal
        assert machine.consume("abb")
        assert (machine.accepted, machine.terminal) == (True, marked)
        assert not machine.consume("a")
        assert not machine.terminal


def test_contexts_are_within_each_other() -> None:
    inner = ab(terminal=True, context="word")
    comma = state_drop("comma")
    inner[","] = comma
    comma[None] = inner
    data = dotdict()
    assert dfa("words", inner, context="line").consume("ab,abb", data, "page")
    assert data == {"page.line.word.input": "ababb"}


def test_symbols_may_be_anything() -> None:
    first, number, word = state("0"), state_input("number", terminal=True), state_input("word")
    first[1, 2, 3] = number
    number["plus"] = word
    word[1, 2, 3] = number
    data = dotdict()
    assert dfa("sum", first, context="sum").consume([1, "plus", 3], data)
    assert data["sum.input"] == [1, "plus", 3]
    bytes_machine = dfa("b", first := state("0"))
    first[b"\x01"] = state_input("1", terminal=True)
    assert bytes_machine.accepts(b"\x01")


def test_a_limit_is_how_much_is_taken() -> None:
    for limit, taken in ((3, "abb"), (2, "ab"), (99, "abbbb")):
        source = peekable("abbbb")
        assert ab(limit=limit).consume(source)
        assert source.sent == len(taken)
    source = peekable("abbbb")
    assert not ab(limit=1).consume(source)
    assert "".join(source) == "bbbb"


def test_a_limit_may_stand_in_the_data() -> None:
    size = structure("size", "B", ("size",), context="")
    size[None] = octets("text", "size", terminal=True, context="text")
    machine = dfa("text", size, context="t")
    data, source = dotdict(), peekable(b"\x03abcdef")
    assert machine.consume(source, data)
    assert (data["t.text"], bytes(source)) == (b"abc", b"def")
    assert not machine.consume(b"\x09abc", dotdict())
    with pytest.raises(ValueError, match=r"t\.size is None in the data of a run, where a number was wanted"):
        dfa("text", octets("text", "size", terminal=True), context="t").consume(b"abc")


def test_repetitions_have_places() -> None:
    pair = structure("pair", "BB", ("x", "y"), terminal=True, context="")
    machine = dfa("pairs", pair, context="pair", repeat=2)
    data = dotdict()
    assert machine.consume(bytes(range(4)), data)
    assert data == {"pair[0].x": 0, "pair[0].y": 1, "pair[1].x": 2, "pair[1].y": 3}
    assert not machine.consume(bytes(3), dotdict())


def test_a_field_may_choose_what_follows() -> None:
    kind = structure("kind", "B", context="kind")
    kind[None] = choice(
        "body", lambda data, path: {1: octets("one", 1), 2: octets("two", 2)}.get(data["kind"]), terminal=True
    )
    machine = dfa("message", kind)
    assert [machine.accepts(data) for data in (b"\1a", b"\2ab", b"\2a", b"\3", b"\1ab")] == [
        True,
        True,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("machine", "text", "value", "rest"),
    [
        (integer("n"), "0x1F;", 31, ";"),
        (integer("n"), "-0012 x", -12, " x"),
        (real("n"), "-2.5e3,", -2500.0, ","),
        (string("s"), '"a ""b"""x', 'a "b"', "x"),
        (octets("o", 3, context="value"), "abcd", "abc", "d"),
        (structure("s", "<h", context="value"), b"\xff\xff\x00", -1, b"\x00"),
    ],
)
def test_machines_that_end_in_a_value(machine: dfa, text: str | bytes, value: object, rest: str | bytes) -> None:
    for watch in (False, True, False):
        data, source = dotdict({"value": "old"}), peekable(text)
        if watch:
            assert list(machine.run(source, data)) is not None
        else:
            assert machine.consume(source, data)
        assert data == {"value": value}
        assert source.take(9) == rest


def test_a_value_that_is_cut_short_is_none() -> None:
    for machine, text in ((integer("n"), "0x"), (string("s"), '"a'), (real("r"), "1e")):
        assert not machine.consume(text, dotdict())


def test_what_was_wanted_is_said() -> None:
    with pytest.raises(NonTerminal) as caught:
        csv().require("ab,a")
    assert str(caught.value) == "at 5: the end where b was wanted"
    assert caught.value.position == 4
    with pytest.raises(NonTerminal, match=r"at 3: x where ',', b, a blank or the end was wanted"):
        csv().require("abx")
    csv().require("ab,abb")


def test_graphs_that_cannot_be_run() -> None:
    around = state("around")
    around[None] = around
    with pytest.raises(ValueError, match="goes round without a symbol"):
        dfa("m", around).compile()
    within = dfa("within", state("x"))
    within.initial["a"] = within
    with pytest.raises(ValueError, match="a state of its own machine"):
        within.compile()
    with pytest.raises(ValueError, match="without a state to begin at"):
        dfa("nothing")
    with pytest.raises(ValueError, match="needs a source"):
        ab().consume()


def test_a_state_says_where_it_leads() -> None:
    here, there = state("here"), state("there", terminal=True)
    here["a"] = there
    here[None] = here
    assert (here["a"], here["x"], here[None]) == (there, None, here)
    assert (str(here), str(there)) == ("( here )", "((there))")
