"""The grammars of what people type, and the tables that were made of them ahead.

They are the references of parsers that are written by hand, which stand beside what they parse and are quicker: a test
holds each parser against its grammar, and a text that a parser refuses is looked at again to tell the column
(`node.cli.column`). `python -m tests.automata.ahead` makes the tables anew, and a test fails when they are not what
this file says.

A grammar is about form: that a type exists, or a number fits, is for the parser. Parsers take more characters in the
names of an operation, and in JSON its escapes.
"""

from __future__ import annotations

from node.automata.automaton import Automaton, Span
from node.automata.compose import Part, either, listed, many, maybe, then
from node.automata.grammar_tables import TABLES

_S = "[ \t]*"
_DIGITS = "[0-9]+"
_BASED = either(then("0", "[xX]", "(_?[0-9a-fA-F])+"), then("0", "[oO]", "(_?[0-7])+"), then("0", "[bB]", "(_?[01])+"))
_SIGN = "[+\\-]?"
_NUMBER = then(_SIGN, either("0(_?0)*", "[1-9](_?[0-9])*", _BASED))
"""As `int(text, 0)` has it."""
_PADDED = either(_DIGITS, "[1-9](_?[0-9])+", _BASED)
"""The same without a sign, but with zeros in front as one likes."""
_WORD = "[A-Za-z_][A-Za-z0-9_]*"

_TAG_NAME = either(
    "[A-Za-z_]", then("[A-Za-z_:]", "[A-Za-z0-9_:]*", many("\\.", "[A-Za-z0-9_:]+"), "\\.?", "[A-Za-z0-9_]")
)
"""No dot comes first, last or twice, no colon last."""
_ID = then(_S, _NUMBER, _S)
_TAG = then(
    then(_S, _TAG_NAME, _S),
    maybe("@", _ID, "/", _ID, "/", _ID),
    then("=", _S, _WORD, _S),
    maybe("\\[", listed(_DIGITS, _S, 3), "\\]", _S),
)

_REGISTER = f"{_S}[0-9]{{1,6}}{_S}"
_RANGE = then(_REGISTER, maybe("-", _REGISTER), maybe("=", listed(_NUMBER, _S)))

_W = "[ \t\r\n]*"
_INTEGER = "-?(0|[1-9][0-9]*)"
_JSON_TEXT = '"[ !#-\\[\\]-~]+"'


def _hops(link: str, blanks: str) -> Part:
    """Ports and links with slashes between."""
    hop = then(blanks, "[0-9]{1,9}", blanks, "/", blanks, link, blanks)
    return then(hop, many("/", hop))


def _member(name: str, value: Part) -> Part:
    return then(_W, f'"{name}"', _W, ":", _W, value, _W)


def _object(port: Part, link: Part) -> Part:
    """A JSON object of port and link, in either order."""
    both = _member("port", port), _member("link", link)
    return then("\\{", either(then(both[0], ",", both[1]), then(both[1], ",", both[0])), "\\}")


_HOP = _object(_INTEGER, either(_INTEGER, _JSON_TEXT))
_ROUTE_HOP = either(
    _HOP,
    _object(_JSON_TEXT, _INTEGER),  # an address as the port, as the manual of 2016 has it
    then('"', _hops("[!#-.0-\\[\\]-~]([ !#-.0-\\[\\]-~]*[!#-.0-\\[\\]-~])?", " *"), '"'),
)
_ROUTE = then(
    _W,
    either(
        _hops("[!-.0-~]([ -.0-~]*[!-.0-~])?", _S),
        either("false", then("-?0(\\.0+)?", maybe("[eE]", _SIGN, _DIGITS))),
        _ROUTE_HOP,
        then("\\[", _W, maybe(listed(_ROUTE_HOP, _W)), "\\]"),
    ),
    _W,
)

_PART_NAME = f"{_S}[A-Za-z_:][A-Za-z0-9_:]*{_S}"
_INDICES = then("\\[", listed(_NUMBER, _S, 3), "\\]", _S)
_BEFORE = then(_S, _NUMBER, _S, ",")
_SPAN = then("\\[", maybe(_BEFORE, maybe(_BEFORE)), _S, _PADDED, _S, "-", _S, _PADDED, _S, "\\]", _S)
"""A range, which only the last index of all may be."""
_PART = then(_PART_NAME, maybe(_INDICES))
_PLACED = then(many(_PART, "\\."), _PART_NAME, maybe(either(_INDICES, _SPAN)))
_KIND = then('"', either("class", "instance", "attribute", "element", "connection"), '"')
_ADDRESS = '"[ !#-Z\\^-z|~]+"'
"""In JSON within a path, which is cut at its brackets first."""
_SEGMENT = either(
    then("\\{", _W, _KIND, _W, ":", _W, _INTEGER, _W, "\\}"), _object(_INTEGER, either(_INTEGER, _ADDRESS))
)
_NUMERIC = then(
    f"{_S}@",
    many(_S, either(_PADDED, _SEGMENT), _S, "/"),
    _S,
    either(then(_PADDED, _S, maybe(either(_INDICES, _SPAN))), then(_SEGMENT, _S)),
)
_MEMBER_OF = then(_NUMERIC, "\\.", _PLACED)
_BARE = "[!#-'*+\\--Z\\^-~]([ !#-'*+\\--Z\\^-~]*[!#-'*+\\--Z\\^-~])?"
_VALUES = listed(maybe(either('"([^"]|"")*"', _BARE)), _S)
_OPERATION = then(
    either(_PLACED, _NUMERIC, _MEMBER_OF),
    maybe("\\*", _S, _PADDED, _S),
    maybe("\\+", _S, _PADDED, _S),
    maybe("=", _S, maybe("\\(", _S, _WORD, _S, "\\)"), _S, either(_VALUES, then("\\[", _VALUES, "\\]", _S))),
)

GRAMMARS: dict[str, Part] = {
    "integer": then(_SIGN, either(_DIGITS, _BASED)),
    "real": then(_SIGN, either("[0-9]+(\\.[0-9]*)?", "\\.[0-9]+"), maybe("[eE]", _SIGN, _DIGITS)),
    "string": '"([^"]|"")*"',
    "tag": _TAG,
    "operation": _OPERATION,
    "route": _ROUTE,
    "range": _RANGE,
}
"""A tag of `node.config.tagspec`, an operation of `node.client.operations`, a route of `node.cip.path_text`, a register
range of `node.modbus.ranges`, and what values are made of."""


def grammar(name: str) -> Automaton:
    """The automaton of a grammar, from its table. Raises `KeyError` for one that is not there."""
    accepting, text = TABLES[name]
    return Automaton(tuple(_row(row) for row in text.split(";")[:-1]), frozenset(accepting))


def _row(text: str) -> tuple[tuple[Span, int], ...]:
    ways = [way.partition(">") for way in text.split()]
    return tuple((_span(*ends.split("-")), int(to)) for ends, _, to in ways)


def _span(low: str, high: str = "") -> Span:
    return int(low), int(high or low)
