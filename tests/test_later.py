"""Modules that load themselves when they are looked into. Each case in an interpreter of its own: this one has all."""

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

BEGIN = "import sys; from node.later import SELDOM, import_later; assert not {*SELDOM} & {*sys.modules}\n"


def run(code: str) -> list[str]:
    """What it prints, word by word, without the modules of this environment's own start, nor what `-c` loads."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-S", "-"], env=environment, input=BEGIN + code, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_one_is_there_by_name_and_loads_itself_once() -> None:
    code = """
import_later(["inspect"])
import inspect, sys
print("ast" in sys.modules)
from inspect import signature
print("ast" in sys.modules, signature(lambda a: a), type(inspect).__name__)
"""
    assert run(code) == ["False", "True", "(a)", "module"]


def test_one_that_is_there_stays() -> None:
    assert run("import textwrap as t; import_later(['textwrap']); print(sys.modules['textwrap'] is t)") == ["True"]


def test_one_that_there_is_none_of_fails_as_ever() -> None:
    assert run("import_later(['no_such_module'])\ntry: import no_such_module\nexcept ImportError: print('no')") == [
        "no"
    ]


@pytest.mark.parametrize("module", ["asyncio", "dataclasses", "logging"])
def test_what_is_imported_in_most_runs_does_not_look_into_them(module: str) -> None:
    names = run(f"import_later(SELDOM)\nimport {module}\nprint(*sys.modules)")
    assert not {"ast", "dis", "token"} & set(names)


def test_a_dataclass_is_made_without_them_and_who_asks_more_is_answered() -> None:
    code = """
import_later(SELDOM)
import inspect, sys
from dataclasses import dataclass, fields
@dataclass(slots=True)
class A:
    "A thing."
    a: "int"
    b: str = ""
class B(A):
    "It has none of its own."
def f(x: "int") -> None: ...
print(*(field.name for field in fields(A)), "ast" in sys.modules)
print(inspect.get_annotations(A)["b"].__name__, *inspect.get_annotations(B), *inspect.get_annotations(f))
get = inspect.get_annotations
print(get(f, eval_str=True)["x"].__name__, get(A, eval_str=True)["a"].__name__, "ast" in sys.modules)
"""
    assert run(code) == ["a", "b", "False", "str", "x", "return", "int", "int", "True"]


def test_a_traceback_has_its_lines_all_the_same() -> None:
    code = """
import_later(SELDOM)
import traceback
from node.errors import NodeError
from node.exchange.delay import parse_delay
try:
    parse_delay("soon")
except NodeError:
    print(traceback.format_exc())
"""
    assert "float(low)," in run(code)


def test_before_a_second_thread_all_can_be_loaded() -> None:
    code = """
import_later(["textwrap", "inspect"])
import sys
from node.later import load_now
load_now()
print("ast" in sys.modules, type(sys.modules["textwrap"]).__name__, sys.modules["textwrap"].dedent(" x"))
"""
    assert run(code) == ["True", "module", "x"]
