"""A machine as a picture: DOT for Graphviz (`dot -Tsvg`), or lines of text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from node.automata.machine import dfa
from node.automata.states import state

DOT, TEXT = "dot", "text"


def diagram(machine: dfa, form: str = DOT) -> str:
    """`machine` and all that is in it, in "dot" or "text". Raises `ValueError` for another form."""
    if form == TEXT:
        return "\n".join(_lines(machine, ""))
    if form == DOT:
        return "\n".join(_Dot(machine).lines)
    raise ValueError(f"a diagram in {form!r}; there are {DOT!r} and {TEXT!r}")


def reached(machine: dfa) -> list[state]:
    """The states of a machine, not those of machines in it, from the first on."""
    found = [machine.initial]
    for here in found:
        found += _unique(target for _, target in here.edges() if target is not None and target not in found)
    return found


def _unique(states: Iterator[state]) -> list[state]:
    return list(dict.fromkeys(states))


def _lines(machine: dfa, indent: str) -> Iterator[str]:
    """A line a state, and one for each place that it leads to."""
    yield f"{indent}{machine}"
    for here in reached(machine):
        if isinstance(here, dfa):
            yield from _lines(here, f"{indent}  ")
        else:
            yield f"{indent}  {here}"
        for label, target in here.edges():
            yield f"{indent}    {label} -> {'nowhere' if target is None else target}"


class _Dot:
    """The lines of a drawing; nodes are numbered, since names need not differ."""

    def __init__(self, machine: dfa) -> None:
        self.lines = [f"digraph {_quoted(machine.name)} {{", "  rankdir=LR;", "  node [shape=circle];"]
        self._numbers: dict[tuple[int, ...], str] = {}
        self._machine(machine, (), "  ")
        self.lines.append("}")

    def _machine(self, machine: dfa, within: tuple[int, ...], indent: str) -> None:
        inside = (*within, id(machine))
        states = reached(machine)
        for here in states:
            name = self._name(here, inside)
            shape = "box" if isinstance(here, dfa) else ""
            style = [f"label={_quoted(here.name)}", *([f"shape={shape}"] if shape else [])]
            marked = here.marked if isinstance(here, dfa) else here.terminal
            self.lines.append(f"{indent}{name} [{', '.join([*style, *(['peripheries=2'] if marked else [])])}];")
            if isinstance(here, dfa):
                self.lines.append(f"{indent}subgraph cluster_{name} {{")
                self.lines.append(f"{indent}  label={_quoted(here.name)};")
                self._machine(here, inside, f"{indent}  ")
                self.lines.append(f"{indent}}}")
                first = self._name(here.initial, (*inside, id(here)))
                self.lines.append(f"{indent}{name} -> {first} [style=dashed];")
        for here in states:
            for label, target in here.edges():
                if target is not None:
                    ends = f"{self._name(here, inside)} -> {self._name(target, inside)}"
                    self.lines.append(f"{indent}{ends} [label={_quoted(label)}];")

    def _name(self, here: state, inside: tuple[int, ...]) -> str:
        return self._numbers.setdefault((*inside, id(here)), f"n{len(self._numbers)}")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
