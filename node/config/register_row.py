"""One line of a register map: the tag it makes, and the block that shows it.

address   40001, 300001, input@2999, holding@0, or a range of them
type      CIP type or int16, uint16 … float64, perhaps with a length (REAL[4]); STRING[n] is a text of n characters,
          two to a register
name      the tag's
unit      engineering unit, for people
scale     the value is the register times this: then `type` is that of the registers, and the tag a REAL, or an LREAL
          where a REAL would not hold all that four bytes or more can say
offset    and this added to it
access    read, write or read/write; R, W, RW, RO and WO will do
signal    what moves the value: `node.config.signal_text`
init      value at the start, or one an element with blanks between; of a text the text
order     byte order of values wider than a register, the device's otherwise
min, max  writes outside are refused
"""

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from node.cip.text import SSTRING_CAPACITY
from node.config.hint import closest
from node.config.modbus_check import NUMBERS, room_in
from node.config.model import BLOCK_ACCESS, ORDERS, RegisterBlock, TagConfig
from node.config.model import Scalar as TagValue
from node.config.places import root
from node.config.register_number import (
    BIT_TABLES,
    REGISTERS,
    RegisterNumberError,
    RegisterSpan,
    parse_register,
)
from node.config.signal_text import parse_number, parse_signal
from node.config.tag_check import tag_problems
from node.config.tagspec import BLOCK_TYPES, OTHER_NAMES, TEXT_TYPES, check_name, split_type
from node.errors import ConfigError
from node.record import dataclass

T = TypeVar("T")

Cells = Mapping[str, str]
"""Column to text, without blanks around it; a column that is not there is not here either."""

_Type = tuple[str, tuple[int, ...]]
"""Of registers, with lengths."""

_Made = tuple[str, tuple[int, ...], int, str]
"""Type and dimensions of a tag, how many registers or coils it has, and their type where that is another, else ""."""

MAX_UNIT = 32
"""Characters of an engineering unit."""
LOGIX_STRING = 82
"""Characters of a STRING; a longer text is an SSTRING."""

_ACCESS = {
    "": BLOCK_ACCESS[0],
    **dict.fromkeys(("read/write", "rw", "r/w", "readwrite"), BLOCK_ACCESS[0]),
    **dict.fromkeys(("read", "r", "ro", "read only", "read-only", "readonly"), BLOCK_ACCESS[1]),
    **dict.fromkeys(("write", "w", "wo", "write only", "write-only", "writeonly"), BLOCK_ACCESS[2]),
}
_PROBLEM_COLUMNS = {"initial": "init", "dimensions": "type"}
_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,19})|0[xX][0-9a-fA-F]{1,16}", re.ASCII)


@dataclass(frozen=True, slots=True)
class MapRow:
    """Line of the file, counted from 1, and what it makes."""

    line: int
    tag: TagConfig
    block: RegisterBlock


@dataclass(frozen=True, slots=True)
class _Scaled:
    """What stands between registers and tag; nothing where all is as here."""

    scale: float = 1.0
    offset: float = 0.0
    least: float | None = None
    most: float | None = None

    @property
    def converts(self) -> bool:
        """Whether the tag's values are not those of the registers."""
        return (self.scale, self.offset) != (1.0, 0.0)


class RowReader:
    """Reads the cells of one line after another; `faults` are those of the last one. Values are of `order` where the
    line gives none; with `comma`, numbers may have a decimal comma."""

    def __init__(self, order: str, comma: bool) -> None:
        self.faults: list[str] = []
        self._order = order
        self._comma = comma

    def read(self, cells: Cells, line: int) -> MapRow | None:
        """What the line makes; None, with `faults`, when it is wrong."""
        self.faults = []
        span = self._take(cells, "address", _span)
        name = self._take(cells, "name", lambda text: check_name(text, ""))
        scaled = _Scaled(
            self._take(cells, "scale", self._scale) or 1.0,
            self._take(cells, "offset", lambda text: self._number("offset", text)) or 0.0,
            self._take(cells, "min", lambda text: self._number("min", text)),
            self._take(cells, "max", lambda text: self._number("max", text)),
        )
        typed = self._take(cells, "type", _type)
        order = self._take(cells, "order", _order) or self._order
        access = self._take(cells, "access", lambda text: _access(text, span)) or BLOCK_ACCESS[0]
        signal = self._take(cells, "signal", parse_signal)
        unit = self._take(cells, "unit", _unit) or ""
        made = self._made(span, typed, scaled, name or "x") if span is not None and typed is not None else None
        if made is None:
            return None
        kind, dimensions, count, shown_as = made
        tag = TagConfig(name or "x", kind, dimensions, self._initial(cells, kind), signal, unit=unit)
        for problem in tag_problems(tag, "", {}):
            field = problem.path.lstrip(".")
            self.faults.append(f"{_PROBLEM_COLUMNS.get(field, field)}: {problem.message}")
        if self.faults or span is None:
            return None
        spelt = (scaled.scale, scaled.offset, scaled.least, scaled.most)
        return MapRow(
            line, tag, RegisterBlock(span.table, span.start, count, tag.name, order, access, shown_as, *spelt)
        )

    def _take(self, cells: Cells, column: str, parse: Callable[[str], T]) -> T | None:
        """What a cell says; None for an empty one, and with a fault for a wrong one."""
        text = cells.get(column, "")
        if not text:
            if column in REQUIRED:
                self.faults.append(f"no {column}")
            return None
        try:
            return parse(text)
        except ConfigError as exc:
            self.faults.append(f"{column}: {exc.message}" if column in ("name", "signal") else exc.message)
            return None

    def _number(self, column: str, text: str) -> float:
        value = parse_number(text.replace(",", ".") if self._comma else text)
        if value is None:
            raise ConfigError("", 0, f"{column} '{text}': wanted a number")
        return value

    def _scale(self, text: str) -> float:
        value = self._number("scale", text)
        if not value:
            raise ConfigError("", 0, f"scale '{text}': wanted a number that is not 0")
        return value

    def _made(self, span: RegisterSpan, typed: _Type, scaled: _Scaled, name: str) -> _Made | None:
        """What comes of these; None, with a fault, when nothing does."""
        try:
            made = _text if typed[0] in TEXT_TYPES else _numbers
            kind, dimensions, count, shown_as = made(span, typed, scaled, name)
            if span.start + count > REGISTERS:
                raise ConfigError("", 0, f"address: {count} from wire address {span.start} end beyond {REGISTERS - 1}")
        except ConfigError as exc:
            self.faults.append(exc.message)
            return None
        if scaled.least is not None and scaled.most is not None and scaled.least > scaled.most:
            self.faults.append(f"min {scaled.least:g} is above max {scaled.most:g}")
        return kind, dimensions, count, shown_as

    def _initial(self, cells: Cells, kind: str) -> TagValue | tuple[TagValue, ...] | None:
        """The value or values of `init`; what fits no type is left for the check to refuse."""
        text = cells.get("init", "")
        if not text:
            return None
        if kind in TEXT_TYPES:
            return text
        values = tuple(self._value(word, kind) for word in text.split())
        return values[0] if len(values) == 1 else values

    def _value(self, text: str, kind: str) -> TagValue:
        if kind == "BOOL" and text.lower() in ("true", "false", "1", "0"):
            return text.lower() in ("true", "1")
        if kind not in ("REAL", "LREAL") and _WHOLE.fullmatch(text):
            return int(text, 0)
        number = parse_number(text.replace(",", ".") if self._comma else text)
        return text if number is None else number


COLUMNS = ("address", "type", "name", "unit", "scale", "access", "signal", "init", "order", "offset", "min", "max")
REQUIRED = COLUMNS[:3]


def _span(text: str) -> RegisterSpan:
    try:
        return parse_register(text)
    except RegisterNumberError as exc:
        raise ConfigError("", 0, f"address '{text}' {exc}") from None


def _type(text: str) -> _Type:
    """The type of registers, by its CIP name, with its lengths."""
    try:
        written, dimensions = split_type(text, "")
    except ConfigError as exc:
        raise ConfigError("", 0, f"type '{text}': {exc.message}") from None
    name = BLOCK_TYPES.get(written.lower(), written.upper())
    known = (*NUMBERS, "BOOL", *sorted(TEXT_TYPES, reverse=True))
    if name not in known:
        hint = OTHER_NAMES.get(name) or ""
        near = closest(written, (*known, *BLOCK_TYPES))
        hint = hint or (f"did you mean {near}?" if near else "")
        wanted = f"wanted {', '.join((*NUMBERS, 'BOOL'))}, STRING[n], or {', '.join(BLOCK_TYPES)}"
        raise ConfigError("", 0, f"type '{written}': {wanted}{hint and f'; {hint}'}")
    return name, dimensions


def _order(text: str) -> str:
    if text.upper() not in ORDERS:
        raise ConfigError("", 0, f"order '{text}': wanted {', '.join(ORDERS)}")
    return text.upper()


def _access(text: str, span: RegisterSpan | None) -> str:
    found = _ACCESS.get(text.lower())
    if found is None:
        raise ConfigError("", 0, f"access '{text}': wanted read, write or read/write")
    if span is not None and span.table in ("discrete", "input"):
        if found != BLOCK_ACCESS[1]:
            raise ConfigError("", 0, f"access '{text}': {span.table} is read only")
        return BLOCK_ACCESS[0]  # its table says it already
    return found


def _unit(text: str) -> str:
    if len(text) > MAX_UNIT or not text.isprintable():
        raise ConfigError("", 0, f"unit of {len(text)} characters: wanted at most {MAX_UNIT} that can be printed")
    return text


def _text(span: RegisterSpan, typed: _Type, scaled: _Scaled, tag: str) -> _Made:
    """Of a text."""
    name, lengths = typed
    if span.table in BIT_TABLES:
        raise ConfigError("", 0, f"type {name}: cannot be shown as a coil")
    if scaled != _Scaled():
        raise ConfigError("", 0, f"type {name}: a text has no scale and no limits")
    if len(lengths) > 1:
        raise ConfigError("", 0, f"type {name}: has one length, its characters")
    if not lengths and span.count is None:
        raise ConfigError("", 0, f"type {name}: wanted its characters, as {name}[16], or a range of registers")
    count = (lengths[0] + 1) // 2 if lengths else span.count or 0
    if span.count not in (None, count):
        raise ConfigError("", 0, f"address: takes {span.count} registers, and {name}[{lengths[0]}] {count}")
    if 2 * count > SSTRING_CAPACITY:
        raise ConfigError("", 0, f"type {name}: {2 * count} characters; wanted at most {SSTRING_CAPACITY - 1}")
    return ("STRING" if 2 * count <= LOGIX_STRING and name == "STRING" else "SSTRING"), (), count, ""


def _numbers(span: RegisterSpan, typed: _Type, scaled: _Scaled, tag: str) -> _Made:
    """Of numbers or bits."""
    kind, dimensions = typed
    if scaled != _Scaled() and (kind == "BOOL" or span.table in BIT_TABLES):
        raise ConfigError("", 0, "only numbers in registers have a scale or limits")
    one = root(TagConfig(tag, kind), {})
    element = (room_in(one, span.table) if one is not None else None) or 0
    if not element:
        raise ConfigError("", 0, f"type {kind}: cannot be shown as a coil")
    if span.count is not None and not dimensions:
        if span.count % element:
            raise ConfigError("", 0, f"address: takes {span.count}, and one {kind} takes {element}")
        elements = span.count // element
        dimensions = (elements,) if elements > 1 else ()
    count = TagConfig(tag, kind, dimensions).length * element
    if span.count not in (None, count):
        raise ConfigError("", 0, f"address: takes {span.count}, and the type {count}; name the first register only")
    if not scaled.converts:
        return kind, dimensions, count, ""
    precise = kind == "LREAL" or (kind != "REAL" and NUMBERS[kind].size >= 4)
    return ("LREAL" if precise else "REAL"), dimensions, count, kind
