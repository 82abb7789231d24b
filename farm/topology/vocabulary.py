"""Single values that name something of a node: types, signals, profiles, routes, revisions, units, ranges.

What there is to choose from comes from `node.config.schema`, the one list that nodes go by too.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from farm.topology.document import Scalar, shown
from farm.topology.problem import suggestion
from farm.topology.scalars import (
    SUBSTITUTED,
    BadValueError,
    Choice,
    JsonSchema,
    ScalarShape,
    Text,
    number,
    seconds,
    truth,
)
from node.config.schema import (
    BLOCK_TYPES,
    MODBUS_PROFILES,
    OTHER_NAMES,
    PROFILES,
    SIGNALS,
    TYPES,
    parse_cip_address,
    parse_type,
    split_type,
    type_name_fault,
)
from node.errors import ConfigError

BACKENDS = ("process", "netns", "docker", "swarm", "kubernetes")

TYPICAL = "typical"
LONGEST_DELAY = 60.0
"""Seconds; a client has long given up then."""

NAME_PATTERN = "[A-Za-z0-9_-]{1,32}"

FARM_NAME = Text("a name of 1 to 32 letters, digits, - and _", NAME_PATTERN, code="F016")
"""The name of a farm, node, group, kind, template or network."""

VARIABLE_NAME = Text("a letter or _, then letters, digits and _", "[A-Za-z_][A-Za-z0-9_]{0,63}", code="F016")

PROFILE_NAME = Choice((*PROFILES, *MODBUS_PROFILES), "F034")
SIGNAL_NAME = Choice(tuple(SIGNALS), "F051")

Type = tuple[str, tuple[int, ...]]
Route = tuple[tuple[int, int | str], ...] | None

_RANGE = re.compile(r"(-?\d{1,9})(?: ?\.\. ?(-?\d{1,9}))?", re.ASCII)
_HOP = re.compile(r"(\d{1,5})/([A-Za-z0-9.:_-]{1,64})", re.ASCII)


@dataclass(frozen=True)
class TypeText(ScalarShape[Type]):
    """A CIP type with its array lengths: (name, dimensions). With `blocks`, the Modbus names too; with `own`, any name
    that a type of the file may have, as it is written: whether there is one is found when all files are read."""

    blocks: bool = False
    own: bool = False
    wanted: str = "a type such as REAL, DINT[10] or STRING"

    def read(self, scalar: Scalar) -> Type:
        text = scalar.text
        if self.blocks:
            name, bracket, rest = text.partition("[")
            text = BLOCK_TYPES.get(name.strip().lower(), name) + bracket + rest
        try:
            return _own_type(text) if self.own else parse_type(text, "")
        except ConfigError as exc:
            raise BadValueError(exc.message, code="F050", complete=True) from None

    def schema(self) -> JsonSchema:
        names = "|".join((*TYPES, *BLOCK_TYPES) if self.blocks else TYPES)
        if self.own:
            names += rf"|(?!(?:{'|'.join(OTHER_NAMES)})(?: ?\[|$))[A-Za-z_][A-Za-z0-9_]*"
        return {"anyOf": [{"type": "string", "pattern": rf"^(?:{names})( ?\[[0-9, ]+\])?$"}, SUBSTITUTED]}


@lru_cache(maxsize=4096)
def _own_type(text: str) -> Type:
    """A type, or a name that one may have. Raises `ConfigError`."""
    name, dimensions = split_type(text, "")
    return parse_type(text, "") if type_name_fault(name) else (name, dimensions)


@dataclass(frozen=True)
class BlockText(ScalarShape[Type | None]):
    """The short form of a register block: a type, or an initial value (read as None)."""

    wanted: str = "an initial value or a type"

    def read(self, scalar: Scalar) -> Type | None:
        if scalar.plain and (number(scalar.text) is not None or truth(scalar.text) is not None):
            return None
        return TypeText(blocks=True).read(scalar)

    def schema(self) -> JsonSchema:
        return {"anyOf": [{"type": ["number", "boolean"]}, TypeText(blocks=True).schema()]}


@dataclass(frozen=True)
class TagAddress(ScalarShape[tuple[int, int, int]]):
    """@class/instance/attribute."""

    wanted: str = "an address such as @22/1/1"

    def read(self, scalar: Scalar) -> tuple[int, int, int]:
        try:
            return parse_cip_address(scalar.text.removeprefix("@"), "")
        except ConfigError as exc:
            raise BadValueError(exc.message, code="F013", complete=True) from None

    def schema(self) -> JsonSchema:
        return {"anyOf": [{"type": "string", "pattern": "^@?[0-9A-Fa-fx]+/[0-9A-Fa-fx]+/[0-9A-Fa-fx]+$"}, SUBSTITUTED]}


@dataclass(frozen=True)
class Revision(ScalarShape[tuple[int, int]]):
    """major.minor; as text, since 20.10 is not 20.1."""

    wanted: str = "a revision such as 32.11, major and minor 0 to 255"

    def read(self, scalar: Scalar) -> tuple[int, int]:
        major, dot, minor = scalar.text.partition(".")
        numbers = [int(part) for part in (major, minor) if part.isascii() and part.isdigit() and len(part) <= 3]
        if not dot or len(numbers) != 2 or max(numbers) > 255:
            raise self.bad(scalar)
        return numbers[0], numbers[1]

    def schema(self) -> JsonSchema:
        return {"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^\d{1,3}\.\d{1,3}$"}, SUBSTITUTED]}


@dataclass(frozen=True)
class RouteText(ScalarShape[Route]):
    """`any`, `none`, or hops as port/link with commas: None, (), or the hops."""

    wanted: str = "any, none, or a route as port/link hops such as 1/0"

    def read(self, scalar: Scalar) -> Route:
        if scalar.text in ("any", "none"):
            return None if scalar.text == "any" else ()
        hops: list[tuple[int, int | str]] = []
        for hop in scalar.text.split(","):
            found = _HOP.fullmatch(hop.strip())
            if found is None or not 1 <= int(found.group(1)) <= 65535:
                raise self.bad(scalar, suggestion(scalar.text, ("any", "none")))
            link = found.group(2)
            hops.append((int(found.group(1)), int(link) if link.isdigit() and int(link) < 256 else link))
        return tuple(hops)

    def schema(self) -> JsonSchema:
        return {"anyOf": [{"enum": ["any", "none"]}, {"type": "string", "pattern": r"^\d+/.+$"}, SUBSTITUTED]}


@dataclass(frozen=True)
class Range(ScalarShape[tuple[int, int]]):
    """`1..20` as (1, 20); one number is a range of itself."""

    low: int
    high: int

    @property
    def wanted(self) -> str:  # type: ignore[override]
        return f"a number or a range such as 1..16, from {self.low} to {self.high}"

    def read(self, scalar: Scalar) -> tuple[int, int]:
        found = _RANGE.fullmatch(scalar.text)
        if found is None:
            raise self.bad(scalar)
        first = int(found.group(1))
        last = first if found.group(2) is None else int(found.group(2))
        if first > last:
            raise BadValueError(f"{shown(scalar.text)} runs backwards", "write the lower one first", "F013")
        if not (self.low <= first and last <= self.high):
            raise self.bad(scalar, code="F013")
        return first, last

    def schema(self) -> JsonSchema:
        pattern = r"^-?\d{1,9} ?\.\. ?-?\d{1,9}$"
        return {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": pattern}, SUBSTITUTED]}


@dataclass(frozen=True)
class DelayText(ScalarShape[tuple[float, float] | str]):
    """A time, or a range of times, in seconds; or `typical`, for what the profile knows."""

    wanted: str = "a time such as 20ms, a range such as 5ms..20ms, or typical"

    def read(self, scalar: Scalar) -> tuple[float, float] | str:
        if scalar.text == TYPICAL:
            return TYPICAL
        low_text, dots, high_text = scalar.text.partition("..")
        low, high = seconds(low_text.strip()), seconds((high_text if dots else low_text).strip())
        if low is None or high is None or low < 0:
            raise self.bad(scalar, suggestion(scalar.text, [TYPICAL]))
        if high < low:
            raise BadValueError(f"{shown(scalar.text)} runs backwards", "write the shorter one first", "F013")
        if high > LONGEST_DELAY:
            raise BadValueError(f"is {shown(scalar.text)}; wanted at most {LONGEST_DELAY:g} s", code="F013")
        return low, high

    def schema(self) -> JsonSchema:
        time = r"[0-9]+(\.[0-9]+)? ?(us|ms|s|min|m|h|d)?"
        times = {"type": "string", "pattern": rf"^{time}( ?\.\. ?{time})?$"}
        return {"anyOf": [{"type": "number", "minimum": 0}, times, {"const": TYPICAL}, SUBSTITUTED]}


@dataclass(frozen=True)
class BackendName(ScalarShape[str]):
    """A backend."""

    wanted: str = "a backend: " + ", ".join(BACKENDS)

    def read(self, scalar: Scalar) -> str:
        if scalar.text in BACKENDS:
            return scalar.text
        raise self.bad(scalar, suggestion(scalar.text, BACKENDS))

    def schema(self) -> JsonSchema:
        return {"anyOf": [{"enum": list(BACKENDS)}, SUBSTITUTED]}
