"""`python -m tests.automata.ahead`: the tables of our grammars anew, for `node/automata/grammar_tables.py`."""

import textwrap

from node.automata.automaton import Automaton
from node.automata.compose import compose
from node.automata.expressions import automaton
from node.automata.grammars import GRAMMARS
from tests.architecture.sources import ROOT

FILE = ROOT / "node/automata/grammar_tables.py"
HEAD = '''"""Tables of `grammars.py`, made by `python -m tests.automata.ahead`: not to be edited.

A grammar is the states that accept, and the rows of all states, the first first: `48-57>1 95>2;` is a state that the
characters 48 to 57 lead from to state 1, and 95 to state 2. What is not there leads nowhere.
"""

TABLES: dict[str, tuple[tuple[int, ...], str]] = {
'''


def made(name: str) -> Automaton:
    """The automaton of a grammar, from what is written."""
    return compose(GRAMMARS[name], automaton)


def rendered() -> str:
    """The file."""
    lines = [HEAD]
    for name in GRAMMARS:
        table = made(name)
        rows = "".join(" ".join(f"{ends(*span)}>{to}" for span, to in row) + ";" for row in table.rows)
        lines += [f'    "{name}": (\n', *tuple_of(sorted(table.accepting))]
        lines += [f'        "{part}"\n' for part in cut(rows)]
        lines[-1] = lines[-1].replace("\n", ",\n")
        lines.append("    ),\n")
    return "".join([*lines, "}\n"])


def tuple_of(numbers: list[int]) -> list[str]:
    """A tuple of numbers, on as many lines as it needs."""
    text = f"({', '.join(map(str, numbers))}{',' if len(numbers) == 1 else ''}),"
    return [f"        {line}\n" for line in textwrap.wrap(text, 108)]


def ends(low: int, high: int) -> str:
    """A range as its first and last character, or the one."""
    return str(low) if low == high else f"{low}-{high}"


def cut(text: str, width: int = 108) -> list[str]:
    """Pieces of a text, for literals that stand side by side."""
    return [text[at : at + width] for at in range(0, len(text), width)]


if __name__ == "__main__":
    FILE.write_text(rendered())
