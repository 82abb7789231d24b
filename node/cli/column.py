"""Where a text that a person typed goes wrong: a parser says what is wrong with it, its grammar at which column."""

import importlib
from collections.abc import Iterable


def located(message: str, grammar: str, text: str) -> str:
    """`message`, with the column of `text`, counted from 1, and what the grammar of that name (of
    `node.automata.grammars`) wants there; as it is where the form of the text is right, and its meaning is not."""
    states, machines, grammars = (
        importlib.import_module(f"node.automata.{name}") for name in ("states", "expressions", "grammars")
    )
    try:
        machines.regex(grammar, grammars.grammar(grammar)).require(text)
    except states.NonTerminal as exc:
        where = f"column {exc.position + 1}" + ("" if text in message else f" of {text!r}")
        return f"{message} ({where}: {exc.wanted} could come there)"
    return message


def located_word(message: str, grammar: str, texts: Iterable[str]) -> str:
    """The same for the first word of `texts` whose form is wrong."""
    for word in (word for text in texts for word in text.split()):
        told = located(message, grammar, word)
        if told != message:
            return told
    return message
