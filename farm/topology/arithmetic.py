"""Integer arithmetic inside `${…}`: + - * // % with brackets, over whole numbers and names.

A plant file comes from anywhere, so its expressions are scanned and computed here and never handed to Python: there is
no power, no call and no attribute to reach for, and texts, numbers and results are bounded, so that no expression takes
more than microseconds.

    sum      product { ("+" | "-") product }
    product  factor { ("*" | "//" | "%") factor }
    factor   [ "-" ] ( number | name | "(" sum ")" )

`//` rounds down and `%` has the sign of its right side, as in Python.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

MAX_LENGTH = 200
MAX_DIGITS = 18
MAX_BRACKETS = 20
MAX_RESULT = 1 << 63

Values = Callable[[str], int]
"""Looks up a name; raises what its caller wants to see."""

Compute = Callable[[Values], int]

_TOKEN = re.compile(r"\s*(?:(\d+)|([A-Za-z_][A-Za-z0-9_]*)|(\*\*|//|[-+*%()/]))")


class ExpressionError(ValueError):
    """An expression that cannot be read or computed; the text says why."""


def compile_expression(text: str) -> tuple[Compute, frozenset[str]]:
    """A function that computes `text`, and the names it needs. Raises `ExpressionError`."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"is longer than {MAX_LENGTH} characters")
    parser = _Parser(_scan(text))
    compute = parser.sum()
    if parser.tokens:
        raise ExpressionError(f"{parser.tokens[0]!r} is not expected here")
    return compute, frozenset(parser.names)


def _scan(text: str) -> list[str]:
    tokens: list[str] = []
    at, text = 0, text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or found.group(3) in ("**", "/"):
            bad = found.group(3) if found else text[at:].strip()[:1]
            raise ExpressionError(f"{bad!r} is not understood; there are + - * // % and brackets")
        number = found.group(1)
        if number and len(number) > MAX_DIGITS:
            raise ExpressionError(f"a number has more than {MAX_DIGITS} digits")
        tokens.append(found.group().strip())
        at = found.end()
    return tokens


@dataclass(slots=True)
class _Parser:
    """Recursive descent over the tokens left; each method returns a function that computes what it read."""

    tokens: list[str]
    names: set[str] = field(default_factory=set)
    brackets: int = 0

    def sum(self) -> Compute:
        left = self.product()
        while self.tokens and self.tokens[0] in ("+", "-"):
            left = _operation(self.tokens.pop(0), left, self.product())
        return left

    def product(self) -> Compute:
        left = self.factor()
        while self.tokens and self.tokens[0] in ("*", "//", "%"):
            left = _operation(self.tokens.pop(0), left, self.factor())
        return left

    def factor(self) -> Compute:
        token = self.tokens.pop(0) if self.tokens else ""
        if token == "-":
            return _operation("-", _number(0), self.factor())
        if token == "(":
            return self.bracket()
        if token.isdigit():
            return _number(int(token))
        if token.isidentifier():
            self.names.add(token)
            return lambda values: values(token)
        raise ExpressionError(f"{token!r} stands where a number or a name is wanted" if token else "ends too early")

    def bracket(self) -> Compute:
        self.brackets += 1
        if self.brackets > MAX_BRACKETS:
            raise ExpressionError(f"has more than {MAX_BRACKETS} brackets")
        inside = self.sum()
        if not self.tokens or self.tokens.pop(0) != ")":
            raise ExpressionError("a bracket is not closed")
        return inside


def _number(value: int) -> Compute:
    return lambda values: value


def _operation(sign: str, left: Compute, right: Compute) -> Compute:
    if sign == "+":
        return lambda values: _bounded(left(values) + right(values))
    if sign == "-":
        return lambda values: _bounded(left(values) - right(values))
    if sign == "*":
        return lambda values: _bounded(left(values) * right(values))
    if sign == "//":
        return lambda values: left(values) // _divisor(right(values))
    return lambda values: left(values) % _divisor(right(values))


def _bounded(value: int) -> int:
    if not -MAX_RESULT <= value < MAX_RESULT:
        raise ExpressionError("the result has more than 64 bits")
    return value


def _divisor(value: int) -> int:
    if value == 0:
        raise ExpressionError("divides by zero")
    return value
