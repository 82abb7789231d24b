"""`${…}` in the values of a plant file.

Done on scalars after parsing, so that a value can never inject YAML structure, whatever a variable holds:

    ${NAME}  ${NAME:-default}  ${NAME:?message}     from --set, then vars, then the environment
    ${i}  ${i:03d}  ${1 + (i - 1) // 250}           whole numbers, inside groups also the group's own variables
    $$                                              a dollar

A text that held a `${…}` is afterwards read as if it stood there without quotes.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from farm.topology.arithmetic import ExpressionError, compile_expression
from farm.topology.document import ListNode, MapNode, Node, Scalar, shown
from farm.topology.problem import Report, suggestion

MAX_TEXT = 4096
"""Characters a filled-in text may have."""

MAX_CHAIN = 20
"""Variables that refer to one another in a row."""

_VARIABLE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::([-?])(.*))?", re.DOTALL)
_FORMATTED = re.compile(r"(.*?)(?::(0?\d{1,2}[dxX]|[dxX]))?", re.DOTALL)
_WHOLE = re.compile(r"[-+]?\d{1,18}")

Value = int | str
Look = Callable[[str], Value | None]
"""A name's value, None when nothing sets it."""

_Part = Callable[[Look], str]


class UnsetError(Exception):
    """A variable without a value. `message` is what the file says in that case, "" when it says nothing."""

    def __init__(self, name: str, message: str = "") -> None:
        super().__init__(name)
        self.name = name
        self.message = message


class CircleError(Exception):
    """Variables that refer to each other without an end; the text says how."""


@lru_cache(maxsize=4096)
def compile_text(text: str) -> tuple[_Part, ...]:
    """The parts of a text, each a function of the variables. Raises `ExpressionError`."""
    parts: list[_Part] = []
    at = 0
    while True:
        dollar = text.find("$", at)
        if dollar < 0 or dollar + 1 == len(text):
            parts.append(_literal(text[at:]))
            return tuple(parts)
        after = text[dollar + 1]
        if after == "{":
            end = text.find("}", dollar)
            if end < 0:
                raise ExpressionError("'${' is not closed by '}'")
            parts += _literal(text[at:dollar]), _expression(text[dollar + 2 : end])
            at = end + 1
        else:
            parts.append(_literal(text[at : dollar + 1]))
            at = dollar + (2 if after == "$" else 1)


def _literal(text: str) -> _Part:
    return lambda look: text


def _expression(text: str) -> _Part:
    """The part for what stands between the braces."""
    text = text.strip()
    if "${" in text:
        raise ExpressionError("'${' stands inside '${…}'; they do not nest")
    variable = _VARIABLE.fullmatch(text)
    if variable is not None:
        return _variable(*variable.groups(default=""))
    formatted = _FORMATTED.fullmatch(text)
    source, spec = formatted.groups(default="") if formatted is not None else (text, "")
    if ":" in source:
        raise ExpressionError(f"{shown(source.partition(':')[2])} is no number format; there are 03d, 4x and the like")
    compute, _ = compile_expression(source)
    return lambda look: format(compute(lambda name: _whole(name, look)), spec)


def _variable(name: str, operator: str, rest: str) -> _Part:
    def value(look: Look) -> str:
        found = look(name)
        if operator and found == "":
            found = None
        if found is not None:
            return str(found)
        if operator == "-":
            return rest
        raise UnsetError(name, rest)

    return value


def _whole(name: str, look: Look) -> int:
    value = look(name)
    if value is None:
        raise UnsetError(name)
    if isinstance(value, int):
        return value
    if not _WHOLE.fullmatch(value):
        raise ExpressionError(f"'{name}' is {shown(value)}, not a whole number")
    return int(value)


def fill_text(text: str, look: Look) -> str:
    """`text` with every `${…}` filled in. Raises `ExpressionError` or `UnsetError`."""
    filled = "".join([part(look) for part in compile_text(text)])
    if len(filled) > MAX_TEXT:
        raise ExpressionError(f"grows to more than {MAX_TEXT} characters")
    return filled


@dataclass(slots=True)
class Scope:
    """What names mean at one place of the file: `own` are a group member's variables, then --set, `vars` and the
    environment, in this order. `used` collects every name that was asked for."""

    report: Report
    settings: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, Scalar] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, Value] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    _values: dict[str, str] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)

    def inside(self, own: Mapping[str, Value]) -> "Scope":
        """The same scope with a member's variables in front."""
        return replace(self, own={**self.own, **own})

    def look(self, name: str) -> Value | None:
        """The value of a name, None when nothing sets it."""
        if name in self.own:
            return self.own[name]
        self.used.add(name)
        if name in self.settings:
            return self.settings[name]
        if name in self.variables and (not self._open or self._open[-1] != name):
            return self._variable(name)
        return self.environ.get(name)

    def _variable(self, name: str) -> str:
        """An entry of `vars`; inside its own value, its name means the environment's."""
        if name in self._values:
            return self._values[name]
        if name in self._open:
            raise CircleError("in a circle: " + " -> ".join([*self._open[self._open.index(name) :], name]))
        if len(self._open) == MAX_CHAIN:
            raise CircleError(f"more than {MAX_CHAIN} deep")
        self._open.append(name)
        try:
            value = fill_text(self.variables[name].text, replace(self, own={}).look)
        finally:
            self._open.pop()
        self._values[name] = value
        return value

    def fill_scalar(self, scalar: Scalar) -> Scalar:
        """The scalar with its text filled in; itself, with an error noted, when that fails."""
        if not scalar.dollar:
            return scalar
        try:
            text = fill_text(scalar.text, self.look)
        except ExpressionError as exc:
            self.report.error("F020", scalar, f"{shown(scalar.text)}: {exc}")
        except CircleError as exc:
            self.report.error("F023", scalar, f"vars refer to each other {exc}")
        except UnsetError as exc:
            known = [*self.own, *self.settings, *self.variables]
            message = exc.message or f"'{exc.name}' is not set: not in vars, --set or the environment"
            self.report.error("F021", scalar, message, suggestion(exc.name, known))
        else:
            plain = scalar.plain or "${" in scalar.text
            return Scalar(text, plain, scalar.source, scalar.line, scalar.column, filled=True)
        return scalar

    def fill(self, node: Node) -> Node:
        """The tree with every scalar and key filled in; what needs nothing stays the very same object."""
        if not node.dollar:
            return node
        if isinstance(node, Scalar):
            return self.fill_scalar(node)
        if isinstance(node, ListNode):
            return ListNode(
                [self.fill(item) for item in node.items], node.source, node.line, node.column, _dollar=False
            )
        return self.fill_map(node)

    def fill_map(self, node: MapNode) -> MapNode:
        """`fill` for a map."""
        if not node.dollar:
            return node
        entries: dict[str, tuple[Scalar, Node]] = {}
        for text, (key, value) in node.entries.items():
            if "$" in text:
                key = self.fill_scalar(key)
            if key.text in entries:
                self.report.error("F004", key, f"key {shown(key.text)} stands twice once filled in")
            entries[key.text] = (key, self.fill(value))
        return MapNode(entries, node.source, node.line, node.column, node.exclusive, False, node._values)
