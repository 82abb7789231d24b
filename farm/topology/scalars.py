"""What a single value of a plant file may be, and how it is read: one class a kind of value.

Each class reads a scalar (`read`), says what it wanted in words when it cannot, and gives the same rule as JSON Schema
(`schema`), so that the loader, an editor and the reference cannot drift apart. Numbers and booleans are those of YAML
1.2: true and false only, decimal, 0x and 0o; nothing in quotes is a number, unless a `${…}` made it.
"""

import ipaddress
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from farm.topology.document import Scalar, kind_of, shown
from farm.topology.problem import suggestion

JsonSchema = dict[str, object]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_WHOLE = re.compile(r"[-+]?[0-9]{1,20}|0x[0-9a-fA-F]{1,16}|0o[0-7]{1,21}")
_NUMBER = re.compile(r"[-+]?(?:[0-9]{1,40}\.?[0-9]{0,40}|\.[0-9]{1,40})(?:[eE][-+]?[0-9]{1,3})?")
_TIME = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?) ?(us|ms|s|min|m|h|d)")
_TRUE = frozenset(("true", "True", "TRUE"))
_FALSE = frozenset(("false", "False", "FALSE"))
_OLD_TRUTH = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}

SUBSTITUTED: JsonSchema = {"type": "string", "pattern": r"\$"}
"""In the schema, what stands in for any value that is no text."""


class BadValueError(ValueError):
    """A value its key does not take: why, what to do instead, and under which code. The message goes on from the key's
    name ("is 'x'; wanted …"), unless it is `complete`."""

    def __init__(self, message: str, hint: str = "", code: str = "F012", *, complete: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
        self.complete = complete

    def about(self, where: str) -> str:
        """The message, beginning with what it is about."""
        return self.message if self.complete else f"{where} {self.message}"


class ScalarShape(ABC, Generic[T_co]):
    """A kind of single value. `wanted` names it in messages and in the reference."""

    wanted: str

    @abstractmethod
    def read(self, scalar: Scalar) -> T_co:
        """The value. Raises `BadValueError`."""

    @abstractmethod
    def schema(self) -> JsonSchema:
        """The same rule as JSON Schema."""

    def bad(self, scalar: Scalar, hint: str = "", code: str = "F012") -> BadValueError:
        """The error that says what was got and what was wanted."""
        return BadValueError(f"is {kind_of(scalar)}; wanted {self.wanted}", hint, code)


def whole(text: str) -> int | None:
    """A whole number of YAML 1.2, None when the text is none."""
    if not _WHOLE.fullmatch(text):
        return None
    return int(text, 0) if text[:2] in ("0x", "0o") else int(text)


def number(text: str) -> float | None:
    """A finite number of YAML 1.2, None when the text is none."""
    integer = whole(text)
    if integer is not None:
        return float(integer)
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    return value if math.isfinite(value) else None


def truth(text: str) -> bool | None:
    """A boolean of YAML 1.2, None when the text is none."""
    return True if text in _TRUE else False if text in _FALSE else None


def seconds(text: str) -> float | None:
    """A time as `100ms`, `10s`, `5m`, `1h` in seconds, or a plain number of seconds; None when it is none."""
    found = _TIME.fullmatch(text)
    if found is not None:
        return float(found.group(1)) * _UNITS[found.group(2)]
    return number(text)


def unquoted_hint(scalar: Scalar, value: object | None) -> str:
    """For a quoted text that would be right without its quotes."""
    return "write it without quotes" if not scalar.plain and value is not None else ""


@dataclass(frozen=True)
class Text(ScalarShape[str]):
    """Any text of at most `longest` characters, or one that `pattern` matches whole."""

    wanted: str = "a text"
    pattern: str = ""
    longest: int = 255
    code: str = "F012"

    def read(self, scalar: Scalar) -> str:
        if scalar.plain and not scalar.filled and truth(scalar.text) is not None:
            raise self.bad(scalar, "quote it if it is meant as a text")
        if len(scalar.text) > self.longest or not scalar.text.isprintable():
            raise BadValueError(f"is {shown(scalar.text)}; wanted {self.wanted} of at most {self.longest} characters")
        if self.pattern and not re.fullmatch(self.pattern, scalar.text, re.ASCII):
            raise self.bad(scalar, code=self.code)
        return scalar.text

    def schema(self) -> JsonSchema:
        if not self.pattern:
            return {"type": ["string", "number"]}
        return {"anyOf": [{"type": "string", "pattern": f"^(?:{self.pattern})$"}, {"type": "number"}, SUBSTITUTED]}


@dataclass(frozen=True)
class Whole(ScalarShape[int]):
    """A whole number from `low` to `high`."""

    low: int
    high: int

    @property
    def wanted(self) -> str:  # type: ignore[override]
        return f"a whole number from {self.low} to {self.high}"

    def read(self, scalar: Scalar) -> int:
        value = whole(scalar.text)
        if not scalar.plain or value is None:
            raise self.bad(scalar, unquoted_hint(scalar, value))
        if not self.low <= value <= self.high:
            raise self.bad(scalar, code="F013")
        return value

    def schema(self) -> JsonSchema:
        return {"anyOf": [{"type": "integer", "minimum": self.low, "maximum": self.high}, SUBSTITUTED]}


@dataclass(frozen=True)
class Number(ScalarShape[float]):
    """Any finite number."""

    wanted: str = "a number"

    def read(self, scalar: Scalar) -> float:
        value = number(scalar.text)
        if not scalar.plain or value is None:
            raise self.bad(scalar, unquoted_hint(scalar, value))
        return value

    def schema(self) -> JsonSchema:
        return {"anyOf": [{"type": "number"}, SUBSTITUTED]}


@dataclass(frozen=True)
class Seconds(ScalarShape[float]):
    """A time, in seconds once read."""

    wanted: str = "a time such as 100ms, 10s, 5m or 1h"

    def read(self, scalar: Scalar) -> float:
        value = seconds(scalar.text)
        if value is None or value < 0:
            raise self.bad(scalar)
        return value

    def schema(self) -> JsonSchema:
        times = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)? ?(us|ms|s|min|m|h|d)$"}
        return {"anyOf": [{"type": "number", "minimum": 0}, times, SUBSTITUTED]}


@dataclass(frozen=True)
class Truth(ScalarShape[bool]):
    """true or false."""

    wanted: str = "true or false"

    def read(self, scalar: Scalar) -> bool:
        value = truth(scalar.text)
        if not scalar.plain or value is None:
            other = _OLD_TRUTH.get(scalar.text.lower(), "")
            raise self.bad(scalar, f"write {other}" if other else unquoted_hint(scalar, value))
        return value

    def schema(self) -> JsonSchema:
        return {"anyOf": [{"type": "boolean"}, SUBSTITUTED]}


@dataclass(frozen=True)
class Choice(ScalarShape[str]):
    """One of some words, in any case."""

    words: Sequence[str]
    code: str = "F012"

    @property
    def wanted(self) -> str:  # type: ignore[override]
        return "one of " + ", ".join(self.words)

    def read(self, scalar: Scalar) -> str:
        for word in self.words:
            if word.lower() == scalar.text.lower():
                return word
        raise self.bad(scalar, suggestion(scalar.text, self.words), self.code)

    def schema(self) -> JsonSchema:
        cases = {case for word in self.words for case in (word, word.lower())}
        return {"anyOf": [{"enum": sorted(cases)}, SUBSTITUTED]}


@dataclass(frozen=True)
class WholeOr(ScalarShape[int | str]):
    """A whole number, or one word instead of it."""

    whole: Whole
    word: str

    @property
    def wanted(self) -> str:  # type: ignore[override]
        return f"{self.whole.wanted}, or {self.word}"

    def read(self, scalar: Scalar) -> int | str:
        if scalar.text == self.word:
            return self.word
        try:
            return self.whole.read(scalar)
        except BadValueError as exc:
            raise self.bad(scalar, exc.hint or suggestion(scalar.text, [self.word]), exc.code) from None

    def schema(self) -> JsonSchema:
        return {"anyOf": [{"type": "integer", "minimum": self.whole.low}, {"const": self.word}, SUBSTITUTED]}


@dataclass(frozen=True)
class Address(ScalarShape[ipaddress.IPv4Address]):
    """An IPv4 address."""

    wanted: str = "an IPv4 address such as 127.64.0.1"

    def read(self, scalar: Scalar) -> ipaddress.IPv4Address:
        try:
            return ipaddress.IPv4Address(scalar.text)
        except ValueError:
            raise self.bad(scalar) from None

    def schema(self) -> JsonSchema:
        return {"anyOf": [{"type": "string", "format": "ipv4"}, SUBSTITUTED]}


@dataclass(frozen=True)
class Subnet(ScalarShape[ipaddress.IPv4Network]):
    """An IPv4 subnet, with its host bits zero."""

    wanted: str = "an IPv4 subnet such as 127.64.0.0/10"

    def read(self, scalar: Scalar) -> ipaddress.IPv4Network:
        try:
            return ipaddress.IPv4Network(scalar.text)
        except ValueError as exc:
            try:
                meant = f"did you mean {ipaddress.IPv4Network(scalar.text, strict=False)}?"
            except ValueError:
                meant = ""
            raise self.bad(scalar, meant, "F040") from exc

    def schema(self) -> JsonSchema:
        return {"anyOf": [{"type": "string", "pattern": r"^[0-9.]+/[0-9]+$"}, SUBSTITUTED]}


@dataclass(frozen=True)
class Value(ScalarShape[str]):
    """Any single value; what it means is decided elsewhere. Read as its text."""

    wanted: str = "a value"

    def read(self, scalar: Scalar) -> str:
        return scalar.text

    def schema(self) -> JsonSchema:
        return {"type": ["string", "number", "boolean"]}
