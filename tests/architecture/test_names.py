"""A file is named for what lives in it, and no line promises what is not there."""

import ast
import re

import pytest

from tests.architecture.sources import ROOT, Source, sources

BANNED = {"utils", "util", "common", "helpers", "helper", "misc", "core", "manager", "tools", "stuff"}
# Spelt in two halves, so that this file does not find itself.
PROMISES = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|NotImplemented" r"Error)\b")


def test_no_module_has_a_name_that_says_nothing() -> None:
    named = [str(source.path) for source in sources("node", "farm", "tests") if BANNED & set(source.module.split("."))]
    assert named == []


def test_nothing_is_promised_in_the_code() -> None:
    found = []
    for source in sources("node", "farm", "tests"):
        for number, line in enumerate(source.text.splitlines(), 1):
            if PROMISES.search(line):
                found.append(f"{source.path}:{number}: {line.strip()}")
    assert found == []


def test_no_console_script_is_called_node() -> None:
    scripts = (ROOT / "pyproject.toml").read_text().partition("[project.scripts]")[2].partition("\n[")[0]
    assert "farm = " in scripts
    assert not re.search(r"^node\s*=", scripts, re.MULTILINE), "Node.js owns that name"


def speaks(source: Source) -> bool:
    """Whether a module says what it is for."""
    return bool(ast.get_docstring(source.tree)) or not source.text.strip()


@pytest.mark.parametrize("folder", ["node", "farm"])
def test_every_module_says_what_it_is_for(folder: str) -> None:
    assert [str(source.path) for source in sources(folder) if not speaks(source)] == []
