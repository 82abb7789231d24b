"""Machines of regular expressions do what `re` does, on any expression and any text."""

import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.automata import dotdict, peekable, regex, regex_bytes
from node.automata.automaton import Automaton
from node.automata.expressions import PatternError, automaton
from tests.architecture.sources import ROOT

LETTERS = "abé\u20ac\U0001f600,"
ATOMS = st.sampled_from(["a", "b", "é", "\u20ac", "\U0001f600", ",", ".", "[ab]", "[^a]", "[a-c]", "[^b-\u20ac]"])


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Longer expressions out of shorter ones."""
    return st.one_of(
        st.lists(inner, min_size=2, max_size=3).map("".join),
        st.tuples(inner, inner).map("({0[0]}|{0[1]})".format),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,2}"])).map("({0[0]}){0[1]}".format),
    )


PATTERNS = st.recursive(ATOMS, grown, max_leaves=5)
TEXTS = st.text(LETTERS, max_size=6)


@given(PATTERNS, st.lists(TEXTS, min_size=4, max_size=8))
@settings(max_examples=60, deadline=None)
def test_a_machine_accepts_what_re_matches(pattern: str, texts: list[str]) -> None:
    text_machine, byte_machine = regex(initial=pattern), regex_bytes(initial=pattern)
    for text in texts:
        wanted = re.fullmatch(pattern, text, re.DOTALL) is not None
        assert text_machine.accepts(text) == wanted
        assert byte_machine.accepts(text.encode()) == wanted


@given(st.binary(max_size=6))
@settings(deadline=None)
def test_no_text_s_machine_takes_what_is_no_utf8(data: bytes) -> None:
    try:
        data.decode()
    except UnicodeDecodeError:
        assert not regex_bytes(initial=".*").accepts(data)
    else:
        assert regex_bytes(initial=".*").accepts(data)


def test_an_expression_in_bytes_is_taken_byte_by_byte() -> None:
    machine = regex_bytes(initial=b"\xff[\x80-\x90]+\x00?", terminal=True)
    assert machine.accepts(b"\xff\x80\x90\x00")
    assert not machine.accepts(b"\xff\x91")
    assert not machine.accepts("\u00ff\u0080".encode())


@pytest.mark.parametrize(
    ("greedy", "text", "taken", "terminal"),
    [
        (True, "abbb,ab x", "abbb,ab", True),
        (False, "abbb,ab x", "ab", True),
        (True, "abbb,x", "abbb,", False),
        (True, "x", None, False),
    ],
)
def test_how_much_is_taken(greedy: bool, text: str, taken: str | None, terminal: bool) -> None:
    machine = regex(initial="(ab+)((,[ ]*)(ab+))*", context="r", terminal=True, greedy=greedy)
    data, source = dotdict(), peekable(text)
    assert machine.consume(source, data) == terminal
    assert machine.terminal == terminal
    assert data.get("r.input") == taken
    assert "".join(source) == text[len(taken or "") :]


def test_what_leads_nowhere_is_said() -> None:
    machine = regex(initial="ab", terminal=True)
    assert [here and str(here) for _, here in machine.run("ax")] == ["( 0' )", "( 2 )", None]


@pytest.mark.parametrize("pattern", [r"\bfoo", "(?=x)", "a{", "[", "a**"])
def test_what_is_no_expression_is_quoted(pattern: str) -> None:
    with pytest.raises(PatternError) as caught:
        regex(initial=pattern).accepts("a")
    assert repr(pattern) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_expression_is_compiled_once_and_late() -> None:
    regex(initial="[")  # nobody has asked yet
    assert automaton("a[bc]*d") is automaton("a[bc]*d")
    assert isinstance(automaton("x"), Automaton)


def test_all_but_expressions_work_without_greenery() -> None:
    script = (
        "import sys; sys.modules['greenery'] = None\n"
        "from node.automata import dfa, dotdict, integer, regex, state_input\n"
        "data = dotdict(); integer('n', context='n').consume('12', data); print(data.n)\n"
        "machine = regex(initial='a')\n"
        "try: machine.accepts('a')\n"
        "except Exception as exc: print(type(exc).__name__, exc)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    said = 'PatternError greenery is missing, regular expressions stand on it: pip install "plcfarm[automata]"'
    assert done.stdout.splitlines() == ["12", said], done.stderr


def test_no_machine_of_our_own_brings_greenery() -> None:
    script = (
        "import sys\n"
        "from node.automata import real, string, structure, octets\n"
        "from node.automata.encapsulation import encapsulation; encapsulation().compile()\n"
        "from node.automata.grammars import grammar; grammar('operation')\n"
        "print('greenery' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout == "False\n", done.stderr
