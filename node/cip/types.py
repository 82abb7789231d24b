"""The elementary data types: code on the wire, size, the `array` typecode that holds them, and their range.

Without one table, a tag's memory, its replies and the limits of a write would drift apart. Values are little-endian on
the wire (CIP Vol 1, C-5 and C-6). A BOOL is one byte: any non-zero byte is true when written, and controllers answer
`BOOL_TRUE`; in memory it is 0 or 1.
"""

import sys
from array import array
from collections.abc import Sequence

from node.cip.status import NOT_ENOUGH_DATA, CipError
from node.errors import LocalProtocolError
from node.record import dataclass

BIG_ENDIAN_HOST = sys.byteorder == "big"
BOOL_TRUE = 0xFF

Value = bool | int | float


@dataclass(frozen=True, slots=True)
class Type:
    """One elementary type: `size` in bytes, `typecode` of `array.array`, `low` and `high` the values it can hold."""

    name: str
    code: int
    size: int
    typecode: str
    low: int | float
    high: int | float


def _integer(name: str, code: int, typecode: str) -> Type:
    size = array(typecode).itemsize
    bits = 8 * size
    if typecode.islower():
        return Type(name, code, size, typecode, -(1 << bits - 1), (1 << bits - 1) - 1)
    return Type(name, code, size, typecode, 0, (1 << bits) - 1)


BOOL = Type("BOOL", 0xC1, 1, "B", 0, 1)
SINT = _integer("SINT", 0xC2, "b")
INT = _integer("INT", 0xC3, "h")
DINT = _integer("DINT", 0xC4, "i")
LINT = _integer("LINT", 0xC5, "q")
USINT = _integer("USINT", 0xC6, "B")
UINT = _integer("UINT", 0xC7, "H")
UDINT = _integer("UDINT", 0xC8, "I")
ULINT = _integer("ULINT", 0xC9, "Q")
REAL = Type("REAL", 0xCA, 4, "f", -3.4028234663852886e38, 3.4028234663852886e38)
LREAL = Type("LREAL", 0xCB, 8, "d", -sys.float_info.max, sys.float_info.max)
BYTE = _integer("BYTE", 0xD1, "B")
WORD = _integer("WORD", 0xD2, "H")
DWORD = _integer("DWORD", 0xD3, "I")
LWORD = _integer("LWORD", 0xD4, "Q")

ELEMENTARY: tuple[Type, ...] = (
    BOOL,
    SINT,
    INT,
    DINT,
    LINT,
    USINT,
    UINT,
    UDINT,
    ULINT,
    REAL,
    LREAL,
    BYTE,
    WORD,
    DWORD,
    LWORD,
)

_BY_CODE = {kind.code: kind for kind in ELEMENTARY}
_BY_NAME = {kind.name: kind for kind in ELEMENTARY}


def by_code(code: int) -> Type | None:
    """The elementary type of a wire code (0xC1 …), None when there is none."""
    return _BY_CODE.get(code)


def by_name(name: str) -> Type | None:
    """The elementary type called `name` in any case, None when there is none."""
    return _BY_NAME.get(name.upper())


def encode_values(kind: Type, values: Sequence[Value]) -> bytes:
    """Values as they go on the wire; a true BOOL becomes `BOOL_TRUE`.

    Raises `LocalProtocolError` when one of them does not fit the type.
    """
    if kind is BOOL:
        return bytes(BOOL_TRUE if value else 0 for value in values)
    try:
        cells = array(kind.typecode, values)
    except (TypeError, OverflowError) as exc:
        raise LocalProtocolError(_misfit(kind, values)) from exc
    if BIG_ENDIAN_HOST:
        cells.byteswap()
    return cells.tobytes()


def decode_values(kind: Type, data: bytes) -> list[Value]:
    """The Python values of whole elements: bool for BOOL, float for REAL and LREAL, else int.

    Raises `CipError` (not enough data) when the last element is cut short.
    """
    if len(data) % kind.size:
        raise CipError(NOT_ENOUGH_DATA)
    if kind is BOOL:
        return [byte != 0 for byte in data]
    cells = array(kind.typecode)
    cells.frombytes(data)
    if BIG_ENDIAN_HOST:
        cells.byteswap()
    return list(cells)


def parse_value(kind: Type, text: str) -> Value:
    """A value as a person types it: `12`, `0x1F`, `-2.5`, `true`. Raises `LocalProtocolError` when it is none.

    A number out of range is left for `encode_values` to refuse.
    """
    word = text.strip().lower()
    try:
        if kind is BOOL:
            return _TRUTHS[word] if word in _TRUTHS else int(word, 0) != 0
        return float(word) if kind.typecode in "fd" else int(word, 0)
    except ValueError as exc:
        wanted = "true or false" if kind is BOOL else "a number" if kind.typecode in "fd" else "a whole number"
        raise LocalProtocolError(f"{text!r} where {wanted} was wanted, for {kind.name}") from exc


_TRUTHS = {"true": True, "false": False, "on": True, "off": False}


def _misfit(kind: Type, values: Sequence[Value]) -> str:
    for value in values:
        try:
            array(kind.typecode, (value,))
        except (TypeError, OverflowError):
            return f"{value!r} does not fit {kind.name}: it holds {kind.low} to {kind.high}"
    return f"values that do not fit {kind.name}"
