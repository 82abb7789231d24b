"""Where a text that a person typed goes wrong: a parser says what is wrong with it, the grammar at which column."""

import importlib


def located(message: str, grammar: str, text: str) -> str:
    """`message`, with the column of `text`, counted from 1, and what the grammar of that name (of
    `node.automata.grammars`) wants there; as it is where the form of the text is right, and its meaning is not."""
    machine = importlib.import_module("node.automata.expressions").regex(
        initial=importlib.import_module("node.automata.grammars").grammar(grammar)
    )
    try:
        machine.require(text)
    except importlib.import_module("node.automata.states").NonTerminal as exc:
        return f"{message} ({text!r}, column {exc.position + 1}: wanted {exc.wanted})"
    return message
