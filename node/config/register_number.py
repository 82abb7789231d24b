"""Register numbers and wire addresses as people write them: the one rule of plant files and register maps.

Two ways to count are in use, one apart, and mixing them up is the commonest mistake with Modbus. So what is written
says which one it means: **digits alone are the register number of the manuals, always five or six digits (`40001` is
the first holding register); with an @ in front they are the address on the wire, from 0 (`@0` is the same register).**
Anything shorter without @ could be either, and is an error that shows both ways to write it.

    table      register numbers                       first   on the wire
    coils      00001 to 09999, 000001 to 065536       00001   0
    discrete   10001 to 19999, 100001 to 165536       10001   0
    input      30001 to 39999, 300001 to 365536       30001   0
    holding    40001 to 99999, 400001 to 465536       40001   0

One register (`40001`), or a whole range (`40001-40010`, `@0-9`). A register number says its table; where nothing else
does, the table stands before the @ (`input@2999`).
"""

import re

from node.config.hint import closest
from node.config.model import TABLES
from node.errors import NodeError
from node.record import dataclass

BIT_TABLES = ("coils", "discrete")
REGISTERS = 65536

_SPAN = re.compile(r"(@?)(\d{1,6})(?:-(@?)(\d{1,6}))?", re.ASCII)
_NAMED = re.compile(r"([A-Za-z_]*)(@?.*)", re.ASCII)
_FIVE_DIGITS = {"coils": (1, 9999), "discrete": (10001, 19999), "input": (30001, 39999), "holding": (40001, 99999)}
_SIX_DIGITS = {"coils": 1, "discrete": 100001, "input": 300001, "holding": 400001}
_SHORT_NAMES = {"coils": "CO", "discrete": "DI", "input": "IR", "holding": "HR"}
_TABLE_NAMES = {"coil": "coils", "discrete_input": "discrete", "inputs": "input"}


class RegisterNumberError(NodeError):
    """What names no register: `message` goes on from the text ("is no register"), `hint` is what to write, "" where
    there is nothing to say."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}; {hint}" if hint else message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class RegisterSpan:
    """Registers or coils of `table` from wire address `start` on; `count` None where one number leaves it to a type."""

    table: str
    start: int
    count: int | None


def parse_span(text: str, table: str) -> tuple[int, int | None]:
    """(first wire address, count) of a number or range of `table`. Raises `RegisterNumberError`."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise RegisterNumberError("is no register", _example(table))
    first_at, first, last_at, last = found.groups()
    start = _wire(table, first, bool(first_at))
    if last is None:
        return start, None
    if first_at != last_at and not (first_at and not last_at):
        raise RegisterNumberError("mixes both ways of counting", _example(table))
    end = _wire(table, last, bool(first_at))
    if end < start:
        raise RegisterNumberError("runs backwards", "write the lower one first")
    return start, end - start + 1


def parse_register(text: str) -> RegisterSpan:
    """Registers of the table that the text itself says, with blanks or without. Raises `RegisterNumberError`."""
    text = "".join(text.split())
    named = _NAMED.fullmatch(text)
    word, rest = named.groups() if named is not None else ("", text)
    if not word:
        return _numbered(text)
    table = _TABLE_NAMES.get(word.lower(), word.lower())
    if table not in TABLES:
        near = closest(word, TABLES)
        raise RegisterNumberError("names no table", f"did you mean {near}@…?" if near else _both_ways())
    if not rest.startswith("@"):
        raise RegisterNumberError("is no register", f"write {table}@0 for a wire address of '{table}'")
    return RegisterSpan(table, *parse_span(rest, table))


def _numbered(text: str) -> RegisterSpan:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise RegisterNumberError("is no register", _both_ways())
    at, first = found.group(1), found.group(2)
    if at:
        raise RegisterNumberError("is of no table", f"write holding@{first} or input@{first}")
    if len(first) < 5:
        hint = f"write {number('holding', int(first))} or holding@{int(first)} for wire address {int(first)}"
        raise RegisterNumberError("could be a register number or a wire address", hint)
    table = _table_of(first)
    if table is None:
        raise RegisterNumberError("is no register number of any table", _both_ways())
    return RegisterSpan(table, *parse_span(text, table))


def _table_of(digits: str) -> str | None:
    value = int(digits)
    for table, (low, high) in _FIVE_DIGITS.items():
        base = _SIX_DIGITS[table]
        if (low <= value <= high and len(digits) == 5) or (base <= value < base + REGISTERS and len(digits) == 6):
            return table
    return None


def _wire(table: str, digits: str, direct: bool) -> int:
    """The wire address of a register number, or of an address that is one already."""
    value = int(digits)
    if direct:
        if value < REGISTERS:
            return value
        raise RegisterNumberError(f"is beyond wire address {REGISTERS - 1}")
    if len(digits) < 5:
        both = f'write "{number(table, value)}" or "@{value}" for wire address {value}'
        raise RegisterNumberError("could be a register number or a wire address", both)
    low, high = _FIVE_DIGITS[table]
    if len(digits) == 5 and low <= value <= high:
        return value - low
    base = _SIX_DIGITS[table]
    if len(digits) == 6 and base <= value < base + REGISTERS:
        return value - base
    other = _table_of(digits)
    hint = f"that is one of '{other}'; for the wire address write \"@…\"" if other else _example(table)
    raise RegisterNumberError(f"is no register number of '{table}'", hint)


def _example(table: str) -> str:
    return f'write "{number(table, 0)}-{number(table, 9)}" or "@0-9"'


def _both_ways() -> str:
    return "write a register number as 40001 or 300001, or a wire address as holding@0 or input@0-9"


def number(table: str, wire: int) -> str:
    """The register number of a wire address: five digits while they reach, then six."""
    low, high = _FIVE_DIGITS[table]
    if table == "holding":
        high = 49999
    return f"{low + wire:05d}" if low + wire <= high else f"{_SIX_DIGITS[table] + wire:06d}"


def tag_name(table: str, wire: int) -> str:
    """The name of the tag behind a block that has none of its own: HR40001, IR30001, DI10001, CO00001."""
    return _SHORT_NAMES[table] + number(table, wire)
