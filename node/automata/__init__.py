"""Deterministic finite automata as a small language, spelt as the manual of 2016 spells it. Nothing is imported until
it is asked for."""

import typing

from node import lazy_names

if typing.TYPE_CHECKING:
    from node.automata.diagrams import diagram as diagram
    from node.automata.dotted import dotdict as dotdict
    from node.automata.expressions import regex as regex
    from node.automata.expressions import regex_bytes as regex_bytes
    from node.automata.machine import dfa as dfa
    from node.automata.sources import chainable as chainable
    from node.automata.sources import peekable as peekable
    from node.automata.states import NonTerminal as NonTerminal
    from node.automata.states import state as state
    from node.automata.states import state_drop as state_drop
    from node.automata.states import state_input as state_input
    from node.automata.values import integer as integer
    from node.automata.values import octets as octets
    from node.automata.values import real as real
    from node.automata.values import string as string
    from node.automata.values import structure as structure

_MODULES = {
    "NonTerminal": "states",
    "chainable": "sources",
    "dfa": "machine",
    "diagram": "diagrams",
    "dotdict": "dotted",
    "integer": "values",
    "octets": "values",
    "peekable": "sources",
    "real": "values",
    "regex": "expressions",
    "regex_bytes": "expressions",
    "state": "states",
    "state_drop": "states",
    "state_input": "states",
    "string": "values",
    "structure": "values",
}
"""Where each public name lives."""

__all__ = [
    "NonTerminal",
    "chainable",
    "dfa",
    "diagram",
    "dotdict",
    "integer",
    "octets",
    "peekable",
    "real",
    "regex",
    "regex_bytes",
    "state",
    "state_drop",
    "state_input",
    "string",
    "structure",
]

__getattr__, __dir__ = lazy_names(__name__, _MODULES)
