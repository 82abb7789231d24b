"""The grammars of what people type: their tables are what is written, and parsers by hand take the same texts."""

import random
import re
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.automata import regex
from node.automata.automaton import Automaton
from node.automata.grammars import GRAMMARS, grammar
from node.cip.path_text import parse_route
from node.client.operations import parse_operation
from node.config.tagspec import parse_tag
from node.errors import NodeError
from node.modbus.ranges import parse_range
from tests.automata.ahead import FILE, rendered

PARSERS: dict[str, Callable[[str], object]] = {
    "tag": parse_tag,
    "operation": parse_operation,
    "route": parse_route,
    "range": parse_range,
}
MEANING = {
    "tag": "is unknown; known|an array of|at most 255|is no address; wanted @CLASS",
    "operation": (
        "where a number of elements|where a byte offset|where an index|where a value of|where a number was|"
        "where a whole number|where true or false|does not fit|is no type|"
        "values? where|where .* was wanted, 0 to|elements; 1 to|ends before it begins|has no byte offsets|"
        "between elements|more numbers after @|wanted 1 to 65535, and 0 to 255|in a path, where one of|"
        "holds 0 to|outside ISO|characters|255|where a value"
    ),
    "route": "a port is 1 to 65535, a link 0 to 255",
    "range": "is no register number; there are|ends .* before|is beyond|do not fill|does not fit|which holds 0",
}
"""What a parser may still say of a text whose form is right."""

TEXTS = {
    "tag": [
        "SCADA=INT[1000]",
        "TAG@22/1/1=DINT",
        " M = real [2, 3] ",
        "out@0x93/1/0x0A=DINT[2]",
        "Program:Main.Step=STRING",
    ],
    "operation": [
        "Tag",
        "Tag[0-9]+16=(DINT)4,5,6,7,8,9",
        "Tag[1,2].Member*3",
        "@2/1/1",
        '@4/5/{"connection":100}',
        "@22/1/1[5].x",
        'S=(SSTRING)"a ""b""", c',
        "@0x93/1/10=[1, 2]",
        "Program:Main.A[1].B[0-3]=(DINT)1,2,0x1F,-7",
    ],
    "route": ["1/0", "1/0/2/10.0.0.7", '[{"port":1,"link":0}]', '["1/0", {"link":"10.0.0.7","port":2}]', "false", "[]"],
    "range": ["40001-40100=99", "1-16=0,1", "10001", " 40001 - 40002 = 0x1F , -3 "],
}
ODD = {
    "operation": r"[^ -~]|\S\s*@|\+.*\+|\*.*\*|[!#$%&';<>?^`|~\\]|-[-+]|=.*@|\+-|\*-|-0|_|symbolic",
    "route": r"\\|[^ -~]",
    "tag": r"[^ -~]",
    "range": r"[^ -~]",
}
"""Texts that are not looked at here: a parser takes more characters in names than its grammar."""


def odd_name(text: str) -> bool:
    """Whether a name has other characters than letters, digits, _ and a colon."""
    left = re.sub(r"\[[^\]]*\]|\{[^}]*\}", "", text).partition("=")[0]
    names = re.sub(r"(\*\s*\w+\s*)?(\+\s*\w+\s*)?$", "", left)
    return bool(re.search(r"[^A-Za-z0-9_:. @/]", names))


def machine(name: str) -> regex:
    return regex(name, grammar(name))


MACHINES = {name: machine(name) for name in PARSERS}


def walk(table: Automaton, chance: random.Random) -> Iterator[str]:
    """The characters of a text that is accepted, any of them."""
    at = 0
    for _ in range(200):
        ways = table.rows[at]
        if at in table.accepting and (not ways or chance.random() < 0.2):
            return
        (low, high), at = chance.choice(ways)
        yield chr(chance.randint(low, min(high, max(low, 0x7E))))


def refusal(name: str, text: str) -> str | None:
    """What the parser says of a text that it does not take."""
    try:
        PARSERS[name](text)
    except NodeError as exc:
        return str(exc)
    return None


def test_the_tables_are_what_is_written() -> None:
    assert FILE.read_text() == rendered(), "python -m tests.automata.ahead makes them anew"


@pytest.mark.parametrize("name", PARSERS)
def test_a_grammar_takes_what_people_type(name: str) -> None:
    for text in TEXTS[name]:
        assert MACHINES[name].accepts(text), text
        assert refusal(name, text) is None


@pytest.mark.parametrize("name", PARSERS)
def test_a_parser_finds_no_fault_with_the_form_of_what_its_grammar_takes(name: str) -> None:
    chance = random.Random(27)
    table = grammar(name)
    for _ in range(400):
        text = "".join(walk(table, chance))
        if MACHINES[name].accepts(text):
            said = refusal(name, text)
            assert said is None or re.search(MEANING[name], said), (text, said)


@pytest.mark.parametrize("name", PARSERS)
@given(st.data())
@settings(max_examples=300, deadline=None, derandomize=True)
def test_a_grammar_takes_what_its_parser_does(name: str, data: st.DataObject) -> None:
    """Of texts that are like those that people type."""
    text = data.draw(st.sampled_from(TEXTS[name]))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        new = data.draw(st.sampled_from(["", *'aT0129 .,-=+*[]@/{}"()x:']))
        text = text[:at] + new + text[at + data.draw(st.integers(0, 2)) :]
    if refusal(name, text) is None and not re.search(ODD[name], text) and not (name == "operation" and odd_name(text)):
        assert MACHINES[name].accepts(text), text


def test_a_grammar_that_is_not_there_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        grammar("novel")
    assert set(PARSERS) < set(GRAMMARS)
