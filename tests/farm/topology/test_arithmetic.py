"""The evaluator against Python's own on sums it allows, and refusing what it does not."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.topology.arithmetic import ExpressionError, compile_expression

NUMBERS = st.integers(0, 100).map(str)
SUMS = st.recursive(
    NUMBERS | st.sampled_from(["i", "line"]),
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "//", "%"]), inner)
        | inner.map("-{}".format)
    ),
    max_leaves=8,
)


@given(SUMS)
def test_it_agrees_with_python(text: str) -> None:
    names = {"i": 7, "line": 3}
    compute, used = compile_expression(text)
    assert used <= set(names)
    try:
        wanted = eval(text, {}, names)
    except ZeroDivisionError:
        with pytest.raises(ExpressionError):
            compute(names.__getitem__)
    else:
        assert compute(names.__getitem__) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("1 + 2 * 3", 7), ("(1 + 2) * 3", 9), ("7 // 2", 3), ("-7 // 2", -4), ("-7 % 3", 2), ("2 - 1 - 1", 0), ("--3", 3)],
)
def test_order_of_operations(text: str, wanted: int) -> None:
    assert compile_expression(text)[0](dict[str, int]().__getitem__) == wanted


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("9**9**9", "'**' is not understood"),
        ("1 / 2", "'/' is not understood"),
        ("1.5", "'.' is not understood"),
        ("__import__('os')", '"\'" is not understood'),
        ("f(1)", "'(' is not expected"),
        ("1 +", "ends too early"),
        ("", "ends too early"),
        ("(1", "not closed"),
        (")", "')' stands where"),
        ("1" * 19, "more than 18 digits"),
        ("1+" * 150 + "1", "longer than 200"),
        ("(" * 21 + "1" + ")" * 21, "more than 20 brackets"),
    ],
)
def test_what_is_refused(text: str, why: str) -> None:
    with pytest.raises(ExpressionError, match=re.escape(why)):
        compile_expression(text)


@pytest.mark.parametrize("text", ["*".join(["999999999999999999"] * 8), "1 // 0", "1 % (2 - 2)"])
def test_what_cannot_be_computed(text: str) -> None:
    compute, _ = compile_expression(text)
    with pytest.raises(ExpressionError):
        compute(dict[str, int]().__getitem__)


@given(st.text(max_size=60))
def test_any_text_is_an_expression_or_an_error(text: str) -> None:
    try:
        compute, names = compile_expression(text)
    except ExpressionError as exc:
        assert str(exc)
    else:
        assert isinstance(names, frozenset) and callable(compute)
