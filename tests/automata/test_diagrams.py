"""Machines as pictures."""

import shutil
import subprocess

import pytest

from node.automata import diagram
from tests.automata.machines import ab, csv


def test_as_text() -> None:
    assert diagram(csv(), "text").splitlines() == [
        "( CSV )",
        "  ((ab+))",
        "    ( E )",
        "      a -> ( A )",
        "    ( A )",
        "      b -> ((B))",
        "    ((B))",
        "      b -> ((B))",
        "    ' ' , -> ( SEP )",
        "  ( SEP )",
        "    ' ' -> ( SEP )",
        "    nothing -> ((ab+))",
    ]


def test_as_dot() -> None:
    lines = diagram(ab()).splitlines()
    assert lines[0] == 'digraph "ab+" {'
    assert '  n2 [label="B", peripheries=2];' in lines
    assert '  n0 -> n1 [label="a"];' in lines
    assert lines[-1] == "}"
    assert "subgraph cluster_n0 {" in diagram(csv())


def test_graphviz_takes_it() -> None:
    dot = shutil.which("dot")
    if dot is None:
        return  # what it wants is said above
    done = subprocess.run([dot, "-Tplain"], input=diagram(csv()), capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr


def test_there_is_no_other_form() -> None:
    with pytest.raises(ValueError, match="'dot' and 'text'"):
        diagram(ab(), "svg")
